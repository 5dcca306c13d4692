"""Imports whose process is gone: stored files wait for another worker, others failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from usage.choices import ImportState
from usage.models import UsageImport, UsageImportBlock

# First key of the advisory locks of imports under way; the second is the import's id.
IMPORT_LOCK = 7_702
# An import is given this long from its row to its lock before it may count as interrupted.
GRACE = timedelta(minutes=1)
# A file whose workers died so often is not tried again by itself.
MOST_TRIES = 5


def recover_interrupted_imports(*, at: datetime) -> int:
    """Put stored files whose worker is gone back in the queue, and mark other interrupted imports as failed.

    Gives back how many there were. Nothing of them was taken: an import is one transaction.
    """
    stored = Exists(UsageImportBlock.objects.filter(usage_import=OuterRef("pk")))
    count = 0
    for interrupted in UsageImport.objects.filter(state=ImportState.RUNNING).annotate(is_stored=stored):
        if not interrupted.is_stored and interrupted.started_at >= at - GRACE:
            continue
        with transaction.atomic():
            if _try_lock(interrupted.pk):
                count += _recover(interrupted, at, is_stored=interrupted.is_stored)
    return count


@contextmanager
def import_claimed(import_id: int) -> Iterator[bool]:
    """Hold an import's lock for longer than a transaction; whether nobody else has it. A dead process gives it back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [IMPORT_LOCK, import_id])
        is_mine = bool(cursor.fetchone()[0])
        try:
            yield is_mine
        finally:
            if is_mine and connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [IMPORT_LOCK, import_id])


def _recover(interrupted: UsageImport, at: datetime, *, is_stored: bool) -> int:
    rows = UsageImport.objects.filter(pk=interrupted.pk, state=ImportState.RUNNING)
    if is_stored and interrupted.try_count < MOST_TRIES:
        return rows.update(state=ImportState.QUEUED)
    if is_stored:
        # The file stays: it was acknowledged.
        error = f"Its worker ended {interrupted.try_count} times before it was done. {interrupted.error}".strip()
        error += " Look at the workers' log, then open it again here."
    else:
        error = "The import was interrupted, nothing was taken. Send the file again."
    return rows.update(state=ImportState.FAILED, error=error, finished_at=at)


def _try_lock(import_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [IMPORT_LOCK, import_id])
        return bool(cursor.fetchone()[0])
