"""What recurring charges come to, period by period: written when a run commences, gone again when it is undone."""

from pathlib import Path

from django.db.backends.utils import CursorWrapper

from billing.models import BillingRun
from billing.queries.due_recurring import due_recurring_parameters, due_recurring_sql

SQL = Path(__file__).parent / "sql"


def generate_recurring(
    cursor: CursorWrapper, *, run: BillingRun, customer_id: int | None = None, table: str = "transaction"
) -> int:
    """Write the transactions of all periods of recurring charges that the run takes; how many there were.

    Of the customers of its subrun whose cycle has come round. A period falls due on its first day (in advance) or its
    last (in arrears), which is its transaction date: due are those that the run's cutoff rules take. Missed periods
    are made up for. Call it before the run's snapshot is taken, which is to see them. With `customer_id`, of that
    customer only; into another table of the same columns and indexes where one is named.
    """
    statement = due_recurring_sql((SQL / "recurring.sql").read_text()).replace("{table}", table)
    cursor.execute(statement, due_recurring_parameters(run, customer_id=customer_id))
    return int(cursor.rowcount)


def forget_recurring(cursor: CursorWrapper, *, run: BillingRun) -> int:
    """Delete what `generate_recurring` wrote for a run that is being undone; how many there were.

    Call it while the run has its `commenced_in`, after its drafts gave back what was on them. What another run has on a
    document, or has still to produce, stays; so does what accounts split off from the run wait for, and a period that a
    later one follows: charges go on where the last period ended, so it would not come again.
    """
    cursor.execute((SQL / "forget_recurring.sql").read_text(), {"run_id": run.pk})
    return int(cursor.rowcount)
