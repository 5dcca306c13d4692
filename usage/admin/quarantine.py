from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import LargeTableAdmin, change_url, column, link
from usage.models import QuarantinedLine, UsageConflict

SHOWN_CHARACTERS = 100


def shortened(text: str) -> str:
    """The start of a row as it came; its page shows all of it."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


@admin.register(QuarantinedLine)
class QuarantinedLineAdmin(LargeTableAdmin):
    list_display = ("line", "reason", "field", "detail", "row", "usage_import")
    list_filter = ("reason", ("usage_import", AutocompleteSelectFilter))
    list_select_related = ("usage_import",)
    fields = (("usage_import", "line_number"), ("reason", "field"), "detail", "raw_text")
    empty_hint = "Nothing waits here: every row that was received became a record, a duplicate or a conflict."

    @column("Line")
    def line(self, quarantined: QuarantinedLine) -> str:
        return f"line {quarantined.line_number}"

    @column("As it came")
    def row(self, quarantined: QuarantinedLine) -> str:
        return shortened(quarantined.raw_text)


@admin.register(UsageConflict)
class UsageConflictAdmin(LargeTableAdmin):
    list_display = ("line", "differs", "row", "stands", "usage_import")
    list_filter = (("usage_import", AutocompleteSelectFilter),)
    list_select_related = ("usage_import", "record")
    fields = (("usage_import", "line_number"), "stands", "differs", "raw_text")
    readonly_fields = ("stands", "differs")
    empty_hint = "No row came with the number of a record that says something else."

    @column("Line")
    def line(self, conflict: UsageConflict) -> str:
        return f"line {conflict.line_number}"

    @column("Differs in")
    def differs(self, conflict: UsageConflict) -> str:
        return ", ".join(str(field) for field in conflict.differing_fields)

    @column("As it came")
    def row(self, conflict: UsageConflict) -> str:
        return shortened(conflict.raw_text)

    @column("Record that stands")
    def stands(self, conflict: UsageConflict) -> SafeString:
        return link(change_url(conflict.record), conflict.record)
