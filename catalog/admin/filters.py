"""Filters of lists beside those that unfold brings."""

from datetime import UTC, datetime, time, timedelta

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str


class DayRangeFilter(RangeDateFilter):  # type: ignore[misc]  # unfold has no type hints
    """From a day to a day, both of them in. Of times, whole days in UTC.

    Unfold's own filters leave a date that they cannot read out without a word, and of times they want hours as well.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # type: ignore[type-arg]  # of any model
        conditions = {}
        for end, lookup, days in (("from", "gte", 0), ("to", "lt", 1)):
            text = self.used_parameters.get(f"{self.parameter_name}_{end}")
            if not text:
                continue
            day = parse_date_str(text)
            if day is None or not 1900 <= day.year < 9000:  # noqa: PLR2004  what records may have
                messages.warning(request, f"“{text}” is no date: write it like 2026-01-31.")
                raise IncorrectLookupParameters
            bound = day + timedelta(days=days)
            if isinstance(self.field, DateTimeField):
                bound = datetime.combine(bound, time(), UTC)
            conditions[f"{self.field_path}__{lookup}"] = bound
        return queryset.filter(**conditions)
