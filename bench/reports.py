"""Usage reports of one invoice with very many calls in each format, and of many invoices by a typical profile."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.databases import REPORTS, Databases
from config.env import BASE_DIR

SQL = Path(__file__).parent / "reports.sql"
# Of the large invoice: every call with all columns, or the summary.
CALLS, SUMMARY = {"call_details": ["All"]}, {"customer_usage_reports": ["Summary"]}
FORMATS: dict[str, dict[str, Any]] = {
    "csv": CALLS | {"formats": ["csv"]},
    "xlsx": CALLS | {"formats": ["xlsx"]},
    "parquet": CALLS | {"formats": ["parquet"]},
    "pdf": SUMMARY | {"formats": ["pdf"]},
}
# Of each of the many: three tables and the list of calls.
TYPICAL = {"customer_usage_reports": ["Summary", "By Destination", "By Day"], "call_details": ["All"]}
TYPICAL_FORMATS = {"csv": ["csv"], "csv and pdf": ["csv", "pdf"]}
# Making goes on for no longer, and is told a second.
LONGEST_SECONDS = 60
# The least SQL that gives the same rows: no names of destinations, no totals, nothing checked.
FLOOR = """
COPY (
  SELECT (r.from_date AT TIME ZONE 'UTC')::date, (r.from_date AT TIME ZONE 'UTC')::time, s.identifier,
    r.destination, '',
    l.usage_type, l.product_name, r.to_date - r.from_date, c.quantity, c.quantity, l.unit, l.unit_price, '',
    c.amount, '', '',
    r.number
  FROM invoice_line l
  JOIN usage_charge c ON c.line_id = l.id
  JOIN usage_data_record r ON r.id = c.record_id
  JOIN subscription_service s ON s.id = r.subscription_service_id
  WHERE l.invoice_id = %(invoice_id)s
  ORDER BY r.from_date, r.id
) TO STDOUT (FORMAT csv)
"""


@dataclass(frozen=True, slots=True)
class LargeReport:
    """The reports of the large invoice in one format: seconds, bytes, and the most memory over an idle process, in KiB.

    The process that typesets PDFs counts with all it has.
    """

    seconds: float
    byte_count: int
    over_idle_kib: int


@dataclass(frozen=True, slots=True)
class Typical:
    """By how many workers, and the reports of how many invoices they made a second by a typical profile."""

    workers: int
    invoices: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Reports:
    """Of an invoice with so many calls, by format; the seconds of COPY alone; of those with 200 calls, by formats."""

    calls: int
    large: dict[str, LargeReport]
    floor: float
    typical: dict[str, Typical]

    def rows_per_second(self, format: str) -> float:
        """Calls of the large invoice that were read for its report, a second."""
        return self.calls / self.large[format].seconds

    @property
    def ratio(self) -> float:
        """CSV against the floor: 1 is as fast."""
        return self.floor / self.large["csv"].seconds


def measure_reports(
    databases: Databases, *, calls: int = 1_000_000, invoices: int = 5_000, workers: int = 2
) -> Reports:
    """Make the invoices in a database of their own, a copy of the product's with its company, then their reports."""
    databases.copy(REPORTS)
    with databases.connect(REPORTS) as connection:
        for statement in SQL.read_text().split(";\n"):
            connection.execute(statement, {"calls": calls, "invoices": invoices})
        connection.execute("VACUUM ANALYZE")
        found = connection.execute("SELECT id FROM invoice WHERE number LIKE 'R%' ORDER BY number").fetchall()
    ids = [int(row[0]) for row in found]
    # The first time is for the server's memory.
    _, floor = _floor(databases, ids[0]), _floor(databases, ids[0])
    large = {name: LargeReport(**_process(databases, "large", name, str(ids[0]))) for name in FORMATS}
    typical = {name: _typical(databases, name, ids[1:], workers) for name in TYPICAL_FORMATS}
    return Reports(calls=calls, large=large, floor=floor, typical=typical)


def _floor(databases: Databases, invoice_id: int) -> float:
    with databases.connect(REPORTS) as connection, (databases.folder / "floor.csv").open("wb") as file:
        connection.execute("SET work_mem = '64MB'")
        connection.execute("SET jit = off")
        started = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy(FLOOR, {"invoice_id": invoice_id}) as copy:
            file.writelines(copy)
        return time.perf_counter() - started


def _typical(databases: Databases, name: str, ids: list[int], workers: int) -> Typical:
    """Let the reports wait anew by these formats, and let as many workers make them, until all are or time is up."""
    with databases.connect(REPORTS) as connection:
        connection.execute("DELETE FROM usage_report")
        connection.execute("DELETE FROM report_production")
        terms = json.dumps(TYPICAL | {"formats": TYPICAL_FORMATS[name], "timezone": "UTC", "language": "en"})
        connection.execute(
            "INSERT INTO report_production (invoice_id, profile_name, terms, state)"
            " SELECT id, 'Typical', %s::jsonb, 'WAITING' FROM unnest(%s::bigint[]) AS id",
            [terms, ids],
        )
        connection.execute("ANALYZE report_production")
    running = [_started(databases, "typical") for _ in range(workers)]
    done = [_ended(process) for process in running]
    count = sum(int(each["count"]) for each in done)
    took = max(each["ended"] for each in done) - min(each["began"] for each in done)
    with databases.connect(REPORTS) as connection:
        wrong = connection.execute("SELECT error FROM report_production WHERE error <> '' LIMIT 1").fetchone()
    if wrong is not None:
        raise RuntimeError(f"Usage reports of the benchmark: {wrong[0]}")
    return Typical(workers=workers, invoices=count, per_second=count / took)


def _process(databases: Databases, *arguments: str) -> dict[str, Any]:
    return _ended(_started(databases, *arguments))


def _started(databases: Databases, *arguments: str) -> "subprocess.Popen[bytes]":
    """A step of this module in a process of its own, which stores files in the benchmark's folder."""
    environment = databases.environment(REPORTS) | {"MEDIA_ROOT": str(databases.folder / "media")}
    command = [sys.executable, "-m", "bench.reports", *arguments]
    return subprocess.Popen(command, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE)


def _ended(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    output, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"A step of usage reports ended with {process.returncode}.")
    found: dict[str, Any] = json.loads(output)
    return found


def large(format: str, invoice_id: int) -> dict[str, object]:
    """Make the reports of the large invoice in one format, in a folder that goes again."""
    import tempfile

    from django.db import transaction

    from bench.product import peak_kib
    from invoicing.adapters.pdf import end_typesetting
    from invoicing.models import Invoice
    from reports.engine.terms import Terms
    from reports.operations.making import made_files

    invoice = Invoice.objects.select_related("currency", "customer").get(pk=invoice_id)
    terms = Terms.from_json(FORMATS[format])
    idle = peak_kib()
    started = time.perf_counter()
    with transaction.atomic(), tempfile.TemporaryDirectory() as folder:
        byte_count = sum(made.byte_count for made in made_files(invoice=invoice, terms=terms, folder=Path(folder)))
    seconds = time.perf_counter() - started
    over = peak_kib() - idle + sum(child.memory_info().rss for child in psutil.Process().children()) // 1024
    end_typesetting()
    return {"seconds": seconds, "byte_count": byte_count, "over_idle_kib": over}


def typical() -> dict[str, object]:
    """Make the reports of one invoice after the other, as a worker does."""
    from django.utils import timezone

    from invoicing.adapters.pdf import end_typesetting
    from reports.operations.production import produce_next

    began, count = time.monotonic(), 0
    while time.monotonic() - began < LONGEST_SECONDS and produce_next(at=timezone.now()):
        count += 1
    ended = time.monotonic()
    end_typesetting()
    return {"count": count, "began": began, "ended": ended}


def main(arguments: list[str]) -> None:
    """Do the step that is asked for, and print what came of it as JSON."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    steps: dict[str, Callable[[], dict[str, object]]] = {
        "large": lambda: large(arguments[1], int(arguments[2])),
        "typical": typical,
    }
    sys.stdout.write(json.dumps(steps[arguments[0]]()))


if __name__ == "__main__":
    main(sys.argv[1:])
