"""Lists of what waits for a person: what is open is shown until something else is asked for."""

from typing import Any, ClassVar

from django.db.models import QuerySet, TextChoices
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

ALL = "all"
OPEN = "OPEN"


class OpenFirstFilter(DropdownFilter):  # type: ignore[misc]  # unfold has no type hints
    """By a column of states one of which is OPEN. Without a choice the list shows the open ones."""

    states: ClassVar[type[TextChoices]]
    all_option = ("", "Open")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [*((value, str(label)) for value, label in self.states.choices if value != OPEN), (ALL, "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        value = self.value() or OPEN
        return queryset if value == ALL else queryset.filter(**{self.parameter_name: value})
