from datetime import date, time
from decimal import Decimal

import factory

from catalog.models import Currency, Product, PublicHoliday, Rate, RateCard, RateTier, TaxRate, TimeBand, TimeBandHours
from tests.factories.rows import RowFactory


class CurrencyFactory(RowFactory[Currency]):
    """The currency with that code; a migration has put all of them there."""

    code = "USD"

    class Meta:
        model = Currency
        django_get_or_create = ("code",)


class TaxRateFactory(RowFactory[TaxRate]):
    name = factory.LazyAttribute(lambda rate: f"VAT {rate.percent} %")
    percent = Decimal("20.0000")

    class Meta:
        model = TaxRate
        django_get_or_create = ("name",)


class ProductFactory(RowFactory[Product]):
    code = factory.Sequence(lambda n: f"PRODUCT-{n:04}")
    name = factory.LazyAttribute(lambda product: f"Product {product.code}")
    product_group = "Voice"
    product_line = "Calls"

    class Meta:
        model = Product


class RateCardFactory(RowFactory[RateCard]):
    name = factory.Sequence(lambda n: f"Price list {n}")
    currency = factory.SubFactory(CurrencyFactory)

    class Meta:
        model = RateCard


class TimeBandFactory(RowFactory[TimeBand]):
    """A band without hours; see TimeBandHoursFactory."""

    name = factory.Sequence(lambda n: f"Peak {n}")

    class Meta:
        model = TimeBand


class TimeBandHoursFactory(RowFactory[TimeBandHours]):
    """Monday to Friday from 8:00 to 18:00."""

    time_band = factory.SubFactory(TimeBandFactory)
    days = [1, 2, 3, 4, 5]
    start_time = time(8)
    end_time = time(18)

    class Meta:
        model = TimeBandHours


class PublicHolidayFactory(RowFactory[PublicHoliday]):
    country = "DE"
    day = date(2026, 1, 1)
    name = "Neujahr"

    class Meta:
        model = PublicHoliday


class RateFactory(RowFactory[Rate]):
    """0.01 a unit everywhere, from 2020 on and without an end."""

    rate_card = factory.SubFactory(RateCardFactory)
    product = factory.SubFactory(ProductFactory)
    unit_price = Decimal("0.01")
    start_date = date(2020, 1, 1)

    class Meta:
        model = Rate


class RateTierFactory(RowFactory[RateTier]):
    """Above 100 units at 0.01; of a new graduated rate, or of one made in the same transaction."""

    rate = factory.SubFactory(RateFactory, pricing_model="graduated")
    from_quantity = Decimal(100)
    unit_price = Decimal("0.01")

    class Meta:
        model = RateTier
