from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import LargeTableAdmin, change_url, column, link
from usage.admin.open_first import OpenFirstFilter
from usage.admin.quarantine import shortened
from usage.choices import ConflictDecision
from usage.models import UsageConflict


class DecisionFilter(OpenFirstFilter):
    title = "decision"
    parameter_name = "decision"
    states = ConflictDecision


@admin.register(UsageConflict)
class UsageConflictAdmin(LargeTableAdmin):
    list_display = ("line", "differs", "row", "stands", "usage_import")
    list_filter = (DecisionFilter, ("usage_import", AutocompleteSelectFilter))
    list_select_related = ("usage_import", "record")
    fields = (("usage_import", "line_number"), "stands", "differs", "raw_text")
    readonly_fields = ("stands", "differs")
    empty_hint = "No row came with the number of a record that says something else."

    @column("Line")
    def line(self, conflict: UsageConflict) -> str:
        return f"line {conflict.line_number}"

    @column("Differs in")
    def differs(self, conflict: UsageConflict) -> str:
        return ", ".join(conflict.differences)

    @column("As it came")
    def row(self, conflict: UsageConflict) -> str:
        return shortened(conflict.raw_text)

    @column("Record that stands")
    def stands(self, conflict: UsageConflict) -> SafeString:
        return link(change_url(conflict.record), conflict.record)
