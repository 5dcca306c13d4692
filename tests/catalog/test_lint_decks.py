"""A rate deck is checked as its card would be, were it activated."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from catalog.choices import DeckLineOutcome
from catalog.models import Product, Rate, RateCard, RateDeck, RateDeckLine
from catalog.queries.lint import lint_card, lint_deck
from tests.catalog.linted import said
from tests.factories import ProductFactory, RateCardFactory, RateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> RateCard:
    return RateCardFactory(name="Retail")


@pytest.fixture
def call() -> Product:
    return ProductFactory(code="CALL")


@pytest.fixture
def price(card: RateCard, call: Product) -> Callable[..., Rate]:
    """Makes a rate of CALL on the card: to a prefix, at so much."""

    def make(prefix: str = "", unit_price: str = "0.10", **fields: Any) -> Rate:
        given = {"rate_card": card, "product": call, "destination_prefix": prefix, "unit_price": Decimal(unit_price)}
        return RateFactory(**(given | fields))

    return make


def deck_of(card: RateCard, starts_on: date = date(2026, 3, 1)) -> RateDeck:
    return RateDeck.objects.create(rate_card=card, name="march.csv", starts_on=starts_on)


def line(deck: RateDeck, product: Product, prefix: str, unit_price: str, outcome: str, **fields: Any) -> RateDeckLine:
    return RateDeckLine.objects.create(
        deck=deck,
        line_number=1,
        outcome=outcome,
        product=product,
        destination_prefix=prefix,
        unit_price=Decimal(unit_price),
        **fields,
    )


def test_a_deck_is_looked_at_with_the_prices_that_it_leaves_alone(
    card: RateCard, call: Product, price: Callable[..., Rate]
) -> None:
    price("44", "0.10")
    price("4475", "0.12")
    price("4476", "0.12")
    before = price("4477", "0.10")
    deck = deck_of(card)
    changed = line(deck, call, "4477", "1.00", DeckLineOutcome.CHANGED, rate=before)
    free = line(deck, call, "33", "0", DeckLineOutcome.NEW)
    line(deck, call, "88", "0", DeckLineOutcome.REFUSED, detail="Why not.")
    findings = {finding.rule: finding for finding in lint_deck(deck_id=deck.pk)}
    assert set(findings) == {"zero_prices", "ten_times_before"}
    assert said(findings["zero_prices"]) == ["CALL to 33 costs 0."]
    assert (findings["zero_prices"].line_ids, findings["zero_prices"].line_count) == ((free.pk,), 1)
    assert said(findings["ten_times_before"]) == ["CALL to 4477 costs 1; before it costs 0.1."]
    assert findings["ten_times_before"].line_ids == (changed.pk,)
    assert lint_card(rate_card_id=card.pk, on=deck.starts_on) == []


def test_what_a_deck_closes_is_not_there_any_more(card: RateCard, call: Product, price: Callable[..., Rate]) -> None:
    closed = price("44", "0.10")
    price("4477", "0.12")
    deck = deck_of(card)
    made = line(deck, call, "44", "0.10", DeckLineOutcome.CLOSED, rate=closed)
    findings = {finding.rule: finding for finding in lint_deck(deck_id=deck.pk)}
    assert set(findings) == {"holes", "expired"}
    assert said(findings["expired"]) == ["CALL to 44 held before 2026-03-01; nothing of this card has priced it since."]
    assert findings["expired"].line_ids == (made.pk,)


def test_tiers_of_a_deck_are_looked_at(card: RateCard, call: Product) -> None:
    deck = deck_of(card)
    tiers = [["100", "0.08"], ["100", "0.07"], ["300", "0.09"]]
    line(deck, call, "44", "0.10", DeckLineOutcome.NEW, pricing_model="graduated", tiers=tiers)
    findings = {finding.rule: said(finding) for finding in lint_deck(deck_id=deck.pk)}
    assert findings == {
        "tiers_never_reached": ["CALL to 44: two tiers start above 100: one of them is never reached."],
        "tiers_backwards": ["CALL to 44 costs 0.09 above 300, and 0.07 below."],
    }
