"""What dashboards ask the database for, question by question: of the benchmark's run and the months before it."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.databases import DASHBOARDS, Databases
from config.env import BASE_DIR

SQL = Path(__file__).parent / "dashboards.sql"
TIMES = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """The seconds of a question, asked a few times: the median and the slowest; and of a group of customers."""

    median: float
    slowest: float
    of_a_group: float


@dataclass(frozen=True, slots=True)
class Dashboards:
    """With so many invoices and records that wait: the seconds until all figures were counted, and of each question."""

    invoices: int
    pending: int
    counting: float
    counting_pending: float
    asked: dict[str, Asked]


def measure_dashboards(databases: Databases, *, records: int = 1_000_000) -> Dashboards:
    """Make what is to be shown in a copy of the product's database, which has billed its calls, and ask for it.

    So many records wait, and there are a tenth as many invoices.
    """
    invoices = max(1, records // 10)
    databases.copy(DASHBOARDS)
    with databases.connect(DASHBOARDS) as connection:
        for statement in SQL.read_text().split(";\n"):
            connection.execute(statement, {"invoices": invoices, "records": records})
        connection.execute("VACUUM ANALYZE")
    command = [sys.executable, "-m", "bench.dashboards"]
    environment = databases.environment(DASHBOARDS)
    done = subprocess.run(command, check=True, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE)
    found = json.loads(done.stdout)
    asked = {name: Asked(**seconds) for name, seconds in found.pop("asked").items()}
    return Dashboards(pending=records, asked=asked, **found)


def questions() -> dict[str, Callable[[int | None], object]]:
    """What is asked for twelve months, by the name of its picture; of a group's customers or of all."""
    from datetime import date

    from billing.queries.dashboards import runs_over_time
    from reports.queries import dashboards as ask

    first, until, before, today = date(2025, 11, 1), date(2026, 11, 1), date(2024, 11, 1), date(2026, 11, 1)

    def scope(group_id: int | None) -> ask.Scope:
        return ask.Scope(first, until, "EUR", group_id, by_month=True)

    return {
        "revenue by day": lambda group: ask.revenue_by_day(scope(group)),
        "revenue by product": lambda group: ask.revenue_by_product(scope(group)),
        "revenue by destination": lambda group: ask.revenue_by_destination(scope(group)),
        "revenue by customer": lambda group: ask.revenue_by_customer(scope(group)),
        "top movers": lambda group: ask.top_movers(scope(group), before_first=before),
        "usage by day": lambda group: ask.usage_by_day(scope(group)),
        "unbilled usage by age": lambda group: ask.unbilled_usage(on=today, group_id=group),
        "the same, as last counted": lambda group: ask.unbilled_usage_as_counted(group_id=group),
        "runs over time": lambda group: runs_over_time(scope(group)),
        "how far figures are": lambda _: ask.kept_figures(),
    }


def main() -> None:
    """Count the figures, ask, and print the seconds as JSON."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()

    from django.utils import timezone

    from customers.models import CustomerGroup
    from invoicing.models import Invoice
    from reports.operations.figures import count_all_figures, count_pending

    now, group = timezone.now(), CustomerGroup.objects.get(name="Tenth").pk
    counting = seconds_of(lambda: count_all_figures(at=now))
    counting_pending = seconds_of(lambda: count_pending(at=now, on=timezone.localdate(now)))
    asked = {}
    for name, ask in questions().items():
        if not ask(None):
            raise RuntimeError(f"The benchmark's dashboards have nothing to show: {name}.")
        took = [seconds_of(partial(ask, None)) for _ in range(TIMES)]
        of_group = [seconds_of(partial(ask, group)) for _ in range(TIMES)]
        asked[name] = {
            "median": statistics.median(took),
            "slowest": max(took),
            "of_a_group": statistics.median(of_group),
        }
    found = {"invoices": Invoice.objects.count(), "counting": counting, "counting_pending": counting_pending}
    sys.stdout.write(json.dumps({**found, "asked": asked}))


def seconds_of(do: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
