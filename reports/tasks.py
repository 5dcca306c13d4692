"""Celery's part of reports: it wakes workers up. The rows are the queue; a message that is lost costs time only."""

import logging
import time

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from reports.operations.production import produce_next
from reports.queries.productions import waiting_productions

# The sweeper comes round this often (config.settings) and its messages live no longer, so that they never pile up.
SWEEP_SECONDS = 15
# So many seconds of reports one after the other, so that a task stays short.
PRODUCING_SECONDS = 10
# The most workers that are woken at a time.
WORKERS_WOKEN = 32

logger = logging.getLogger(__name__)


@shared_task(name="reports.produce")
def produce() -> int:
    """Make the usage reports of invoices that wait for them, and have another worker go on where there are more."""
    end = time.monotonic() + PRODUCING_SECONDS
    count = 0
    while time.monotonic() < end:
        if not produce_next(at=timezone.now()):
            return count
        count += 1
    _wake(1)
    return count


@shared_task(name="reports.sweep")
def sweep() -> None:
    """Make what lost its message or its worker."""
    wake_producers()


def wake_producers() -> None:
    """Send a message for each invoice whose reports are due, to a limit. A broker that is away is no fault."""
    _wake(min(waiting_productions(at=timezone.now(), limit=WORKERS_WOKEN), WORKERS_WOKEN))


def _wake(count: int) -> None:
    try:
        for _ in range(count):
            produce.apply_async(expires=SWEEP_SECONDS, retry=False)
    except OperationalError:
        logger.warning("The broker is away; usage reports are made when it is back.")
