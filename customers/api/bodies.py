"""Bodies of writes: JSON objects of which every member is read."""

from typing import Any, ClassVar, TypeVar

from rest_framework import serializers
from rest_framework.request import Request

from customers.api.views import refuse_unknown_members

Body = TypeVar("Body", bound="StrictSerializer")


class StrictSerializer(serializers.Serializer[Any]):
    """A body that has the declared members and no others; so the document says, too (`config.api.schema`).

    `shape` is what else the document says of the object, which `validate` checks.
    """

    shape: ClassVar[dict[str, Any]] = {}

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown_members(data, set(self.fields))
        return super().to_internal_value(data)


def checked_body(serializer_class: type[Body], request: Request) -> dict[str, Any]:
    """The body that was sent, checked by the serializer. Raises `ValidationError` that names each member."""
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
