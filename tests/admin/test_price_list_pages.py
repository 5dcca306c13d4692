"""The pages of rate cards, time bands and public holidays."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import PublicHoliday, RateCard, TimeBand
from tests import factories

pytestmark = pytest.mark.django_db

PEAK = {"days": ["1", "2", "3", "4", "5"], "start_time": "08:00", "end_time": "18:00"}


def hours(*rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """The fields of the hours of a band, as a browser sends them."""
    fields: dict[str, Any] = {"hours-TOTAL_FORMS": len(rows), "hours-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        fields |= {f"hours-{number}-{name}": value for name, value in row.items()}
    return fields


def test_card_is_added_with_its_zone_and_its_country(admin_client: Client) -> None:
    form = {"name": "Retail", "currency": "EUR", "timezone": "Europe/Berlin", "holiday_country": "DE"}
    response = admin_client.post(reverse("admin:catalog_ratecard_add"), form | {"band_rule": "split"}, follow=True)
    card = RateCard.objects.get()
    assert (card.timezone, card.holiday_country, card.band_rule) == ("Europe/Berlin", "DE", "split")
    assert "No public holidays of DE are listed yet." in str(response.context["messages"]._loaded_data[0])


@pytest.mark.parametrize("change", [{"timezone": "Mars/Olympus"}, {"holiday_country": "QQ"}, {"band_rule": "end"}])
def test_card_takes_zones_countries_and_rules_that_there_are(admin_client: Client, change: dict[str, str]) -> None:
    form = {"name": "Retail", "currency": "EUR", "band_rule": "start"} | change
    page = admin_client.post(reverse("admin:catalog_ratecard_add"), form).content.decode()
    assert "Select a valid choice." in page
    assert not RateCard.objects.exists()


def test_card_changes_its_rules_until_prices_rest_on_them(admin_client: Client) -> None:
    card = factories.RateCardFactory(name="Retail")
    address = reverse("admin:catalog_ratecard_change", args=[card.pk])
    form = {"name": "Retail", "timezone": "Europe/Berlin", "holiday_country": "", "band_rule": "start"}
    assert admin_client.post(address, form).status_code == 302
    factories.RateFactory(rate_card=card, time_band=factories.TimeBandFactory())
    page = admin_client.get(address).content.decode()
    assert "This card has prices by time band, which rest on these three: they stay." in page
    assert admin_client.post(address, form | {"name": "Retail 2026", "timezone": "UTC"}).status_code == 302
    card.refresh_from_db()
    assert (card.name, card.timezone) == ("Retail 2026", "Europe/Berlin")


def test_second_default_of_a_currency_is_refused_in_words(admin_client: Client) -> None:
    factories.RateCardFactory(is_default=True)
    card = factories.RateCardFactory()
    form = {"name": card.name, "is_default": "on", "band_rule": "start"}
    page = admin_client.post(reverse("admin:catalog_ratecard_change", args=[card.pk]), form).content.decode()
    assert "This currency has a default rate card already." in page


def test_page_of_a_card_leads_to_what_is_its(admin_client: Client, viewer_client: Client) -> None:
    card = factories.RateCardFactory()
    address = reverse("admin:catalog_ratecard_change", args=[card.pk])
    page = admin_client.get(address).content.decode()
    assert f"{reverse('admin:catalog_rate_changelist')}?rate_card__id__exact={card.pk}" in page
    assert "Add a rate</a>" in page
    assert "Add a rate</a>" not in viewer_client.get(address).content.decode()


def test_band_is_added_with_its_hours_and_changed(admin_client: Client) -> None:
    response = admin_client.post(reverse("admin:catalog_timeband_add"), {"name": "Peak", **hours(PEAK)})
    assert response.status_code == 302, response.context["errors"]
    band = TimeBand.objects.get()
    row = band.hours.get()
    assert row.days == [1, 2, 3, 4, 5]
    later = hours(PEAK | {"id": row.pk, "time_band": band.pk, "end_time": ""}, initial=1)
    address = reverse("admin:catalog_timeband_change", args=[band.pk])
    assert admin_client.post(address, {"name": "Day", **later}).status_code == 302
    row.refresh_from_db()
    assert row.end_time is None


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (None, "A time band has hours: without them it would never hold."),
        (PEAK | {"end_time": "08:00"}, "The end is after the start; hours over midnight are two rows."),
        (PEAK | {"start_time": "08:00:30"}, "Hours start and end at whole minutes."),
        (PEAK | {"days": ["9"]}, "Select a valid choice."),
    ],
    ids=str,
)
def test_hours_that_cannot_be_are_refused_in_words(
    admin_client: Client, row: dict[str, Any] | None, sentence: str
) -> None:
    form = {"name": "Peak", **hours(*([] if row is None else [row]))}
    assert sentence in admin_client.post(reverse("admin:catalog_timeband_add"), form).content.decode()
    assert not TimeBand.objects.exists()


def test_last_hours_of_a_band_are_not_taken_away(admin_client: Client) -> None:
    row = factories.TimeBandHoursFactory()
    taken = PEAK | {"id": row.pk, "time_band": row.time_band_id, "DELETE": "on"}
    address = reverse("admin:catalog_timeband_change", args=[row.time_band_id])
    page = admin_client.post(address, {"name": "Peak", **hours(taken, initial=1)}).content.decode()
    assert "A time band has hours" in page
    assert row.time_band.hours.count() == 1


def test_band_that_rates_are_for_keeps_its_hours_and_says_so(admin_client: Client) -> None:
    row = factories.TimeBandHoursFactory(time_band__name="Peak")
    factories.RateFactory(time_band=row.time_band)
    address = reverse("admin:catalog_timeband_change", args=[row.time_band_id])
    page = admin_client.get(address).content.decode()
    assert "Rates are for this band: its hours stay" in page
    assert "Monday to Friday 08:00 to 18:00" in page
    other = PEAK | {"id": row.pk, "time_band": row.time_band_id, "end_time": "20:00"}
    assert admin_client.post(address, {"name": "Day", **hours(other, initial=1)}).status_code == 302
    row.refresh_from_db()
    assert (row.time_band.name, f"{row.end_time:%H:%M}") == ("Day", "18:00")
    admin_client.post(reverse("admin:catalog_timeband_delete", args=[row.time_band_id]), {"post": "yes"})
    assert TimeBand.objects.exists()


def test_holidays_of_a_country_are_added(admin_client: Client) -> None:
    factories.PublicHolidayFactory(country="DE", day=date(2026, 1, 1))
    address = reverse("admin:catalog_publicholiday_add_country")
    assert address in admin_client.get(reverse("admin:catalog_publicholiday_changelist")).content.decode()
    assert admin_client.get(address).status_code == 200
    form = {"country": "DE", "first_year": "2026", "last_year": "2027"}
    response = admin_client.post(address, form, follow=True)
    # Nine days a year in the whole of Germany.
    assert [str(message) for message in response.context["messages"]] == [
        "17 public holidays are added. 1 were there already."
    ]
    assert len(response.context["cl"].result_list) == 18


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"last_year": "2025"}, "Ask for one to 50 years, the first before the last."),
        ({"first_year": "2101", "last_year": "2101"}, "Holidays of Germany are known from 1991 to 2100."),
        ({"country": "QQ"}, "Select a valid choice."),
        ({"first_year": "x"}, "Enter a whole number."),
    ],
    ids=str,
)
def test_page_says_why_no_holidays_are_added(admin_client: Client, change: dict[str, str], sentence: str) -> None:
    form = {"country": "DE", "first_year": "2026", "last_year": "2026"} | change
    page = admin_client.post(reverse("admin:catalog_publicholiday_add_country"), form).content.decode()
    assert sentence in page
    assert not PublicHoliday.objects.exists()


def test_who_may_only_look_adds_no_holidays(viewer_client: Client) -> None:
    assert viewer_client.get(reverse("admin:catalog_publicholiday_add_country")).status_code == 403
    page = viewer_client.get(reverse("admin:catalog_publicholiday_changelist")).content.decode()
    assert "Add public holidays of a country" not in page


def test_holiday_that_usage_may_be_priced_by_is_not_deleted(admin_client: Client) -> None:
    card = factories.RateCardFactory(name="Retail", holiday_country="DE")
    factories.RateFactory(rate_card=card, time_band=factories.TimeBandFactory())
    come = factories.PublicHolidayFactory(day=timezone.localdate())
    later = factories.PublicHolidayFactory(day=timezone.localdate() + timedelta(days=30))
    for holiday in (come, later):
        address = reverse("admin:catalog_publicholiday_delete", args=[holiday.pk])
        response = admin_client.post(address, {"post": "yes"}, follow=True)
        said = [str(message) for message in response.context["messages"]]
        assert ("the rate card Retail has prices that go by the holidays of DE" in said[0]) == (holiday == come)
    assert list(PublicHoliday.objects.all()) == [come]
