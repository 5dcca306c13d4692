"""On which days a schedule's periods end, and when it makes their runs."""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import count
from zoneinfo import ZoneInfo

MONTHS_OF_A_YEAR = 12


def months_later(first: date, months: int) -> date:
    """The same day of the month so many months later; the last day of a month that is shorter."""
    year, month = divmod(first.year * MONTHS_OF_A_YEAR + first.month - 1 + months, MONTHS_OF_A_YEAR)
    last_day = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(first.day, last_day))


def cutoff_dates(*, first: date, months: int, after: date | None = None) -> Iterator[date]:
    """The cutoff dates of a schedule in order, for ever: `first` and every `months` later; those after `after` only.

    Each is counted from the first one, so that a short month shortens no later one: of January 31 come February 28
    and March 31.
    """
    skipped = 0
    if after is not None and after > first:
        passed = (after.year - first.year) * MONTHS_OF_A_YEAR + after.month - first.month
        skipped = max(0, passed // months)
    for number in count(skipped):
        cutoff = months_later(first, number * months)
        if after is None or cutoff > after:
            yield cutoff


def fires_at(cutoff: date, *, hour: int, timezone: str) -> datetime:
    """The moment (UTC) at which the run of a period is due: on its cutoff date at that hour in that time zone.

    Of an hour that a clock change leaves out it is the moment an hour after the one before, of one that comes twice
    the first.
    """
    return datetime.combine(cutoff, time(hour), tzinfo=ZoneInfo(timezone)).astimezone(UTC)
