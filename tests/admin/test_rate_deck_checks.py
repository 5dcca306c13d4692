"""The page of a rate deck says what a check finds, and asks once more where examples would cost something else."""

from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.choices import DeckLineOutcome, DeckState
from catalog.models import RateDeck, RateDeckLine
from tests.factories import ProductFactory, RateCardFactory, RateExampleFactory, RateFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def deck() -> RateDeck:
    """0.03 in place of 0.002 from March on: the example costs 60 x 0.03 = 1.8 instead of 0.12."""
    card = RateCardFactory(name="Retail")
    rate = RateFactory(
        rate_card=card, product=ProductFactory(code="CALL"), destination_prefix="44", unit_price=Decimal("0.002")
    )
    RateExampleFactory(rate_card=card, product=rate.product, amount=Decimal("0.12"))
    made = RateDeck.objects.create(
        rate_card=card,
        name="march.csv",
        starts_on=date(2026, 3, 1),
        columns=["product", "destination_prefix", "unit_price"],
        column_mapping={name: name for name in ("product", "destination_prefix", "unit_price")},
    )
    RateDeckLine.objects.create(
        deck=made,
        line_number=2,
        outcome=DeckLineOutcome.CHANGED,
        rate=rate,
        product=rate.product,
        destination_prefix="44",
        unit_price=Decimal("0.03"),
    )
    return made


def address(deck: RateDeck, name: str) -> str:
    return reverse(f"admin:catalog_ratedeck_{name}", args=[deck.pk])


def test_the_page_of_a_deck_loads_its_check(admin_client: Client, deck: RateDeck) -> None:
    check = address(deck, "check")
    assert f'hx-get="{check}"' in admin_client.get(address(deck, "change")).content.decode()
    text = " ".join(admin_client.get(check).content.decode().split())
    assert "CALL to 44 costs 0.03; before it costs 0.002." in text
    assert '>0.12 USD</td> <td class="tb-number tb-nowrap">1.8 USD</td>' in text
    assert "Accept" not in text


def test_who_may_not_see_decks_does_not_see_their_check(client: Client, deck: RateDeck) -> None:
    user: User = UserFactory()
    client.force_login(user)
    assert client.get(address(deck, "check")).status_code == 403


def test_a_deck_with_a_wrong_example_is_activated_only_when_asked_twice(admin_client: Client, deck: RateDeck) -> None:
    asked = admin_client.post(address(deck, "activate"), follow=True)
    text = asked.content.decode()
    assert "is to cost 0.12 USD, and costs 1.8 USD." in text
    assert "Activate all the same" in text
    deck.refresh_from_db()
    assert deck.state == DeckState.READY
    done = admin_client.post(asked.redirect_chain[-1][0], follow=True)
    assert "The prices of march.csv hold from 2026-03-01 on." in done.content.decode()
    deck.refresh_from_db()
    assert deck.state == DeckState.ACTIVATED
