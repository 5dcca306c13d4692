"""What a pre-flight says of the prices of a run's customers."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.choices import PreflightVerdict
from billing.models import BillingRun, RateCardCheck
from billing.operations.card_checks import check_rate_cards
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
        "2 prices of Retail ended before the cutoff date, and nothing of the card prices what they did. "
        "Add versions of what is still sold."
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


def test_what_the_hourly_check_of_the_cards_found_is_warned_of(run: BillingRun, call: Product) -> None:
    card, other = card_of(call, name="Retail"), card_of(call, name="Wholesale")
    with_usage(call, rate_cards=[card])
    unchecked = check(run, "rate_card_findings")
    assert (unchecked.verdict, unchecked.count) == (PreflightVerdict.PASS, 0)
    assert unchecked.detail == (
        "1 rate card of the run was not checked yet. The check runs every hour; a card's own page makes it at once."
    )
    RateFactory(rate_card=card, product=call, destination_prefix="33", unit_price=Decimal(0))
    RateFactory(rate_card=other, product=call, destination_prefix="34", unit_price=Decimal(0))
    assert check_rate_cards(now=lambda: AT) == 2
    found = check(run, "rate_card_findings")
    # Other numbers that begin with 447 have no price, and those of 33 cost nothing.
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 2)
    assert found.detail == (
        "2 things look wrong in Retail. The first: 1 prefix of which some numbers have a price and others none. Add a "
        "price for the shorter prefix, if those destinations are to be reached. Last checked at 2026-02-01 09:00 UTC."
    )
    assert (found.model, found.query) == ("billing_ratecardcheck", (("q", "Retail"),))


def test_what_the_pre_flight_checks_by_its_own_day_is_not_said_twice(run: BillingRun, call: Product) -> None:
    card = card_of(call, name="Retail")
    with_usage(call, rate_cards=[card])
    RateFactory(rate_card=card, product=call, region="EU", destination_prefix="33", end_date=date(2026, 1, 20))
    check_rate_cards(now=lambda: AT)
    kept = RateCardCheck.objects.get(rate_card=card)
    assert [finding["rule"] for finding in kept.findings] == ["holes", "expired"]
    assert (check(run, "rate_card_findings").count, check(run, "expired_rates").count) == (1, 1)
    kept.findings = kept.findings[1:]
    kept.save()
    assert check(run, "rate_card_findings").detail == (
        "Nothing looks wrong in the rate cards that price the run's usage. Last checked at 2026-02-01 09:00 UTC."
    )


def test_a_round_of_checks_ends_in_time_and_the_next_goes_on(call: Product) -> None:
    cards = [card_of(call, name=name) for name in ("A", "B", "C")]
    # Read before the round, and before each card: the second is begun after 30 s, the third would be after 60 s.
    times = iter([AT + timedelta(seconds=seconds) for seconds in (0, 0, 30, 60)])
    assert check_rate_cards(now=lambda: next(times)) == 2
    checked = RateCardCheck.objects.order_by("checked_at").values_list("rate_card", flat=True)
    assert list(checked) == [cards[0].pk, cards[1].pk]
    later = iter([AT + timedelta(seconds=seconds) for seconds in (3600, 3600, 3700)])
    assert check_rate_cards(now=lambda: next(later)) == 1
    assert RateCardCheck.objects.latest("checked_at").rate_card == cards[2]
