from django.db import models
from django.db.models import Q

from billing.choices import GapKind
from usage.models import SourceSystem


class CompletenessDay(models.Model):
    """What one source system sent on one day (UTC, when it was received), and where it was when it was last counted.

    received = accepted + duplicates + conflicts + quarantined, and accepted = pending + charged + excluded, by count
    and by quantity in the unit of the usage types. `misplaced_count` records are in none of the three or in two; the
    first of them are in `misplaced`, each with its id, its number and a fault of `billing.engine.completeness`.
    """

    source_system = models.ForeignKey(SourceSystem, on_delete=models.CASCADE, related_name="completeness_days")
    day = models.DateField()
    received_count = models.BigIntegerField("received")
    accepted_count = models.BigIntegerField(
        "accepted", help_text="As its imports said, and records that came one by one."
    )
    duplicate_count = models.BigIntegerField("duplicates")
    conflict_count = models.BigIntegerField("conflicts", help_text="As its imports said.")
    quarantined_count = models.BigIntegerField("quarantined", help_text="As its imports said.")
    conflict_row_count = models.BigIntegerField("conflicts kept", help_text="As found in the table of conflicts.")
    quarantined_line_count = models.BigIntegerField(
        "quarantined lines kept", help_text="As found in the table of quarantined lines, without those that went in."
    )
    record_count = models.BigIntegerField("records", help_text="As found in the table of records.")
    record_quantity = models.DecimalField("quantity", max_digits=50, decimal_places=18)
    pending_count = models.BigIntegerField("pending")
    pending_quantity = models.DecimalField(max_digits=50, decimal_places=18)
    charged_count = models.BigIntegerField("charged")
    charged_quantity = models.DecimalField(max_digits=50, decimal_places=18, help_text="As the charges say.")
    not_billed_count = models.BigIntegerField("not to be billed")
    draft_count = models.BigIntegerField("draft")
    rejected_count = models.BigIntegerField("rejected")
    cancelled_count = models.BigIntegerField("cancelled")
    excluded_quantity = models.DecimalField(max_digits=50, decimal_places=18)
    misplaced_count = models.BigIntegerField("misplaced")
    misplaced = models.JSONField("misplaced records", default=list)
    balances = models.BooleanField()
    checked_at = models.DateTimeField()

    class Meta:
        db_table = "completeness_day"
        ordering = ["-day", "source_system"]
        verbose_name = "day's completeness"
        verbose_name_plural = "completeness"
        constraints = [
            models.UniqueConstraint(fields=["day", "source_system"], name="completeness_day_once_per_source"),
        ]

    def __str__(self) -> str:
        return f"{self.source_system_id} on {self.day}"


class UsageGap(models.Model):
    """Usage of a source system that seems not to have come, as found when it was last looked for.

    Numbers from `first_number` to `last_number` that no record has, `quarantined_count` of which stand in open
    quarantined lines; or hours from `starts_at` to before `ends_at` without usage. `missing_count` is how many numbers
    or hours.
    """

    source_system = models.ForeignKey(SourceSystem, on_delete=models.CASCADE, related_name="usage_gaps")
    kind = models.CharField(max_length=12, choices=GapKind)
    first_number = models.CharField(max_length=220, blank=True, default="")
    last_number = models.CharField(max_length=220, blank=True, default="")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    missing_count = models.BigIntegerField()
    quarantined_count = models.BigIntegerField(default=0)
    found_at = models.DateTimeField()

    class Meta:
        db_table = "usage_gap"
        ordering = ["source_system", "kind", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=GapKind.NUMBERS, starts_at__isnull=True, ends_at__isnull=True)
                & ~Q(first_number="")
                & ~Q(last_number="")
                | Q(kind=GapKind.SILENT_HOURS, starts_at__isnull=False, ends_at__isnull=False, first_number=""),
                name="usage_gap_says_what_is_missing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_system_id}: {self.missing_count} missing"
