"""Rating: which rate prices each use, and what the use costs by it. Sets of uses, a handful of statements.

What it does is told in docs/domain.md; `catalog.engine` does the same for one use, and tests hold the two together.
The uses stand in the temporary table `taken`; their charges come out in `rated`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from django.db.backends.utils import CursorWrapper

SQL = Path(__file__).parent / "sql" / "rating"
TEMPORARY_TABLES = (
    *("price_key", "price_offer", "price_turn", "price_choice", "found", "part", "found_part", "parted"),
    *("rated", "counted", "counter"),
)
TERMS = (
    *("prefix_length", "unit_price", "unit_size", "connection_fee", "minimum_quantity", "first_increment"),
    *("increment", "minimum_charge", "maximum_charge", "rounding_digits", "rounding_mode", "start_date"),
    *("is_counted", "is_split"),
)


class Prices(Protocol):
    """Whose prices are laid out, and as of when: a billing run's, or those of who rates again.

    `pk` is what they are laid out under; `snapshot` is PostgreSQL's: prices that were committed later are not seen.
    """

    @property
    def pk(self) -> int: ...

    @property
    def snapshot(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """Prices that a transaction lays out for itself, and forgets again (`forget_prices`): of no run."""

    pk: int
    snapshot: str


@dataclass(frozen=True, slots=True)
class Search:
    """One way of looking for rates: among the cards that come at one turn, in lists of one kind.

    `kind` is "known" (one list with one rate), "prefixes" (one list) or "several" lists. By rates that are all plain a
    use gets its charge at once (`is_direct`). Then what the cards of the turn have: prices by time band, public
    holidays, a time zone of their own. Lists of prefixes are kept in pages.
    """

    turn: int
    is_direct: bool
    kind: str
    has_bands: bool
    has_holidays: bool
    has_zones: bool
    list_ids: Sequence[int]
    page_count: int

    @property
    def parameters(self) -> dict[str, Any]:
        """What its statement is given."""
        return {"turn": self.turn, "kind": self.kind, "is_direct": self.is_direct, "list_ids": self.list_ids}

    @contextmanager
    def planned(self, cursor: CursorWrapper, *, uses: int) -> Iterator[None]:
        """Pages are read once where there are no more of them than uses, and looked up one by one where there are.

        The planner is told: how many uses each step of such a search finds, it takes for a few.
        """
        if self.kind != "prefixes" or uses < self.page_count:
            yield
            return
        cursor.execute("SELECT set_config('enable_nestloop', 'off', true)")
        yield
        cursor.execute("SELECT set_config('enable_nestloop', 'on', true)")


# What earlier turns have not found.
NOT_YET = "".join(
    f" AND NOT EXISTS (SELECT FROM {done} d WHERE d.record_id = u.record_id)" for done in ("found", "rated")
)
# What becomes part of a charge.
USE_COLUMNS = (
    "u.account_id, u.customer_id, u.record_id, u.pending_row, u.posted_in, u.product_id, u.region, u.usage_type_id,"
    " u.late_period, u.quantity"
)
# By the way of looking for rates: what has the terms, and the rate.
FOUND_BY = {
    "known": ("c", "c.rate_id"),
    "prefixes": ("r", "g.rate_ids[width_bucket(u.code, g.starts)]"),
    "several": ("r", "r.rate_id"),
}
RAISED = "greatest(abs(f.quantity), f.minimum_quantity)"
# What is billed of a use: raised to the minimum, then to the first increment, then by whole increments.
BILLED = f"""CASE
    WHEN f.quantity = 0 THEN 0
    WHEN f.first_increment IS NULL THEN {RAISED}
    WHEN {RAISED} <= f.first_increment THEN f.first_increment
    WHEN f.increment IS NULL OR mod({RAISED} - f.first_increment, f.increment) = 0 THEN {RAISED}
    ELSE {RAISED} + f.increment - mod({RAISED} - f.first_increment, f.increment)
  END"""


def _quotient(dividend: str, divisor: str) -> str:
    """Exact to 18 decimals, rounded once, half away from zero: not every quotient is a decimal fraction."""
    return (
        f"CASE WHEN {divisor} = 1 THEN round({dividend}, 18) ELSE sign({dividend})"
        f" * div(abs({dividend}) * 2000000000000000000 + {divisor}, 2 * {divisor}) * 0.000000000000000001 END"
    )


def _rounded(amount: str) -> str:
    return (
        f"CASE WHEN rounding_digits IS NULL THEN {amount}"
        f" ELSE tollbook_round_amount({amount}, rounding_digits, rounding_mode) END"
    )


def _cumulative(quantity: str) -> str:
    """What a month's quantity costs by a counted rate, rounded as the rate says; of a negative one, negative."""
    paid = f"greatest(0, abs({quantity}) - included)"
    step = f"width_bucket({paid}, froms)"
    blocks = f"div({paid}, unit_size) + CASE WHEN mod({paid}, unit_size) > 0 THEN 1 ELSE 0 END"
    exact = f"""CASE pricing_model
      WHEN 'perUnit' THEN {_quotient(f"({paid} * unit_price)", "unit_size")}
      WHEN 'graduated' THEN {_quotient(f"(befores[{step}] + ({paid} - froms[{step}]) * prices[{step}])", "unit_size")}
      WHEN 'volume' THEN {_quotient(f"({paid} * volume_price)", "unit_size")}
      WHEN 'package' THEN ({blocks}) * unit_price
    END"""
    return f"CASE WHEN {quantity} < 0 THEN -({_rounded(exact)}) ELSE {_rounded(exact)} END"


def _terms(alias: str) -> str:
    return ", ".join(f"{alias}.{term}" for term in TERMS)


FRAGMENTS = {
    "billed": BILLED,
    "terms": _terms("p"),
    "found_terms": _terms("r"),
    "prorated": _quotient("(n.included_whole * (n.month + d.days - n.begins))", "d.days"),
    "rounded_fee": _rounded("connection_fee"),
    "amount_at_start": _cumulative("n.before"),
    "amount_after": _cumulative("q.quantity_after"),
    "rounded": _rounded("(exact + connection_fee)"),
    "part_quantity": _quotient("(quantity * micros)", "whole_micros"),
    "exact_share": _quotient("(share * unit_price)", "unit_size"),
}


def prepare_prices(
    cursor: CursorWrapper,
    *,
    run: Prices,
    from_day: date,
    until_day: date,
    card_ids: Sequence[int] | None = None,
    product_ids: Sequence[int] | None = None,
) -> None:
    """Lay the prices of a run's price lists out for days from `from_day` on and before `until_day`, where they are not.

    Once for a run: whoever comes second waits for the first. `card_ids` and `product_ids` are those wanted, all of the
    run if not given; whoever gives them forgets the prices before anybody else sees them.
    """
    parameters: dict[str, Any] = {"run_id": run.pk, "from_day": from_day, "until_day": until_day}
    cursor.execute(_sql("window"), parameters)
    if cursor.fetchone() is not None:
        return
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('price_window'), %s)", [run.pk])
    cursor.execute(_sql("window"), parameters)
    if cursor.fetchone() is not None:
        return
    cursor.execute("DELETE FROM price_window WHERE run_id = %s RETURNING from_day, until_day", [run.pk])
    for earlier_from, earlier_until in cursor.fetchall():
        parameters["from_day"] = min(parameters["from_day"], earlier_from)
        parameters["until_day"] = max(parameters["until_day"], earlier_until)
    if card_ids is None:
        cursor.execute(
            "SELECT array_agg(DISTINCT c) FROM run_account, unnest(rate_card_ids) c WHERE run_id = %s", [run.pk]
        )
        card_ids = cursor.fetchone()[0] or []
    forget_prices(cursor, run_id=run.pk)
    parameters |= {"card_ids": list(card_ids), "product_ids": product_ids, "snapshot": run.snapshot}
    cursor.execute(_sql("prepare"), parameters)


def own_prices(cursor: CursorWrapper, *, snapshot: str) -> OwnPrices:
    """Those of a snapshot, under a number that no run has and no other transaction at the same time."""
    cursor.execute("SELECT -1 - (pg_current_xact_id()::text::bigint %% 2000000000)", [])
    return OwnPrices(pk=cursor.fetchone()[0], snapshot=snapshot)


def forget_prices(cursor: CursorWrapper, *, run_id: int) -> None:
    """Remove what was prepared for a run."""
    cursor.execute(_sql("forget"), {"run_id": run_id})


def rate_taken(
    cursor: CursorWrapper, *, run: Prices, attempt: int, card_ids: Sequence[int] | None = None, is_afresh: bool = False
) -> None:
    """Price the uses in the temporary table `taken`; `rated` has what becomes of each.

    `is_afresh`: where prices depend on the month's usage, it is counted from 0, without what is charged already.
    """
    parameters: dict[str, Any] = {"run_id": run.pk, "snapshot": run.snapshot, "attempt": attempt}
    parameters["is_afresh"] = is_afresh
    cursor.execute(_sql("keys"), parameters)
    cursor.execute(
        "SELECT min(used_on), max(used_on) + 1, array_agg(DISTINCT product_id), coalesce(sum(use_count), 0)"
        " FROM price_key"
    )
    from_day, until_day, product_ids, uses = cursor.fetchone()
    if from_day is not None:
        prepare_prices(
            cursor,
            run=run,
            from_day=from_day,
            until_day=until_day,
            card_ids=card_ids,
            product_ids=None if card_ids is None else product_ids,
        )
    for step in ("offers", "found", "rated"):
        cursor.execute(_sql(step), parameters)
    rated = _search(cursor, parameters, uses=int(uses))
    cursor.execute("SELECT EXISTS (SELECT FROM taken WHERE own_amount IS NOT NULL)")
    if rated < uses or cursor.fetchone()[0]:
        cursor.execute(_sql("rest"), parameters)


def _search(cursor: CursorWrapper, parameters: dict[str, Any], *, uses: int) -> int:
    """Find the rates, turn by turn, and charge the uses by them. `uses`: how many; gives back how many were charged."""
    cursor.execute(_sql("searches"))
    searches = [Search(*row) for row in cursor.fetchall()]
    left, rated = uses, 0
    for search in searches:
        if not left:
            break
        wanted = f"u.own_amount IS NULL{NOT_YET if search.turn > 1 else ''}"
        if search.is_direct:
            found = _find(search, wanted=wanted, columns=USE_COLUMNS)
            with search.planned(cursor, uses=left):
                charged = _rate(cursor, parameters | search.parameters, found=found)
            rated += charged
            left -= charged
        else:
            found = _find(search, wanted=wanted, columns=f"u.*, {search.turn}")
            with search.planned(cursor, uses=left):
                cursor.execute(f"INSERT INTO found {found}", parameters | search.parameters)
                left -= int(cursor.rowcount)
    if not all(search.is_direct for search in searches):
        rated += _rate_found(cursor, parameters, searches)
    return rated


def _rate_found(cursor: CursorWrapper, parameters: dict[str, Any], searches: Sequence[Search]) -> int:
    """Charge the uses in `found`: what is split, part by part; what is counted, month by month. Gives back how many."""
    cursor.execute("SELECT bool_or(is_split AND NOT is_counted AND ended_at > moment), bool_or(is_counted) FROM found")
    has_parts, has_counted = cursor.fetchone()
    if has_parts:
        cursor.execute(_sql("parts"))
        for search in searches:
            columns = f"u.record_id, u.part, {search.turn}"
            parts = _find(search, wanted="u.turn = %(turn)s", uses="part", columns=columns)
            cursor.execute(f"INSERT INTO found_part {parts}", parameters | search.parameters)
        cursor.execute(_sql("split"))
    rated = _rate(cursor, parameters, found="SELECT * FROM found WHERE NOT is_counted", has_parts=bool(has_parts))
    if has_counted:
        cursor.execute(_sql("count"), parameters)
        rated += int(cursor.rowcount)
    return rated


def _rate(cursor: CursorWrapper, parameters: dict[str, Any], *, found: str, has_parts: bool = False) -> int:
    exact = _quotient("(billed * unit_price)", "unit_size")
    fragments = {"found": found, "exact": exact, "parted": ""}
    if has_parts:
        fragments |= {"exact": f"coalesce(parted.exact, {exact})", "parted": "LEFT JOIN parted USING (record_id)"}
    cursor.execute(_sql("rate", **fragments), parameters)
    return int(cursor.rowcount)


def drop_rating_tables(cursor: CursorWrapper) -> None:
    """Leave no temporary table of rating behind."""
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(TEMPORARY_TABLES)}")


def _find(search: Search, *, wanted: str, columns: str, uses: str = "taken") -> str:
    """The statement that gives each of the uses wanted with the terms of its rate, where the search finds one."""
    local = "CASE t.timezone WHEN '' THEN u.local ELSE u.moment AT TIME ZONE t.timezone END"
    moment = ""
    if search.has_bands:
        step = "moment_with_holidays" if search.has_holidays else "moment"
        moment = _sql(step, local=local if search.has_zones else "u.local")
    terms, rate_id = FOUND_BY[search.kind]
    return _sql(
        "find",
        uses=uses,
        columns=columns,
        moment=moment,
        slot="h.slot_id" if search.has_bands else "0",
        rate="" if search.kind == "known" else _sql(search.kind),
        rate_id=rate_id,
        terms=_terms(terms),
        wanted=wanted,
    )


def use_sql() -> str:
    """The columns of a record `r` of the account `i` as a use that is rated; `%` as in a statement with parameters."""
    return (SQL / "use.sql").read_text()


def _sql(step: str, **fragments: str) -> str:
    return (SQL / f"{step}.sql").read_text().format_map(FRAGMENTS | fragments)
