"""A run prices by the public holidays that there were when it was commenced, whenever its chunks are produced."""

from datetime import date, time
from decimal import Decimal

import pytest

from billing.operations.runs import commence_run
from billing.queries.explain import explain_charge
from catalog.operations.holidays import add_public_holiday
from tests.factories import (
    CustomerFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
)
from tests.runs import AT, new_run, produce, use

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_holiday_that_is_added_while_a_run_is_produced_counts_in_the_next() -> None:
    card, call, band = RateCardFactory(holiday_country="DE"), ProductFactory(), TimeBandFactory()
    TimeBandHoursFactory(time_band=band, start_time=time(8), end_time=time(18))
    RateFactory(rate_card=card, product=call, unit_price=Decimal("0.02"), time_band=band)
    RateFactory(rate_card=card, product=call, unit_price=Decimal("0.01"))
    record = use(CustomerFactory(rate_cards=[card]), call, 100, on="2026-01-15T10:00")
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    add_public_holiday(country="DE", day=date(2026, 1, 15), name="Day of the call")
    produce(run)
    found = explain_charge(record_id=record.pk)
    assert found is not None
    # A Thursday when the run was commenced: 100 x 0.02 = 2.
    assert (found.fault, found.shown_amount) == ("", Decimal(2))
