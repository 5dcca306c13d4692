"""PDFs of posted documents: written down when a document is posted, made one by one, and made again to the byte."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, QuerySet

from invoicing.adapters.document import document_data
from invoicing.adapters.layouts import Layout, LayoutMissing, kept_as, kept_layout, layout_of
from invoicing.adapters.pdf import LayoutRefused, make_pdf, make_pictures, page_count
from invoicing.adapters.storage import answering
from invoicing.choices import RenderingState
from invoicing.models import Invoice, RenderedInvoice

# After each failed attempt it waits so long for the next; after the last one it has failed.
WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
DEFAULT_LANGUAGE = "en"
PICTURE_PPI = 96
COUNTED = 100

Made = TypeVar("Made")


class RenderingFailed(Exception):
    """A PDF cannot be made, or not as it was; the text is a sentence for people."""


def await_rendering(cursor: CursorWrapper, invoice_ids: Sequence[int]) -> None:
    """Write down that the PDFs of these documents are to be made; of those that have one nothing changes."""
    cursor.execute(
        """
        INSERT INTO rendered_invoice (invoice_id, state, file, byte_count, page_count, sha256, template_sha256,
          attempt_count, error)
        SELECT i.id, 'WAITING', '', 0, 0, '', '', 0, '' FROM invoice i
        WHERE i.id = ANY(%(invoice_ids)s) AND i.state = 'POSTED'
        ORDER BY i.id
        ON CONFLICT (invoice_id) DO NOTHING
        """,
        {"invoice_ids": list(invoice_ids)},
    )


@transaction.atomic
def make_again(*, invoice_id: int) -> None:
    """Have the PDF of a posted document made that failed, or that was never asked for."""
    with connection.cursor() as cursor:
        await_rendering(cursor, [invoice_id])
    RenderedInvoice.objects.filter(invoice_id=invoice_id, state=RenderingState.FAILED).update(
        state=RenderingState.WAITING, attempt_count=0, next_attempt_at=None, error=""
    )


@transaction.atomic
def render_next(*, now: Callable[[], datetime]) -> bool:
    """Make the PDF of the document that waits longest, if one does; whether there was one.

    Its row stays locked until the PDF is stored: others pass it over, and a process that dies leaves it waiting. What
    goes wrong is noted, and tried again later, until it has failed.
    """
    row = _due(now()).select_for_update(skip_locked=True).order_by("id").first()
    if row is None:
        return False
    try:
        with transaction.atomic():
            _render(row, at=now())
    except Exception as error:  # noqa: BLE001  whatever it is, the others are not to wait for it
        _note_failure(row, error, at=now())
    return True


def waiting_renderings(*, at: datetime) -> int:
    """How many PDFs wait to be made now, counted no further than is of use."""
    return len(_due(at).values_list("pk")[:COUNTED])


@answering()
def pdf_of(invoice: Invoice) -> bytes:
    """The PDF of a document: of a posted one as it was stored, of a draft a preview with a watermark.

    One that is not stored, or not as it was, is made. Raises RenderingFailed, and StorageAway.
    """
    row = RenderedInvoice.objects.filter(invoice=invoice, state=RenderingState.DONE).first()
    if row is None:
        return _made(lambda: make_pdf(*_prepared(invoice, layout_for(invoice)), at=date_of(invoice)))
    try:
        with row.file.open("rb") as file:
            content: bytes = file.read()
    except FileNotFoundError:
        content = b""
    return content if hashlib.sha256(content).hexdigest() == row.sha256 else render_again(invoice_id=invoice.pk)


@answering()
def pictures_of(invoice: Invoice, *, ppi: int = PICTURE_PPI) -> list[bytes]:
    """The pages of a document as PNG. Raises RenderingFailed, and StorageAway."""
    row = RenderedInvoice.objects.filter(invoice=invoice, state=RenderingState.DONE).first()
    return _made(
        lambda: make_pictures(
            *_prepared(invoice, kept_layout(row.template_sha256) if row else layout_for(invoice)),
            at=date_of(invoice),
            ppi=ppi,
        )
    )


@transaction.atomic
def render_again(*, invoice_id: int) -> bytes:
    """Make the PDF of a document again, from the layout that it was made with, and store it where it is missing.

    Raises RenderingFailed where it does not come out the same to the byte; then nothing is stored.
    """
    row = RenderedInvoice.objects.select_for_update().get(invoice_id=invoice_id, state=RenderingState.DONE)
    invoice = document(invoice_id)
    pdf = _made(lambda: make_pdf(*_prepared(invoice, kept_layout(row.template_sha256)), at=date_of(invoice)))
    if hashlib.sha256(pdf).hexdigest() != row.sha256:
        layout = kept_layout(row.template_sha256)
        raise RenderingFailed(
            f"The PDF of {invoice} does not come out as it was: it was made with {layout.made_with}, here is "
            f"{layout_for(invoice).made_with}. What was sent has the SHA-256 {row.sha256}."
        )
    _store(row.file.name or "", pdf)
    return pdf


def document(invoice_id: int) -> Invoice:
    """A document with what its PDF says of others."""
    return Invoice.objects.select_related("customer", "currency", "credited_invoice", "legal_entity").get(pk=invoice_id)


def layout_for(invoice: Invoice) -> Layout:
    """The layout of a document as it is now: its legal entity's, in its language."""
    return layout_of(invoice.legal_entity, language=invoice.language or DEFAULT_LANGUAGE)


def date_of(invoice: Invoice) -> datetime:
    """What the PDF is dated: when it was posted; a draft, at the beginning of its date."""
    return invoice.posted_at or datetime.combine(invoice.invoice_date, time(), tzinfo=UTC)


def _due(at: datetime) -> QuerySet[RenderedInvoice]:
    due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=at)
    return RenderedInvoice.objects.filter(due, state=RenderingState.WAITING)


def _render(row: RenderedInvoice, *, at: datetime) -> None:
    invoice = document(row.invoice_id)
    layout = layout_for(invoice)
    pdf = make_pdf(*_prepared(invoice, layout), at=date_of(invoice))
    row.template_sha256 = _keep(layout)
    row.sha256 = hashlib.sha256(pdf).hexdigest()
    date = date_of(invoice)
    row.file.name = _store(f"invoices/{date:%Y/%m}/{invoice.pk}-{row.sha256[:16]}.pdf", pdf)
    row.byte_count = len(pdf)
    row.page_count = page_count(pdf)
    row.state = RenderingState.DONE
    row.rendered_at = at
    row.attempt_count += 1
    row.next_attempt_at = None
    row.error = ""
    row.save()


def _prepared(invoice: Invoice, layout: Layout) -> tuple[Layout, dict[str, Any]]:
    lines = list(invoice.lines.order_by("line_number"))
    taxes = list(invoice.taxes.order_by("-percent", "name", "id"))
    return layout, document_data(invoice, layout, lines=lines, taxes=taxes)


def _keep(layout: Layout) -> str:
    """Keep a layout in the storage, for its documents to be made again; its SHA-256."""
    sha256, content = layout.sha256, layout.content
    name = kept_as(sha256)
    if not default_storage.exists(name) or default_storage.size(name) != len(content):
        _store(name, content)
    return sha256


def _store(name: str, content: bytes) -> str:
    """Store a file under this name, in place of what a process that died may have left there."""
    if default_storage.exists(name):
        with default_storage.open(name) as file:
            if file.read() == content:
                return name
        default_storage.delete(name)
    return str(default_storage.save(name, ContentFile(content)))


def _note_failure(row: RenderedInvoice, error: Exception, *, at: datetime) -> None:
    known = isinstance(error, (LayoutRefused, LayoutMissing))
    row.refresh_from_db()
    row.attempt_count += 1
    row.error = str(error) if known else f"The PDF could not be made or stored: {type(error).__name__}: {error}"
    is_last = row.attempt_count > len(WAITS)
    row.state = RenderingState.FAILED if is_last else RenderingState.WAITING
    row.next_attempt_at = None if is_last else at + WAITS[row.attempt_count - 1]
    row.save()


def _made(make: Callable[[], Made]) -> Made:
    try:
        return make()
    except (LayoutRefused, LayoutMissing, OSError) as error:
        raise RenderingFailed(str(error)) from error
