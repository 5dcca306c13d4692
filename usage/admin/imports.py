from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import column, link, list_url
from catalog.admin.figures import exact
from usage.admin.import_page import SHORT_STATES, STATE_LABELS, import_page, may_upload
from usage.admin.import_pages import ImportPagesAdmin
from usage.choices import ImportState
from usage.models import UsageImport


@admin.register(UsageImport)
class UsageImportAdmin(ImportPagesAdmin):
    list_display = (
        *("file_name", "source_system", "shown_state", "started"),
        *("received", "accepted", "duplicates", "conflicts", "quarantined"),
    )
    list_filter = ("state", ("source_system", AutocompleteSelectFilter), "channel")
    list_select_related = ("source_system",)
    search_fields = ("file_name__startswith",)
    ordering = ("-pk",)
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("file_name", "source_system"),
                    ("channel", "created_by"),
                    ("started_at", "finished_at"),
                )
            },
        ),
        ("File", {"fields": (("file_format", "bytes"), "sha256")}),
    )
    change_form_template = "admin/usage/usageimport/change_form.html"
    change_list_template = "admin/usage/usageimport/change_list.html"
    empty_hint = "Upload a file of usage: each of its rows is accepted, or is listed with the reason why not."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "may_upload": may_upload(request)})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        usage_import = kwargs.get("obj")
        if usage_import:
            context.update(import_page(request, usage_import))
        return super().render_change_form(request, context, *args, **kwargs)

    @column("State", label=STATE_LABELS)
    def shown_state(self, usage_import: UsageImport) -> str:
        return SHORT_STATES.get(ImportState(usage_import.state), usage_import.get_state_display())

    @column("Started")
    def started(self, usage_import: UsageImport) -> str:
        return f"{usage_import.started_at:%Y-%m-%d %H:%M} UTC"

    @column("Size")
    def bytes(self, usage_import: UsageImport) -> str:
        return f"{exact(usage_import.byte_count)} bytes"

    @column("Received")
    def received(self, usage_import: UsageImport) -> str:
        return exact(usage_import.received_count)

    @column("Accepted")
    def accepted(self, usage_import: UsageImport) -> str:
        return exact(usage_import.accepted_count)

    @column("Duplicates")
    def duplicates(self, usage_import: UsageImport) -> str:
        return exact(usage_import.duplicate_count)

    @column("Conflicts")
    def conflicts(self, usage_import: UsageImport) -> SafeString | str:
        return linked_count("usage_usageconflict", usage_import, usage_import.conflict_count, decision="all")

    @column("Quarantined")
    def quarantined(self, usage_import: UsageImport) -> SafeString | str:
        return linked_count("usage_quarantinedline", usage_import, usage_import.quarantined_count, state="all")


def linked_count(model: str, usage_import: UsageImport, count: int, **query: str) -> SafeString | str:
    """A count of an import's lines, as a link to them where there are any."""
    return link(list_url(model, usage_import__id__exact=usage_import.pk, **query), exact(count)) if count else "0"
