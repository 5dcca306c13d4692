"""What whoever has the link of an invoice mail may fetch: a page with the document and the files that go with it.

The signature is the right to it: there is no login. A link that nobody made does not say whether there is an invoice.
"""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from invoicing.adapters.attachments import Attachment, AttachmentsFailed, attachments_of
from invoicing.adapters.links import LinkExpired, LinkWrong, linked_invoice_id
from invoicing.adapters.mail import mail_context
from invoicing.adapters.storage import StorageAway, opened
from invoicing.api.link_words import AWAY, EXPIRED, NOT_YET, WRONG, refusals
from invoicing.choices import InvoiceState, RenderingState
from invoicing.models import Invoice
from invoicing.operations.invoice_files import pdf_file
from invoicing.operations.rendering import RenderingFailed

STATUS = {
    WRONG: HTTPStatus.NOT_FOUND,
    EXPIRED: HTTPStatus.GONE,
    NOT_YET: HTTPStatus.SERVICE_UNAVAILABLE,
    AWAY: HTTPStatus.SERVICE_UNAVAILABLE,
}
# Nothing keeps it, lists it, or is told where the reader came from.
PRIVATE = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}

logger = logging.getLogger(__name__)


def linked(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Give a view the invoice that its link was made for, else a page that says why there is none."""

    @require_safe
    @wraps(view)
    def checked(request: HttpRequest, token: str, **parameters: int) -> HttpResponseBase:
        response = _answer(request, view, token, **parameters)
        for name, value in PRIVATE.items():
            response.headers[name] = value
        return response

    return checked


def _answer(
    request: HttpRequest, view: Callable[..., HttpResponseBase], token: str, **parameters: int
) -> HttpResponseBase:
    try:
        invoice_id = linked_invoice_id(token)
    except LinkWrong:
        return _refused(request, WRONG)
    except LinkExpired as expired:
        return _refused(request, EXPIRED, Invoice.objects.filter(pk=expired.invoice_id).first())
    posted = Invoice.objects.filter(pk=invoice_id, state=InvoiceState.POSTED)
    invoice = posted.select_related("currency", "legal_entity", "rendered").first()
    if invoice is None:
        return _refused(request, WRONG)
    if not hasattr(invoice, "rendered") or invoice.rendered.state != RenderingState.DONE:
        return _refused(request, NOT_YET, invoice)
    try:
        return view(request, invoice, **parameters)
    except StorageAway:
        logger.exception("The storage does not answer to whoever wants to fetch %s.", invoice)
        return _refused(request, AWAY, invoice)


@linked
def invoice_page(request: HttpRequest, invoice: Invoice) -> HttpResponseBase:
    """What there is to fetch."""
    files = _files(invoice)
    context = mail_context(invoice, files=files, link="")
    # For what Django writes itself, such as the sizes of files.
    with translation.override(context["language"]):
        return render(request, f"invoicing/link/{context['language']}.html", context)


@linked
def invoice_pdf(request: HttpRequest, invoice: Invoice) -> HttpResponseBase:
    """The document."""
    try:
        return _served(pdf_file(invoice), is_shown=True)
    except RenderingFailed:
        logger.exception("The PDF of %s, which somebody wants to fetch, cannot be read.", invoice)
        return _refused(request, NOT_YET, invoice)


@linked
def invoice_file(request: HttpRequest, invoice: Invoice, place: int) -> HttpResponseBase:
    """One of the files that go with it, by its place on the page."""
    files = _files(invoice)
    if place >= len(files):
        return _refused(request, WRONG, invoice)
    try:
        return _served(files[place])
    except FileNotFoundError:
        logger.exception(
            "The file %s of %s, which somebody wants to fetch, cannot be read.", files[place].name, invoice
        )
        return _refused(request, NOT_YET, invoice)


def _files(invoice: Invoice) -> list[Attachment]:
    try:
        return attachments_of(invoice.pk)
    except AttachmentsFailed:
        # The document is there in any case.
        return []


def _served(file: Attachment, *, is_shown: bool = False) -> FileResponse:
    """In pieces: a usage report may be larger than the memory is."""
    content = opened(file.open)
    return FileResponse(content, as_attachment=not is_shown, filename=file.name, content_type=file.content_type)


def _refused(request: HttpRequest, why: str, invoice: Invoice | None = None) -> HttpResponse:
    """A page that says why: in the document's language, where the link is one of ours."""
    said = refusals(why, invoice.language if invoice else None)
    context = {"refusals": said, "language": said[0].language}
    return render(request, "invoicing/link/refused.html", context, status=STATUS[why])
