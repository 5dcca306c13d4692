"""The files of a posted document as its customer gets them: the PDF, then what goes with it."""

import io
import re

from invoicing.adapters.attachments import Attachment, attachments_of
from invoicing.models import Invoice
from invoicing.operations.rendering import pdf_of

NOT_IN_NAMES = re.compile(r"[^\w.-]+")


def files_of(invoice: Invoice) -> list[Attachment]:
    """The PDF and what goes with it. Raises `AttachmentsFailed` where that could not be made."""
    return [pdf_file(invoice), *attachments_of(invoice.pk)]


def pdf_file(invoice: Invoice) -> Attachment:
    """The PDF of a document that has one, under its number. To open it raises `RenderingFailed`, `StorageAway`."""
    name = f"{NOT_IN_NAMES.sub('-', str(invoice.number))}.pdf"
    return Attachment(
        name=name,
        content_type="application/pdf",
        byte_count=invoice.rendered.byte_count,
        open=lambda: io.BytesIO(pdf_of(invoice)),
    )
