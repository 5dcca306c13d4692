"""What recurring charges come to, period by period: written when a run commences, gone again when it is undone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db.backends.utils import CursorWrapper

from billing.models import BillingRun

SQL = Path(__file__).parent / "sql"


def generate_recurring(cursor: CursorWrapper, *, run: BillingRun) -> int:
    """Write the transactions of all periods of recurring charges that the run takes; how many there were.

    Of the customers of its subrun whose cycle has come round. A period falls due on its first day (in advance) or its
    last (in arrears), which is its transaction date: due are those that the run's cutoff rules take. Missed periods
    are made up for. Call it before the run's snapshot is taken, which is to see them.
    """
    due_before = run.cutoff_date
    if run.transaction_cutoff_date is not None:
        due_before = run.transaction_cutoff_date + timedelta(days=1)
    parameters: dict[str, Any] = {"subrun": run.subrun, "cutoff_date": run.cutoff_date, "due_before": due_before}
    cursor.execute((SQL / "recurring.sql").read_text(), parameters)
    return int(cursor.rowcount)


def forget_recurring(cursor: CursorWrapper, *, run: BillingRun) -> int:
    """Delete what `generate_recurring` wrote for a run that is being undone; how many there were.

    Call it while the run has its `commenced_in`, after its drafts gave back what was on them. What another run has on a
    document stays, so does what accounts split off from the run wait for, and a period that a later one follows:
    charges go on where the last period ended, so it would not come again.
    """
    cursor.execute((SQL / "forget_recurring.sql").read_text(), {"run_id": run.pk})
    return int(cursor.rowcount)
