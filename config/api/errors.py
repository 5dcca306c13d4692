"""Every answer that is an error: a JSON object, whatever went wrong and wherever."""

import re
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error

from customers.api.exceptions import Conflict, TooLarge
from invoicing.adapters.storage import StorageAway

API_PATH = re.compile(r"/(backend|billing|usage|api)(/|\Z)")


class ServiceUnavailable(exceptions.APIException):
    """The database, or what else is needed, does not answer."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The database does not answer. Try again later."
    default_code = "unavailable"


ANSWERS: list[tuple[type[Exception], exceptions.APIException]] = [
    (Http404, exceptions.NotFound()),
    (PermissionDenied, exceptions.PermissionDenied()),
    (RequestDataTooBig, TooLarge()),
    (DataError, exceptions.ValidationError("A value does not fit: the database cannot hold it.")),
    (IntegrityError, Conflict("The database refused it: it contradicts what is stored.")),
    (OperationalError, ServiceUnavailable()),
    (StorageAway, ServiceUnavailable(str(StorageAway()))),
]


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:  # noqa: ARG001
    """The answer to an exception in a view. None for what is our fault: that is logged and becomes a 500."""
    known = _as_api_exception(error)
    if known is None:
        return None
    headers = {}
    if auth_header := getattr(known, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(known, "wait", None)) is not None:
        headers["Retry-After"] = str(wait)
    return Response(_body(known), status=known.status_code, headers=headers)


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, DjangoValidationError):
        return exceptions.ValidationError(as_serializer_error(error))
    return next((answer for kind, answer in ANSWERS if isinstance(error, kind)), None)


def _body(error: exceptions.APIException) -> dict[str, Any]:
    errors = _by_field(error.detail) if isinstance(error, exceptions.ValidationError) else {}
    codes = error.get_codes()
    return {
        "title": HTTPStatus(error.status_code).phrase,
        "detail": _sentence(errors) if errors else str(error.detail),
        "status": str(int(error.status_code)),
        "code": codes if isinstance(codes, str) else error.default_code,
        "errors": errors,
        # What else a refusal shows.
        **getattr(error, "members", {}),
    }


def _by_field(detail: Any, field: str = "") -> dict[str, list[str]]:
    """The messages of each field; of a nested one by its path with dots."""
    if isinstance(detail, dict):
        parts = [_by_field(inner, f"{field}.{name}".lstrip(".")) for name, inner in detail.items()]
    elif isinstance(detail, list) and any(isinstance(inner, (dict, list)) for inner in detail):
        parts = [_by_field(inner, f"{field}.{number}".lstrip(".")) for number, inner in enumerate(detail)]
    else:
        return {field or "non_field_errors": [str(text) for text in (detail if isinstance(detail, list) else [detail])]}
    return {name: messages for part in parts for name, messages in part.items()}


def _sentence(errors: dict[str, list[str]]) -> str:
    return " ".join(
        " ".join(messages) if field == "non_field_errors" else f"{field}: {' '.join(messages)}"
        for field, messages in errors.items()
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 from outside the views, such as a host name that is not allowed."""
    return _plain(request, HTTPStatus.BAD_REQUEST, "bad_request") or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 from outside the views."""
    return _plain(request, HTTPStatus.FORBIDDEN, "permission_denied") or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 from outside the views."""
    return _plain(request, HTTPStatus.NOT_FOUND, "not_found") or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: what we did not foresee. It is logged; the answer says nothing of it."""
    return _plain(request, HTTPStatus.INTERNAL_SERVER_ERROR, "error") or defaults.server_error(request)


def _plain(request: HttpRequest, status: HTTPStatus, code: str) -> JsonResponse | None:
    """The error as JSON below the APIs' prefixes; None elsewhere, where Django's pages are right."""
    if not API_PATH.match(request.path):
        return None
    body = {
        "title": status.phrase,
        "detail": f"{status.description}." if status.description else f"{status.phrase}.",
        "status": str(int(status)),
        "code": code,
        "errors": {},
    }
    return JsonResponse(body, status=status)
