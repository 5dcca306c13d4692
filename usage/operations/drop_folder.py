"""Takes in the files that are put into drop folders: each once, by one worker, whoever is killed on the way.

A file at rest is claimed by moving it to `working/`, taken in, and moved to `done/` or `failed/`. While a worker is at
it, it holds an advisory lock of the file's name, which a dead worker gives back: so a file in `working/` without a lock
was left by one, and is taken up again. Had its import been kept, it is found by its SHA-256.
"""

import logging
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Q

from usage.adapters.drop_folder import (
    DONE,
    FAILED,
    WORKING,
    DroppedFile,
    claim,
    files_in,
    make_folders,
    opened_if_quiet,
    put_away,
)
from usage.choices import Channel, ImportState
from usage.models import SourceSystem, UsageImport
from usage.operations.errors import ImportRefused
from usage.operations.imports import INTERRUPTED, import_usage, shown_name
from usage.operations.interrupted import MOST_TRIES

# First key of the advisory locks of files in drop folders; the second is made of the folder and the name.
FILE_LOCK = 7_704

logger = logging.getLogger(__name__)


def take_in_dropped_files(*, root: Path, quiet_seconds: int, now: Callable[[], datetime]) -> list[UsageImport]:
    """Take in what lies at rest in the drop folders below `root`, and give back the imports that were kept.

    What goes wrong with one file or folder is logged and does not keep others from being taken.
    """
    kept: list[UsageImport] = []
    for source in SourceSystem.objects.exclude(drop_folder=""):
        folder = root / source.drop_folder
        try:
            make_folders(folder)
            waiting = [folder / WORKING / name for name in files_in(folder / WORKING)]
            waiting += [folder / name for name in files_in(folder)]
        except OSError as error:
            logger.warning("The drop folder %s cannot be read: %s.", folder, error)
            continue
        for path in waiting:
            done = _take_safely(source, path, quiet_seconds, now)
            kept += [done] if done is not None else []
    return kept


def _take_safely(
    source: SourceSystem, path: Path, quiet_seconds: int, now: Callable[[], datetime]
) -> UsageImport | None:
    try:
        with _locked(source, path.name) as is_mine:
            if is_mine:
                return _take(source, path, quiet_seconds, now)
    except OSError as error:
        logger.warning(
            "%r in the drop folder of %s cannot be taken: %s.", _shown(path), source, error.strerror or error
        )
    except DatabaseError:
        logger.warning("%r in the drop folder of %s is tried again.", _shown(path), source, exc_info=True)
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
    except Exception:
        logger.exception("%r in the drop folder of %s is tried again.", _shown(path), source)
    return None


def _take(source: SourceSystem, path: Path, quiet_seconds: int, now: Callable[[], datetime]) -> UsageImport | None:
    with opened_if_quiet(path, quiet_seconds=quiet_seconds, at=now()) as found:
        if found is None:
            return None
        dropped = found if path.parent.name == WORKING else claim(found)
        if dropped is None or _has_failed_too_often(source, dropped, now()):
            return None
        try:
            done = import_usage(
                source_system_id=source.pk,
                file=dropped.file,
                file_name=path.name,
                at=now(),
                channel=Channel.DROP_FOLDER,
                is_unchanged=dropped.is_unchanged,
            )
        except ImportRefused as refused:
            # One that is written to again has its turn when it is at rest, in `working/` where it is.
            if dropped.is_unchanged():
                _put_in_failed(dropped, refused.usage_import, str(refused))
            return None
        if not dropped.is_unchanged():
            return None
        put_away(dropped, folder=DONE, import_id=done.pk)
        return done


def _has_failed_too_often(source: SourceSystem, dropped: DroppedFile, at: datetime) -> bool:
    """Whether a file kills whoever takes it. It is moved to `failed/` then."""
    interrupted = UsageImport.objects.filter(
        Q(state=ImportState.RUNNING) | Q(state=ImportState.FAILED, error__icontains=INTERRUPTED),
        source_system=source,
        channel=Channel.DROP_FOLDER,
        file_name=shown_name(dropped.path.name),
        started_at__gte=datetime.fromtimestamp(dropped.claimed_at, tz=UTC),
        started_at__lte=at,
    ).order_by("-id")
    if interrupted.count() < MOST_TRIES:
        return False
    reason = f"Its import was interrupted {MOST_TRIES} times. The log of the workers says why. Put it here again then."
    _put_in_failed(dropped, interrupted[0], reason)
    return True


def _put_in_failed(dropped: DroppedFile, usage_import: UsageImport, reason: str) -> None:
    """Move a file to `failed/`, and say at its import where it is."""
    path = put_away(dropped, folder=FAILED, import_id=usage_import.pk, reason=reason)
    where = f"The file is in the drop folder: {'/'.join(path.parts[-3:])}"
    UsageImport.objects.filter(pk=usage_import.pk).update(error=f"{reason} {shown_name(where)}")


def lock_key(source: SourceSystem, name: str) -> int:
    """The second key of the lock of a file's name. Names that share one take turns."""
    return zlib.crc32(f"{source.pk}/{name}".encode(errors="surrogateescape")) - (1 << 31)


@contextmanager
def _locked(source: SourceSystem, name: str) -> Iterator[bool]:
    """Hold the lock of a file's name; whether nobody else has it."""
    key = lock_key(source, name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [FILE_LOCK, key])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [FILE_LOCK, key])


def _shown(path: Path) -> str:
    return shown_name(path.name)
