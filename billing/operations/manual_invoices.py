"""Invoices by hand: of chosen transactions that wait, outside of any billing run, by the steps that runs take."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from billing.operations.lines import make_lines, write_credit_uses
from billing.operations.production import step_sql
from billing.operations.take_back import give_back
from customers.models import Customer
from invoicing.choices import InvoiceState
from invoicing.models import AccountCredit, Invoice, Transaction
from invoicing.operations.posting import post_invoices
from reports.operations.production import await_reports

SQL = Path(__file__).parent / "sql"
STEPS = ("outcomes", "documents", "transactions")
TEMPORARY_TABLES = ("account", "tax_rate_at", "rated", "produced_line", "produced_account")
MOST_TRANSACTIONS = 10_000
NAMED = 5


class ManualInvoiceConflict(Exception):
    """A transaction, or the draft, is in a state in which this cannot be done; the message names it."""


class ManualInvoiceRefused(Exception):
    """What was asked for is understood, but cannot be; the message says what to do, `field` what is wrong."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def create_manual_invoice(
    *,
    customer_id: int,
    transaction_ids: Sequence[int],
    invoice_date: date,
    due_date: date | None = None,
    message: str | None = None,
    posts: bool = False,
    at: datetime,
) -> Invoice:
    """Put these waiting transactions of one customer on a document of their own, a draft unless it is posted at once.

    It comes out as on a run: lines, tax rates of `invoice_date`, which is its tax point, coupons and credits; there is
    no minimum. Below nothing it is a credit note. Due by default when the customer's terms say; its message is the
    customer's by default. Its period is no period of a run, and moves none. Raises ManualInvoiceConflict for
    transactions that are on an invoice already, ManualInvoiceRefused for what cannot be, PostingRefused.
    """
    customer = Customer.objects.get(pk=customer_id)
    due_date = due_date or invoice_date + timedelta(days=customer.payment_terms_days)
    if due_date < invoice_date:
        raise ManualInvoiceRefused("It is due on its date or later.", "due_date")
    # Before transactions, in the order in which production comes to them.
    list(AccountCredit.objects.select_for_update(no_key=True).filter(customer=customer).order_by("id"))
    _lock_transactions(customer, transaction_ids)
    asked = {"customer_id": customer_id, "transaction_ids": list(transaction_ids), "message": message}
    invoice_id, reason = _produce(asked | {"invoice_date": invoice_date, "due_date": due_date})
    if invoice_id is None:
        raise ManualInvoiceRefused(f"There is no invoice: {reason}")
    if posts:
        post_invoices(invoice_ids=[invoice_id], at=at)
        await_reports(invoice_ids=[invoice_id])
    return Invoice.objects.get(pk=invoice_id)


def _produce(asked: dict[str, Any]) -> tuple[int | None, str]:
    """Take the steps of a run for one account that comes from the customer: the draft's id, or None and why not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        parameters = asked | {
            "snapshot": cursor.fetchone()[0],
            # The first day that is not in the period any more.
            "cutoff_date": asked["invoice_date"] + timedelta(days=1),
            "transaction_cutoff_date": None,
            "bill_unpriced": False,
        }
        cursor.execute((SQL / "manual" / "account.sql").read_text(), parameters)
        cursor.execute((SQL / "rating" / "rated.sql").read_text())
        are_credits_used = make_lines(cursor, parameters)
        for step in STEPS:
            cursor.execute(step_sql(step), parameters)
        if are_credits_used:
            write_credit_uses(cursor)
        cursor.execute("SELECT invoice_id, reason FROM produced_account")
        invoice_id, reason = cursor.fetchone()
        cursor.execute(f"DROP TABLE {', '.join(TEMPORARY_TABLES)}")
    return invoice_id, reason


@transaction.atomic
def post_manual_invoice(*, invoice_id: int, at: datetime) -> Invoice:
    """Post a draft that was made by hand. Raises Invoice.DoesNotExist, ManualInvoiceConflict, PostingRefused."""
    invoice = _locked_draft(invoice_id)
    post_invoices(invoice_ids=[invoice.pk], at=at)
    await_reports(invoice_ids=[invoice.pk])
    invoice.refresh_from_db()
    return invoice


@transaction.atomic
def discard_manual_invoice(*, invoice_id: int) -> None:
    """Delete a draft that was made by hand; its transactions wait again. Raises Invoice.DoesNotExist and
    ManualInvoiceConflict.
    """
    give_back([_locked_draft(invoice_id).pk])


def _lock_transactions(customer: Customer, transaction_ids: Sequence[int]) -> None:
    """Raise where one of them is no transaction of the customer's that waits; they stay so until this one ends."""
    if not transaction_ids:
        raise ManualInvoiceRefused("Choose at least one transaction.", "transaction_ids")
    if len(transaction_ids) > MOST_TRANSACTIONS:
        raise ManualInvoiceRefused(f"Choose at most {MOST_TRANSACTIONS:,} transactions.", "transaction_ids")
    # Who produces the customer at this moment has them locked, and is waited for.
    locked = Transaction.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=transaction_ids)
    found = {each.pk: each for each in locked.order_by("id")}
    missing = sorted(set(transaction_ids) - {pk for pk, each in found.items() if each.customer_id == customer.pk})
    if missing:
        raise ManualInvoiceRefused(
            f"{_named(missing)} {'is' if len(missing) == 1 else 'are'} not of customer {customer.account_number}.",
            "transaction_ids",
        )
    billed = sorted(pk for pk, each in found.items() if each.invoice_line_id is not None)
    if billed:
        raise ManualInvoiceConflict(
            f"{_named(billed)} {'is' if len(billed) == 1 else 'are'} on an invoice already: choose others, that wait."
        )


def _locked_draft(invoice_id: int) -> Invoice:
    invoice = Invoice.objects.select_for_update().get(pk=invoice_id)
    if not invoice.is_manual or invoice.credited_invoice_id is not None or invoice.state != InvoiceState.DRAFT:
        raise ManualInvoiceConflict(f"{invoice.number or f'The draft {invoice.pk}'} is no draft that was made by hand.")
    return invoice


def _named(ids: Sequence[int]) -> str:
    more = len(ids) - NAMED
    listed = ", ".join(str(each) for each in ids[:NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{'Transaction' if len(ids) == 1 else 'Transactions'} {listed}"
