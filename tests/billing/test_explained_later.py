"""Explanations of charges after what they rest on has moved on: corrected prices, public holidays added."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from billing.operations.price_corrections import draft_corrections
from billing.operations.todays_prices import produce_with_todays_prices
from billing.queries.check_explanations import check_explanations
from billing.queries.explain import explain_charge
from billing.queries.explained import Explanation, as_text
from catalog.models import Product, Rate
from catalog.operations.holidays import add_public_holiday
from catalog.operations.rates import add_rate_version
from customers.models import Customer
from tests.billing.taken import THEN, cancel
from tests.factories import (
    CustomerFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
)
from tests.runs import FEBRUARY, account, bill, customer_at, invoice, post, rate_of, use
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)


def of(record: UsageDataRecord) -> Explanation:
    """The explanation of the record's charge, which has no fault."""
    found = explain_charge(record_id=record.pk)
    assert found is not None
    assert (found.is_equal, found.fault) == (True, "")
    return found


def correct(customer: Customer, rate: Rate, unit_price: str, start: date) -> Rate:
    """A version with the right price, and what January was charged wrong by is settled."""
    version = add_rate_version(rate_id=rate.pk, start_date=start, terms={"unit_price": Decimal(unit_price)})
    days: Any = {"from_day": date(2026, 1, 1), "until_day": date(2026, 2, 1)}
    draft_corrections(**days, customer_ids=[customer.pk], at=THEN)
    return version


def test_what_a_price_was_corrected_to_stands_beside_what_was_charged() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 100, number="R1")
    post(bill())
    assert of(record).corrections == ()
    # 100 x 0.10 = 10, then 100 x 0.08 = 8, then 100 x 0.09 = 9.
    second = correct(acme, rate_of(call), "0.08", date(2026, 1, 1))
    waits = "The credit waits for the customer's next invoice."
    to_8 = f"Price corrected on 2026-02-05: 8 USD in place of 10, by rate {second.pk}."
    assert of(record).corrections == (f"{to_8} {waits}",)
    post(bill(**FEBRUARY))
    third = correct(acme, second, "0.09", date(2026, 1, 2))
    to_9 = f"Price corrected on 2026-02-05: 9 USD in place of 8, by rate {third.pk}."
    assert of(record).corrections == (f"{to_8} The credit is on invoice CN-000001.", f"{to_9} {waits}")
    cancel(record)
    # The charge of 10 is taken back by itself, and 1 of corrections with it.
    told = of(record)
    assert told.corrections[2:] == ("Price correction taken back: 1 USD waits for the customer's next invoice.",)
    assert as_text(told).splitlines()[-4:] == [
        *told.corrections,
        "Taken back: an opposite charge of -10 USD waits for the customer's next invoice.",
    ]


def test_a_correction_that_only_moves_the_count_says_so() -> None:
    acme, call = customer_at("0.10", rate__included_quantity=50)
    first, second = use(acme, call, 40, on="2026-01-10"), use(acme, call, 60, on="2026-01-20")
    post(bill())
    version = correct(acme, rate_of(call), "0.08", date(2026, 1, 1))
    # 40 of 50 free minutes: nothing by both prices. Then 50 x 0.10 = 5 and 50 x 0.08 = 4.
    assert of(first).corrections == (f"Price corrected: the same amount, by rate {version.pk}.",)
    assert "4 USD in place of 5" in of(second).corrections[0]


@pytest.fixture
def banded() -> tuple[Customer, Product]:
    """0.02 from 8 to 18 o'clock on weekdays, else and on the public holidays of Germany 0.01."""
    card, call, band = RateCardFactory(holiday_country="DE"), ProductFactory(), TimeBandFactory()
    TimeBandHoursFactory(time_band=band, start_time=time(8), end_time=time(18))
    RateFactory(rate_card=card, product=call, unit_price=Decimal("0.02"), time_band=band)
    RateFactory(rate_card=card, product=call, unit_price=Decimal("0.01"))
    return CustomerFactory(rate_cards=[card]), call


def test_a_holiday_that_is_added_after_the_run_makes_no_charge_wrong(banded: tuple[Customer, Product]) -> None:
    acme, call = banded
    record = use(acme, call, 100, on="2026-01-15T10:00")
    run = bill()
    add_public_holiday(country="DE", day=date(2026, 1, 15), name="Day of the call")
    # A Thursday when the run priced it: 100 x 0.02 = 2.
    assert of(record).amount == 2
    assert check_explanations(invoice_id=invoice(run, acme).pk).unequal == ()
    # Later runs, and the draft made again by the prices of now, see it: 100 x 0.01 = 1.
    later = use(acme, call, 100, on="2026-01-15T11:00")
    bill(**FEBRUARY)
    assert of(later).amount == 1
    produce_with_todays_prices(account_id=account(run, acme).pk)
    assert of(record).amount == 1
    assert "a public holiday" in as_text(of(record))
