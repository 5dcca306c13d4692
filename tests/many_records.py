"""A company with as many usage data records as asked for, made by SQL, and unevenly spread as real ones are.

Half of the records are one customer's, and of each thing that lists filter by one value is rare: only the 15 oldest and
the 15 newest records have it, so that a list that walks along the table to find them walks all of it.
"""

from datetime import UTC, datetime
from typing import Any

from django.db import connection

from catalog.choices import ProductKind
from catalog.models import Product
from usage.models import SourceSystem, UsageImport, UsageType

FIRST_AT = datetime(2025, 1, 1, tzinfo=UTC)
RARE = 15
IMPORTS = 20

COMPANY = """
INSERT INTO tax_rate (name, percent) VALUES ('VAT 19 %%', 19);
INSERT INTO customer (account_number, name, status, currency_id, timezone, language, tax_rate_id, vat_number, emails,
  address, payment_terms_days)
SELECT 'A' || n, 'Customer ' || n, 'ACTIVE', 'EUR', 'UTC', 'en', t.id, '', '{}', '', 30
FROM generate_series(0, %(customers)s - 1) n, tax_rate t;
INSERT INTO accounts_receivable (customer_id, number, name, life_cycle_state)
SELECT id, 'AR-' || account_number, name, 'ACTIVE' FROM customer;
INSERT INTO subscription (customer_id, number, life_cycle_state, start_date)
SELECT id, 'S' || account_number, 'ACTIVE', '2020-01-01' FROM customer ORDER BY id;
INSERT INTO subscription_service (subscription_id, customer_id, identifier, life_cycle_state, start_date)
SELECT s.id, s.customer_id, '+49' || s.number || n, 'ACTIVE', '2020-01-01'
FROM subscription s, generate_series(1, 5) n ORDER BY s.id, n;
"""

# `n` is the record's place; a thing's ids follow each other, the rare one is the first of them.
RECORDS = """
INSERT INTO usage_data_record (customer_id, subscription_service_id, product_id, usage_type_id, source_system_id,
  usage_import_id, line_number, number, is_late, life_cycle_state, billing_directive, billing_effective_date,
  from_date, to_date, usage_amount, destination, region, rating_type)
SELECT s.customer_id, s.id, p.first + CASE WHEN r.rare THEN 0 ELSE 1 + abs(n %% 17 - 8) END,
  t.first + CASE WHEN r.rare THEN 0 ELSE 1 + n %% 2 END, x.first + CASE WHEN r.rare THEN 0 ELSE 1 + n %% 2 END,
  i.first + CASE WHEN r.rare THEN 0 ELSE 1 + n * %(imports)s / %(records)s END, n, 'CALL-' || n, r.rare,
  CASE WHEN r.rare THEN 'CANCELLED' ELSE 'POSTED' END, CASE WHEN r.rare THEN 'TO_BE_CREDITED' ELSE 'TO_BE_BILLED' END,
  (d.at AT TIME ZONE 'UTC')::date, d.at, d.at + interval '60 seconds', 60, '+49', '', 'POSTRATED'
FROM generate_series(%(from)s::bigint, %(to)s::bigint) n
CROSS JOIN LATERAL (SELECT n < %(rare)s OR n >= %(records)s - %(rare)s AS rare) r
CROSS JOIN LATERAL (SELECT %(first_at)s::timestamptz + n * (interval '365 days' / %(records)s) AS at) d
CROSS JOIN (SELECT min(id) AS first FROM product) p
CROSS JOIN (SELECT min(id) AS first FROM usage_type) t
CROSS JOIN (SELECT min(id) AS first FROM source_system) x
CROSS JOIN (SELECT min(id) AS first FROM usage_import) i
CROSS JOIN (SELECT min(id) AS first FROM subscription_service) f
JOIN subscription_service s ON s.id = f.first + CASE
  WHEN r.rare THEN 0
  WHEN n %% 2 = 0 THEN 5 + n / 2 %% 5
  ELSE 10 + (n * 7919) %% (5 * %(customers)s - 10)
END
ORDER BY n
"""


def add_company(*, customers: int) -> None:
    """Customers `A0` (the rare one), `A1` (half of all usage) and so on, with five services each."""
    with connection.cursor() as cursor:
        cursor.execute(COMPANY, {"customers": customers})
    Product.objects.bulk_create(Product(code=f"P{n}", name=f"Product {n}", kind=ProductKind.USAGE) for n in range(10))
    UsageType.objects.bulk_create(UsageType(name=f"Type {n}", alternative_code=f"T{n}") for n in range(3))
    default_type = UsageType.objects.earliest("id")
    SourceSystem.objects.bulk_create(
        SourceSystem(name=f"Source {n}", alternative_code=f"X{n}", default_usage_type=default_type) for n in range(3)
    )
    source = SourceSystem.objects.earliest("id")
    UsageImport.objects.bulk_create(
        UsageImport(source_system=source, file_name=f"calls-{n}.csv", sha256=f"{n:064x}", started_at=FIRST_AT)
        for n in range(IMPORTS + 1)
    )


def add_records(records: int, *, customers: int, first: int = 0, last: int | None = None) -> None:
    """Records `CALL-0` to `CALL-(records - 1)` over the year from `FIRST_AT`; `first` and `last` for a part of them."""
    values: dict[str, Any] = {
        "records": records,
        "customers": customers,
        "imports": IMPORTS,
        "rare": RARE,
        "first_at": FIRST_AT,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECORDS, values | {"from": first, "to": records - 1 if last is None else last})


def analyze() -> None:
    """Let PostgreSQL count what there is now."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE usage_data_record, customer, subscription_service, product, usage_type, source_system")
