"""The usage reports of invoices as delivery takes them (INVOICE_ATTACHMENTS, INVOICE_WAITS_FOR)."""

from pathlib import PurePosixPath
from typing import Any

from django.db.models import QuerySet

from invoicing.adapters.attachments import Attachment, AttachmentsFailed
from reports.choices import ProductionState, ReportFormat
from reports.models import ReportProduction, UsageReport

# The same on every server: what a file's name tells of it differs with what is installed there.
MEDIA_TYPES = {
    ReportFormat.CSV: "text/csv",
    ReportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ReportFormat.PDF: "application/pdf",
    ReportFormat.JSON_LINES: "application/x-ndjson",
    ReportFormat.PARQUET: "application/vnd.apache.parquet",
}


def usage_report_files(invoice_id: int) -> list[Attachment]:
    """The usage report files of an invoice, by title. Raises `AttachmentsFailed` where they could not be made."""
    failed = ReportProduction.objects.filter(invoice=invoice_id, state=ProductionState.FAILED).first()
    if failed is not None:
        raise AttachmentsFailed(f"The usage reports could not be made: {failed.error}")
    return [_attachment(report) for report in UsageReport.objects.filter(invoice=invoice_id).order_by("title", "id")]


def invoices_with_reports_to_come() -> QuerySet[Any, Any]:
    """The ids of the invoices whose usage reports wait to be made, as a subquery."""
    return ReportProduction.objects.filter(state=ProductionState.WAITING).values("invoice_id")


def media_type(report: UsageReport) -> str:
    """The media type of a report's file."""
    return "application/zip" if report.is_zipped else MEDIA_TYPES[ReportFormat(report.format)]


def _attachment(report: UsageReport) -> Attachment:
    name = PurePosixPath(str(report.file.name)).name
    return Attachment(
        name=name, content_type=media_type(report), byte_count=report.byte_count, open=lambda: report.file.open("rb")
    )
