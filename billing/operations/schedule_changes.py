"""Schedules of billing runs are made, changed, and deleted while they have made no run."""

from datetime import date
from typing import TypedDict

from django.db import transaction

from billing.models import RunSchedule
from catalog.operations.refusals import CatalogConflict, database_refusals


class RunScheduleValues(TypedDict, total=False):
    """What a schedule says of itself; see `billing.models.RunSchedule`."""

    name: str
    billing_cycle_id: int | None
    months: int
    first_cutoff_date: date
    hour: int
    timezone: str
    due_in_days: int | None
    invoice_message_id: int | None
    action: str
    confirmed_warnings: list[str]
    is_active: bool


@transaction.atomic
def create_schedule(*, values: RunScheduleValues) -> RunSchedule:
    """Make a schedule. Raises CatalogRefused for impossible values, CatalogConflict where its name is taken."""
    schedule = RunSchedule(**values)
    with database_refusals():
        schedule.save()
    return schedule


@transaction.atomic
def update_schedule(*, schedule_id: int, changes: RunScheduleValues) -> RunSchedule:
    """Change what a schedule says of itself; what `changes` does not name stays, and so do the runs that it made.

    Raises as `create_schedule` does.
    """
    schedule = RunSchedule.objects.select_for_update(of=("self",)).get(id=schedule_id)
    for name, value in changes.items():
        setattr(schedule, name, value)
    with database_refusals():
        schedule.save()
    return schedule


@transaction.atomic
def delete_schedule(*, schedule_id: int) -> None:
    """Delete a schedule that has made no run. Raises CatalogConflict where it has."""
    schedule = RunSchedule.objects.select_for_update(of=("self",)).get(id=schedule_id)
    count = schedule.runs.count()
    if count:
        runs = "1 run" if count == 1 else f"{count:,} runs"
        raise CatalogConflict(f"The schedule {schedule.name} has made {runs}: it stays. Switch it off instead.")
    schedule.delete()
