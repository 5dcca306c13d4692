"""What the page of an import shows beside its fields."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from catalog.admin.base import list_url
from catalog.admin.paginator import CappedPaginator
from usage.adapters.progress import progress_of
from usage.choices import ConflictDecision, ImportState, QuarantineState
from usage.models import QuarantinedLine, UsageConflict, UsageImport

STATE_LABELS = {
    "Uploaded, not yet started": "warning",
    "Waiting for a worker": "info",
    "Running": "info",
    "Completed": "success",
    "Failed": "danger",
    "Uploaded": "warning",
    "Waiting": "info",
}
# In lists, which have little room.
SHORT_STATES = {ImportState.UPLOADED: "Uploaded", ImportState.QUEUED: "Waiting"}
UNDER_WAY = (ImportState.QUEUED, ImportState.RUNNING)
SHOWN_LINES = 20
PHASES = {"reading": "The file is being read.", "writing": "Its rows are being turned into records."}


def may_upload(request: HttpRequest) -> bool:
    """Whether the user may import usage: the right to add imports."""
    return request.user.has_perm("usage.add_usageimport")


def may_mend(request: HttpRequest) -> bool:
    """Whether the user may correct, try again and dismiss quarantined lines."""
    return request.user.has_perm("usage.change_quarantinedline")


def next_step(usage_import: UsageImport) -> str:
    """What becomes of an import in its state, and what a person can do."""
    return {
        ImportState.UPLOADED: "Nothing is taken in yet. Look at the preview, then import it or discard it.",
        ImportState.QUEUED: "It is safely stored. The next worker that is free takes it in.",
        ImportState.RUNNING: "It is being taken in. Nothing of it can be seen before all of it is done.",
        ImportState.COMPLETED: "Every row is accounted for.",
        ImportState.FAILED: "Nothing of it was taken. Mend the file, or how the source system's files are read, "
        "and upload it again.",
    }[ImportState(usage_import.state)]


def progress_context(usage_import: UsageImport) -> dict[str, Any]:
    """How far an import is: what its page asks for again and again while it is under way."""
    is_under_way = usage_import.state in UNDER_WAY
    # What waits again after its worker died has nothing done, whatever was noted before.
    progress = progress_of(usage_import.pk) if usage_import.state == ImportState.RUNNING else None
    return {
        "usage_import": usage_import,
        "is_under_way": is_under_way,
        "progress": progress,
        "state_badge": STATE_LABELS[usage_import.get_state_display()],
        "next_step": next_step(usage_import),
        "phase": PHASES.get(progress.phase, "") if progress else "",
        # Of a file that is still being sent the size is not known.
        "percent": min(100, progress.byte_count * 100 // usage_import.byte_count)
        if progress and progress.phase == "reading" and usage_import.byte_count
        else None,
    }


def import_page(request: HttpRequest, usage_import: UsageImport) -> dict[str, Any]:
    """The sum of an import's rows, what waits for a person, and the buttons that the user has."""
    by_import = {"usage_import__id__exact": usage_import.pk}
    open_lines = QuarantinedLine.objects.filter(usage_import=usage_import, state=QuarantineState.OPEN)
    open_conflicts = UsageConflict.objects.filter(usage_import=usage_import, decision=ConflictDecision.OPEN)
    waiting = CappedPaginator(open_lines, 1)
    upload = f"{reverse('admin:usage_usageimport_upload')}?source_system={usage_import.source_system_id}"
    return {
        **progress_context(usage_import),
        "is_uploaded": usage_import.state == ImportState.UPLOADED,
        "can_be_reopened": usage_import.state == ImportState.FAILED and usage_import.blocks.exists(),
        "is_completed": usage_import.state == ImportState.COMPLETED,
        "is_failed": usage_import.state == ImportState.FAILED,
        "may_upload": may_upload(request),
        "may_mend": may_mend(request) and usage_import.state == ImportState.COMPLETED,
        "upload_url": upload,
        "open_count": waiting.counted,
        "open_count_is_exact": waiting.is_exact,
        "quarantined_lines": open_lines.order_by("line_number")[:SHOWN_LINES],
        "conflicting_lines": open_conflicts.order_by("line_number")[:SHOWN_LINES],
        "quarantined_url": list_url("usage_quarantinedline", state="all", **by_import),
        "open_lines_url": list_url("usage_quarantinedline", **by_import),
        "conflicts_url": list_url("usage_usageconflict", decision="all", **by_import),
        "open_conflicts_url": list_url("usage_usageconflict", **by_import),
    }
