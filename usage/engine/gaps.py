"""Usage that seems not to have come: numbers missing in a row of numbers, hours in which a source was silent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class NumberHole:
    """Numbers from `first_value` to `last_value`, both included, that no record of the source system has.

    A number is `prefix` and digits at its end, padded with zeros to `width` digits (0: not padded).
    `quarantined_count` of the missing numbers stand in open quarantined lines.
    """

    source_system_id: int
    prefix: str
    width: int
    first_value: int
    last_value: int
    quarantined_count: int = 0

    @property
    def first(self) -> str:
        """The first missing number as records would have it."""
        return self._number(self.first_value)

    @property
    def last(self) -> str:
        """The last missing number as records would have it."""
        return self._number(self.last_value)

    @property
    def missing_count(self) -> int:
        """How many numbers are missing."""
        return self.last_value - self.first_value + 1

    def _number(self, value: int) -> str:
        return f"{self.prefix}{value:0{self.width}}"

    def has(self, number: str) -> bool:
        """Whether this number is one of the missing ones."""
        digits = number.removeprefix(self.prefix)
        if not number.startswith(self.prefix) or not (digits.isascii() and digits.isdigit()):
            return False
        return self.first_value <= int(digits) <= self.last_value and number == self._number(int(digits))


@dataclass(frozen=True, slots=True)
class SilentHours:
    """From `starts_at` to before `ends_at` a source system sent nothing, though it did in these hours of past weeks."""

    source_system_id: int
    starts_at: datetime
    ends_at: datetime

    @property
    def hour_count(self) -> int:
        """How many hours it was silent."""
        return (self.ends_at - self.starts_at) // HOUR


def joined_hours(hours: Iterable[tuple[int, datetime]]) -> list[SilentHours]:
    """Silent hours (source system, start) in order, with those that follow each other joined."""
    joined: list[SilentHours] = []
    for source_system_id, hour in hours:
        last = joined[-1] if joined else None
        if last and (last.source_system_id, last.ends_at) == (source_system_id, hour):
            joined[-1] = SilentHours(source_system_id, last.starts_at, hour + HOUR)
        else:
            joined.append(SilentHours(source_system_id, hour, hour + HOUR))
    return joined
