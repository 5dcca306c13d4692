"""What customers owe by their documents: entries of an account, its balance, its statement.

An entry is a posted document: an invoice adds its total, a credit note takes its own off. Payments are none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet, Sum

from catalog.engine.money import exact_sum
from invoicing.choices import InvoiceState
from invoicing.models import Invoice

SHOWN_ENTRIES = 1_000


@dataclass(frozen=True, slots=True)
class CurrencyBalance:
    """What is posted less what is credited, in one currency, tax included."""

    currency: str
    minor_units: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """A posted document of an account, and the balance after it."""

    document: Invoice
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """An account in one currency from a day on to another, both included, by invoice date.

    closing = opening + the amounts of the entries. `left_out` of them, the last ones, are in it and not listed.
    """

    currency: str
    minor_units: int
    opening: Decimal
    entries: tuple[StatementEntry, ...]
    left_out: int
    closing: Decimal


def account_entries(account_id: int) -> QuerySet[Invoice]:
    """The posted documents of an account; `total_amount` is what each adds, negative for a credit note."""
    posted = Invoice.objects.filter(accounts_receivable=account_id, state=InvoiceState.POSTED)
    return posted.select_related("currency", "credited_invoice")


def account_balance(account_id: int, *, before: date | None = None) -> tuple[CurrencyBalance, ...]:
    """What the account owes by its documents, in each currency that it has some in: dated before a day, or all."""
    posted = Invoice.objects.filter(accounts_receivable=account_id, state=InvoiceState.POSTED).order_by("currency_id")
    if before is not None:
        posted = posted.filter(invoice_date__lt=before)
    sums = posted.values_list("currency_id", "currency__minor_units").annotate(amount=Sum("total_amount"))
    return tuple(CurrencyBalance(*row) for row in sums)


def account_statement(
    account_id: int, *, from_day: date, to_day: date, shown: int = SHOWN_ENTRIES
) -> tuple[Statement, ...]:
    """The account between two days, both included: a statement for each currency in which it has documents by then.

    Entries are in the order of their dates, of one day as they were made; of each currency the first `shown`.
    """
    opening = {each.currency: each for each in account_balance(account_id, before=from_day)}
    of_days = account_entries(account_id).filter(invoice_date__gte=from_day, invoice_date__lte=to_day)
    sums = of_days.order_by("currency_id").values_list("currency_id", "currency__minor_units")
    totals = {row[0]: CurrencyBalance(*row) for row in sums.annotate(amount=Sum("total_amount"))}
    statements = []
    for currency in sorted({*opening, *totals}):
        found = of_days.filter(currency=currency)
        documents = list(found.order_by("invoice_date", "id")[:shown])
        start, moved = opening.get(currency), totals.get(currency)
        begins = Decimal(0) if start is None else start.amount
        statements.append(
            Statement(
                currency=currency,
                minor_units=(start or totals[currency]).minor_units,
                opening=begins,
                entries=_running(documents, begins),
                left_out=found.count() - shown if len(documents) == shown else 0,
                closing=exact_sum([begins, Decimal(0) if moved is None else moved.amount]),
            )
        )
    return tuple(statements)


def _running(documents: Sequence[Invoice], balance: Decimal) -> tuple[StatementEntry, ...]:
    entries = []
    for document in documents:
        balance = exact_sum([balance, document.total_amount])
        entries.append(StatementEntry(document, document.total_amount, balance))
    return tuple(entries)
