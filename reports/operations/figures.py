"""Figures of dashboards, kept by day: posted documents are counted once, whatever becomes of history behind them.

To add up millions of charges whenever somebody looks takes seconds; a posted document never changes, so what it adds to
a day is added once. Where a customer joins or leaves a group, its documents follow. What no invoice has yet changes all
the time: it is counted anew.
"""

from datetime import date, datetime
from pathlib import Path

from django.db import connection, transaction

from reports.models import PendingAge, RevenueDay, UsageDay
from reports.queries.dashboards import AGES
from reports.queries.dashboards import SQL as QUERIES

SQL = Path(__file__).parent / "sql" / "figures"
# Documents of one transaction: with 200 records each, half a minute at most.
AT_ONCE = 5_000


@transaction.atomic
def count_figures(*, at: datetime, limit: int = AT_ONCE) -> int:
    """Count posted documents that are not in the figures yet, and those whose customer changed its groups.

    At most `limit` of each, `at` is noted with them; gives back how many documents there were. 0: all is counted, or
    somebody else is at it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('reports.figures'))")
        if cursor.fetchone() == (False,):
            return 0
        cursor.execute((SQL / "counting.sql").read_text(), {"limit": limit})
        cursor.execute("ANALYZE counting")
        for name in ("revenue", "usage"):
            cursor.execute((SQL / f"{name}.sql").read_text())
        cursor.execute((SQL / "note.sql").read_text(), {"at": at})
        count = int(cursor.rowcount)
        cursor.execute("SELECT EXISTS (SELECT FROM counting WHERE sign < 0)")
        if cursor.fetchone() == (True,):
            RevenueDay.objects.filter(group__isnull=False, line_count=0).delete()
            UsageDay.objects.filter(group__isnull=False, charge_count=0).delete()
        cursor.execute("DROP TABLE counting")
    return count


def count_all_figures(*, at: datetime) -> int:
    """`count_figures` until all is counted; how many documents there were."""
    count = 0
    while counted := count_figures(at=at):
        count += counted
    return count


@transaction.atomic
def count_pending(*, at: datetime, on: date) -> int:
    """Count pending usage anew, by customer and age on `on`; `at` is noted. How many customers and ages there were.

    None of it where somebody else is at it: 0.
    """
    waiting = (QUERIES / "waiting.sql").read_text()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('reports.pending'))")
        if cursor.fetchone() == (False,):
            return 0
        PendingAge.objects.all().delete()
        cursor.execute(
            (SQL / "pending.sql").read_text().replace("{waiting}", waiting),
            {"at": at, "on": on, "starts": list(AGES), "group_id": None},
        )
        return int(cursor.rowcount)
