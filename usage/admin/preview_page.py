"""What the preview of an uploaded file shows."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from catalog.admin.base import change_url
from catalog.choices import FileFormat
from usage.admin.mapping import OFFERED_COLUMNS, MappingForm, columns_of_lines
from usage.engine.layout import FIELDS
from usage.models import UsageImport
from usage.operations.preview import ImportPreview

OUTCOMES = {
    "accepted": ("success", "Accepted"),
    "duplicate": ("neutral", "Duplicate"),
    "conflict": ("warning", "Conflict"),
    "quarantined": ("danger", "Quarantined"),
}


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of the file: how it comes out, and its values in the order of the preview's fields."""

    line_number: int
    badge: str
    outcome: str
    detail: str
    values: tuple[str, ...]
    raw: tuple[str, ...]


def may_map(request: HttpRequest) -> bool:
    """Whether the user may save a mapping: the right to change source systems."""
    return request.user.has_perm("usage.change_sourcesystem")


def offered_columns(usage_import: UsageImport, preview: ImportPreview) -> tuple[str, ...]:
    """The columns to choose from: the header's; of JSON lines the names that the first ones have."""
    if usage_import.file_format == FileFormat.NDJSON:
        return columns_of_lines(row.raw[0] for row in preview.rows if row.raw)
    return preview.columns


def preview_context(
    request: HttpRequest, usage_import: UsageImport, preview: ImportPreview, form: MappingForm
) -> dict[str, Any]:
    """The rows as records and as they came, the mapping's form, and which buttons there are."""
    fields = [field for field in FIELDS if any(row.values.get(field) for row in preview.rows)]
    rows = [
        ShownRow(
            row.line_number,
            *OUTCOMES.get(row.outcome, ("neutral", "")),
            row.detail,
            tuple(row.values.get(field, "") for field in fields),
            row.raw,
        )
        for row in preview.rows
    ]
    mapping_rows = form.rows()
    is_changed = form.is_bound and form.is_valid() and form.is_changed()
    is_lines = usage_import.file_format == FileFormat.NDJSON
    return {
        "usage_import": usage_import,
        "fault": preview.fault,
        "fields": fields,
        "rows": rows,
        # Of a file that cannot be read like this there is only what came.
        "is_read": not preview.fault,
        "columns": ("Text",) if is_lines else preview.columns,
        "form": form,
        "standard_rows": [row for row in mapping_rows if not row.is_user_defined],
        "user_defined_rows": [row for row in mapping_rows if row.is_user_defined],
        "has_user_defined": any(row.choice.value() != "nothing" for row in mapping_rows if row.is_user_defined),
        "hides_columns": len(preview.columns) > OFFERED_COLUMNS,
        "offered_count": OFFERED_COLUMNS,
        "is_changed": is_changed,
        "may_import": not preview.fault and not is_changed,
        "may_map": may_map(request),
        "back": change_url(usage_import),
        "source_url": change_url(usage_import.source_system),
        "saved_mapping_url": reverse("admin:usage_usageimport_preview", args=[usage_import.pk]),
    }
