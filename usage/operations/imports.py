"""Takes files of usage in: the one bulk path that every way in uses.

A file is copied into a staging table and turned into records by a handful of statements, all in one transaction: what
is seen is a finished import or none. Python never loops over rows, and holds one block of the file.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db import Error as DatabaseError
from django.db import connection, transaction

from catalog.adapters.csv_stream import StreamFault
from catalog.choices import FileFormat
from catalog.operations.copying import copy_block
from catalog.queries.keyset import estimated_rows
from usage.choices import Channel, ImportState
from usage.engine.date_format import DateFormatFault
from usage.engine.layout import LayoutFault
from usage.engine.progress import ImportProgress, OnProgress
from usage.models import SourceSystem, UsageImport
from usage.operations.errors import ImportRefused
from usage.operations.interrupted import IMPORT_LOCK, recover_interrupted_imports
from usage.operations.merge import Counts, merge, parameters_of, prepare_session, reading_of, reset_session
from usage.operations.rows import Rows, open_rows
from usage.operations.staging import ImportSql, import_sql

# Key of the advisory locks by which imports of one source system follow each other; the second key is its id.
SOURCE_LOCK = 7_701
INTERRUPTED = "the import was interrupted, nothing was taken"
# Fewer records do not make a plan bad.
MANY = 10_000
# What billing joins and chooses by.
PLANNED_BY = "id, customer_id, product_id, billing_directive, life_cycle_state, billing_effective_date"
FILE_FAULTS = (StreamFault, LayoutFault, DateFormatFault)


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on: told how far the import is, and asked before it is kept whether the file is still the same."""

    on_progress: OnProgress | None = None
    is_unchanged: Callable[[], bool] | None = None

    def tell(self, phase: str, byte_count: int, counts: Counts) -> None:
        """Say how far the import is."""
        if self.on_progress is not None:
            done = (counts.received, counts.accepted, counts.duplicates, counts.conflicts, counts.quarantined)
            self.on_progress(ImportProgress(phase, byte_count, *done))


class TakenBefore(Exception):
    """The file was imported before: by this import. Ends the transaction of the second one."""

    def __init__(self, first: UsageImport) -> None:
        super().__init__()
        self.first = first


def import_usage(
    *,
    source_system_id: int,
    file: BinaryIO,
    file_name: str,
    at: datetime,
    user_id: int | None = None,
    channel: Channel = Channel.API,
    file_format: FileFormat | None = None,
    on_progress: OnProgress | None = None,
    is_unchanged: Callable[[], bool] | None = None,
) -> UsageImport:
    """Take a file of usage in and give back its import with the counts of what became of its rows.

    `file` is CSV, JSON lines or a workbook, gzipped or not; it is read once, block by block, in bounded memory. A file
    that this source system has sent before (SHA-256) changes nothing and gives back its first import. A row that cannot
    become a record is quarantined with its reason. `on_progress` hears how far it is; `is_unchanged` is asked before
    anything is kept. Raises ImportRefused, with a failed import that holds the reason, where the file as a whole is at
    fault; nothing of it is taken then.
    """
    recover_interrupted_imports(at=at)
    source = SourceSystem.objects.get(pk=source_system_id)
    usage_import = UsageImport.objects.create(
        source_system=source,
        file_name=shown_name(file_name),
        channel=channel,
        started_at=at,
        created_by_id=user_id,
        delimiter=source.delimiter,
    )
    watch = Watch(on_progress, is_unchanged)
    try:
        rows = open_rows(source, file, file_name=file_name, file_format=file_format)
        with transaction.atomic():
            lock(IMPORT_LOCK, usage_import.pk)
            take_in(usage_import, source, rows, at, watch)
    except TakenBefore as taken:
        usage_import.delete()
        return taken.first
    except FILE_FAULTS as fault:
        raise refused(usage_import, fault, at) from fault
    except BaseException:
        # A lost connection, a full disk, Ctrl-C: said as a failure if the database can still be told; if not,
        # recover_interrupted_imports does.
        with suppress(DatabaseError):
            fail(usage_import, f"{usage_import.file_name}: {INTERRUPTED}. Send the file again.", at)
        raise
    return usage_import


def shown_name(file_name: str) -> str:
    """The name without what no text of a database holds.

    A name that is no UTF-8 came from the file system with its bytes smuggled in.
    """
    return file_name.encode(errors="replace").decode().replace("\0", "?")[:300]


def take_in(usage_import: UsageImport, source: SourceSystem, rows: Rows, at: datetime, watch: Watch) -> None:
    """Turn the rows of a file into records, inside the caller's transaction. Raises TakenBefore and file faults."""
    usage_import.file_format, usage_import.columns = rows.file_format, list(rows.columns)
    usage_import.delimiter = rows.delimiter
    reading = reading_of(source, usage_import)
    sql = import_sql(reading, import_id=usage_import.pk, first_line=rows.first_line)
    received = _copy(sql, rows, watch)
    # Imports of one source system follow each other from here on: numbers are unique within it.
    lock(SOURCE_LOCK, source.pk)
    first = UsageImport.objects.filter(source_system=source, sha256=rows.sha256, state=ImportState.COMPLETED).first()
    if first is not None:
        raise TakenBefore(first)
    with connection.cursor() as cursor:
        prepare_session(cursor, source)
        counts = merge(
            cursor,
            sql,
            parameters_of(usage_import, source),
            received,
            on_part=lambda done: watch.tell("writing", rows.byte_count, done),
        )
        cursor.execute(sql.drop_staging)
        reset_session(cursor)
    if watch.is_unchanged is not None and not watch.is_unchanged():
        raise StreamFault("it was changed while it was read. Nothing was taken")
    _complete(usage_import, rows, counts, at)
    _tell_planner(counts.accepted)


def _tell_planner(accepted: int) -> None:
    """Have tables looked at that have more than doubled: what comes next, a run maybe, is planned for their size."""
    if accepted < MANY or accepted <= estimated_rows("usage_data_record"):
        return
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE (SKIP_LOCKED) usage_data_record ({PLANNED_BY}), pending_usage")


def _complete(usage_import: UsageImport, rows: Rows, counts: Counts, at: datetime) -> None:
    usage_import.received_count, usage_import.accepted_count = counts.received, counts.accepted
    usage_import.duplicate_count, usage_import.conflict_count = counts.duplicates, counts.conflicts
    usage_import.quarantined_count, usage_import.late_count = counts.quarantined, counts.late
    usage_import.sha256, usage_import.byte_count = rows.sha256, rows.byte_count
    usage_import.state, usage_import.finished_at, usage_import.error = ImportState.COMPLETED, at, ""
    usage_import.save()


def _copy(sql: ImportSql, rows: Rows, watch: Watch) -> int:
    """Copy all rows into the staging table and give back how many there are. Raises StreamFault."""
    received, rows_span_lines = 0, False
    with connection.cursor() as cursor:
        cursor.execute(sql.create_staging)
        for block in rows.blocks():
            copied = copy_block(sql.copy, block, len(rows.columns))
            rows_span_lines |= copied != block.line_count
            received += copied
            watch.tell("reading", rows.byte_count, Counts(received=received))
        if sql.spread:
            # Several processes would mix the lines.
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
            cursor.execute(sql.spread, {})
            return int(cursor.rowcount)
        if rows_span_lines:
            cursor.execute(sql.count_lines, {})
    return received


def lock(key: int, number: int) -> None:
    """Wait for an advisory lock that the transaction keeps to its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [key, number])


def refused(usage_import: UsageImport, fault: Exception, at: datetime) -> ImportRefused:
    """Note that a file is at fault as a whole, and give back what is to be raised."""
    message = f"{usage_import.file_name}: {fault}."
    fail(usage_import, message, at)
    return ImportRefused(message, usage_import)


def fail(usage_import: UsageImport, message: str, at: datetime) -> None:
    """Note that an import failed, and why."""
    usage_import.state, usage_import.error, usage_import.finished_at = ImportState.FAILED, message, at
    UsageImport.objects.filter(pk=usage_import.pk).update(state=ImportState.FAILED, error=message, finished_at=at)
