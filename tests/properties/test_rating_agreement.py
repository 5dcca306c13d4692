"""What a billing run charges a record in SQL is what the pricing engine makes of it in Python, to the last digit."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from billing.models import BillingRun
from billing.operations.runs import commence_run
from catalog.engine.money import exact_sum
from invoicing.models import UsageCharge
from tests.properties.company import (
    CUTOFF,
    DrawnCustomer,
    DrawnRate,
    Party,
    currencies,
    customers,
    make_company,
    rates,
)
from tests.properties.priced import engine_price, is_due
from tests.runs import AT, bill, new_run, outcome, pending, produce

pytestmark = pytest.mark.django_db
# A customer who is billed whatever it comes to.
always_billed = customers.map(lambda drawn: DrawnCustomer(**(vars(drawn) | {"minimum": Decimal(0)})))
suppressed = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]

Charged = dict[int, tuple[int | None, Decimal, Decimal]]


def charged(party: Party) -> Charged:
    """The charges of a customer by record: rate, quantity, amount."""
    rows = UsageCharge.objects.filter(customer=party.customer)
    return {charge.record_id: (charge.rate_id, charge.quantity, charge.amount) for charge in rows}


def by_the_engine(party: Party) -> Charged:
    """What the engine makes of all billable records before the cutoff; what nothing prices is left out."""
    prices = {record.id: engine_price(party, record) for record in party.records if is_due(record)}
    return {
        record_id: (price.rate.id if price.rate else None, price.quantity, price.amount)
        for record_id, price in prices.items()
        if price
    }


def run_of(subrun: str, cutoff: date = CUTOFF) -> BillingRun:
    return bill(subrun=subrun, bill_unpriced=True, cutoff_date=cutoff)


@settings(max_examples=30, suppress_health_check=suppressed)
@given(currencies, st.lists(always_billed, min_size=1, max_size=3), rates())
def test_charges_are_what_the_engine_makes_of_the_records(
    currency: str, drawn: list[DrawnCustomer], drawn_rates: list[DrawnRate]
) -> None:
    subrun, parties = make_company(currency, drawn, drawn_rates)
    run_of(subrun)
    for party in parties:
        expected = by_the_engine(party)
        event("some are priced" if expected else "none is priced")
        assert charged(party) == expected
        # What is not charged waits: it is unpriced, or of later.
        assert pending(party.customer) == {
            record.id for record in party.records if is_due(record, date.max) and record.id not in expected
        }


@settings(max_examples=15, suppress_health_check=suppressed)
@given(
    currencies,
    st.lists(always_billed, min_size=1, max_size=2),
    rates(),
    st.dates(date(2025, 12, 26), date(2026, 1, 31)),
)
def test_usage_billed_in_two_runs_costs_what_it_costs_in_one(
    currency: str, drawn: list[DrawnCustomer], drawn_rates: list[DrawnRate], first_cutoff: date
) -> None:
    subrun, parties = make_company(currency, drawn, drawn_rates)
    run_of(subrun, first_cutoff)
    run_of(subrun)
    for party in parties:
        expected = by_the_engine(party)
        assert charged(party) == expected
        totals = [exact_sum(amount for _, _, amount in charges.values()) for charges in (charged(party), expected)]
        assert totals[0] == totals[1]


@settings(max_examples=12, suppress_health_check=suppressed)
@given(currencies, st.lists(always_billed, min_size=1, max_size=2), rates())
def test_with_an_unpriced_record_nothing_of_the_customer_is_billed(
    currency: str, drawn: list[DrawnCustomer], drawn_rates: list[DrawnRate]
) -> None:
    subrun, parties = make_company(currency, drawn, drawn_rates)
    run = produce(commence_run(run_id=new_run(subrun=subrun).pk, at=AT))
    for party in parties:
        due = [record for record in party.records if is_due(record)]
        expected = by_the_engine(party)
        is_held = len(expected) < len(due)
        event("held" if is_held else "not held")
        assert charged(party) == ({} if is_held else expected)
        assert (outcome(run, party.customer)[0] == "held") == is_held
