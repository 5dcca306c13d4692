"""How the database is emptied after a test on committed data: what the test put there goes, what migrations did stays.

Django truncates all tables, whatever is in them, and makes its content types and permissions anew: half a second, for
some hundred rows. Here the few tables that have rows are emptied, and what migrations had put there is put back as it
was, with its ids. As with Django, sequences go on.
"""

from dataclasses import dataclass

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.errors import DeadlockDetected

# See billing/migrations/0003_prices_laid_out.py: no model names these tables.
LAID_OUT_PRICES = [f"price_{part}" for part in ("window", "list", "page", "terms", "card", "hours", "slot")]
# Deleted rows take room until they are vacuumed: beyond so many bytes the tables are truncated instead.
MOST_BYTES = 4 * 1024 * 1024
# A request of a page that a test left open may hold what this waits for, and wait for what this holds.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Emptying:
    """The tables, as a list for SQL, and the statements that put back what is in them before the first test."""

    tables: str
    refill: str

    def empty(self) -> None:
        """Empty the tables, whatever the database forbids to delete, and put back what migrations had put there.

        Waits for what others have not committed yet, so that it is emptied too; a page that is still open may read on
        meanwhile. Neither triggers nor foreign keys are looked at; the tests themselves meet all of them.
        """
        for left in reversed(range(TRIES)):
            try:
                self._empty()
            except OperationalError as error:
                if not (left and isinstance(error.__cause__, DeadlockDetected)):
                    raise
            else:
                return

    def _empty(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # As strong as need be to wait for all who write.
            cursor.execute(f"LOCK TABLE {self.tables} IN EXCLUSIVE MODE")
            cursor.execute("SET LOCAL session_replication_role = replica")
            used = self._used(cursor)
            if sum(used.values()) > MOST_BYTES:
                cursor.execute(f"TRUNCATE {self.tables}; {self.refill}")
            else:
                cursor.execute(f"{'; '.join(f'DELETE FROM {table}' for table in used)}; {self.refill}")

    def _used(self, cursor: CursorWrapper) -> dict[str, int]:
        """The tables that ever had a row since they were truncated, and how many bytes they take."""
        cursor.execute(
            """
            SELECT quote_ident(relname), pg_table_size(oid) FROM pg_class
            WHERE oid = ANY (%s::regclass[]) AND pg_relation_size(oid) > 0
            """,
            [f"{{{self.tables}}}"],
        )
        return dict(cursor.fetchall())


def emptying() -> Emptying:
    """Note what is in the tables now, when migrations have just made them."""
    names = sorted(connection.introspection.django_table_names(only_existing=True, include_views=False))
    tables = [connection.ops.quote_name(name) for name in [*names, *LAID_OUT_PRICES]]
    with connection.cursor() as cursor:
        return Emptying(tables=", ".join(tables), refill="; ".join(filter(None, (_refill(cursor, t) for t in tables))))


def _refill(cursor: CursorWrapper, table: str) -> str:
    """The statement that puts the rows of a table back; nothing where it has none."""
    cursor.execute(f"SELECT quote_literal(json_agg(t)) FROM {table} t")
    (rows,) = cursor.fetchone()
    return f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, {rows})" if rows else ""
