"""A price that counts the month's usage is corrected, with usage taken back before and after: what is paid in the end.

SQL makes the charges and their corrections; before each run the pricing engine says what they have to come to.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from billing.operations.price_corrections import draft_corrections
from billing.operations.price_differences import price_differences
from billing.queries.check_explanations import check_explanations
from billing.queries.explain import explain_charge
from billing.queries.prices_now import explain_pending
from catalog.engine.counted import cumulative_amount
from catalog.engine.rates import Tier
from catalog.models import Product
from catalog.operations.rates import add_rate_version
from catalog.queries.pricing import engine_rate
from customers.models import Customer
from invoicing.models import Invoice, UsageCharge
from tests.billing.taken import THEN, cancel
from tests.factories import RateTierFactory
from tests.runs import FEBRUARY, bill, customer_at, plain, post, rate_of, use
from usage.models import UsageDataRecord

# Each step is committed: runs and re-rating see what was there before them.
pytestmark = pytest.mark.django_db(transaction=True)

JANUARY: dict[str, Any] = {"from_day": date(2026, 1, 1), "until_day": date(2026, 2, 1)}
MARCH = {"invoice_date": date(2026, 4, 1), "cutoff_date": date(2026, 4, 1), "due_date": date(2026, 4, 30)}


def foretold(record: UsageDataRecord) -> Decimal | None:
    """What the engine says that a waiting record will cost."""
    found = explain_pending(record_id=record.pk)
    assert found is not None
    return found.amount


def charged(record: UsageDataRecord) -> list[Decimal | None]:
    """The amount of its charge, and what of it corrects earlier charges of the month."""
    charge = UsageCharge.objects.get(record=record)
    return [charge.amount, charge.correction]


def corrections(record: UsageDataRecord) -> tuple[str, ...]:
    """What its price was corrected to, as its explanation says."""
    found = explain_charge(record_id=record.pk)
    assert found is not None
    return found.corrections


def differences() -> list[str]:
    """What was charged in January -> what it comes to by the prices of now."""
    found = price_differences(**JANUARY)
    return [f"{one.record_number}: {plain(one.charged)} -> {plain(one.now)}" for one in found.records]


@pytest.fixture
def acme() -> tuple[Customer, Product]:
    """100 minutes of a month are free, the next 150 cost 0.10, further ones 0.05; 0.02 for each call."""
    with transaction.atomic():
        customer, call = customer_at(
            "0.10",
            rate__pricing_model="graduated",
            rate__included_quantity=100,
            rate__connection_fee=Decimal("0.02"),
        )
        RateTierFactory(rate=rate_of(call), from_quantity=150, unit_price=Decimal("0.05"))
    return customer, call


def test_a_counted_price_corrected_between_two_calls_taken_back(acme: tuple[Customer, Product]) -> None:
    customer, call = acme
    # January: 200 minutes, 100 x 0.10 + 0.02 = 10.02; 150 more, 50 x 0.10 + 100 x 0.05 + 0.02 = 10.02.
    first = use(customer, call, 200, on="2026-01-10", number="R1")
    second = use(customer, call, 150, on="2026-01-20", number="R2")
    post(bill())
    assert [charged(first), charged(second)] == [[Decimal("10.02"), 0], [Decimal("10.02"), 0]]

    # The first call was none. The 150 minutes of the second by themselves are 50 x 0.10 = 5, and not 10. What is 5 too
    # much is in the next charge of January: 50 x 0.10 + 0.02 - 5 = 0.02.
    cancel(first)
    third = use(customer, call, 50, on="2026-01-25", number="R3")
    assert foretold(third) == Decimal("0.02")
    post(bill(**FEBRUARY))
    assert charged(third) == [Decimal("0.02"), -5]

    # It should have been 0.08, and 0.04 above 150. The second: 50 x 0.08 + 0.02 = 4.02, the third 50 x 0.08 + 0.02.
    terms: Any = {"unit_price": Decimal("0.08"), "tiers": [Tier(Decimal(150), Decimal("0.04"))]}
    rate = add_rate_version(rate_id=rate_of(call).pk, start_date=date(2026, 1, 1), terms=terms)
    assert differences() == ["R2: 10.02 -> 4.02", "R3: 0.02 -> 4.02"]
    draft_corrections(**JANUARY, customer_ids=[customer.pk], at=THEN)

    # The second call was none either: its charge goes, and its correction. The 50 minutes left are free. What is 4 too
    # much is in the next charge: (50 + 100 - 100) x 0.08 + 0.02 - 4 = 0.02.
    cancel(second)
    fourth = use(customer, call, 100, on="2026-01-28", number="R4")
    assert foretold(fourth) == Decimal("0.02")
    post(bill(**MARCH))
    assert charged(fourth) == [Decimal("0.02"), -4]

    # In the end 150 minutes in two calls were paid: 50 x 0.08 + 2 x 0.02 = 4.04.
    month = cumulative_amount(engine_rate(rate), Decimal(150), total=Decimal(150), included=Decimal(100))
    assert month == 4
    assert sum(document.net_amount for document in Invoice.objects.all()) == month + 2 * rate.connection_fee
    assert differences() == []
    for document in Invoice.objects.all():
        assert [one.fault for one in check_explanations(invoice_id=document.pk).unequal] == []
    on_march = "is on invoice CN-000002."
    assert corrections(second) == (
        f"Price corrected on 2026-02-05: 4.02 USD in place of 10.02, by rate {rate.pk}. The credit {on_march}",
        f"Price correction taken back: 6 USD {on_march}",
    )
