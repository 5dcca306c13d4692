"""When time bands hold: local days and times, public holidays, clocks that are put forward and back."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from catalog.engine.rates import HOLIDAY, Band, Card

ONE_DAY, ONE_SECOND = timedelta(days=1), timedelta(seconds=1)
MIDNIGHT = time(0)


def zone_of(card: Card, customer_timezone: str) -> ZoneInfo:
    """Whose hours the card's time bands are in."""
    return ZoneInfo(card.timezone or customer_timezone)


def day_of(card: Card, local: datetime) -> int:
    """The day of a local time as hours name it: 1 is Monday, 7 is Sunday, 8 any public holiday."""
    return HOLIDAY if local.date() in card.holidays else local.isoweekday()


def band_holds(band: Band, card: Card, customer_timezone: str, at: datetime) -> bool:
    """Whether the band holds at an instant for a customer in that time zone."""
    local = at.astimezone(zone_of(card, customer_timezone))
    day, at_time = day_of(card, local), local.time()
    return any(hours.hold(day, at_time) for hours in band.hours)


def borders(bands: Iterable[Band], zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The instants after `start` and before `end` at which one of the bands may begin or cease to hold, in order.

    They are the bands' starts and ends, midnights (another day has other hours), and the moments at which clocks
    change: then an hour is left out, or comes a second time.
    """
    times = {MIDNIGHT} | {
        border for band in bands for hours in band.hours for border in (hours.start, hours.end) if border
    }
    found = set()
    for begin, until in _of_one_offset(zone, start, end):
        offset = begin.astimezone(zone).utcoffset() or timedelta()
        found.add(begin)
        # As UTC, to be counted in: the local time that this offset gives.
        last = (until + offset).date()
        for day in _days((begin + offset).date(), last):
            found |= {
                instant for border in times if begin < (instant := datetime.combine(day, border, UTC) - offset) < until
            }
    return sorted(instant for instant in found if start < instant < end)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + ONE_DAY * count for count in range((last - first).days + 1))


def _of_one_offset(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches from `start` to `end` in each of which local time has one offset from UTC."""
    begin = probe = start.astimezone(UTC)
    end = end.astimezone(UTC)
    while probe < end:
        following = min(probe + ONE_DAY, end)
        if _offset(zone, probe) != _offset(zone, following):
            change = _change(zone, probe, following)
            yield begin, change
            begin = following = change
        probe = following
    yield begin, end


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The whole second between two instants from which on the offset is no longer that of the first."""
    offset, low, high = _offset(zone, before), before.replace(microsecond=0), after
    if high.microsecond:
        high = high.replace(microsecond=0) + ONE_SECOND
    while high - low > ONE_SECOND:
        middle = low + timedelta(seconds=(high - low) // ONE_SECOND // 2)
        if _offset(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def _offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
