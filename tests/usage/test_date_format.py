"""Patterns of dates and times: what they read, and what is wrong with those that are none."""

import re

import pytest

from usage.engine.date_format import DateFormatFault, parse_date_format


def read(pattern: str, text: str) -> tuple[str | None, str | None]:
    """The ISO text that a text means as a date with time, and as a date; None where it is none."""
    form = parse_date_format(pattern)
    assert form is not None
    found = []
    for expression, iso in ((form.instant, form.instant_iso), (form.day, form.day_iso)):
        matched = re.fullmatch(expression, text) if expression else None
        # PostgreSQL makes nothing of a group that is not there.
        found.append(re.sub(r"\\(\d)", lambda group: matched[int(group[1])] or "", iso) if matched else None)  # noqa: B023
    return found[0], found[1]


@pytest.mark.parametrize(
    ("pattern", "text", "instant", "day"),
    [
        ("DD.MM.YYYY hh:mm:ss", "31.01.2026 23:59:58", "2026-01-31T23:59:58", None),
        ("DD.MM.YYYY hh:mm:ss", "31.01.2026", None, "2026-01-31"),
        ("DD.MM.YYYY hh:mm", "31.01.2026 23:59", "2026-01-31T23:59:00", None),
        ("DD.MM.YYYY", "31.01.2026", "2026-01-31T00:00:00", "2026-01-31"),
        ("MM/DD/YYYY hh:mm", "01/31/2026 23:59", "2026-01-31T23:59:00", None),
        ("YYYY-DD-MM", "2026-31-01", "2026-01-31T00:00:00", "2026-01-31"),
        ("DD/MM/YY", "31/01/26", "2026-01-31T00:00:00", "2026-01-31"),
        ("YYYYMMDDhhmmss", "20260131235958", "2026-01-31T23:59:58", None),
        ("YYYYMMDDhhmmss", "20260131", None, "2026-01-31"),
        ("YYYYMMDDThhmmssZ", "20260131T235958Z", "2026-01-31T23:59:58Z", None),
        ("YYYY-MM-DD hh:mm:ss.f", "2026-01-31 23:59:58.123456789", "2026-01-31T23:59:58.123456789", None),
        ("YYYY-MM-DD hh:mm:ss,f", "2026-01-31 23:59:58,5", "2026-01-31T23:59:58.5", None),
        ("hh:mm:ss DD.MM.YYYY", "23:59:58 31.01.2026", "2026-01-31T23:59:58", None),
        ("DD.MM.YYYY hh:mm:ss", "31.01.2026 23:59:58+05:30", "2026-01-31T23:59:58+05:30", None),
        ("DD.MM.YYYY hh:mm:ss", "31.01.2026 23:59:58-0800", "2026-01-31T23:59:58-0800", None),
        ("DD.MM.YYYY hh:mm:ss Z", "31.01.2026 23:59:58 Z", "2026-01-31T23:59:58Z", None),
        ("DD.MM.YYYY", "31x01x2026", None, None),
        ("DD.MM.YYYY", "1.1.2026", None, None),
        ("DD.MM.YYYY hh:mm", "31.01.2026 23:59 ", None, None),
        ("YYYYMMDD", "٢٠٢٦٠١٣١", None, None),
    ],
)
def test_what_a_pattern_reads(pattern: str, text: str, instant: str | None, day: str | None) -> None:
    assert read(pattern, text) == (instant, day)


def test_a_time_that_comes_before_the_date_gives_no_date_by_itself() -> None:
    form = parse_date_format("hh:mm DD.MM.YYYY")
    assert form is not None
    assert form.day == ""


def test_no_pattern_is_iso_8601() -> None:
    assert parse_date_format("") is None


def test_seconds_and_milliseconds_are_counted() -> None:
    units = [(form.epoch_unit, form.instant) for form in map(parse_date_format, ("epoch", "epoch_ms")) if form]
    assert units == [(1, ""), (1_000, "")]


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("DD.MM", "the date format “DD.MM” lacks YYYY"),
        ("hh:mm", "the date format “hh:mm” lacks YYYY and MM and DD"),
        ("Epoch", "the date format “Epoch” lacks YYYY and MM and DD"),
        ("DD.MM.YYYY YY", "the date format “DD.MM.YYYY YY” has year twice"),
        ("DD.MM.YYYY MM hh:hh", "the date format “DD.MM.YYYY MM hh:hh” has MM and hh twice"),
        (
            "DD.MM.YYYY HH:mm",
            "the date format “DD.MM.YYYY HH:mm” has other letters than YYYY, YY, MM, DD, hh, mm, ss, f, T and Z in it",
        ),
        (
            "DD.MM.YYYY' OR '1",
            "the date format “DD.MM.YYYY' OR '1” has other letters than YYYY, YY, MM, DD, hh, mm, ss, f, T and Z in it",
        ),
        (
            "(DD).MM.YYYY",
            "the date format “(DD).MM.YYYY” has other letters than YYYY, YY, MM, DD, hh, mm, ss, f, T and Z in it",
        ),
    ],
)
def test_what_is_no_pattern_is_said(pattern: str, sentence: str) -> None:
    with pytest.raises(DateFormatFault) as caught:
        parse_date_format(pattern)
    assert str(caught.value) == sentence
