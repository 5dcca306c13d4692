"""Runs floor and product in turn, on the same server and data, and notes time and memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.dashboards import Dashboards, measure_dashboards
from bench.databases import FLOOR, KILLED, PRODUCT, RATING, SMALL, Databases
from bench.floor import floor_ingest, floor_run
from bench.generate import MONTH_CUTOFF, Calls, Size
from bench.growth import Growth, measure_growth
from bench.invoices_api import REQUESTS, InvoicesApi, measure_invoices
from bench.json_api import JsonApi, measure
from bench.kill import differences_after_kills
from bench.pdf import Pdfs, measure_pdfs
from bench.rating import Rating, measure_rating
from bench.reports import Reports, measure_reports
from bench.steps import step
from bench.workers import Workers

COMPANY = Path(__file__).parent / "company.sql"
# At so many records as many PDFs are made as are worth measuring, and a tenth as many invoices are listed.
FULL_SIZE, LEAST_INVOICES = 1_000_000, 1_000


@dataclass(frozen=True, slots=True)
class Documents:
    """Lists of invoices, their PDFs and their usage reports."""

    api: InvoicesApi
    pdfs: list[Pdfs]
    reports: Reports


@dataclass(frozen=True, slots=True)
class Results:
    """Seconds of each step, peak memory in KiB of our processes, invoices that kills changed, the server's version."""

    floor_ingest: float
    ingest: float
    repeated: float
    quarantine: float
    counts: dict[str, int]
    json_api: JsonApi
    rating: Rating
    growth: Growth
    documents: Documents
    dashboards: Dashboards
    floor_run: float
    preflight: float
    run: float
    posting: float
    invoices: int
    small_ingest_kib: int
    ingest_kib: int
    small_worker_kib: int
    worker_kib: int
    differing_after_kills: int | None
    server: str


def bench(
    databases: Databases, size: Size, *, small: Calls, full: Calls, workers: int, kills: int, prefixes: int
) -> Results:
    """All steps: a tenth of the calls first, for the memory, then all of them, floor and product in turn."""
    server = _found_company(databases, size)
    databases.copy(FLOOR, SMALL, RATING)
    documents = _measure_documents(databases, size, workers)
    small_ingest = step(databases, SMALL, "ingest", str(small.dirty))
    with Workers(databases, SMALL, workers) as pool:
        step(databases, SMALL, "run", MONTH_CUTOFF)
        small_worker_kib = pool.peak_kib()
    with _floor(databases) as connection:
        floor_ingested = floor_ingest(connection, full.clean)
    ingested = step(databases, PRODUCT, "ingest", str(full.dirty))
    with _floor(databases) as connection:
        connection.execute("VACUUM ANALYZE")
        floor_billed = floor_run(connection)
    with databases.connect(PRODUCT) as connection:
        connection.execute("VACUUM ANALYZE")
    if kills:
        databases.copy(KILLED)
    with Workers(databases, PRODUCT, workers) as pool:
        billed = step(databases, PRODUCT, "run", MONTH_CUTOFF)
        worker_kib = pool.peak_kib()
    counts = _checked_counts(size, ingested, billed)
    differing = differences_after_kills(databases, workers=workers, kills=kills) if kills else None
    return Results(
        floor_ingest=floor_ingested,
        ingest=ingested["seconds"],
        repeated=ingested["repeated"],
        quarantine=ingested["quarantine"],
        counts=counts,
        dashboards=measure_dashboards(databases, records=size.records),
        growth=measure_growth(databases, records=size.records * 9 // 100, workers=workers),
        json_api=measure(databases, records=size.records),
        documents=documents,
        rating=measure_rating(databases, records=size.records, services=size.services, prefixes=prefixes),
        floor_run=floor_billed,
        preflight=billed["preflight_seconds"],
        run=billed["run_seconds"],
        posting=billed["posting_seconds"],
        invoices=int(billed["invoices"]),
        small_ingest_kib=int(small_ingest["peak_kib"]),
        ingest_kib=int(ingested["peak_kib"]),
        small_worker_kib=small_worker_kib,
        worker_kib=worker_kib,
        differing_after_kills=differing,
        server=server,
    )


def _measure_documents(databases: Databases, size: Size, workers: int) -> Documents:
    """In copies of the product's database, as long as there is nothing but the company in it."""
    invoices = max(LEAST_INVOICES, size.records // 10)
    return Documents(
        api=measure_invoices(databases, invoices=invoices, requests=min(REQUESTS, invoices // 50)),
        pdfs=measure_pdfs(part=max(1, FULL_SIZE // size.records)),
        reports=measure_reports(databases, calls=size.records, invoices=max(1, size.records // 200), workers=workers),
    )


def _found_company(databases: Databases, size: Size) -> str:
    """Fill the product's database with what there is before any usage, and say which server it is on."""
    with databases.connect(PRODUCT) as connection:
        for statement in COMPANY.read_text().split(";\n"):
            if statement.strip():
                connection.execute(statement, {"customers": size.customers, "services": size.services})
        connection.execute("VACUUM ANALYZE")
        return f"PostgreSQL {connection.execute('SHOW server_version').fetchone()[0]}"  # type: ignore[index]


def _checked_counts(size: Size, ingested: dict[str, float], billed: dict[str, float]) -> dict[str, int]:
    """What became of the rows, if it is what should have."""
    counts = {
        "accepted": int(ingested["accepted"]),
        "duplicates": int(ingested["duplicate"]),
        "conflicts": int(ingested["conflict"]),
        "quarantined": int(ingested["quarantined"]),
    }
    if counts != size.expected or billed["records"] != counts["accepted"]:
        raise RuntimeError(f"Taken in: {counts}, billed: {billed['records']:,.0f}; expected: {size.expected}.")
    return counts


@contextmanager
def _floor(databases: Databases) -> Iterator[psycopg.Connection]:
    with databases.connect(FLOOR) as connection:
        connection.execute("CHECKPOINT")
        yield connection
