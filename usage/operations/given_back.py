"""Usage whose charges were taken back is billed anew: each record is cancelled and has a successor, as it was."""

from datetime import datetime
from pathlib import Path

from django.db.backends.utils import CursorWrapper

from usage.models import UsageDataRecord
from usage.operations.record_values import TAKEN_OVER

SQL = Path(__file__).parent / "sql"


def give_usage_back(cursor: CursorWrapper, *, at: datetime, user_id: int | None, reason: str) -> int:
    """Cancel the records in the temporary table `given_back` (record_id), and let successors that say the same wait.

    Inside the caller's transaction, which has locked the records, and taken their charges back. Gives back how many
    there were. Set by set, however many records there are.
    """
    columns = [str(field.column) for field in UsageDataRecord._meta.concrete_fields if field.name in TAKEN_OVER]
    statements = (SQL / "give_back.sql").read_text()
    statements = statements.format(copied=", ".join(columns), taken=", ".join(f"r.{column}" for column in columns))
    cursor.execute(statements, {"at": at, "user_id": user_id, "reason": reason})
    given_back = int(cursor.rowcount)
    cursor.execute("DROP TABLE successor")
    return given_back
