"""What makes a run's invoices differ from those before: volume, price, mix, one-off charges and tax.

Each document of the run, draft or posted, is held against the customer's last posted one in the currency whose period
ends before, or at the same time and was made before. A customer with nothing to bill now is there with its last
invoice; one without an earlier invoice differs by all of its first one. The parts of a difference add up exactly to the
difference of the totals:

- **tax** is the difference of the taxes, **one-off** that of the lines that are no usage (transactions of any kind).
- Usage is compared by product, region and usage type, with the amounts of its lines. Of each, Q is the quantity and A
  the amount, Q0 and A0 those before; within it, q, a, q0 and a0 are those by one price: a rule of a price list, of
  which versions follow one another. Its unit price before is a0 / q0. A rule that nothing was used by before has the
  unit price that it has now if it stood in the customer's price lists then, for that price was the same; else, as after
  a move to other lists, the average A0 / Q0.
- **volume** = (Q - Q0) x A0 / Q0: more or less at the average price before. What is used only now, or only before
  (no lines, or a Q0 of 0), is volume with its whole amount.
- **mix** = sum of q x unit price before - Q x A0 / Q0: what the average price before changes by, because other rates
  were used more, or less.
- **price** = sum of q x (unit price now - unit price before): the rest, A - A0 - volume - mix. Of a quantity of 0 on
  both sides, fees alone, all is price.

Volume, price and mix are summed exactly and rounded to the currency's minor units; what rounding leaves over goes to
the largest of them, without its sign, the first in the order volume, price, mix where two are alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

SQL = Path(__file__).parent / "sql" / "comparison"
ROWS_AT_ONCE = 2_000
COUNT = "SELECT count(*) FROM ({pairs}) p"
SUMS = """
SELECT currency_id, max(minor_units), count(*), sum(total), sum(total_before), sum(difference), sum(volume), sum(price),
  sum(mix), sum(one_off), sum(tax)
FROM ({comparison}) c GROUP BY currency_id ORDER BY currency_id
"""


@dataclass(frozen=True, slots=True)
class ComparedAccount:
    """One account of a run beside the customer's last invoice, in `currency`. Largest difference first, by its amount.

    `invoice_id` is None where there is nothing to bill, `before_id` where there is no earlier invoice; numbers are
    empty where there is none. difference = total - total_before = volume + price + mix + one_off + tax.
    """

    account_id: int
    customer_id: int
    account_number: str
    customer_name: str
    outcome: str
    held_for: str
    currency: str
    minor_units: int
    invoice_id: int | None
    number: str
    before_id: int | None
    before_number: str
    total: Decimal
    total_before: Decimal
    difference: Decimal
    volume: Decimal
    price: Decimal
    mix: Decimal
    one_off: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class ComparisonSums:
    """All accounts of a run in one currency: how many there are, and the sums of what they show."""

    currency: str
    minor_units: int
    account_count: int
    total: Decimal
    total_before: Decimal
    difference: Decimal
    volume: Decimal
    price: Decimal
    mix: Decimal
    one_off: Decimal
    tax: Decimal


def comparison_page(
    *, run_id: int, limit: int, after_id: int | None = None, currency: str | None = None
) -> tuple[list[ComparedAccount], bool]:
    """The accounts behind the account `after_id` (None: from the first on), and whether there are more.

    Only those in `currency`, if given. An `after_id` that is not among them has nothing behind it.
    """
    with _hashed() as cursor:
        cursor.execute(_sql(), _parameters(run_id, limit=limit + 1, after_id=after_id, currency=currency))
        rows = [ComparedAccount(*row) for row in cursor.fetchall()]
    return rows[:limit], len(rows) > limit


def comparison_rows(*, run_id: int, currency: str | None = None) -> Iterator[ComparedAccount]:
    """All accounts, one after the other, of which no more than some thousand are held. Inside a transaction."""
    with connection.chunked_cursor() as cursor:
        with _hashed():
            cursor.execute(_sql(), _parameters(run_id, currency=currency))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from (ComparedAccount(*row) for row in rows)


def comparison_sums(*, run_id: int) -> list[ComparisonSums]:
    """The sums over all accounts of a run, by currency."""
    with _hashed() as cursor:
        cursor.execute(SUMS.replace("{comparison}", _sql()), _parameters(run_id))
        return [ComparisonSums(*row) for row in cursor.fetchall()]


def comparison_count(*, run_id: int, currency: str | None = None) -> int:
    """How many accounts of a run there are to compare."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT.replace("{pairs}", _pairs()), _parameters(run_id, currency=currency))
        return int(cursor.fetchone()[0])


@contextmanager
def _hashed() -> Iterator[CursorWrapper]:
    """A cursor whose statements are planned with sets hashed: how large they get, the planner takes for a few rows."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_nestloop', 'off', true)")
        yield cursor
        cursor.execute("SELECT set_config('enable_nestloop', 'on', true)")


def _sql() -> str:
    return (SQL / "parts.sql").read_text().replace("{pairs}", _pairs())


def _pairs() -> str:
    return (SQL / "pairs.sql").read_text()


def _parameters(
    run_id: int, *, limit: int | None = None, after_id: int | None = None, currency: str | None = None
) -> dict[str, Any]:
    return {"run_id": run_id, "limit": limit, "after_id": after_id, "currency": currency}
