"""How much longer the same new usage takes when there is ten times the history: it should cost what is new."""

from dataclasses import dataclass

from bench.databases import PRODUCT, SMALL, Databases
from bench.steps import step
from bench.workers import Workers

# October as the first records of September were, in both databases equally many. Their fields are those of September's.
NEW_MONTH = """
WITH record AS (
  INSERT INTO usage_data_record (customer_id, subscription_service_id, product_id, usage_type_id, source_system_id,
    number, is_late, life_cycle_state, billing_directive, billing_effective_date, from_date, to_date, usage_amount,
    destination, region, rating_type, total_amount)
  SELECT customer_id, subscription_service_id, product_id, usage_type_id, source_system_id, number || '-next', false,
    life_cycle_state, billing_directive, (billing_effective_date + interval '1 month')::date,
    from_date + interval '1 month', to_date + interval '1 month', usage_amount, destination, region, rating_type,
    total_amount
  FROM (SELECT * FROM usage_data_record ORDER BY id LIMIT %(records)s) september
  RETURNING id, customer_id, billing_effective_date
)
INSERT INTO pending_usage (record_id, customer_id, billing_effective_date)
SELECT id, customer_id, billing_effective_date FROM record
"""
# After the last hour of October in every time zone, and after those that September's last days come to.
CUTOFF = "2026-11-02"
STEPS = ("preflight", "run", "posting")


@dataclass(frozen=True, slots=True)
class Growth:
    """Seconds of each step for `records` new records, by how many were billed before: a tenth of the calls, and all."""

    records: int
    small: dict[str, float]
    large: dict[str, float]


def measure_growth(databases: Databases, *, records: int, workers: int) -> Growth:
    """Bill as much new usage in both databases, after a tenth of the calls and after all of them were billed."""
    seconds = {name: _bill(databases, name, records=records, workers=workers) for name in (SMALL, PRODUCT)}
    return Growth(records=records, small=seconds[SMALL], large=seconds[PRODUCT])


def _bill(databases: Databases, name: str, *, records: int, workers: int) -> dict[str, float]:
    with databases.connect(name) as connection:
        connection.execute(NEW_MONTH, {"records": records})
        connection.execute("VACUUM ANALYZE")
    with Workers(databases, name, workers):
        billed = step(databases, name, "run", CUTOFF)
    return {part: billed[f"{part}_seconds"] for part in STEPS}
