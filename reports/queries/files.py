"""The usage reports of invoices as delivery takes them (INVOICE_ATTACHMENTS, INVOICE_WAITS_FOR)."""

import mimetypes
from pathlib import PurePosixPath
from typing import Any

from django.db.models import QuerySet

from invoicing.adapters.attachments import Attachment, AttachmentsFailed
from reports.choices import ProductionState
from reports.models import ReportProduction, UsageReport


def usage_report_files(invoice_id: int) -> list[Attachment]:
    """The usage report files of an invoice, by title. Raises `AttachmentsFailed` where they could not be made."""
    failed = ReportProduction.objects.filter(invoice=invoice_id, state=ProductionState.FAILED).first()
    if failed is not None:
        raise AttachmentsFailed(f"The usage reports could not be made: {failed.error}")
    return [_attachment(report) for report in UsageReport.objects.filter(invoice=invoice_id).order_by("title", "id")]


def invoices_with_reports_to_come() -> QuerySet[Any, Any]:
    """The ids of the invoices whose usage reports wait to be made, as a subquery."""
    return ReportProduction.objects.filter(state=ProductionState.WAITING).values("invoice_id")


def _attachment(report: UsageReport) -> Attachment:
    name = PurePosixPath(str(report.file.name)).name
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Attachment(
        name=name, content_type=content_type, byte_count=report.byte_count, open=lambda: report.file.open("rb")
    )
