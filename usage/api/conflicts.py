"""Lines of an import that contradict a record: looked at and decided."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.bodies import checked_body
from customers.api.idempotency import idempotent
from customers.api.views import checked_id, checked_query
from customers.choices import Scope
from usage.api import import_serializers as shapes
from usage.api.imports import TAGS, ImportView, existing, page_of
from usage.api.line_bodies import DecisionBody
from usage.api.record_actions import translated
from usage.choices import ConflictDecision
from usage.models import UsageConflict
from usage.operations.conflicts import decide_conflict
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


class DecideConflict(ConflictView):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_conflicts_decide",
        summary="Decide a conflict",
        description=(
            "`KEPT`: the record stands. `REPLACED`, while the record is pending: it is cancelled, and a successor says "
            "what the line says. `DISMISSED`: the line is of no matter."
        ),
        request=DecisionBody,
        responses={200: shapes.ConflictSerializer},
    )
    @idempotent
    def post(self, request: Request, import_id: str, conflict_id: str) -> Response:
        conflict = existing_conflict(import_id, conflict_id)
        body = checked_body(DecisionBody, request)
        translated(
            lambda: decide_conflict(
                conflict_id=conflict.id,
                decision=ConflictDecision(body["decision"]),
                at=timezone.now(),
                user_id=self.user_id(request),
                note=body.get("note", ""),
            )
        )
        return Response(shapes.ConflictSerializer(existing_conflict(import_id, conflict_id)).data)


def existing_conflict(import_id: str, conflict_id: str) -> UsageConflict:
    """The conflict of an address. Raises `NotFound`."""
    found = conflicts(existing(import_id).id).filter(id=checked_id(conflict_id)).first()
    if found is None:
        raise NotFound(f"The import has no conflict with the id {conflict_id}.")
    return found
