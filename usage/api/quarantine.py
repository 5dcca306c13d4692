"""Lines of an import that became no record: looked at, corrected, tried again, dismissed."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.bodies import checked_body
from customers.api.exceptions import Conflict, Refused
from customers.api.idempotency import idempotent
from customers.api.views import checked_id, checked_query
from customers.choices import Scope
from usage.api import import_serializers as shapes
from usage.api.imports import TAGS, ImportView, existing, page_of
from usage.api.line_bodies import CorrectionBody, DismissBody
from usage.models import QuarantinedLine
from usage.operations.errors import ImportConflict, LineRefused
from usage.operations.reprocess import correct_line, dismiss_line, reprocess_lines
from usage.queries.imports import quarantined_lines

Result = TypeVar("Result")


class LineView(ImportView):
    staff_model = "usage.quarantinedline"
    staff_verbs = {"POST": "change", "PATCH": "change"}
    scope = Scope.USAGE_WRITE


class UsageImportQuarantine(LineView):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_quarantine",
        summary="List the import's lines that became no record",
        parameters=[shapes.QuarantineQuery],
        responses={200: shapes.QuarantinePageSerializer},
    )
    def get(self, request: Request, import_id: str) -> Response:
        query = checked_query(shapes.QuarantineQuery, request)
        rows = quarantined_lines(existing(import_id).id)
        rows = rows.filter(**{name: query[name] for name in ("state", "reason") if name in query})
        if query["cursor"]:
            rows = rows.filter(line_number__gt=query["cursor"][0])
        return Response(page_of(rows, query, "line_number", shapes.QUARANTINE, shapes.QuarantinePageSerializer))


class QuarantinedLineDetail(LineView):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_quarantine_retrieve",
        summary="Show a line in quarantine",
        responses={200: shapes.QuarantinedLineSerializer},
    )
    def get(self, request: Request, import_id: str, line_id: str) -> Response:  # noqa: ARG002
        return shown_line(existing_line(import_id, line_id))

    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_quarantine_correct",
        summary="Correct a line in quarantine",
        description=(
            "By `values` of columns, or by the `text` of the whole row, in the columns and the format of its file. "
            "`raw_text` stays as it came. Trying it again is another step: `reprocess`."
        ),
        request=CorrectionBody,
        responses={200: shapes.QuarantinedLineSerializer},
    )
    @idempotent
    def patch(self, request: Request, import_id: str, line_id: str) -> Response:
        line = existing_line(import_id, line_id)
        body = checked_body(CorrectionBody, request)
        translated(lambda: correct_line(line_id=line.id, values=body.get("values"), text=body.get("text")))
        return shown_line(existing_line(import_id, line_id))


class DismissQuarantinedLine(LineView):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_quarantine_dismiss",
        summary="Dismiss a line in quarantine",
        description="For good: it will not become a record. The note says why.",
        request=DismissBody,
        responses={200: shapes.QuarantinedLineSerializer},
    )
    @idempotent
    def post(self, request: Request, import_id: str, line_id: str) -> Response:
        line = existing_line(import_id, line_id)
        body = checked_body(DismissBody, request)
        translated(
            lambda: dismiss_line(line_id=line.id, note=body["note"], at=timezone.now(), user_id=self.user_id(request))
        )
        return shown_line(existing_line(import_id, line_id))


class ReprocessQuarantinedLine(LineView):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_quarantine_reprocess",
        summary="Try a line in quarantine again",
        description="As it was corrected, or else as it came. What is still wrong with it is in the line then.",
        request=None,
        responses={200: shapes.ReprocessedLineSerializer},
    )
    @idempotent
    def post(self, request: Request, import_id: str, line_id: str) -> Response:
        line = existing_line(import_id, line_id)
        tried = translated(
            lambda: reprocess_lines(
                import_id=line.usage_import_id, at=timezone.now(), user_id=self.user_id(request), line_ids=[line.id]
            )
        )
        shown = shapes.QuarantinedLineSerializer(existing_line(import_id, line_id)).data
        return Response({**shapes.ReprocessedSerializer(tried).data, "line": shown})


class ReprocessImport(LineView):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_reprocess",
        summary="Try all open lines in quarantine again",
        request=None,
        responses={200: shapes.ReprocessedSerializer},
    )
    @idempotent
    def post(self, request: Request, import_id: str) -> Response:
        usage_import = existing(import_id)
        tried = translated(
            lambda: reprocess_lines(import_id=usage_import.id, at=timezone.now(), user_id=self.user_id(request))
        )
        return Response(shapes.ReprocessedSerializer(tried).data)


def existing_line(import_id: str, line_id: str) -> QuarantinedLine:
    """The line of an address. Raises `NotFound`."""
    found = quarantined_lines(existing(import_id).id).filter(id=checked_id(line_id)).first()
    if found is None:
        raise NotFound(f"The import has no line in quarantine with the id {line_id}.")
    return found


def shown_line(line: QuarantinedLine) -> Response:
    """The line as it is stored now."""
    data: dict[str, Any] = dict(shapes.QuarantinedLineSerializer(line).data)
    return Response(data)


def translated(operation: Callable[[], Result]) -> Result:
    """What the operation gives; its refusals as the API answers them. Raises `Conflict`, `Refused`."""
    try:
        return operation()
    except ImportConflict as error:
        raise Conflict(str(error), code="wrong_state") from error
    except LineRefused as error:
        raise Refused(str(error)) from error
