import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.models.triggers import never_emptied
from usage.choices import ConflictDecision, RecordChangeKind
from usage.models.imports import UsageImport
from usage.models.records import UsageDataRecord


class UsageDataRecordChange(models.Model):
    """What one person did to one record after it came in, when and why. Appended, never changed.

    `changes` gives, for each field that got another value, the old and the new one as texts.
    """

    record = models.ForeignKey(
        UsageDataRecord, on_delete=models.DO_NOTHING, related_name="changes", db_constraint=False
    )
    kind = models.CharField(max_length=15, choices=RecordChangeKind)
    at = models.DateTimeField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True, default="")
    changes = models.JSONField(default=dict)

    class Meta:
        db_table = "usage_data_record_change"
        ordering = ["record", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=RecordChangeKind.values), name="usage_data_record_change_kind_known"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"record {self.record_id}: {self.kind}"


class UsageConflict(models.Model):
    """A row with the number of a record that says something else. The record stands; the row is kept beside it.

    `differences` gives for each field that differs what the record says and what the row says, as texts. A person
    decides; the row that replaces the record becomes `replacement`.
    """

    usage_import = models.ForeignKey(UsageImport, on_delete=models.CASCADE, related_name="conflicts")
    record = models.ForeignKey(UsageDataRecord, on_delete=models.PROTECT, related_name="conflicts")
    line_number = models.BigIntegerField(help_text="1 is the header.")
    differences = models.JSONField(default=dict)
    raw_text = models.TextField()
    decision = models.CharField(max_length=10, choices=ConflictDecision, default=ConflictDecision.OPEN)
    note = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    replacement = models.ForeignKey(UsageDataRecord, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "usage_conflict"
        ordering = ["usage_import", "line_number"]
        constraints = [
            models.UniqueConstraint(fields=["usage_import", "line_number"], name="usage_conflict_once"),
            models.CheckConstraint(
                condition=Q(decision=ConflictDecision.OPEN, decided_at__isnull=True)
                | Q(
                    decision__in=[ConflictDecision.KEPT, ConflictDecision.REPLACED, ConflictDecision.DISMISSED],
                    decided_at__isnull=False,
                ),
                name="usage_conflict_decided_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(decision=ConflictDecision.REPLACED, replacement__isnull=False)
                | (~Q(decision=ConflictDecision.REPLACED) & Q(replacement__isnull=True)),
                name="usage_conflict_replaced_has_its_record",
            ),
        ]
        indexes = [models.Index(fields=["decision", "id"], name="usage_conflict_decision")]

    def __str__(self) -> str:
        return f"line {self.line_number}: other than record {self.record_id}"
