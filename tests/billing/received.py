"""Usage as it was received, in a line each, and what a check says of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from billing.engine.completeness import DayFigures
from billing.queries.completeness import day_figures, scope_of_days
from tests.factories import (
    QuarantinedLineFactory,
    SourceSystemFactory,
    UsageConflictFactory,
    UsageDataRecordFactory,
    UsageImportFactory,
)
from usage.models import SourceSystem, UsageDataRecord, UsageImport

AT = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
DAY = date(2026, 2, 1)


def file_of(
    records: int = 0, *, duplicates: int = 0, conflicts: int = 0, quarantined: int = 0, **fields: Any
) -> UsageImport:
    """A completed import of 1 February 2026, 03:00, with its records (60 each), conflicts and quarantined lines."""
    made = UsageImportFactory(
        received_count=records + duplicates + conflicts + quarantined,
        accepted_count=records,
        duplicate_count=duplicates,
        conflict_count=conflicts,
        quarantined_count=quarantined,
        **fields,
    )
    for _ in range(records):
        recorded(made)
    for _ in range(conflicts):
        UsageConflictFactory(usage_import=made, record=UsageDataRecord.objects.order_by("id").first())
    for _ in range(quarantined):
        QuarantinedLineFactory(usage_import=made)
    return made


def noted(records: int) -> UsageImport:
    """A completed import of 1 February 2026 that noted so many accepted records; none of them is there yet."""
    return UsageImportFactory(received_count=records, accepted_count=records)


def recorded(usage_import: UsageImport, **fields: Any) -> UsageDataRecord:
    """A record of an import; it does not change what the import noted."""
    return UsageDataRecordFactory(usage_import=usage_import, source_system=usage_import.source_system, **fields)


def single(*, at: datetime = datetime(2026, 2, 1, 12, 0, tzinfo=UTC), **fields: Any) -> UsageDataRecord:
    """A record that came by itself."""
    return UsageDataRecordFactory(created_at=at, **fields)


def figures(day: date = DAY, *, to_day: date | None = None) -> list[DayFigures]:
    return list(day_figures(scope_of_days(from_day=day, to_day=to_day or day), at=AT))


def shares(found: DayFigures) -> dict[str, tuple[int, Decimal]]:
    """Where the records are, by count and by quantity."""
    return {
        "records": (found.record_count, found.record_quantity),
        "pending": (found.pending_count, found.pending_quantity),
        "charged": (found.charged_count, found.charged_quantity),
        "excluded": (found.excluded_count, found.excluded_quantity),
    }


def differences() -> list[str]:
    """What does not add up on 1 February 2026."""
    (found,) = figures()
    assert found.balances == (not found.differences)
    return found.differences


def faults() -> list[tuple[str, str]]:
    """Number and fault of the misplaced records of 1 February 2026."""
    (found,) = figures()
    return [(record.number, record.fault) for record in found.misplaced]


@contextmanager
def behind_its_back() -> Iterator[Any]:
    """A cursor whose statements no trigger and no foreign key sees: what a restored dump or a superuser could do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def switch(name: str = "Switch", **fields: Any) -> SourceSystem:
    return SourceSystemFactory(name=name, **fields)
