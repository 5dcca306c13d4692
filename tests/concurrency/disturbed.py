"""A company whose run is disturbed, and what came of it held against the same run undisturbed."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from celery import current_app
from django.db import connection
from django.db.models import Count
from kombu import Connection
from kombu.exceptions import OperationalError

from billing.models import BillingRun, RunChunk
from billing.tasks import sweep_runs
from catalog.models import RateCard
from config.checkout import DATABASE_NAME, POSTGRES_PORT, POSTGRES_USER, Place
from config.embedded import own, postgres, processes
from customers.models import Customer, Subscription, SubscriptionService
from invoicing.models import Invoice, InvoiceLine
from tests.concurrency.worker import Worker, database_url
from tests.factories import (
    CurrencyFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    SourceSystemFactory,
    TaxRateFactory,
    UsageTypeFactory,
)
from usage.models import PendingUsage, UsageDataRecord

LONGEST_SECONDS = 50
NO_PATIENCE = {"max_retries": 0, "socket_connect_timeout": 1}
WHERE_RECORDS_ARE = """
SELECT 'total', count(*), sum(usage_amount) FROM usage_data_record
UNION ALL
SELECT 'charged', count(*), sum(r.usage_amount) FROM usage_charge c JOIN usage_data_record r ON r.id = c.record_id
UNION ALL
SELECT 'pending', count(*), sum(r.usage_amount) FROM pending_usage p JOIN usage_data_record r ON r.id = p.record_id
HAVING count(*) > 0
"""
USAGE = """
INSERT INTO usage_data_record (
  customer_id, subscription_service_id, product_id, usage_type_id, source_system_id, number, is_late, life_cycle_state,
  billing_directive, billing_effective_date, from_date, to_date, usage_amount, destination, region, rating_type
)
SELECT
  s.customer_id, s.id, (%(products)s::bigint[])[1 + n %% 3], %(usage_type)s, %(source)s, 'N' || n, false, 'POSTED',
  CASE WHEN n %% 17 = 0 THEN 'TO_BE_CREDITED' ELSE 'TO_BE_BILLED' END, day::date, day, day,
  (n * 7919 %% 10007) / 1000.0, '', (ARRAY['', 'EU', 'US'])[1 + n %% 5 %% 3], 'POSTRATED'
FROM generate_series(1, %(records)s) AS n
JOIN subscription_service s ON s.identifier = 'S' || (n %% %(customers)s)
CROSS JOIN LATERAL (SELECT timestamptz '2026-01-01 00:00Z' + n * interval '1 minute' AS day) at
"""
PENDING = """
INSERT INTO pending_usage (record_id, customer_id, billing_effective_date)
SELECT id, customer_id, billing_effective_date FROM usage_data_record
"""


def make_company(customers: int, records: int) -> None:
    """Customers with records of three products; one customer in a hundred has no tax rate and is held."""
    tax, currency = TaxRateFactory(percent=Decimal(19)), CurrencyFactory()
    card: RateCard = RateCardFactory(is_default=True, currency=currency)
    products = [ProductFactory() for _ in range(3)]
    for n, product in enumerate(products):
        RateFactory(rate_card=card, product=product, unit_price=Decimal(f"0.00{n + 3}7"), unit_size=Decimal(7))
    RateFactory(rate_card=card, product=products[0], region="EU", unit_price=Decimal("0.0123"))
    rows = Customer.objects.bulk_create(
        Customer(
            account_number=f"A{n:04}", name=f"Customer {n}", currency=currency, tax_rate=None if n % 100 == 7 else tax
        )
        for n in range(customers)
    )
    subscriptions = Subscription.objects.bulk_create(
        Subscription(customer=customer, number=customer.account_number, start_date=date(2020, 1, 1))
        for customer in rows
    )
    SubscriptionService.objects.bulk_create(
        SubscriptionService(
            subscription=subscription,
            customer=subscription.customer,
            identifier=f"S{n}",
            start_date=date(2020, 1, 1),
        )
        for n, subscription in enumerate(subscriptions)
    )
    parameters: dict[str, Any] = {
        "products": [product.id for product in products],
        "usage_type": UsageTypeFactory().id,
        "source": SourceSystemFactory().id,
        "records": records,
        "customers": customers,
    }
    with connection.cursor() as cursor:
        cursor.execute(USAGE, parameters)
        cursor.execute(PENDING)


@contextmanager
def copy_of_the_database() -> Iterator[str]:
    """A second database, alike to the last row; its name."""
    original = str(connection.settings_dict["NAME"])
    name = f"{original}_killed"
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
    try:
        yield name
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def on_database(name: str, **server: str) -> Iterator[None]:
    """Let this process work on that database for a while; `server` is HOST, PORT ... where it is another one."""
    original = {key: connection.settings_dict[key] for key in ("NAME", *server)}
    connection.close()
    connection.settings_dict.update({"NAME": name, **server})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(original)


@contextmanager
def server_of_its_own() -> Iterator[Place]:
    """A PostgreSQL that nobody else uses, with a copy of the database; it ends with the test."""
    with tempfile.TemporaryDirectory(prefix="tollbook-") as folder:
        place = Place(Path(folder, ".local"))
        try:
            own.ensure(place, database=True, broker=False)
            dump = Path(folder, "dump.sql")
            tables = [str(postgres.binary("pg_dump")), "--no-owner", f"--file={dump}"]
            subprocess.run([*tables, database_url(str(connection.settings_dict["NAME"]))], check=True)
            there = f"postgresql://{POSTGRES_USER}@/{DATABASE_NAME}?host={place.sockets}&port={POSTGRES_PORT}"
            psql = [str(postgres.binary("psql")), "--quiet", "--set=ON_ERROR_STOP=1", f"--file={dump}", there]
            subprocess.run(psql, check=True, stdout=subprocess.DEVNULL)
            yield place
        finally:
            own.stop(place)
            shutil.rmtree(place.sockets, ignore_errors=True)


def restart_at_once(place: Place) -> None:
    """What `pg_ctl stop -m immediate` does, and a start: the server goes without a word to anybody, and comes back."""
    pid = postgres.server_pid(place)
    assert pid is not None
    assert processes.end(pid, signals=(signal.SIGQUIT,), seconds=10)
    connection.close()
    time.sleep(1)
    own.ensure(place, database=True, broker=False)


def result(run: BillingRun) -> dict[str, Any]:
    """All that the run came to, without row ids of its own."""
    charges = "record_id", "rate_id", "quantity", "amount", "line__line_number"
    lines = "invoice__number", "line_number", "description", "quantity", "unit_price", "exact_amount", "amount"
    return {
        "accounts": list(
            run.accounts.order_by("customer").values_list(
                "customer", "outcome", "reason", "record_count", "exact_amount"
            )
        ),
        "invoices": list(Invoice.objects.order_by("number").values_list("number", "content_sha256", "total_amount")),
        "lines": list(InvoiceLine.objects.order_by("invoice__number", "line_number").values_list(*lines)),
        "charges": list(UsageDataRecord.objects.order_by("id").values_list(*(f"charge__{name}" for name in charges))),
        "pending": sorted(PendingUsage.objects.values_list("record_id", flat=True)),
    }


def must_be_whole(run: BillingRun) -> None:
    """One run, one invoice a customer, nothing lost, nothing twice: pending + charged = total, count and quantity."""
    assert list(BillingRun.objects.values_list("pk", flat=True)) == [run.pk]
    assert not Invoice.objects.values("customer").annotate(count=Count("id")).filter(count__gt=1).exists()
    with connection.cursor() as cursor:
        cursor.execute(WHERE_RECORDS_ARE)
        found = {place: (count, quantity) for place, count, quantity in cursor.fetchall()}
    total, charged, pending = (found.get(place, (0, 0)) for place in ("total", "charged", "pending"))
    assert (charged[0] + pending[0], charged[1] + pending[1]) == total
    assert charged[0] > 0


def must_end_alike(disturbed: dict[str, Any], undisturbed: dict[str, Any], *, invoices: int) -> None:
    """The same accounts, documents (by their hashes), lines, charges and pending usage; and there are some."""
    for kind, rows in undisturbed.items():
        assert disturbed[kind] == rows, f"other {kind} than in the undisturbed run"
    assert [number for number, _, _ in disturbed["invoices"]] == [f"INV-{n:06}" for n in range(1, invoices + 1)]


def beat(broker: str, *tasks: Any) -> None:
    """Do beat's part: ask for these tasks, or for the sweeper. While the broker is away nothing comes of it."""
    with suppress(OperationalError), Connection(broker, transport_options=NO_PATIENCE) as messages:
        for task in tasks or (sweep_runs,):
            current_app.send_task(task.name, connection=messages, retry=False)


def wait_until(is_so: Callable[[], bool], worker: Worker, broker: str, what: str, *tasks: Any) -> None:
    """Wait, with beat doing its part every second; nobody else lends a hand."""
    deadline, fired = time.monotonic() + LONGEST_SECONDS, time.monotonic()
    while not is_so():
        worker.must_live()
        words = f"{what} not within {LONGEST_SECONDS} s:\n{worker.log.read_text()[-3_000:]}"
        assert time.monotonic() < deadline, words
        if time.monotonic() - fired > 1:
            beat(broker, *tasks)
            fired = time.monotonic()
        time.sleep(0.005)


def produced_chunks() -> int:
    """How many chunks are produced."""
    return RunChunk.objects.filter(produced_at__isnull=False).count()


def is_completed() -> bool:
    """Whether the run is over."""
    return BillingRun.objects.filter(status="completed").exists()
