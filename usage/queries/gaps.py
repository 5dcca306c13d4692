"""Usage that seems not to have come: holes in record numbers, and hours in which a source system was silent."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Min

from catalog.choices import FileFormat
from usage.choices import QuarantineState
from usage.engine.gaps import HOUR, NumberHole, SilentHours, joined_hours
from usage.engine.layout import Column, LayoutFault, columns_named, parse_layout
from usage.models import QuarantinedLine, SourceSystem, UsageImport

SQL = Path(__file__).parent / "sql"
# Holes are looked for in what was received in so many days.
WINDOW = timedelta(days=35)
# Of so many holes of a source system it is looked up whether they are any; so many are given.
CHECKED_HOLES = 1_000
SHOWN_HOLES = 100
# In so many open quarantined lines the missing numbers are looked for.
READ_LINES = 10_000
SILENCE_HOURS = 48
# Usage of the last hours may still be on its way.
GRACE = timedelta(hours=2)


def number_holes(*, at: datetime, source_system_id: int | None = None) -> list[NumberHole]:
    """Holes in the numbers of source systems that count up by one, among what was received in the 35 days before `at`.

    A number that came earlier is no hole, a cancelled record fills its number. At most 100 holes of a source system.
    Reads all numbers of the window.
    """
    sources = SourceSystem.objects.filter(has_consecutive_numbers=True)
    if source_system_id is not None:
        sources = sources.filter(id=source_system_id)
    source_ids = list(sources.values_list("id", flat=True))
    if not source_ids:
        return []
    since = at - WINDOW
    recent = UsageImport.objects.filter(source_system__in=source_ids, started_at__gte=since)
    parameters = {
        "source_system_ids": source_ids,
        "first_import_id": recent.aggregate(first=Min("id"))["first"],
        "since": since,
        "checked_count": CHECKED_HOLES,
        "shown_count": SHOWN_HOLES,
    }
    with connection.cursor() as cursor:
        cursor.execute((SQL / "number_holes.sql").read_text(), parameters)
        holes = [NumberHole(*row) for row in cursor.fetchall()]
    return _with_quarantined(holes, since) if holes else []


def silent_hours(*, at: datetime) -> list[SilentHours]:
    """Hours without usage of source systems that had some in the same hour of each of the past four weeks.

    Looked at are the 48 full hours (UTC) that ended two hours before `at`, by when usage started; what was the same
    hour a week ago the source system's time zone says. A few probes of an index for each hour and source system,
    however much usage there is.
    """
    stop = at.replace(minute=0, second=0, microsecond=0) - GRACE
    with connection.cursor() as cursor:
        cursor.execute(
            (SQL / "silent_hours.sql").read_text(), {"first": stop - SILENCE_HOURS * HOUR, "last": stop - HOUR}
        )
        return joined_hours(cursor.fetchall())


def _with_quarantined(holes: list[NumberHole], since: datetime) -> list[NumberHole]:
    """The holes with how many of their numbers stand in open quarantined lines."""
    lines = (
        QuarantinedLine.objects.filter(
            state=QuarantineState.OPEN,
            usage_import__source_system__in={hole.source_system_id for hole in holes},
            usage_import__started_at__gte=since,
        )
        .select_related("usage_import__source_system")
        .order_by("usage_import_id", "line_number")[:READ_LINES]
    )
    numbers = set(_numbers(lines))
    return [
        replace(
            hole,
            quarantined_count=sum(hole.has(number) for source, number in numbers if source == hole.source_system_id),
        )
        for hole in holes
    ]


def _numbers(lines: Iterable[QuarantinedLine]) -> Iterator[tuple[int, str]]:
    """Source system and number of the lines, where they can be told."""
    for line in lines:
        source = line.usage_import.source_system
        try:
            header, cells = _cells(line)
            parts = parse_layout(header, source.column_mapping).fields.get("number", ())
        except LayoutFault:
            continue
        number = "".join(part if isinstance(part, str) else _first_given(part, cells) for part in parts)
        if number:
            yield source.pk, number


def _cells(line: QuarantinedLine) -> tuple[Sequence[str], list[str]]:
    """The names of a line's columns and its cells; none where it is not even a row. Raises LayoutFault."""
    text = line.corrected_text or line.raw_text
    usage_import = line.usage_import
    if usage_import.file_format == FileFormat.NDJSON:
        names = columns_named(usage_import.source_system.column_mapping)
        found = _json_object(text)
        return names, [str(found[name]) if found.get(name) is not None else "" for name in names]
    try:
        rows = list(csv.reader([text], delimiter=usage_import.delimiter))
    except csv.Error:
        return (), []
    return usage_import.columns, rows[0] if rows else []


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _first_given(column: Column, cells: list[str]) -> str:
    texts = (cells[position].strip() for position in column.positions if position < len(cells))
    return next((text for text in texts if text), "")
