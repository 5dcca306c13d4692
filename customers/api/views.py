"""What every view of the APIs has in common."""

import re
from typing import Any, ClassVar, TypeVar

from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

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
    is_staff_only: ClassVar[bool] = False

    def staff_permission(self, method: str) -> str:
        """The Django permission that a staff user needs for the method, such as `billing.add_billingrun`."""
        app, model = self.staff_model.split(".")
        return f"{app}.{self.staff_verbs.get(method, 'view')}_{model}"

    def own_customer_id(self, request: Request) -> int | None:
        """The only customer that the caller sees, or None for staff."""
        return request.auth.customer_id if isinstance(request.auth, ApiKey) else None

    def user_id(self, request: Request) -> int | None:
        """The staff user who asks, by login or by key."""
        return request.user.pk if request.user.is_authenticated else None


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
