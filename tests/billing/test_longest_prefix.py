"""Which prefix prices a destination, where many end and begin at one place, and where a list has many pages."""

import pytest

from invoicing.models import UsageCharge
from tests.factories import RateFactory
from tests.runs import bill, customer_at, rate_of, use

pytestmark = pytest.mark.django_db

# 44, 449 and 4499 end where 45 begins, 4 and 49 where 5 does, 9 and 99 behind the last digits that there are; 450 and
# 4500 stand where 45 does but for the zeros, and 0 where nothing does.
PREFIXES = ["4", "44", "449", "4499", "45", "450", "4500", "49", "6", "699", "9", "99", "0", "00"]
# Of 64 places each, and more, a list has pages.
MANY = [f"7{n:03}" for n in range(0, 400, 3)]
DESTINATIONS = [
    *("4", "40", "43", "44", "448", "449", "4498", "4499", "44999", "449999999999999", "45", "450", "4500", "45000"),
    *("451", "46", "49", "499999999999999", "5", "50", "6", "69", "699", "6990", "7", "8", "9", "98", "99", "999"),
    *("0", "00", "000", "01", "1", "", "+44", "+4499", "++44", "44-9", "44A", "449 9", "x44", "4499999999999999999"),
    *("7", "70", "700", "7000", "7001", "7003", "70035", "7189", "7190", "7192", "7396", "7399", "73990", "740"),
]


def longest(destination: str) -> str | None:
    """One + in front is taken off; of the prefixes that the text begins with, the longest."""
    text = destination.removeprefix("+")
    return max((prefix for prefix in [*PREFIXES, *MANY] if text.startswith(prefix)), key=len, default=None)


def test_the_longest_prefix_that_a_destination_begins_with_prices_it() -> None:
    customer, call = customer_at("1", rate__destination_prefix=PREFIXES[0])
    card = rate_of(call).rate_card
    for prefix in [*PREFIXES[1:], *MANY]:
        RateFactory(rate_card=card, product=call, destination_prefix=prefix)
    records = {destination: use(customer, call, 1, destination=destination) for destination in DESTINATIONS}
    bill(bill_unpriced=True)
    charges = UsageCharge.objects.select_related("rate")
    priced = {charge.record_id: charge.rate.destination_prefix for charge in charges if charge.rate is not None}
    assert {text: priced.get(record.pk) for text, record in records.items()} == {
        text: longest(text) for text in DESTINATIONS
    }
