"""What dashboards show of billing runs."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.db import connection

from reports.queries.dashboards import Scope

SQL = Path(__file__).parent / "sql" / "dashboards"
# Runs in a picture: the latest, two years of monthly ones.
SHOWN_RUNS = 24


@dataclass(frozen=True, slots=True)
class RunOverTime:
    """A run that was commenced: its accounts by what became of them, and the net of its invoices in one currency."""

    run_id: int
    name: str
    status: str
    invoice_date: date
    commenced_at: datetime
    completed_at: datetime | None
    invoiced: int
    held: int
    failed: int
    amount: Decimal

    @property
    def duration(self) -> timedelta | None:
        """From commenced to completed; None while it is produced."""
        return None if self.completed_at is None else self.completed_at - self.commenced_at


def runs_over_time(scope: Scope, *, limit: int = SHOWN_RUNS) -> list[RunOverTime]:
    """The latest runs by invoice date, oldest first; drafts of them are counted, too."""
    with connection.cursor() as cursor:
        cursor.execute((SQL / "runs.sql").read_text(), {**scope.parameters, "limit": limit})
        return [RunOverTime(*row) for row in cursor.fetchall()]
