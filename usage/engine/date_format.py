"""How a source system writes dates and times: a pattern such as `DD.MM.YYYY hh:mm:ss`. Pure, no SQL, no Django.

YYYY or YY (20..), MM, DD, hh, mm, ss and f (one to nine digits of a second) stand for digits, all else for itself. The
words `epoch` and `epoch_ms` are seconds and milliseconds since 1970. No pattern: ISO 8601.
"""

import re
from dataclasses import dataclass

EPOCH_UNITS = {"epoch": 1, "epoch_ms": 1_000}
DIGITS = {
    "YYYY": "[0-9]{4}",
    "YY": "[0-9]{2}",
    "MM": "[0-9]{2}",
    "DD": "[0-9]{2}",
    "hh": "[0-9]{2}",
    "mm": "[0-9]{2}",
    "ss": "[0-9]{2}",
    "f": "[0-9]{1,9}",
}
TOKEN = re.compile("|".join(DIGITS))
DAY = ("year", "MM", "DD")
TIMES = ("hh", "mm", "ss", "f")
# What stands between the digits; letters only T and Z, so that a misspelt token is found.
BETWEEN = re.compile(r"[-./:, TZ_]*")
SHOWN_DEFAULTS = {"hh": "00", "mm": "00", "ss": "00"}


class DateFormatFault(Exception):
    """The pattern is none; the sentence says why."""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """Regular expressions (PostgreSQL's and Python's) for a date with time and for a date alone, and the ISO texts that
    their groups make. `epoch_unit` is how many of them are a second, where instants are counted.
    """

    instant: str
    instant_iso: str
    day: str
    day_iso: str
    epoch_unit: int | None = None


def parse_date_format(pattern: str) -> DateFormat | None:
    """What a pattern means; None for the empty one. Raises DateFormatFault."""
    if not pattern:
        return None
    if pattern in EPOCH_UNITS:
        return DateFormat("", "", "", "", EPOCH_UNITS[pattern])
    tokens = [match.group() for match in TOKEN.finditer(pattern)]
    _check(pattern, tokens)
    # A zone behind the time is read whether the pattern says so or not.
    pattern = pattern.removesuffix("Z")
    names = ["year" if token in {"YYYY", "YY"} else token for token in tokens]
    places = {name: f"\\{number}" for number, name in enumerate(names, 1)}
    century = "20" if "YY" in tokens else ""
    day_iso = f"{century}{places['year']}-{places['MM']}-{places['DD']}"
    time_iso = ":".join(places.get(name, SHOWN_DEFAULTS[name]) for name in ("hh", "mm", "ss"))
    fraction = f".{places['f']}" if "f" in places else ""
    last_of_day = max(names.index(name) for name in DAY)
    day = _expression(pattern, up_to=last_of_day + 1)
    return DateFormat(
        instant=f"^{_expression(pattern)}(Z|[+-][0-9]{{2}}:?[0-9]{{2}})?$",
        instant_iso=f"{day_iso}T{time_iso}{fraction}\\{len(names) + 1}",
        day=f"^{day}$" if all(name in DAY for name in names[: last_of_day + 1]) else "",
        day_iso=day_iso,
    )


def _check(pattern: str, tokens: list[str]) -> None:
    names = ["year" if token in {"YYYY", "YY"} else token for token in tokens]
    missing = [spelt for spelt, name in (("YYYY", "year"), ("MM", "MM"), ("DD", "DD")) if name not in names]
    if missing:
        raise DateFormatFault(f"the date format “{pattern}” lacks {' and '.join(missing)}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DateFormatFault(f"the date format “{pattern}” has {' and '.join(twice)} twice")
    left = TOKEN.sub("", pattern)
    if not BETWEEN.fullmatch(left):
        raise DateFormatFault(
            f"the date format “{pattern}” has other letters than YYYY, YY, MM, DD, hh, mm, ss, f, T and Z in it"
        )


def _expression(pattern: str, *, up_to: int | None = None) -> str:
    """The regular expression of a pattern, of its first tokens only where `up_to` says so many."""
    parts: list[str] = []
    position = 0
    for number, match in enumerate(TOKEN.finditer(pattern)):
        if number == up_to:
            return "".join(parts)
        parts += [re.escape(pattern[position : match.start()]), f"({DIGITS[match.group()]})"]
        position = match.end()
    return "".join(parts) + ("" if up_to is not None else re.escape(pattern[position:]))
