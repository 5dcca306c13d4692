"""Celery's part of billing: it wakes workers up. The rows are the queue; a message that is lost costs time only."""

import logging

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from billing.operations.production import produce_next_chunk
from billing.operations.runs import complete_run
from billing.queries.runs import commenced_run_ids, waiting_chunk_count

# The sweeper comes round this often (config.settings) and its messages live no longer, so that they never pile up.
SWEEP_SECONDS = 15
# A message that no worker took in an hour has long been overtaken by the sweeper's.
WAIT_SECONDS = 3_600

logger = logging.getLogger(__name__)


@shared_task(name="billing.produce_chunk")
def produce_chunk(*, run_id: int) -> bool:
    """Produce one waiting chunk of a run, if there is one."""
    return produce_next_chunk(run_id=run_id, at=timezone.now())


@shared_task(name="billing.sweep_runs")
def sweep_runs() -> None:
    """Pick up what lost its message or its worker, and complete runs whose last worker died before it could."""
    for run_id in commenced_run_ids():
        if not complete_run(run_id=run_id, at=timezone.now()):
            wake_workers(run_id=run_id, expires=SWEEP_SECONDS)


def wake_workers(*, run_id: int, expires: float = WAIT_SECONDS) -> None:
    """Send a message for each waiting chunk of a run. A broker that is away is no fault: the sweeper comes round."""
    try:
        for _ in range(waiting_chunk_count(run_id)):
            produce_chunk.apply_async(kwargs={"run_id": run_id}, expires=expires, retry=False)
    except OperationalError:
        logger.warning("The broker is away; run %s is picked up when it is back.", run_id)
