"""Completeness as pages and the API show it: counted now where that is quick, else as it was last checked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet

from billing.choices import GapKind
from billing.engine.completeness import DayFigures, MisplacedRecord
from billing.models import CompletenessDay, UsageGap
from billing.queries.completeness import Scope, day_figures, scope_of_days
from usage.models import SourceSystem, UsageImport
from usage.queries.gaps import WINDOW, number_holes, silent_hours

Result = TypeVar("Result")

# So many records of imports are counted while somebody waits; records that came one by one may take this long besides.
LIVE_RECORDS = 300_000
LIVE_TIMEOUT_MS = 5_000
QUERY_CANCELED = "57014"
STORED_FIELDS = [
    field.attname
    for field in CompletenessDay._meta.concrete_fields
    if field.name not in {"id", "balances", "misplaced"}
]


@dataclass(frozen=True, slots=True)
class Completeness:
    """The figures of some days, newest first, then by source system's name.

    `as_of` is when they were counted, the oldest of them; None where nothing has been checked yet. `unchecked` are days
    on which files came in that were not checked yet, and are therefore not among `days`.
    """

    from_day: date
    to_day: date
    days: tuple[DayFigures, ...]
    unchecked: tuple[date, ...]
    is_live: bool
    as_of: datetime | None

    @property
    def balances(self) -> bool:
        """Whether all days that were counted balance."""
        return all(day.balances for day in self.days)


@dataclass(frozen=True, slots=True)
class Gaps:
    """What seems not to have come: number holes first, by source system. `as_of` is when it was looked for."""

    found: tuple[UsageGap, ...]
    is_live: bool
    as_of: datetime | None


def shown_completeness(
    *, from_day: date, to_day: date, at: datetime, source_system_id: int | None = None
) -> Completeness:
    """The figures of the days from `from_day` to `to_day`, both included: counted now, or as last checked."""
    scope = scope_of_days(from_day=from_day, to_day=to_day, source_system_id=source_system_id)
    counted = _counted(scope, at)
    if counted is not None:
        return Completeness(from_day, to_day, _by_name(counted), unchecked=(), is_live=True, as_of=at)
    stored = tuple(_figures(row) for row in _stored(scope))
    return Completeness(
        from_day,
        to_day,
        _by_name(stored),
        unchecked=_unchecked(scope, stored),
        is_live=False,
        as_of=min((day.checked_at for day in stored), default=None),
    )


def found_gaps(*, at: datetime, source_system_id: int | None = None) -> list[UsageGap]:
    """Number holes and silent hours, looked for now; the rows are not stored. Reads all numbers of 35 days."""
    holes = [
        UsageGap(
            source_system_id=hole.source_system_id,
            kind=GapKind.NUMBERS,
            first_number=hole.first,
            last_number=hole.last,
            missing_count=hole.missing_count,
            quarantined_count=hole.quarantined_count,
            found_at=at,
        )
        for hole in number_holes(at=at, source_system_id=source_system_id)
    ]
    return holes + found_silence(at=at, source_system_id=source_system_id)


def found_silence(*, at: datetime, source_system_id: int | None = None) -> list[UsageGap]:
    """Silent hours, looked for now; the rows are not stored. Quick, however much usage there is."""
    return [
        UsageGap(
            source_system_id=silence.source_system_id,
            kind=GapKind.SILENT_HOURS,
            starts_at=silence.starts_at,
            ends_at=silence.ends_at,
            missing_count=silence.hour_count,
            found_at=at,
        )
        for silence in silent_hours(at=at)
        if source_system_id in {None, silence.source_system_id}
    ]


def shown_gaps(*, at: datetime, source_system_id: int | None = None) -> Gaps:
    """The gaps: looked for now where that is quick; else silent hours of now, and number holes as last found."""
    window = scope_of_days(from_day=(at - WINDOW).date(), to_day=at.date(), source_system_id=source_system_id)
    if window.record_count <= LIVE_RECORDS:
        gaps = _in_time(lambda: found_gaps(at=at, source_system_id=source_system_id))
        if gaps is not None:
            return Gaps(tuple(gaps), is_live=True, as_of=at)
    holes = list(stored_gaps(source_system_id).filter(kind=GapKind.NUMBERS))
    found = (*holes, *found_silence(at=at, source_system_id=source_system_id))
    return Gaps(found, is_live=False, as_of=min((hole.found_at for hole in holes), default=None))


def stored_gaps(source_system_id: int | None = None) -> QuerySet[UsageGap]:
    """The gaps as they were last looked for."""
    gaps = UsageGap.objects.order_by("kind", "source_system_id", "id")
    return gaps if source_system_id is None else gaps.filter(source_system_id=source_system_id)


def source_systems() -> dict[int, SourceSystem]:
    """All source systems by id, in the order of their names."""
    return {source.pk: source for source in SourceSystem.objects.order_by("name")}


def _counted(scope: Scope, at: datetime) -> tuple[DayFigures, ...] | None:
    """The figures counted now, or None where it is too much for somebody who waits."""
    if scope.record_count > LIVE_RECORDS:
        return None
    return _in_time(lambda: day_figures(scope, at=at))


def _in_time(read: Callable[[], Result]) -> Result | None:
    """What `read` gives, or None where one of its statements takes too long for somebody who waits."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('statement_timeout'), current_setting('jit'),"
                " set_config('statement_timeout', %s, true), set_config('jit', 'off', true)",
                [str(LIVE_TIMEOUT_MS)],
            )
            timeout, jit, *_ = cursor.fetchone()
            result = read()
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true), set_config('jit', %s, true)", [timeout, jit]
            )
            return result
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != QUERY_CANCELED:
            raise
        return None


def _stored(scope: Scope) -> QuerySet[CompletenessDay]:
    rows = CompletenessDay.objects.filter(day__gte=scope.from_day, day__lte=scope.to_day)
    return rows if scope.source_system_id is None else rows.filter(source_system_id=scope.source_system_id)


def _figures(row: CompletenessDay) -> DayFigures:
    values = {name: getattr(row, name) for name in STORED_FIELDS}
    return DayFigures(**values, misplaced=tuple(MisplacedRecord(**record) for record in row.misplaced))


def _unchecked(scope: Scope, stored: tuple[DayFigures, ...]) -> tuple[date, ...]:
    """Days on which files with rows came in and that have no stored figures."""
    imports = UsageImport.objects.filter(
        id__gte=scope.first_import_id or 0, id__lte=scope.last_import_id or 0, received_count__gt=0
    )
    if scope.source_system_id is not None:
        imports = imports.filter(source_system_id=scope.source_system_id)
    checked = {(day.source_system_id, day.day) for day in stored}
    came = {
        (source_id, started_at.astimezone(UTC).date())
        for source_id, started_at in imports.values_list("source_system_id", "started_at")
    }
    return tuple(sorted({day for _, day in came - checked if scope.from_day <= day <= scope.to_day}, reverse=True))


def _by_name(days: tuple[DayFigures, ...]) -> tuple[DayFigures, ...]:
    place = {source_id: place for place, source_id in enumerate(source_systems())}
    return tuple(sorted(days, key=lambda day: (-day.day.toordinal(), place.get(day.source_system_id, 0))))
