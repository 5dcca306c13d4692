"""What is wrong, or looks so, with the prices of a rate card: as they hold on a day, or as a rate deck would make them.

Each rule is one statement over the same temporary tables (sql/lint/linted.sql), so that 100,000 prefixes take seconds.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from catalog.choices import Severity
from catalog.models import RateCard, RateDeck
from catalog.queries.findings import DAYS, SHOWN, Finding, counted, hours_in_words, in_order, place_of, where

SQL = Path(__file__).parent / "sql" / "lint"
TABLES = "lint_line, lint_held, linted, linted_tier, ended"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: the statement of its name finds rows, `says` is the sentence of one, `sums_up` that of so many."""

    name: str
    title: str
    sums_up: Callable[[int], str]
    says: Callable[[Row], str]


def _overlap(row: Row) -> str:
    day = DAYS[row["day"] - 1]
    return f"{where(row)}: {row['other']} holds too, on {day} from {row['from_time']} to {row['to_time']}."


def _uncovered(row: Row) -> str:
    is_priced = row["severity"] == Severity.WARNING
    instead = "a more general price holds then" if is_priced else "nothing prices them"
    return f"{where(row)}: {hours_in_words(row['hours'])}: {instead}."


def _hole(row: Row) -> str:
    more = row["priced_count"] - len(row["priced"])
    priced = ", ".join(row["priced"]) + (f" and {more:,} more" if more else "")
    have = "has a price" if row["priced_count"] == 1 else "have prices"
    region = f" in {row['region']}" if row["region"] else ""
    return f"{row['product']}{region}: {priced} {have}; other numbers that begin with {row['prefix']} have none."


def _off(row: Row) -> str:
    neighbours = "other regions" if row["is_by_region"] else f"{row['prefix'][:-1]}… beside it"
    return f"{where(row)} costs {row['price']}; the median of {neighbours} is {row['median']}."


RULES = (
    Rule(
        "overlapping_bands",
        "Time bands that overlap",
        lambda count: (
            f"{counted(count, 'price has', 'prices have')} two time bands that hold at the same time: "
            "the one that was written later counts then. Make bands that do not overlap."
        ),
        _overlap,
    ),
    Rule(
        "uncovered_hours",
        "Hours without a time band",
        lambda count: (
            f"{counted(count, 'destination has', 'destinations have')} prices by time band only, and the bands "
            "leave hours of the week out. Add a price without a time band, or bands for those hours."
        ),
        _uncovered,
    ),
    Rule(
        "holes",
        "Holes beside prefixes",
        lambda count: (
            f"{counted(count, 'prefix', 'prefixes')} of which some numbers have a price and others none. "
            "Add a price for the shorter prefix, if those destinations are to be reached."
        ),
        _hole,
    ),
    Rule(
        "tiers_never_reached",
        "Tiers that change nothing",
        lambda count: f"{counted(count, 'price has', 'prices have')} tiers that are never reached or change nothing.",
        lambda row: f"{where(row)}: {row['why']}.",
    ),
    Rule(
        "tiers_backwards",
        "Tiers that go backwards",
        lambda count: f"{counted(count, 'price has', 'prices have')} a tier that is dearer than the one below it.",
        lambda row: (
            f"{where(row)} costs {row['price_above']} above {row['from_quantity']}, and {row['price_below']} below."
        ),
    ),
    Rule(
        "ten_times_off",
        "Prices ten times off their neighbours",
        lambda count: (
            f"{counted(count, 'price is', 'prices are')} ten times what neighbours cost, or a tenth. "
            "Look for a decimal point in the wrong place."
        ),
        _off,
    ),
    Rule(
        "ten_times_before",
        "Prices ten times off what they were",
        lambda count: (
            f"{counted(count, 'price becomes', 'prices become')} ten times what it was, or a tenth. "
            "Look for a decimal point in the wrong place."
        ),
        lambda row: f"{where(row)} costs {row['price']}; before it costs {row['before']}.",
    ),
    Rule(
        "zero_prices",
        "Prices of nothing",
        lambda count: f"{counted(count, 'price is', 'prices are')} 0: uses of it cost nothing.",
        lambda row: f"{where(row)} costs 0.",
    ),
    Rule(
        "expired",
        "Prices that ended without a successor",
        lambda count: (
            f"{counted(count, 'price has', 'prices have')} ended, and nothing prices what it did. "
            "Add a version from that day on, if it is still sold."
        ),
        lambda row: f"{where(row)} held before {row['end_date']}; nothing of this card has priced it since.",
    ),
    Rule(
        "included_often",
        "Included quantities of many prices",
        lambda count: (
            f"{counted(count, 'product has', 'products have')} an included quantity at several prices. "
            "Each counts by itself: who uses all of them gets all of it."
        ),
        lambda row: f"{row['product']}: {row['rate_count']:,} prices include {row['together']} together.",
    ),
)


def lint_card(*, rate_card_id: int, on: date) -> list[Finding]:
    """What is wrong with the prices of a card that hold on a day. Raises `RateCard.DoesNotExist`."""
    return _findings(RateCard.objects.get(id=rate_card_id), None, on)


def lint_deck(*, deck_id: int) -> list[Finding]:
    """What would be wrong with a deck's card on the day from which the deck holds, were it activated.

    Raises `RateDeck.DoesNotExist`.
    """
    deck = RateDeck.objects.select_related("rate_card").get(id=deck_id)
    return _findings(deck.rate_card, deck.pk, deck.starts_on)


def _findings(card: RateCard, deck_id: int | None, on: date) -> list[Finding]:
    parameters = {
        "rate_card_id": card.pk,
        "deck_id": deck_id,
        "on": on,
        "has_holidays": bool(card.holiday_country),
        "shown": SHOWN,
    }
    with transaction.atomic(), closing(connection.cursor()) as cursor:
        # Statements of some tenths of a second: to compile them costs more than it gives.
        cursor.execute("SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)")
        cursor.execute((SQL / "linted.sql").read_text(), parameters)
        cursor.execute("SELECT EXISTS (SELECT FROM linted)")
        (has_prices,) = cursor.fetchone()
        found = [finding for rule in RULES for finding in _found_by(rule, cursor, parameters)]
        cursor.execute(f"DROP TABLE {TABLES}")
    if not has_prices:
        found.insert(0, _no_prices(card, on))
    return in_order(found)


def _found_by(rule: Rule, cursor: Any, parameters: Mapping[str, Any]) -> list[Finding]:
    statement = (SQL / "first.sql").read_text().replace("{rule}", (SQL / f"{rule.name}.sql").read_text())
    cursor.execute(statement, parameters)
    names = [description[0] for description in cursor.description]
    rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    by_severity = {severity: [row for row in rows if row["severity"] == severity] for severity in Severity}
    return [
        Finding(
            rule=rule.name,
            severity=severity,
            title=rule.title,
            sentence=rule.sums_up(of_it[0]["total_count"]),
            count=of_it[0]["total_count"],
            places=tuple(place_of(row, rule.says(row)) for row in of_it),
            line_count=of_it[0]["line_count"],
        )
        for severity, of_it in by_severity.items()
        if of_it
    ]


def _no_prices(card: RateCard, on: date) -> Finding:
    return Finding(
        rule="no_prices",
        severity=Severity.WARNING,
        title="No prices",
        sentence=f"No price of {card.name} holds on {on}. Add rates, or upload a list of them.",
        count=1,
    )
