from datetime import UTC, datetime

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog.models import Product
from catalog.models.fields import CurrentTransactionId, TransactionIdField
from catalog.models.triggers import never_emptied, references_exist, touch_updated_at
from customers.models import Customer, SubscriptionAction, SubscriptionService
from usage.choices import BillingDirective, LifeCycleState, RatingType
from usage.models.imports import UsageImport
from usage.models.sources import SourceSystem, UsageType

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
REFERENCES = {
    "customer_id": "customer",
    "subscription_service_id": "subscription_service",
    "product_id": "product",
    "usage_type_id": "usage_type",
    "source_system_id": "source_system",
    "subscription_action_id": "subscription_action",
    "usage_import_id": "usage_import",
}


def list_indexes() -> list[models.Index]:
    """For each filter of the lists an index that gives its rows in the list's order, whatever is behind them.

    Of state and directive only what few records have is indexed: the rest is most of the table, in the order of ids.
    Times of creation follow the order of the table, which a BRIN index of a few pages is enough for; it gives no order,
    so no list is filtered by it.
    """
    rare = {
        "state": ("life_cycle_state", ~Q(life_cycle_state=LifeCycleState.POSTED)),
        "directive": ("billing_directive", ~Q(billing_directive=BillingDirective.TO_BE_BILLED)),
        "original": ("original", Q(original__isnull=False)),
    }
    return [
        models.Index(fields=["customer", "id"], name="usage_data_record_customer"),
        models.Index(fields=["subscription_service", "id"], name="usage_data_record_service"),
        models.Index(fields=["product", "id"], name="usage_data_record_product"),
        models.Index(fields=["usage_type", "id"], name="usage_data_record_type"),
        models.Index(fields=["source_system", "from_date", "id"], name="usage_data_record_source"),
        models.Index(fields=["from_date", "id"], name="usage_data_record_from"),
        models.Index(fields=["billing_effective_date", "id"], name="usage_data_record_effective"),
        models.Index(
            fields=["usage_import", "id"], condition=Q(usage_import__isnull=False), name="usage_data_record_import"
        ),
        BrinIndex(fields=["created_at"], name="usage_data_record_created", autosummarize=True, pages_per_range=16),
        *(
            models.Index(fields=[field, "id"], condition=condition, name=f"usage_data_record_{name}")
            for name, (field, condition) in rare.items()
        ),
        models.Index(fields=["id"], condition=Q(is_late=True), name="usage_data_record_late"),
    ]


class UsageDataRecord(models.Model):
    """One use of one service. Billing never updates it; its foreign keys are checked per statement, not per row.

    `customer` is the service's customer. `billing_effective_date` is the local date, in the customer's time zone, that
    cutoff rules look at. `total_amount` is there for records that bring their own amount, and only for those.
    `is_late` marks usage that came after the invoice that it belonged on. An adjusted record is cancelled and has a
    successor, whose `original` it is; only one of a record's successors is posted at a time (docs/adr/0012).
    """

    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, related_name="usage_data_records", db_constraint=False, db_index=False
    )
    subscription_service = models.ForeignKey(
        SubscriptionService,
        on_delete=models.DO_NOTHING,
        related_name="usage_data_records",
        db_constraint=False,
        db_index=False,
    )
    product = models.ForeignKey(
        Product, on_delete=models.DO_NOTHING, related_name="usage_data_records", db_constraint=False, db_index=False
    )
    usage_type = models.ForeignKey(
        UsageType, on_delete=models.DO_NOTHING, related_name="usage_data_records", db_constraint=False, db_index=False
    )
    source_system = models.ForeignKey(
        SourceSystem,
        on_delete=models.DO_NOTHING,
        related_name="usage_data_records",
        db_constraint=False,
        db_index=False,
    )
    subscription_action = models.ForeignKey(
        SubscriptionAction,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="usage_data_records",
        db_constraint=False,
        db_index=False,
    )
    usage_import = models.ForeignKey(
        UsageImport,
        on_delete=models.DO_NOTHING,
        null=True,
        editable=False,
        related_name="usage_data_records",
        db_constraint=False,
        db_index=False,
    )
    line_number = models.IntegerField(
        null=True, editable=False, help_text="Line of the import's file; 1 is the header."
    )
    number = models.CharField(max_length=220)
    original = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        editable=False,
        related_name="successors",
        db_constraint=False,
        db_index=False,
    )
    is_late = models.BooleanField(default=False, editable=False)
    life_cycle_state = models.CharField(max_length=10, choices=LifeCycleState, default=LifeCycleState.POSTED)
    billing_directive = models.CharField(max_length=20, choices=BillingDirective, default=BillingDirective.TO_BE_BILLED)
    billing_effective_date = models.DateField()
    from_date = models.DateTimeField()
    to_date = models.DateTimeField()
    usage_amount = models.DecimalField(max_digits=38, decimal_places=18)
    destination = models.CharField(max_length=100, blank=True, default="")
    region = models.CharField(max_length=100, blank=True, default="")
    rating_type = models.CharField(max_length=10, choices=RatingType, default=RatingType.POSTRATED)
    total_amount = models.DecimalField(max_digits=38, decimal_places=18, null=True, blank=True)
    udf_string_1 = models.TextField(null=True, blank=True)
    udf_string_2 = models.TextField(null=True, blank=True)
    udf_string_3 = models.TextField(null=True, blank=True)
    udf_string_4 = models.TextField(null=True, blank=True)
    udf_string_5 = models.TextField(null=True, blank=True)
    udf_string_6 = models.TextField(null=True, blank=True)
    udf_string_7 = models.TextField(null=True, blank=True)
    udf_string_8 = models.TextField(null=True, blank=True)
    udf_float_1 = models.DecimalField(max_digits=38, decimal_places=18, null=True, blank=True)
    udf_float_2 = models.DecimalField(max_digits=38, decimal_places=18, null=True, blank=True)
    udf_float_3 = models.DecimalField(max_digits=38, decimal_places=18, null=True, blank=True)
    udf_float_4 = models.DecimalField(max_digits=38, decimal_places=18, null=True, blank=True)
    udf_date_1 = models.DateField(null=True, blank=True)
    udf_date_2 = models.DateField(null=True, blank=True)
    udf_date_3 = models.DateField(null=True, blank=True)
    udf_date_4 = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    class Meta:
        db_table = "usage_data_record"
        ordering = ["id"]
        constraints = [
            # The number first: so no other index serves who looks for one, whatever the planner knows of the table.
            models.UniqueConstraint(
                fields=["number", "source_system"], name="usage_data_record_number_once_per_source"
            ),
            models.CheckConstraint(condition=Q(to_date__gte=F("from_date")), name="usage_data_record_ends_after_start"),
            # What Python's dates can hold, with room for every time zone.
            models.CheckConstraint(
                condition=Q(from_date__gte=EARLIEST, to_date__lt=LATEST), name="usage_data_record_times_in_range"
            ),
            models.CheckConstraint(
                condition=Q(life_cycle_state__in=LifeCycleState.values), name="usage_data_record_state_known"
            ),
            models.CheckConstraint(
                condition=Q(billing_directive__in=BillingDirective.values), name="usage_data_record_directive_known"
            ),
            models.CheckConstraint(
                condition=Q(rating_type=RatingType.POSTRATED, total_amount__isnull=True)
                | Q(rating_type=RatingType.PRERATED, total_amount__isnull=False),
                name="usage_data_record_prerated_has_its_total",
            ),
            models.UniqueConstraint(
                fields=["original"],
                condition=Q(life_cycle_state=LifeCycleState.POSTED, original__isnull=False),
                name="usage_data_record_one_successor_stands",
            ),
        ]
        indexes = list_indexes()
        triggers = [
            touch_updated_at(),
            never_emptied(),
            references_exist(on="insert", **REFERENCES),
            references_exist(on="update", **REFERENCES),
            pgtrigger.FSM(
                name="life_cycle",
                field="life_cycle_state",
                transitions=[("DRAFT", "POSTED"), ("DRAFT", "REJECTED"), ("POSTED", "CANCELLED")],
            ),
            pgtrigger.Trigger(
                name="posted_content_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__life_cycle_state="DRAFT"),
                func="""
                IF (to_jsonb(OLD) - MAY_CHANGE) IS DISTINCT FROM (to_jsonb(NEW) - MAY_CHANGE) THEN
                  RAISE EXCEPTION 'Record % is %: what it says does not change.', OLD.number, OLD.life_cycle_state
                    USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
                """.replace(
                    "MAY_CHANGE", "ARRAY['life_cycle_state', 'billing_directive', 'updated_at', 'updated_by_id']"
                ),
            ),
            pgtrigger.Trigger(
                name="leaves_the_inbox_first",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("life_cycle_state", "billing_directive"),
                condition=~pgtrigger.Q(new__life_cycle_state="POSTED")
                | pgtrigger.Q(new__billing_directive="NOT_TO_BE_BILLED"),
                func="""
                IF EXISTS (SELECT FROM pending_usage p WHERE p.record_id = NEW.id) THEN
                  RAISE EXCEPTION 'Record % is pending: it leaves the inbox of billing first.', NEW.number
                    USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="keep_what_was_posted",
                operation=pgtrigger.Delete,
                condition=~pgtrigger.Q(old__life_cycle_state="DRAFT"),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class PendingUsage(models.Model):
    """The inbox of billing: one row for each posted, billable record that no invoice has yet.

    Narrow on purpose: a run reads and deletes these rows, so that it costs what is new and not what history holds.
    `posted_in` is the transaction that wrote the row; a run takes the rows that its snapshot saw when it was commenced.
    """

    record = models.OneToOneField(
        UsageDataRecord,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        related_name="pending_usage",
        db_constraint=False,
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, related_name="pending_usage", db_constraint=False, db_index=False
    )
    billing_effective_date = models.DateField()
    posted_in = TransactionIdField(db_default=CurrentTransactionId(), editable=False)

    class Meta:
        db_table = "pending_usage"
        ordering = ["customer", "billing_effective_date", "record"]
        verbose_name_plural = "pending usage"
        indexes = [models.Index(fields=["customer", "billing_effective_date"], name="pending_usage_inbox")]
        triggers = [never_emptied()]

    def __str__(self) -> str:
        return f"record {self.record_id}"
