"""A run in each of its states, and what the whole database holds."""

from collections.abc import Callable

from django.db import connection

from billing.models import BillingRun
from billing.operations.pausing import pause_run
from billing.operations.runs import cancel_run, commence_run
from tests.runs import AT, new_run, post, produce

# Who changed what and when is kept whatever is undone; what Django keeps for itself is nobody's data.
LEFT_OUT = ("django_", "auth_", "pghistory_")


def pending() -> BillingRun:
    return new_run(name="Run")


def commenced() -> BillingRun:
    return commence_run(run_id=pending().pk, at=AT, without_preflight=True)


def paused() -> BillingRun:
    return pause_run(run_id=commenced().pk, at=AT)


def completed() -> BillingRun:
    return produce(commenced())


def approved() -> BillingRun:
    return post(completed())


def cancelled() -> BillingRun:
    return cancel_run(run_id=pending().pk)


STATES: dict[str, Callable[[], BillingRun]] = {
    "pending": pending,
    "commenced": commenced,
    "paused": paused,
    "completed": completed,
    "approved": approved,
    "cancelled": cancelled,
}


def contents() -> dict[str, list[str]]:
    """All rows of all tables, by table, in no order; the time a run was last changed is left out, and histories are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        tables = [name for (name,) in cursor.fetchall() if not name.startswith(LEFT_OUT) and not name.endswith("event")]
        found = {}
        for table in tables:
            row = "to_jsonb(t) - 'updated_at'" if table == "billing_run" else "to_jsonb(t)"
            cursor.execute(f'SELECT ({row})::text FROM "{table}" t')
            found[table] = sorted(text for (text,) in cursor.fetchall())
    return found


def changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, list[str]]:
    """The rows by table that are there only before (-) or only after (+)."""
    differences = {}
    for table in before.keys() | after.keys():
        old, new = set(before.get(table, ())), set(after.get(table, ()))
        rows = [f"- {row}" for row in sorted(old - new)] + [f"+ {row}" for row in sorted(new - old)]
        if rows:
            differences[table] = rows
    return differences
