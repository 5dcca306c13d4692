"""What posted invoices would come to by the prices of now. They are left alone; `price_corrections` settles it.

Each charge is rated again by the price lists that its customer was billed by, as these are now. Corrections that were
drafted before count: what they have settled is no difference any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Max, Min

from billing.operations.rated_again import LONGEST_DAYS, ChargedUsage, gather_charged, rate_again
from invoicing.choices import InvoiceState
from invoicing.models import Invoice, UsageCharge

SQL = Path(__file__).parent / "sql" / "corrections"
SHOWN_CUSTOMERS = 500
SHOWN_RECORDS = 500


class DifferencesRefused(Exception):
    """The question makes no sense; the message says why, `field` which part of it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class CustomerDifference:
    """What a customer was charged for the records that differ, and what they come to now; exact, without tax.

    `unpriced_count` of the records have no price any more: they are in neither amount.
    """

    customer_id: int
    account_number: str
    name: str
    currency: str
    invoice_count: int
    record_count: int
    charged: Decimal
    now: Decimal
    difference: Decimal
    unpriced_count: int


@dataclass(frozen=True, slots=True)
class RecordDifference:
    """What a record was charged, corrections included, and what it comes to now: None where nothing prices it."""

    customer_id: int
    account_number: str
    record_id: int
    record_number: str
    used_on: date
    product: str
    invoice_id: int
    invoice_number: str
    currency: str
    charged: Decimal
    now: Decimal | None
    difference: Decimal | None


@dataclass(frozen=True, slots=True)
class PriceDifferences:
    """The customers with differences, the largest first, and records; of both the first, and how many there are."""

    customers: tuple[CustomerDifference, ...]
    customer_count: int
    records: tuple[RecordDifference, ...]
    record_count: int
    unpriced_count: int


def price_differences(
    *,
    from_day: date,
    until_day: date,
    customer_ids: Sequence[int] | None = None,
    rate_card_id: int | None = None,
    invoice_ids: Sequence[int] | None = None,
) -> PriceDifferences:
    """Hold the posted charges of usage of `from_day` up to, without, `until_day` against the prices of now.

    Of these customers, of those that were billed by a rate card, on these invoices (None: of all). Where prices depend
    on the month's usage, of the whole months that the days lie in. Nothing is kept. Raises DifferencesRefused.
    """
    return _differences(asked_usage(from_day, until_day, customer_ids, rate_card_id), invoice_ids)


def _differences(usage: ChargedUsage, invoice_ids: Sequence[int] | None) -> PriceDifferences:
    with transaction.atomic():
        try:
            with connection.cursor() as cursor:
                find_differences(cursor, usage, invoice_ids)
                return _found(cursor)
        finally:
            transaction.set_rollback(True)


def differences_of_invoice(*, invoice_id: int) -> PriceDifferences:
    """Hold the charges of one posted invoice against the prices of now. Raises DifferencesRefused."""
    invoice = Invoice.objects.filter(id=invoice_id).first()
    if invoice is None or invoice.state != InvoiceState.POSTED:
        raise DifferencesRefused("There is no posted invoice with that id.", "invoice_id")
    days = UsageCharge.objects.filter(line__invoice=invoice).aggregate(
        first=Min("record__from_date"), last=Max("record__from_date")
    )
    if days["first"] is None:
        return PriceDifferences((), 0, (), 0, 0)
    # Wherever on earth: a day more on either side. Of one customer it may be any time, for late usage may be of any.
    usage = ChargedUsage(
        from_day=days["first"].date() - timedelta(days=1),
        until_day=days["last"].date() + timedelta(days=2),
        customer_ids=[invoice.customer_id],
        is_posted=True,
    )
    return _differences(usage, [invoice_id])


def asked_usage(
    from_day: date, until_day: date, customer_ids: Sequence[int] | None, rate_card_id: int | None
) -> ChargedUsage:
    """Which usage is asked about. Raises DifferencesRefused."""
    days = (until_day - from_day).days
    if days <= 0:
        raise DifferencesRefused("The period ends before it begins.", "until_day")
    if days > LONGEST_DAYS:
        raise DifferencesRefused(f"The period has {days} days: ask for {LONGEST_DAYS} at most.", "until_day")
    return ChargedUsage(
        from_day=from_day,
        until_day=until_day,
        customer_ids=customer_ids,
        listed_card_id=rate_card_id,
        is_posted=True,
    )


def find_differences(cursor: CursorWrapper, usage: ChargedUsage, invoice_ids: Sequence[int] | None) -> None:
    """Put what differs into the temporary table `difference`."""
    gather_charged(cursor, usage)
    cursor.execute(sql("differences"))
    for _ in rate_again(cursor, usage):
        cursor.execute(sql("found"), {"invoice_ids": None if invoice_ids is None else list(invoice_ids)})
    cursor.execute("ANALYZE difference")


def customers_with_differences(cursor: CursorWrapper, *, limit: int | None) -> tuple[CustomerDifference, ...]:
    """Those in the temporary table `difference`."""
    cursor.execute(sql("by_customer"), {"limit": limit})
    return tuple(CustomerDifference(*row) for row in cursor.fetchall())


def _found(cursor: CursorWrapper) -> PriceDifferences:
    cursor.execute(
        "SELECT count(DISTINCT customer_id), count(*), count(*) FILTER (WHERE amount IS NULL)"
        " FROM difference WHERE NOT is_moved"
    )
    customer_count, record_count, unpriced_count = cursor.fetchone()
    cursor.execute(sql("by_record"), {"limit": SHOWN_RECORDS})
    records = tuple(RecordDifference(*row) for row in cursor.fetchall())
    return PriceDifferences(
        customers=customers_with_differences(cursor, limit=SHOWN_CUSTOMERS),
        customer_count=customer_count,
        records=records,
        record_count=record_count,
        unpriced_count=unpriced_count,
    )


def sql(step: str) -> str:
    """A statement on differences and corrections."""
    return (SQL / f"{step}.sql").read_text()
