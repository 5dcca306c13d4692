"""Which price a record gets: by day, region and order of price lists."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.models import Product, RateCard
from catalog.operations.rates import add_rate_version
from tests.factories import (
    CustomerFactory,
    CustomerGroupFactory,
    GroupRateCardFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
)
from tests.runs import bill, customer_at, invoice, lines, outcome, rate_of, use

pytestmark = pytest.mark.django_db


def card_at(product: Product, unit_price: str, **fields: object) -> RateCard:
    """A price list that prices the product at so much a unit."""
    card: RateCard = RateCardFactory(**fields)
    RateFactory(rate_card=card, product=product, unit_price=Decimal(unit_price))
    return card


def test_a_price_change_in_the_middle_of_the_month_makes_two_lines() -> None:
    acme, call = customer_at("0.10")
    add_rate_version(rate_id=rate_of(call).id, start_date=date(2026, 1, 16), terms={"unit_price": Decimal("0.08")})
    use(acme, call, 100, on="2026-01-15T23:59:59")
    use(acme, call, 100, on="2026-01-16T00:00:00")
    use(acme, call, 50, on="2026-01-31")
    # Up to the 15th 100 x 0.10, from the 16th on 150 x 0.08; the lower price stands first.
    assert lines(invoice(bill(), acme)) == ["150 x 0.08 = 12 -> 12.00", "100 x 0.1 = 10 -> 10.00"]


def test_the_day_is_that_of_the_customers_time_zone() -> None:
    acme, call = customer_at("0.10", timezone="Pacific/Auckland")
    add_rate_version(rate_id=rate_of(call).id, start_date=date(2026, 1, 16), terms={"unit_price": Decimal("0.08")})
    # In January Auckland is 13 hours ahead: 11:00 UTC on the 15th is midnight there, and the 16th.
    use(acme, call, 100, on="2026-01-15T10:59:59")
    use(acme, call, 100, on="2026-01-15T11:00:00", billing_effective_date=date(2026, 1, 16))
    assert lines(invoice(bill(), acme)) == ["100 x 0.08 = 8 -> 8.00", "100 x 0.1 = 10 -> 10.00"]


def test_the_price_of_a_region_goes_before_the_price_of_every_region() -> None:
    acme, call = customer_at("0.10")
    RateFactory(rate_card=rate_of(call).rate_card, product=call, region="EU", unit_price=Decimal("0.02"))
    use(acme, call, 100, region="EU")
    use(acme, call, 100, region="US")
    use(acme, call, 100)
    # No region, EU, US: in this order; only EU has a price of its own.
    assert lines(invoice(bill(), acme)) == [
        "100 x 0.1 = 10 -> 10.00",
        "100 x 0.02 = 2 -> 2.00",
        "100 x 0.1 = 10 -> 10.00",
    ]


def test_a_card_of_the_customer_goes_before_its_groups_before_the_default() -> None:
    own, group, default, own_twice = (ProductFactory(code=code) for code in "ABCD")
    default_card = card_at(own, "4", is_default=True)
    for product in (group, default):
        RateFactory(rate_card=default_card, product=product, unit_price=Decimal(4))
    group_card = card_at(own, "3")
    RateFactory(rate_card=group_card, product=group, unit_price=Decimal(3))
    members = CustomerGroupFactory()
    GroupRateCardFactory(group=members, rate_card=group_card)
    first, second = card_at(own, "1"), card_at(own, "2")
    RateFactory(rate_card=second, product=own_twice, unit_price=Decimal(2))
    acme = CustomerFactory(groups=[members], rate_cards=[first, second])
    for product in (own, group, default, own_twice):
        use(acme, product, 1)
    # A: its first card says 1. B: only the group's and the default card know it: 3. C: only the default one: 4.
    # D: the first of its own cards does not know it, the second says 2.
    assert lines(invoice(bill(), acme)) == [
        "1 x 1 = 1 -> 1.00",
        "1 x 3 = 3 -> 3.00",
        "1 x 4 = 4 -> 4.00",
        "1 x 2 = 2 -> 2.00",
    ]


def test_a_general_price_of_the_first_card_goes_before_the_exact_region_of_the_next() -> None:
    call = ProductFactory()
    first, second = card_at(call, "1"), RateCardFactory()
    RateFactory(rate_card=second, product=call, region="EU", unit_price=Decimal(2))
    acme = CustomerFactory(rate_cards=[first, second])
    use(acme, call, 1, region="EU")
    assert lines(invoice(bill(), acme)) == ["1 x 1 = 1 -> 1.00"]


def test_groups_are_tried_by_position_then_the_older_group() -> None:
    call, data = ProductFactory(code="A"), ProductFactory(code="B")
    older, younger = CustomerGroupFactory(), CustomerGroupFactory()
    GroupRateCardFactory(group=older, rate_card=card_at(call, "2"), position=2)
    GroupRateCardFactory(group=younger, rate_card=card_at(call, "1"), position=1)
    GroupRateCardFactory(group=younger, rate_card=card_at(data, "4"), position=3)
    GroupRateCardFactory(group=older, rate_card=card_at(data, "3"), position=3)
    acme = CustomerFactory(groups=[younger, older])
    use(acme, call, 1)
    use(acme, data, 1)
    assert lines(invoice(bill(), acme)) == ["1 x 1 = 1 -> 1.00", "1 x 3 = 3 -> 3.00"]


def test_a_card_in_another_currency_is_ignored() -> None:
    call = ProductFactory()
    euros, dollars = card_at(call, "1", currency__code="EUR"), card_at(call, "2")
    acme = CustomerFactory(rate_cards=[euros, dollars])
    use(acme, call, 1)
    assert lines(invoice(bill(), acme)) == ["1 x 2 = 2 -> 2.00"]


def test_the_default_card_is_that_of_the_customers_currency() -> None:
    call = ProductFactory()
    card_at(call, "1", currency__code="EUR", is_default=True)
    card_at(call, "2", is_default=True)
    acme, bell = CustomerFactory(), CustomerFactory(currency__code="GBP")
    for customer in (acme, bell):
        use(customer, call, 1)
    run = bill()
    assert lines(invoice(run, acme)) == ["1 x 2 = 2 -> 2.00"]
    assert outcome(run, bell)[0] == "held"
    assert outcome(run, bell)[1].endswith("The customer has no rate card in GBP, and there is no default one.")
