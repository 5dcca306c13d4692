"""Posting: drafts get their numbers and become final."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction

from invoicing.models import NumberSeries

SQL = Path(__file__).parent / "sql"


@transaction.atomic
def post_invoices(*, invoice_ids: Sequence[int], at: datetime) -> int:
    """Post these drafts, and give back how many there were; those that are posted already are left alone.

    Numbers follow the account numbers, kind by kind, without gaps: the rows of the series stay locked until the
    transaction ends, and a rolled-back one gives its numbers back. Each document gets the SHA-256 of its content.
    """
    # One order for all, so that two transactions that post at once wait for each other instead of dying.
    list(NumberSeries.objects.select_for_update().order_by("kind"))
    with connection.cursor() as cursor:
        cursor.execute((SQL / "post.sql").read_text(), {"invoice_ids": list(invoice_ids), "at": at})
        return int(cursor.rowcount)
