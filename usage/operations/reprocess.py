"""Quarantined lines, corrected or not, are tried again: by the same statements, with the mapping of now."""

import csv
import io
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F, QuerySet

from catalog.adapters.csv_stream import LONGEST_ROW_BYTES
from catalog.choices import FileFormat
from usage.choices import ImportState, QuarantineState
from usage.engine.date_format import DateFormatFault
from usage.engine.layout import LayoutFault
from usage.models import QuarantinedLine, UsageImport
from usage.operations.errors import ImportConflict, LineRefused
from usage.operations.imports import SOURCE_LOCK, lock
from usage.operations.merge import NO_HEADER, Counts, merge, parameters_of, prepare_session, reading_of, reset_session
from usage.operations.staging import import_sql, mark_of

# A line may have a mebibyte.
LINES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Reprocessed:
    """What became of the lines that were tried again: tried = accepted + duplicates + conflicts + quarantined."""

    tried: int
    accepted: int
    duplicates: int
    conflicts: int
    quarantined: int


@transaction.atomic
def correct_line(*, line_id: int, values: Mapping[str, str] | None = None, text: str | None = None) -> QuarantinedLine:
    """Write down what a quarantined line should say; it is read when the line is tried again.

    `values` are texts by column, those of other columns stay; `text` is the whole row as in the file. What it says is
    not judged yet. Raises LineRefused for what is no row of the file, ImportConflict for a line that is not open.
    """
    line = _open_line(line_id)
    if line.usage_import.file_format != FileFormat.NDJSON and not line.usage_import.columns:
        raise LineRefused(f"The line cannot be corrected: {NO_HEADER}.")
    if text is None:
        text = _with_values(line, values or {})
    line.corrected_text = _checked(line.usage_import, text)
    line.save(update_fields=["corrected_text"])
    return line


@transaction.atomic
def dismiss_line(*, line_id: int, note: str, at: datetime, user_id: int | None) -> QuarantinedLine:
    """Decide that a line will never be a record, and why. Raises ImportConflict for a line that is not open."""
    line = _open_line(line_id)
    line.state, line.note, line.decided_at, line.decided_by_id = QuarantineState.DISMISSED, note, at, user_id
    line.save(update_fields=["state", "note", "decided_at", "decided_by"])
    return line


@transaction.atomic
def reprocess_lines(
    *, import_id: int, at: datetime, user_id: int | None, line_ids: Sequence[int] | None = None
) -> Reprocessed:
    """Try open quarantined lines of an import again: all, or those named. The import's counts follow.

    A line that goes in, or turns out to be a duplicate or a conflict, is resolved; others keep the fault that they have
    now. Raises ImportConflict where the import is not completed, or a named line is not an open one of it.
    """
    usage_import = UsageImport.objects.select_related("source_system").get(pk=import_id)
    source = usage_import.source_system
    lock(SOURCE_LOCK, source.pk)
    usage_import = UsageImport.objects.select_for_update().get(pk=import_id)
    if usage_import.state != ImportState.COMPLETED:
        raise ImportConflict(
            f"Import {import_id} is {usage_import.get_state_display().lower()}: only a completed one has lines to try."
        )
    lines = _lines_to_try(import_id, line_ids)
    try:
        reading = reading_of(source, usage_import)
    except (LayoutFault, DateFormatFault) as fault:
        raise ImportConflict(f"The lines cannot be read: {fault}.") from fault
    sql = import_sql(reading, import_id=usage_import.pk, first_line=1)
    with connection.cursor() as cursor:
        prepare_session(cursor, source)
        cursor.execute(sql.create_staging)
        tried = _copy(cursor, lines, sql.copy_numbered, mark=mark_of(reading))
        if sql.spread:
            cursor.execute(sql.spread, {})
        # Those that are faulty again open again.
        lines.update(state=QuarantineState.RESOLVED, decided_at=at, decided_by_id=user_id)
        counts = merge(cursor, sql, parameters_of(usage_import, source) | {"user_id": user_id}, tried)
        cursor.execute(sql.drop_staging)
        reset_session(cursor)
    _count(usage_import, counts)
    return Reprocessed(tried, counts.accepted, counts.duplicates, counts.conflicts, counts.quarantined)


def _open_line(line_id: int) -> QuarantinedLine:
    line = QuarantinedLine.objects.select_for_update(of=("self",)).select_related("usage_import").get(pk=line_id)
    if line.state != QuarantineState.OPEN:
        raise ImportConflict(f"Line {line.line_number} is {line.get_state_display().lower()}: there is nothing to do.")
    return line


def _lines_to_try(import_id: int, line_ids: Sequence[int] | None) -> QuerySet[QuarantinedLine]:
    """The open lines to be tried, locked. Raises ImportConflict for a named one that is not open."""
    lines = QuarantinedLine.objects.filter(usage_import_id=import_id, state=QuarantineState.OPEN)
    if line_ids is not None:
        lines = lines.filter(pk__in=line_ids)
        found = set(lines.select_for_update().values_list("pk", flat=True))
        missing = sorted(set(line_ids) - found)
        if missing:
            raise ImportConflict(f"Import {import_id} has no open quarantined line with the id {missing[0]}.")
        # What is named stays the same while its state changes.
        return QuarantinedLine.objects.filter(pk__in=found)
    # Locked too: none of them is corrected or dismissed between its being read and its being resolved.
    deque(lines.select_for_update().values_list("pk").iterator(), maxlen=0)
    return lines


def _copy(cursor: CursorWrapper, lines: QuerySet[QuarantinedLine], statement: str, *, mark: str) -> int:
    """Copy the lines as they are to be read, each with its number, some at a time; how many there are."""
    texts = lines.order_by("line_number").values_list("line_number", "raw_text", "corrected_text")
    tried, last = 0, -1
    while some := list(texts.filter(line_number__gt=last)[:LINES_AT_ONCE]):
        last = some[-1][0]
        with cursor.copy(statement) as copy:
            copy.write("".join(f"{number}{mark}{corrected or raw}\n" for number, raw, corrected in some))
        tried += len(some)
    return tried


def _count(usage_import: UsageImport, counts: Counts) -> None:
    gone_in = counts.accepted + counts.duplicates + counts.conflicts
    UsageImport.objects.filter(pk=usage_import.pk).update(
        accepted_count=F("accepted_count") + counts.accepted,
        duplicate_count=F("duplicate_count") + counts.duplicates,
        conflict_count=F("conflict_count") + counts.conflicts,
        quarantined_count=F("quarantined_count") - gone_in,
        late_count=F("late_count") + counts.late,
    )


def cells_of(line: QuarantinedLine) -> tuple[str, ...]:
    """The texts of a quarantined line, as corrected, by the columns of its file; of a line of JSON the line.

    Raises LineRefused where one of them is too long to be looked at.
    """
    text = line.corrected_text or line.raw_text
    if line.usage_import.file_format == FileFormat.NDJSON:
        return (text,)
    try:
        # A row of one empty text is an empty line, which is none to Python.
        return tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=line.usage_import.delimiter), [""]))
    except csv.Error as error:
        raise LineRefused(f"The line cannot be shown by columns ({error}).") from error


def _with_values(line: QuarantinedLine, values: Mapping[str, str]) -> str:
    usage_import = line.usage_import
    if usage_import.file_format == FileFormat.NDJSON:
        raise LineRefused("A line of JSON is corrected as a whole: give its text.")
    columns = [str(name) for name in usage_import.columns]
    unknown = sorted(set(values) - set(columns))
    if unknown:
        raise LineRefused(f"The file has no column “{unknown[0]}”. It has: {', '.join(columns)}.")
    cells = [values.get(name, cell) for name, cell in zip(columns, cells_of(line), strict=True)]
    return _as_row(cells, usage_import.delimiter)


def _checked(usage_import: UsageImport, text: str) -> str:
    """The text, if it is one row of the import's file, in the form in which it is copied. Raises LineRefused."""
    text = text.strip("\r\n")
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise LineRefused("The line holds a character that no text can hold.")
    if len(text.encode()) > LONGEST_ROW_BYTES:
        raise LineRefused(f"The line is longer than {LONGEST_ROW_BYTES:,} bytes.")
    if usage_import.file_format == FileFormat.NDJSON:
        return _checked_json(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=usage_import.delimiter, strict=True))
    except csv.Error as error:
        raise LineRefused(f"The line is not CSV ({error}).") from error
    if len(rows) != 1 or len(rows[0]) != len(usage_import.columns):
        given = f"{len(rows[0])} columns" if len(rows) == 1 else f"{len(rows)} rows"
        raise LineRefused(f"The line has {given}; it is one row of {len(usage_import.columns)} columns.")
    return _as_row(rows[0], usage_import.delimiter)


def _checked_json(text: str) -> str:
    try:
        is_object = isinstance(json.loads(text), dict)
    except (ValueError, RecursionError) as error:
        raise LineRefused(f"The line is not JSON ({error}).") from error
    if not is_object:
        raise LineRefused("The line is not a JSON object: { ... }.")
    return text.replace("\r", " ").replace("\n", " ")


def _as_row(cells: Sequence[str], delimiter: str) -> str:
    row = io.StringIO(newline="")
    # What ends a line is put in quotes where it stands in a text.
    csv.writer(row, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return row.getvalue().removesuffix("\r\n")
