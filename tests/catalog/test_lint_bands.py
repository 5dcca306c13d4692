"""Rules of the check of a price list on time bands."""

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from typing import Any

import pytest

from catalog.choices import Severity
from catalog.models import Product, Rate, RateCard
from catalog.queries.findings import hours_in_words
from tests.catalog.linted import WEEK, band, found, said
from tests.factories import ProductFactory, RateCardFactory, RateFactory

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


def test_time_bands_that_hold_at_the_same_minute(card: RateCard, price: Callable[..., Rate]) -> None:
    peak = band("Peak", ([1, 2, 3, 4, 5], time(8), time(18)))
    evening = band("Evening", ([5, 6], time(17), None))
    first = price("44", time_band=peak)
    price("44", time_band=evening)
    price("44")
    # On Friday both hold from 17:00 to 18:00.
    overlap = found(card, "overlapping_bands")
    assert overlap is not None
    assert (overlap.severity, overlap.count, overlap.rate_ids) == (Severity.ERROR, 1, (first.pk,))
    assert said(overlap) == ["CALL to 44, Peak: Evening holds too, on Friday from 17:00 to 18:00."]


def test_time_bands_that_meet_do_not_overlap(card: RateCard, price: Callable[..., Rate]) -> None:
    price("44", time_band=band("Peak", (WEEK, time(8), time(18))))
    price("44", time_band=band("Night", (WEEK, time(18), None), (WEEK, time(0), time(8))))
    price("45", time_band=band("Weekend", ([6, 7], time(0), None)))
    assert found(card, "overlapping_bands") is None


def test_time_bands_overlap_on_public_holidays_only_where_the_card_has_some(call: Product) -> None:
    bands = [band("Peak", ([1, 8], time(8), time(18))), band("Holiday", ([8], time(0), None))]
    cards = [RateCardFactory(name="Without"), RateCardFactory(name="German", holiday_country="DE")]
    for each in cards:
        for of in (None, *bands):
            RateFactory(rate_card=each, product=call, time_band=of)
    assert found(cards[0], "overlapping_bands") is None
    assert said(found(cards[1], "overlapping_bands")) == [
        "CALL, Peak: Holiday holds too, on public holidays from 08:00 to 18:00."
    ]


def test_hours_that_no_time_band_covers(card: RateCard, price: Callable[..., Rate]) -> None:
    weekdays = [1, 2, 3, 4, 5]
    first = price("44", time_band=band("Peak", (weekdays, time(8), time(18))))
    price("44", time_band=band("Off-peak", (weekdays, time(18), None), (weekdays, time(0), time(8))))
    gap = found(card, "uncovered_hours")
    assert gap is not None
    assert (gap.severity, gap.count, gap.rate_ids) == (Severity.ERROR, 1, (first.pk,))
    assert said(gap) == ["CALL to 44: Saturday and Sunday 00:00 to 24:00: nothing prices them."]


def test_hours_that_a_more_general_price_covers_are_a_warning(card: RateCard, price: Callable[..., Rate]) -> None:
    price("44", time_band=band("Peak", (WEEK, time(8), time(18))))
    price("4")
    gap = found(card, "uncovered_hours")
    assert gap is not None
    assert gap.severity == Severity.WARNING
    assert said(gap) == [
        "CALL to 44: Monday to Sunday 00:00 to 08:00 and 18:00 to 24:00: a more general price holds then."
    ]


def test_a_week_of_bands_and_a_price_without_a_band_leave_no_hours_out(
    card: RateCard, price: Callable[..., Rate]
) -> None:
    peak = band("Peak", (WEEK, time(8), time(18)))
    price("44", time_band=peak)
    price("44", time_band=band("Off-peak", (WEEK, time(18), None), (WEEK, time(0), time(8))))
    price("45", time_band=peak)
    price("45")
    assert found(card, "uncovered_hours") is None


def test_public_holidays_are_a_day_to_cover_where_the_card_has_them(call: Product) -> None:
    german = RateCardFactory(holiday_country="DE")
    RateFactory(rate_card=german, product=call, time_band=band("Every day", (WEEK, time(0), None)))
    assert said(found(german, "uncovered_hours")) == ["CALL: public holidays 00:00 to 24:00: nothing prices them."]


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ([[1, 0, 480]], "Monday 00:00 to 08:00"),
        (
            [[1, 0, 60], [1, 1080, 1440], [2, 0, 60], [2, 1080, 1440]],
            "Monday and Tuesday 00:00 to 01:00 and 18:00 to 24:00",
        ),
        (
            [[5, 0, 60], [7, 0, 60], [8, 0, 60]],
            "Friday 00:00 to 01:00; Sunday 00:00 to 01:00; public holidays 00:00 to 01:00",
        ),
    ],
)
def test_hours_are_said_by_days(hours: list[list[int]], words: str) -> None:
    assert hours_in_words(hours) == words
