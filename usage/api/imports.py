"""`usage_imports` of the usage API: files of usage, sent and looked up."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase, UnreadablePostError
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ParseError, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.exceptions import Refused
from customers.api.fields import cursor
from customers.api.idempotency import answer_once
from customers.api.lists import cut
from customers.api.views import ApiView, checked_id, checked_query
from customers.choices import Scope
from usage.api import import_serializers as shapes
from usage.api.upload import Upload, uploaded
from usage.models import UsageImport
from usage.operations.errors import ImportRefused
from usage.operations.imports import import_usage
from usage.queries.imports import conflicts, quarantined_lines, source_system_named, usage_imports

TAGS = ["usage_imports"]
FORM = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}


class ImportView(ApiView):
    """A file may hold any customer's usage: imports are the staff's."""

    staff_model = "usage.usageimport"
    is_staff_only = True


class UsageImportList(ImportView):
    scope = Scope.USAGE_WRITE
    parser_classes = [MultiPartParser]

    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_list",
        summary="List imports, newest first",
        parameters=[shapes.ImportListQuery],
        responses={200: shapes.UsageImportPageSerializer},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(shapes.ImportListQuery, request)
        rows = usage_imports().order_by("-id")
        if query["cursor"]:
            rows = rows.filter(id__lt=query["cursor"][0])
        return Response(page_of(rows, query, "id", shapes.IMPORTS, shapes.UsageImportPageSerializer))

    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_create",
        summary="Send a file of usage",
        description=(
            "CSV, gzipped or not, as the body or as the one file of a form. It is streamed into the database; the "
            "answer is given when all of it is in. The same file again gives its first import. A file that is at "
            "fault as a whole is refused with file, line and reason, and nothing of it is taken."
        ),
        parameters=[shapes.SendQuery],
        request={"text/csv": OpenApiTypes.BINARY, "application/gzip": OpenApiTypes.BINARY, "multipart/form-data": FORM},
        responses={202: shapes.UsageImportSerializer, 422: shapes.RefusedImportSerializer},
    )
    def post(self, request: Request) -> HttpResponseBase:
        query = checked_query(shapes.SendQuery, request)
        try:
            upload = uploaded(request, file_name=query["file_name"])
            return answer_once(
                self, request, lambda: self._taken(request, query, upload), digest=upload.stream.sha256_of_all
            )
        except UnreadablePostError as error:
            raise ParseError("The body broke off before its end: nothing of it was taken.") from error

    def _taken(self, request: Request, query: dict[str, Any], upload: Upload) -> Response:
        source = source_system_named(query["source_system"])
        if source is None:
            raise ValidationError({"source_system": [f"There is no source system “{query['source_system']}”."]})
        try:
            usage_import = import_usage(
                source_system_id=source.id,
                file=upload.file(),
                file_name=upload.file_name,
                at=timezone.now(),
                user_id=self.user_id(request),
            )
        except ImportRefused as refused:
            answer = self.handle_exception(Refused(str(refused), code="import_refused"))
            return Response({**answer.data, "id": str(refused.usage_import.id)}, status=answer.status_code)
        shown = usage_imports().get(id=usage_import.id)
        return Response(shapes.UsageImportSerializer(shown).data, status=202)


class UsageImportDetail(ImportView):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_retrieve",
        summary="Show one import",
        responses={200: shapes.UsageImportSerializer},
    )
    def get(self, request: Request, import_id: str) -> Response:  # noqa: ARG002
        return Response(shapes.UsageImportSerializer(existing(import_id)).data)


class UsageImportQuarantine(ImportView):
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
        if query["cursor"]:
            rows = rows.filter(line_number__gt=query["cursor"][0])
        return Response(page_of(rows, query, "line_number", shapes.QUARANTINE, shapes.QuarantinePageSerializer))


class UsageImportConflicts(ImportView):
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
        if query["cursor"]:
            rows = rows.filter(line_number__gt=query["cursor"][0])
        return Response(page_of(rows, query, "line_number", shapes.CONFLICTS, shapes.ConflictPageSerializer))


def existing(import_id: str) -> UsageImport:
    """The import of an address. Raises `NotFound`."""
    found = usage_imports().filter(id=checked_id(import_id)).first()
    if found is None:
        raise NotFound(f"There is no usage import with the id {import_id}.")
    return found


def page_of(
    rows: QuerySet[Any], query: dict[str, Any], key: str, of: str, serializer_class: type[serializers.Serializer[Any]]
) -> dict[str, Any]:
    """One page of ordered rows with the cursor of the next, which goes on after the last row's `key`."""
    page, has_next = cut(rows[: query["limit"] + 1], query["limit"])
    next_cursor = cursor(of=of, after=[getattr(page[-1], key)]) if has_next else ""
    return dict(serializer_class({"data": page, "meta": {"limit": len(page), "next_cursor": next_cursor}}).data)
