from django.conf import settings
from django.db import models
from django.db.models import F, Q

from usage.choices import ImportState, QuarantineReason
from usage.models.sources import SourceSystem


class UsageImport(models.Model):
    """One file of usage and what became of its rows: received = accepted + duplicates + conflicts + quarantined.

    The same file (SHA-256) of the same source system is taken once; a failed import leaves nothing behind but its
    `error` and may be tried again.
    """

    source_system = models.ForeignKey(SourceSystem, on_delete=models.PROTECT, related_name="imports")
    file_name = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    byte_count = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.RUNNING)
    received_count = models.BigIntegerField(default=0)
    accepted_count = models.BigIntegerField(default=0)
    duplicate_count = models.BigIntegerField(default=0)
    conflict_count = models.BigIntegerField(default=0)
    quarantined_count = models.BigIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "usage_import"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    received_count=F("accepted_count")
                    + F("duplicate_count")
                    + F("conflict_count")
                    + F("quarantined_count")
                ),
                name="usage_import_counts_add_up",
            ),
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="usage_import_state_known"),
            models.UniqueConstraint(
                fields=["source_system", "sha256"],
                condition=Q(state=ImportState.COMPLETED),
                name="usage_import_file_once_per_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.id})"


class QuarantinedLine(models.Model):
    """A row of an import that could not become a record: its text as it came, and why."""

    usage_import = models.ForeignKey(UsageImport, on_delete=models.CASCADE, related_name="quarantined_lines")
    line_number = models.BigIntegerField(help_text="1 is the header.")
    reason = models.CharField(max_length=20, choices=QuarantineReason)
    field = models.CharField(max_length=40, blank=True, default="")
    detail = models.TextField(help_text="What is wrong, with the value that is.")
    raw_text = models.TextField()

    class Meta:
        db_table = "quarantined_line"
        ordering = ["usage_import", "line_number"]
        constraints = [
            models.UniqueConstraint(fields=["usage_import", "line_number"], name="quarantined_line_once"),
            models.CheckConstraint(
                condition=Q(reason__in=QuarantineReason.values), name="quarantined_line_reason_known"
            ),
        ]
        indexes = [models.Index(fields=["reason", "id"], name="quarantined_line_reason")]

    def __str__(self) -> str:
        return f"line {self.line_number}: {self.detail}"
