"""Which periods of recurring charges fall due for a run: what commencing writes, and what is asked before it.

There is one statement of what is due (sql/due_recurring.sql); each use of it selects from its `due`.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from billing.models import BillingRun

SQL = Path(__file__).parent / "sql"


def due_recurring_sql(statement: str) -> str:
    """The statement with what is due in the place of `{due}`, behind its WITH."""
    return statement.replace("{due}", (SQL / "due_recurring.sql").read_text())


def due_recurring_parameters(
    run: BillingRun, *, customer_id: int | None = None, only_where_it_decides: bool = False
) -> dict[str, Any]:
    """What that statement asks for: the run's cutoff rules, and one customer or, with None, all that the run takes.

    Or only what decides whether a customer is on the run, or is held: of closed ones, and what has no tax rate.
    """
    due_before = run.cutoff_date
    if run.transaction_cutoff_date is not None:
        due_before = run.transaction_cutoff_date + timedelta(days=1)
    return {
        "subrun": run.subrun,
        "cutoff_date": run.cutoff_date,
        "due_before": due_before,
        "customer_id": customer_id,
        "only_where_it_decides": only_where_it_decides,
    }


def has_due_recurring(*, run: BillingRun, customer_id: int) -> bool:
    """Whether commencing the run would make a transaction of a recurring charge of the customer."""
    with connection.cursor() as cursor:
        statement = due_recurring_sql("WITH {due}\nSELECT EXISTS (SELECT FROM due)")
        cursor.execute(statement, due_recurring_parameters(run, customer_id=customer_id))
        return bool(cursor.fetchone()[0])
