from datetime import UTC, date, datetime
from decimal import Decimal

import factory
from django.db import connection

from invoicing.choices import DeliveryChannel, LineKind
from invoicing.models import (
    AccountCredit,
    Coupon,
    CreditUse,
    CustomerInvoicing,
    Invoice,
    InvoiceDelivery,
    InvoiceLine,
    InvoiceTax,
    LegalEntity,
    NumberSeries,
    PriceCorrection,
    RecurringCharge,
    RenderedInvoice,
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
    """An e-mail that was sent, or as a trait says: waiting, sending, refused, bounced, uncertain, letter."""

    invoice = factory.SubFactory(InvoiceFactory)
    channel = DeliveryChannel.EMAIL
    recipient = "accounts@example.com"
    sent_at = datetime(2026, 2, 1, 10, 0, tzinfo=UTC)

    class Meta:
        model = InvoiceDelivery

    class Params:
        waiting = factory.Trait(state="WAITING", sent_at=None)
        sending = factory.Trait(
            state="SENDING",
            sent_at=None,
            claimed_at=datetime(2026, 2, 1, 10, 0, tzinfo=UTC),
            attempt_count=1,
            message_id=factory.Sequence(lambda n: f"<sending-{n}@example.com>"),
        )
        refused = factory.Trait(state="REFUSED", sent_at=None, attempt_count=1, error="550 No such user")
        bounced = factory.Trait(
            state="BOUNCED",
            attempt_count=1,
            error="accounts@example.com: 5.1.1 550 No such user",
            message_id=factory.Sequence(lambda n: f"<bounced-{n}@example.com>"),
        )
        uncertain = factory.Trait(
            state="UNCERTAIN",
            sent_at=None,
            claimed_at=datetime(2026, 2, 1, 10, 0, tzinfo=UTC),
            attempt_count=1,
            message_id=factory.Sequence(lambda n: f"<uncertain-{n}@example.com>"),
            error="The worker ended before it noted what the mail server said.",
        )
        letter = factory.Trait(channel="LETTER", state="WAITING", sent_at=None, recipient="Acme Ltd")


class RenderedInvoiceFactory(RowFactory[RenderedInvoice]):
    """A PDF of a posted document that waits to be made."""

    invoice = factory.LazyFunction(lambda: post(InvoiceFactory()))

    class Meta:
        model = RenderedInvoice


class LegalEntityFactory(RowFactory[LegalEntity]):
    """A company that issues documents, with a series for each kind: INV-C1-000001 and CN-C1-000001, say."""

    code = factory.Sequence(lambda n: f"C{n}")
    name = factory.LazyAttribute(lambda entity: f"Company {entity.code}")
    country = "DE"

    class Meta:
        model = LegalEntity
        skip_postgeneration_save = True

    @factory.post_generation
    def series(self: LegalEntity, create: bool, extracted: bool | None) -> None:  # noqa: FBT001  factory_boy calls it so
        if create and extracted is None:
            for kind, prefix in (("INVOICE", "INV"), ("CREDIT_NOTE", "CN")):
                NumberSeries.objects.create(legal_entity=self, kind=kind, prefix=f"{prefix}-{self.code}-")


class CustomerInvoicingFactory(RowFactory[CustomerInvoicing]):
    customer = factory.SubFactory(CustomerFactory)

    class Meta:
        model = CustomerInvoicing


class CouponFactory(RowFactory[Coupon]):
    """10 %, from 1 January 2026 on."""

    code = factory.Sequence(lambda n: f"COUPON{n}")
    description = "10 % off"
    percent = factory.LazyAttribute(lambda coupon: None if coupon.amount else Decimal(10))
    amount = None
    start_date = date(2026, 1, 1)

    class Meta:
        model = Coupon


class AccountCreditFactory(RowFactory[AccountCredit]):
    """50.00 in the customer's currency, or a percent, from 1 January 2026 on."""

    customer = factory.SubFactory(CustomerFactory)
    code = factory.Sequence(lambda n: f"CREDIT{n}")
    description = "Sorry for the outage"
    percent = None
    amount = factory.LazyAttribute(lambda credit: Decimal(50) if credit.percent is None else None)
    currency = factory.LazyAttribute(lambda credit: credit.customer.currency if credit.percent is None else None)
    start_date = date(2026, 1, 1)

    class Meta:
        model = AccountCredit


class CreditUseFactory(RowFactory[CreditUse]):
    """4.00 of a credit, on a line of a draft."""

    credit = factory.SubFactory(AccountCreditFactory)
    amount = Decimal(4)
    line = factory.SubFactory(
        InvoiceLineFactory,
        invoice__customer=factory.SelfAttribute("...credit.customer"),
        kind=LineKind.CREDIT,
        quantity=Decimal(1),
        unit_price=factory.SelfAttribute("exact_amount"),
        exact_amount=factory.LazyAttribute(lambda line: -line.factory_parent.amount),
        amount=factory.LazyAttribute(lambda line: -line.factory_parent.amount),
        coupon_code=factory.SelfAttribute("..credit.code"),
    )

    class Meta:
        model = CreditUse


def post(invoice: Invoice, *, at: datetime = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)) -> Invoice:
    """Post a draft with the next number of its series, by SQL alone, and read it again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH taken AS (
              UPDATE number_series SET next_number = next_number + 1
              WHERE kind = %(kind)s AND legal_entity_id IS NOT DISTINCT FROM %(legal_entity_id)s
              RETURNING id, next_number - 1 AS number, prefix, digits
            )
            UPDATE invoice SET state = 'POSTED', posted_at = %(at)s, series_id = taken.id,
              sequence_number = taken.number, number = taken.prefix || lpad(taken.number::text, taken.digits, '0')
            FROM taken WHERE invoice.id = %(id)s
            """,
            {"kind": invoice.kind, "legal_entity_id": invoice.legal_entity_id, "at": at, "id": invoice.id},
        )
    invoice.refresh_from_db()
    return invoice
