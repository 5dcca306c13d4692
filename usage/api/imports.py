"""`usage_imports` of the usage API: files of usage, sent and looked up."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponseBase, UnreadablePostError
from django.utils import timezone
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
from customers.api.upload import FORMATS, MULTIPART, Upload, uploaded
from customers.api.views import ApiView, checked_id, checked_query
from customers.choices import Scope
from usage.api import import_serializers as shapes
from usage.choices import Channel, ImportState
from usage.models import UsageImport
from usage.operations.errors import ImportRefused
from usage.operations.imports import import_usage
from usage.operations.stored import receive_file
from usage.queries.imports import source_system_named, usage_imports
from usage.tasks import wake_importers

TAGS = ["usage_imports"]
# Nothing is no file.
CONTENT = {"type": "string", "format": "binary", "minLength": 1}
FORM = {
    "type": "object",
    "properties": {"file": CONTENT},
    "required": ["file"],
    "additionalProperties": False,
}


class ImportView(ApiView):
    """A file may hold any customer's usage: imports are the staff's."""

    staff_model = "usage.usageimport"
    is_staff_only = True


class UsageImportList(ImportView):
    scope = Scope.USAGE_WRITE
    parser_classes = [MultiPartParser]
    is_streamed = True

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
            "CSV, JSON lines or an XLSX workbook, gzipped or not, as the body or as the one file of a form. It is "
            "streamed into the database. Without `wait` the answer is given when it is kept safe, and a worker takes "
            "it in: look at the import. With `wait=true` the answer is given when all of it is in; a file that is at "
            "fault as a whole is then refused with file, line and reason, and nothing of it is taken. The same file "
            "again gives its first import."
        ),
        parameters=[shapes.SendQuery],
        request={**dict.fromkeys(FORMATS, CONTENT), MULTIPART: FORM},
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
        take = self._taken_in if query["wait"] else self._received
        try:
            usage_import = take(request, source.id, upload)
        except ImportRefused as refused:
            answer = self.handle_exception(Refused(str(refused), code="import_refused"))
            return Response({**answer.data, "id": str(refused.usage_import.id)}, status=answer.status_code)
        return Response(shapes.UsageImportSerializer(existing(str(usage_import.id))).data, status=202)

    def _taken_in(self, request: Request, source_system_id: int, upload: Upload) -> UsageImport:
        return import_usage(
            source_system_id=source_system_id,
            file=upload.file,
            file_name=upload.file_name,
            at=timezone.now(),
            user_id=self.user_id(request),
            channel=Channel.API,
            file_format=upload.file_format,
        )

    def _received(self, request: Request, source_system_id: int, upload: Upload) -> UsageImport:
        usage_import = receive_file(
            source_system_id=source_system_id,
            file=upload.file,
            file_name=upload.file_name,
            at=timezone.now(),
            user_id=self.user_id(request),
            channel=Channel.API,
            file_format=upload.file_format,
            is_queued=True,
        )
        if usage_import.state == ImportState.QUEUED:
            transaction.on_commit(lambda: wake_importers(import_id=usage_import.id))
        return usage_import


class UsageImportDetail(ImportView):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_imports_retrieve",
        summary="Show one import",
        responses={200: shapes.UsageImportSerializer},
    )
    def get(self, request: Request, import_id: str) -> Response:  # noqa: ARG002
        return Response(shapes.UsageImportSerializer(existing(import_id)).data)


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
