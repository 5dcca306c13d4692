"""Pages of lists whose tables may be large.

Counting ten million rows to write "1 of 200,000 pages" would be the slowest part of the page. Up to `COUNT_LIMIT` rows
are counted; of more, an unfiltered list says PostgreSQL's estimate and a filtered one "more than". Numbered pages reach
`DEEPEST_ROW` rows deep, because an offset costs what it skips; large tables have pages by key instead (`keyset`).
"""

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

from catalog.queries.keyset import TookTooLong, estimated_rows, time_limit

COUNT_LIMIT = 10_000
COUNT_TIMEOUT_MS = 1_000
DEEPEST_ROW = 50_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # rows of any model
    """Counts exactly up to `COUNT_LIMIT` and no further. `count` is how many rows the pages reach."""

    template_name = "admin/pagination_capped.html"

    @cached_property
    def counted(self) -> int:
        """The number of rows, at most one more than `COUNT_LIMIT`."""
        queryset: Any = self.object_list
        return int(queryset.order_by()[: COUNT_LIMIT + 1].count())

    @cached_property
    def estimate(self) -> int:
        """PostgreSQL's estimate of the table's rows, filtered or not."""
        queryset: Any = self.object_list
        return estimated_rows(queryset.model._meta.db_table)

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
        return max(COUNT_LIMIT, self.estimate)

    @cached_property
    def count(self) -> int:
        """How many rows the pages reach."""
        return self.counted if self.is_exact else min(max(self.total, COUNT_LIMIT), DEEPEST_ROW)


class KeyPaginator(CappedPaginator):
    """Says how many rows a list has whose pages are found by key. `row_count` is given where all are on one page.

    A large table is not counted at all while it is shown whole. A filter that leaves few rows of many is given
    `COUNT_TIMEOUT_MS`; after that the list says only that there is more than a page of them.
    """

    template_name = "admin/pagination_keyset.html"

    def __init__(self, rows: Any, per_page: int, *, row_count: int | None) -> None:
        super().__init__(rows, per_page)
        self.row_count = row_count

    @cached_property
    def capped(self) -> int | None:
        """The number of rows, at most one more than `COUNT_LIMIT`; None where it was not found in time."""
        if self.row_count is not None:
            return self.row_count
        if not self.is_filtered and self.estimate > COUNT_LIMIT:
            return COUNT_LIMIT + 1
        try:
            with time_limit(COUNT_TIMEOUT_MS):
                return super().counted
        except TookTooLong:
            return None

    @property
    def counted(self) -> int:
        return self.per_page if self.capped is None else self.capped

    @property
    def is_exact(self) -> bool:
        return self.row_count is not None or (self.capped is not None and super().is_exact)

    @cached_property
    def total(self) -> int:
        if self.row_count is not None:
            return self.row_count
        return self.per_page if self.capped is None else super().total
