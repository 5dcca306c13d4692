"""Credit notes in a line each."""

from typing import Any

from billing.operations.credit_and_rebill import credit_invoice
from invoicing.models import Invoice
from invoicing.operations.credit_choices import CreditChoice
from tests.billing.taken import THEN


def credit(document: Invoice, **fields: Any) -> Invoice:
    """A credit note for all of a posted invoice, or `lines=[1]` or `records=["R1"]` of it; posted by default."""
    lines, records = fields.pop("lines", None), fields.pop("records", None)
    choice = CreditChoice(
        line_numbers=None if lines is None else tuple(lines), record_numbers=None if records is None else tuple(records)
    )
    asked: dict[str, Any] = {"invoice_id": document.pk, "choice": choice, "reason": "Agreed.", "at": THEN}
    return credit_invoice(**(asked | {"user_id": None} | fields))


def left(document: Invoice) -> str:
    """Net + tax = total of an invoice with all credit notes for it, drafts too."""
    documents = [document, *document.credit_notes.all()]
    net, tax, total = (
        sum(getattr(each, name) for each in documents) for name in ("net_amount", "tax_amount", "total_amount")
    )
    places = document.currency.minor_units
    return f"{net:.{places}f} + {tax:.{places}f} = {total:.{places}f}"
