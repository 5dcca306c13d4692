"""Takes files of usage in: the one bulk path that every way in uses.

A file is copied into a staging table and turned into records by a handful of statements, all in one transaction: what
is seen is a finished import or none. Python never loops over rows, and holds one block of the file.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import BinaryIO

from django.db import Error as DatabaseError
from django.db import connection, transaction
from psycopg import errors as pg

from usage.adapters.csv_stream import Block, CsvStream, StreamFault
from usage.choices import ImportState
from usage.engine.layout import LayoutFault, parse_layout
from usage.models import SourceSystem, UsageImport
from usage.operations.errors import ImportRefused
from usage.operations.staging import ImportSql, import_sql

# First key of the advisory locks that imports take; the second is the source system's or the import's id.
SOURCE_LOCK, IMPORT_LOCK = 7_701, 7_702
# An import is given this long from its row to its lock before it may count as interrupted.
GRACE = timedelta(minutes=1)


class _TakenBefore(Exception):
    """The file was imported before: by this import. Ends the transaction of the second one."""

    def __init__(self, first: UsageImport) -> None:
        super().__init__()
        self.first = first


def import_usage(
    *, source_system_id: int, file: BinaryIO, file_name: str, at: datetime, user_id: int | None = None
) -> UsageImport:
    """Take a CSV file of usage in and give back its import with the counts of what became of its rows.

    `file` is read once, block by block, in bounded memory. A file that this source system has sent before (SHA-256)
    changes nothing and gives back its first import. A row that cannot become a record is quarantined with its reason.
    Raises ImportRefused, with a failed import that holds the reason, where the file as a whole is at fault; nothing
    of it is taken then.
    """
    fail_interrupted_imports(at=at)
    # A name that is no UTF-8 came from the file system with its bytes smuggled in, which no text of a database holds.
    file_name = file_name.encode(errors="replace").decode()
    source = SourceSystem.objects.get(pk=source_system_id)
    usage_import = UsageImport.objects.create(
        source_system=source, file_name=file_name[:300], started_at=at, created_by_id=user_id
    )
    try:
        with transaction.atomic():
            _take_in(usage_import, source, file, at)
    except _TakenBefore as taken:
        usage_import.delete()
        return taken.first
    except (StreamFault, LayoutFault) as fault:
        raise _refused(usage_import, f"{file_name}: {fault}.", at) from fault
    except BaseException:
        # A lost connection, a full disk, Ctrl-C: said as a failure if the database can still be told; if not,
        # fail_interrupted_imports does.
        with suppress(DatabaseError):
            _fail(usage_import, f"{file_name}: the import was interrupted, nothing was taken. Send the file again.", at)
        raise
    return usage_import


def fail_interrupted_imports(*, at: datetime) -> int:
    """Mark imports whose process is gone as failed, and give back how many. Nothing of them was taken."""
    count = 0
    for interrupted in UsageImport.objects.filter(state=ImportState.RUNNING, started_at__lt=at - GRACE):
        with transaction.atomic():
            if _try_lock(IMPORT_LOCK, interrupted.pk):
                count += UsageImport.objects.filter(pk=interrupted.pk, state=ImportState.RUNNING).update(
                    state=ImportState.FAILED,
                    error="The import was interrupted, nothing was taken. Send the file again.",
                    finished_at=at,
                )
    return count


def _take_in(usage_import: UsageImport, source: SourceSystem, file: BinaryIO, at: datetime) -> None:
    _lock(IMPORT_LOCK, usage_import.pk)
    stream = CsvStream(file)
    layout = parse_layout(stream.header, source.column_mapping)
    sql = import_sql(
        layout, import_id=usage_import.pk, null_text=source.null_text, first_line=stream.header_line_count + 1
    )
    received = _copy(sql, stream)
    # Imports of one source system follow each other from here on: numbers are unique within it.
    _lock(SOURCE_LOCK, source.pk)
    first = UsageImport.objects.filter(source_system=source, sha256=stream.sha256, state=ImportState.COMPLETED).first()
    if first is not None:
        raise _TakenBefore(first)
    _merge(usage_import, source, sql, received)
    usage_import.sha256, usage_import.byte_count = stream.sha256, stream.byte_count
    usage_import.state, usage_import.finished_at = ImportState.COMPLETED, at
    usage_import.save()


def _copy(sql: ImportSql, stream: CsvStream) -> int:
    """Copy all rows into the staging table and give back how many there are. Raises StreamFault.

    A COPY for each block: what is wrong is found when it is read, not when all is, and the block is still there to say
    in which line.
    """
    received, rows_span_lines = 0, False
    with connection.cursor() as cursor:
        cursor.execute(sql.create_staging)
        for block in stream.blocks():
            try:
                with cursor.copy(sql.copy) as copy:
                    copy.write(block.rows)
            except (pg.DataError, pg.ProgramLimitExceeded) as error:
                raise StreamFault(_copy_fault(error, block, len(stream.header))) from error
            received += cursor.rowcount
            rows_span_lines |= cursor.rowcount != block.line_count
        if rows_span_lines:
            cursor.execute(sql.count_lines)
    return received


def _merge(usage_import: UsageImport, source: SourceSystem, sql: ImportSql, received: int) -> None:
    """Turn what was copied into records, pending usage, conflicts and quarantined lines, and count them.

    The session's time zone is the source's while texts become instants.
    """
    parameters = {
        "import_id": usage_import.pk,
        "source_system_id": source.pk,
        "default_usage_type_id": source.default_usage_type_id,
        "user_id": usage_import.created_by_id,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [source.timezone])
        cursor.execute("SELECT set_config('work_mem', '64MB', true)")
        cursor.execute(sql.parse, parameters)
        if cursor.rowcount != received:
            cursor.execute(sql.drop_second_matches)
        cursor.execute(sql.insert_records, parameters)
        (accepted,) = cursor.fetchone()
        cursor.execute(sql.quarantine, parameters)
        quarantined = cursor.rowcount
        duplicates = conflicts = 0
        if accepted + quarantined < received:
            cursor.execute(sql.repeated, parameters)
            duplicates, conflicts = cursor.fetchone()
        cursor.execute(sql.drop)
        cursor.execute("SELECT set_config('TimeZone', 'UTC', true)")
    usage_import.received_count, usage_import.accepted_count = received, accepted
    usage_import.duplicate_count, usage_import.conflict_count = duplicates, conflicts
    usage_import.quarantined_count = quarantined


def _lock(key: int, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [key, number])


def _try_lock(key: int, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [key, number])
        return bool(cursor.fetchone()[0])


def _copy_fault(error: pg.Error, block: Block, column_count: int) -> str:
    """What PostgreSQL's COPY found wrong with a block, with the line, in words."""
    fault = block.fault(column_count)
    if fault is not None:
        return fault
    message = error.diag.message_primary or str(error)
    if isinstance(error, pg.ProgramLimitExceeded):
        line = block.widest_row_line()
        return f"line {line}: the texts of its {column_count} columns are too long to be held side by side ({message})"
    return f"lines {block.first_line:,} to {block.first_line + block.line_count - 1:,}: {message}"


def _refused(usage_import: UsageImport, message: str, at: datetime) -> ImportRefused:
    _fail(usage_import, message, at)
    return ImportRefused(message, usage_import)


def _fail(usage_import: UsageImport, message: str, at: datetime) -> None:
    usage_import.state, usage_import.error, usage_import.finished_at = ImportState.FAILED, message, at
    UsageImport.objects.filter(pk=usage_import.pk).update(state=ImportState.FAILED, error=message, finished_at=at)
