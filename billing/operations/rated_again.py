"""Charged usage rated again, by the prices of now: what a price correction changes, what another price list would.

By the SQL of rating itself, in the caller's transaction. Where prices depend on the usage of a month, it is counted
afresh for the whole months that the days lie in, over everything charged in them that stands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db.backends.utils import CursorWrapper

from billing.operations.production import prepare_session
from billing.operations.rating import (
    drop_rating_tables,
    forget_prices,
    own_prices,
    prepare_prices,
    rate_taken,
    use_sql,
)
from billing.operations.runs import current_snapshot

SQL = Path(__file__).parent / "sql" / "rated_again"
CHUNK_RECORDS = 50_000
LONGEST_DAYS = 366
CHUNK_TABLES = ("taken", "compared")
TABLES = ("charged", "charged_line", "account", "customer_chunk")


@dataclass(frozen=True, slots=True)
class ChargedUsage:
    """Which usage: used from `from_day` on and before `until_day`, of these customers (None: of all).

    `card_id` is a price list that is put first among each customer's; with `replaced_card_id`, in the place of that
    one, for the customers that have it. `listed_card_id`: only customers that were billed by that list. `currency`:
    only what was billed in it. `is_posted`: only what is on posted invoices.
    """

    from_day: date
    until_day: date
    customer_ids: Sequence[int] | None = None
    card_id: int | None = None
    replaced_card_id: int | None = None
    listed_card_id: int | None = None
    currency: str | None = None
    is_posted: bool = False

    @property
    def month_from(self) -> date:
        """The first day of the first month."""
        return self.from_day.replace(day=1)

    @property
    def month_until(self) -> date:
        """The first day after the last month."""
        last = date.fromordinal(self.until_day.toordinal() - 1)
        return date(last.year + last.month // 12, last.month % 12 + 1, 1)


def gather_charged(cursor: CursorWrapper, usage: ChargedUsage) -> None:
    """Put the charges that stand into the temporary table `charged`, with their accounts and documents."""
    prepare_session()
    cursor.execute(_sql("charged"), _parameters(usage))


def rate_again(cursor: CursorWrapper, usage: ChargedUsage) -> Iterator[None]:
    """Rate what was gathered, some customers at a time; each time `compared` has what was charged and what would be.

    The prices are those of now. Leaves no temporary table behind once all is rated.
    """
    parameters = _parameters(usage)
    cursor.execute("SELECT array_agg(DISTINCT c) FROM account, unnest(rate_card_ids) c")
    card_ids = cursor.fetchone()[0] or []
    prices = own_prices(cursor, snapshot=current_snapshot(cursor))
    prepare_prices(cursor, run=prices, from_day=usage.month_from, until_day=usage.month_until, card_ids=card_ids)
    cursor.execute("SELECT DISTINCT chunk FROM customer_chunk ORDER BY chunk")
    for (chunk,) in cursor.fetchall():
        cursor.execute(_sql("taken"), parameters | {"chunk": chunk})
        rate_taken(cursor, run=prices, attempt=0, card_ids=card_ids, is_afresh=True)
        cursor.execute(_sql("compared"), parameters)
        yield
        drop_rating_tables(cursor)
        cursor.execute(f"DROP TABLE {', '.join(CHUNK_TABLES)}")
    cursor.execute(f"DROP TABLE {', '.join(TABLES)}")
    forget_prices(cursor, run_id=prices.pk)


def _parameters(usage: ChargedUsage) -> dict[str, Any]:
    return {
        "from_day": usage.from_day,
        "until_day": usage.until_day,
        "month_from": usage.month_from,
        "month_until": usage.month_until,
        "customer_ids": None if usage.customer_ids is None else list(usage.customer_ids),
        "card_id": usage.card_id,
        "replaced_card_id": usage.replaced_card_id,
        "listed_card_id": usage.listed_card_id,
        "currency": usage.currency,
        "is_posted": usage.is_posted,
        "chunk_records": CHUNK_RECORDS,
    }


def _sql(step: str) -> str:
    return (SQL / f"{step}.sql").read_text().replace("{use}", use_sql())
