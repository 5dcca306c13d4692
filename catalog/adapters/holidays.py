"""Public holidays of countries, from the package `holidays`: of the whole country, not of its parts."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache

import holidays
from holidays.registry import COUNTRIES

ENGLISH = "en_US"


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which a country has a public holiday, with its name in English where the package has one."""

    day: date
    name: str


@cache
def countries() -> dict[str, str]:
    """The names of the countries whose holidays are known, in their order, by ISO 3166-1 code of two letters."""
    names = {code: _words(class_name) for class_name, code, *_ in COUNTRIES.values()}
    return dict(sorted(names.items(), key=lambda item: item[1]))


def known_years(country: str) -> range:
    """The years that the package knows the holidays of. Raises `KeyError` for a country that it does not know."""
    calendar = _calendar(country, years=())
    return range(calendar.start_year, calendar.end_year + 1)


def public_holidays(country: str, years: range) -> list[Holiday]:
    """The holidays of these years, by day. Raises `KeyError` for a country that the package does not know."""
    return [Holiday(day, name) for day, name in sorted(_calendar(country, years=years).items())]


def _calendar(country: str, *, years: range | tuple[()]) -> holidays.HolidayBase:
    if country not in countries():
        raise KeyError(country)
    # Left to itself the package takes the language of the machine.
    known = holidays.country_holidays(country)
    language = ENGLISH if ENGLISH in known.supported_languages else known.default_language
    return holidays.country_holidays(country, years=years, language=language, expand=False)


def _words(class_name: str) -> str:
    """BosniaAndHerzegovina is Bosnia and Herzegovina."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", class_name)
    return re.sub(r" (And|Of|The|Da)(?= )", lambda small: small[0].lower(), words)
