"""Reads on imports for the API."""

from django.db.models import Q, QuerySet

from usage.choices import ImportState
from usage.models import QuarantinedLine, SourceSystem, UsageConflict, UsageImport


def usage_imports() -> QuerySet[UsageImport]:
    """Imports with their source system and who sent them."""
    return UsageImport.objects.select_related("source_system", "created_by")


def queued_import_ids() -> list[int]:
    """Imports whose stored files wait for a worker, in the order in which they came."""
    return list(UsageImport.objects.filter(state=ImportState.QUEUED).order_by("id").values_list("id", flat=True))


def source_system_named(text: str) -> SourceSystem | None:
    """The source system with this name, or else with this alternative code."""
    found = SourceSystem.objects.filter(Q(name=text) | (Q(alternative_code=text) & ~Q(alternative_code="")))
    # Where one has as its name what another has as its code, the name counts.
    return next(iter(sorted(found, key=lambda source: source.name != text)), None)


def quarantined_lines(usage_import_id: int) -> QuerySet[QuarantinedLine]:
    """The import's lines that became no record, in the order of the file."""
    lines = QuarantinedLine.objects.filter(usage_import_id=usage_import_id)
    return lines.select_related("decided_by").order_by("line_number")


def conflicts(usage_import_id: int) -> QuerySet[UsageConflict]:
    """The import's lines that contradict a record that stands, in the order of the file."""
    rows = UsageConflict.objects.filter(usage_import_id=usage_import_id)
    return rows.select_related("record", "decided_by").order_by("line_number")
