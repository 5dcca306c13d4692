"""Rating a month again reads that month, not the history around it."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from billing.operations.price_corrections import draft_corrections
from billing.operations.price_differences import price_differences
from billing.operations.what_if import what_if
from catalog.models import Product, RateCard
from customers.models import Customer
from invoicing.models import UsageCharge
from tests.billing.taken import THEN
from tests.factories import CurrencyFactory, RateCardFactory, RateFactory
from tests.many_records import add_company, add_records
from tests.runs import bill, post

pytestmark = pytest.mark.django_db(transaction=True)

RECORDS, CUSTOMERS = 24_000, 40
# A year of usage: a thirtieth of it or so is in twelve days.
PERIOD: dict[str, Any] = {"from_day": date(2025, 6, 1), "until_day": date(2025, 6, 13)}
GROWING = ("usage_data_record", "usage_charge", "transaction", "invoice_line", "price_correction")


def rows_scanned() -> dict[str, int]:
    """How many rows of the tables that grow with history this session has read by scans of the whole table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = ANY (%s)", [list(GROWING)]
        )
        return dict(cursor.fetchall())


@pytest.fixture
def card() -> RateCard:
    """A year of usage on posted invoices, by a card that is everybody's."""
    add_company(customers=CUSTOMERS)
    card: RateCard = RateCardFactory(currency=CurrencyFactory(code="EUR"), is_default=True)
    for product in Product.objects.all():
        RateFactory(rate_card=card, product=product, unit_price=Decimal("0.01"))
    add_records(RECORDS, customers=CUSTOMERS)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO pending_usage (record_id, customer_id, billing_effective_date)"
            " SELECT id, customer_id, billing_effective_date FROM usage_data_record WHERE life_cycle_state = 'POSTED'"
        )
        cursor.execute("ANALYZE")
    post(bill(cutoff_date=date(2026, 1, 1)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert UsageCharge.objects.count() > RECORDS - 100
    return card


def test_only_the_month_is_read(card: RateCard) -> None:
    dearer = RateCardFactory(currency=card.currency)
    for product in Product.objects.all():
        RateFactory(rate_card=dearer, product=product, unit_price=Decimal("0.02"))
    one = Customer.objects.get(account_number="A7").pk
    with transaction.atomic():
        before = rows_scanned()
        asked = what_if(**PERIOD, card_id=dearer.pk)
        assert what_if(**PERIOD, card_id=dearer.pk, customer_ids=[one]).customer_count == 1
        assert price_differences(**PERIOD).record_count == 0
        assert draft_corrections(**PERIOD, customer_ids=[one], at=THEN).record_count == 0
        assert rows_scanned() == before
    # 12 of 365 days, and each 60 units at 0.01: twice as much then.
    assert (
        asked.record_count
        == UsageCharge.objects.filter(record__from_date__gte="2025-06-01T00:00Z")
        .filter(record__from_date__lt="2025-06-13T00:00Z")
        .count()
    )
    assert (asked.now, asked.then) == (asked.record_count * Decimal("0.6"), asked.record_count * Decimal("1.2"))
