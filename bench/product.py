"""One step of the product, in a process of its own: prints its seconds and its peak memory as JSON.

`python -m bench.product ingest FILE` or `python -m bench.product run CUTOFF`.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

LONGEST_SECONDS = 1_800
COUNTS = ("accepted_count", "duplicate_count", "conflict_count", "quarantined_count")
# How the statements of an import begin.
STATEMENTS = {"repeated": "-- Good rows whose number was there before", "quarantine": "-- Faulty rows"}


def ingest(path: Path) -> dict[str, object]:
    """Import a file through the bulk path; how long the statements on repeated and on faulty rows took of it."""
    from django.db import connection
    from django.utils import timezone

    from usage.models import SourceSystem
    from usage.operations.imports import import_usage

    spent = {"repeated": 0.0, "quarantine": 0.0}

    def watch(execute: Any, sql: str, *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, *arguments)
        finally:
            for name, beginning in STATEMENTS.items():
                if sql.startswith(beginning):
                    spent[name] += time.perf_counter() - started

    source = SourceSystem.objects.get(name="Switch")
    started = time.perf_counter()
    with connection.execute_wrapper(watch), path.open("rb") as file:
        done = import_usage(source_system_id=source.pk, file=file, file_name=path.name, at=timezone.now())
    counts = {name.removesuffix("_count"): getattr(done, name) for name in COUNTS}
    return {"seconds": time.perf_counter() - started, **spent, **counts}


def run(cutoff: date) -> dict[str, object]:
    """Check a run, commence it and wait until the workers, which are up, have completed it; then approve it."""
    from django.utils import timezone

    from billing.choices import RunStatus
    from billing.models import RunAccount
    from billing.operations.runs import approve_run, commence_run, create_run
    from billing.queries.preflight import preflight
    from billing.tasks import wake_workers

    new = create_run(name="Bench", invoice_date=cutoff, cutoff_date=cutoff, due_date=cutoff)
    began = time.perf_counter()
    preflight(run=new, at=timezone.now())
    started = time.perf_counter()
    commenced = commence_run(run_id=new.pk, at=timezone.now(), without_preflight=True)
    wake_workers(run_id=commenced.pk)
    while commenced.status == RunStatus.COMMENCED:
        if time.perf_counter() - started > LONGEST_SECONDS:
            raise TimeoutError(f"The run did not complete in {LONGEST_SECONDS} seconds.")
        time.sleep(0.02)
        commenced.refresh_from_db()
    produced = time.perf_counter()
    approve_run(run_id=commenced.pk, at=timezone.now())
    outcomes = RunAccount.objects.filter(run=commenced)
    return {
        "preflight_seconds": started - began,
        "run_seconds": produced - started,
        "posting_seconds": time.perf_counter() - produced,
        "records": sum(outcomes.filter(outcome="invoiced").values_list("record_count", flat=True)),
        "invoices": outcomes.filter(outcome="invoiced").count(),
    }


def keys(count: int) -> dict[str, object]:
    """Make API keys that may send usage, of a user who may do all."""
    from django.contrib.auth import get_user_model

    from customers.choices import Scope
    from customers.operations.api_keys import create_api_key

    user = get_user_model().objects.create_superuser("bench", password=None)
    scopes = [Scope.READ, Scope.USAGE_WRITE]
    made = [create_api_key(name=f"Client {n}", scopes=scopes, user_id=user.pk) for n in range(count)]
    return {"keys": [text for _, text in made]}


def invoice_places(limit: int) -> dict[str, object]:
    """Where the last page of the list of all invoices begins, as its cursor says it, and ids of some invoices."""
    from customers.api.fields import cursor
    from invoicing.api.serializers import LIST
    from invoicing.models import Invoice
    from usage.api.record_pages import fingerprint

    invoices = Invoice.objects.order_by("period_start", "id")
    before = invoices[limit]
    ids = list(invoices.values_list("id", flat=True))
    after: list[str | int] = [fingerprint({}, None), before.period_start.isoformat(), before.pk]
    return {"cursor": cursor(of=LIST, after=after), "ids": ids[:: max(1, len(ids) // 500)]}


def peak_kib() -> int:
    """The most memory that this process had, in KiB.

    From /proc where there is one: `ru_maxrss` starts with what the parent process had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peaks = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(peaks[0].split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(arguments: list[str]) -> None:
    """Do the step that is asked for."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    steps: dict[str, Callable[[], dict[str, object]]] = {
        "ingest": lambda: ingest(Path(arguments[1])),
        "run": lambda: run(date.fromisoformat(arguments[1])),
        "keys": lambda: keys(int(arguments[1])),
        "invoice_places": lambda: invoice_places(int(arguments[1])),
    }
    result = steps[arguments[0]]()
    result["peak_kib"] = peak_kib()
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
