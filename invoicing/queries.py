"""Reads on documents for the APIs."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db.models import Prefetch, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleLessThan

from catalog.engine.money import round_quotient
from invoicing.choices import InvoiceState
from invoicing.models import Invoice, InvoiceLine

# As many as unit prices are stored with.
PRICE_DIGITS = 18


def posted_invoices(*, customer_id: int | None = None) -> QuerySet[Invoice]:
    """Posted documents with customer, currency and lines: of one customer, or of all."""
    lines = InvoiceLine.objects.order_by("line_number")
    invoices = (
        Invoice.objects.filter(state=InvoiceState.POSTED)
        .select_related("customer", "currency")
        .prefetch_related(Prefetch("lines", queryset=lines))
    )
    return invoices if customer_id is None else invoices.filter(customer_id=customer_id)


def invoices_after(invoices: QuerySet[Invoice], position: tuple[date, int] | None, *, limit: int) -> QuerySet[Invoice]:
    """At most `limit` of them, newest period first, after the one with this (period start, id); None is the start.

    The pair is compared as a row: the index finds the place, also within a month of many thousand invoices.
    """
    if position is not None:
        invoices = invoices.filter(TupleLessThan(Tuple("period_start", "id"), position))
    return invoices.order_by("-period_start", "-id")[:limit]


def price_of_one_unit(line: InvoiceLine) -> Decimal:
    """The line's price for one unit, in the currency; 0 where its records brought their own amounts and it has none."""
    if line.unit_price is None:
        return Decimal(0)
    return round_quotient(Fraction(line.unit_price) / Fraction(line.unit_size), PRICE_DIGITS)
