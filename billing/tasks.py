"""Celery's part of billing: it wakes workers up. The rows are the queue; a message that is lost costs time only."""

import logging
from datetime import date, timedelta

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from billing.operations.completeness import check_completeness as check_completeness_of_days
from billing.operations.production import produce_next_chunk
from billing.operations.runs import complete_run
from billing.operations.schedule_mails import send_schedule_mails
from billing.operations.schedules import run_due_schedules
from billing.queries.runs import commenced_run_ids, waiting_chunk_count

# The sweeper comes round this often (config.settings) and its messages live no longer, so that they never pile up.
SWEEP_SECONDS = 15
# A message that no worker took in an hour has long been overtaken by the sweeper's.
WAIT_SECONDS = 3_600

# How far back the hourly check goes, today included.
CHECKED_DAYS = 35

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


@shared_task(name="billing.run_schedules")
def run_schedules() -> None:
    """Make the runs that are due by schedule, and tell the billing group what went wrong."""
    now = timezone.now()
    for run_id in run_due_schedules(at=now):
        wake_workers(run_id=run_id)
    send_schedule_mails(at=now)


def wake_workers(*, run_id: int, expires: float = WAIT_SECONDS) -> None:
    """Send a message for each waiting chunk of a run. A broker that is away is no fault: the sweeper comes round."""
    try:
        for _ in range(waiting_chunk_count(run_id)):
            produce_chunk.apply_async(kwargs={"run_id": run_id}, expires=expires, retry=False)
    except OperationalError:
        logger.warning("The broker is away; run %s is picked up when it is back.", run_id)


@shared_task(name="billing.check_completeness")
def check_completeness(*, from_day: str = "", to_day: str = "") -> int:
    """Check the days given as ISO dates, else the last 35 (UTC). Gives back how many do not balance."""
    now = timezone.now()
    last = date.fromisoformat(to_day) if to_day else now.date()
    first = date.fromisoformat(from_day) if from_day else last - timedelta(days=CHECKED_DAYS - 1)
    return check_completeness_of_days(from_day=first, to_day=last, at=now)


def queue_check(*, from_day: date, to_day: date) -> bool:
    """Have a worker check these days. False where the broker is away: then the hourly check has to do."""
    try:
        check_completeness.apply_async(
            kwargs={"from_day": from_day.isoformat(), "to_day": to_day.isoformat()}, expires=WAIT_SECONDS, retry=False
        )
    except OperationalError:
        logger.warning("The broker is away; the days from %s to %s were not queued to be checked.", from_day, to_day)
        return False
    return True
