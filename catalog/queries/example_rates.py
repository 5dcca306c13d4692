"""The rates that examples of price lists may be priced by, lines of a rate deck among them, for the engine."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import catalog.engine.rates as engine
from catalog.choices import DeckLineOutcome
from catalog.engine.rates import Tier
from catalog.engine.selection import digits_of
from catalog.models import Rate, RateDeck, RateDeckLine, RateExample
from catalog.queries.pricing import HOURS, LONGEST_PREFIX, engine_band, engine_rate, with_terms

# By the product's id, region and prefix.
Offered = dict[tuple[int, str, str], list[engine.Rate]]


def rates_of_examples(examples: Sequence[RateExample], deck: RateDeck | None) -> Offered:
    """All versions of rates that may price the examples by their cards, with those that a deck would make of its lines.

    As many queries for many examples as for one.
    """
    digits = {digits_of(example.destination)[:LONGEST_PREFIX] for example in examples}
    asked: dict[str, Any] = {
        "product_id__in": {example.product_id for example in examples},
        "region__in": {example.region for example in examples} | {""},
        "destination_prefix__in": {text[:length] for text in digits for length in range(len(text) + 1)},
    }
    stored = Rate.objects.filter(rate_card_id__in={example.rate_card_id for example in examples}, **asked)
    rates = [(rate, engine_rate(rate)) for rate in with_terms(stored).order_by("id")]
    found: Offered = {}
    lines = _lines_for(deck, asked) if deck else []
    if deck:
        replaced = {_rule(line) for line in lines}
        rates = [
            (rate, _before(made, deck.starts_on) if _rule(rate) in replaced else made)
            for rate, made in rates
            if _rule(rate) not in replaced or rate.start_date != deck.starts_on
        ]
    for rate, made in rates:
        found.setdefault((rate.product_id, rate.region, rate.destination_prefix), []).append(made)
    for line in lines:
        if deck and line.outcome != DeckLineOutcome.CLOSED and line.product and line.unit_price is not None:
            found.setdefault((line.product.pk, line.region, line.destination_prefix), []).append(_as_rate(line, deck))
    return found


def _lines_for(deck: RateDeck, asked: dict[str, Any]) -> list[RateDeckLine]:
    outcomes = [DeckLineOutcome.NEW, DeckLineOutcome.CHANGED, DeckLineOutcome.CLOSED]
    lines = RateDeckLine.objects.filter(deck=deck, outcome__in=outcomes, **asked)
    return list(lines.select_related("product", "time_band").prefetch_related(HOURS).order_by("id"))


def _rule(row: Rate | RateDeckLine) -> tuple[int | None, str, str, int | None]:
    return row.product_id, row.region, row.destination_prefix, row.time_band_id


def _before(rate: engine.Rate, day: date) -> engine.Rate:
    """The rate with its end on the day, if it held then."""
    return replace(rate, end_date=day) if rate.holds(day) else rate


def _as_rate(line: RateDeckLine, deck: RateDeck) -> engine.Rate:
    """A line of a deck as the rate that it would become. It has no id yet: it gets one that no rate has, below 0."""
    return engine.Rate(
        id=-line.pk,
        card_id=deck.rate_card_id,
        card_name="",
        product=line.product.code if line.product else "",
        unit_price=line.unit_price or Decimal(0),
        start_date=deck.starts_on,
        end_date=line.end_date,
        region=line.region,
        destination_prefix=line.destination_prefix,
        destination_name=line.destination_name,
        band=engine_band(line.time_band) if line.time_band else None,
        pricing_model=line.pricing_model,
        unit_size=line.unit_size,
        connection_fee=line.connection_fee,
        minimum_quantity=line.minimum_quantity,
        first_increment=line.first_increment,
        increment=line.increment,
        minimum_charge=line.minimum_charge,
        maximum_charge=line.maximum_charge,
        included_quantity=line.included_quantity,
        counted_per=line.counted_per,
        tiers=_tiers(line.tiers),
        rounding_digits=line.rounding_digits,
        rounding_mode=line.rounding_mode,
    )


def _tiers(pairs: Iterable[Sequence[str]]) -> tuple[Tier, ...]:
    tiers = [Tier(Decimal(start), Decimal(price)) for start, price in pairs]
    return tuple(sorted(tiers, key=lambda tier: tier.from_quantity))
