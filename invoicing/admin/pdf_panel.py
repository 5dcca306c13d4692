"""The PDF of a document, on its page: whether it is made, where to have it, and pictures of its pages."""

import base64
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from invoicing.adapters.storage import StorageAway
from invoicing.choices import InvoiceState, RenderingState
from invoicing.models import Invoice, RenderedInvoice
from invoicing.operations.rendering import RenderingFailed, pictures_of

PDF = "invoicing_renderedinvoice_pdf"
AGAIN = "invoicing_renderedinvoice_again"
# The parameter of the page that asks for the pictures.
PICTURES = "pages"
# The parameter of the PDF's address that has it saved, not shown.
DOWNLOAD = "download"
# Of longer documents no pictures are made: the page would be too heavy.
PICTURED_LINES = 2_000
STATE_STYLES = {
    RenderingState.WAITING: "tb-info",
    RenderingState.DONE: "tb-success",
    RenderingState.FAILED: "tb-danger",
}
MISSING = {
    RenderingState.WAITING: "The PDF is being made.",
    RenderingState.FAILED: "The PDF could not be made.",
}


@dataclass(frozen=True, slots=True)
class PdfPanel:
    """What the page shows; `pictures` are data URLs of PNGs, `trouble` is a sentence where they could not be made."""

    rendered: RenderedInvoice | None
    style: str
    hint: str
    pdf_url: str
    # A sentence at the top of the page, where the PDF is not there yet.
    missing: str
    download_url: str
    again_url: str
    pictures_url: str
    pictures: list[str]
    trouble: str


def pdf_panel(invoice: Invoice, request: HttpRequest) -> PdfPanel:
    """The panel of a document; with pictures where the address asks for them."""
    rendered = RenderedInvoice.objects.filter(invoice=invoice).first()
    is_posted = invoice.state == InvoiceState.POSTED
    may_be_made = is_posted and (rendered is None or rendered.state == RenderingState.FAILED)
    pictures, trouble = _pictures(invoice) if PICTURES in request.GET else ([], "")
    return PdfPanel(
        rendered=rendered,
        style=STATE_STYLES[RenderingState(rendered.state)] if rendered else "",
        hint=_hint(rendered, is_posted=is_posted),
        missing=MISSING.get(RenderingState(rendered.state), "") if rendered else "",
        pdf_url=reverse(f"admin:{PDF}", args=[invoice.pk]),
        download_url=f"{reverse(f'admin:{PDF}', args=[invoice.pk])}?{DOWNLOAD}=1",
        again_url=reverse(f"admin:{AGAIN}", args=[invoice.pk]) if may_be_made else "",
        pictures_url=f"?{PICTURES}=1#pdf",
        pictures=pictures,
        trouble=trouble,
    )


def _pictures(invoice: Invoice) -> tuple[list[str], str]:
    if invoice.lines.count() > PICTURED_LINES:
        return [], f"Pictures are made of documents of up to {PICTURED_LINES:,} lines. This one has more: open its PDF."
    try:
        pages = pictures_of(invoice)
    except (RenderingFailed, StorageAway) as failed:
        return [], str(failed)
    return [f"data:image/png;base64,{base64.b64encode(page).decode()}" for page in pages], ""


def _hint(rendered: RenderedInvoice | None, *, is_posted: bool) -> str:
    if not is_posted:
        return "Of a draft there is a preview, which says on every page that it is one."
    if rendered is None:
        return "No PDF was asked for when this document was posted. Opened, one is made; “Make it” stores it too."
    if rendered.state == RenderingState.DONE:
        pages = "1 page" if rendered.page_count == 1 else f"{rendered.page_count:,} pages"
        return f"{pages}, {rendered.byte_count:,} bytes."
    if rendered.next_attempt_at is not None:
        times = "once" if rendered.attempt_count == 1 else f"{rendered.attempt_count} times"
        return f"Tried {times}; again at {rendered.next_attempt_at:%Y-%m-%d %H:%M} UTC."
    return "" if rendered.state == RenderingState.FAILED else "It is made within a minute."
