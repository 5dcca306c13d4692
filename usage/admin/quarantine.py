from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import LargeTableAdmin, change_url, column, list_url
from usage.admin.import_page import may_mend
from usage.admin.open_first import OpenFirstFilter
from usage.admin.quarantine_page import CorrectionForm, tried_in_words
from usage.choices import ImportState, QuarantineState
from usage.models import QuarantinedLine
from usage.operations.errors import ImportConflict, ImportRefused, LineRefused
from usage.operations.reprocess import correct_line, dismiss_line, reprocess_lines

SHOWN_CHARACTERS = 100
STATE_LABELS = {"Open": "warning", "Resolved": "success", "Dismissed": "neutral"}
REFUSALS = (ImportConflict, ImportRefused, LineRefused)


def shortened(text: str) -> str:
    """The start of a row as it came; its page shows all of it."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


class StateFilter(OpenFirstFilter):
    title = "state"
    parameter_name = "state"
    states = QuarantineState


@admin.register(QuarantinedLine)
class QuarantinedLineAdmin(LargeTableAdmin):
    list_display = ("line", "shown_state", "reason", "detail", "row", "usage_import")
    list_filter = (
        StateFilter,
        "reason",
        ("usage_import__source_system", AutocompleteSelectFilter),
        ("usage_import", AutocompleteSelectFilter),
    )
    ordered_by = {"line_number": ("usage_import__id__exact",)}
    list_select_related = ("usage_import",)
    empty_hint = "Nothing waits here: every row that was received became a record, a duplicate or a conflict."

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a line. Its buttons come back to it; what was typed stays when it is refused."""
        del form_url
        line = get_object_or_404(
            QuarantinedLine.objects.select_related("usage_import__source_system", "decided_by"),
            pk=object_id if object_id.isdecimal() else None,
        )
        if not self.has_view_permission(request, line):
            raise PermissionDenied
        form = CorrectionForm(line, request.POST if "_save" in request.POST else None)
        if request.method == "POST":
            if not may_mend(request):
                raise PermissionDenied
            try:
                if self._act(request, line, form):
                    return HttpResponseRedirect(change_url(line))
            except REFUSALS as refused:
                messages.error(request, str(refused))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Line {line.line_number} of {line.usage_import.file_name}",
            "opts": self.opts,
            "object": line,
            "line": line,
            "form": form,
            "cells": form.cells(),
            "state_badge": STATE_LABELS[line.get_state_display()],
            "is_open": line.state == QuarantineState.OPEN,
            "may_act": may_mend(request)
            and line.state == QuarantineState.OPEN
            and line.usage_import.state == ImportState.COMPLETED,
            "next_line": next_open_line(line),
            "import_url": change_url(line.usage_import),
            "source_url": change_url(line.usage_import.source_system),
            "list_url": list_url("usage_quarantinedline", usage_import__id__exact=line.usage_import_id),
            **(extra_context or {}),
        }
        return render(request, "admin/usage/quarantinedline/line.html", context)

    def _act(self, request: HttpRequest, line: QuarantinedLine, form: CorrectionForm) -> bool:
        """Do what the button says, and whether it is done. Raises what the operations refuse."""
        at = timezone.now()
        if "_dismiss" in request.POST:
            note = note_of(request)
            if not note:
                raise LineRefused("Say in the note why the line is dismissed: it is never billed.")
            dismiss_line(line_id=line.pk, note=note, at=at, user_id=request.user.pk)
            messages.success(request, f"Line {line.line_number} is dismissed: it is never tried again.")
            return True
        if "_save" in request.POST:
            if not form.is_valid():
                return False
            correct_line(line_id=line.pk, values=form.values(), text=form.text())
        done = reprocess_lines(import_id=line.usage_import_id, at=at, user_id=request.user.pk, line_ids=[line.pk])
        (messages.warning if done.quarantined else messages.success)(request, tried_in_words(done))
        return True

    @column("Line")
    def line(self, quarantined: QuarantinedLine) -> str:
        return f"line {quarantined.line_number}"

    @column("State", label=STATE_LABELS)
    def shown_state(self, quarantined: QuarantinedLine) -> str:
        return quarantined.get_state_display()

    @column("As it came")
    def row(self, quarantined: QuarantinedLine) -> str:
        return shortened(quarantined.raw_text)


def note_of(request: HttpRequest) -> str:
    """What was typed as a note, without the character that no text of the database holds."""
    return request.POST.get("note", "").replace("\0", "").strip()


def next_open_line(line: QuarantinedLine) -> QuarantinedLine | None:
    """The open line of the same import that comes after this one, or the first there is."""
    others: QuerySet[QuarantinedLine] = QuarantinedLine.objects.filter(
        usage_import=line.usage_import_id, state=QuarantineState.OPEN
    ).exclude(pk=line.pk)
    in_order = others.order_by("line_number")
    return in_order.filter(line_number__gt=line.line_number).first() or in_order.first()
