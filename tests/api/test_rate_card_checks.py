"""`lint` and `examples` of `rateCards`."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from catalog.models import RateCard
from customers.models import Customer
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import CustomerFactory, ProductFactory, RateCardFactory, RateExampleFactory, RateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> RateCard:
    """60 to 4477 cost 60 x 0.002 = 0.12; 4420 is free."""
    card = RateCardFactory(name="Retail", is_default=True)
    product = ProductFactory(code="CALL")
    RateFactory(rate_card=card, product=product, destination_prefix="44", unit_price=Decimal("0.001"))
    RateFactory(rate_card=card, product=product, destination_prefix="4477", unit_price=Decimal("0.002"))
    RateFactory(rate_card=card, product=product, destination_prefix="4420", unit_price=Decimal(0))
    return card


def path(card: RateCard, name: str) -> str:
    return f"/backend/api/v1/rateCards/{card.pk}/{name}"


def test_findings_are_shown_with_every_member(staff: Caller, card: RateCard) -> None:
    free = card.rates.get(destination_prefix="4420")
    other = CustomerFactory(account_number="E1", name="Euro", currency__code="EUR", rate_cards=[card])
    assert staff.ask(path(card, "lint?on=2026-02-01")) == [
        {
            "rule": "wrong_currency",
            "severity": "error",
            "title": "Wrong currency",
            "sentence": "1 customer or group has this card, which is in USD, and another currency: no run prices their "
            "usage by it.",
            "count": 1,
            "places": [{"sentence": "E1 Euro is billed in EUR.", "kind": "customer", "id": str(other.pk)}],
        },
        {
            "rule": "zero_prices",
            "severity": "warning",
            "title": "Prices of nothing",
            "sentence": "1 price is 0: uses of it cost nothing.",
            "count": 1,
            "places": [{"sentence": "CALL to 4420 costs 0.", "kind": "rate", "id": str(free.pk)}],
        },
    ]


def test_prices_of_today_are_looked_at_unless_a_day_is_given(staff: Caller, card: RateCard) -> None:
    assert [finding["rule"] for finding in staff.ask(path(card, "lint/"))] == ["zero_prices"]
    assert [finding["rule"] for finding in staff.ask(path(card, "lint?on=2019-01-01"))] == ["no_prices"]


def test_examples_are_shown_with_every_member(staff: Caller, card: RateCard) -> None:
    product = card.rates.all()[0].product
    example = RateExampleFactory(rate_card=card, product=product, amount=Decimal("0.13"))
    (shown,) = staff.ask(path(card, "examples?on=2026-02-01"))
    assert shown.pop("explanation")[-1] == "Amount: 0.12."
    assert shown == {
        "id": str(example.pk),
        "example": "60 of CALL to 447700900123 on Monday 2026-01-05 09:00 (UTC)",
        "product": "CALL",
        "quantity": 60,
        "destination": "447700900123",
        "region": "",
        "startDate": "2026-01-05T09:00:00Z",
        "timezone": "UTC",
        "quantityBefore": 0,
        "currency": "USD",
        "expectedAmount": Decimal("0.13"),
        "amount": Decimal("0.12"),
        "isRight": False,
        "sentence": (
            "60 of CALL to 447700900123 on Monday 2026-02-02 09:00 (UTC) is to cost 0.13 USD, and costs 0.12 USD."
        ),
    }


def test_an_example_without_a_price_has_no_amount(staff: Caller, card: RateCard) -> None:
    RateExampleFactory(rate_card=card, product=ProductFactory(code="SMS"))
    (shown,) = staff.ask(path(card, "examples"))
    assert (shown["amount"], shown["isRight"]) == (None, False)


@pytest.mark.parametrize("name", ["lint", "examples"])
def test_what_is_asked_wrongly_is_named(
    staff: Caller, card: RateCard, customer: Customer, caller_of: Callable[..., Any], name: str
) -> None:
    assert_error(staff.get(path(card, f"{name}?on=9999-12-31")), 400, "invalid", on=["Give a year from 1970 to 2999."])
    assert "on" in parsed(staff.get(path(card, f"{name}?on=soon")))["errors"]
    assert_error(staff.get(f"/backend/api/v1/rateCards/999999/{name}"), 404, "not_found")
    assert_error(caller_of(customer).get(path(card, name)), 403, "staff_only")
