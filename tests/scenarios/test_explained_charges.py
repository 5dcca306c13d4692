"""Every charge of a customer with prices of all kinds is what its explanation comes to, whatever happened since."""

from datetime import date, time
from decimal import Decimal

import pytest
from django.db import transaction

from billing.queries.check_explanations import check_explanations
from catalog.models import Product, Rate, RateCard
from catalog.operations.rates import add_rate_version
from customers.models import Customer
from invoicing.models import Invoice, UsageCharge
from tests.billing.taken import adjust, cancel
from tests.factories import (
    CustomerFactory,
    ProductFactory,
    PublicHolidayFactory,
    RateCardFactory,
    RateFactory,
    RateTierFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
)
from tests.runs import FEBRUARY, bill, day, post, use

pytestmark = pytest.mark.django_db(transaction=True)


def tiered(card: RateCard, model: str) -> Product:
    """Calls at 0.09, above 100 in the month at 0.05; 30 of them free."""
    product: Product = ProductFactory()
    with transaction.atomic():
        rate = RateFactory(
            rate_card=card,
            product=product,
            unit_price=Decimal("0.09"),
            pricing_model=model,
            included_quantity=30,
            unit_size=7,
            connection_fee=Decimal("0.015"),
            rounding_digits=3,
            rounding_mode="halfEven",
            counted_per="service",
        )
        if model in {"graduated", "volume"}:
            RateTierFactory(rate=rate, from_quantity=100, unit_price=Decimal("0.05"))
    return product


@pytest.fixture
def acme() -> Customer:
    """In Berlin, with a card that splits at the border of peak hours."""
    card = RateCardFactory(band_rule="split", timezone="Europe/Lisbon", holiday_country="PT")
    PublicHolidayFactory(country="PT", day=date(2026, 1, 1))
    customer: Customer = CustomerFactory(timezone="Europe/Berlin", rate_cards=[card])
    return customer


@pytest.fixture
def products(acme: Customer) -> list[Product]:
    """Calls by prefix and band, and one product by each other model."""
    card = RateCard.objects.get()
    call, band = ProductFactory(code="CALL"), TimeBandFactory(name="Peak")
    TimeBandHoursFactory(time_band=band, start_time=time(8), end_time=time(18))
    for prefix, price in (("", "0.01"), ("44", "0.02"), ("447", "0.03")):
        for of_band, factor in ((None, 1), (band, 3)):
            RateFactory(
                rate_card=card,
                product=call,
                destination_prefix=prefix,
                time_band=of_band,
                unit_price=Decimal(price) * factor,
                unit_size=60,
                first_increment=30,
                increment=6,
                minimum_charge=Decimal("0.01"),
            )
    return [call, *(tiered(card, model) for model in ("perUnit", "graduated", "volume", "package"))]


def used(acme: Customer, products: list[Product], month: int) -> None:
    """Usage of each product on some days, credits among it."""
    for number in range(1, 13):
        for product in products:
            started = day(f"2026-{month:02}-{number:02}T{(number * 5) % 24:02}:59:{number:02}")
            use(
                acme,
                product,
                f"{number * 13}.{number}",
                on=started.strftime("%Y-%m-%dT%H:%M:%S"),
                to_date=day(f"2026-{month:02}-{number + 1:02}T08:00"),
                destination=("+447700", "+44207", "33", "")[number % 4],
                billing_directive="TO_BE_CREDITED" if number % 5 == 0 else "TO_BE_BILLED",
            )


def all_equal() -> int:
    """How many charges there are, all of them as explained."""
    for invoice in Invoice.objects.all():
        checked = check_explanations(invoice_id=invoice.pk)
        assert [explanation.fault for explanation in checked.unequal] == []
        assert checked.explained_count == UsageCharge.objects.filter(line__invoice=invoice).count()
    return UsageCharge.objects.count()


def test_two_months_with_late_usage_new_prices_and_usage_taken_back(acme: Customer, products: list[Product]) -> None:
    used(acme, products, 1)
    post(bill())
    assert all_equal() == 60
    # Late usage of January, some of it taken back, and all prices doubled from the middle of February on.
    first = UsageCharge.objects.order_by("id").select_related("record")
    cancel(first[0].record)
    adjust(first[1].record, usage_amount=Decimal(7))
    late = [use(acme, product, 55, on="2026-01-20") for product in products]
    used(acme, products, 2)
    for rate in Rate.objects.filter(end_date=None):
        if rate.time_band_id is None and not rate.tiers.exists():
            add_rate_version(rate_id=rate.pk, start_date=date(2026, 2, 6), terms={"unit_price": 2 * rate.unit_price})
    post(bill(**FEBRUARY))
    # 60 of January, 60 of February, 5 late ones, 1 successor.
    assert all_equal() == 126
    assert all(UsageCharge.objects.filter(record=record).exists() for record in late)
