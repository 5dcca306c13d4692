"""Each rule of the check of a price list: a literal card that breaks it, and one that does not."""

import time as clock
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Any

import pgtrigger
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.choices import Severity
from catalog.models import Product, Rate, RateCard
from catalog.queries.lint import lint_card
from tests.catalog.linted import ON, WEEK, band, found, said, tiered
from tests.factories import (
    ProductFactory,
    RateCardFactory,
    RateFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> RateCard:
    return RateCardFactory(name="Retail")


@pytest.fixture
def call() -> Product:
    return ProductFactory(code="CALL")


@pytest.fixture
def price(card: RateCard, call: Product) -> Callable[..., Rate]:
    """Makes a rate of CALL on the card: to a prefix, at so much."""

    def make(prefix: str = "", unit_price: str = "0.10", **fields: Any) -> Rate:
        given = {"rate_card": card, "product": call, "destination_prefix": prefix, "unit_price": Decimal(unit_price)}
        return RateFactory(**(given | fields))

    return make


def test_a_sound_card_has_no_findings(card: RateCard, price: Callable[..., Rate]) -> None:
    peak = band("Peak", ([1, 2, 3, 4, 5], time(8), time(18)))
    price("44", "0.02")
    price("4477", "0.10")
    price("4477", "0.12", time_band=peak)
    price("4478", "0.11")
    price("1", "0.01")
    assert lint_card(rate_card_id=card.pk, on=ON) == []


def test_prefixes_beside_which_nothing_has_a_price(card: RateCard, price: Callable[..., Rate]) -> None:
    first = price("4477")
    price("4478")
    price("447624")
    price("49")
    holes = found(card, "holes")
    assert holes is not None
    assert (holes.severity, holes.count) == (Severity.WARNING, 2)
    # Neither 447, 44, 4 nor '' has a price; 49 is a whole country.
    assert said(holes) == [
        "CALL: 4477, 4478 have prices; other numbers that begin with 447 have none.",
        "CALL: 447624 has a price; other numbers that begin with 44762 have none.",
    ]
    assert holes.rate_ids[0] == first.pk


@pytest.mark.parametrize("parent", ["447", "44", "4", ""])
def test_a_prefix_with_a_shorter_one_is_no_hole(card: RateCard, price: Callable[..., Rate], parent: str) -> None:
    price("4477", region="EU")
    price(parent)
    assert [text for text in said(found(card, "holes")) if "4477" in text] == []


def test_the_parent_has_a_price_of_the_same_product(card: RateCard, price: Callable[..., Rate]) -> None:
    price("4477")
    price("44", product=ProductFactory(code="SMS"))
    price("44", region="EU")
    assert said(found(card, "holes")) == ["CALL: 4477 has a price; other numbers that begin with 447 have none."]


def test_ten_prefixes_that_are_all_of_a_shorter_one_leave_no_hole_in_it(
    card: RateCard, price: Callable[..., Rate]
) -> None:
    for digit in range(10):
        price(f"447{digit}")
    # 447 is whole; other numbers that begin with 44 have no price.
    assert said(found(card, "holes")) == [
        "CALL: 4470, 4471, 4472, 4473 and 6 more have prices; other numbers that begin with 44 have none."
    ]
    for digit in (0, 1, 2, 3, 4, 5, 6, 8, 9):
        price(f"44{digit}")
    assert found(card, "holes") is None


def test_tiers_that_change_nothing(card: RateCard, price: Callable[..., Rate]) -> None:
    tiered(price(region="A", pricing_model="graduated"), ("100", "0.08"), ("200", "0.08"), ("300", "0.07"))
    tiered(price(region="B", pricing_model="volume"), ("1000000000000000000", "0.05"))
    price(region="C", pricing_model="graduated")
    tiered(price(region="D", pricing_model="volume"), ("50", "0.10"))
    useless = found(card, "tiers_never_reached")
    assert useless is not None
    assert (useless.severity, useless.count) == (Severity.WARNING, 4)
    assert said(useless) == [
        "CALL in A: above 200 it costs 0.08 as below: that tier changes nothing.",
        "CALL in B: nobody uses more than 1000000000000000000: that tier is never reached.",
        "CALL in C: it has no tier: all of it costs 0.1.",
        "CALL in D: above 50 it costs 0.1 as below: that tier changes nothing.",
    ]


def test_tiers_that_go_backwards(card: RateCard, price: Callable[..., Rate]) -> None:
    tiered(price(region="A", pricing_model="graduated"), ("100", "0.08"), ("200", "0.09"))
    tiered(price(region="B", pricing_model="volume"), ("50", "0.10"), ("100", "0.11"))
    backwards = found(card, "tiers_backwards")
    assert backwards is not None
    assert backwards.count == 2
    assert said(backwards) == [
        "CALL in A costs 0.09 above 200, and 0.08 below.",
        "CALL in B costs 0.11 above 100, and 0.1 below.",
    ]


def test_tiers_that_fall_are_sound(card: RateCard, price: Callable[..., Rate]) -> None:
    tiered(price(region="A", pricing_model="graduated"), ("100", "0.08"), ("200", "0.07"))
    price(region="B", pricing_model="package")
    assert found(card, "tiers_never_reached") is None
    assert found(card, "tiers_backwards") is None


def test_prices_ten_times_off_those_beside_them(card: RateCard, price: Callable[..., Rate]) -> None:
    price("44", "0.02")
    price("4474", "0.12")
    price("4475", "0.10")
    # 7.2 for 60 is the same price as 0.12 for 1: not off. 1.2 is.
    price("4476", "7.2", unit_size=60)
    dear = price("4477", "1.2")
    cheap = price("4478", "0.012")
    off = found(card, "ten_times_off")
    assert off is not None
    assert (off.severity, off.count, off.rate_ids) == (Severity.WARNING, 2, (dear.pk, cheap.pk))
    # 0.012, 0.10, 0.12, 0.12, 1.2
    assert said(off) == [
        "CALL to 4477 costs 1.2; the median of 447… beside it is 0.12.",
        "CALL to 4478 costs 0.012; the median of 447… beside it is 0.12.",
    ]


def test_prices_of_other_bands_or_less_than_ten_times_off_are_no_neighbours(
    card: RateCard, price: Callable[..., Rate]
) -> None:
    peak = band("Peak", (WEEK, time(8), time(18)))
    for prefix, amount in (("4474", "0.10"), ("4475", "0.10"), ("4476", "0.99")):
        price(prefix, amount)
    price("4474", "5", time_band=peak)
    price("4475", "5", time_band=peak)
    price("4479", "0")
    assert found(card, "ten_times_off") is None


def test_a_price_ten_times_off_that_of_other_regions(card: RateCard, price: Callable[..., Rate]) -> None:
    for region, amount in (("eu-west", "0.01"), ("us-east", "0.011"), ("ap-south", "0.12")):
        price(region=region, unit_price=amount)
    assert said(found(card, "ten_times_off")) == ["CALL in ap-south costs 0.12; the median of other regions is 0.011."]


def test_prices_of_nothing(card: RateCard, price: Callable[..., Rate]) -> None:
    free = price(region="A", unit_price="0")
    price(region="B", unit_price="0", connection_fee=Decimal("0.05"))
    price(region="C", unit_price="0", minimum_charge=Decimal("0.05"))
    tiered(price(region="D", unit_price="0", pricing_model="graduated"), ("100", "0.01"))
    zero = found(card, "zero_prices")
    assert zero is not None
    assert (zero.count, zero.rate_ids) == (1, (free.pk,))
    assert said(zero) == ["CALL in A costs 0."]


def test_prices_that_ended_without_a_successor(card: RateCard, price: Callable[..., Rate]) -> None:
    price("33", end_date=date(2025, 6, 1))
    ended = price("33", start_date=date(2025, 6, 1), end_date=ON)
    price("44", end_date=date(2025, 6, 1))
    price("44", start_date=date(2025, 6, 1))
    price("49", end_date=ON)
    price("4", region="")
    price("34", end_date=date(2026, 2, 2))
    expired = found(card, "expired")
    assert expired is not None
    assert (expired.severity, expired.count, expired.rate_ids) == (Severity.WARNING, 1, (ended.pk,))
    assert said(expired) == ["CALL to 33 held before 2026-02-01; nothing of this card has priced it since."]


def test_a_price_of_another_time_band_is_no_successor(card: RateCard, price: Callable[..., Rate]) -> None:
    day, night = band("Day", (WEEK, time(6), None)), band("Night", (WEEK, time(0), time(6)))
    price("33", time_band=night, end_date=ON)
    price("33", time_band=day)
    assert said(found(card, "expired")) == [
        "CALL to 33, Night held before 2026-02-01; nothing of this card has priced it since."
    ]
    price("33")
    assert found(card, "expired") is None


def test_included_quantities_of_several_prices_add_up(card: RateCard, price: Callable[..., Rate]) -> None:
    price("44", included_quantity=Decimal(100))
    price("33", product=ProductFactory(code="SMS"), included_quantity=Decimal(5))
    assert found(card, "included_often") is None
    price("33", included_quantity=Decimal(200))
    often = found(card, "included_often")
    assert often is not None
    assert said(often) == ["CALL: 2 prices include 300 together."]


def test_a_card_without_prices_on_the_day(card: RateCard, price: Callable[..., Rate]) -> None:
    price(start_date=date(2026, 3, 1))
    assert [finding.rule for finding in lint_card(rate_card_id=card.pk, on=ON)] == ["no_prices"]
    assert lint_card(rate_card_id=card.pk, on=date(2026, 3, 1)) == []


def test_only_what_holds_on_the_day_is_looked_at(card: RateCard, price: Callable[..., Rate]) -> None:
    price("44", "0", end_date=date(2025, 1, 1))
    price("44", "0.10", start_date=date(2025, 1, 1), end_date=date(2026, 3, 1))
    price("44", "0", start_date=date(2026, 3, 1))
    assert found(card, "zero_prices", date(2024, 12, 31)) is not None
    assert found(card, "zero_prices", ON) is None
    assert found(card, "zero_prices", date(2026, 3, 1)) is not None


def test_another_card_is_not_looked_at(card: RateCard, price: Callable[..., Rate]) -> None:
    price("44")
    price("44", "0", rate_card=RateCardFactory())
    assert lint_card(rate_card_id=card.pk, on=ON) == []


def test_findings_name_the_first_and_count_all(card: RateCard, price: Callable[..., Rate]) -> None:
    for number in range(25):
        price(region=f"R{number:02}", unit_price="0")
    zero = found(card, "zero_prices")
    assert zero is not None
    assert (zero.count, len(zero.places), zero.sentence) == (25, 20, "25 prices are 0: uses of it cost nothing.")


def test_a_hundred_thousand_prefixes_take_seconds(card: RateCard, call: Product) -> None:
    peak = band("Peak", (WEEK, time(8), time(18)))
    with connection.cursor() as cursor, pgtrigger.ignore():
        # 1 and 2 have a price, 3 to 6 have none. Of their prefixes 31234 is left out, and each tenth of those with 5.
        cursor.execute(
            """
            INSERT INTO rate (
              rate_card_id, product_id, region, destination_prefix, time_band_id, pricing_model, unit_price,
              rounding_mode, start_date
            )
            SELECT %s, %s, '', number, band, 'perUnit', 0.01 * (1 + number %% 7), 'halfUp', '2020-01-01'
            FROM (SELECT generate_series(1, 2) UNION ALL SELECT generate_series(10000, 60999)) n (number)
            CROSS JOIN unnest(ARRAY[NULL, %s]) AS band
            WHERE number <> 31234 AND NOT (number BETWEEN 50000 AND 59999 AND number %% 10 = 0)
            """,
            [card.pk, call.pk, peak.pk],
        )
        assert cursor.rowcount == 100_002
    with CaptureQueriesContext(connection) as queries:
        started = clock.monotonic()
        (holes,) = lint_card(rate_card_id=card.pk, on=ON)
        took = clock.monotonic() - started
    assert holes.count == 1001
    assert said(holes)[:2] == [
        "CALL: 31230, 31231, 31232, 31233 and 5 more have prices; other numbers that begin with 3123 have none.",
        "CALL: 50001, 50002, 50003, 50004 and 5 more have prices; other numbers that begin with 5000 have none.",
    ]
    assert took < 20, queries.captured_queries
    assert len(queries) < 30
