"""Celery's part of usage: it wakes workers up. The rows are the queue; a message that is lost costs time only."""

import logging
import time
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from usage.adapters.progress import report_progress
from usage.engine.progress import ImportProgress, OnProgress
from usage.operations.drop_folder import take_in_dropped_files
from usage.operations.interrupted import recover_interrupted_imports
from usage.operations.stored import take_in_stored
from usage.queries.imports import queued_import_ids

# The sweeper comes round this often (config.settings) and its messages live no longer, so that they never pile up.
SWEEP_SECONDS = 15
# A message that no worker took in an hour has long been overtaken by the sweeper's.
WAIT_SECONDS = 3_600
# Progress is noted no more often than people can see.
REPORT_SECONDS = 0.5

logger = logging.getLogger(__name__)


@shared_task(name="usage.take_in")
def take_in(*, import_id: int) -> None:
    """Take in one stored file, if it waits for that."""
    take_in_stored(import_id=import_id, at=timezone.now(), on_progress=reporter(import_id))


@shared_task(name="usage.sweep_imports")
def sweep_imports() -> None:
    """Pick up stored files that lost their message or their worker."""
    recover_interrupted_imports(at=timezone.now())
    for import_id in queued_import_ids():
        wake_importers(import_id=import_id, expires=SWEEP_SECONDS)


@shared_task(name="usage.watch_drop_folders")
def watch_drop_folders() -> None:
    """Take in what was put into drop folders, where this installation has any."""
    if settings.USAGE_DROP_FOLDER:
        take_in_dropped_files(
            root=Path(settings.USAGE_DROP_FOLDER), quiet_seconds=settings.USAGE_DROP_QUIET_SECONDS, now=timezone.now
        )


def wake_importers(*, import_id: int, expires: float = WAIT_SECONDS) -> None:
    """Send a message for a stored file. A broker that is away is no fault: the sweeper comes round."""
    try:
        take_in.apply_async(kwargs={"import_id": import_id}, expires=expires, retry=False)
    except OperationalError:
        logger.warning("The broker is away; import %s is taken in when it is back.", import_id)


def reporter(import_id: int) -> OnProgress:
    """Notes how far an import is, now and then."""
    last = 0.0

    def report(progress: ImportProgress) -> None:
        nonlocal last
        if progress.phase == "writing" or time.monotonic() - last > REPORT_SECONDS:
            last = time.monotonic()
            report_progress(import_id, progress)

    return report
