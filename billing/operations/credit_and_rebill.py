"""Credits posted invoices, and gives what was billed back to be billed anew where that is asked for.

Usage given back is billed as adjusted usage is (docs/adr/0012): the record is cancelled and has a successor, as it was,
that is pending. Transactions wait again as new ones.
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from customers.models import Customer
from invoicing.models import Invoice, InvoiceLine, InvoiceTax
from invoicing.operations.credit_choices import CreditChoice, CreditRefused
from invoicing.operations.credit_notes import draft_credit_note, locked_draft
from invoicing.operations.posting import post_invoices
from usage.operations.given_back import give_usage_back

SQL = Path(__file__).parent / "sql" / "credit"


@dataclass(frozen=True, slots=True)
class CreditPreview:
    """What a credit note would say. The rows are of a transaction that was not kept: nothing of them is stored."""

    note: Invoice
    lines: tuple[InvoiceLine, ...]
    taxes: tuple[InvoiceTax, ...]


@transaction.atomic
def credit_invoice(
    *,
    invoice_id: int,
    choice: CreditChoice,
    reason: str,
    gives_usage_back: bool = False,
    posts: bool = True,
    at: datetime,
    user_id: int | None,
) -> Invoice:
    """Make a credit note for a posted invoice, and post it unless it is to stay a draft; gives back the note.

    `gives_usage_back`: its records and transactions wait to be billed anew. Raises Invoice.DoesNotExist,
    CreditConflict, CreditRefused (see `draft_credit_note`) and PostingRefused.
    """
    if gives_usage_back and not posts:
        raise CreditRefused(
            "Usage is given back when the credit note is posted: post it at once, or say so when you post the draft.",
            "gives_usage_back",
        )
    with connection.cursor() as cursor:
        if gives_usage_back:
            # Records come before their customer in the order of locks, as where one of them is cancelled.
            cursor.execute(
                _sql("lock_records"),
                {
                    "invoice_id": invoice_id,
                    "line_numbers": None if choice.line_numbers is None else list(choice.line_numbers),
                    "record_numbers": None if choice.record_numbers is None else list(choice.record_numbers),
                },
            )
        note = draft_credit_note(invoice_id=invoice_id, choice=choice, reason=reason, on=_day(invoice_id, at))
        if posts:
            _post(cursor, note, gives_usage_back=gives_usage_back, at=at, user_id=user_id)
    note.refresh_from_db()
    return note


def preview_credit(*, invoice_id: int, choice: CreditChoice, reason: str, at: datetime) -> CreditPreview:
    """What `credit_invoice` would make, and nothing kept of it. Raises as that does, but PostingRefused."""
    with transaction.atomic():
        note = draft_credit_note(invoice_id=invoice_id, choice=choice, reason=reason, on=_day(invoice_id, at))
        shown = CreditPreview(
            note=note,
            lines=tuple(note.lines.select_related("credited_line", "tax_rate").order_by("line_number")),
            taxes=tuple(note.taxes.all()),
        )
        transaction.set_rollback(True)
    return shown


@transaction.atomic
def post_credit_note(*, note_id: int, gives_usage_back: bool = False, at: datetime, user_id: int | None) -> Invoice:
    """Post a draft credit note for an invoice; `gives_usage_back` as in `credit_invoice`. Gives back the note.

    Raises Invoice.DoesNotExist, CreditConflict if it is no such draft, CreditRefused, PostingRefused.
    """
    with connection.cursor() as cursor:
        if gives_usage_back:
            cursor.execute(_sql("lock_credited"), {"note_id": note_id})
        note = locked_draft(note_id)
        _post(cursor, note, gives_usage_back=gives_usage_back, at=at, user_id=user_id)
    note.refresh_from_db()
    return note


def _day(invoice_id: int, at: datetime) -> date:
    """The day of a moment where the customer is. Raises Invoice.DoesNotExist."""
    invoice = Invoice.objects.select_related("customer").get(pk=invoice_id)
    return at.astimezone(ZoneInfo(invoice.customer.timezone)).date()


def _post(cursor: CursorWrapper, note: Invoice, *, gives_usage_back: bool, at: datetime, user_id: int | None) -> None:
    """Settle what follows from the note, and post it. Its customer is locked, its records too where they come back."""
    parameters: dict[str, Any] = {
        "note_id": note.pk,
        "invoice_id": note.credited_invoice_id,
        "on": note.invoice_date,
        "user_id": user_id,
        "gives_back": gives_usage_back,
    }
    _require_currency(cursor, note, parameters)
    cursor.execute(_sql("corrections"), parameters)
    cursor.execute(_sql("transactions"), parameters)
    post_invoices(invoice_ids=[note.pk], at=at)
    # Usage that is charged is cancelled once its charge is taken back for good.
    if gives_usage_back:
        cursor.execute(_sql("given_back"), parameters)
        reason = f"Invoice {note.credited_invoice} credited: {note.reason}"
        give_usage_back(cursor, at=at, user_id=user_id, reason=reason)
        cursor.execute("DROP TABLE given_back")


def _require_currency(cursor: CursorWrapper, note: Invoice, parameters: dict[str, Any]) -> None:
    """Transactions are in their customer's currency: where that is another one now, none can wait again."""
    customer = Customer.objects.get(pk=note.customer_id)
    if customer.currency_id == note.currency_id:
        return
    cursor.execute(_sql("waits_again"), parameters)
    if cursor.fetchone()[0]:
        raise CreditRefused(
            f"With invoice {note.credited_invoice} transactions in {note.currency_id} would wait again, and {customer} "
            f"is billed in {customer.currency_id} now. Credit lines of usage only, and do not give usage back."
        )


def _sql(step: str) -> str:
    return (SQL / f"{step}.sql").read_text()
