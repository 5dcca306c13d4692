"""Checks whether every record is accounted for, and notes what was found for pages that cannot wait for it."""

from collections.abc import Iterator
from datetime import date, datetime

from django.db import connection, transaction

from billing.engine.completeness import DayFigures
from billing.models import CompletenessDay, UsageGap
from billing.queries.completeness import day_figures, scope_of_days
from billing.queries.shown_completeness import found_gaps

FIGURES = [
    field.attname for field in CompletenessDay._meta.concrete_fields if field.name not in {"id", "day", "source_system"}
]
# Compiling such statements takes longer than running them; what they sort and hash is as large as a day.
PLANNING = "SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)"


def check_completeness(*, from_day: date, to_day: date, at: datetime) -> int:
    """Count what was received on each of these days, both included, note it, and give back how many do not balance.

    One pass and one transaction for each day, so that neither memory nor snapshots grow with the range. Then gaps are
    looked for, as of `at`. Safe to run at any time, also twice at once.
    """
    unbalanced = sum(_check_day(day, at) for day in _days(from_day, to_day))
    _note_gaps(at)
    return unbalanced


@transaction.atomic
def _check_day(day: date, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(PLANNING)
    figures = day_figures(scope_of_days(from_day=day, to_day=day), at=at)
    CompletenessDay.objects.bulk_create(
        [_row(each) for each in figures],
        update_conflicts=True,
        unique_fields=["day", "source_system"],
        update_fields=FIGURES,
    )
    sent = {each.source_system_id for each in figures}
    CompletenessDay.objects.filter(day=day).exclude(source_system_id__in=sent).delete()
    return sum(not each.balances for each in figures)


@transaction.atomic
def _note_gaps(at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(PLANNING)
    gaps = found_gaps(at=at)
    with connection.cursor() as cursor:
        # Two checks at once would each add what it found; readers are not kept waiting.
        cursor.execute("LOCK TABLE usage_gap IN SHARE ROW EXCLUSIVE MODE")
    UsageGap.objects.all().delete()
    UsageGap.objects.bulk_create(gaps)


def _row(figures: DayFigures) -> CompletenessDay:
    values = {name: getattr(figures, name) for name in FIGURES if name != "misplaced"}
    misplaced = [{"id": record.id, "number": record.number, "fault": record.fault} for record in figures.misplaced]
    return CompletenessDay(day=figures.day, source_system_id=figures.source_system_id, misplaced=misplaced, **values)


def _days(from_day: date, to_day: date) -> Iterator[date]:
    for number in range(from_day.toordinal(), to_day.toordinal() + 1):
        yield date.fromordinal(number)
