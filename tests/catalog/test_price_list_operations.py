"""Adding and ending prices, and what of price lists stays: each refusal says why."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from catalog.adapters.holidays import Holiday, countries, known_years, public_holidays
from catalog.engine.rates import Hours, Tier
from catalog.models import PublicHoliday, Rate, RateTier, TimeBand
from catalog.operations.holidays import add_public_holidays, delete_public_holiday
from catalog.operations.rate_cards import create_rate_card, update_rate_card
from catalog.operations.rates import RateConflict, RateRefused, add_rate, add_rate_version, end_rate
from catalog.operations.refusals import CatalogConflict, CatalogRefused
from catalog.operations.time_bands import create_time_band, delete_time_band, update_time_band
from catalog.queries.rate_lists import beginning_with, digits_in, matching
from tests.factories import (
    ProductFactory,
    PublicHolidayFactory,
    RateCardFactory,
    RateFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
)

pytestmark = pytest.mark.django_db

STEPS = [Tier(Decimal(100), Decimal("0.05")), Tier(Decimal(1000), Decimal("0.01"))]
TERMS: dict[str, Any] = {
    "destination_name": "UK mobile",
    "pricing_model": "graduated",
    "unit_price": Decimal("0.12"),
    "unit_size": Decimal(60),
    "connection_fee": Decimal("0.05"),
    "minimum_quantity": Decimal(10),
    "first_increment": Decimal(30),
    "increment": Decimal(6),
    "minimum_charge": None,
    "maximum_charge": None,
    "included_quantity": Decimal(5),
    "counted_per": "service",
    "rounding_digits": 4,
    "rounding_mode": "up",
}


def added(**values: Any) -> Rate:
    """A graduated rate of a card of its own from 2026 on, but for `values`."""
    rule: dict[str, Any] = {
        "region": "EU",
        "destination_prefix": "4477",
        "start_date": date(2026, 1, 1),
        "end_date": None,
    }
    rule |= {name: values.pop(name) for name in list(values) if name in {*rule, "rate_card_id", "product_id"}}
    card_id = rule.pop("rate_card_id", None) or RateCardFactory().id
    product_id = rule.pop("product_id", None) or ProductFactory().id
    terms: Any = TERMS | {"tiers": STEPS} | values
    return add_rate(rate_card_id=card_id, product_id=product_id, time_band_id=TimeBandFactory().id, **rule, terms=terms)


def terms_of(rate: Rate) -> dict[str, Any]:
    """The terms of a stored rate, and its tiers."""
    stored = Rate.objects.get(id=rate.id)
    tiers = [Tier(tier.from_quantity, tier.unit_price) for tier in stored.tiers.all()]
    return {name: getattr(stored, name) for name in TERMS} | {"tiers": tiers}


def test_a_rate_is_added_with_all_its_terms_and_tiers() -> None:
    assert terms_of(added()) == TERMS | {"tiers": STEPS}


def test_a_rate_and_its_tiers_are_added_all_or_nothing() -> None:
    with pytest.raises(RateRefused, match="A tier starts above 0"):
        added(tiers=[*STEPS, Tier(Decimal(-1), Decimal(1))])
    assert not Rate.objects.exists()
    assert not RateTier.objects.exists()


def test_a_version_has_every_term_of_the_one_before_but_those_that_are_given() -> None:
    old = added()
    new = add_rate_version(rate_id=old.id, start_date=date(2026, 3, 1), terms={"unit_price": Decimal("0.10")})
    assert terms_of(new) == TERMS | {"tiers": STEPS, "unit_price": Decimal("0.10")}
    rule = ("rate_card_id", "product_id", "region", "destination_prefix", "time_band_id")
    assert [getattr(new, name) for name in rule] == [getattr(old, name) for name in rule]


def test_a_version_with_other_tiers_has_those_and_no_others() -> None:
    steps = [Tier(Decimal(500), Decimal("0.03"))]
    new = add_rate_version(rate_id=added().id, start_date=date(2026, 3, 1), terms={"tiers": steps})
    assert terms_of(new)["tiers"] == steps


def test_a_version_that_has_no_tiers_by_its_model_drops_those_of_before() -> None:
    terms = {"pricing_model": "package"}
    new = add_rate_version(rate_id=added().id, start_date=date(2026, 3, 1), terms=terms)  # type: ignore[arg-type]
    assert terms_of(new)["tiers"] == []


def test_a_version_that_is_refused_leaves_the_old_one_as_it_was() -> None:
    old = added()
    with pytest.raises(RateRefused, match="The unit size is not more than 0"):
        add_rate_version(rate_id=old.id, start_date=date(2026, 3, 1), terms={"unit_size": Decimal(0)})
    assert Rate.objects.get().end_date is None


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"connection_fee": -1}, "The connection fee is less than 0."),
        ({"minimum_quantity": -1}, "The minimum quantity is less than 0."),
        ({"included_quantity": -1}, "The included quantity is less than 0."),
        ({"first_increment": 0}, "The first increment is not more than 0."),
        ({"increment": 0}, "The increment is not more than 0."),
        ({"unit_size": 0}, "The unit size is not more than 0."),
        ({"pricing_model": "gift", "tiers": []}, "The pricing model is one of: perUnit, graduated, volume, package."),
        ({"counted_per": "site"}, "Usage is counted per one of: customer, subscription, service."),
        ({"rounding_digits": 19}, "An amount is rounded to at most 18 decimals."),
        ({"rounding_mode": "odd"}, "The rounding mode is one of: halfUp, halfEven, up, down."),
        ({"minimum_charge": 1}, "A minimum or maximum charge of a single use goes with a price per unit without"),
        ({"tiers": STEPS[:1] * 2}, "Two tiers start at the same quantity."),
        ({"pricing_model": "package"}, "Only a graduated or a volume price has tiers: take them away"),
        ({"destination_prefix": "+44"}, "A prefix has digits only, without + or spaces."),
        ({"end_date": date(2025, 12, 31)}, "A rate does not end before the day that it starts on."),
    ],
    ids=str,
)
def test_terms_that_are_no_price_are_refused_in_words(terms: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RateRefused) as caught:
        added(**terms)
    assert str(caught.value).startswith(sentence)
    assert not Rate.objects.exists()


def test_limits_out_of_order_are_refused_in_words() -> None:
    plain = {"pricing_model": "perUnit", "included_quantity": 0, "tiers": []}
    with pytest.raises(RateRefused, match="The maximum charge is below the minimum charge"):
        added(**plain, minimum_charge=2, maximum_charge=1)


def test_the_rate_in_the_way_is_named() -> None:
    first = RateFactory(start_date=date(2026, 1, 1), end_date=date(2026, 7, 1))
    RateFactory(rate_card=first.rate_card, product=first.product, region="EU", start_date=date(2026, 1, 1))
    with pytest.raises(RateConflict) as caught:
        add_rate(
            rate_card_id=first.rate_card_id,
            product_id=first.product_id,
            start_date=date(2025, 1, 1),
            terms={"unit_price": Decimal(1)},
        )
    assert caught.value.rate_id == first.id
    assert str(caught.value) == (
        f"Rate {first.id} is for the same and holds in that time, from 2026-01-01 on and before 2026-07-01: end it "
        "first, or choose other days."
    )


def test_an_end_that_reaches_into_the_next_version_names_it() -> None:
    first = RateFactory(start_date=date(2026, 1, 1), end_date=date(2026, 2, 1))
    second = RateFactory(rate_card=first.rate_card, product=first.product, start_date=date(2026, 2, 1))
    with pytest.raises(RateConflict, match="from 2026-02-01 on: end it first") as caught:
        end_rate(rate_id=first.id, end_date=None)
    assert caught.value.rate_id == second.id


def test_a_price_that_could_not_be_split_is_refused_in_words() -> None:
    card = RateCardFactory(name="Split", band_rule="split")
    with pytest.raises(RateConflict, match="The rate card Split splits uses at the borders of time bands") as caught:
        added(rate_card_id=card.id)
    assert caught.value.rate_id is None


def test_a_card_keeps_its_currency_and_its_rules_for_bands() -> None:
    card = create_rate_card(values={"name": "Retail", "currency_id": "USD", "timezone": "UTC"})
    update_rate_card(rate_card_id=card.id, changes={"timezone": "Europe/Berlin", "name": "Retail 2026"})
    with pytest.raises(CatalogConflict, match="it keeps its currency"):
        update_rate_card(rate_card_id=card.id, changes={"currency_id": "EUR"})
    RateFactory(rate_card=card, time_band=TimeBandFactory())
    with pytest.raises(CatalogConflict, match="its zone, country and rule stay"):
        update_rate_card(rate_card_id=card.id, changes={"timezone": "UTC"})
    with pytest.raises(CatalogRefused, match="two capital letters, such as DE"):
        create_rate_card(values={"name": "Other", "currency_id": "USD", "holiday_country": "de"})


def test_a_band_has_hours_that_stay_once_rates_are_for_it() -> None:
    peak = Hours(frozenset({1, 2, 3, 4, 5}), time(8), time(18))
    band = create_time_band(name="Peak", hours=[peak])
    update_time_band(time_band_id=band.id, hours=[peak, Hours(frozenset({6}), time(9), None)])
    assert [(row.days, row.start_time, row.end_time) for row in band.hours.all()] == [
        ([1, 2, 3, 4, 5], time(8), time(18)),
        ([6], time(9), None),
    ]
    update_time_band(time_band_id=band.id, hours=[peak])
    RateFactory(time_band=band)
    update_time_band(time_band_id=band.id, name="Day", hours=[peak])
    with pytest.raises(CatalogConflict, match="Rates are for the time band Day as it is: make another band"):
        update_time_band(time_band_id=band.id, hours=[Hours(frozenset({7}), time(8), None)])
    with pytest.raises(CatalogConflict, match="Rates are for the time band Day: it stays"):
        delete_time_band(time_band_id=band.id)
    assert band.hours.count() == 1


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        ([], "A time band has hours"),
        ([Hours(frozenset({9}), time(8), None)], "Hours are for one day or more"),
        ([Hours(frozenset({1}), time(8), time(8))], "The end is after the start; hours over midnight are two rows"),
        ([Hours(frozenset({1}), time(8, 0, 1), None)], "Hours start and end at whole minutes"),
    ],
    ids=str,
)
def test_hours_that_cannot_be_are_refused_in_words(hours: list[Hours], sentence: str) -> None:
    with pytest.raises(CatalogRefused, match=sentence):
        create_time_band(name="Peak", hours=hours)
    assert not TimeBand.objects.exists()


def test_a_band_that_nothing_is_for_is_deleted_with_its_hours() -> None:
    delete_time_band(time_band_id=TimeBandHoursFactory().time_band_id)
    assert not TimeBand.objects.exists()


def test_holidays_of_a_country_are_added_once_and_named_ones_stay() -> None:
    PublicHolidayFactory(country="DE", day=date(2026, 1, 1), name="Neujahr")
    added_holidays = add_public_holidays(country="DE", years=range(2026, 2027))
    # Nine days in the whole of Germany, of which New Year's Day was there.
    assert (added_holidays.added_count, added_holidays.known_count) == (8, 1)
    days = list(PublicHoliday.objects.filter(country="DE").values_list("day", "name"))
    assert days[:3] == [
        (date(2026, 1, 1), "Neujahr"),
        (date(2026, 4, 3), "Good Friday"),
        (date(2026, 4, 6), "Easter Monday"),
    ]


def test_a_holiday_goes_as_long_as_its_day_has_come_nowhere() -> None:
    RateFactory(rate_card=RateCardFactory(holiday_country="DE"), time_band=TimeBandFactory())
    holiday = PublicHolidayFactory(country="DE", day=date(2026, 5, 1))
    # On 30 April in UTC it is 1 May in Auckland already.
    with pytest.raises(CatalogConflict, match="it stays"):
        delete_public_holiday(holiday_id=holiday.id, on=date(2026, 4, 30))
    delete_public_holiday(holiday_id=holiday.id, on=date(2026, 4, 29))
    assert not PublicHoliday.objects.exists()


def test_countries_have_names_and_known_years() -> None:
    names = countries()
    assert (names["DE"], names["GB"], names["BA"]) == ("Germany", "United Kingdom", "Bosnia and Herzegovina")
    assert list(names.values()) == sorted(names.values())
    assert known_years("DE")[0] == 1991
    assert Holiday(date(2026, 10, 3), "German Unity Day") in public_holidays("DE", range(2026, 2027))


@pytest.mark.parametrize(
    ("term", "digits"), [("4477", "4477"), ("+44 77", "4477"), ("+", ""), ("UK", ""), ("44a", ""), ("٤٤", "")]
)
def test_digits_of_a_search_term(term: str, digits: str) -> None:
    assert digits_in(term) == digits


@pytest.mark.parametrize(
    ("digits", "found"),
    [
        ("4", ["4", "44", "4499", "449", "45"]),
        ("44", ["44", "4499", "449"]),
        ("449", ["4499", "449"]),
        ("49", []),
        ("9", ["9", "99"]),
        ("99", ["99"]),
    ],
)
def test_prefixes_that_begin_with_digits_are_a_range(digits: str, found: list[str]) -> None:
    for prefix in ("", "3", "4", "44", "449", "4499", "45", "5", "9", "99"):
        RateFactory(destination_prefix=prefix)
    rates = Rate.objects.filter(beginning_with(digits))
    assert sorted(rates.values_list("destination_prefix", flat=True)) == sorted(found)


def test_other_terms_find_a_product_or_the_start_of_a_region_or_a_destination() -> None:
    by_product = RateFactory(product=ProductFactory(code="CALL"))
    by_region = RateFactory(region="eu-west")
    by_name = RateFactory(destination_prefix="49", destination_name="Europe, fixed")
    assert list(Rate.objects.filter(matching("call"))) == [by_product]
    assert set(Rate.objects.filter(matching("EU"))) == {by_region, by_name}
    assert list(Rate.objects.filter(matching("europe"))) == [by_name]
    assert not Rate.objects.filter(matching("%")).exists()
