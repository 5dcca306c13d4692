"""What the first rows of a stored file would become: the import itself, in a transaction that is not kept."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, BinaryIO, cast

from django.db import DatabaseError, connection, transaction

from catalog.adapters.csv_stream import BLOCK_BYTES, Block
from catalog.choices import FileFormat
from catalog.operations.copying import copy_block
from usage.adapters.stored_file import StoredFile
from usage.engine.layout import FIELDS
from usage.models import QuarantinedLine, SourceSystem, UsageConflict, UsageDataRecord, UsageImport
from usage.operations.imports import FILE_FAULTS
from usage.operations.merge import merge, parameters_of, prepare_session, reading_of, reset_session
from usage.operations.record_values import as_text
from usage.operations.rows import Rows, open_rows
from usage.operations.staging import import_sql

# A preview waits no longer than this for an import under way that has the same records.
LOCK_TIMEOUT = "2s"
SHOWN_FIELDS = {
    "service": "subscription_service__identifier",
    "type": "usage_type__name",
    "product": "product__code",
    "subscription_action": "subscription_action__number",
}


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row: its texts as they came (of JSON the line), what it would become, why, and what would be stored."""

    line_number: int
    raw: tuple[str, ...]
    outcome: str
    detail: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """The first rows of a file under a mapping; `fault` is what is wrong with the file or the mapping as a whole.

    With a fault the rows, as far as the file can be read, have only their texts, and the outcome "unread".
    """

    columns: tuple[str, ...]
    rows: tuple[PreviewRow, ...]
    fault: str


def preview_import(*, import_id: int, mapping: Mapping[str, str] | None = None, row_count: int = 10) -> ImportPreview:
    """Take in the first rows of a stored file and roll everything back. There is no second way to read a row.

    `mapping` is tried instead of the source system's own.
    """
    usage_import = UsageImport.objects.select_related("source_system").get(pk=import_id)
    source = usage_import.source_system
    if mapping is not None:
        source.column_mapping = dict(mapping)
    columns: tuple[str, ...] = ()
    unread: tuple[PreviewRow, ...] = ()
    try:
        file = cast("BinaryIO", io.BufferedReader(StoredFile(import_id), buffer_size=BLOCK_BYTES))
        rows = open_rows(
            source, file, file_name=usage_import.file_name, file_format=FileFormat(usage_import.file_format)
        )
        columns = rows.columns
        block = _first_rows(rows, row_count)
        unread = _as_they_came(rows, block)
        usage_import.columns, usage_import.delimiter = list(columns), rows.delimiter
        with transaction.atomic():
            shown = _taken_in(usage_import, source, rows, block)
            transaction.set_rollback(True)
    except FILE_FAULTS as fault:
        return ImportPreview(columns, unread, f"{fault}.")
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) != "55P03":
            raise
        return ImportPreview(columns, (), "The same records are being imported right now. Try again in a moment.")
    return ImportPreview(columns, shown, "")


def _first_rows(rows: Rows, count: int) -> Block:
    """The first rows of the file, in one block, which is empty where there are none."""
    first = Block(rows.first_line, b"", rows.delimiter.encode())
    texts: list[bytes] = []
    for block in rows.blocks():
        first = first if texts else block
        texts += [text for _, text in islice(block.numbered_rows(), count - len(texts))]
        if len(texts) == count:
            break
    return replace(first, rows=b"".join(texts))


def _as_they_came(rows: Rows, block: Block) -> tuple[PreviewRow, ...]:
    """The rows as texts: who says what the columns are has to see what is in them."""
    try:
        return tuple(
            PreviewRow(line, _cells(rows, text.decode(errors="replace")), "unread", "", {})
            for line, text in block.numbered_rows()
        )
    except csv.Error:
        return ()


def _cells(rows: Rows, text: str) -> tuple[str, ...]:
    if rows.file_format == FileFormat.NDJSON:
        return (text.rstrip("\n"),)
    return tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=rows.delimiter), []))


def _taken_in(usage_import: UsageImport, source: SourceSystem, rows: Rows, block: Block) -> tuple[PreviewRow, ...]:
    sql = import_sql(reading_of(source, usage_import), import_id=usage_import.pk, first_line=rows.first_line)
    with connection.cursor() as cursor:
        prepare_session(cursor, source)
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        cursor.execute(sql.create_staging)
        received = copy_block(sql.copy, block, len(rows.columns)) if block.rows else 0
        if sql.spread:
            cursor.execute(sql.spread, {})
        elif received != block.line_count:
            cursor.execute(sql.count_lines, {})
        merge(cursor, sql, parameters_of(usage_import, source), received)
        cursor.execute(sql.show_staging)
        names = [column.name for column in cursor.description]
        staged = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        reset_session(cursor)
    outcomes = _outcomes(usage_import)
    return tuple(_row(line, outcomes) for line in staged)


def _row(line: Mapping[str, Any], outcomes: Mapping[int, tuple[str, str, Mapping[str, str]]]) -> PreviewRow:
    raw = (
        (str(line["raw"]),)
        if "raw" in line
        else tuple(str(text or "") for name, text in line.items() if name != "line_number")
    )
    # What left no trace says the same as a record that is there.
    duplicate = "A record with this number and content is there already."
    outcome, detail, values = outcomes.get(line["line_number"], ("duplicate", duplicate, {}))
    return PreviewRow(line["line_number"], raw, outcome, detail, values)


def _outcomes(usage_import: UsageImport) -> dict[int, tuple[str, str, Mapping[str, str]]]:
    """For each line that left something behind: what it became, why, and what is stored."""
    found: dict[int, tuple[str, str, Mapping[str, str]]] = {}
    names = [SHOWN_FIELDS.get(field, field) for field in FIELDS if field != "service"]
    records = UsageDataRecord.objects.filter(usage_import=usage_import)
    fields = ["service", *(field for field in FIELDS if field != "service")]
    for line_number, *values in records.values_list("line_number", SHOWN_FIELDS["service"], *names):
        shown = {field: as_text(value) for field, value in zip(fields, values, strict=True)}
        found[line_number] = ("accepted", "", {field: text for field, text in shown.items() if text})
    for line in QuarantinedLine.objects.filter(usage_import=usage_import):
        found[line.line_number] = ("quarantined", line.detail, {})
    for conflict in UsageConflict.objects.filter(usage_import=usage_import).select_related("record"):
        fields_differing = ", ".join(field for field in FIELDS if field in conflict.differences)
        found[conflict.line_number] = (
            "conflict",
            f"Record {conflict.record.number} is there already and says something else: {fields_differing}.",
            {},
        )
    return found
