from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from invoicing.models import NumberSeries, UsageCharge
from tests.factories import (
    InvoiceDeliveryFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    InvoiceTaxFactory,
    ProductFactory,
    RateFactory,
    TaxRateFactory,
    TransactionFactory,
    UsageChargeFactory,
    UsageDataRecordFactory,
    post,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("constraint", "make"),
    [
        ("invoice_period_not_empty", lambda: InvoiceFactory(period_end=date(2026, 1, 1))),
        ("invoice_total_is_net_plus_tax", lambda: InvoiceFactory(total_amount=Decimal("12.01"))),
        ("invoice_kind_follows_its_sign", lambda: InvoiceFactory(net_amount=Decimal("-2.01"))),
        ("invoice_kind_follows_its_sign", lambda: InvoiceFactory(kind="CREDIT_NOTE")),
        ("invoice_kind_follows_its_sign", lambda: InvoiceFactory(kind="RECEIPT")),
        ("invoice_has_a_number_once_posted", lambda: InvoiceFactory(state="POSTED")),
        ("invoice_has_a_number_once_posted", lambda: InvoiceFactory(number="INV-1")),
        ("invoice_has_a_number_once_posted", lambda: InvoiceFactory(state="LOST")),
        ("invoice_line_kind_known", lambda: InvoiceLineFactory(kind="GIFT")),
        ("invoice_delivery_channel_known", lambda: InvoiceDeliveryFactory(channel="PIGEON")),
        ("transaction_kind_known", lambda: TransactionFactory(kind="GIFT")),
        ("transaction_reversal_has_its_charge", lambda: TransactionFactory(kind="REVERSAL")),
        ("usage_charge_counted_in_full", lambda: UsageChargeFactory(counted_month=date(2026, 1, 1), counted_id=0)),
        ("number_series_next_positive", lambda: NumberSeries.objects.update(next_number=0)),
        ("number_series_digits_range", lambda: NumberSeries.objects.update(digits=0)),
        ("number_series_digits_range", lambda: NumberSeries.objects.update(digits=19)),
        ("number_series_kind_known", lambda: NumberSeries.objects.create(kind="RECEIPT")),
    ],
)
def test_the_database_refuses_impossible_values(constraint: str, make: Callable[[], object]) -> None:
    with refused(by=constraint):
        make()


@pytest.mark.parametrize(
    ("constraint", "make", "same"),
    [
        ("invoice_line_number_once", InvoiceLineFactory, ["invoice", "line_number"]),
        ("invoice_tax_once_per_rate", InvoiceTaxFactory, ["invoice", "tax_rate"]),
        ("usage_charge_record", UsageChargeFactory, ["record"]),
    ],
)
def test_what_is_there_once(constraint: str, make: Callable[..., object], same: list[str]) -> None:
    first = make()
    with refused(by=constraint):
        make(**{name: getattr(first, name) for name in same})


def test_an_invoice_line_has_one_transaction() -> None:
    line = InvoiceLineFactory(kind="ONE_OFF", exact_amount=Decimal(25))
    fee = {"customer": line.invoice.customer, "kind": "ONE_OFF", "invoice_line": line}
    TransactionFactory(**fee)
    with refused(by="transaction_invoice_line"):
        TransactionFactory(**fee)


@pytest.mark.parametrize("unfit", [{"customer": None}, {"kind": "MANUAL"}, {"unit_price": Decimal("24.99")}])
def test_a_transaction_fits_its_line(unfit: dict[str, object]) -> None:
    line = InvoiceLineFactory(kind="ONE_OFF", exact_amount=Decimal(25))
    fee = {"customer": line.invoice.customer, "kind": "ONE_OFF", "invoice_line": line} | unfit
    if "customer" in unfit:
        del fee["customer"]
    with refused(by="The transaction does not fit the line"):
        TransactionFactory(**fee)


@pytest.mark.parametrize(
    "change",
    [
        "unit_price = 999",
        "description = 'other'",
        "invoice_line_id = NULL, unit_price = 26",
        "invoice_line_id = NULL, description = 'other'",
        "invoice_line_id = NULL, created_in = '1'",
    ],
)
def test_a_transaction_on_a_draft_stays_as_it_is(change: str) -> None:
    line = InvoiceLineFactory(kind="ONE_OFF", exact_amount=Decimal(25))
    TransactionFactory(customer=line.invoice.customer, kind="ONE_OFF", invoice_line=line)
    with refused(by="The transaction is on a draft invoice"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE transaction SET {change}")


@pytest.mark.parametrize("number", [1, 2, 4, 500])
def test_a_series_goes_on_from_its_last_number(number: int) -> None:
    post(InvoiceFactory())
    post(InvoiceFactory())
    with refused(by="The series has given number 2: the next one is 3"), connection.cursor() as cursor:
        cursor.execute("UPDATE number_series SET next_number = %s WHERE kind = 'INVOICE'", [number])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    NumberSeries.objects.filter(kind="CREDIT_NOTE").update(next_number=1_000)


def test_a_number_is_there_once_in_its_series() -> None:
    posted = post(InvoiceFactory())
    with refused(by="invoice_number_once_in_series"):
        InvoiceFactory(
            state="POSTED",
            series=posted.series,
            sequence_number=posted.sequence_number,
            number="another",
            posted_at=posted.posted_at,
        )
    with refused(by="invoice_number"):
        InvoiceFactory(
            state="POSTED", series=posted.series, sequence_number=99, number=posted.number, posted_at=posted.posted_at
        )


@pytest.mark.parametrize("missing", ["number", "series", "sequence_number", "posted_at"])
def test_a_posted_invoice_lacks_nothing_that_posting_gives(missing: str) -> None:
    posted = post(InvoiceFactory())
    given = {"number": "INV-9", "series": posted.series, "sequence_number": 9, "posted_at": posted.posted_at}
    with refused(by="invoice_has_a_number_once_posted"):
        InvoiceFactory(state="POSTED", **{**given, missing: None})


def test_the_line_of_a_charge_exists() -> None:
    record = UsageDataRecordFactory(pending=False)
    with refused(by=f"The charge of record {record.pk} does not fit its line"):
        UsageCharge.objects.create(
            customer=record.customer, record=record, line_id=999_999_999, quantity=Decimal(1), amount=Decimal(1)
        )


def test_a_charge_has_the_customer_and_the_rate_of_its_line() -> None:
    line, other = InvoiceLineFactory(line_number=1, tax_rate=TaxRateFactory(), rate=RateFactory()), RateFactory()
    stranger = UsageDataRecordFactory(pending=False)
    own = UsageDataRecordFactory(pending=False, customer=line.invoice.customer)
    for record, rate in ((stranger, line.rate), (own, other), (own, None)):
        with refused(by=f"The charge of record {record.pk} does not fit its line"):
            UsageCharge.objects.create(
                customer=record.customer, record=record, line=line, rate=rate, quantity=Decimal(1), amount=Decimal(1)
            )


@pytest.mark.parametrize("column", ["invoice_id", "product_id", "rate_id", "tax_rate_id"])
def test_what_a_line_refers_to_exists(column: str) -> None:
    with refused(by=f"{column} 999999999 of invoice_line does not exist"):
        InvoiceLineFactory(line_number=1, tax_rate=TaxRateFactory(), **{column: 999_999_999})


@pytest.mark.parametrize("used", ["product", "rate", "tax_rate", "invoice"])
def test_what_lines_refer_to_is_not_deleted(used: str) -> None:
    line = InvoiceLineFactory(product=ProductFactory(), rate=RateFactory())
    with refused(by=f"{used} .* is used by invoice_line"), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {used} WHERE id = %s", [getattr(line, f"{used}_id")])


def test_the_amount_of_a_transaction_is_quantity_times_price() -> None:
    transaction = TransactionFactory(quantity=Decimal(3), unit_price=Decimal("1.25"))
    transaction.refresh_from_db()
    assert transaction.amount == Decimal("3.75")


def test_a_transaction_is_in_the_currency_of_its_customer() -> None:
    with refused(by="transaction"):
        TransactionFactory(currency_id="EUR")


def test_a_delivered_or_posted_invoice_says_its_number() -> None:
    draft = InvoiceFactory()
    assert str(draft) == f"draft {draft.id}"
    assert str(post(draft)) == "INV-000001"
