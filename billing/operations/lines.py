"""The lines of documents: what is charged, what credits take off it, and what is added up to a minimum."""

from pathlib import Path
from typing import Any

from django.db.backends.utils import CursorWrapper

SQL = Path(__file__).parent / "sql"
# Locked, so that two documents that are made at once do not both use what is left of one.
CREDITS_THAT_COUNT = """
SELECT count(*) FROM (
  SELECT FROM account_credit c
  WHERE c.customer_id IN (SELECT customer_id FROM account) AND tollbook_seen(c.created_in, %(snapshot)s::pg_snapshot)
    AND c.start_date < %(cutoff_date)s AND (c.end_date IS NULL OR c.end_date >= %(cutoff_date)s)
  ORDER BY c.id {lock}
) c
"""
LOCK = "FOR NO KEY UPDATE"
WITH_A_MINIMUM = "SELECT EXISTS (SELECT FROM account WHERE minimum_rule <> 'skip')"


def make_lines(cursor: CursorWrapper, parameters: dict[str, Any], *, is_kept: bool = True) -> bool:
    """Make the lines of the accounts in `account`, of what is in `rated`, as `produced_line`; whether credits are used.

    `parameters` are those of `billing.operations.production.step_parameters`; their `cutoff_date` is the day after the
    tax point. Also makes `tax_rate_at`. Of what is not kept (`is_kept`) no credit is locked, and nothing is added up to
    a minimum, which is for whole months.
    """
    for step in ("tax_rates", "charged_lines"):
        cursor.execute(_sql(step), parameters)
    cursor.execute(CREDITS_THAT_COUNT.format(lock=LOCK if is_kept else ""), parameters)
    are_credits_used = bool(cursor.fetchone()[0])
    if are_credits_used:
        cursor.execute(_sql("credits"), parameters)
    if is_kept:
        cursor.execute(WITH_A_MINIMUM)
        if cursor.fetchone()[0]:
            cursor.execute(_sql("minimum"), parameters)
    cursor.execute(_sql("lines"), parameters)
    cursor.execute("DROP TABLE charged_line")
    return are_credits_used


def write_credit_uses(cursor: CursorWrapper) -> None:
    """Note how much of each credit the lines in `produced_line` use; they and their documents are written."""
    cursor.execute(_sql("credit_uses"))


def _sql(step: str) -> str:
    return (SQL / f"{step}.sql").read_text()
