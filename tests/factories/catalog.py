from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import factory

from catalog.models import (
    Currency,
    Product,
    PublicHoliday,
    Rate,
    RateCard,
    RateDeck,
    RateDeckLine,
    RateExample,
    RateTier,
    TaxRate,
    TimeBand,
    TimeBandHours,
)
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
    """A day of its own of Germany."""

    country = "DE"
    day = factory.Sequence(lambda n: date(2026, 1, 1) + timedelta(days=n))
    name = factory.LazyAttribute(lambda holiday: f"Holiday {holiday.day}")

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


class RateExampleFactory(RowFactory[RateExample]):
    """60 s to 447700900123 on Monday 5 January 2026 at 09:00 UTC costs 0.12."""

    rate_card = factory.SubFactory(RateCardFactory)
    product = factory.SubFactory(ProductFactory)
    quantity = Decimal(60)
    destination = "447700900123"
    used_at = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    amount = Decimal("0.12")

    class Meta:
        model = RateExample


class RateDeckFactory(RowFactory[RateDeck]):
    """A deck of a file that waits, of prices from 1 March 2026 on; it has no lines."""

    rate_card = factory.SubFactory(RateCardFactory)
    name = "prices.csv"
    starts_on = date(2026, 3, 1)
    columns = ["product", "prefix", "unit_price"]
    column_mapping = {"product": "product", "destination_prefix": "prefix", "unit_price": "unit_price"}

    class Meta:
        model = RateDeck


class RateDeckLineFactory(RowFactory[RateDeckLine]):
    """A new price: 0.01 a unit."""

    deck = factory.SubFactory(RateDeckFactory)
    line_number = factory.Sequence(lambda n: n + 2)
    outcome = "NEW"
    product = factory.SubFactory(ProductFactory)
    unit_price = Decimal("0.01")

    class Meta:
        model = RateDeckLine
