"""Is every record accounted for? Counted from the tables and held against what imports noted.

Days are the days (UTC) on which usage was received: those of an import's start for its records, also for lines that
went in later from its quarantine; the day of its creation for a record without an import, which came by itself or is
the successor of an adjusted one.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from billing.engine.completeness import DayFigures, MisplacedRecord
from catalog.engine.money import exact_sum

SQL = Path(__file__).parent / "sql"
SHOWN_MISPLACED = 20
IMPORTS_OF_DAYS = """
SELECT min(id) AS first_import_id, max(id) AS last_import_id, coalesce(sum(accepted_count), 0)::bigint AS record_count
FROM usage_import
WHERE started_at >= %(from_day)s::date::timestamp AT TIME ZONE 'UTC'
  AND started_at < (%(to_day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
  AND (%(source_system_id)s::bigint IS NULL OR source_system_id = %(source_system_id)s)
"""


@dataclass(frozen=True, slots=True)
class Share:
    """So many records with so much usage, in the unit of their usage types."""

    count: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class UsageBalance:
    """What became of the records of an import: total = pending + charged + excluded, by count and by quantity.

    `misplaced_count` records are in none of the three, or in two: the sums could hide it where one is lost and another
    is counted twice.
    """

    total: Share
    pending: Share
    charged: Share
    excluded: Share
    misplaced_count: int

    @property
    def balances(self) -> bool:
        """Whether nothing is lost and nothing is in two places."""
        parts = (self.pending, self.charged, self.excluded)
        together = Share(sum(part.count for part in parts), exact_sum(part.quantity for part in parts))
        return self.misplaced_count == 0 and self.total == together


def import_balance(import_id: int) -> UsageBalance:
    """The balance of one import's records. Reads all of them."""
    scope: dict[str, Any] = {
        "first_import_id": import_id,
        "last_import_id": import_id,
        "from_day": "-infinity",
        "to_day": "infinity",
        "source_system_id": None,
        "with_singles": False,
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement("import_balance"), scope)
        row = cursor.fetchone()
    total, pending, charged, excluded = (Share(row[n], row[n + 1]) for n in range(0, 8, 2))
    return UsageBalance(total=total, pending=pending, charged=charged, excluded=excluded, misplaced_count=row[8])


@dataclass(frozen=True, slots=True)
class Scope:
    """Days from `from_day` to `to_day`, both included, of one source system or of all, and their imports' ids.

    `record_count` is how many records the imports accepted.
    """

    from_day: date
    to_day: date
    source_system_id: int | None
    first_import_id: int | None
    last_import_id: int | None
    record_count: int

    def parameters(self) -> dict[str, Any]:
        """As the SQL names them."""
        return {
            "from_day": self.from_day,
            "to_day": self.to_day,
            "source_system_id": self.source_system_id,
            "first_import_id": self.first_import_id,
            "last_import_id": self.last_import_id,
            "with_singles": True,
        }


def scope_of_days(*, from_day: date, to_day: date, source_system_id: int | None = None) -> Scope:
    """The imports that started on these days, by their ids: read on its own, so that the planner knows the range."""
    named: dict[str, Any] = {"from_day": from_day, "to_day": to_day, "source_system_id": source_system_id}
    with connection.cursor() as cursor:
        cursor.execute(IMPORTS_OF_DAYS, named)
        return Scope(from_day, to_day, source_system_id, *cursor.fetchone())


def day_figures(scope: Scope, *, at: datetime) -> tuple[DayFigures, ...]:
    """The figures of each day and source system that sent something, newest day first. Reads all records of the days.

    `at` is the time that is noted as when it was counted.
    """
    with connection.cursor() as cursor:
        cursor.execute(_statement("day_figures"), scope.parameters())
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    has_misplaced = any(row["misplaced_count"] for row in rows)
    misplaced = _misplaced(scope) if has_misplaced else {}
    return tuple(
        DayFigures(**row, checked_at=at, misplaced=tuple(misplaced.get((row["source_system_id"], row["day"]), ())))
        for row in rows
    )


def _misplaced(scope: Scope) -> dict[tuple[int, date], list[MisplacedRecord]]:
    """The first misplaced records of each source system and day, by number."""
    found: dict[tuple[int, date], list[MisplacedRecord]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_statement("misplaced"), scope.parameters() | {"shown_count": SHOWN_MISPLACED})
        for source_system_id, day, record_id, number, fault in cursor.fetchall():
            found[source_system_id, day].append(MisplacedRecord(id=record_id, number=number, fault=fault))
    return found


def _statement(name: str) -> str:
    return (SQL / "placed.sql").read_text() + (SQL / f"{name}.sql").read_text()
