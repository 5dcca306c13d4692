"""Reads on schedules of billing runs: what comes next, what went wrong, and who is told."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice, takewhile

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, Max, OuterRef, QuerySet

from billing.choices import AccountOutcome, RunStatus, ScheduleMailKind
from billing.engine.schedules import cutoff_dates, fires_at
from billing.models import BillingRun, RunAccount, RunSchedule, ScheduleMail

# No more missed periods are counted than a century has months.
MOST_COUNTED = 1_200


@dataclass(frozen=True, slots=True)
class Periods:
    """Periods of a schedule that have no run yet, by cutoff date: those that are due, and the one after them."""

    due: tuple[date, ...]
    next_cutoff: date
    next_at: datetime


def schedules_with_latest() -> QuerySet[RunSchedule]:
    """All schedules, each with `latest`, the cutoff date of the last period that has a run."""
    return RunSchedule.objects.annotate(latest=Max("runs__scheduled_for"))


def periods(schedule: RunSchedule, *, latest: date | None, at: datetime) -> Periods:
    """What is due at `at`, and what comes next, of a schedule whose last run is of the period that ends on `latest`."""

    def moment(cutoff: date) -> datetime:
        return fires_at(cutoff, hour=schedule.hour, timezone=schedule.timezone)

    first, months = schedule.first_cutoff_date, schedule.months
    missing = cutoff_dates(first=first, months=months, after=latest)
    due = tuple(islice(takewhile(lambda cutoff: moment(cutoff) <= at, missing), MOST_COUNTED))
    following = next(cutoff_dates(first=first, months=months, after=due[-1] if due else latest))
    return Periods(due=due, next_cutoff=following, next_at=moment(following))


def next_period(schedule: RunSchedule, *, latest: date | None) -> tuple[date, datetime]:
    """The first period without a run, of a schedule whose last run is of the one that ends on `latest`.

    Its cutoff date, and the moment from which on its run can be made: in the past where it is due.
    """
    cutoff = next(cutoff_dates(first=schedule.first_cutoff_date, months=schedule.months, after=latest))
    return cutoff, fires_at(cutoff, hour=schedule.hour, timezone=schedule.timezone)


def completed_with_failures() -> QuerySet[BillingRun]:
    """Completed runs of schedules with accounts that failed, of which the billing group was not told yet."""
    failed = RunAccount.objects.filter(run=OuterRef("pk"), outcome=AccountOutcome.FAILED)
    told = ScheduleMail.objects.filter(
        schedule=OuterRef("schedule"), day=OuterRef("scheduled_for"), kind=ScheduleMailKind.ACCOUNTS_FAILED
    )
    scheduled = BillingRun.objects.filter(schedule__isnull=False, status=RunStatus.COMPLETED)
    return scheduled.filter(Exists(failed), ~Exists(told)).select_related("schedule").order_by("id")


def billing_group_addresses() -> list[str]:
    """The e-mail addresses of those who are told: the active members of the billing group who have one."""
    members = User.objects.filter(groups__name=settings.BILLING_GROUP, is_active=True).exclude(email="")
    return sorted(set(members.values_list("email", flat=True)))
