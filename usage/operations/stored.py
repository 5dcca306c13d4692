"""Files that are kept first and taken in by a worker later: what was acknowledged is in the database."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import BinaryIO, cast

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction

from catalog.adapters.csv_stream import StreamFault
from catalog.adapters.incoming import opened
from catalog.choices import FileFormat
from usage.adapters.stored_file import BLOCK_BYTES, StoredFile, blocks_of
from usage.choices import Channel, ImportState
from usage.engine.progress import OnProgress
from usage.models import SourceSystem, UsageImport, UsageImportBlock
from usage.operations.errors import ImportConflict
from usage.operations.imports import FILE_FAULTS, TakenBefore, Watch, fail, lock, refused, shown_name, take_in
from usage.operations.interrupted import import_claimed
from usage.operations.rows import open_rows

# Key of the advisory locks under which the same file is looked for; the second key is the source system's id.
RECEIVE_LOCK = 7_703
TAKEN_OR_WAITING = (ImportState.QUEUED, ImportState.RUNNING, ImportState.COMPLETED)


def receive_file(
    *,
    source_system_id: int,
    file: BinaryIO,
    file_name: str,
    at: datetime,
    channel: Channel,
    is_queued: bool,
    user_id: int | None = None,
    file_format: FileFormat | None = None,
) -> UsageImport:
    """Keep a file, to be taken in by a worker: at once where it `is_queued`, else when `queue_import` says so.

    The content is kept as it comes, gzip taken off, a block at a time. A file that the source system has sent before
    gives back its first import. Raises ImportRefused, with a failed import, where the file cannot be read to its end.
    """
    usage_import = UsageImport(
        source_system=SourceSystem.objects.get(pk=source_system_id),
        file_name=shown_name(file_name),
        channel=channel,
        started_at=at,
        created_by_id=user_id,
        state=ImportState.QUEUED if is_queued else ImportState.UPLOADED,
    )
    usage_import.delimiter = usage_import.source_system.delimiter
    try:
        with transaction.atomic():
            usage_import.save()
            _keep(usage_import, file, file_name, file_format)
            first = _same_file(usage_import)
            if first is not None:
                transaction.set_rollback(True)
                return first
    except StreamFault as fault:
        usage_import.pk = None
        usage_import.save(force_insert=True)
        raise refused(usage_import, fault, at) from fault
    return usage_import


@transaction.atomic
def queue_import(*, import_id: int) -> UsageImport:
    """Let a worker take in an uploaded file. Raises ImportConflict where it is not waiting for that."""
    usage_import = _locked(import_id)
    _require(usage_import, ImportState.UPLOADED, "started")
    first = _same_file(usage_import)
    if first is not None:
        raise ImportConflict(f"The same file is import {first.pk} already. Discard this one.")
    usage_import.state = ImportState.QUEUED
    usage_import.save(update_fields=["state"])
    return usage_import


@transaction.atomic
def reopen_import(*, import_id: int) -> UsageImport:
    """Put a stored file that failed back to where it is looked at and started. Raises ImportConflict for any other."""
    usage_import = _locked(import_id)
    _require(usage_import, ImportState.FAILED, "opened again")
    if not usage_import.blocks.exists():
        raise ImportConflict(f"The file of import {import_id} is not kept here: send it again.")
    usage_import.state, usage_import.error, usage_import.finished_at = ImportState.UPLOADED, "", None
    usage_import.try_count = 0
    usage_import.save(update_fields=["state", "error", "finished_at", "try_count"])
    return usage_import


@transaction.atomic
def discard_import(*, import_id: int, at: datetime) -> UsageImport:
    """Give up an uploaded file, or one that failed and is kept. Raises ImportConflict for any other."""
    usage_import = _locked(import_id)
    if not (usage_import.state == ImportState.FAILED and usage_import.blocks.exists()):
        _require(usage_import, ImportState.UPLOADED, "discarded")
    usage_import.blocks.all().delete()
    fail(usage_import, f"{usage_import.error} It was discarded before any of it was taken.".strip(), at)
    return usage_import


def take_in_stored(*, import_id: int, at: datetime, on_progress: OnProgress | None = None) -> UsageImport | None:
    """Take in a file that is queued, and give back its import; None where there is nothing to do, or another is at it.

    A fault of the file is noted at the import and not raised; the file is kept, to be opened again or discarded. Safe
    to call any number of times, from anywhere.
    """
    with import_claimed(import_id) as is_mine:
        if not is_mine:
            return None
        usage_import = _taken_up(import_id)
        if usage_import is None:
            return None
        source = usage_import.source_system
        try:
            file = cast("BinaryIO", io.BufferedReader(StoredFile(import_id), buffer_size=BLOCK_BYTES))
            rows = open_rows(
                source, file, file_name=usage_import.file_name, file_format=FileFormat(usage_import.file_format)
            )
            with transaction.atomic():
                take_in(usage_import, source, rows, at, Watch(on_progress))
                usage_import.blocks.all().delete()
        except TakenBefore as taken:
            _end(usage_import, f"The same file is import {taken.first.pk}: nothing was taken twice.", at)
        except FILE_FAULTS as fault:
            # The file stays, to be opened again: its fault may be one of the mapping.
            fail(usage_import, f"{usage_import.file_name}: {fault}.", at)
        except DatabaseError as error:
            with suppress(DatabaseError):
                UsageImport.objects.filter(pk=import_id).update(error=f"Try {usage_import.try_count}: {error}")
            raise
        return usage_import


def _keep(usage_import: UsageImport, file: BinaryIO, file_name: str, file_format: FileFormat | None) -> None:
    incoming = opened(file, file_name=file_name, largest_bytes=settings.USAGE_IMPORT_LARGEST_BYTES)
    digest, byte_count = hashlib.sha256(), 0

    def parts() -> Iterator[bytes]:
        nonlocal byte_count
        while part := incoming.stream.read(BLOCK_BYTES):
            digest.update(part)
            byte_count += len(part)
            yield part

    for number, data in enumerate(blocks_of(parts()), 1):
        UsageImportBlock.objects.create(usage_import=usage_import, number=number, data=data)
    if not byte_count:
        raise StreamFault("it is empty")
    usage_import.sha256, usage_import.byte_count = digest.hexdigest(), byte_count
    usage_import.file_format = file_format or incoming.file_format
    usage_import.save()


def _same_file(usage_import: UsageImport) -> UsageImport | None:
    lock(RECEIVE_LOCK, usage_import.source_system_id)
    same = UsageImport.objects.filter(
        source_system_id=usage_import.source_system_id, sha256=usage_import.sha256, state__in=TAKEN_OR_WAITING
    )
    return same.exclude(pk=usage_import.pk).order_by("id").first()


@transaction.atomic
def _taken_up(import_id: int) -> UsageImport | None:
    usage_import = _locked(import_id)
    if usage_import.state != ImportState.QUEUED:
        return None
    usage_import.state = ImportState.RUNNING
    usage_import.try_count += 1
    usage_import.save(update_fields=["state", "try_count"])
    return usage_import


@transaction.atomic
def _end(usage_import: UsageImport, message: str, at: datetime) -> None:
    usage_import.blocks.all().delete()
    fail(usage_import, message, at)


def _locked(import_id: int) -> UsageImport:
    rows = UsageImport.objects.select_related("source_system").select_for_update(of=("self",))
    return rows.get(pk=import_id)


def _require(usage_import: UsageImport, state: ImportState, verb: str) -> None:
    if usage_import.state != state:
        raise ImportConflict(
            f"Import {usage_import.pk} is {usage_import.get_state_display().lower()}: it cannot be {verb} any more."
        )
