"""Pages of large tables, found by key and not by counting, and reads that may not take long."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import Model, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

QUERY_CANCELED = "57014"

Row = TypeVar("Row", bound=Model)


class TookTooLong(Exception):
    """PostgreSQL was stopped: the time that a read may take was over."""


@contextmanager
def time_limit(milliseconds: int) -> Iterator[None]:
    """A transaction, or a part of one, each of whose statements may take so long. Raises `TookTooLong`."""
    setting = "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(setting, [str(milliseconds)])
            (before, _) = cursor.fetchone()
            yield
            # Within a longer transaction a setting outlives the part of it that made it.
            cursor.execute(setting, [before])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != QUERY_CANCELED:
            raise
        raise TookTooLong from error


def estimated_rows(table: str) -> int:
    """PostgreSQL's estimate of a table's rows, from its last VACUUM or ANALYZE; 0 where it has none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", [f'"{table}"'])
        row = cursor.fetchone()
    return max(row[0], 0) if row else 0


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """The order of a list: by these columns, the last of which is the key, all of them upwards or all downwards.

    A place in the list is the values of a row in these columns. An index on them, behind the columns that the list is
    filtered by, leads straight to any place.
    """

    fields: tuple[str, ...]
    is_descending: bool = False

    def sorted(self, rows: QuerySet[Row], *, is_reversed: bool = False) -> QuerySet[Row]:
        """The rows in this order, or from its end."""
        sign = "-" if self.is_descending != is_reversed else ""
        return rows.order_by(*(f"{sign}{field}" for field in self.fields))

    def beyond(self, rows: QuerySet[Row], place: Sequence[Any], *, is_reversed: bool = False) -> QuerySet[Row]:
        """Those of the rows that come after the place, or before it. The row at the place is not among them."""
        is_below = self.is_descending != is_reversed
        if len(self.fields) == 1:
            return rows.filter(**{f"{self.fields[0]}__{'lt' if is_below else 'gt'}": place[0]})
        # Compared as rows, which an index serves also where many rows have the same first value.
        comparison = TupleLessThan if is_below else TupleGreaterThan
        found = rows.filter(comparison(Tuple(*self.fields), tuple(place)))
        # PostgreSQL starts a backward scan at the first of several upper bounds. If that were the end of a range that
        # the list is filtered by, it would walk from there to the place.
        conditions = found.query.where.children
        conditions.insert(0, conditions.pop())
        return found

    def place(self, row: Model) -> tuple[Any, ...]:
        """Where the row stands."""
        return tuple(getattr(row, field) for field in self.fields)


@dataclass(frozen=True, slots=True)
class KeyPage(Generic[Row]):
    """Rows that follow each other in a list, and whether there are others before and after them."""

    rows: list[Row]
    has_previous: bool
    has_next: bool


def first_page(rows: QuerySet[Row], order: KeyOrder, size: int) -> KeyPage[Row]:
    """The first rows of a list."""
    found = list(order.sorted(rows)[: size + 1])
    return KeyPage(found[:size], has_previous=False, has_next=len(found) > size)


def last_page(rows: QuerySet[Row], order: KeyOrder, size: int) -> KeyPage[Row]:
    """The last rows of a list."""
    found = list(order.sorted(rows, is_reversed=True)[: size + 1])
    return KeyPage(found[:size][::-1], has_previous=len(found) > size, has_next=False)


def page_after(rows: QuerySet[Row], order: KeyOrder, place: Sequence[Any], size: int) -> KeyPage[Row]:
    """The rows that follow a place; none where it is the end."""
    found = list(order.sorted(order.beyond(rows, place))[: size + 1])
    return KeyPage(found[:size], has_previous=True, has_next=len(found) > size)


def page_before(rows: QuerySet[Row], order: KeyOrder, place: Sequence[Any], size: int) -> KeyPage[Row]:
    """The rows that lead up to a place; fewer than `size` where it is near the start."""
    behind = order.beyond(rows, place, is_reversed=True)
    found = list(order.sorted(behind, is_reversed=True)[: size + 1])
    return KeyPage(found[:size][::-1], has_previous=len(found) > size, has_next=True)
