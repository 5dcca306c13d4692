"""Schedules make billing runs: for each period one, in order, however often and from wherever this is called."""

import logging
from datetime import date, datetime, timedelta

from django.db import DatabaseError, InterfaceError, transaction

from billing.choices import PreflightVerdict, RunStatus, ScheduleAction
from billing.models import BillingRun, RunSchedule
from billing.operations.errors import CustomersWait, PreflightRefused, RunConflict, RunRefused
from billing.operations.preview import preview_run
from billing.operations.production import is_passing
from billing.operations.runs import commence_run, create_run
from billing.operations.schedule_mails import (
    note_behind,
    note_error,
    note_failed_accounts,
    note_preview,
    note_refused,
)
from billing.queries.schedules import periods

OVER = (RunStatus.COMPLETED, RunStatus.CANCELLED)

logger = logging.getLogger(__name__)


def run_due_schedules(*, at: datetime) -> list[int]:
    """Make the next run of each active schedule that is due; the ids of those that were commenced.

    One period of a schedule at a time, so that after an outage one follows the other; and none while a run before it is
    neither completed nor cancelled, unless the schedule only creates them. A schedule that somebody else is at is
    left to them. What goes wrong is noted for the billing group (`send_schedule_mails`); an error is tried again next
    time. Safe to call at any time, any number of times, from anywhere.
    """
    note_failed_accounts()
    commenced = []
    for schedule in RunSchedule.objects.filter(is_active=True).order_by("id"):
        try:
            run = _make_next_run(schedule.pk, at)
        except Exception as error:
            if isinstance(error, DatabaseError | InterfaceError) and is_passing(error):
                raise
            logger.exception("Schedule %s failed.", schedule.pk)
            note_error(schedule, error, at=at)
            continue
        if run is not None and run.status == RunStatus.COMMENCED:
            commenced.append(run.pk)
    return commenced


def _make_next_run(schedule_id: int, at: datetime) -> BillingRun | None:
    """The run of the next period that is due, made and all that its schedule says; None where there is none to make.

    All of it is one transaction under the schedule's lock: whoever dies in the middle leaves nothing behind.
    """
    with transaction.atomic():
        rows = RunSchedule.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        schedule = rows.filter(pk=schedule_id, is_active=True).select_related("billing_cycle").first()
        if schedule is None:
            return None
        latest = schedule.runs.order_by("-scheduled_for").first()
        due = periods(schedule, latest=latest.scheduled_for if latest else None, at=at).due
        if not due:
            return None
        # Not only the last one: an earlier one may have been undone since, or left pending while others were made.
        unfinished = schedule.runs.exclude(status__in=OVER).order_by("scheduled_for").first()
        if unfinished is not None and schedule.action != ScheduleAction.CREATE:
            note_behind(schedule, due[0], waits_for=unfinished, at=at)
            return None
        try:
            with transaction.atomic():
                return _make_run(schedule, due[0], at)
        except CustomersWait as wait:
            if wait.in_run_id is not None:
                in_the_way = BillingRun.objects.get(pk=wait.in_run_id)
                note_behind(schedule, due[0], waits_for=in_the_way, at=at)
            return None


def _make_run(schedule: RunSchedule, cutoff: date, at: datetime) -> BillingRun:
    """Create the run of a period, and preview or commence it; refused, it stays pending. Raises CustomersWait."""
    run = create_run(
        name=f"{schedule.name} {cutoff}",
        invoice_date=cutoff,
        cutoff_date=cutoff,
        due_date=None if schedule.due_in_days is None else cutoff + timedelta(days=schedule.due_in_days),
        subrun=schedule.billing_cycle.subrun if schedule.billing_cycle else "",
        invoice_message_id=schedule.invoice_message_id,
        schedule_id=schedule.pk,
        scheduled_for=cutoff,
    )
    try:
        with transaction.atomic():
            if schedule.action == ScheduleAction.PREVIEW:
                note_preview(run, preview_run(run_id=run.pk, at=at))
            elif schedule.action == ScheduleAction.COMMENCE:
                return commence_run(run_id=run.pk, at=at, confirmed=schedule.confirmed_warnings)
    except CustomersWait:
        raise
    except (RunRefused, RunConflict) as refusal:
        if isinstance(refusal, PreflightRefused):
            _raise_where_customers_wait(refusal)
        note_refused(schedule, run, refusal)
    return run


def _raise_where_customers_wait(refusal: PreflightRefused) -> None:
    """Raise CustomersWait where that is among what was found: the rest is asked again when it is over."""
    for check in refusal.checks:
        if check.code == "waiting_elsewhere" and check.verdict == PreflightVerdict.BLOCK:
            raise CustomersWait(check.detail, in_run_id=int(dict(check.query)["run__id__exact"])) from refusal
