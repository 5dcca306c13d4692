from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from catalog.engine.bands import band_holds, borders
from catalog.engine.rates import Band, Card, Hours
from tests.catalog.engine_prices import CARD, OFF_PEAK, PEAK, use

ALL_DAYS = frozenset(range(1, 9))
BERLIN = ZoneInfo("Europe/Berlin")


def holds(band: Band, at: str, *, timezone: str = "UTC", card: Card = CARD) -> bool:
    """Whether the band holds at a local time of the customer."""
    return band_holds(band, card, timezone, use(at=at, timezone=timezone).started_at)


@pytest.mark.parametrize(
    ("at", "is_peak"),
    [
        # Monday 5 January 2026 to Sunday 11 January
        ("2026-01-05T07:59:59", False),
        ("2026-01-05T08:00:00", True),
        ("2026-01-09T17:59:59.999999", True),
        ("2026-01-09T18:00:00", False),
        ("2026-01-10T12:00:00", False),
        ("2026-01-11T12:00:00", False),
    ],
)
def test_hours_hold_from_their_start_and_before_their_end(at: str, is_peak: bool) -> None:  # noqa: FBT001  a case's column
    assert holds(PEAK, at) == is_peak
    assert holds(OFF_PEAK, at) == (not is_peak)


def test_hours_without_an_end_hold_until_midnight() -> None:
    evening = Band(3, "Evening", (Hours(frozenset({1}), time(18), None),))
    assert holds(evening, "2026-01-05T23:59:59")
    assert not holds(evening, "2026-01-06T00:00:00")


def test_a_public_holiday_is_a_day_of_its_own() -> None:
    # New Year's Day 2026 is a Thursday.
    card = replace(CARD, holidays=frozenset({date(2026, 1, 1)}))
    assert holds(PEAK, "2026-01-01T12:00")
    assert not holds(PEAK, "2026-01-01T12:00", card=card)
    assert holds(OFF_PEAK, "2026-01-01T12:00", card=card)
    # A holiday on a Sunday is not a Sunday: only hours of holidays hold.
    sundays = Band(4, "Sundays", (Hours(frozenset({7}), time(0), None),))
    new_years_day_2023 = replace(CARD, holidays=frozenset({date(2023, 1, 1)}))
    assert holds(sundays, "2023-01-01T12:00")
    assert not holds(sundays, "2023-01-01T12:00", card=new_years_day_2023)


def test_a_day_of_holiday_begins_and_ends_by_the_clock_of_the_hours() -> None:
    # 23:30 UTC on New Year's Eve is 00:30 on New Year's Day in Berlin.
    card = replace(CARD, timezone="Europe/Berlin", holidays=frozenset({date(2026, 1, 1)}))
    holidays = Band(4, "Holidays", (Hours(frozenset({8}), time(0), None),))
    assert holds(holidays, "2025-12-31T23:30", card=card)
    assert not holds(holidays, "2026-01-01T23:30", card=card)


def test_hours_are_in_the_cards_time_zone_else_in_the_customers() -> None:
    # 13:30 in Berlin is 12:30 UTC and 07:30 in New York.
    assert holds(PEAK, "2026-01-05T13:30", timezone="Europe/Berlin")
    in_new_york = replace(CARD, timezone="America/New_York")
    assert not holds(PEAK, "2026-01-05T13:30", timezone="Europe/Berlin", card=in_new_york)
    assert holds(PEAK, "2026-01-05T14:00", timezone="Europe/Berlin", card=in_new_york)


def test_hours_follow_the_clock_through_summer_time() -> None:
    # 8:00 in Berlin is 7:00 UTC in winter and 6:00 UTC in summer.
    in_berlin = replace(CARD, timezone="Europe/Berlin")
    assert [holds(PEAK, f"2026-01-05T{hour:02}:30", card=in_berlin) for hour in (6, 7)] == [False, True]
    assert [holds(PEAK, f"2026-07-06T{hour:02}:30", card=in_berlin) for hour in (5, 6)] == [False, True]


def test_borders_are_starts_ends_and_midnights() -> None:
    start = datetime(2026, 1, 5, 8, 0, tzinfo=BERLIN)
    found = [instant.astimezone(BERLIN) for instant in borders([PEAK], BERLIN, start, start + timedelta(hours=24))]
    # 8:00 itself is where the use starts, and the next 8:00 is where it ends.
    assert found == [datetime(2026, 1, 5, 18, 0, tzinfo=BERLIN), datetime(2026, 1, 6, 0, 0, tzinfo=BERLIN)]


def test_clocks_that_change_are_borders_and_local_times_may_come_twice_or_never() -> None:
    until_half_past_two = Band(5, "Night", (Hours(ALL_DAYS, time(0), time(2, 30)),))

    def found(start: str, hours: int) -> list[str]:
        begin = datetime.fromisoformat(start)
        between = borders([until_half_past_two], BERLIN, begin, begin + timedelta(hours=hours))
        return [f"{instant:%H:%M}" for instant in between]

    # 25 October 2026: at 3:00 (01:00 UTC) it is 2:00 again. Half past two is at 00:30 and at 01:30 UTC.
    assert found("2026-10-24T23:30+00:00", 3) == ["00:30", "01:00", "01:30"]
    # 29 March 2026: after 1:59 (01:00 UTC) comes 3:00; there is no half past two.
    assert found("2026-03-29T00:30+00:00", 1) == ["01:00"]
    # A long use: from 28 March to 22 January both changes; half past two is at 01:30 UTC on 90 days from 25 October on:
    # 7 of October, 30, 31, and 22 of January.
    long = found("2026-03-28T12:00+00:00", 24 * 300)
    assert (long.count("01:00"), long.count("01:30")) == (2, 90)
