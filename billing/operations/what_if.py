"""What a past period would have come to with another price list in place. Nothing is kept.

The period is rated again as a whole, by the prices of now, in a transaction that is rolled back. Each customer has the
price lists that it was billed by, with one put first or in the place of another: so nothing but that list, and what was
corrected in the others, makes a difference.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from billing.operations.rated_again import LONGEST_DAYS, ChargedUsage, gather_charged, rate_again
from catalog.models import RateCard
from usage.models import UsageDataRecord

SQL = Path(__file__).parent / "sql" / "what_if"
SHOWN_CUSTOMERS = 50
FETCHED_ROWS = 1_000


class WhatIfRefused(Exception):
    """The question makes no sense; the message says why, `field` which part of it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class ProductRevenue:
    """What usage of one product was charged and what it would be, exactly, and how many records."""

    product_id: int
    code: str
    name: str
    record_count: int
    now: Decimal
    then: Decimal
    difference: Decimal


@dataclass(frozen=True, slots=True)
class CustomerRevenue:
    """What one customer was charged and what it would be, exactly, and for how many records."""

    customer_id: int
    account_number: str
    name: str
    record_count: int
    now: Decimal
    then: Decimal
    difference: Decimal


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Revenue as charged (`now`) and with the price list in place (`then`), exact, without tax, in `currency`.

    `products` have the largest change first. `pays_more` and `pays_less` are the customers with the largest changes,
    the counts are of all. `unpriced_count` records would have no price: they are charged `unpriced_now` now.
    `other_currency_count` customers were billed in other currencies and are left out.
    """

    currency: str
    customer_count: int
    record_count: int
    now: Decimal
    then: Decimal
    difference: Decimal
    products: tuple[ProductRevenue, ...]
    pays_more: tuple[CustomerRevenue, ...]
    pays_less: tuple[CustomerRevenue, ...]
    pays_more_count: int
    pays_less_count: int
    pays_the_same_count: int
    unpriced_count: int
    unpriced_now: Decimal
    first_unpriced: UsageDataRecord | None
    other_currency_count: int


def what_if(
    *,
    from_day: date,
    until_day: date,
    card_id: int,
    replaced_card_id: int | None = None,
    customer_ids: Sequence[int] | None = None,
    each_customer: Callable[[CustomerRevenue], None] | None = None,
) -> WhatIf:
    """Rate the charged usage of `from_day` up to, without, `until_day` again with a price list in place.

    It is put first among the lists of the customers (None: of all), or in the place of another for those that have that
    one. `each_customer` is called with every customer, those first who would pay more; no more of them are held than
    are shown. Usage on drafts is in it, pending usage is not. Raises WhatIfRefused.
    """
    card = _checked(from_day, until_day, card_id, replaced_card_id)
    usage = ChargedUsage(
        from_day=from_day,
        until_day=until_day,
        customer_ids=customer_ids,
        card_id=card_id,
        replaced_card_id=replaced_card_id,
        listed_card_id=replaced_card_id,
        currency=card.currency_id,
    )
    with transaction.atomic():
        try:
            with connection.cursor() as cursor:
                return _asked(cursor, usage, card.currency_id, each_customer)
        finally:
            transaction.set_rollback(True)


def _checked(from_day: date, until_day: date, card_id: int, replaced_card_id: int | None) -> RateCard:
    if until_day <= from_day:
        raise WhatIfRefused("The period ends before it begins.", "until_day")
    if (until_day - from_day).days > LONGEST_DAYS:
        raise WhatIfRefused(
            f"The period has {(until_day - from_day).days} days: ask for {LONGEST_DAYS} at most.", "until_day"
        )
    card = RateCard.objects.filter(id=card_id).first()
    if card is None:
        raise WhatIfRefused(f"There is no rate card with the id {card_id}.", "card_id")
    if replaced_card_id == card_id:
        raise WhatIfRefused(f"{card.name} would take its own place: choose two rate cards.", "replaced_card_id")
    if replaced_card_id is not None:
        replaced = RateCard.objects.filter(id=replaced_card_id).first()
        if replaced is None:
            raise WhatIfRefused(f"There is no rate card with the id {replaced_card_id}.", "replaced_card_id")
        if replaced.currency_id != card.currency_id:
            raise WhatIfRefused(
                f"{replaced.name} is in {replaced.currency_id} and {card.name} in {card.currency_id}: one cannot take "
                "the other's place.",
                "replaced_card_id",
            )
    return card


def _asked(
    cursor: CursorWrapper,
    usage: ChargedUsage,
    currency: str,
    each_customer: Callable[[CustomerRevenue], None] | None,
) -> WhatIf:
    gather_charged(cursor, usage)
    other_currency_count = 0
    if usage.listed_card_id is None:
        days: dict[str, Any] = {"currency": currency, "from_day": usage.from_day, "until_day": usage.until_day}
        cursor.execute(_sql("other_currencies"), days)
        (other_currency_count,) = cursor.fetchone()
    cursor.execute(_sql("gathered"))
    for _ in rate_again(cursor, usage):
        cursor.execute(_sql("added"))
    if each_customer is not None:
        _tell(cursor, each_customer)
    cursor.execute(_sql("totals"))
    customer_count, record_count, now, then, difference, unpriced_count, unpriced_now, first = cursor.fetchone()
    cursor.execute(_sql("sides"))
    more, less, same = cursor.fetchone()
    cursor.execute(_sql("products"))
    products = tuple(ProductRevenue(*row) for row in cursor.fetchall())
    return WhatIf(
        currency=currency,
        customer_count=customer_count,
        record_count=record_count,
        now=now,
        then=then,
        difference=difference,
        products=products,
        pays_more=_customers(cursor, sign=1),
        pays_less=_customers(cursor, sign=-1),
        pays_more_count=more,
        pays_less_count=less,
        pays_the_same_count=same,
        unpriced_count=unpriced_count,
        unpriced_now=unpriced_now,
        first_unpriced=first and UsageDataRecord.objects.select_related("customer", "product").get(id=first),
        other_currency_count=other_currency_count,
    )


def _customers(cursor: CursorWrapper, *, sign: int) -> tuple[CustomerRevenue, ...]:
    cursor.execute(_sql("customers"), {"sign": sign, "is_all": False, "limit": SHOWN_CUSTOMERS})
    return tuple(CustomerRevenue(*row) for row in cursor.fetchall())


def _tell(cursor: CursorWrapper, each_customer: Callable[[CustomerRevenue], None]) -> None:
    """All customers, some at a time: the server holds the rest."""
    parameters: dict[str, Any] = {"sign": 1, "is_all": True, "limit": None}
    cursor.execute(f"DECLARE each_customer CURSOR FOR {_sql('customers')}", parameters)
    while True:
        cursor.execute(f"FETCH {FETCHED_ROWS} FROM each_customer")
        rows = cursor.fetchall()
        for row in rows:
            each_customer(CustomerRevenue(*row))
        if len(rows) < FETCHED_ROWS:
            break
    cursor.execute("CLOSE each_customer")


def _sql(step: str) -> str:
    return (SQL / f"{step}.sql").read_text()
