"""Celery's part of invoicing: it wakes workers up. The rows are the queue; a message that is lost costs time only."""

import logging
import time

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from invoicing.operations.deliveries import deliver_next, give_up_sending
from invoicing.operations.rendering import render_next, waiting_renderings

# The sweeper comes round this often (config.settings) and its messages live no longer, so that they never pile up.
SWEEP_SECONDS = 15
# So many mails one after the other, so that a task stays short.
MAILS_AT_ONCE = 20
# And so many seconds of PDFs.
RENDERING_SECONDS = 10
# The most workers that are woken at a time.
RENDERERS_WOKEN = 32

logger = logging.getLogger(__name__)


@shared_task(name="invoicing.deliver")
def deliver() -> int:
    """Deliver the next documents that are due, and have another worker go on where there are more; how many."""
    count = 0
    while count < MAILS_AT_ONCE:
        if not deliver_next(now=timezone.now):
            return count
        count += 1
    wake_deliverer()
    return count


@shared_task(name="invoicing.sweep_deliveries")
def sweep_deliveries() -> None:
    """Call uncertain what lost its worker, and deliver what is due."""
    give_up_sending(at=timezone.now())
    wake_deliverer()


def wake_deliverer() -> None:
    """Send a message that documents are to be delivered. A broker that is away is no fault: the sweeper comes round."""
    try:
        deliver.apply_async(expires=SWEEP_SECONDS, retry=False)
    except OperationalError:
        logger.warning("The broker is away; documents are delivered when it is back.")


@shared_task(name="invoicing.render")
def render() -> int:
    """Make the PDFs of documents that wait for them, and have another worker go on where there are more; how many."""
    end = time.monotonic() + RENDERING_SECONDS
    count = 0
    while time.monotonic() < end:
        if not render_next(now=timezone.now):
            return count
        count += 1
    wake_renderers()
    return count


@shared_task(name="invoicing.sweep_renderings")
def sweep_renderings() -> None:
    """Make the PDFs that lost their message or their worker, and those that are to be tried again."""
    wake_renderers(waiting_renderings(at=timezone.now()))


def wake_renderers(count: int = 1) -> None:
    """Send a message for each worker that can help. A broker that is away is no fault: the sweeper comes round."""
    try:
        for _ in range(min(count, RENDERERS_WOKEN)):
            render.apply_async(expires=SWEEP_SECONDS, retry=False)
    except OperationalError:
        logger.warning("The broker is away; PDFs are made when it is back.")
