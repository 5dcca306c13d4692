"""How fast uses are rated: a card of many prefixes, with bands, fees and increments, against one hash join.

As a program it works on the database of its environment and prints what it measured as JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench.databases import RATING, Databases
from config.env import BASE_DIR

DECK = Path(__file__).parent / "deck.sql"
SMALL, SMALL_CHUNK = 20_000, 1_000
# The floor is given what has to be found out: the prefix and the band of each call. What is left is one hash join, the
# same arithmetic without care for the last digit, and one table.
FLOOR_INPUT = """
CREATE UNLOGGED TABLE floor_call AS
SELECT r.id AS record_id, r.customer_id, r.product_id, r.region, r.usage_type_id, r.usage_amount AS quantity,
  longest.prefix,
  CASE WHEN extract(isodow FROM r.from_date AT TIME ZONE c.timezone) < 6
    AND extract(hour FROM r.from_date AT TIME ZONE c.timezone) BETWEEN 8 AND 17 THEN 'Peak' ELSE 'Off peak' END AS band
FROM usage_data_record r
JOIN customer c ON c.id = r.customer_id
JOIN product p ON p.id = r.product_id AND p.code = 'CALL'
CROSS JOIN LATERAL (
  SELECT prefix FROM bench_prefix b
  WHERE b.prefix = ANY (ARRAY(SELECT left(r.destination, n) FROM generate_series(2, 7) n))
  ORDER BY length(prefix) DESC LIMIT 1
) longest
WHERE r.billing_effective_date >= '2026-09-01'
"""
FLOOR_RATED = """
SELECT c.record_id, c.customer_id, c.product_id, c.region, c.usage_type_id, c.quantity, c.billed, r.id AS rate_id,
  CASE WHEN c.quantity = 0 THEN 0 ELSE c.billed * r.unit_price / r.unit_size + r.connection_fee END AS amount
FROM (
  SELECT *,
    CASE WHEN quantity = 0 THEN 0 WHEN quantity <= 30 THEN 30 ELSE 30 + ceil((quantity - 30) / 6) * 6 END AS billed
  FROM floor_call
) c
JOIN (SELECT r.*, b.name AS band FROM rate r JOIN time_band b ON b.id = r.time_band_id) r
  ON r.destination_prefix = c.prefix AND r.band = c.band
"""
FLOOR = f"CREATE TEMPORARY TABLE floor_rated AS {FLOOR_RATED}"
# The same join between the inbox and the charges, where a run has it.
FLOOR_TARGET = "CREATE TABLE floor_charge (LIKE usage_charge INCLUDING ALL)"
FLOOR_CHARGES = f"""
WITH billed AS (
  DELETE FROM pending_usage WHERE billing_effective_date >= '2026-09-01' AND billing_effective_date < '2026-10-01'
  RETURNING record_id
)
INSERT INTO floor_charge (customer_id, record_id, line_id, rate_id, quantity, billed_quantity, amount)
SELECT c.customer_id, c.record_id, c.customer_id, c.rate_id, c.quantity, c.billed, c.amount
FROM billed JOIN ({FLOOR_RATED}) c USING (record_id)
"""
# Floor and product priced a call otherwise; the floor's division is not exact to the last digits.
DIFFERING = """
SELECT count(*)
FROM floor_rated f
LEFT JOIN usage_charge c USING (record_id)
WHERE round(f.amount, 9) IS DISTINCT FROM round(c.amount, 9) OR f.rate_id IS DISTINCT FROM c.rate_id
"""


@dataclass(frozen=True, slots=True)
class Rating:
    """Seconds: the floor's join, our preparation, the rating of the calls, of as many uses by each way of counting; of
    the first small chunk, and the median of the later ones. `charge` and its floor are from the inbox to the charges.
    """

    records: int
    prefixes: int
    floor: float
    floor_charge: float
    prepare: float
    rate: float
    charge: float
    first: float
    later: float
    counted_records: int
    per_unit: float
    graduated: float
    package: float
    differing: int


def measure_rating(databases: Databases, *, records: int, services: int, prefixes: int) -> Rating:
    """Fill the company's database for it with prices and calls, and rate them, floor and product in turn."""
    counted = max(1, records // 5)
    sizes = {"prefixes": prefixes, "small": SMALL, "records": records, "counted": counted, "services": services}
    with databases.connect(RATING) as connection:
        for statement in DECK.read_text().split(";\n"):
            connection.execute(statement, sizes)
        connection.execute(FLOOR_INPUT, sizes)
        connection.execute("VACUUM ANALYZE")
        connection.execute("SET work_mem = '64MB'")
        connection.execute("SET jit = off")
        connection.execute("SET max_parallel_workers_per_gather = 0")
        floor = _seconds(connection, FLOOR)
        with connection.transaction(force_rollback=True):
            connection.execute(FLOOR_TARGET)
            floor_charge = _seconds(connection, FLOOR_CHARGES)
        connection.execute("VACUUM ANALYZE pending_usage")
        command = [sys.executable, "-m", "bench.rating"]
        environment = databases.environment(RATING)
        done = subprocess.run(command, check=True, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE)
        row = connection.execute(DIFFERING).fetchone()
    differing = int(row[0]) if row else 0
    result: dict[str, Any] = json.loads(done.stdout)
    result |= {"floor": floor, "floor_charge": floor_charge, "differing": differing}
    return Rating(records=records, prefixes=prefixes, counted_records=counted, **result)


def _seconds(connection: psycopg.Connection, statement: str) -> float:
    started = time.perf_counter()
    connection.execute(statement)
    return time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of the preparation, of the rating of each chunk, and of what else leads from the inbox to the charges."""

    prepare: float
    rating: list[float]
    charging: list[float]


@contextmanager
def timed(rating_times: list[float], charging_times: list[float]) -> Iterator[None]:
    """Note the seconds that the rating of each chunk takes while it is produced, and the taking and the charging."""
    from django.db import connection

    from billing.operations import production, rating

    charging = {production.step_sql(step) for step in ("accounts", "take", "charges")}

    def noting(*arguments: Any, **options: Any) -> None:
        started = time.perf_counter()
        rating.rate_taken(*arguments, **options)
        rating_times.append(time.perf_counter() - started)

    def watch(execute: Callable[..., Any], statement: str, *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(statement, *arguments)
        finally:
            if statement in charging:
                charging_times.append(time.perf_counter() - started)

    vars(production)["rate_taken"] = noting
    try:
        with connection.execute_wrapper(watch):
            yield
    finally:
        vars(production)["rate_taken"] = rating.rate_taken


def rate_month(cutoff: date, chunk_records: int) -> Timed:
    """Produce a run of what is before the cutoff, and see how long its parts take."""
    from django.conf import settings
    from django.utils import timezone

    from billing.operations import production
    from billing.operations.runs import commence_run, create_run

    settings.BILLING_CHUNK_RECORDS = chunk_records
    run = create_run(name=f"Bench {cutoff}", invoice_date=cutoff, cutoff_date=cutoff, due_date=cutoff)
    commence_run(run_id=run.pk, at=timezone.now(), without_preflight=True)
    started = time.perf_counter()
    production.lay_prices_out(run.pk)
    prepared = time.perf_counter() - started
    rating_times: list[float] = []
    charging_times: list[float] = []
    with timed(rating_times, charging_times):
        while production.produce_next_chunk(run_id=run.pk, at=timezone.now()):
            pass
    return Timed(prepare=prepared, rating=rating_times, charging=charging_times)


def main() -> None:
    """Rate a few calls in small chunks, all calls, and as many uses by each way of counting."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    small = rate_month(date(2026, 8, 2), SMALL_CHUNK).rating
    calls = rate_month(date(2026, 10, 2), 50_000)
    months = {"per_unit": date(2026, 11, 2), "graduated": date(2026, 12, 2), "package": date(2027, 1, 2)}
    ways = {name: sum(rate_month(cutoff, 50_000).rating) for name, cutoff in months.items()}
    result = {"prepare": calls.prepare, "rate": sum(calls.rating), "charge": sum(calls.rating) + sum(calls.charging)}
    result |= {"first": small[0], "later": median(small[1:-1]), **ways}
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
