from django.conf import settings
from django.db import models
from django.db.models import F, Q

from catalog.choices import FileFormat
from usage.choices import Channel, Delimiter, ImportState, QuarantineReason, QuarantineState
from usage.models.sources import SourceSystem


class UsageImport(models.Model):
    """One file of usage and what became of its rows: received = accepted + duplicates + conflicts + quarantined.

    The same file (SHA-256) of the same source system is taken once; a failed import leaves nothing behind but its
    `error` and may be tried again. `columns` are the names of the file's header and `delimiter` what parts them: by
    these a quarantined line is read again. `late_count` of the accepted records missed an earlier invoice.
    """

    source_system = models.ForeignKey(SourceSystem, on_delete=models.PROTECT, related_name="imports")
    file_name = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    byte_count = models.BigIntegerField(default=0)
    channel = models.CharField(max_length=12, choices=Channel, default=Channel.API)
    file_format = models.CharField(max_length=6, choices=FileFormat, default=FileFormat.CSV)
    columns = models.JSONField(blank=True, default=list)
    delimiter = models.CharField(max_length=1, choices=Delimiter, default=Delimiter.COMMA)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.RUNNING)
    received_count = models.BigIntegerField(default=0)
    accepted_count = models.BigIntegerField(default=0)
    duplicate_count = models.BigIntegerField(default=0)
    conflict_count = models.BigIntegerField(default=0)
    quarantined_count = models.BigIntegerField(default=0)
    late_count = models.BigIntegerField(default=0)
    try_count = models.PositiveSmallIntegerField(default=0, help_text="How often a worker has taken it up.")
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
            models.CheckConstraint(
                condition=Q(file_format__in=FileFormat.values), name="usage_import_file_format_known"
            ),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="usage_import_channel_known"),
            models.UniqueConstraint(
                fields=["source_system", "sha256"],
                condition=Q(state=ImportState.COMPLETED),
                name="usage_import_file_once_per_source",
            ),
        ]
        indexes = [
            models.Index(fields=["started_at"], name="usage_import_started"),
            models.Index(
                fields=["id"],
                condition=Q(state__in=[ImportState.QUEUED, ImportState.RUNNING]),
                name="usage_import_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.id})"


class UsageImportBlock(models.Model):
    """A part of a file that waits for a worker, as it came, compressed with zlib. Gone once the file is taken in."""

    usage_import = models.ForeignKey(UsageImport, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    number = models.PositiveIntegerField(help_text="From 1, in the order of the file.")
    data = models.BinaryField()

    class Meta:
        db_table = "usage_import_block"
        ordering = ["usage_import", "number"]
        constraints = [
            models.UniqueConstraint(fields=["usage_import", "number"], name="usage_import_block_number_once"),
        ]

    def __str__(self) -> str:
        return f"block {self.number}"


class QuarantinedLine(models.Model):
    """A row of an import that could not become a record: its text as it came, and why.

    `corrected_text` is what a person made of it, in the same columns; when the line is tried again, that is read, with
    the source system's mapping as it is then.
    """

    usage_import = models.ForeignKey(UsageImport, on_delete=models.CASCADE, related_name="quarantined_lines")
    line_number = models.BigIntegerField(help_text="1 is the header.")
    reason = models.CharField(max_length=20, choices=QuarantineReason)
    field = models.CharField(max_length=40, blank=True, default="")
    detail = models.TextField(help_text="What is wrong, with the value that is.")
    raw_text = models.TextField()
    corrected_text = models.TextField(blank=True, default="")
    state = models.CharField(max_length=10, choices=QuarantineState, default=QuarantineState.OPEN)
    note = models.TextField(blank=True, default="", help_text="Why it was dismissed.")
    decided_at = models.DateTimeField(null=True, help_text="When it went in, or was dismissed.")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "quarantined_line"
        ordering = ["usage_import", "line_number"]
        constraints = [
            models.UniqueConstraint(fields=["usage_import", "line_number"], name="quarantined_line_once"),
            models.CheckConstraint(
                condition=Q(reason__in=QuarantineReason.values), name="quarantined_line_reason_known"
            ),
            models.CheckConstraint(
                condition=Q(state=QuarantineState.OPEN, decided_at__isnull=True)
                | Q(state__in=[QuarantineState.RESOLVED, QuarantineState.DISMISSED], decided_at__isnull=False),
                name="quarantined_line_decided_has_its_time",
            ),
        ]
        indexes = [
            models.Index(fields=["reason", "id"], name="quarantined_line_reason"),
            models.Index(
                fields=["usage_import", "line_number"],
                condition=Q(state=QuarantineState.OPEN),
                name="quarantined_line_open",
            ),
            models.Index(fields=["state", "id"], name="quarantined_line_state"),
        ]

    def __str__(self) -> str:
        return f"line {self.line_number}: {self.detail}"
