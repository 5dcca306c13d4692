"""Lines of an import that contradict a record: looked at and decided."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.views import checked_id, checked_query
from customers.choices import Scope
from usage.api import import_serializers as shapes
from usage.api.imports import TAGS, ImportView, existing, page_of
from usage.models import UsageConflict
from usage.queries.imports import conflicts


class ConflictView(ImportView):
    staff_model = "usage.usageconflict"
    staff_verbs = {"POST": "change"}
    scope = Scope.USAGE_WRITE


class UsageImportConflicts(ConflictView):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_conflicts",
        summary="List the import's lines that contradict a record",
        parameters=[shapes.ConflictQuery],
        responses={200: shapes.ConflictPageSerializer},
    )
    def get(self, request: Request, import_id: str) -> Response:
        query = checked_query(shapes.ConflictQuery, request)
        rows = conflicts(existing(import_id).id)
        if "decision" in query:
            rows = rows.filter(decision=query["decision"])
        if query["cursor"]:
            rows = rows.filter(line_number__gt=query["cursor"][0])
        return Response(page_of(rows, query, "line_number", shapes.CONFLICTS, shapes.ConflictPageSerializer))


def existing_conflict(import_id: str, conflict_id: str) -> UsageConflict:
    """The conflict of an address. Raises `NotFound`."""
    found = conflicts(existing(import_id).id).filter(id=checked_id(conflict_id)).first()
    if found is None:
        raise NotFound(f"The import has no conflict with the id {conflict_id}.")
    return found
