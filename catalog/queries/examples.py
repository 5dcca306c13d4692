"""The examples of price lists, tried by the pricing engine: as the prices are on a day, or as a deck would make them.

An example says what a use at a time of the week costs. One of the past is tried at the same time of the week in the
week from the day on, past public holidays if its own day is none: a price that has changed since is found. One of later
is tried at its own time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import catalog.engine.rates as engine
from catalog.engine.counted import Count
from catalog.engine.money import exact_sum
from catalog.engine.pricing import PricedUse, price_use
from catalog.engine.quantities import billed_quantity
from catalog.engine.rates import SPLIT, Card
from catalog.engine.selection import Selection, Use, counted_month, digits_of, select_rate
from catalog.engine.wording import plain
from catalog.models import RateDeck, RateExample
from catalog.queries.example_rates import Offered, rates_of_examples
from catalog.queries.pricing import LONGEST_PREFIX, engine_cards

ONE_WEEK = timedelta(weeks=1)
# Public holidays do not fall on the same day of so many weeks in a row.
WEEKS_TRIED = 10
# A use that lasts longer than a year is none whose quantity is its seconds.
LONGEST = 366 * 24 * 3600


@dataclass(frozen=True, slots=True)
class ExampleOutcome:
    """What an example costs, None where nothing prices it, and whether that is what it says; `sentence` says both."""

    example: RateExample
    amount: Decimal | None
    is_right: bool
    explanation: tuple[str, ...]
    sentence: str


def run_examples(*, rate_card_id: int, on: date) -> list[ExampleOutcome]:
    """The outcome of each example of a card by its prices of a day, in the order of their ids."""
    return examples_of_cards(rate_card_ids=[rate_card_id], on=on)


def examples_of_cards(*, rate_card_ids: Collection[int], on: date) -> list[ExampleOutcome]:
    """The outcomes of the examples of several cards, each by its own card alone; as many queries as for one."""
    return _outcomes(rate_card_ids, on, None)


def examples_with_deck(*, deck_id: int) -> list[ExampleOutcome]:
    """The outcomes of a card's examples on the day from which a deck holds, were it activated.

    Raises `RateDeck.DoesNotExist`.
    """
    deck = RateDeck.objects.get(id=deck_id)
    return _outcomes([deck.rate_card_id], deck.starts_on, deck)


def example_in_words(example: RateExample) -> str:
    """What an example is of: "60 to 447700900123 on Monday 2026-01-05 09:00 (Europe/Berlin)"."""
    return _in_words(example, example.used_at, ZoneInfo(example.timezone))


def _outcomes(rate_card_ids: Collection[int], on: date, deck: RateDeck | None) -> list[ExampleOutcome]:
    examples = list(
        RateExample.objects.filter(rate_card_id__in=rate_card_ids)
        .select_related("product", "rate_card")
        .order_by("rate_card__name", "id")
    )
    if not examples:
        return []
    years = {example.used_at.year for example in examples} | {on.year}
    near = {year + step for year in years for step in (-1, 0, 1)}
    cards = {card.id: card for card in engine_cards(sorted({e.rate_card_id for e in examples}), years=near)}
    rates = rates_of_examples(examples, deck)
    return [_outcome(example, cards[example.rate_card_id], rates, on) for example in examples]


def _outcome(example: RateExample, card: Card, rates: Offered, on: date) -> ExampleOutcome:
    use = _use_of(example, card, on)
    digits = digits_of(use.destination)
    offered = [
        rate
        for region in {use.region, ""}
        for length in range(min(len(digits), LONGEST_PREFIX) + 1)
        for rate in rates.get((example.product_id, region, digits[:length]), ())
        if rate.card_id == card.id
    ]
    selection = select_rate([card], offered, use)
    priced = _priced(use, selection, offered, example.quantity_before)
    what = _in_words(example, use.started_at, ZoneInfo(example.timezone))
    currency, expected = example.rate_card.currency_id, plain(example.amount)
    if priced is None:
        sentence = f"{what} is to cost {expected} {currency}, and has no price."
        return ExampleOutcome(example, None, is_right=False, explanation=selection.explanation, sentence=sentence)
    is_right = priced.amount == example.amount
    costs = plain(priced.amount)
    sentence = (
        f"{what} costs {costs} {currency}."
        if is_right
        else f"{what} is to cost {expected} {currency}, and costs {costs} {currency}."
    )
    explanation = tuple(_of_the_deck(text) for text in priced.explanation)
    return ExampleOutcome(example, priced.amount, is_right, explanation, sentence)


def _use_of(example: RateExample, card: Card, on: date) -> Use:
    started_at = _moved(example, card, on)
    seconds = example.quantity if example.duration_seconds is None else Decimal(example.duration_seconds)
    has_length = card.band_rule == SPLIT and 0 < seconds <= LONGEST
    return Use(
        product=example.product.code,
        started_at=started_at,
        timezone=example.timezone,
        quantity=example.quantity,
        region=example.region,
        destination=example.destination,
        ended_at=started_at + timedelta(microseconds=int(seconds * 1_000_000)) if has_length else None,
    )


def _moved(example: RateExample, card: Card, on: date) -> datetime:
    """When an example is tried: its own instant if that is on the day or later, else the same time of a later week."""
    # The day of the customer decides on the version; the clock of the card on the band.
    used_on = example.used_at.astimezone(ZoneInfo(example.timezone)).date()
    if used_on >= on:
        return example.used_at
    local = example.used_at.astimezone(ZoneInfo(card.timezone or example.timezone))
    weeks = -((used_on - on) // ONE_WEEK)
    moved = [local + ONE_WEEK * (weeks + further) for further in range(WEEKS_TRIED)]
    is_holiday = local.date() in card.holidays
    alike = [moment for moment in moved if is_holiday or moment.date() not in card.holidays]
    if is_holiday:
        # The next public holiday that is known, else its own.
        days = sorted(day for day in card.holidays if day >= on)
        return local.replace(year=days[0].year, month=days[0].month, day=days[0].day) if days else example.used_at
    return alike[0] if alike else moved[0]


def _priced(use: Use, selection: Selection, offered: list[engine.Rate], before: Decimal) -> PricedUse | None:
    rate = selection.rate
    if rate is None:
        return None
    count = None
    if rate.is_counted:
        count = Count(
            before=before,
            total=exact_sum([before, billed_quantity(use.quantity, rate)]),
            included=rate.included_quantity,
            counted_month=counted_month(use),
        )
    try:
        return price_use(use, selection, rates=offered, count=count)
    except (ArithmeticError, ValueError):
        # More digits than an amount has.
        return None


def _of_the_deck(sentence: str) -> str:
    """A sentence that names a line of a deck in place of a rate, in words."""
    return sentence.replace("Rate -", "New rate, line id ").replace("rate -", "new rate, line id ")


def _in_words(example: RateExample, at: datetime, zone: ZoneInfo) -> str:
    to = f" to {example.destination}" if example.destination else ""
    region = f" in {example.region}" if example.region else ""
    before = f", after {plain(example.quantity_before)} in the month" if example.quantity_before else ""
    what = f"{plain(example.quantity)} of {example.product.code}{to}{region}"
    return f"{what} on {at.astimezone(zone):%A %Y-%m-%d %H:%M} ({zone.key}){before}"
