"""Lists of large tables: from page to page by key. A deep page costs what the first one does.

`?after=PLACE` is the page that follows a row, `?before=PLACE` the one that leads up to it, `?before=end` the last one.
A place is the row's key, or what a filter orders the list by, such as its date, and its key.
"""

from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.timezone import is_naive
from unfold.views import ChangeList

from catalog.admin.paginator import KeyPaginator
from catalog.queries.keyset import KeyPage, first_page, last_page, page_after, page_before

AFTER_VAR, BEFORE_VAR, END = "after", "before", "end"
PART = ","
BIGINT_MAX = 2**63 - 1


def place_text(place: tuple[Any, ...]) -> str:
    """A place for a URL, such as `17` or `2026-01-31,17`."""
    return PART.join(value.isoformat() if hasattr(value, "isoformat") else str(value) for value in place)


def place_of(text: str, fields: "list[Field[Any, Any]]") -> tuple[Any, ...] | None:
    """The place that a URL gives; None for a text that is none."""
    parts = text.split(PART)
    if len(parts) != len(fields):
        return None
    try:
        place = tuple(field.to_python(part) for field, part in zip(fields, parts, strict=True))
    except (ValidationError, OverflowError):
        return None
    fits = all(0 <= value <= BIGINT_MAX for value in place if isinstance(value, int))
    has_zones = not any(is_naive(value) for value in place if hasattr(value, "tzinfo"))
    return place if fits and has_zones and None not in place else None


class KeyChangeList(ChangeList):  # type: ignore[misc]  # unfold has no type hints
    """A page of a large table. What `after` and `before` say is taken out of the request: they are no filters.

    A place that makes no sense, or has nothing behind it, leads to the first or the last page.
    """

    model_admin: Any

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Model]:
        self.asked = {name: self.params.get(name, "") for name in (AFTER_VAR, BEFORE_VAR)}
        # Forms on the page carry the request's parameters on: a new filter starts at the first page.
        kept = request.GET.copy()
        for parameters in (self.params, self.filter_params, kept):
            for name in (AFTER_VAR, BEFORE_VAR, ORDER_VAR):
                parameters.pop(name, None)
        request.GET = kept  # type: ignore[assignment]  # a copy is a dictionary that could be changed
        self.order = self.model_admin.list_order({**self.params, SEARCH_VAR: self.query})
        return super().get_queryset(request, exclude_parameters)  # type: ignore[no-any-return]

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Model]) -> list[str]:  # noqa: ARG002
        return [f"-{field}" if self.order.is_descending else field for field in self.order.fields]

    def get_results(self, request: HttpRequest) -> None:  # noqa: ARG002
        page = self._page()
        is_all = not (page.has_previous or page.has_next)
        self.paginator = KeyPaginator(self.queryset, self.list_per_page, row_count=len(page.rows) if is_all else None)
        self.result_list = page.rows
        self.result_count = self.paginator.total
        is_narrowed = self.query or self.has_active_filters
        # The header says how many there are of what was asked for: where they differ, and where it is so many exactly.
        self.full_result_count = None if is_narrowed and self.paginator.is_exact else self.result_count
        self.show_full_result_count = self.can_show_all = self.multi_page = self.show_admin_actions = False
        self.page_links = self._page_links(page)

    def _place(self, text: str) -> tuple[Any, ...] | None:
        names = (self.lookup_opts.pk.name if field == "pk" else field for field in self.order.fields)
        return place_of(text, [self.lookup_opts.get_field(name) for name in names])

    def _page(self) -> KeyPage[Model]:
        rows, order, size = self.queryset, self.order, self.list_per_page
        after, before = (self._place(self.asked[name]) for name in (AFTER_VAR, BEFORE_VAR))
        page: KeyPage[Model] | None = None
        if after is not None:
            page = page_after(rows, order, after, size)
            if not page.rows:
                return last_page(rows, order, size)
        elif before is not None:
            page = page_before(rows, order, before, size)
            # Less than a page is left before it: the first page shows all of that.
            page = page if page.has_previous else None
        elif self.asked[BEFORE_VAR] == END:
            return last_page(rows, order, size)
        return page or first_page(rows, order, size)

    def _page_links(self, page: KeyPage[Model]) -> list[tuple[str, str | None]]:
        """What each button says and where it leads; None where there is nothing."""
        if not (page.has_previous or page.has_next):
            return []
        first, last = (place_text(self.order.place(row)) for row in (page.rows[0], page.rows[-1]))
        return [
            ("First", self.get_query_string() if page.has_previous else None),
            ("Previous", self.get_query_string({BEFORE_VAR: first}) if page.has_previous else None),
            ("Next", self.get_query_string({AFTER_VAR: last}) if page.has_next else None),
            ("Last", self.get_query_string({BEFORE_VAR: END}) if page.has_next else None),
        ]


class SelectableKeyChangeList(KeyChangeList):
    """Pages by key whose rows can be selected."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.show_admin_actions = True
