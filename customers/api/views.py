"""What every view of the APIs has in common."""

import io
import re
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from customers.api.exceptions import TooLarge
from customers.api.fields import BIGINT_MAX
from customers.choices import Scope
from customers.models import ApiKey

Query = TypeVar("Query", bound="serializers.Serializer[Any]")

STAFF_VERBS = {"POST": "add", "PATCH": "change", "PUT": "change", "DELETE": "delete"}


class ApiView(APIView):
    """A view that names the scope of its writes, the model that staff need a permission on, and whom it is for."""

    scope: ClassVar[str] = Scope.WRITE
    staff_model: ClassVar[str]
    staff_verbs: ClassVar[dict[str, str]] = STAFF_VERBS
    # What staff need besides: where an answer tells of more than the model.
    more_permissions: ClassVar[tuple[str, ...]] = ()
    is_staff_only: ClassVar[bool] = False
    # Whether the view reads the body itself, as a stream.
    is_streamed: ClassVar[bool] = False

    def staff_permission(self, method: str) -> str:
        """The Django permission that a staff user needs for the method, such as `billing.add_billingrun`."""
        app, model = self.staff_model.split(".")
        return f"{app}.{self.staff_verbs.get(method, 'view')}_{model}"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.is_streamed:
            hold_chunks(request)

    def own_customer_id(self, request: Request) -> int | None:
        """The only customer that the caller sees, or None for staff."""
        return request.auth.customer_id if isinstance(request.auth, ApiKey) else None

    def user_id(self, request: Request) -> int | None:
        """The staff user who asks, by login or by key."""
        return request.user.pk if request.user.is_authenticated else None


def hold_chunks(request: Request) -> None:
    """Read a chunked body, which says no length, and is no body at all to the framework. Raises `TooLarge`."""
    environ = request.META
    if not is_chunked(environ):
        return
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = environ["wsgi.input"].read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"A body has at most {limit} bytes.")
    environ["CONTENT_LENGTH"] = str(len(body))
    # The framework keeps Django's request, which is what can be read, to itself.
    request._request._stream = io.BytesIO(body)  # noqa: SLF001


def is_chunked(environ: dict[str, Any]) -> bool:
    """Whether the body comes in chunks, and the server reads it to its last one, or fails."""
    return "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and bool(environ.get("wsgi.input_terminated"))


def checked_query(serializer_class: type["serializers.Serializer[Any]"], request: Request) -> dict[str, Any]:
    """The query of the URL, checked by the serializer. Raises `ValidationError` that names each parameter."""
    serializer = serializer_class(data=request.query_params.dict())
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def checked_id(text: str) -> int:
    """An id from a path. What cannot be an id, by its letters or by its size, is not found. Raises `NotFound`."""
    if re.fullmatch(r"[1-9][0-9]{0,18}", text) and int(text) <= BIGINT_MAX:
        return int(text)
    raise NotFound(f"There is nothing with the id {text[:50]!a}.")


def refuse_unknown_members(data: object, known: set[str]) -> None:
    """A member that nobody reads is a typing error that would be lost silently. Raises `ValidationError`."""
    if isinstance(data, dict):
        unknown = sorted(str(name) for name in data if name not in known)
        if unknown:
            raise ValidationError({name: ["There is no such member."] for name in unknown})
