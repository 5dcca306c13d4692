from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from invoicing.models import Invoice
from reports.choices import ReportFormat


class UsageReport(models.Model):
    """A usage report file that goes with an invoice: what it shows, where it is, and the SHA-256 of its bytes."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="usage_reports")
    title = models.CharField(max_length=100)
    format = models.CharField(max_length=10, choices=ReportFormat)
    file = models.FileField(upload_to="usage-reports/")
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
