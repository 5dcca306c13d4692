"""Documents for the APIs, and what is left of credits."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from django.db.models import Count, DecimalField, F, Func, Prefetch, Q, QuerySet, Sum
from django.db.models.fields.tuple_lookups import Tuple, TupleLessThan
from django.db.models.functions import Coalesce

from catalog.engine.money import round_quotient
from invoicing.choices import InvoiceState
from invoicing.models import AccountCredit, Invoice, InvoiceLine, PostedInvoiceCount

# As many as unit prices are stored with.
PRICE_DIGITS = 18


class PricedLine(Protocol):
    """A line of a document, or of what is to become one: its amount, and what of it was priced how."""

    @property
    def amount(self) -> Decimal: ...

    @property
    def unit_price(self) -> Decimal | None: ...

    @property
    def unit_size(self) -> Decimal: ...


def posted_invoices(*, customer_id: int | None = None) -> QuerySet[Invoice]:
    """Posted documents with customer, currency and lines: of one customer, or of all."""
    lines = InvoiceLine.objects.order_by("line_number")
    invoices = (
        Invoice.objects.filter(state=InvoiceState.POSTED)
        .select_related("customer", "currency")
        .prefetch_related(Prefetch("lines", queryset=lines))
    )
    return invoices if customer_id is None else invoices.filter(customer_id=customer_id)


def is_wholly_credited(invoice: Invoice) -> bool:
    """Whether credit notes, drafts too, take back every line of an invoice, to its last charge."""
    lines = InvoiceLine.objects.filter(invoice=invoice)
    credited = lines.annotate(notes=Count("credits"), taken=Sum("credits__charge_count"))
    return lines.exists() and not credited.filter(Q(notes=0) | Q(taken__lt=F("charge_count"))).exists()


def invoices_after(invoices: QuerySet[Invoice], position: tuple[date, int] | None, *, limit: int) -> QuerySet[Invoice]:
    """At most `limit` of them, newest period first, after the one with this (period start, id); None is the start.

    The pair is compared as a row: the index finds the place, also within a month of many thousand invoices.
    """
    if position is not None:
        invoices = invoices.filter(TupleLessThan(Tuple("period_start", "id"), position))
    return invoices.order_by("-period_start", "-id")[:limit]


def posted_counts() -> QuerySet[PostedInvoiceCount]:
    """How many documents are posted, by period: what `total_of` adds up costs no more the more of them there are."""
    return PostedInvoiceCount.objects.all()


def total_of(counts: QuerySet[PostedInvoiceCount]) -> int:
    """The documents of these periods."""
    total: int = counts.aggregate(total=Coalesce(Sum("document_count"), 0))["total"]
    return total


def price_of_one_unit(line: PricedLine) -> Decimal:
    """The line's price for one unit, in the currency; 0 where its records brought their own amounts and it has none."""
    if line.unit_price is None:
        return Decimal(0)
    return round_quotient(Fraction(line.unit_price) / Fraction(line.unit_size), PRICE_DIGITS)


def account_credits() -> QuerySet[AccountCredit]:
    """Credits with `amount_left`, in their currency: what no document, a draft neither, has used. None of a percent."""
    left = Func(F("id"), function="tollbook_credit_left", output_field=DecimalField())
    return AccountCredit.objects.annotate(amount_left=left).select_related("customer", "coupon", "currency")
