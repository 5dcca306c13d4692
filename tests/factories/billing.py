from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import factory

from billing.choices import GapKind, RunStatus, ScheduleMailKind
from billing.models import (
    BillingCycle,
    BillingRun,
    CompletenessDay,
    CustomerBilling,
    InvoiceMessage,
    RateCardCheck,
    RunAccount,
    RunChunk,
    RunSchedule,
    RunVerification,
    ScheduleMail,
    UsageGap,
)
from tests.factories.catalog import RateCardFactory
from tests.factories.customers import CustomerFactory
from tests.factories.rows import RowFactory
from tests.factories.usage import SourceSystemFactory


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


class CompletenessDayFactory(RowFactory[CompletenessDay]):
    """One record of 60 seconds that came on 1 February 2026, and is pending; a source system of its own."""

    source_system = factory.SubFactory(SourceSystemFactory, name=factory.Sequence(lambda n: f"Source {n}"))
    day = date(2026, 2, 1)
    received_count = 1
    accepted_count = 1
    duplicate_count = 0
    conflict_count = 0
    quarantined_count = 0
    conflict_row_count = 0
    quarantined_line_count = 0
    record_count = 1
    record_quantity = Decimal(60)
    pending_count = 1
    pending_quantity = Decimal(60)
    charged_count = 0
    charged_quantity = Decimal(0)
    not_billed_count = 0
    draft_count = 0
    rejected_count = 0
    cancelled_count = 0
    excluded_quantity = Decimal(0)
    misplaced_count = 0
    balances = True
    checked_at = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)

    class Meta:
        model = CompletenessDay


class UsageGapFactory(RowFactory[UsageGap]):
    """The numbers R2 and R3 are missing."""

    source_system = factory.SubFactory(SourceSystemFactory)
    kind = GapKind.NUMBERS
    first_number = "R2"
    last_number = "R3"
    missing_count = 2
    found_at = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)

    class Meta:
        model = UsageGap


class RunScheduleFactory(RowFactory[RunSchedule]):
    """Monthly runs, the first of January 2026, created only."""

    name = factory.Sequence(lambda n: f"Monthly {n}")
    first_cutoff_date = date(2026, 2, 1)

    class Meta:
        model = RunSchedule


class RateCardCheckFactory(RowFactory[RateCardCheck]):
    """A card in which nothing looks wrong."""

    rate_card = factory.SubFactory(RateCardFactory)
    checked_at = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)
    checked_on = date(2026, 2, 1)

    class Meta:
        model = RateCardCheck


class RunVerificationFactory(RowFactory[RunVerification]):
    """A completed run of which all 2 invoices are identical."""

    run = factory.SubFactory(BillingRunFactory, completed=True)
    asked_at = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
    finished_at = datetime(2026, 2, 3, 9, 1, tzinfo=UTC)
    invoice_count = 2
    identical_count = 2

    class Meta:
        model = RunVerification


class ScheduleMailFactory(RowFactory[ScheduleMail]):
    schedule = factory.SubFactory(RunScheduleFactory)
    day = factory.Sequence(lambda n: date(2026, 2, 1) + timedelta(days=n))
    kind = ScheduleMailKind.ERROR
    subject = "Monthly failed"
    text = "The schedule Monthly could not make its run."

    class Meta:
        model = ScheduleMail
