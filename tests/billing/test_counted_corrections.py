"""Corrected prices of usage that counts by the month: what is corrected together, what late usage goes on from."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from billing.operations.price_corrections import draft_corrections
from billing.operations.price_differences import PriceDifferences, differences_of_invoice, price_differences
from catalog.engine.rates import Tier
from catalog.models import Product
from catalog.operations.rates import add_rate_version
from customers.models import Customer
from invoicing.models import Invoice, PriceCorrection, UsageCharge
from tests.billing.taken import THEN, cancel
from tests.factories import RateFactory, RateTierFactory
from tests.runs import FEBRUARY, bill, customer_at, invoice, plain, post, rate_of, use

# A run that comes after a correction sees it once it is committed.
pytestmark = pytest.mark.django_db(transaction=True)

JANUARY: dict[str, Any] = {"from_day": date(2026, 1, 1), "until_day": date(2026, 2, 1)}


def draft(customer: Customer, **days: Any) -> None:
    draft_corrections(**(JANUARY | days), customer_ids=[customer.pk], at=THEN)


def records(found: PriceDifferences) -> list[str]:
    """The records that differ: charged -> now."""
    return [f"{row.record_number}: {plain(row.charged)} -> {plain(row.now)}" for row in found.records]


def billed() -> Decimal:
    """The net of all documents."""
    return sum((document.net_amount for document in Invoice.objects.all()), Decimal(0))


@pytest.fixture
def acme() -> tuple[Customer, Product]:
    """100 and 100 at 0.10, above 150 at 0.05, posted: 10 and 50 x 0.10 + 50 x 0.05 = 7.5."""
    with transaction.atomic():
        customer, call = customer_at("0.10", rate__pricing_model="graduated")
        RateTierFactory(rate=rate_of(call), from_quantity=150, unit_price=Decimal("0.05"))
    use(customer, call, 100, on="2026-01-10", number="R1")
    use(customer, call, 100, on="2026-01-20", number="R2")
    post(bill())
    return customer, call


def correct(product: Product) -> None:
    """It should have been 0.10, and 0.02 above 120, from January on."""
    terms: Any = {"tiers": [Tier(Decimal(120), Decimal("0.02"))]}
    add_rate_version(rate_id=rate_of(product).pk, start_date=date(2026, 1, 1), terms=terms)


def test_what_counts_together_is_corrected_together(acme: tuple[Customer, Product]) -> None:
    customer, call = acme
    correct(call)
    # R2: 20 x 0.10 + 80 x 0.02 = 3.6. R1 comes to the same, and counts by the new price from now on, though nobody asks
    # about its day.
    since: dict[str, Any] = {"from_day": date(2026, 1, 15), "until_day": date(2026, 2, 1)}
    assert records(price_differences(**since)) == ["R2: 7.5 -> 3.6"]
    draft(customer, **since)
    corrected = PriceCorrection.objects.values_list("charge__record__number", flat=True)
    assert sorted(corrected) == ["R1", "R2"]
    use(customer, call, 50, on="2026-01-25", number="R3")
    post(bill(**FEBRUARY))
    # 250 in the month: 120 x 0.10 + 130 x 0.02 = 14.60.
    assert billed() == Decimal("14.60")


def test_usage_on_a_draft_does_not_count_with_what_is_posted(acme: tuple[Customer, Product]) -> None:
    customer, call = acme
    # Late, and before the others in the order of starts: 50 x 0.05 = 2.5 on a draft.
    use(customer, call, 50, on="2026-01-05", number="R0")
    february = bill(**FEBRUARY)
    correct(call)
    assert records(price_differences(**JANUARY)) == ["R2: 7.5 -> 3.6"]
    draft(customer)
    # Once the draft is posted, it is charged by the old price, and the month is counted anew: R0 first, 50 x 0.10 = 5,
    # R1 70 x 0.10 + 30 x 0.02 = 7.6, R2 100 x 0.02 = 2.
    post(february)
    assert records(price_differences(**JANUARY)) == ["R0: 2.5 -> 5", "R1: 10 -> 7.6", "R2: 3.6 -> 2"]


def test_usage_that_is_not_counted_any_more_leaves_the_count() -> None:
    # Of each month 100 are free, further ones cost 0.10: 0 and 40 x 0.10 = 4.
    customer, call = customer_at("0.10", rate__included_quantity=100)
    card = rate_of(call).rate_card
    use(customer, call, 80, on="2026-01-10", number="R1", destination="+800123")
    use(customer, call, 60, on="2026-01-20", number="R2", destination="+44207")
    post(bill())
    # Calls to 800 should have cost nothing, and have taken nothing of what is free.
    RateFactory(rate_card=card, product=call, unit_price=Decimal(0), destination_prefix="800")
    assert records(price_differences(**JANUARY)) == ["R2: 4 -> 0"]
    draft(customer)
    # 60 + 10 are within the 100.
    use(customer, call, 10, on="2026-01-25", number="R3", destination="+44207")
    bill(**FEBRUARY)
    charge = UsageCharge.objects.get(record__number="R3")
    assert [charge.quantity_before, charge.amount, charge.correction] == [60, 0, 0]


def test_an_invoice_may_have_usage_of_years() -> None:
    customer, call = customer_at("0.10")
    use(customer, call, 10, on="2024-06-10", number="R1")
    use(customer, call, 10, on="2026-01-10", number="R2")
    january = post(bill())
    add_rate_version(rate_id=rate_of(call).pk, start_date=date(2024, 1, 1), terms={"unit_price": Decimal("0.08")})
    # 10 x 0.10 = 1 and 10 x 0.08 = 0.8, each.
    found = differences_of_invoice(invoice_id=invoice(january, customer).pk)
    assert records(found) == ["R1: 1 -> 0.8", "R2: 1 -> 0.8"]


def test_a_draft_that_is_made_again_counts_as_its_run_saw_it() -> None:
    customer, call = customer_at("0.10", rate__included_quantity=100)
    use(customer, call, 150, on="2026-01-10", number="R1")
    post(bill())
    late = use(customer, call, 50, on="2026-01-20", number="R2")
    wrong = use(customer, call, 7, on="2026-02-20", number="R3")
    bill(**FEBRUARY)
    # What is free was used up before: 50 x 0.10 = 5.
    assert UsageCharge.objects.get(record=late).amount == 5
    add_rate_version(rate_id=rate_of(call).pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.08")})
    draft(customer)
    cancel(wrong)
    charge = UsageCharge.objects.get(record=late)
    assert [charge.quantity_before, charge.amount] == [150, 5]
