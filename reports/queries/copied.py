"""Rows of a report as lines of CSV or JSON, written by PostgreSQL itself: what COPY gives is what is in the file."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db.backends.utils import CursorWrapper

from reports.engine.columns import COUNT, DATE, MONEY, NUMBER, SECONDS, TEXT, TIME, Column

ROWS_OF_BLOCK = 1_000
# A spreadsheet takes what begins so for a formula, some take full-width signs too; a telephone number is none.
# Most texts begin with a letter, behind all signs of ASCII.
SAFE = (
    "CASE WHEN {0} COLLATE \"C\" >= 'A' AND {0} COLLATE \"C\" < E'\\uff00' THEN {0}"
    " WHEN ascii({0}) IN (61, 64, 9, 10, 13, 65291, 65293, 65309, 65312) OR ascii({0}) IN (43, 45)"
    " AND {0} COLLATE \"C\" !~ '^[+][0-9*]+$' THEN '''' || {0} ELSE nullif({0}, '') END"
)
# As intervals are written, hours above 24 too.
DURATION = "(trunc({0}) * interval '1 second')"
# What XML takes for its own, or cannot have; what Excel takes for the number of a character, such as _x0041_. A line
# break would be one of the file of COPY, too.
XML = (
    "CASE WHEN {0} COLLATE \"C\" ~ '[&<>\x01-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{{4}}_' THEN regexp_replace(regexp_replace("
    "replace(replace(replace(replace({0}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), E'\\n', '&#10;'),"
    " '[\x01-\x1f\ufffe\uffff]', ' ', 'g'), '_(?=x[0-9A-Fa-f]{{4}}_)', '_x005F_', 'g') ELSE {0} END"
)
# Two characters that no JSON text has, and no row of a worksheet, so that COPY quotes nothing.
JSON_OPTIONS = r"FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02'"


class Copied:
    """The bytes that COPY gives, block by block; how many rows they were, once all were read."""

    def __init__(self, cursor: CursorWrapper, statement: str, parameters: dict[str, Any]) -> None:
        self._cursor = cursor
        self._statement = statement
        self._parameters = parameters
        self.row_count = 0

    def __iter__(self) -> Iterator[bytes]:
        with self._cursor.copy(self._statement, self._parameters) as copy:
            # It comes row by row.
            rows = iter(copy)
            while block := b"".join(islice(rows, ROWS_OF_BLOCK)):
                yield block
        self.row_count = int(self._cursor.rowcount)


def csv_statement(rows: str, columns: Sequence[Column], *, minor_units: int, has_decimal_comma: bool) -> str:
    """COPY of the rows as CSV: dates as in ISO 8601, durations as h:mm:ss, numbers with all their digits."""

    def number(text: str) -> str:
        return f"replace({text}::text, '.', ',')" if has_decimal_comma else text

    kinds: dict[str, Callable[[str], str]] = {
        TEXT: SAFE.format,
        NUMBER: lambda name: number(f"trim_scale({name})"),
        MONEY: lambda name: number(f"round({name}, {minor_units})"),
        SECONDS: DURATION.format,
    }
    options = f"FORMAT csv, DELIMITER '{';' if has_decimal_comma else ','}'"
    return _copy(rows, [kinds.get(column.kind, str)(column.key) for column in columns], options)


def json_statement(rows: str, columns: Sequence[Column], *, minor_units: int) -> str:
    """COPY of the rows as JSON objects, one a line: numbers with all their digits, durations in seconds."""
    kinds: dict[str, Callable[[str], str]] = {
        TEXT: "nullif({0}, '')".format,
        NUMBER: "trim_scale({0})".format,
        SECONDS: "trim_scale({0})".format,
        MONEY: lambda name: f"round({name}, {minor_units})",
    }
    values = [f"{kinds.get(column.kind, str)(column.key)} AS {column.key}" for column in columns]
    return _copy(rows, values, JSON_OPTIONS, row="row_to_json(j)")


def worksheet_statement(
    rows: str, columns: Sequence[Column], *, styles: Sequence[int], minor_units: int, first: int, count: int
) -> str:
    """COPY of `count` rows from the `first` on, from 0, as rows of an Excel worksheet; `styles` are their cells'.

    Dates, times and durations are days, as Excel counts them.
    """
    kinds: dict[str, str] = {
        DATE: "({0} - date '1899-12-30')",
        TIME: "round(extract(epoch FROM {0}) / 86400, 15)",
        SECONDS: "round({0} / 86400, 15)",
        MONEY: f"round({{0}}, {minor_units})",
        NUMBER: "trim_scale({0})",
        COUNT: "{0}",
    }
    cells = []
    for column, style in zip(columns, styles, strict=True):
        name, empty = column.key, f"'<c s=\"{style}\"/>'"
        if column.kind == TEXT:
            start, end = f'\'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">\'', "'</t></is></c>'"
            value = XML.format(name)
            name = f"nullif({name}, '')"
        else:
            start, end, value = f"'<c s=\"{style}\"><v>'", "'</v></c>'", kinds[column.kind].format(name)
        cells.append(f"CASE WHEN {name} IS NULL THEN {empty} ELSE concat({start}, {value}, {end}) END")
    selected = f"SELECT concat('<row>', {', '.join(cells)}, '</row>') FROM ({rows} OFFSET {first} LIMIT {count}) c"  # noqa: S608  names of ours
    return f"COPY ({selected}) TO STDOUT ({JSON_OPTIONS})"


def _copy(rows: str, values: Sequence[str], options: str, *, row: str = "") -> str:
    selected = f"SELECT {', '.join(values)} FROM ({rows}) c"  # noqa: S608  names of ours
    if row:
        selected = f"SELECT {row} FROM ({selected}) j"  # noqa: S608  the same
    return f"COPY ({selected}) TO STDOUT ({options})"
