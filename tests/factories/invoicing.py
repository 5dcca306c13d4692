from datetime import UTC, date, datetime
from decimal import Decimal

import factory
from django.db import connection

from invoicing.choices import DeliveryChannel, LineKind
from invoicing.models import (
    Invoice,
    InvoiceDelivery,
    InvoiceLine,
    InvoiceTax,
    PriceCorrection,
    RecurringCharge,
    Transaction,
    UsageCharge,
)
from tests.factories.catalog import TaxRateFactory
from tests.factories.customers import CustomerFactory, SubscriptionFactory
from tests.factories.rows import RowFactory
from tests.factories.usage import UsageDataRecordFactory


class InvoiceFactory(RowFactory[Invoice]):
    """A draft of January 2026: 10.00 net, 2.00 tax, 12.00 in total, without lines."""

    customer = factory.SubFactory(CustomerFactory)
    accounts_receivable = factory.SelfAttribute("customer.accounts_receivable")
    currency = factory.SelfAttribute("customer.currency")
    customer_name = factory.SelfAttribute("customer.name")
    period_start = date(2026, 1, 1)
    period_end = date(2026, 2, 1)
    invoice_date = date(2026, 2, 1)
    due_date = date(2026, 3, 3)
    net_amount = Decimal("10.00")
    tax_amount = Decimal("2.00")
    total_amount = factory.LazyAttribute(lambda invoice: invoice.net_amount + invoice.tax_amount)

    class Meta:
        model = Invoice


class InvoiceLineFactory(RowFactory[InvoiceLine]):
    """A usage line: 1,000 units at 0.01."""

    invoice = factory.SubFactory(InvoiceFactory)
    line_number = factory.LazyAttribute(lambda line: line.invoice.lines.count() + 1)
    kind = LineKind.USAGE
    quantity = Decimal(1000)
    unit_price = Decimal("0.01")
    exact_amount = Decimal(10)
    amount = Decimal("10.00")
    tax_rate = factory.SubFactory(TaxRateFactory)

    class Meta:
        model = InvoiceLine


class InvoiceTaxFactory(RowFactory[InvoiceTax]):
    invoice = factory.SubFactory(InvoiceFactory)
    tax_rate = factory.SubFactory(TaxRateFactory)
    name = factory.SelfAttribute("tax_rate.name")
    percent = factory.SelfAttribute("tax_rate.percent")
    net_amount = factory.SelfAttribute("invoice.net_amount")
    tax_amount = factory.SelfAttribute("invoice.tax_amount")

    class Meta:
        model = InvoiceTax


class UsageChargeFactory(RowFactory[UsageCharge]):
    """The charge of a record of its own, of the same customer, on a line of a draft."""

    line = factory.SubFactory(InvoiceLineFactory)
    customer = factory.SelfAttribute("line.invoice.customer")
    record = factory.SubFactory(
        UsageDataRecordFactory, pending=False, subscription_service__customer=factory.SelfAttribute("...customer")
    )
    quantity = factory.SelfAttribute("record.usage_amount")
    amount = Decimal("0.60")

    class Meta:
        model = UsageCharge


class TransactionFactory(RowFactory[Transaction]):
    customer = factory.SubFactory(CustomerFactory)
    currency = factory.SelfAttribute("customer.currency")
    description = "Set-up"
    unit_price = Decimal("25.00")
    transaction_date = date(2026, 1, 10)

    class Meta:
        model = Transaction


class RecurringChargeFactory(RowFactory[RecurringCharge]):
    """10.00 a month, in advance, from 1 January 2026 on; `customer=` gives it to a subscription of that customer."""

    customer = factory.SubFactory(CustomerFactory)
    subscription = factory.SubFactory(SubscriptionFactory, customer=factory.SelfAttribute("..customer"))
    currency = factory.SelfAttribute("customer.currency")
    description = "Line rental"
    unit_price = Decimal("10.00")
    start_date = date(2026, 1, 1)

    class Meta:
        model = RecurringCharge


class PriceCorrectionFactory(RowFactory[PriceCorrection]):
    """A charge of 0.60 that comes to 0.50."""

    charge = factory.SubFactory(UsageChargeFactory)
    customer = factory.SelfAttribute("charge.customer")
    turn = 1
    rate = factory.SelfAttribute("charge.rate")
    billed_quantity = factory.SelfAttribute("charge.quantity")
    amount_before = factory.SelfAttribute("charge.amount")
    amount = Decimal("0.50")
    credit = factory.SubFactory(
        TransactionFactory, customer=factory.SelfAttribute("..customer"), kind="CORRECTION", unit_price=Decimal("-0.10")
    )

    class Meta:
        model = PriceCorrection


class InvoiceDeliveryFactory(RowFactory[InvoiceDelivery]):
    invoice = factory.SubFactory(InvoiceFactory)
    channel = DeliveryChannel.EMAIL
    recipient = "accounts@example.com"
    sent_at = datetime(2026, 2, 1, 10, 0, tzinfo=UTC)

    class Meta:
        model = InvoiceDelivery


def post(invoice: Invoice, *, at: datetime = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)) -> Invoice:
    """Post a draft with the next number of its series, by SQL alone, and read it again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH taken AS (
              UPDATE number_series SET next_number = next_number + 1 WHERE kind = %(kind)s
              RETURNING id, next_number - 1 AS number, prefix, digits
            )
            UPDATE invoice SET state = 'POSTED', posted_at = %(at)s, series_id = taken.id,
              sequence_number = taken.number, number = taken.prefix || lpad(taken.number::text, taken.digits, '0')
            FROM taken WHERE invoice.id = %(id)s
            """,
            {"kind": invoice.kind, "at": at, "id": invoice.id},
        )
    invoice.refresh_from_db()
    return invoice
