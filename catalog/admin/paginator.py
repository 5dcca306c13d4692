"""Pages of lists whose tables may be large.

Counting ten million rows to write "1 of 200,000 pages" would be the slowest part of the page. Up to `COUNT_LIMIT` rows
are counted; of more, an unfiltered list says PostgreSQL's estimate and a filtered one "more than". Pages reach
`DEEPEST_ROW` rows deep, because an offset costs what it skips; beyond, a filter is the way.
"""

from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.utils.functional import cached_property

COUNT_LIMIT = 10_000
DEEPEST_ROW = 50_000


def estimated_rows(table: str) -> int:
    """PostgreSQL's estimate of a table's rows, from its last VACUUM or ANALYZE; 0 where it has none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", [f'"{table}"'])
        row = cursor.fetchone()
    return max(row[0], 0) if row else 0


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # rows of any model
    """Counts exactly up to `COUNT_LIMIT` and no further. `count` is how many rows the pages reach."""

    template_name = "admin/pagination_capped.html"

    @cached_property
    def counted(self) -> int:
        """The number of rows, at most one more than `COUNT_LIMIT`."""
        queryset: Any = self.object_list
        return int(queryset.order_by()[: COUNT_LIMIT + 1].count())

    @property
    def is_exact(self) -> bool:
        """Whether `total` is the number of rows, and not an estimate or a lower bound."""
        return self.counted <= COUNT_LIMIT

    @cached_property
    def is_filtered(self) -> bool:
        """Whether the list shows some of the table's rows only."""
        queryset: Any = self.object_list
        return bool(queryset.query.where)

    @cached_property
    def total(self) -> int:
        """How many rows there are: exact, estimated (unfiltered) or at least so many (filtered)."""
        if self.is_exact or self.is_filtered:
            return min(self.counted, COUNT_LIMIT)
        queryset: Any = self.object_list
        return max(COUNT_LIMIT, estimated_rows(queryset.model._meta.db_table))

    @cached_property
    def count(self) -> int:
        """How many rows the pages reach."""
        return self.counted if self.is_exact else min(max(self.total, COUNT_LIMIT), DEEPEST_ROW)
