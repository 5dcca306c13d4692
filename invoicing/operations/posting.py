"""Posting: drafts get their numbers and become final."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from invoicing.choices import InvoiceState
from invoicing.models import Invoice
from invoicing.operations.content import VERSION, content_of, parts_sql
from invoicing.operations.deliveries import await_delivery
from invoicing.operations.parties import copy_parties, without_vat_number
from invoicing.operations.rendering import await_rendering

SQL = Path(__file__).parent / "sql"
LOCK_SERIES = """
SELECT FROM number_series s
WHERE EXISTS (
  SELECT FROM invoice i
  WHERE i.id = ANY (%(invoice_ids)s) AND i.kind = s.kind AND i.legal_entity_id IS NOT DISTINCT FROM s.legal_entity_id
)
ORDER BY s.id FOR UPDATE
"""


class PostingRefused(Exception):
    """Documents cannot get their numbers; the text is a sentence for people. Nothing was posted."""


@transaction.atomic
def post_invoices(*, invoice_ids: Sequence[int], at: datetime) -> int:
    """Post these drafts, and give back how many there were; those that are posted already are left alone.

    Seller and buyer are those of now. Numbers follow the account numbers, by legal entity and kind, without gaps: the
    rows of the series stay locked until the transaction ends, and a rolled-back one gives its numbers back. Each
    document gets the SHA-256 of its content (`invoicing.operations.content`).
    Raises PostingRefused where a legal entity has no series for a kind, where the next numbers are taken by another
    series, and where the customer owes the tax (reverse charge) and has no VAT number.
    """
    # One order for all, so that two transactions that post at once wait for each other instead of dying: documents,
    # which do not change while they are digested, then series, which others wait for no longer than they have to.
    drafts = Invoice.objects.filter(id__in=invoice_ids, state=InvoiceState.DRAFT).order_by("id")
    draft_ids = list(drafts.select_for_update().values_list("id", flat=True))
    parameters: dict[str, Any] = {"invoice_ids": draft_ids, "at": at, "version": VERSION}
    with connection.cursor() as cursor:
        _take_parties(cursor, draft_ids)
        with content_of(cursor, invoice_ids=draft_ids):
            cursor.execute(LOCK_SERIES, parameters)
            try:
                cursor.execute((SQL / "post.sql").read_text().replace("{parts}", parts_sql("n.number")), parameters)
            except IntegrityError as error:
                raise PostingRefused(
                    "The next numbers are taken: give each number series a prefix of its own."
                ) from error
            posted = int(cursor.rowcount)
        await_rendering(cursor, draft_ids)
        await_delivery(cursor, draft_ids)
    left = Invoice.objects.filter(id__in=invoice_ids, state=InvoiceState.DRAFT).select_related("legal_entity").first()
    if left is not None:
        raise PostingRefused(_without_series(left))
    return posted


def _take_parties(cursor: CursorWrapper, draft_ids: Sequence[int]) -> None:
    copy_parties(cursor, invoice_ids=draft_ids)
    account_number = without_vat_number(cursor, invoice_ids=draft_ids)
    if account_number is not None:
        raise PostingRefused(
            f"Customer {account_number} owes the tax of its document itself (reverse charge), and its VAT number is "
            "missing. Add it to the customer."
        )


def _without_series(document: Invoice) -> str:
    """That the legal entity of a document has no number series for it, in words."""
    kind, entity = document.get_kind_display(), document.legal_entity
    if entity is None:
        return f"There is no number series for a document of the kind “{kind}”."
    return (
        f"There is no number series of the legal entity {entity} ({entity.code}) for a document of the kind “{kind}”. "
        "Add it to the legal entity."
    )
