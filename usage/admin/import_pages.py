"""The pages and buttons of an import: upload, preview with the column mapping, how far it is, trying lines again."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from catalog.admin.base import LargeTableAdmin, change_url, list_url
from usage.admin.import_page import UNDER_WAY, may_mend, may_upload, progress_context
from usage.admin.mapping import MappingForm
from usage.admin.preview_page import may_map, offered_columns, preview_context
from usage.admin.quarantine_page import tried_in_words
from usage.choices import Channel, ImportState
from usage.engine.layout import LayoutFault
from usage.models import SourceSystem, UsageImport
from usage.operations.errors import ImportConflict, ImportRefused
from usage.operations.preview import ImportPreview, preview_import
from usage.operations.reprocess import reprocess_lines
from usage.operations.sources import set_column_mapping
from usage.operations.stored import discard_import, queue_import, receive_file, reopen_import
from usage.tasks import wake_importers

SHOWN_ROWS = 10


class UploadForm(forms.Form):
    """A file of usage and who it is from."""

    source_system = forms.ModelChoiceField(
        SourceSystem.objects.order_by("name"),
        widget=UnfoldAdminSelectWidget,
        help_text="It says how the file is read: its columns, its dates, its time zone.",
    )
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text="CSV with a header line, JSON lines, or an Excel workbook (XLSX); gzipped or not. "
        "The same file again changes nothing.",
    )


class ImportPagesAdmin(LargeTableAdmin):
    """Views of imports. Each asks for the right to it; what an import's state forbids becomes a message."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {
            "preview": self.preview_view,
            "discard": self.discard_view,
            "reopen": self.reopen_view,
            "progress": self.progress_view,
            "reprocess": self.reprocess_view,
        }
        upload = path("upload/", self.admin_site.admin_view(self.upload_view), name="usage_usageimport_upload")
        own = [
            path(f"<int:import_id>/{name}/", self.admin_site.admin_view(view), name=f"usage_usageimport_{name}")
            for name, view in views.items()
        ]
        return [upload, *own, *super().get_urls()]

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file and keep it; then its preview says what would become of its rows."""
        if not may_upload(request):
            raise PermissionDenied
        asked = {"source_system": request.GET.get("source_system")}
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm(initial=asked)
        if form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                received = receive_file(
                    source_system_id=form.cleaned_data["source_system"].pk,
                    file=upload.file,
                    file_name=upload.name,
                    at=timezone.now(),
                    user_id=request.user.pk,
                    channel=Channel.ADMIN,
                    is_queued=False,
                )
            except (ImportRefused, ImportConflict) as refused:
                form.add_error("file", str(refused))
            else:
                if received.state == ImportState.UPLOADED:
                    return HttpResponseRedirect(reverse("admin:usage_usageimport_preview", args=[received.pk]))
                messages.info(request, "This file was sent before. Nothing changed; this is that import.")
                return HttpResponseRedirect(change_url(received))
        context = {
            **self.admin_site.each_context(request),
            "title": "Upload a file of usage",
            "form": form,
            "back": list_url("usage_usageimport"),
            "source_systems_exist": SourceSystem.objects.exists(),
            "add_source_system": reverse("admin:usage_sourcesystem_add"),
        }
        return render(request, "admin/usage/usageimport/upload.html", context)

    def preview_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """The first rows of a file that is not taken in yet, and how they come out by a mapping that can be tried."""
        usage_import = self._import_of(request, import_id)
        if usage_import.state != ImportState.UPLOADED:
            state = usage_import.get_state_display().lower()
            messages.error(request, f"{usage_import.file_name} is {state}: there is nothing left to decide.")
            return HttpResponseRedirect(change_url(usage_import))
        try:
            preview = preview_import(import_id=import_id, row_count=SHOWN_ROWS)
            form = MappingForm(
                columns=offered_columns(usage_import, preview),
                mapping=usage_import.source_system.column_mapping,
                data=request.POST if request.method == "POST" else None,
            )
            if form.is_valid():
                mapping = form.mapping() if form.is_changed() else None
                if mapping is not None:
                    preview = preview_import(import_id=import_id, mapping=mapping, row_count=SHOWN_ROWS)
                hindrance = hindrance_to_import(request, preview, mapping)
                if hindrance is None and not preview.fault:
                    return self._start(request, usage_import, mapping)
                if hindrance:
                    messages.warning(request, hindrance)
        except (ImportConflict, LayoutFault) as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(change_url(usage_import))
        context = {
            **self.admin_site.each_context(request),
            **preview_context(request, usage_import, preview, form),
            "title": f"Preview of {usage_import.file_name}",
            "opts": self.opts,
            "object": usage_import,
        }
        return render(request, "admin/usage/usageimport/preview.html", context)

    def _start(self, request: HttpRequest, usage_import: UsageImport, mapping: dict[str, str] | None) -> HttpResponse:
        if mapping is not None:
            set_column_mapping(source_system_id=usage_import.source_system_id, mapping=mapping)
            messages.success(request, f"The mapping of {usage_import.source_system} is saved.")
        queue_import(import_id=usage_import.pk)
        wake_importers(import_id=usage_import.pk)
        return HttpResponseRedirect(change_url(usage_import))

    def discard_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """Throw a file away that is not taken in yet."""
        usage_import = self._import_of(request, import_id)
        if request.method != "POST":
            return HttpResponseRedirect(change_url(usage_import))
        try:
            discard_import(import_id=import_id, at=timezone.now())
        except ImportConflict as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(change_url(usage_import))
        messages.success(request, f"{usage_import.file_name} is discarded. Nothing of it was taken.")
        return HttpResponseRedirect(list_url("usage_usageimport"))

    def reopen_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """Look at a stored file that failed again, to import it after all."""
        usage_import = self._import_of(request, import_id)
        if request.method != "POST":
            return HttpResponseRedirect(change_url(usage_import))
        try:
            reopen_import(import_id=import_id)
        except ImportConflict as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(change_url(usage_import))
        return HttpResponseRedirect(reverse("admin:usage_usageimport_preview", args=[import_id]))

    def progress_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """How far an import is, alone. When it is done, the browser is told to load the page again."""
        usage_import = get_object_or_404(UsageImport, id=import_id)
        if not self.has_view_permission(request, usage_import):
            return HttpResponse(status=403)
        response = render(request, "admin/usage/usageimport/progress.html", progress_context(usage_import))
        if usage_import.state not in UNDER_WAY:
            response["HX-Refresh"] = "true"
        return response

    def reprocess_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """Try all open quarantined lines of an import again."""
        usage_import = get_object_or_404(UsageImport, id=import_id)
        if not may_mend(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                done = reprocess_lines(import_id=import_id, at=timezone.now(), user_id=request.user.pk)
            except (ImportConflict, ImportRefused) as refused:
                messages.error(request, str(refused))
            else:
                messages.info(request, tried_in_words(done))
        return HttpResponseRedirect(change_url(usage_import))

    @staticmethod
    def _import_of(request: HttpRequest, import_id: int) -> UsageImport:
        """The import, for who may take files in."""
        if not may_upload(request):
            raise PermissionDenied
        return get_object_or_404(UsageImport.objects.select_related("source_system"), id=import_id)


def hindrance_to_import(request: HttpRequest, preview: ImportPreview, mapping: dict[str, str] | None) -> str | None:
    """Why a file is not imported now, empty where that was not asked for; None where nothing stands in the way.

    `mapping` is what the form says where that is not what the source system has.
    """
    if not {"_import", "_save"} & request.POST.keys():
        return ""
    if preview.fault:
        return "It is not imported, for it cannot be read like this. Choose the columns anew."
    if mapping is None:
        return None
    if "_import" in request.POST:
        return "You have changed the mapping. Save it and import, or go back to the saved mapping."
    if not may_map(request):
        return "Your user may not change source systems, so the mapping is not saved and nothing is imported."
    return None
