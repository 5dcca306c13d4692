"""The SQL of one import, made for the columns of its file.

Names of columns never reach the SQL: the staging table's columns are c0, c1 ... by position, and texts of the mapping
are quoted as literals. The statements stand in sql/*.sql.
"""

from dataclasses import dataclass
from pathlib import Path

from usage.engine.layout import Column, Layout

SQL = Path(__file__).parent / "sql"
STRINGS = tuple(f"udf_string_{n}" for n in range(1, 9))
NUMBERS = tuple(f"udf_float_{n}" for n in range(1, 5))
DATES = tuple(f"udf_date_{n}" for n in range(1, 5))

# A number: at most 20 digits before and 18 after the point, exponents included (0.0000004 often comes as 4e-07).
PLAIN_NUMBER = r"^[+-]?\d{1,20}(\.\d{0,18}0*)?$"
EXPONENT = r"^[+-]?\d{1,20}(\.\d{1,40})?[eE][+-]?\d{1,2}$"


@dataclass(frozen=True, slots=True)
class ImportSql:
    """The statements of one import, in the order in which they run. Parameters are named in %(...)s."""

    create_staging: str
    copy: str
    parse: str
    insert_records: str
    drop_second_matches: str
    repeated: str
    quarantine: str
    drop: str


def import_sql(layout: Layout, *, import_id: int, null_text: str, first_line: int) -> ImportSql:
    """The statements that take a file of this layout in. `first_line` is the line number of the first row."""
    staging, parsed = f"usage_staging_{import_id}", f"usage_parsed_{import_id}"
    columns = [f"c{position}" for position in range(layout.column_count)]
    texts = {field: _text(parts, null_text) for field, parts in layout.fields.items()}
    given_udfs = [field for field in (*STRINGS, *NUMBERS, *DATES) if field in texts]
    values = {"staging": staging, "parsed": parsed, "raw_text": _raw_text(columns)}
    values |= _field_values(texts) | _udf_values(given_udfs, texts)
    pairs = ", ".join(f"'{field}', {text}" for field, text in sorted(texts.items()))
    values["texts"] = f"jsonb_build_object({pairs})"
    column_list = ", ".join(columns)
    return ImportSql(
        create_staging=f"CREATE UNLOGGED TABLE {staging} ("
        f"line_number integer GENERATED ALWAYS AS IDENTITY (START WITH {first_line}), "
        f"{', '.join(f'{column} text' for column in columns)}) WITH (autovacuum_enabled = off)",
        copy=f"COPY {staging} ({column_list}) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')",
        drop_second_matches=f"DELETE FROM {parsed} a USING {parsed} b "
        "WHERE a.line_number = b.line_number AND a.service_id < b.service_id",
        drop=f"DROP TABLE {staging}, {parsed}",
        **{name: _statement(name, values) for name in ("parse", "insert_records", "repeated", "quarantine")},
    )


def _statement(name: str, values: dict[str, str]) -> str:
    return (SQL / f"{name}.sql").read_text().format_map(values)


def _literal(text: str) -> str:
    """A text as an SQL literal that psycopg's % does not touch."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def _text(parts: tuple[str | Column, ...], null_text: str) -> str:
    """A field's text, or NULL where one of its columns is empty."""
    return " || ".join(_literal(part) if isinstance(part, str) else _first_given(part, null_text) for part in parts)


def _first_given(column: Column, null_text: str) -> str:
    given = [f"nullif(btrim(c{position}), '')" for position in column.positions]
    if null_text:
        given = [f"nullif({text}, {_literal(null_text)})" for text in given]
    return given[0] if len(given) == 1 else f"coalesce({', '.join(given)})"


def _number(text: str) -> str:
    return f"""CASE
      WHEN {text} ~ '{PLAIN_NUMBER}' THEN ({text})::numeric(38, 18)
      WHEN {text} ~ '{EXPONENT}' AND abs(({text})::numeric) < 1e20
        AND ({text})::numeric = round(({text})::numeric, 18) THEN ({text})::numeric(38, 18)
    END"""


def _instant(text: str) -> str:
    return f"""CASE WHEN ({text} LIKE '____-__-__T__:__%%' OR {text} LIKE '____-__-__ __:__%%')
      AND pg_input_is_valid({text}, 'timestamptz') THEN ({text})::timestamptz END"""


def _date(text: str) -> str:
    return f"CASE WHEN {text} LIKE '____-__-__' AND pg_input_is_valid({text}, 'date') THEN ({text})::date END"


def _field_values(texts: dict[str, str]) -> dict[str, str]:
    """The fields that every record has; those that the file does not give are NULL, to_date is from_date."""
    named = ("number", "service", "product", "type", "from_date", "usage_amount", "billing_directive")
    others = ("billing_effective_date", "total_amount", "destination", "region")
    values = {field: texts.get(field, "NULL::text") for field in (*named, *others)}
    to_date = f"coalesce({texts['to_date']}, {texts['from_date']})" if "to_date" in texts else texts["from_date"]
    return values | {
        "from_date_value": _instant(values["from_date"]),
        "to_date_value": _instant(to_date),
        "usage_amount_value": _number(values["usage_amount"]),
        "billing_effective_date_value": _date(values["billing_effective_date"]),
        "total_amount_value": _number(values["total_amount"]),
    }


def _udf_values(given: list[str], texts: dict[str, str]) -> dict[str, str]:
    """The user-defined fields: only those that the file gives take part, so that the others cost nothing."""
    typed = {field: texts[field] for field in given if field in STRINGS}
    typed |= {field: _number(texts[field]) for field in given if field in NUMBERS}
    typed |= {field: _date(texts[field]) for field in given if field in DATES}
    checked = [(field, "BAD_NUMBER" if field in NUMBERS else "BAD_DATE") for field in given if field not in STRINGS]
    return {
        "udf_columns": "".join(f", {field}" for field in given),
        "udf_values": "".join(f", p.{field}" for field in given),
        "udf_parsed": "".join(f", {typed[field]} AS {field}" for field in given)
        + "".join(f", {texts[field]} AS {field}_text" for field, _ in checked),
        "udf_faults": " ".join(
            f"WHEN p.{field}_text IS NOT NULL AND p.{field} IS NULL THEN '{fault}:{field}'" for field, fault in checked
        ),
        "udf_differences": "".join(
            f", CASE WHEN r.{field} IS DISTINCT FROM p.{field} THEN '{field}' END" for field in given
        ),
    }


def _raw_text(columns: list[str]) -> str:
    """The row as CSV again, quoted where it needs to be."""
    return " || ',' || ".join(
        f"""CASE WHEN {column} ~ '[",\\r\\n]' THEN '"' || replace({column}, '"', '""') || '"'
        ELSE coalesce({column}, '') END"""
        for column in columns
    )
