from datetime import UTC, datetime, timedelta
from decimal import Decimal

import factory

from tests.factories.catalog import ProductFactory
from tests.factories.customers import SubscriptionServiceFactory
from tests.factories.rows import RowFactory
from usage.choices import BillingDirective, ImportState, LifeCycleState, QuarantineReason, RecordChangeKind
from usage.models import (
    PendingUsage,
    QuarantinedLine,
    SourceSystem,
    UsageConflict,
    UsageDataRecord,
    UsageDataRecordChange,
    UsageImport,
    UsageImportBlock,
    UsageType,
)


class UsageTypeFactory(RowFactory[UsageType]):
    name = "Call"
    unit = "second"

    class Meta:
        model = UsageType
        django_get_or_create = ("name",)


class SourceSystemFactory(RowFactory[SourceSystem]):
    name = "Switch"
    default_usage_type = factory.SubFactory(UsageTypeFactory)

    class Meta:
        model = SourceSystem
        django_get_or_create = ("name",)


class UsageImportFactory(RowFactory[UsageImport]):
    """A completed import of nothing, on 1 February 2026."""

    source_system = factory.SubFactory(SourceSystemFactory)
    file_name = "calls.csv"
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    state = ImportState.COMPLETED
    started_at = datetime(2026, 2, 1, 3, 0, tzinfo=UTC)
    finished_at = factory.LazyAttribute(lambda made: made.started_at + timedelta(seconds=1))

    class Meta:
        model = UsageImport


class QuarantinedLineFactory(RowFactory[QuarantinedLine]):
    usage_import = factory.SubFactory(UsageImportFactory, received_count=1, quarantined_count=1)
    line_number = factory.Sequence(lambda n: n + 2)
    reason = QuarantineReason.BAD_NUMBER
    field = "usage_amount"
    detail = "usage_amount “twelve” is not a number."
    raw_text = "1,twelve"

    class Meta:
        model = QuarantinedLine


class UsageDataRecordFactory(RowFactory[UsageDataRecord]):
    """A posted, billable record of 60 seconds on 15 January 2026, with its row of pending usage.

    Give it a `subscription_service` to say whose it is. `pending=False` leaves it out of the inbox.
    """

    subscription_service = factory.SubFactory(SubscriptionServiceFactory)
    customer = factory.SelfAttribute("subscription_service.customer")
    product = factory.SubFactory(ProductFactory)
    usage_type = factory.SubFactory(UsageTypeFactory)
    source_system = factory.SubFactory(SourceSystemFactory)
    number = factory.Sequence(lambda n: f"R{n:06}")
    from_date = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
    to_date = factory.LazyAttribute(lambda record: record.from_date + timedelta(seconds=60))
    billing_effective_date = factory.LazyAttribute(lambda record: record.from_date.date())
    usage_amount = Decimal(60)

    class Meta:
        model = UsageDataRecord
        skip_postgeneration_save = True

    @factory.post_generation
    def pending(self: UsageDataRecord, create: bool, extracted: bool | None) -> None:  # noqa: FBT001  factory_boy calls it so
        billable = (
            self.life_cycle_state == LifeCycleState.POSTED
            and self.billing_directive != BillingDirective.NOT_TO_BE_BILLED
        )
        if billable if extracted is None else extracted:
            PendingUsageFactory(record=self)


class PendingUsageFactory(RowFactory[PendingUsage]):
    record = factory.SubFactory(UsageDataRecordFactory, pending=False)
    customer = factory.SelfAttribute("record.customer")
    billing_effective_date = factory.SelfAttribute("record.billing_effective_date")

    class Meta:
        model = PendingUsage


class UsageConflictFactory(RowFactory[UsageConflict]):
    usage_import = factory.SubFactory(UsageImportFactory, received_count=1, conflict_count=1)
    record = factory.SubFactory(UsageDataRecordFactory)
    line_number = factory.Sequence(lambda n: n + 2)
    differences = {"usage_amount": ["60", "61"]}
    raw_text = "R000001,61"

    class Meta:
        model = UsageConflict


class UsageDataRecordChangeFactory(RowFactory[UsageDataRecordChange]):
    """That a draft was posted, on 5 February 2026."""

    record = factory.SubFactory(UsageDataRecordFactory)
    kind = RecordChangeKind.POSTED
    at = datetime(2026, 2, 5, 10, 0, tzinfo=UTC)

    class Meta:
        model = UsageDataRecordChange


class UsageImportBlockFactory(RowFactory[UsageImportBlock]):
    usage_import = factory.SubFactory(UsageImportFactory, state=ImportState.QUEUED, finished_at=None)
    number = factory.LazyAttribute(lambda block: block.usage_import.blocks.count() + 1)
    data = b""

    class Meta:
        model = UsageImportBlock
