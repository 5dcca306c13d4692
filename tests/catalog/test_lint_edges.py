"""Where each rule of the check of a price list begins and ends: what is just found, and what is just not."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from catalog.models import Product, Rate, RateCard, RateDeck
from catalog.queries.findings import Finding
from catalog.queries.lint import lint_deck
from tests.catalog.linted import WEEK, band, found, said, tiered
from tests.factories import ProductFactory, RateCardFactory, RateDeckFactory, RateDeckLineFactory, RateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> RateCard:
    return RateCardFactory()


@pytest.fixture
def call() -> Product:
    return ProductFactory(code="CALL")


def rate(card: RateCard, product: Product, prefix: str = "", price: str = "1", **terms: Any) -> Rate:
    made: Rate = RateFactory(
        rate_card=card, product=product, destination_prefix=prefix, unit_price=Decimal(price), **terms
    )
    return made


def line(deck: RateDeck, product: Product, prefix: str = "", price: str = "1", **terms: Any) -> None:
    RateDeckLineFactory(deck=deck, product=product, destination_prefix=prefix, unit_price=Decimal(price), **terms)


def in_deck(deck: RateDeck, rule: str) -> Finding | None:
    return next((finding for finding in lint_deck(deck_id=deck.pk) if finding.rule == rule), None)


def test_a_line_takes_the_place_of_the_price_of_its_own_region_and_band_only(card: RateCard, call: Product) -> None:
    rate(card, call, "44", "0", region="EU")
    deck = RateDeckFactory(rate_card=card)
    line(deck, call, "44", region="US")
    line(deck, call, "44", region="EU", time_band=band("Peak", (WEEK, time(8), time(18))))
    assert said(in_deck(deck, "zero_prices")) == ["CALL to 44 in EU costs 0."]
    line(deck, call, "44", region="EU", outcome="CHANGED", rate=Rate.objects.get())
    assert in_deck(deck, "zero_prices") is None


def test_lines_of_the_deck_come_first_and_are_counted_apart(card: RateCard, call: Product) -> None:
    rate(card, call, "44", "0")
    deck = RateDeckFactory(rate_card=card)
    line(deck, call, "99", "0")
    finding = in_deck(deck, "zero_prices")
    assert finding is not None
    assert said(finding) == ["CALL to 99 costs 0.", "CALL to 44 costs 0."]
    assert (finding.count, finding.line_count, len(finding.rate_ids), len(finding.line_ids)) == (2, 1, 1, 1)


def test_a_price_of_every_region_follows_an_ended_one_and_one_of_another_product_does_not(
    card: RateCard, call: Product
) -> None:
    ended: dict[str, Any] = {"end_date": date(2026, 1, 1)}
    rate(card, call, "44")
    rate(card, call, "44", region="EU", **ended)
    assert found(card, "expired") is None
    rate(card, ProductFactory(code="SMS"), "44", **ended)
    assert said(found(card, "expired")) == [
        "SMS to 44 held before 2026-01-01; nothing of this card has priced it since."
    ]


@pytest.mark.parametrize(
    ("tiers", "sentences"),
    [
        ([("10", "1")], []),
        ([("10", "2"), ("20", "1"), ("30", "3")], ["CALL costs 2 above 10, and 1 below."]),
        ([("10", "0.5"), ("20", "0.5")], []),
    ],
    ids=["the same price", "dearer from the first tier on", "two alike"],
)
def test_the_first_tier_that_is_dearer_than_the_price_below_it(
    card: RateCard, call: Product, tiers: list[tuple[str, str]], sentences: list[str]
) -> None:
    tiered(rate(card, call, pricing_model="graduated"), *tiers)
    assert said(found(card, "tiers_backwards")) == sentences


@pytest.mark.parametrize("model", ["graduated", "volume"])
def test_a_price_by_tiers_that_has_none(card: RateCard, call: Product, model: str) -> None:
    rate(card, call, pricing_model=model)
    assert said(found(card, "tiers_never_reached")) == ["CALL: it has no tier: all of it costs 1."]


def test_tiers_of_nothing_make_no_price(card: RateCard, call: Product) -> None:
    tiered(rate(card, call, price="0", pricing_model="graduated"), ("10", "0"))
    assert said(found(card, "zero_prices")) == ["CALL costs 0."]


def test_three_neighbours_tell_what_is_usual_and_two_do_not(card: RateCard, call: Product) -> None:
    rate(card, call, "441", "1")
    rate(card, call, "442", "10")
    assert found(card, "ten_times_off") is None
    rate(card, call, "443", "1")
    # The median of 1, 1 and 10 is 1.
    assert said(found(card, "ten_times_off")) == ["CALL to 442 costs 10; the median of 44… beside it is 1."]


def test_neighbours_are_of_one_model(card: RateCard, call: Product) -> None:
    for prefix in ("441", "442", "443"):
        rate(card, call, prefix, "0.01")
    rate(card, call, "444", "5", pricing_model="package")
    assert found(card, "ten_times_off") is None


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        ({"price": "1"}, {"price": "0.1"}, ["CALL to 44 costs 0.1; before it costs 1."]),
        ({"price": "1"}, {"price": "0.11"}, []),
        # A minute at 0.60 is a second at 0.01.
        ({"price": "0.01"}, {"price": "0.6", "unit_size": 60}, []),
        ({"price": "0.05"}, {"price": "5", "pricing_model": "package"}, []),
    ],
    ids=["a tenth", "not quite", "per minute", "another model"],
)
def test_a_line_ten_times_off_the_price_before_it(
    card: RateCard, call: Product, before: dict[str, Any], after: dict[str, Any], sentences: list[str]
) -> None:
    deck = RateDeckFactory(rate_card=card)
    line(deck, call, "44", outcome="CHANGED", rate=rate(card, call, "44", **before), **after)
    assert said(in_deck(deck, "ten_times_before")) == sentences


def test_beside_a_country_code_there_is_no_hole(card: RateCard, call: Product) -> None:
    for prefix in ("7", "44", "351"):
        rate(card, call, prefix)
    assert found(card, "holes") is None
    # 1 is a country code of one digit: beside 12 there are other numbers of it.
    rate(card, call, "12")
    assert said(found(card, "holes")) == ["CALL: 12 has a price; other numbers that begin with 1 have none."]


def test_hours_that_every_region_prices_are_a_warning(card: RateCard, call: Product) -> None:
    rate(card, call, "44", region="EU", time_band=band("Days", (WEEK, time(8), None)))
    assert getattr(found(card, "uncovered_hours"), "severity", None) == "error"
    rate(card, call, "44")
    assert getattr(found(card, "uncovered_hours"), "severity", None) == "warning"


def test_bands_clash_in_one_region_and_a_line_of_a_deck_can_bring_it(card: RateCard, call: Product) -> None:
    first, second = (band(name, (WEEK, time(8), time(18))) for name in ("Peak", "Day"))
    rate(card, call, "44", region="EU", time_band=first)
    deck = RateDeckFactory(rate_card=card)
    line(deck, call, "44", region="US", time_band=second)
    assert in_deck(deck, "overlapping_bands") is None
    line(deck, call, "44", region="EU", time_band=second)
    finding = in_deck(deck, "overlapping_bands")
    assert finding is not None
    assert (finding.count, finding.line_count) == (1, 1)
