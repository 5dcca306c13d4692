"""`rateCards`, `timeBands` and `publicHolidays` of the backend API."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import PublicHoliday, RateCard, TimeBand
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import PublicHolidayFactory, RateCardFactory, RateFactory, TimeBandFactory, TimeBandHoursFactory

pytestmark = pytest.mark.django_db

CARDS = "/backend/api/v1/rateCards"
BANDS = "/backend/api/v1/timeBands"
HOLIDAYS = "/backend/api/v1/publicHolidays"
PEAK = [{"days": [1, 2, 3, 4, 5], "startTime": "08:00", "endTime": "18:00"}]


def without_times(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name not in {"id", "createdDate", "updatedDate"}}


def test_a_rate_card_is_made_shown_and_changed(staff: Caller) -> None:
    body = {
        "name": "Retail",
        "currency": "EUR",
        "isDefault": True,
        "timezone": "Europe/Berlin",
        "holidayCountry": "DE",
        "bandRule": "split",
        "description": "For all",
    }
    response = staff.send("POST", CARDS, body)
    shown = parsed(response)
    assert (response.status_code, without_times(shown)) == (201, body)
    address = f"{CARDS}/{shown['id']}"
    assert staff.ask(address) == shown
    assert staff.ask(CARDS) == [shown]
    changed = parsed(staff.send("PATCH", address, {"name": "Retail 2026", "bandRule": "start"}))
    assert without_times(changed) == body | {"name": "Retail 2026", "bandRule": "start"}
    assert parsed(staff.send("PUT", address, changed)) | {"updatedDate": ""} == changed | {"updatedDate": ""}


def test_what_may_be_left_out_of_a_card(staff: Caller) -> None:
    assert without_times(parsed(staff.send("POST", CARDS, {"name": "Retail", "currency": "EUR"}))) == {
        "name": "Retail",
        "currency": "EUR",
        "isDefault": False,
        "timezone": "",
        "holidayCountry": "",
        "bandRule": "start",
        "description": "",
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "XXQ"}, "currency"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"holidayCountry": "Germany"}, "holidayCountry"),
        ({"bandRule": "end"}, "bandRule"),
        ({"name": ""}, "name"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_bad_member_of_a_card_is_named(staff: Caller, change: dict[str, Any], field: str) -> None:
    response = staff.send("POST", CARDS, {"name": "Retail", "currency": "EUR"} | change)
    assert_error(response, 400, "invalid")
    assert list(parsed(response)["errors"]) == [field]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"currency": "EUR"},
            "The rate card Retail has prices in USD: it keeps its currency. Make another card.",
        ),
        ({"name": "Other"}, "There is one like this already."),
        ({"isDefault": True}, "This currency has a default rate card already."),
        (
            {"timezone": "UTC"},
            "The rate card Retail has prices by time band: its zone, country and rule stay.",
        ),
        (
            {"holidayCountry": "DE"},
            "The rate card Retail has prices by time band: its zone, country and rule stay.",
        ),
        (
            {"bandRule": "split"},
            "The rate card Retail has prices by time band: its zone, country and rule stay.",
        ),
    ],
    ids=str,
)
def test_what_stays_of_a_card_is_a_409_with_the_reason(staff: Caller, change: dict[str, Any], sentence: str) -> None:
    RateCardFactory(name="Other", is_default=True)
    card = RateCardFactory(name="Retail")
    RateFactory(rate_card=card, time_band=TimeBandFactory())
    response = staff.send("PATCH", f"{CARDS}/{card.id}", change | {"description": "New"})
    assert_error(response, 409, "conflict")
    assert parsed(response)["detail"] == sentence
    assert RateCard.objects.get(id=card.id).description == ""


def test_a_card_is_not_deleted(staff: Caller) -> None:
    assert_error(staff.send("DELETE", f"{CARDS}/{RateCardFactory().id}"), 405, "method_not_allowed")


def test_a_band_is_made_with_its_hours_changed_and_deleted(staff: Caller) -> None:
    response = staff.send("POST", BANDS, {"name": "Peak", "hours": PEAK})
    shown = parsed(response)
    assert (response.status_code, without_times(shown)) == (201, {"name": "Peak", "hours": PEAK})
    address = f"{BANDS}/{shown['id']}"
    assert staff.ask(BANDS) == [staff.ask(address)] == [shown]
    weekend = [{"days": [6, 7, 8], "startTime": "00:00", "endTime": None}]
    assert parsed(staff.send("PATCH", address, {"hours": weekend}))["hours"] == weekend
    assert parsed(staff.send("PUT", address, {"name": "Weekend"}))["name"] == "Weekend"
    response = staff.send("DELETE", address)
    assert (response.status_code, response.content) == (204, b"")
    assert not TimeBand.objects.exists()


def test_a_band_that_a_rate_is_for_keeps_its_hours(staff: Caller) -> None:
    band = TimeBandHoursFactory(time_band__name="Peak").time_band
    RateFactory(time_band=band)
    address = f"{BANDS}/{band.id}"
    assert staff.send("PATCH", address, {"name": "Day", "hours": PEAK}).status_code == 200
    other = staff.send("PATCH", address, {"hours": [PEAK[0] | {"endTime": "20:00"}]})
    assert_error(other, 409, "conflict")
    assert parsed(other)["detail"] == "Rates are for the time band Day as it is: make another band."
    gone = staff.send("DELETE", address)
    assert_error(gone, 409, "conflict")
    assert parsed(gone)["detail"] == "Rates are for the time band Day: it stays."


@pytest.mark.parametrize(
    ("hours", "errors"),
    [
        ([], {"hours.non_field_errors": ["This list may not be empty."]}),
        ([{"days": [9], "startTime": "08:00"}], None),
        ([{"days": [], "startTime": "08:00"}], None),
        ([{"days": [1]}], {"hours.0.startTime": ["This field is required."]}),
        (
            [{"days": [1], "startTime": "08:00", "endTime": "08:00"}],
            {"hours.0.endTime": ["The end is after the start; over midnight are two rows."]},
        ),
        ([{"days": [1], "startTime": "24:00"}], None),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_bad_hours_are_named(staff: Caller, method: str, hours: Any, errors: dict[str, list[str]] | None) -> None:
    address = BANDS if method == "POST" else f"{BANDS}/{TimeBandHoursFactory().time_band_id}"
    assert_error(staff.send(method, address, {"name": "Peak", "hours": hours}), 400, "invalid", **(errors or {}))


def test_hours_of_half_minutes_are_refused_in_words(staff: Caller) -> None:
    response = staff.send("POST", BANDS, {"name": "Peak", "hours": [{"days": [1], "startTime": "08:00:30"}]})
    assert_error(response, 422, "refused")
    assert parsed(response)["detail"] == "Hours start and end at whole minutes."


def test_holidays_of_a_country_are_added_once(staff: Caller) -> None:
    PublicHolidayFactory(country="DE", day=date(2026, 1, 1), name="Neujahr")
    # Nine in the whole of Germany: New Year, Good Friday, Easter Monday, May Day, Ascension, Whit Monday, Unity, two
    # days of Christmas.
    body = {"country": "DE", "firstYear": 2026, "lastYear": 2027}
    assert parsed(staff.send("POST", f"{HOLIDAYS}/addCountry", body)) == {"addedCount": 17, "knownCount": 1}
    assert parsed(staff.send("POST", f"{HOLIDAYS}/addCountry", body)) == {"addedCount": 0, "knownCount": 18}
    assert len(staff.ask(f"{HOLIDAYS}?country=DE")) == 18
    assert staff.ask(f"{HOLIDAYS}?country=FR") == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"country": "QQ"}, "No calendar of the country “QQ” is known. Add its holidays one by one."),
        ({"lastYear": 2025}, "Ask for one to 50 years, the first before the last."),
        ({"firstYear": 1950}, "Ask for one to 50 years, the first before the last."),
        ({"firstYear": 2105, "lastYear": 2106}, "Holidays of Germany are known from 1991 to 2100."),
    ],
    ids=str,
)
def test_holidays_that_are_not_known_are_refused_in_words(staff: Caller, change: dict[str, Any], sentence: str) -> None:
    body = {"country": "DE", "firstYear": 2026, "lastYear": 2026} | change
    response = staff.send("POST", f"{HOLIDAYS}/addCountry", body)
    assert_error(response, 422, "refused")
    assert parsed(response)["detail"] == sentence


def test_one_holiday_is_added_renamed_and_deleted(staff: Caller) -> None:
    day = {"country": "DE", "day": "2026-08-08", "name": "Friedensfest"}
    response = staff.send("POST", HOLIDAYS, day)
    shown = parsed(response)
    assert (response.status_code, without_times(shown)) == (201, day)
    again = staff.send("POST", HOLIDAYS, day)
    assert_error(again, 409, "conflict")
    assert parsed(again)["detail"] == "That day is a public holiday of this country already."
    address = f"{HOLIDAYS}/{shown['id']}"
    assert parsed(staff.send("PATCH", address, {"name": "Peace"}))["name"] == "Peace"
    assert_error(staff.send("PATCH", address, {"day": "2026-08-09"}), 409, "conflict")
    assert staff.send("DELETE", address, idempotency_key="k").status_code == 204
    assert staff.send("DELETE", address, idempotency_key="k").status_code == 204
    assert not PublicHoliday.objects.exists()


def test_a_holiday_that_usage_may_be_priced_by_stays(staff: Caller) -> None:
    card = RateCardFactory(name="Retail", holiday_country="DE")
    RateFactory(rate_card=card, time_band=TimeBandFactory())
    today = timezone.localdate()
    come = PublicHolidayFactory(country="DE", day=today)
    elsewhere = PublicHolidayFactory(country="FR", day=today)
    to_come = PublicHolidayFactory(country="DE", day=today + timedelta(days=30))
    response = staff.send("DELETE", f"{HOLIDAYS}/{come.id}")
    assert_error(response, 409, "conflict")
    assert "the rate card Retail has prices that go by the holidays of DE: it stays" in parsed(response)["detail"]
    for holiday in (elsewhere, to_come):
        assert staff.send("DELETE", f"{HOLIDAYS}/{holiday.id}").status_code == 204
