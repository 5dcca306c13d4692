from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from catalog.admin.base import ReadOnlyAdmin, change_url, column, link, list_url
from catalog.admin.figures import exact
from usage.choices import ImportState
from usage.models import QuarantinedLine, SourceSystem, UsageConflict, UsageImport
from usage.operations.errors import ImportRefused
from usage.operations.imports import import_usage

STATE_LABELS = {"Completed": "success", "Running": "info", "Failed": "danger"}
SHOWN_LINES = 20


class UploadForm(forms.Form):
    """A file of usage and who it is from."""

    source_system = forms.ModelChoiceField(
        SourceSystem.objects.order_by("name"),
        widget=UnfoldAdminSelectWidget,
        help_text="It says how the file is read: its columns, its dates, its time zone.",
    )
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget, help_text="CSV with a header line. The same file again changes nothing."
    )


@admin.register(UsageImport)
class UsageImportAdmin(ReadOnlyAdmin):
    list_display = (
        *("file_name", "source_system", "shown_state", "started_at"),
        *("received", "accepted", "duplicates", "conflicts", "quarantined"),
    )
    list_filter = ("state", ("source_system", AutocompleteSelectFilter))
    list_select_related = ("source_system",)
    search_fields = ("file_name__startswith",)
    ordering = ("-pk",)
    sortable_by = ()
    fieldsets = (
        (
            None,
            {"fields": (("file_name", "source_system"), ("shown_state", "created_by"), ("started_at", "finished_at"))},
        ),
        ("File", {"fields": (("bytes", "sha256"),)}),
    )
    change_form_template = "admin/usage/usageimport/change_form.html"
    change_list_template = "admin/usage/usageimport/change_list.html"
    empty_hint = "Upload a file of usage: each of its rows is accepted, or is listed with the reason why not."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.upload_view)
        return [path("upload/", view, name="usage_usageimport_upload"), *super().get_urls()]

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file and import it; then its page says what became of its rows."""
        if not may_upload(request):
            raise PermissionDenied
        asked = {"source_system": request.GET.get("source_system")}
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm(initial=asked)
        if form.is_valid():
            started_at = timezone.now()
            upload = form.cleaned_data["file"]
            try:
                done = import_usage(
                    source_system_id=form.cleaned_data["source_system"].pk,
                    file=upload.file,
                    file_name=upload.name,
                    at=started_at,
                    user_id=request.user.pk,
                )
            except ImportRefused as refused:
                form.add_error("file", str(refused))
            else:
                if done.started_at < started_at:
                    messages.info(request, "This file was imported before. Nothing changed; this is that import.")
                return HttpResponseRedirect(change_url(done))
        context = {
            **self.admin_site.each_context(request),
            "title": "Upload a file of usage",
            "form": form,
            "back": list_url("usage_usageimport"),
            "source_systems_exist": SourceSystem.objects.exists(),
            "add_source_system": reverse("admin:usage_sourcesystem_add"),
        }
        return render(request, "admin/usage/usageimport/upload.html", context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "may_upload": may_upload(request)})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        usage_import = kwargs.get("obj")
        if usage_import:
            context.update(import_page(usage_import))
        return super().render_change_form(request, context, *args, **kwargs)

    @column("State", label=STATE_LABELS)
    def shown_state(self, usage_import: UsageImport) -> str:
        return usage_import.get_state_display()

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
        return linked_count("usage_usageconflict", usage_import, usage_import.conflict_count)

    @column("Quarantined")
    def quarantined(self, usage_import: UsageImport) -> SafeString | str:
        return linked_count("usage_quarantinedline", usage_import, usage_import.quarantined_count)


def may_upload(request: HttpRequest) -> bool:
    """Whether the user may import usage: the right to add imports."""
    return request.user.has_perm("usage.add_usageimport")


def linked_count(model: str, usage_import: UsageImport, count: int) -> SafeString | str:
    """A count of an import's lines, as a link to them where there are any."""
    return link(list_url(model, usage_import__id__exact=usage_import.pk), exact(count)) if count else "0"


def import_page(usage_import: UsageImport) -> dict[str, Any]:
    """What the page of an import shows beside its fields: the sum of its rows, and the first lines that are wrong."""
    by_import = {"usage_import__id__exact": usage_import.pk}
    return {
        "is_running": usage_import.state == ImportState.RUNNING,
        "quarantined_lines": QuarantinedLine.objects.filter(usage_import=usage_import)[:SHOWN_LINES],
        "conflicting_lines": UsageConflict.objects.filter(usage_import=usage_import)[:SHOWN_LINES],
        "quarantined_url": list_url("usage_quarantinedline", **by_import),
        "conflicts_url": list_url("usage_usageconflict", **by_import),
    }
