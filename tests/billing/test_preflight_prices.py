"""What a pre-flight says of the prices of a run's customers."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.choices import PreflightVerdict
from billing.models import BillingRun
from billing.queries.preflight import preflight, verdict_of
from billing.queries.preflight_checks import PreflightCheck
from catalog.models import Product, RateCard
from customers.models import Customer
from tests.factories import (
    BillingRunFactory,
    CustomerFactory,
    CustomerGroupFactory,
    GroupRateCardFactory,
    ProductFactory,
    RateCardFactory,
    RateExampleFactory,
    RateFactory,
)
from tests.runs import AT, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> BillingRun:
    return BillingRunFactory(cutoff_date=date(2026, 2, 1))


@pytest.fixture
def call() -> Product:
    return ProductFactory(code="CALL")


def check(run: BillingRun, code: str) -> PreflightCheck:
    (found,) = [each for each in preflight(run=run, at=AT) if each.code == code]
    return found


def card_of(call: Product, **fields: Any) -> RateCard:
    """A card by which 60 to 4477 cost 60 x 0.002 = 0.12, with an example that says so."""
    card = RateCardFactory(**fields)
    RateFactory(rate_card=card, product=call, destination_prefix="4477", unit_price=Decimal("0.002"))
    RateExampleFactory(rate_card=card, product=call, amount=Decimal("0.12"))
    return card


def with_usage(call: Product, **fields: Any) -> Customer:
    customer = CustomerFactory(**fields)
    use(customer, call, 60, on="2026-01-15")
    return customer


def test_right_examples_pass(run: BillingRun, call: Product) -> None:
    with_usage(call, rate_cards=[card_of(call)])
    found = check(run, "wrong_examples")
    assert (found.verdict, found.count) == (PreflightVerdict.PASS, 0)
    assert found.detail == "1 example of the rate cards costs what was said."
    assert check(run, "expired_rates").verdict == PreflightVerdict.PASS


def test_a_wrong_example_blocks_and_is_named(run: BillingRun, call: Product) -> None:
    card = card_of(call, name="Retail")
    RateExampleFactory(rate_card=card, product=call, amount=Decimal("0.13"))
    with_usage(call, rate_cards=[card])
    found = check(run, "wrong_examples")
    assert (found.verdict, found.count) == (PreflightVerdict.BLOCK, 1)
    assert found.detail == (
        "1 example is wrong by the prices of the week up to 2026-01-31 in Retail. The first: 60 of CALL to "
        "447700900123 on Monday 2026-01-26 09:00 (UTC) is to cost 0.13 USD, and costs 0.12 USD. "
        "Correct the prices or the example."
    )
    assert (found.model, found.query) == ("catalog_rateexample", (("rate_card__id__exact", str(card.pk)),))
    assert verdict_of(preflight(run=run, at=AT)) == PreflightVerdict.BLOCK


@pytest.mark.parametrize("used_by", ["group", "default"])
def test_cards_of_groups_and_the_default_are_looked_at(run: BillingRun, call: Product, used_by: str) -> None:
    card = card_of(call, is_default=used_by == "default")
    card.examples.update(amount=1)
    customer = with_usage(call)
    if used_by == "group":
        group = CustomerGroupFactory()
        GroupRateCardFactory(group=group, rate_card=card)
        assert check(run, "wrong_examples").verdict == PreflightVerdict.PASS
        customer.groups.add(group)
    assert check(run, "wrong_examples").count == 1


def test_cards_that_price_nothing_of_the_run_are_not_looked_at(run: BillingRun, call: Product) -> None:
    cards = [card_of(call) for _ in range(3)]
    for card in cards:
        card.examples.update(amount=1)
    euro = card_of(call, currency__code="EUR")
    euro.examples.update(amount=1)
    # No usage, usage after the cutoff date, a card in another currency, a card of nobody.
    CustomerFactory(rate_cards=[cards[0]])
    use(CustomerFactory(rate_cards=[cards[1]]), call, 60, on="2026-02-15")
    with_usage(call, rate_cards=[euro])
    found = check(run, "wrong_examples")
    assert (found.verdict, found.count) == (PreflightVerdict.PASS, 0)
    assert found.detail == "The rate cards that price the run's usage have no examples."


def test_prices_from_the_cutoff_date_on_do_not_count(run: BillingRun, call: Product) -> None:
    card = card_of(call)
    card.rates.update(end_date=run.cutoff_date)
    RateFactory(rate_card=card, product=call, destination_prefix="4477", start_date=run.cutoff_date)
    with_usage(call, rate_cards=[card])
    assert check(run, "wrong_examples").verdict == PreflightVerdict.PASS


def test_examples_of_later_are_left_out(run: BillingRun, call: Product) -> None:
    card = card_of(call)
    card.examples.update(amount=1, used_at=AT)
    with_usage(call, rate_cards=[card])
    assert check(run, "wrong_examples").count == 0


def test_prices_that_ended_without_a_successor_are_counted(run: BillingRun, call: Product) -> None:
    card = card_of(call, name="Retail")
    ended = {"rate_card": card, "product": call, "end_date": date(2026, 1, 31)}
    RateFactory(**ended, destination_prefix="33")
    RateFactory(**ended, destination_prefix="34")
    # Ended after the run's last day; followed by a later version; by a shorter prefix.
    RateFactory(**(ended | {"end_date": date(2026, 2, 1)}), destination_prefix="35")
    RateFactory(**ended, destination_prefix="36")
    RateFactory(rate_card=card, product=call, destination_prefix="36", start_date=date(2026, 1, 31))
    RateFactory(**ended, destination_prefix="44771")
    with_usage(call, rate_cards=[card])
    found = check(run, "expired_rates")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 2)
    assert found.detail == (
        "2 prices of Retail ended before the cutoff date, and nothing of the card prices what it did. "
        "Add a version, if it is still sold."
    )
    assert found.query == (("rate_card__id__exact", str(card.pk)), ("holding", "ended"))


def test_many_cards_take_as_many_queries_as_one(run: BillingRun, call: Product) -> None:
    with_usage(call, rate_cards=[card_of(call)])
    with CaptureQueriesContext(connection) as for_one:
        preflight(run=run, at=AT)
    for _ in range(5):
        with_usage(call, rate_cards=[card_of(call), card_of(call)])
    with CaptureQueriesContext(connection) as for_many:
        preflight(run=run, at=AT)
    assert len(for_many) == len(for_one)
