from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import LargeTableAdmin, change_url, column, link, list_url
from usage.admin.conflict_page import hindrance_to_replacing, sides
from usage.admin.open_first import OpenFirstFilter
from usage.admin.quarantine import note_of, shortened
from usage.choices import ConflictDecision
from usage.models import UsageConflict
from usage.operations.conflicts import decide_conflict, standing_record
from usage.operations.errors import RecordConflict, RecordRefused

DECISION_LABELS = {"Open": "warning", "Record kept": "success", "Record replaced": "info", "Dismissed": "neutral"}
BUTTONS = {
    "_keep": ConflictDecision.KEPT,
    "_replace": ConflictDecision.REPLACED,
    "_dismiss": ConflictDecision.DISMISSED,
}
SAID = {
    ConflictDecision.KEPT: "The record is kept as it is.",
    ConflictDecision.REPLACED: "The record is cancelled, and what the row says is a record of its own in its place.",
    ConflictDecision.DISMISSED: "The row is dismissed.",
}


class DecisionFilter(OpenFirstFilter):
    title = "decision"
    parameter_name = "decision"
    states = ConflictDecision


@admin.register(UsageConflict)
class UsageConflictAdmin(LargeTableAdmin):
    list_display = ("line", "shown_decision", "differs", "row", "stands", "usage_import")
    list_filter = (DecisionFilter, ("usage_import", AutocompleteSelectFilter))
    ordered_by = {"line_number": ("usage_import__id__exact",)}
    list_select_related = ("usage_import", "record")
    empty_hint = "No row came with the number of a record that says something else."

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a conflict. Its buttons come back to it."""
        del form_url
        conflict = get_object_or_404(
            UsageConflict.objects.select_related(
                *("usage_import__source_system", "decided_by", "replacement", "record__subscription_service"),
                *("record__product", "record__usage_type", "record__subscription_action", "record__customer"),
            ),
            pk=object_id if object_id.isdecimal() else None,
        )
        if not self.has_view_permission(request, conflict):
            raise PermissionDenied
        if request.method == "POST":
            return self._decide(request, conflict)
        is_open = conflict.decision == ConflictDecision.OPEN
        standing = standing_record(conflict)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Line {conflict.line_number} of {conflict.usage_import.file_name}",
            "opts": self.opts,
            "object": conflict,
            "conflict": conflict,
            "sides": sides(conflict),
            "decision_badge": DECISION_LABELS[conflict.get_decision_display()],
            "is_open": is_open,
            "may_act": is_open and may_decide(request),
            "hindrance": hindrance_to_replacing(standing) if is_open else None,
            "record_url": change_url(conflict.record),
            "successor": standing if is_open and standing != conflict.record else None,
            "successor_url": change_url(standing),
            "replacement_url": change_url(conflict.replacement) if conflict.replacement else "",
            "import_url": change_url(conflict.usage_import),
            "list_url": list_url("usage_usageconflict", usage_import__id__exact=conflict.usage_import_id),
            **(extra_context or {}),
        }
        return render(request, "admin/usage/usageconflict/conflict.html", context)

    def _decide(self, request: HttpRequest, conflict: UsageConflict) -> HttpResponse:
        if not may_decide(request):
            raise PermissionDenied
        decision = next((BUTTONS[name] for name in BUTTONS if name in request.POST), None)
        if decision is not None:
            try:
                decide_conflict(
                    conflict_id=conflict.pk,
                    decision=decision,
                    at=timezone.now(),
                    user_id=request.user.pk,
                    note=note_of(request),
                )
            except (RecordConflict, RecordRefused) as refused:
                messages.error(request, str(refused))
            else:
                messages.success(request, SAID[decision])
        return HttpResponseRedirect(change_url(conflict))

    @column("Line")
    def line(self, conflict: UsageConflict) -> str:
        return f"line {conflict.line_number}"

    @column("Decision", label=DECISION_LABELS)
    def shown_decision(self, conflict: UsageConflict) -> str:
        return conflict.get_decision_display()

    @column("Differs in")
    def differs(self, conflict: UsageConflict) -> str:
        return ", ".join(conflict.differences)

    @column("As it came")
    def row(self, conflict: UsageConflict) -> str:
        return shortened(conflict.raw_text)

    @column("Record that stands")
    def stands(self, conflict: UsageConflict) -> SafeString:
        return link(change_url(conflict.record), conflict.record)


def may_decide(request: HttpRequest) -> bool:
    """Whether the user may decide conflicts: the right to change them."""
    return request.user.has_perm("usage.change_usageconflict")
