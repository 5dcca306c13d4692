"""What the database keeps of price lists once prices rest on it: hours, rules of cards, tiers, prices that split."""

from datetime import date, time

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from catalog.models import PublicHoliday, Rate, RateCard, RateTier, TimeBand, TimeBandHours
from tests.factories import (
    PublicHolidayFactory,
    RateCardFactory,
    RateExampleFactory,
    RateFactory,
    RateTierFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_another_prefix_and_another_band_have_rates_of_their_own() -> None:
    first = RateFactory(destination_prefix="44")
    same = {"rate_card": first.rate_card, "product": first.product}
    RateFactory(**same)
    RateFactory(**same, destination_prefix="447")
    RateFactory(**same, destination_prefix="44", time_band=TimeBandFactory())
    with refused(by="rate_versions_do_not_overlap"):
        RateFactory(**same, destination_prefix="44")


def test_two_rates_of_one_band_do_not_overlap() -> None:
    first = RateFactory(time_band=TimeBandFactory())
    with refused(by="rate_versions_do_not_overlap"):
        RateFactory(rate_card=first.rate_card, product=first.product, time_band=first.time_band)


def test_a_rate_keeps_its_time_band() -> None:
    rate = RateFactory()
    with refused(by="A rate keeps its price"):
        Rate.objects.filter(id=rate.id).update(time_band=TimeBandFactory())


def test_the_name_of_a_destination_may_be_put_right() -> None:
    rate = RateFactory(destination_prefix="44", destination_name="Untied Kingdom")
    assert Rate.objects.filter(id=rate.id).update(destination_name="United Kingdom") == 1


# keep_hours
def test_hours_change_until_a_rate_is_for_their_band() -> None:
    hours = TimeBandHoursFactory()
    TimeBandHours.objects.filter(id=hours.id).update(start_time=time(7))
    TimeBandHoursFactory(time_band=hours.time_band, days=[6])
    TimeBandHours.objects.filter(days=[6]).delete()
    assert TimeBandHours.objects.get().start_time == time(7)


@pytest.mark.parametrize("change", ["insert", "update", "delete", "move"])
def test_hours_of_a_band_that_a_rate_is_for_stay(change: str) -> None:
    hours = TimeBandHoursFactory(time_band__name="Peak")
    RateFactory(time_band=hours.time_band)
    with refused(by="Rates are for the time band Peak as it is: make another band."):
        if change == "insert":
            TimeBandHoursFactory(time_band=hours.time_band, days=[6])
        elif change == "update":
            TimeBandHours.objects.filter(id=hours.id).update(end_time=None)
        elif change == "delete":
            hours.delete()
        else:
            TimeBandHours.objects.filter(id=hours.id).update(time_band=TimeBandFactory())


def test_a_band_that_a_rate_is_for_may_be_renamed() -> None:
    band = TimeBandHoursFactory().time_band
    RateFactory(time_band=band)
    assert TimeBand.objects.filter(id=band.id).update(name="Day") == 1


# keep_band_rules
@pytest.mark.parametrize("rule", [{"timezone": "Europe/Berlin"}, {"holiday_country": "DE"}, {"band_rule": "split"}])
def test_the_rules_of_a_card_stay_once_it_has_a_price_for_a_time_band(rule: dict[str, str]) -> None:
    card = RateCardFactory(name="Retail")
    RateFactory(rate_card=card)
    RateCard.objects.filter(id=card.id).update(**rule)
    RateCard.objects.filter(id=card.id).update(timezone="", holiday_country="", band_rule="start")
    RateFactory(rate_card=card, time_band=TimeBandFactory())
    with refused(by="The rate card Retail has prices by time band: its zone, country and rule stay."):
        RateCard.objects.filter(id=card.id).update(**rule)
    RateCard.objects.filter(id=card.id).update(name="Wholesale", description="", timezone="")


# split_prices_are_per_unit
@pytest.mark.parametrize(
    "terms",
    [
        {"pricing_model": "graduated"},
        {"pricing_model": "volume"},
        {"pricing_model": "package"},
        {"included_quantity": 5},
    ],
    ids=str,
)
def test_a_card_that_splits_has_prices_per_unit_for_its_bands(terms: dict[str, object]) -> None:
    splits = RateCardFactory(name="Split", band_rule="split")
    band = TimeBandFactory()
    with refused(by="The rate card Split splits uses at the borders of time bands"):
        RateFactory(rate_card=splits, time_band=band, **terms)
    RateFactory(rate_card=splits, time_band=band)
    RateFactory(rate_card=splits, **terms)
    RateFactory(rate_card=RateCardFactory(band_rule="start"), time_band=band, **terms)


# written_with_its_rate
@pytest.mark.parametrize("pricing_model", ["perUnit", "package"])
def test_only_graduated_and_volume_prices_have_tiers(pricing_model: str) -> None:
    with refused(by="Tiers are written with their graduated or volume rate"):
        RateTierFactory(rate__pricing_model=pricing_model)
    RateTierFactory(rate__pricing_model="volume")


def test_tiers_never_change() -> None:
    tier = RateTierFactory()
    with refused(by="Tiers are written with their graduated or volume rate and never change"):
        RateTier.objects.filter(id=tier.id).update(unit_price=2)
    with refused(by="Tiers are written with their graduated or volume rate and never change"):
        tier.delete()


@pytest.mark.django_db(transaction=True)
def test_a_rate_that_is_there_gets_no_tiers() -> None:
    with transaction.atomic():
        rate = RateFactory(pricing_model="graduated")
        RateTierFactory(rate=rate)
    with refused(by="Tiers are written with their graduated or volume rate"):
        RateTierFactory(rate=rate, from_quantity=500)


def test_a_day_is_a_public_holiday_of_a_country_once() -> None:
    PublicHolidayFactory(country="DE", day=date(2026, 1, 1))
    PublicHolidayFactory(country="FR", day=date(2026, 1, 1))
    with refused(by="public_holiday_once"):
        PublicHolidayFactory(country="DE", day=date(2026, 1, 1))
    assert PublicHoliday.objects.count() == 2


@pytest.mark.parametrize("zone", ["Mars/Phobos", "localtime", "europe/berlin"])
def test_a_time_zone_is_one_that_is_known(zone: str) -> None:
    example = RateExampleFactory(timezone=zone)
    card = RateCardFactory(timezone=zone)
    for row in (example, card):
        with pytest.raises(ValidationError, match="is not a time zone"):
            row.full_clean()
        row.timezone = "Europe/Berlin"
        row.full_clean()
