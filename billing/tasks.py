"""Celery's part of billing: it wakes workers up. The rows are the queue; a message that is lost costs time only."""

import logging
from datetime import date, timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from billing.adapters.month_to_date_cache import give_back, stored
from billing.operations.card_checks import check_rate_cards as check_rate_cards_by_age
from billing.operations.completeness import check_completeness as check_completeness_of_days
from billing.operations.month_to_date import make_month_to_date as price_month_to_date
from billing.operations.month_to_date import month_key
from billing.operations.production import produce_next_chunk
from billing.operations.runs import complete_run
from billing.operations.schedule_mails import send_schedule_mails
from billing.operations.schedules import run_due_schedules
from billing.operations.verifications import give_up_verifications, verify_as_asked
from billing.queries.runs import commenced_run_ids, waiting_chunk_count
from billing.queries.verifications import run_ids_to_verify
from customers.models import Customer
from invoicing.tasks import wake_renderers
from reports.operations.figures import count_all_figures, count_pending
from reports.tasks import wake_producers

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
    give_up_verifications(at=timezone.now())
    for run_id in run_ids_to_verify():
        wake_verifier(run_id=run_id, expires=SWEEP_SECONDS)


@shared_task(name="billing.verify_run")
def verify_run(*, run_id: int) -> bool:
    """Compute the posted invoices of a run again, if it waits for that."""
    return verify_as_asked(run_id=run_id, now=timezone.now)


@shared_task(name="billing.run_schedules")
def run_schedules() -> None:
    """Make the runs that are due by schedule, and tell the billing group what went wrong."""
    now = timezone.now()
    for run_id in run_due_schedules(at=now):
        wake_workers(run_id=run_id)
    send_schedule_mails(at=now)


def wake_for_posted() -> None:
    """Have the PDFs and usage reports of documents made that were just posted; what is sent follows them."""
    wake_renderers()
    wake_producers()


def wake_workers(*, run_id: int, expires: float = WAIT_SECONDS) -> None:
    """Send a message for each waiting chunk of a run. A broker that is away is no fault: the sweeper comes round."""
    try:
        for _ in range(waiting_chunk_count(run_id)):
            produce_chunk.apply_async(kwargs={"run_id": run_id}, expires=expires, retry=False)
    except OperationalError:
        logger.warning("The broker is away; run %s is picked up when it is back.", run_id)


def wake_verifier(*, run_id: int, expires: float = WAIT_SECONDS) -> None:
    """Send a message for a run that is to be verified. A broker that is away is no fault: the sweeper comes round."""
    try:
        verify_run.apply_async(kwargs={"run_id": run_id}, expires=expires, retry=False)
    except OperationalError:
        logger.warning("The broker is away; run %s is verified when it is back.", run_id)


@shared_task(name="billing.make_month_to_date")
def make_month_to_date(*, customer_id: int, claim: str) -> None:
    """Put a customer's month to date into the cache, for who has the claim to make it."""
    now = timezone.now()
    customer = Customer.objects.select_related("billing__billing_cycle").get(pk=customer_id)
    key = month_key(customer, now)
    try:
        if stored(key) is None:
            price_month_to_date(customer=customer, at=now)
    finally:
        give_back(key, claim)


def wake_for_month_to_date(*, customer_id: int, claim: str) -> bool:
    """Send a message for a month to date; whether that was possible: the broker may be away."""
    try:
        make_month_to_date.apply_async(
            kwargs={"customer_id": customer_id, "claim": claim},
            expires=settings.BILLING_MONTH_TO_DATE_CLAIM_SECONDS,
            retry=False,
        )
    except OperationalError:
        logger.warning("The broker is away; the month to date of customer %s is made without it.", customer_id)
        return False
    return True


@shared_task(name="billing.check_completeness")
def check_completeness(*, from_day: str = "", to_day: str = "") -> int:
    """Check the days given as ISO dates, else the last 35 (UTC). Gives back how many do not balance."""
    now = timezone.now()
    last = date.fromisoformat(to_day) if to_day else now.date()
    first = date.fromisoformat(from_day) if from_day else last - timedelta(days=CHECKED_DAYS - 1)
    return check_completeness_of_days(from_day=first, to_day=last, at=now)


@shared_task(name="billing.check_rate_cards")
def check_rate_cards() -> int:
    """Check rate cards for the pre-flight of runs. Gives back how many there was time for."""
    return check_rate_cards_by_age(now=timezone.now)


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


@shared_task(name="billing.count_figures")
def count_figures() -> int:
    """Count posted documents into the figures of dashboards, and pending usage anew. How many documents there were."""
    now = timezone.now()
    count_pending(at=now, on=timezone.localdate(now))
    return count_all_figures(at=now)


def queue_figures() -> bool:
    """Have a worker count them. False where the broker is away: then the next regular count has to do."""
    try:
        count_figures.apply_async(expires=WAIT_SECONDS, retry=False)
    except OperationalError:
        logger.warning("The broker is away; posted documents are counted when it is back.")
        return False
    return True
