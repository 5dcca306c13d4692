from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from invoicing.models import Invoice
from reports.choices import ProductionState, ReportFormat


class ReportProduction(models.Model):
    """That the usage reports of a posted invoice are to be made, or were. The row is the queue.

    Posting writes it, whoever makes the reports locks it. `terms` is what they are made by, as it was when the invoice
    was posted: the profile's choices, and the customer's time zone, language and privacy. So reports that are made
    again have the same bytes, whatever has become of the profile. `error` is what went wrong last, in words: why they
    failed, wait longer, or did not come out the same again.
    """

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="report_production")
    profile_name = models.CharField(max_length=100)
    terms = models.JSONField()
    state = models.CharField(max_length=10, choices=ProductionState, default=ProductionState.WAITING)
    attempt_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="", db_default="")
    produced_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "report_production"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ProductionState.values), name="report_production_state_known"),
            models.CheckConstraint(
                condition=(~Q(state=ProductionState.DONE) | Q(produced_at__isnull=False))
                & (~Q(state=ProductionState.FAILED) | ~Q(error="")),
                name="report_production_says_how_it_went",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="WAITING"), name="report_production_waiting"),
            models.Index(fields=["id"], condition=Q(state="FAILED"), name="report_production_failed"),
        ]

    def __str__(self) -> str:
        return f"reports of {self.invoice_id}: {self.state}"


class UsageReport(models.Model):
    """A usage report file that goes with an invoice: what it shows, where it is, and the SHA-256 of its bytes.

    `format` is that of the report; `is_zipped` says that the file is a ZIP archive with that report in it.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="usage_reports")
    title = models.CharField(max_length=450)
    format = models.CharField(max_length=10, choices=ReportFormat)
    file = models.FileField(upload_to="usage-reports/", max_length=300)
    is_zipped = models.BooleanField(default=False, db_default=False)
    row_count = models.BigIntegerField(default=0, db_default=0)
    byte_count = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "usage_report"
        ordering = ["invoice", "title"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "title", "format"], name="usage_report_once_per_invoice"),
            models.CheckConstraint(condition=Q(format__in=ReportFormat.values), name="usage_report_format_known"),
            models.CheckConstraint(condition=Q(byte_count__gte=0), name="usage_report_size_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.format})"
