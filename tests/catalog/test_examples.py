"""Examples of price lists, with what they cost computed by hand."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.choices import DeckLineOutcome
from catalog.models import Product, Rate, RateCard, RateDeck, RateDeckLine, RateExample
from catalog.queries.activation import activation_objections
from catalog.queries.examples import (
    ExampleOutcome,
    example_in_words,
    examples_of_cards,
    examples_with_deck,
    run_examples,
)
from tests.factories import (
    ProductFactory,
    PublicHolidayFactory,
    RateCardFactory,
    RateExampleFactory,
    RateFactory,
    RateTierFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
)

pytestmark = pytest.mark.django_db

ON = date(2026, 2, 1)


@pytest.fixture
def card() -> RateCard:
    return RateCardFactory(name="Retail")


@pytest.fixture
def call() -> Product:
    return ProductFactory(code="CALL")


def rate(card: RateCard, call: Product, unit_price: str, prefix: str = "4477", **fields: Any) -> Rate:
    given = {"rate_card": card, "product": call, "destination_prefix": prefix, "unit_price": Decimal(unit_price)}
    return RateFactory(**(given | fields))


def example(card: RateCard, call: Product, amount: str, **fields: Any) -> RateExample:
    return RateExampleFactory(rate_card=card, product=call, amount=Decimal(amount), **fields)


def only(card: RateCard, on: date = ON) -> ExampleOutcome:
    (outcome,) = run_examples(rate_card_id=card.pk, on=on)
    return outcome


def test_an_example_that_costs_what_it_says_is_right(card: RateCard, call: Product) -> None:
    # 60 s at 0.12 a minute: 60 x 0.12 / 60 = 0.12.
    rate(card, call, "0.12", unit_size=60)
    example(card, call, "0.12")
    outcome = only(card)
    assert (outcome.is_right, outcome.amount) == (True, Decimal("0.12"))
    assert outcome.sentence == "60 of CALL to 447700900123 on Monday 2026-02-02 09:00 (UTC) costs 0.12 USD."
    assert outcome.explanation[-1] == "Amount: 0.12."


def test_an_example_that_costs_something_else_is_wrong(card: RateCard, call: Product) -> None:
    # 61 s in steps of 60 are 120 s: 120 x 0.12 / 60 + 0.05 = 0.29.
    rate(card, call, "0.12", unit_size=60, increment=Decimal(60), connection_fee=Decimal("0.05"))
    example(card, call, "0.17", quantity=Decimal(61))
    outcome = only(card)
    assert (outcome.is_right, outcome.amount) == (False, Decimal("0.29"))
    assert outcome.sentence == (
        "61 of CALL to 447700900123 on Monday 2026-02-02 09:00 (UTC) is to cost 0.17 USD, and costs 0.29 USD."
    )


def test_an_example_without_a_price_is_wrong(card: RateCard, call: Product) -> None:
    rate(card, call, "0.12", prefix="49")
    example(card, call, "0.12")
    outcome = only(card)
    assert (outcome.is_right, outcome.amount) == (False, None)
    assert outcome.sentence == (
        "60 of CALL to 447700900123 on Monday 2026-02-02 09:00 (UTC) is to cost 0.12 USD, and has no price."
    )


def test_an_example_is_tried_by_its_own_card_alone(card: RateCard, call: Product) -> None:
    rate(card, call, "0.002")
    rate(RateCardFactory(is_default=True), call, "0.001", prefix="447700")
    example(card, call, "0.12")
    # 60 x 0.002.
    assert only(card).amount == Decimal("0.12")


def test_an_example_of_the_past_is_tried_by_the_prices_of_the_day(card: RateCard, call: Product) -> None:
    rate(card, call, "0.002", end_date=date(2026, 2, 1))
    rate(card, call, "0.003", start_date=date(2026, 2, 1))
    example(card, call, "0.12")
    # 60 x 0.002 in January, 60 x 0.003 from February on.
    assert only(card, on=date(2026, 1, 5)).amount == Decimal("0.12")
    assert only(card, on=date(2026, 2, 1)).amount == Decimal("0.18")


def test_an_example_of_later_is_tried_at_its_own_time(card: RateCard, call: Product) -> None:
    rate(card, call, "0.002", end_date=date(2026, 3, 1))
    rate(card, call, "0.003", start_date=date(2026, 3, 1))
    example(card, call, "0.18", used_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    assert only(card, on=date(2026, 1, 5)).is_right


def test_an_example_of_the_past_is_tried_at_the_same_local_time_of_the_week(call: Product) -> None:
    card = RateCardFactory(name="German", timezone="Europe/Berlin")
    peak = TimeBandFactory(name="Peak")
    TimeBandHoursFactory(time_band=peak, days=[1], start_time=time(8), end_time=time(9))
    rate(card, call, "0.001")
    rate(card, call, "0.002", time_band=peak)
    # Monday 08:30 in Berlin: 07:30 in UTC in January, 06:30 in July.
    example(card, call, "0.12", used_at=datetime(2026, 1, 5, 7, 30, tzinfo=UTC), timezone="Europe/Berlin")
    outcome = only(card, on=date(2026, 7, 1))
    assert outcome.is_right
    assert "Monday 2026-07-06 08:30 (Europe/Berlin)" in outcome.sentence


def test_a_public_holiday_is_not_taken_for_the_day_of_an_example(call: Product) -> None:
    card = RateCardFactory(name="German", holiday_country="DE")
    PublicHolidayFactory(day=date(2026, 4, 6), name="Ostermontag")
    peak = TimeBandFactory(name="Peak")
    TimeBandHoursFactory(time_band=peak, days=[1, 2, 3, 4, 5])
    rate(card, call, "0.001")
    rate(card, call, "0.002", time_band=peak)
    example(card, call, "0.12")
    example(card, call, "0.06", used_at=datetime(2026, 4, 6, 9, 0, tzinfo=UTC))
    # Easter Monday is left out for the first, and is what the second is of: 60 x 0.002, 60 x 0.001.
    first, second = run_examples(rate_card_id=card.pk, on=date(2026, 4, 4))
    assert first.is_right
    assert second.is_right
    assert "Monday 2026-04-13 09:00" in first.sentence
    assert "Monday 2026-04-06 09:00" in second.sentence


def test_an_example_after_others_of_the_month(card: RateCard, call: Product) -> None:
    tiered = rate(card, call, "0.10", pricing_model="graduated", included_quantity=Decimal(10))
    RateTierFactory(rate=tiered, from_quantity=Decimal(100), unit_price=Decimal("0.05"))
    # 10 are free: 90 before were 80 charged, 60 more are 140: 20 x 0.10 + 40 x 0.05 = 4.
    example(card, call, "4", quantity_before=Decimal(90))
    # The first 60: 50 x 0.10 = 5.
    example(card, call, "5")
    assert [(outcome.amount, outcome.is_right) for outcome in run_examples(rate_card_id=card.pk, on=ON)] == [
        (Decimal(4), True),
        (Decimal(5), True),
    ]
    assert only_words(card) == ["60 of CALL to 447700900123 on Monday 2026-01-05 09:00 (UTC), after 90 in the month"]


def only_words(card: RateCard) -> list[str]:
    return [example_in_words(found) for found in card.examples.filter(quantity_before__gt=0)]


def test_an_example_by_volume_is_priced_by_the_total(card: RateCard, call: Product) -> None:
    volume = rate(card, call, "0.10", pricing_model="volume")
    RateTierFactory(rate=volume, from_quantity=Decimal(100), unit_price=Decimal("0.05"))
    # 90 and 60 are 150, above 100: 60 x 0.05 = 3.
    example(card, call, "3", quantity_before=Decimal(90))
    assert only(card).is_right


def test_an_example_is_split_at_the_border_of_a_band(call: Product) -> None:
    card = RateCardFactory(name="Split", band_rule="split")
    peak = TimeBandFactory(name="Peak")
    TimeBandHoursFactory(time_band=peak, days=[1], start_time=time(9), end_time=time(18))
    rate(card, call, "0.001")
    rate(card, call, "0.002", time_band=peak)
    # From 17:59:00 on 60 s at 0.002 are 0.12, and 60 s at 0.001 are 0.06.
    example(card, call, "0.18", quantity=Decimal(120), used_at=datetime(2026, 1, 5, 17, 59, tzinfo=UTC))
    # 4 messages within 120 s: 2 at 0.002, 2 at 0.001.
    example(
        card,
        call,
        "0.006",
        quantity=Decimal(4),
        duration_seconds=120,
        used_at=datetime(2026, 1, 5, 17, 59, tzinfo=UTC),
    )
    assert [outcome.amount for outcome in run_examples(rate_card_id=card.pk, on=ON)] == [
        Decimal("0.18"),
        Decimal("0.006"),
    ]


def test_many_examples_take_as_many_queries_as_one(card: RateCard, call: Product) -> None:
    rate(card, call, "0.002")
    example(card, call, "0.12")
    with CaptureQueriesContext(connection) as for_one:
        run_examples(rate_card_id=card.pk, on=ON)
    other = RateCardFactory(name="Other")
    for number in range(20):
        rate(other, call, "0.002", prefix=f"44770090{number:02}")
        example(other, call, "0.12", destination=f"+44770090{number:02}5")
    with CaptureQueriesContext(connection) as for_many:
        outcomes = examples_of_cards(rate_card_ids=[card.pk, other.pk], on=ON)
    assert len(outcomes) == 21
    assert all(outcome.is_right for outcome in outcomes)
    assert len(for_many) == len(for_one)


def deck_line(card: RateCard, call: Product, unit_price: str, outcome: str, **fields: Any) -> RateDeck:
    deck, _ = RateDeck.objects.get_or_create(rate_card=card, name="march.csv", starts_on=date(2026, 3, 1))
    RateDeckLine.objects.create(
        deck=deck,
        line_number=1,
        outcome=outcome,
        product=call,
        **({"destination_prefix": "4477", "unit_price": Decimal(unit_price)} | fields),
    )
    return deck


def test_examples_are_tried_with_a_deck_in_place(card: RateCard, call: Product) -> None:
    before = rate(card, call, "0.002")
    rate(card, call, "0.001", prefix="44")
    example(card, call, "0.12")
    example(card, call, "0.06", destination="4420")
    deck = deck_line(card, call, "0.003", DeckLineOutcome.CHANGED, rate=before)
    # 60 x 0.003 = 0.18 to 4477; 60 x 0.001 = 0.06 to the rest, which the deck leaves alone.
    changed, same = examples_with_deck(deck_id=deck.pk)
    assert (changed.amount, changed.is_right) == (Decimal("0.18"), False)
    assert (same.amount, same.is_right) == (Decimal("0.06"), True)
    assert "Monday 2026-03-02 09:00" in changed.sentence
    assert activation_objections(deck_id=deck.pk) == [changed.sentence]
    assert only_right(card)


def only_right(card: RateCard) -> bool:
    return all(outcome.is_right for outcome in run_examples(rate_card_id=card.pk, on=ON))


def test_what_a_deck_closes_prices_no_example(card: RateCard, call: Product) -> None:
    closed = rate(card, call, "0.002")
    example(card, call, "0.12")
    deck = deck_line(card, call, "0.002", DeckLineOutcome.CLOSED, rate=closed)
    (outcome,) = examples_with_deck(deck_id=deck.pk)
    assert (outcome.amount, outcome.is_right) == (None, False)


def test_tiers_of_a_deck_price_examples(card: RateCard, call: Product) -> None:
    example(card, call, "5")
    deck = deck_line(
        card, call, "0.10", DeckLineOutcome.NEW, pricing_model="graduated", tiers=[["40", "0.05"]], end_date=None
    )
    # 40 x 0.10 + 20 x 0.05 = 5.
    (outcome,) = examples_with_deck(deck_id=deck.pk)
    assert outcome.is_right
    assert activation_objections(deck_id=deck.pk) == []


def test_errors_that_a_deck_brings_speak_against_it_those_of_the_card_do_not(card: RateCard, call: Product) -> None:
    bands = [TimeBandFactory(name=name) for name in ("Peak", "Day")]
    for band in bands:
        TimeBandHoursFactory(time_band=band)
        rate(card, call, "0.10", prefix="33", time_band=band)
    rate(card, call, "0.10", prefix="")
    rate(card, call, "0.10", prefix="44", time_band=bands[0])
    quiet = deck_line(card, call, "0.10", DeckLineOutcome.NEW, destination_prefix="49")
    assert activation_objections(deck_id=quiet.pk) == []
    deck_line(card, call, "0.10", DeckLineOutcome.NEW, destination_prefix="44", time_band=bands[1])
    assert activation_objections(deck_id=quiet.pk) == [
        (
            "Time bands that overlap: 2 prices have two time bands that hold at the same time: "
            "the one that was written later counts then. Make bands that do not overlap."
        )
    ]
