from datetime import UTC, date, datetime
from decimal import Decimal

import factory

from billing.choices import RunStatus
from billing.models import BillingCycle, BillingRun, CustomerBilling, InvoiceMessage, RunAccount, RunChunk
from tests.factories.customers import CustomerFactory
from tests.factories.rows import RowFactory


class BillingCycleFactory(RowFactory[BillingCycle]):
    name = factory.Sequence(lambda n: f"Cycle {n}")

    class Meta:
        model = BillingCycle


class InvoiceMessageFactory(RowFactory[InvoiceMessage]):
    name = factory.Sequence(lambda n: f"Message {n}")
    text = "Thank you."

    class Meta:
        model = InvoiceMessage


class CustomerBillingFactory(RowFactory[CustomerBilling]):
    customer = factory.SubFactory(CustomerFactory)
    billing_cycle = factory.SubFactory(BillingCycleFactory)

    class Meta:
        model = CustomerBilling


class BillingRunFactory(RowFactory[BillingRun]):
    """A pending run of January 2026; `commenced=True` and `completed=True` give one in that status."""

    class Params:
        commenced = factory.Trait(
            status=RunStatus.COMMENCED,
            commenced_at=datetime(2026, 2, 1, 9, 0, tzinfo=UTC),
            snapshot="10:20:10,15",
        )
        completed = factory.Trait(
            commenced=True,
            status=RunStatus.COMPLETED,
            completed_at=datetime(2026, 2, 1, 9, 30, tzinfo=UTC),
        )

    name = factory.Sequence(lambda n: f"January 2026 ({n})")
    invoice_date = date(2026, 2, 1)
    cutoff_date = date(2026, 2, 1)
    due_date = date(2026, 3, 3)

    class Meta:
        model = BillingRun


class RunChunkFactory(RowFactory[RunChunk]):
    run = factory.SubFactory(BillingRunFactory, commenced=True)
    number = factory.LazyAttribute(lambda chunk: chunk.run.chunks.count() + 1)

    class Meta:
        model = RunChunk


class RunAccountFactory(RowFactory[RunAccount]):
    """A customer that waits in a commenced run."""

    chunk = factory.SubFactory(RunChunkFactory)
    run = factory.SelfAttribute("chunk.run")
    customer = factory.SubFactory(CustomerFactory)
    accounts_receivable = factory.SelfAttribute("customer.accounts_receivable")
    currency = factory.SelfAttribute("customer.currency")
    minor_units = factory.SelfAttribute("currency.minor_units")
    timezone = factory.SelfAttribute("customer.timezone")
    tax_rate = factory.SelfAttribute("customer.tax_rate")
    minimum_amount = Decimal("0.01")
    period_start = date(2026, 1, 1)

    class Meta:
        model = RunAccount
