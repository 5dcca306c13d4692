"""The cutoff dates of any schedule, and the moments at which it makes its runs."""

import calendar
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from billing.engine.schedules import cutoff_dates, fires_at

firsts = st.dates(date(2000, 1, 1), date(2100, 12, 31))
months = st.integers(1, 12)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo"])


def month_number(day: date) -> int:
    return day.year * 12 + day.month


@given(firsts, months, st.integers(1, 60))
def test_each_cutoff_is_so_many_months_after_the_one_before_on_the_anchors_day_or_the_months_last(
    first: date, months: int, count: int
) -> None:
    found = list(islice(cutoff_dates(first=first, months=months), count))
    assert found[0] == first
    for number, cutoff in enumerate(found):
        assert month_number(cutoff) == month_number(first) + number * months
        assert cutoff.day == min(first.day, calendar.monthrange(cutoff.year, cutoff.month)[1])


@given(firsts, months, st.dates(date(1990, 1, 1), date(2130, 12, 31)))
def test_the_next_is_the_earliest_after_a_day_whatever_the_day(first: date, months: int, after: date) -> None:
    one_by_one = next(cutoff for cutoff in cutoff_dates(first=first, months=months) if cutoff > after)
    assert next(cutoff_dates(first=first, months=months, after=after)) == one_by_one


@given(firsts, months, st.integers(1, 40))
def test_one_after_the_other_leaves_no_period_out_and_comes_to_none_twice(first: date, months: int, count: int) -> None:
    latest, found = None, []
    for _ in range(count):
        latest = next(cutoff_dates(first=first, months=months, after=latest))
        found.append(latest)
    assert found == list(islice(cutoff_dates(first=first, months=months), count))


@given(firsts, months, st.integers(0, 23), zones)
def test_runs_are_due_in_order_each_on_its_cutoff_date_at_the_hour_where_the_clock_shows_it(
    first: date, months: int, hour: int, zone: str
) -> None:
    cutoffs = list(islice(cutoff_dates(first=first, months=months), 14))
    moments = [fires_at(cutoff, hour=hour, timezone=zone) for cutoff in cutoffs]
    assert moments == sorted(set(moments))
    for cutoff, moment in zip(cutoffs, moments, strict=True):
        assert moment.tzinfo is UTC
        local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        # An hour or a day that a clock change leaves out: later by what is left out, never earlier.
        late = local - datetime(cutoff.year, cutoff.month, cutoff.day, hour)  # noqa: DTZ001  a clock on a wall
        assert late in {timedelta(0), timedelta(hours=1), timedelta(days=1)}


def test_month_ends_are_right() -> None:
    def first_four(first: date) -> list[str]:
        return [str(cutoff) for cutoff in islice(cutoff_dates(first=first, months=1), 4)]

    assert first_four(date(2026, 1, 31)) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
    # 2028 is a leap year; what is anchored on its 29th of February comes back to it.
    assert first_four(date(2027, 12, 30)) == ["2027-12-30", "2028-01-30", "2028-02-29", "2028-03-30"]
    yearly = islice(cutoff_dates(first=date(2028, 2, 29), months=12), 5)
    assert [str(cutoff) for cutoff in yearly] == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]


def test_clock_changes_put_a_run_off_by_the_hour_that_is_left_out() -> None:
    # Berlin, 2026-03-29: the hour from two to three is left out; 2026-10-25: it comes twice.
    assert fires_at(date(2026, 3, 29), hour=2, timezone="Europe/Berlin") == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert fires_at(date(2026, 10, 25), hour=2, timezone="Europe/Berlin") == datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert fires_at(date(2026, 12, 1), hour=2, timezone="Europe/Berlin") == datetime(2026, 12, 1, 1, tzinfo=UTC)
