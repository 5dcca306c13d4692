"""What a check of a price list says of those who have it, and of its examples."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.choices import Severity
from catalog.models import RateCard
from catalog.queries.findings import Finding
from customers.queries.lint import lint_rate_card
from tests.factories import (
    CustomerFactory,
    CustomerGroupFactory,
    GroupRateCardFactory,
    RateCardFactory,
    RateExampleFactory,
    RateFactory,
)

pytestmark = pytest.mark.django_db

ON = date(2026, 2, 1)


@pytest.fixture
def card() -> RateCard:
    """A card in USD that prices everything of a product at 0.01."""
    made = RateCardFactory(name="Retail")
    RateFactory(rate_card=made, product__code="CALL")
    return made


def lint(card: RateCard) -> dict[str, Finding]:
    return {finding.rule: finding for finding in lint_rate_card(rate_card_id=card.pk, on=ON)}


def test_a_card_in_the_currency_of_its_customers_is_sound(card: RateCard) -> None:
    CustomerFactory(rate_cards=[card])
    assert lint(card) == {}


def test_customers_in_another_currency_are_named(card: RateCard) -> None:
    CustomerFactory(rate_cards=[card])
    other = CustomerFactory(account_number="E1", name="Euro", currency__code="EUR", rate_cards=[card])
    found = lint(card)["wrong_currency"]
    assert (found.severity, found.count) == (Severity.ERROR, 1)
    assert [(place.sentence, place.model, place.object_id) for place in found.places] == [
        ("E1 Euro is billed in EUR.", "customers_customer", other.pk)
    ]


def test_groups_of_which_no_customer_is_in_the_currency_are_named(card: RateCard) -> None:
    group = CustomerGroupFactory(name="Partners")
    GroupRateCardFactory(group=group, rate_card=card)
    CustomerFactory(currency__code="EUR", groups=[group])
    found = lint(card)["wrong_currency"]
    assert [place.sentence for place in found.places] == ["No customer of the group Partners is billed in USD."]
    # A group of customers in several currencies has a card for each.
    CustomerFactory(groups=[group])
    assert lint(card) == {}


def test_a_card_that_no_one_uses(card: RateCard) -> None:
    assert lint(card)["not_used"].severity == Severity.WARNING
    empty = CustomerGroupFactory()
    GroupRateCardFactory(group=empty, rate_card=card)
    assert set(lint(card)) == {"not_used"}
    CustomerFactory(groups=[empty])
    assert lint(card) == {}


def test_the_default_card_is_used_by_all(card: RateCard) -> None:
    card.is_default = True
    card.save()
    assert lint(card) == {}


def test_wrong_examples_are_errors_and_come_first(card: RateCard) -> None:
    product = card.rates.get().product
    # 60 x 0.01 = 0.6
    RateExampleFactory(rate_card=card, product=product, amount=Decimal("0.6"))
    wrong = RateExampleFactory(rate_card=card, product=product, amount=Decimal("0.61"))
    findings = lint_rate_card(rate_card_id=card.pk, on=ON)
    assert [finding.rule for finding in findings] == ["wrong_examples", "not_used"]
    assert (findings[0].severity, findings[0].count) == (Severity.ERROR, 1)
    assert [(place.model, place.object_id) for place in findings[0].places] == [("catalog_rateexample", wrong.pk)]
