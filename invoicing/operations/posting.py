"""Posting: drafts get their numbers and become final."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError, connection, transaction

from invoicing.choices import InvoiceState
from invoicing.models import Invoice, NumberSeries
from invoicing.operations.content import VERSION, content_of, parts_sql

SQL = Path(__file__).parent / "sql"


class PostingRefused(Exception):
    """Documents cannot get their numbers; the text is a sentence for people. Nothing was posted."""


@transaction.atomic
def post_invoices(*, invoice_ids: Sequence[int], at: datetime) -> int:
    """Post these drafts, and give back how many there were; those that are posted already are left alone.

    Numbers follow the account numbers, kind by kind, without gaps: the rows of the series stay locked until the
    transaction ends, and a rolled-back one gives its numbers back. Each document gets the SHA-256 of its content
    (`invoicing.operations.content`).
    Raises PostingRefused where a kind has no series, or its next numbers are taken by another series.
    """
    # One order for all, so that two transactions that post at once wait for each other instead of dying: documents,
    # which do not change while they are digested, then series, which others wait for no longer than they have to.
    drafts = Invoice.objects.filter(id__in=invoice_ids, state=InvoiceState.DRAFT).order_by("id")
    draft_ids = list(drafts.select_for_update().values_list("id", flat=True))
    parameters: dict[str, Any] = {"invoice_ids": draft_ids, "at": at, "version": VERSION}
    with connection.cursor() as cursor, content_of(cursor, invoice_ids=draft_ids):
        list(NumberSeries.objects.select_for_update().order_by("kind"))
        try:
            cursor.execute((SQL / "post.sql").read_text().replace("{parts}", parts_sql("n.number")), parameters)
        except IntegrityError as error:
            raise PostingRefused("The next numbers are taken: give each number series a prefix of its own.") from error
        posted = int(cursor.rowcount)
    left = Invoice.objects.filter(id__in=invoice_ids, state=InvoiceState.DRAFT).first()
    if left is not None:
        raise PostingRefused(f"There is no number series for a document of the kind “{left.get_kind_display()}”.")
    return posted
