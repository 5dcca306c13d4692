"""What dashboards show of revenue and usage. Amounts are net, of posted documents, in one currency at a time.

Revenue by day and by customer is read from the documents; by product and destination, and usage by day of use, from
figures that are kept (`reports.operations.figures`): to add up millions of charges and lines takes seconds. Usage that
no invoice has is counted as it is asked for, or was when it was last counted, which is quick however much waits.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Exists, Max, OuterRef

from invoicing.choices import InvoiceState
from invoicing.models import Invoice
from reports.models import CountedInvoice, PendingAge

SQL = Path(__file__).parent / "sql" / "dashboards"
# So many products, destinations and customers are shown one by one; the others are one row.
TOP = 10
# The days at which a group of ages begins; what is to be used in future has the first.
AGES = (0, 31, 61, 91, 181)
# No more documents that are not counted yet are counted than these.
UNCOUNTED = 1_000


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for: days from `first` on and before `until`, one currency, a group of customers or all."""

    first: date
    until: date
    currency: str
    group_id: int | None = None
    by_month: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "until": self.until,
            "currency": self.currency,
            "group_id": self.group_id,
            "unit": "month" if self.by_month else "day",
            "top": TOP,
        }


@dataclass(frozen=True, slots=True)
class Day:
    """A day, or the month that begins on it: how many documents or records, and their amount."""

    day: date
    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """One product, destination or customer; `name` is None for all the others together (`part_count` of them).

    Lines without a product have their `kind`. `record_count` is None where it is not known.
    """

    name: str | None
    part_count: int
    record_count: int | None
    amount: Decimal
    id: int | None = None
    kind: str = ""
    account_number: str = ""


@dataclass(frozen=True, slots=True)
class Mover:
    """A customer whose revenue is another than in the period before."""

    customer_id: int
    account_number: str
    name: str
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Age:
    """Pending usage whose age in days is from `from_days` on (None: any less) and up to `to_days` (None: any more)."""

    from_days: int | None
    to_days: int | None
    customer_count: int
    record_count: int


@dataclass(frozen=True, slots=True)
class WaitingCustomer:
    """A customer whose usage waits: how much, and since what billing effective date."""

    customer_id: int
    account_number: str
    name: str
    record_count: int
    oldest: date


@dataclass(frozen=True, slots=True)
class UnbilledUsage:
    """Pending usage by age, every age with 0 if need be, and the customers whose oldest waits longest.

    `counted_at` is None where it was counted as it was asked for.
    """

    ages: tuple[Age, ...]
    customers: tuple[WaitingCustomer, ...]
    counted_at: datetime | None = None

    @property
    def record_count(self) -> int:
        return sum(age.record_count for age in self.ages)


@dataclass(frozen=True, slots=True)
class Kept:
    """How far the kept figures are: the documents not in them (`UNCOUNTED`: so many or more), and when last counted."""

    uncounted: int
    counted_at: Any


def revenue_by_day(scope: Scope) -> list[Day]:
    """Documents and their net by invoice date; only days, or months, that have any."""
    return [Day(*row) for row in _rows("revenue_by_day", scope.parameters)]


def usage_by_day(scope: Scope) -> list[Day]:
    """Records and what they were charged, by day of use (the billing effective date)."""
    return [Day(*row) for row in _rows("usage_by_day", scope.parameters)]


def revenue_by_product(scope: Scope) -> list[Part]:
    """The products with the largest revenue, then the others in one."""
    return [
        Part(
            name="" if product_id is None and kind else name,
            part_count=part_count,
            record_count=record_count,
            amount=amount,
            id=product_id,
            kind=kind,
        )
        for product_id, name, kind, part_count, record_count, amount in _rows("by_product", scope.parameters)
    ]


def revenue_by_destination(scope: Scope) -> list[Part]:
    """The destinations of usage with the largest revenue, then the others in one; "" is usage without one."""
    return [
        Part(name=name, part_count=part_count, record_count=record_count, amount=amount)
        for name, part_count, record_count, amount in _rows("by_destination", scope.parameters)
    ]


def revenue_by_customer(scope: Scope) -> list[Part]:
    """The customers with the largest revenue, then the others in one."""
    rows = _rows("by_customer", scope.parameters)
    named = [row for row in rows if row[0] is not None]
    others = [row for row in rows if row[0] is None]
    return [
        Part(
            name=name,
            part_count=part_count,
            record_count=record_count,
            amount=amount,
            id=customer_id,
            account_number=account_number or "",
        )
        for customer_id, account_number, name, part_count, _, record_count, amount in [*named, *others]
    ]


def top_movers(scope: Scope, *, before_first: date) -> list[Mover]:
    """The customers whose revenue differs most from that of the period before: from `before_first` to the scope's."""
    return [Mover(*row) for row in _rows("movers", {**scope.parameters, "before_first": before_first})]


def unbilled_usage(*, on: date, group_id: int | None = None) -> UnbilledUsage:
    """Pending usage, whatever its currency: records by the days from their billing effective date to `on`."""
    return _unbilled("waiting", {"on": on, "starts": list(AGES), "group_id": group_id})


def unbilled_usage_as_counted(*, group_id: int | None = None) -> UnbilledUsage | None:
    """The same as it was when it was last counted, by the age of then; None where nothing was. Two queries."""
    counted_at = PendingAge.objects.aggregate(last=Max("counted_at"))["last"]
    if counted_at is None:
        return None
    return replace(_unbilled("waiting_as_counted", {"group_id": group_id}), counted_at=counted_at)


def latest_document_before(scope: Scope) -> date | None:
    """The invoice date of the last posted document before what is asked for, in its currency and group."""
    posted = Invoice.objects.filter(state=InvoiceState.POSTED, currency_id=scope.currency, invoice_date__lt=scope.first)
    if scope.group_id is not None:
        posted = posted.filter(customer__groups=scope.group_id)
    latest: date | None = posted.aggregate(latest=Max("invoice_date"))["latest"]
    return latest


def kept_figures() -> Kept:
    """How far the kept figures are. Two queries."""
    posted = Invoice.objects.filter(state=InvoiceState.POSTED).order_by()
    missing = posted.exclude(Exists(CountedInvoice.objects.filter(invoice_id=OuterRef("pk"))))
    uncounted = missing.values_list("pk", flat=True)[:UNCOUNTED].count()
    return Kept(uncounted, CountedInvoice.objects.aggregate(last=Max("counted_at"))["last"])


def _unbilled(waiting: str, parameters: dict[str, Any]) -> UnbilledUsage:
    rows = _rows("unbilled", {**parameters, "top": TOP}, waiting=waiting)
    by_age = {age: (customers, records) for age, _, _, _, customers, records, _ in rows if age is not None}
    ends: tuple[int | None, ...] = (*(start - 1 for start in AGES[1:]), None)
    return UnbilledUsage(
        ages=tuple(Age(start or None, end, *by_age.get(start, (0, 0))) for start, end in zip(AGES, ends, strict=True)),
        customers=tuple(
            WaitingCustomer(customer_id, account_number, name, records, oldest)
            for _, customer_id, account_number, name, _, records, oldest in rows
            if customer_id is not None
        ),
    )


def _rows(name: str, parameters: dict[str, Any], **parts: str) -> list[tuple[Any, ...]]:
    """Rows of a query; `parts` are the names of queries that take the places of the same names in it."""
    text = (SQL / f"{name}.sql").read_text()
    for place, part in parts.items():
        text = text.replace(f"{{{place}}}", (SQL / f"{part}.sql").read_text())
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        return list(cursor.fetchall())
