"""The fields of a record as SQL over a row's texts: first each text once, then the values that the texts mean.

Names of columns never reach the SQL: they are c0, c1 ... by position, and texts of a mapping are quoted as literals.
"""

from dataclasses import dataclass

from catalog.choices import FileFormat
from catalog.operations.text_sql import DAY_IN_DIGITS, date, literal, number
from usage.engine.date_format import DateFormat
from usage.engine.layout import FIELDS, Column, Layout

STRINGS = tuple(f"udf_string_{n}" for n in range(1, 9))
NUMBERS = tuple(f"udf_float_{n}" for n in range(1, 5))
DATES = tuple(f"udf_date_{n}" for n in range(1, 5))
ALL_NUMBERS = ("usage_amount", "total_amount", *NUMBERS)
ALL_DATES = ("billing_effective_date", *DATES)
INSTANTS = ("from_date", "to_date")

# Years from 1000 to 2999, which no time zone takes out of what Python can hold.
INSTANT = " OR ".join(f"{{0}} LIKE '{millennium}___-__-__{mark}__:__%%'" for millennium in "12" for mark in "T ")
# And as a time: "T  :00" is midnight to PostgreSQL, "12:0.0" twelve minutes past it, and UTC+3 an offset of -03:00. So
# all places of a time with seconds must hold digits, and behind it stands nothing but a fraction and an offset or the
# name of a zone. What nearly all texts end in is recognised without a regular expression.
TIME_IN_DIGITS = (
    "pg_input_is_valid(left({0}, 4) || substr({0}, 6, 2) || substr({0}, 9, 2) || substr({0}, 12, 2) ||"
    " substr({0}, 15, 2) || substr({0}, 18, 2), 'bigint')"
)
ZONE = "( ?([+-][0-9:]+|[A-Za-z][A-Za-z/_]*))?$"
IN_PLACE = f"""CASE
      WHEN {{0}} LIKE '________________:__%%' THEN {TIME_IN_DIGITS} AND (substr({{0}}, 20) IN ('', 'Z')
        OR substr({{0}}, 20, 1) IN ('+', '-') OR substr({{0}}, 20) ~ '^([.][0-9]+)?{ZONE}')
      ELSE substr({{0}}, 12) ~ '^[0-9][0-9]:[0-9][0-9]{ZONE}' AND {DAY_IN_DIGITS}
    END"""
# Ten digits are seconds up to the year 2286, thirteen are milliseconds.
EPOCH = {1: r"^[0-9]{1,10}(\.[0-9]{1,6})?$", 1_000: r"^[0-9]{1,13}(\.[0-9]{1,3})?$"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source system's texts are read: its layout over these columns, how it spells nothing, numbers and dates."""

    layout: Layout
    columns: tuple[str, ...]
    file_format: FileFormat = FileFormat.CSV
    delimiter: str = ","
    null_text: str = ""
    decimal_sign: str = "."
    date_format: DateFormat | None = None

    @property
    def is_lines(self) -> bool:
        """Whether a row is a line of JSON, not a row of columns."""
        return self.file_format == FileFormat.NDJSON


def columns_of(reading: Reading) -> tuple[str, ...]:
    """The columns of the staging table: c0, c1 ... for those of the file."""
    return tuple(f"c{position}" for position in range(len(reading.columns)))


def texts_of(reading: Reading) -> dict[str, str]:
    """The text of each field that the file gives, NULL where one of its columns is empty."""
    return {field: _text(parts, reading.null_text) for field, parts in reading.layout.fields.items()}


def text_columns(reading: Reading) -> str:
    """Each field's text, and, where that is another one, the form in which a number or a date of it can be read."""
    given = texts_of(reading)
    texts = {field: given.get(field, "NULL::text") for field in FIELDS}
    parts = [f"{text} AS {field}_text" for field, text in texts.items()]
    parts += [f"{form} AS {field}_read" for field, form in _other_forms(texts, reading).items()]
    return ", ".join(parts)


def value_columns(reading: Reading) -> str:
    """Each field's value out of its text; NULL for a text that means none."""
    values: list[str] = []
    given = texts_of(reading)
    other_forms = _other_forms({field: given.get(field, "NULL::text") for field in FIELDS}, reading)
    for field in FIELDS:
        read = f"{field}_read" if field in other_forms else f"{field}_text"
        if field in ALL_NUMBERS:
            values.append(f"{number(read)} AS {field}")
        elif field in ALL_DATES:
            values.append(f"{date(read)} AS {field}")
        elif field in INSTANTS:
            values.append(f"{_instant(read, reading)} AS {field}")
        elif field != "number":
            values.append(f"{field}_text AS {field}")
    return ", ".join(values)


def _other_forms(texts: dict[str, str], reading: Reading) -> dict[str, str]:
    """For numbers and dates that cannot be read as they are written: the form in which they can."""
    forms = {field: _readable(field, texts[field], reading) for field in (*ALL_NUMBERS, *ALL_DATES, *INSTANTS)}
    # What has no end ended when it began.
    forms["to_date"] = f"coalesce({forms['to_date']}, {forms['from_date']})"
    return {field: form for field, form in forms.items() if form != texts[field]}


def _text(parts: tuple[str | Column, ...], null_text: str) -> str:
    return " || ".join(literal(part) if isinstance(part, str) else _first_given(part, null_text) for part in parts)


def _first_given(column: Column, null_text: str) -> str:
    given = [f"nullif(btrim(c{position}), '')" for position in column.positions]
    if null_text:
        given = [f"nullif({text}, {literal(null_text)})" for text in given]
    return given[0] if len(given) == 1 else f"coalesce({', '.join(given)})"


def _readable(field: str, text: str, reading: Reading) -> str:
    form = reading.date_format
    if field in ALL_NUMBERS:
        # A point is no sign of a source system that writes commas, and must not become one.
        return f"translate({text}, ',.', '.?')" if reading.decimal_sign == "," else text
    if form is None:
        return text
    pattern, iso = (form.instant, form.instant_iso) if field in INSTANTS else (form.day, form.day_iso)
    if not pattern:
        return text
    in_iso = f"regexp_replace({text}, {literal(pattern)}, {literal(iso)})"
    # What is written otherwise is no date of that source system: read as ISO 8601, a day could become a month. Only
    # real dates of a workbook, which have no form of their own, are.
    return (
        in_iso if reading.file_format == FileFormat.XLSX else f"CASE WHEN {text} ~ {literal(pattern)} THEN {in_iso} END"
    )


def _instant(text: str, reading: Reading) -> str:
    form, epoch = reading.date_format, ""
    if form is not None and form.epoch_unit is not None:
        epoch = f"WHEN {text} ~ '{EPOCH[form.epoch_unit]}' THEN to_timestamp(({text})::numeric / {form.epoch_unit})"
        if reading.file_format != FileFormat.XLSX:
            return f"CASE {epoch} END"
    return f"""CASE {epoch} WHEN ({INSTANT.format(text)}) AND {IN_PLACE.format(text)}
      AND pg_input_is_valid({text}, 'timestamptz') THEN ({text})::timestamptz END"""
