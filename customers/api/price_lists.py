"""What the views of price lists have in common: pages, objects by id, and refusals as the API answers them."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from catalog.operations.refusals import CatalogConflict, CatalogRefused
from customers.api.bodies import StrictSerializer
from customers.api.exceptions import Conflict, Refused
from customers.api.lists import backend_list, backend_rows
from customers.api.views import ApiView, checked_id

Result = TypeVar("Result")
Row = TypeVar("Row", bound=Model)


class PriceListView(ApiView):
    """Price lists are the staff's."""

    is_staff_only = True


def page(
    request: Request, rows: QuerySet[Row], serializer_class: type[BaseSerializer[Any]], query: dict[str, Any]
) -> Response:
    """One page of the rows by id."""
    found, has_next, total = backend_rows(rows, query)
    data = list(serializer_class(found, many=True).data)
    return backend_list(request, data, has_next=has_next, total=total, last_id=found[-1].pk if found else None)


def existing(rows: QuerySet[Row], text: str) -> Row:
    """The row of an address. Raises `NotFound`."""
    row = rows.filter(id=checked_id(text)).first()
    if row is None:
        raise NotFound(f"There is no {rows.model._meta.verbose_name} with the id {text}.")
    return row


def translated(operation: Callable[[], Result]) -> Result:
    """What the operation gives; its refusals as the API answers them. Raises `Conflict`, `Refused`."""
    try:
        return operation()
    except CatalogConflict as error:
        raise Conflict(str(error)) from error
    except CatalogRefused as error:
        raise Refused(str(error)) from error


def checked(serializer_class: type[StrictSerializer], request: Request, row: Model | None = None) -> dict[str, Any]:
    """The body, checked; where there is a row already, whatever members are given. Raises `ValidationError`."""
    serializer = serializer_class(row, data=request.data, partial=row is not None)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
