"""A deck with which examples would cost something else is not activated, unless that is wanted."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from catalog.choices import DeckLineOutcome, DeckState
from catalog.models import RateCard, RateDeck, RateDeckLine
from catalog.operations.rate_decks.activating import activate_deck
from catalog.operations.rate_decks.errors import DeckObjected
from catalog.queries.examples import run_examples
from tests.factories import ProductFactory, RateCardFactory, RateExampleFactory, RateFactory

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def deck() -> RateDeck:
    """0.003 in place of 0.002 from March on: the example costs 60 x 0.003 = 0.18 instead of 0.12."""
    card = RateCardFactory(name="Retail")
    rate = RateFactory(
        rate_card=card, product=ProductFactory(code="CALL"), destination_prefix="44", unit_price=Decimal("0.002")
    )
    RateExampleFactory(rate_card=card, product=rate.product, amount=Decimal("0.12"))
    made = RateDeck.objects.create(rate_card=card, name="march.csv", starts_on=date(2026, 3, 1), columns=["unit_price"])
    RateDeckLine.objects.create(
        deck=made,
        line_number=2,
        outcome=DeckLineOutcome.CHANGED,
        rate=rate,
        product=rate.product,
        destination_prefix="44",
        unit_price=Decimal("0.003"),
    )
    return made


def test_a_wrong_example_speaks_against_activation(deck: RateDeck) -> None:
    with pytest.raises(DeckObjected) as refused:
        activate_deck(deck_id=deck.pk, user_id=None, at=AT)
    (objection,) = refused.value.objections
    assert objection == (
        "60 of CALL to 447700900123 on Monday 2026-03-02 09:00 (UTC) is to cost 0.12 USD, and costs 0.18 USD."
    )
    assert objection in str(refused.value)
    deck.refresh_from_db()
    assert deck.state == DeckState.READY
    assert RateCard.objects.get().rates.count() == 1


def test_it_is_activated_all_the_same_where_that_is_wanted(deck: RateDeck) -> None:
    activate_deck(deck_id=deck.pk, user_id=None, at=AT, despite_objections=True)
    assert RateCard.objects.get().rates.count() == 2
    (outcome,) = run_examples(rate_card_id=deck.rate_card_id, on=deck.starts_on)
    assert (outcome.amount, outcome.is_right) == (Decimal("0.18"), False)


def test_right_examples_let_it_be_activated(deck: RateDeck) -> None:
    deck.rate_card.examples.update(amount=Decimal("0.18"))
    activate_deck(deck_id=deck.pk, user_id=None, at=AT)
    (outcome,) = run_examples(rate_card_id=deck.rate_card_id, on=deck.starts_on)
    assert outcome.is_right
