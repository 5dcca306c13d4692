"""What a billing run charges a record in SQL is what the pricing engine makes of it in Python, to the last digit."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from billing.models import BillingRun
from billing.operations.runs import commence_run
from catalog.engine.money import exact_sum
from tests.properties.company import make_company
from tests.properties.drawn import (
    CARDS,
    CUTOFF,
    FIRST,
    DrawnCard,
    DrawnCustomer,
    DrawnPrices,
    DrawnRate,
    DrawnRecord,
    always_billed,
    currencies,
    prices,
)
from tests.properties.priced import charged, engine_charges, is_due
from tests.runs import AT, bill, new_run, outcome, pending, produce
from usage.choices import BillingDirective

pytestmark = pytest.mark.django_db
suppressed = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
first_cutoffs = st.dates(date(2025, 12, 26), date(2026, 1, 31))


def run_of(subrun: str, cutoff: date = CUTOFF) -> BillingRun:
    return bill(subrun=subrun, bill_unpriced=True, cutoff_date=cutoff)


@settings(max_examples=40, suppress_health_check=suppressed)
@given(currencies, st.lists(always_billed, min_size=1, max_size=3), prices())
def test_charges_are_what_the_engine_makes_of_the_records(
    currency: str, drawn: list[DrawnCustomer], drawn_prices: DrawnPrices
) -> None:
    subrun, parties = make_company(currency, drawn, drawn_prices)
    run_of(subrun)
    for party in parties:
        expected = engine_charges(party)
        event("some are priced" if expected else "none is priced")
        event("some are counted" if any(charge.counted_month for charge in expected.values()) else "none is counted")
        assert charged(party) == expected
        # What is not charged waits: it is unpriced, or of later.
        assert pending(party.customer) == {
            record.id for record in party.records if is_due(record, date.max) and record.id not in expected
        }


@pytest.mark.parametrize("card_timezone", ["", "Europe/Berlin", "Australia/Sydney"])
def test_uses_over_a_change_of_clocks_are_split_as_the_engine_splits_them(card_timezone: str) -> None:
    # On Sunday 26 October 2025 it is 2:00 to 3:00 twice in Berlin, on Sunday 5 October never in Sydney.
    any_time, from_half_past_two = 2, 1
    cards = [DrawnCard(timezone=card_timezone, holiday_country="", band_rule="split") for _ in CARDS]
    rates = [
        DrawnRate(FIRST, 0, "", "", band, {"unit_price": Decimal(price)}, tiers=[], changes_on=None)
        for band, price in ((any_time, "1"), (from_half_past_two, "2"))
    ]
    starts = [datetime(2025, 10, 25, 22, tzinfo=UTC), datetime(2025, 10, 4, 14, tzinfo=UTC)]
    lengths = [timedelta(minutes=minutes) for minutes in (150, 180, 200, 230, 300, 1_500, 44_640, 44_641)]
    records = [
        DrawnRecord(0, "", "", 0, "Call", start, length, 0, Decimal(1), BillingDirective.TO_BE_BILLED, own_amount=None)
        for start, length in product(starts, lengths)
    ]
    drawn = [
        DrawnCustomer(
            timezone,
            tax_percent=Decimal(0),
            minimum=Decimal(0),
            cards=[FIRST],
            groups=[],
            has_earlier_invoice=False,
            subscription_starts=[date(2020, 1, 1)] * 2,
            service_starts=[date(2020, 1, 1)] * 3,
            records=records,
        )
        for timezone in ("Europe/Berlin", "Australia/Sydney", "UTC")
    ]
    subrun, parties = make_company("USD", drawn, DrawnPrices(cards, rates, prorated=[False, False]))
    run_of(subrun)
    for party in parties:
        assert charged(party) == engine_charges(party)


@settings(max_examples=20, suppress_health_check=suppressed)
@given(currencies, st.lists(always_billed, min_size=1, max_size=2), prices(), first_cutoffs)
def test_usage_billed_in_two_runs_costs_what_it_costs_in_one(
    currency: str, drawn: list[DrawnCustomer], drawn_prices: DrawnPrices, first_cutoff: date
) -> None:
    subrun, parties = make_company(currency, drawn, drawn_prices)
    run_of(subrun, first_cutoff)
    run_of(subrun)
    for party in parties:
        found, of_one = charged(party), engine_charges(party)
        assert found == engine_charges(party, [first_cutoff, CUTOFF])
        totals = [exact_sum(charge.amount for charge in charges.values()) for charges in (found, of_one)]
        assert totals[0] == totals[1]
        corrected = any(charge.correction for charge in found.values())
        event("with a correction" if corrected else "without a correction")


@settings(max_examples=12, suppress_health_check=suppressed)
@given(currencies, always_billed, prices(), st.randoms(use_true_random=False))
def test_the_order_in_which_records_came_has_no_influence(
    currency: str, drawn: DrawnCustomer, drawn_prices: DrawnPrices, random: Random
) -> None:
    others = replace(drawn, records=random.sample(drawn.records, len(drawn.records)))
    subrun, parties = make_company(currency, [drawn, others], drawn_prices)
    run_of(subrun)
    totals = [exact_sum(charge.amount for charge in charged(party).values()) for party in parties]
    assert totals[0] == totals[1]


@settings(max_examples=12, suppress_health_check=suppressed)
@given(currencies, st.lists(always_billed, min_size=1, max_size=2), prices())
def test_with_an_unpriced_record_nothing_of_the_customer_is_billed(
    currency: str, drawn: list[DrawnCustomer], drawn_prices: DrawnPrices
) -> None:
    subrun, parties = make_company(currency, drawn, drawn_prices)
    run = produce(commence_run(run_id=new_run(subrun=subrun).pk, at=AT, without_preflight=True))
    for party in parties:
        due = [record for record in party.records if is_due(record)]
        expected = engine_charges(party)
        is_held = len(expected) < len(due)
        event("held" if is_held else "not held")
        assert charged(party) == ({} if is_held else expected)
        assert (outcome(run, party.customer)[0] == "held") == is_held
