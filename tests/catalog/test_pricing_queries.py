from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

import catalog.engine.rates as engine
from catalog.models import Rate, RateCard
from catalog.queries.pricing import engine_cards, engine_rate, engine_rates
from tests.factories import (
    ProductFactory,
    PublicHolidayFactory,
    RateCardFactory,
    RateFactory,
    RateTierFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
)

pytestmark = pytest.mark.django_db


# What a rate has under the same name in the database and for the engine.
TERMS: dict[str, Any] = {
    "region": "EU",
    "destination_prefix": "4477",
    "destination_name": "UK mobile",
    "start_date": date(2026, 1, 1),
    "end_date": date(2026, 2, 1),
    "pricing_model": "graduated",
    "unit_price": Decimal("0.12"),
    "unit_size": Decimal(60),
    "connection_fee": Decimal("0.05"),
    "minimum_quantity": Decimal(10),
    "first_increment": Decimal(30),
    "increment": Decimal(6),
    "included_quantity": Decimal(100),
    "counted_per": "service",
    "rounding_digits": 4,
    "rounding_mode": "up",
}


def test_a_rate_has_all_its_terms() -> None:
    band = TimeBandFactory(name="Peak")
    TimeBandHoursFactory(time_band=band)
    made = RateFactory(rate_card__name="Retail", product__code="CALL", time_band=band, **TERMS)
    RateTierFactory(rate=made, from_quantity=500, unit_price=Decimal("0.08"))
    RateTierFactory(rate=made, from_quantity=100, unit_price=Decimal("0.1"))
    expected = engine.Rate(
        id=made.pk,
        card_id=made.rate_card_id,
        card_name="Retail",
        product="CALL",
        band=engine.Band(band.pk, "Peak", (engine.Hours(frozenset({1, 2, 3, 4, 5}), time(8), time(18)),)),
        tiers=(engine.Tier(Decimal(100), Decimal("0.1")), engine.Tier(Decimal(500), Decimal("0.08"))),
        **TERMS,
    )
    assert engine_rate(Rate.objects.get(pk=made.pk)) == expected
    found = engine_rates([made.rate_card_id], product_id=made.product_id, digits="447700900123", region="EU", on=None)
    assert found == [expected]


def test_limits_of_a_charge_are_taken_over() -> None:
    made = engine_rate(RateFactory(minimum_charge=Decimal("0.1"), maximum_charge=Decimal(5)))
    assert (made.minimum_charge, made.maximum_charge) == (Decimal("0.1"), Decimal(5))


def test_only_rates_that_could_price_the_use_are_read() -> None:
    card, product = RateCardFactory(), ProductFactory()
    prefixes = ["", "4", "44", "447", "4478", "45", "44770090012345", "447700900123456"]
    by_prefix = {prefix: RateFactory(rate_card=card, product=product, destination_prefix=prefix) for prefix in prefixes}
    in_eu = RateFactory(rate_card=card, product=product, region="EU")
    RateFactory(rate_card=card, product=product, region="US")
    RateFactory(rate_card=card, region="EU")
    RateFactory(product=product)

    def found(digits: str, region: str = "") -> set[int]:
        rates = engine_rates([card.pk], product_id=product.pk, digits=digits, region=region, on=None)
        return {rate.id for rate in rates}

    def ids(*wanted: str) -> set[int]:
        return {by_prefix[prefix].pk for prefix in wanted}

    assert found("") == ids("")
    assert found("447700") == ids("", "4", "44", "447")
    # Prefixes have 15 digits at most.
    assert found("4477009001234567890123") == ids("", "4", "44", "447", "44770090012345", "447700900123456")
    assert found("4x") == ids("", "4")
    assert found("", "EU") == ids("") | {in_eu.pk}


def test_the_versions_of_a_day_or_all_of_them() -> None:
    first = RateFactory(start_date=date(2025, 1, 1), end_date=date(2026, 1, 1))
    second = RateFactory(rate_card=first.rate_card, product=first.product, start_date=date(2026, 1, 1))

    def found(on: date | None) -> list[int]:
        rates = engine_rates([first.rate_card_id], product_id=first.product_id, digits="", region="", on=on)
        return [rate.id for rate in rates]

    days = (date(2024, 12, 31), date(2025, 1, 1), date(2025, 12, 31), date(2026, 1, 1))
    assert [found(day) for day in days] == [[], [first.pk], [first.pk], [second.pk]]
    assert found(None) == [first.pk, second.pk]


def test_many_rates_take_as_many_queries_as_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    card, product = RateCardFactory(), ProductFactory()
    bands = [TimeBandFactory() for _ in range(4)]
    for band in bands:
        TimeBandHoursFactory(time_band=band)
        tiered = RateFactory(rate_card=card, product=product, time_band=band, pricing_model="volume")
        RateTierFactory(rate=tiered)
    # The rates, hours and tiers; the cards, bands and their hours.
    with django_assert_num_queries(3):
        assert len(engine_rates([card.pk], product_id=product.pk, digits="", region="", on=None)) == 4
    others = [RateFactory(time_band=band).rate_card for band in bands]
    with django_assert_num_queries(3):
        engine_cards([card.pk, *(other.pk for other in others)], years=[2026])


def test_a_few_prefixes_of_a_large_card_are_found_by_an_index() -> None:
    card, product = RateCardFactory(), ProductFactory()
    Rate.objects.bulk_create(
        Rate(rate_card=card, product=product, destination_prefix=str(n), unit_price=1, start_date=date(2026, 1, 1))
        for n in range(20_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE rate")
    with CaptureQueriesContext(connection) as captured:
        found = engine_rates([card.pk], product_id=product.pk, digits="4477", region="EU", on=date(2026, 1, 1))
    assert [rate.destination_prefix for rate in found] == ["4", "44", "447", "4477"]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {captured.captured_queries[0]['sql']}")
        plan = [row[0] for row in cursor.fetchall()]
    assert not [line for line in plan if "Seq Scan on rate " in line]


def test_cards_come_in_order_with_the_bands_of_their_rates_and_their_holidays() -> None:
    peak, unused, elsewhere = (TimeBandFactory(name=name) for name in ("Peak", "Unused", "Elsewhere"))
    for band in (peak, unused, elsewhere):
        TimeBandHoursFactory(time_band=band)
    german: RateCard = RateCardFactory(name="German", timezone="Europe/Berlin", holiday_country="DE", band_rule="split")
    plain: RateCard = RateCardFactory(name="Plain")
    RateFactory(rate_card=german, time_band=peak)
    RateFactory(time_band=elsewhere)
    for country, day in (("DE", date(2026, 1, 1)), ("DE", date(2027, 1, 1)), ("FR", date(2026, 7, 14))):
        PublicHolidayFactory(country=country, day=day)
    assert engine_cards([plain.pk, german.pk], years=[2025, 2026]) == [
        engine.Card(id=plain.pk, name="Plain"),
        engine.Card(
            id=german.pk,
            name="German",
            timezone="Europe/Berlin",
            band_rule="split",
            holidays=frozenset({date(2026, 1, 1)}),
            bands=(engine.Band(peak.pk, "Peak", (engine.Hours(frozenset({1, 2, 3, 4, 5}), time(8), time(18)),)),),
        ),
    ]
    assert engine_cards([], years=[2026]) == []
