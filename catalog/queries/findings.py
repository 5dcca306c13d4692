"""What a check of a price list found, in words, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.choices import Severity

# How many of the places of a finding are named.
SHOWN = 20

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "public holidays")
MINUTES_OF_AN_HOUR = 60


@dataclass(frozen=True, slots=True)
class Place:
    """One thing that is found, in a sentence, and what to look at: `model` is `app_model`, the id 0 if none."""

    sentence: str
    model: str
    object_id: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found: `count` things, the first of which are `places`; `sentence` says what that means.

    `line_count` is how many of them are of the rate deck that was checked, 0 where a card was.
    """

    rule: str
    severity: Severity
    title: str
    sentence: str
    count: int
    places: tuple[Place, ...] = ()
    line_count: int = 0

    @property
    def rate_ids(self) -> tuple[int, ...]:
        """The rates among its places."""
        return tuple(place.object_id for place in self.places if place.model == "catalog_rate")

    @property
    def line_ids(self) -> tuple[int, ...]:
        """The lines of a rate deck among its places."""
        return tuple(place.object_id for place in self.places if place.model == "catalog_ratedeckline")


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Errors first; those of one severity as they came."""
    return sorted(findings, key=lambda finding: finding.severity != Severity.ERROR)


def place_of(row: Mapping[str, Any], sentence: str) -> Place:
    """A place in the list of prices: the line of the deck where there is one, else the rate."""
    if row["line_id"] is not None:
        return Place(sentence, "catalog_ratedeckline", row["line_id"])
    return Place(sentence, "catalog_rate", row["rate_id"] or 0)


def where(row: Mapping[str, Any]) -> str:
    """What a price is for: "CALL to 4477 in EU, Peak"; every region and every hour are left out."""
    to = f" to {row['prefix']}" if row["prefix"] else ""
    region = f" in {row['region']}" if row["region"] else ""
    band = f", {row['band']}" if row["band"] else ""
    return f"{row['product']}{to}{region}{band}"


def hours_in_words(hours: Sequence[Sequence[int]]) -> str:
    """Hours of the week, each as day (1 to 8), first minute and the one after the last: "Monday 18:00 to 24:00".

    Neighbouring days with the same hours are said together.
    """
    by_day: dict[int, list[str]] = {}
    for day, start, end in hours:
        by_day.setdefault(day, []).append(f"{_clock(start)} to {_clock(end)}")
    spans: list[tuple[int, int, str]] = []
    for day, times in sorted(by_day.items()):
        text = " and ".join(times)
        if spans and spans[-1][1] == day - 1 and spans[-1][2] == text and day <= len(DAYS) - 1:
            spans[-1] = (spans[-1][0], day, text)
        else:
            spans.append((day, day, text))
    return "; ".join(f"{_days(first, last)} {text}" for first, last, text in spans)


def _clock(minute: int) -> str:
    return f"{minute // MINUTES_OF_AN_HOUR:02}:{minute % MINUTES_OF_AN_HOUR:02}"


def _days(first: int, last: int) -> str:
    if first == last:
        return DAYS[first - 1]
    return f"{DAYS[first - 1]} {'and' if last == first + 1 else 'to'} {DAYS[last - 1]}"


def counted(count: int, one: str, many: str) -> str:
    """Such as "1 price" and "1,200 prices"."""
    return f"{count:,} {one if count == 1 else many}"
