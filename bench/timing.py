"""Runs floor and product in turn, on the same server and data, and notes time and memory."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.databases import FLOOR, KILLED, PRODUCT, RATING, SMALL, Databases
from bench.floor import floor_ingest, floor_run
from bench.generate import Calls, Size
from bench.json_api import JsonApi, measure
from bench.kill import differences_after_kills
from bench.rating import Rating, measure_rating
from bench.workers import Workers
from config.env import BASE_DIR

COMPANY = Path(__file__).parent / "company.sql"


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
    floor_run: float
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
    small_ingest = _step(databases, SMALL, "ingest", str(small.dirty))
    with Workers(databases, SMALL, workers) as pool:
        _step(databases, SMALL, "run")
        small_worker_kib = pool.peak_kib()
    with _floor(databases) as connection:
        floor_ingested = floor_ingest(connection, full.clean)
    ingested = _step(databases, PRODUCT, "ingest", str(full.dirty))
    with _floor(databases) as connection:
        connection.execute("VACUUM ANALYZE")
        floor_billed = floor_run(connection)
    with databases.connect(PRODUCT) as connection:
        connection.execute("VACUUM ANALYZE")
    if kills:
        databases.copy(KILLED)
    with Workers(databases, PRODUCT, workers) as pool:
        billed = _step(databases, PRODUCT, "run")
        worker_kib = pool.peak_kib()
    counts = _checked_counts(size, ingested, billed)
    api = measure(databases)
    differing = differences_after_kills(databases, workers=workers, kills=kills) if kills else None
    return Results(
        floor_ingest=floor_ingested,
        ingest=ingested["seconds"],
        repeated=ingested["repeated"],
        quarantine=ingested["quarantine"],
        counts=counts,
        json_api=api,
        rating=measure_rating(databases, records=size.records, services=size.services, prefixes=prefixes),
        floor_run=floor_billed,
        run=billed["seconds"],
        posting=billed["posting_seconds"],
        invoices=int(billed["invoices"]),
        small_ingest_kib=int(small_ingest["peak_kib"]),
        ingest_kib=int(ingested["peak_kib"]),
        small_worker_kib=small_worker_kib,
        worker_kib=worker_kib,
        differing_after_kills=differing,
        server=server,
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


def _step(databases: Databases, name: str, *arguments: str) -> dict[str, float]:
    """Run a step of the product in a process of its own and give back what it printed."""
    with databases.connect(name) as connection:
        connection.execute("CHECKPOINT")
    command = [sys.executable, "-m", "bench.product", *arguments]
    done = subprocess.run(command, check=True, cwd=BASE_DIR, env=databases.environment(name), stdout=subprocess.PIPE)
    result: dict[str, float] = json.loads(done.stdout)
    return result
