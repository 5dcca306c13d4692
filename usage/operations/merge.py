"""Copied rows become records, pending usage, conflicts and quarantined lines: part by part, in the file's order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.backends.utils import CursorWrapper

from catalog.choices import FileFormat
from usage.choices import DecimalSign
from usage.engine.date_format import parse_date_format
from usage.engine.layout import LayoutFault, columns_named, parse_layout
from usage.models import SourceSystem, UsageImport
from usage.operations.field_sql import Reading
from usage.operations.staging import ImportSql

# Rows of one part: its tables stay in memory, and what an import has done so far can be told.
PART_ROWS = 100_000
INSTANT_SHOWN = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
ROWS_A_BLOCK = "SELECT greatest(1, pg_relation_size(%s::regclass) / current_setting('block_size')::integer)"


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of rows: received = accepted + duplicates + conflicts + quarantined. Late ones are accepted."""

    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    late: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.received + other.received,
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.conflicts + other.conflicts,
            self.quarantined + other.quarantined,
            self.late + other.late,
        )


# The first imports kept the rows, not what their columns were called.
NO_HEADER = (
    "the header of this file was not kept when it was taken in; upload the rows once more, in a file with its header"
)


def reading_of(source: SourceSystem, usage_import: UsageImport) -> Reading:
    """How the rows of an import are read: by the columns that its file has, and as its source system says now.

    Raises LayoutFault and DateFormatFault.
    """
    columns = usage_import.columns
    if usage_import.file_format == FileFormat.NDJSON:
        columns = columns_named(source.column_mapping)
    elif not columns:
        raise LayoutFault(NO_HEADER)
    return Reading(
        layout=parse_layout(columns, source.column_mapping),
        columns=tuple(columns),
        file_format=FileFormat(usage_import.file_format),
        delimiter=usage_import.delimiter,
        null_text=source.null_text,
        # JSON writes numbers with a point, whatever the source system's texts look like.
        decimal_sign=DecimalSign.POINT if usage_import.file_format == FileFormat.NDJSON else source.decimal_sign,
        date_format=parse_date_format(source.date_format),
    )


def parameters_of(usage_import: UsageImport, source: SourceSystem) -> dict[str, Any]:
    """What the statements of an import are given, beside the part of the rows."""
    return row_parameters(source, import_id=usage_import.pk, user_id=usage_import.created_by_id)


def row_parameters(source: SourceSystem, *, import_id: int | None, user_id: int | None) -> dict[str, Any]:
    """What every statement about rows of a source system is given."""
    return {
        "import_id": import_id,
        "source_system_id": source.pk,
        "default_usage_type_id": source.default_usage_type_id,
        "user_id": user_id,
        "date_format": source.date_format,
        "instant": INSTANT_SHOWN,
    }


def prepare_session(cursor: CursorWrapper, source: SourceSystem) -> None:
    """Set up the transaction: texts without a zone are the source system's; rows keep the order of the file."""
    cursor.execute(
        "SELECT set_config('TimeZone', %s, true), set_config('work_mem', '64MB', true), set_config('jit', 'off', true),"
        " set_config('max_parallel_workers_per_gather', '0', true)",
        [source.timezone],
    )


def reset_session(cursor: CursorWrapper) -> None:
    """The time zone of all other work."""
    cursor.execute("SELECT set_config('TimeZone', 'UTC', true)")


def merge(
    cursor: CursorWrapper,
    sql: ImportSql,
    parameters: dict[str, Any],
    received: int,
    on_part: Callable[[Counts], None] | None = None,
) -> Counts:
    """Take in all rows of a staging table, and say what became of them; `on_part` hears of it after each part."""
    done = Counts()
    for from_row, to_row in _parts(cursor, sql.staging, received):
        part = parameters | {"from_row": from_row, "to_row": to_row}
        done += _merge_part(cursor, sql, part)
        if on_part is not None:
            on_part(done)
    return done


def _parts(cursor: CursorWrapper, staging: str, received: int) -> Iterator[tuple[str, str]]:
    """Places in the staging table, from and to: rows lie there in the order of the file."""
    cursor.execute(ROWS_A_BLOCK, [staging])
    blocks = cursor.fetchone()[0]
    step = max(1, blocks * PART_ROWS // max(1, received))
    for block in range(0, blocks, step):
        yield f"({block},0)", f"({block + step},0)"


def _merge_part(cursor: CursorWrapper, sql: ImportSql, parameters: dict[str, Any]) -> Counts:
    cursor.execute(sql.parse, parameters)
    received = cursor.rowcount
    cursor.execute(sql.insert_records, parameters)
    accepted, late = cursor.fetchone()
    quarantined = duplicates = conflicts = 0
    if accepted < received:
        cursor.execute(sql.quarantine, parameters)
        quarantined = cursor.rowcount
    if accepted + quarantined < received:
        cursor.execute(sql.repeated, parameters)
        duplicates, conflicts = cursor.fetchone()
    cursor.execute(sql.drop_parsed)
    return Counts(received, accepted, duplicates, conflicts, quarantined, late)
