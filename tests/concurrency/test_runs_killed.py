"""Workers killed in the middle of a run: started again, they end in the same invoices as if nothing had happened."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import current_app
from django.db import connection
from kombu import Connection

from billing.models import BillingRun, RunChunk
from billing.operations.runs import approve_run, commence_run
from billing.tasks import sweep_runs
from catalog.models import RateCard
from config.env import client_url
from customers.models import Customer, Subscription, SubscriptionService
from invoicing.models import Invoice
from tests.concurrency.conftest import StartBroker
from tests.concurrency.worker import Worker
from tests.factories import (
    CurrencyFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    SourceSystemFactory,
    TaxRateFactory,
    UsageTypeFactory,
)
from tests.runs import AT, new_run, produce
from usage.models import PendingUsage, UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMERS = 300
RECORDS = 30_000
LONGEST_SECONDS = 60
# Of about 120 chunks, the worker is killed when so many are produced.
KILLED_AT = (8, 30)
FLUSHED_AT = 50
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


def make_company() -> None:
    """300 customers with 30,000 records of three products; of one customer in a hundred nothing is priced."""
    tax, currency = TaxRateFactory(percent=Decimal(19)), CurrencyFactory()
    card: RateCard = RateCardFactory(is_default=True, currency=currency)
    products = [ProductFactory() for _ in range(3)]
    for n, product in enumerate(products):
        RateFactory(rate_card=card, product=product, unit_price=Decimal(f"0.00{n + 3}7"), unit_size=Decimal(7))
    RateFactory(rate_card=card, product=products[0], region="EU", unit_price=Decimal("0.0123"))
    customers = Customer.objects.bulk_create(
        Customer(
            account_number=f"A{n:04}", name=f"Customer {n}", currency=currency, tax_rate=None if n % 100 == 7 else tax
        )
        for n in range(CUSTOMERS)
    )
    subscriptions = Subscription.objects.bulk_create(
        Subscription(customer=customer, number=customer.account_number, start_date=date(2020, 1, 1))
        for customer in customers
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
        "records": RECORDS,
        "customers": CUSTOMERS,
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
def on_database(name: str) -> Iterator[None]:
    """Let this process work on that database for a while."""
    original = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = original


def result(run: BillingRun) -> dict[str, Any]:
    """All that the run came to, without row ids of its own."""
    charges = "record_id", "rate_id", "quantity", "amount", "line__line_number"
    return {
        "accounts": list(
            run.accounts.order_by("customer").values_list(
                "customer", "outcome", "reason", "record_count", "exact_amount"
            )
        ),
        "invoices": list(Invoice.objects.order_by("number").values_list("number", "content_sha256", "total_amount")),
        "charges": list(UsageDataRecord.objects.order_by("id").values_list(*(f"charge__{name}" for name in charges))),
        "pending": sorted(PendingUsage.objects.values_list("record_id", flat=True)),
    }


def sweep(broker: str) -> None:
    """Do beat's part: have the sweeper come round."""
    with Connection(broker) as messages:
        current_app.send_task(sweep_runs.name, connection=messages)


def wait_until(is_so: Callable[[], bool], worker: Worker, broker: str, what: str) -> None:
    """Wait, with the sweeper coming round every second."""
    deadline, swept = time.monotonic() + LONGEST_SECONDS, time.monotonic()
    while not is_so():
        worker.must_live()
        words = f"{what} not within {LONGEST_SECONDS} s:\n{worker.log.read_text()[-3_000:]}"
        assert time.monotonic() < deadline, words
        if time.monotonic() - swept > 1:
            sweep(broker)
            swept = time.monotonic()
        time.sleep(0.005)


def produced_chunks() -> int:
    return RunChunk.objects.filter(produced_at__isnull=False).count()


def is_completed() -> bool:
    return BillingRun.objects.filter(status="completed").exists()


def test_killed_workers_end_in_the_same_invoices(settings: Any, start_broker: StartBroker, tmp_path: Path) -> None:
    settings.BILLING_CHUNK_RECORDS = 250
    make_company()
    run = commence_run(run_id=new_run().pk, at=AT)
    chunk_count = run.chunks.count()
    broker = start_broker()
    with copy_of_the_database() as name:
        undisturbed = result(approve_run(run_id=produce(run).pk, at=AT))
        with on_database(name):
            for killed_at in KILLED_AT:
                with Worker(database=name, broker=broker, log=tmp_path / "worker.log") as worker:
                    sweep(broker)
                    wait_until(lambda at=killed_at: produced_chunks() >= at, worker, broker, f"{killed_at} chunks")  # type: ignore[misc]
                    worker.kill()
                assert produced_chunks() < chunk_count, "the worker was done before it could be killed"
                assert not is_completed()
            with Worker(database=name, broker=broker, log=tmp_path / "worker.log") as worker:
                sweep(broker)
                wait_until(lambda: produced_chunks() >= FLUSHED_AT, worker, broker, f"{FLUSHED_AT} chunks")
                redis.from_url(client_url(broker)).flushall()
                wait_until(is_completed, worker, broker, "the run's end")
            disturbed = result(approve_run(run_id=run.pk, at=AT))
    assert disturbed == undisturbed
    # And the comparison was of something: 97 of 100 customers are billed, each record is charged once or waits.
    assert [number for number, _, _ in disturbed["invoices"]] == [f"INV-{n:06}" for n in range(1, 298)]
    charged = sum(record_id is not None for record_id, *_ in disturbed["charges"])
    assert (charged, len(disturbed["pending"])) == (29_700, 300)
