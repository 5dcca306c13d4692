"""The floor: the least SQL that could do the same, by hand, on one connection, into tables with the same constraints.

It checks nothing, keeps no reasons, makes no invoices, allocates no cents: it copies, joins, inserts, deletes, adds up.
"""

import time
from pathlib import Path

import psycopg

UDFS = (
    *(f"udf_string_{n}" for n in range(1, 9)),
    *(f"udf_float_{n}" for n in range(1, 5)),
    *(f"udf_date_{n}" for n in range(1, 5)),
)
TYPES = {"string": "text", "float": "numeric(38, 18)", "date": "date"}
STAGING = f"""
CREATE UNLOGGED TABLE floor_staging (number text, type text, service text, product text, from_date timestamptz,
  to_date timestamptz, usage_amount numeric(38, 18), billing_directive text, billing_effective_date date,
  destination text, region text, total_amount numeric(38, 18),
  {", ".join(f"{name} {TYPES[name.split('_')[1]]}" for name in UDFS)})
"""
INGEST = f"""
WITH record AS (
  INSERT INTO usage_data_record (customer_id, subscription_service_id, product_id, usage_type_id, source_system_id,
    number, is_late, life_cycle_state, billing_directive, billing_effective_date, from_date, to_date, usage_amount,
    destination, region, rating_type, total_amount, {", ".join(UDFS)})
  SELECT s.customer_id, s.id, p.id, t.id, 1, f.number, false, 'POSTED', f.billing_directive, f.billing_effective_date,
    f.from_date, f.to_date, f.usage_amount, f.destination, f.region,
    CASE WHEN f.total_amount IS NULL THEN 'POSTRATED' ELSE 'PRERATED' END, f.total_amount,
    {", ".join(f"f.{name}" for name in UDFS)}
  FROM floor_staging f
  JOIN subscription_service s ON s.identifier = f.service
  JOIN product p ON p.code = f.product
  JOIN usage_type t ON t.name = f.type
  RETURNING id, customer_id, billing_effective_date
)
INSERT INTO pending_usage (record_id, customer_id, billing_effective_date)
SELECT id, customer_id, billing_effective_date FROM record
"""
# Same columns, checks and indexes as the product's, without what hangs on them: an easier floor to stand on.
TARGETS = """
CREATE TABLE floor_charge (LIKE usage_charge INCLUDING ALL);
CREATE TABLE floor_line (LIKE invoice_line INCLUDING ALL)
"""
CHARGES = """
WITH billed AS (
  DELETE FROM pending_usage WHERE billing_effective_date < '2026-10-02' RETURNING record_id, customer_id
)
INSERT INTO floor_charge (customer_id, record_id, line_id, rate_id, quantity, amount)
SELECT b.customer_id, b.record_id, b.customer_id, CASE WHEN r.total_amount IS NULL THEN t.id END, r.usage_amount,
  coalesce(r.total_amount, r.usage_amount * t.unit_price / t.unit_size)
FROM billed b
JOIN usage_data_record r ON r.id = b.record_id
JOIN rate t ON t.product_id = r.product_id AND t.region = CASE r.region WHEN 'DE' THEN 'DE' ELSE '' END
"""
LINES = """
INSERT INTO floor_line (invoice_id, line_number, kind, product_id, product_code, product_name, product_group,
  product_line, region, usage_type, unit, description, quantity, rate_id, unit_size, exact_amount, amount, tax_rate_id,
  charge_count)
SELECT c.customer_id, row_number() OVER (), 'USAGE', r.product_id, '', '', '', '', r.region, '', '', '',
  sum(c.quantity), c.rate_id, 1, sum(c.amount), round(sum(c.amount), 2), 1, count(*)
FROM floor_charge c
JOIN usage_data_record r ON r.id = c.record_id
GROUP BY c.customer_id, r.product_id, r.region, c.rate_id
"""


def floor_ingest(connection: psycopg.Connection, calls: Path) -> float:
    """Seconds for COPY and one INSERT ... SELECT."""
    connection.execute("SET work_mem = '64MB'")
    started = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(STAGING)
        with calls.open("rb") as file, cursor.copy("COPY floor_staging FROM STDIN WITH (FORMAT csv, HEADER)") as copy:
            while block := file.read(1 << 18):
                copy.write(block)
        cursor.execute("ANALYZE floor_staging")
        cursor.execute(INGEST)
        cursor.execute("DROP TABLE floor_staging")
    return time.perf_counter() - started


def floor_run(connection: psycopg.Connection) -> float:
    """Seconds for one DELETE ... RETURNING into charges and one GROUP BY into lines."""
    connection.execute("SET work_mem = '64MB'")
    connection.execute("SET jit = off")
    connection.execute(TARGETS)
    started = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(CHARGES)
        cursor.execute("ANALYZE floor_charge")
        cursor.execute(LINES)
    return time.perf_counter() - started
