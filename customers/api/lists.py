"""Pages of lists: by ids in the backend API, by cursors in the others. Both by keyset: a deep page costs no more."""

from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.fields import BIGINT_MAX, InstantField

Row = TypeVar("Row", bound=Model)

BACKEND_LIMIT = 100
BACKEND_LIMIT_MAX = 1000

BACKEND_LIST_HEADERS = [
    OpenApiParameter(
        "X-Total-Count", int, OpenApiParameter.HEADER, response=[200], description="How many match, on all pages."
    ),
    OpenApiParameter(
        "Link",
        str,
        OpenApiParameter.HEADER,
        response=[200],
        description='The next page, as rel="next"; not on the last.',
    ),
]


class BackendListQuery(serializers.Serializer[Any]):
    """What every list of the backend API can be asked."""

    idAfter = serializers.IntegerField(  # noqa: N815  the API's spelling
        required=False, min_value=0, max_value=BIGINT_MAX, help_text="Only ids above it."
    )
    createdSince = InstantField(required=False, help_text="Made at this time or later.")  # noqa: N815
    updatedSince = InstantField(required=False, help_text="Made or changed at this time or later.")  # noqa: N815
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=BACKEND_LIMIT_MAX, default=BACKEND_LIMIT, help_text="Rows of a page."
    )
    offset = serializers.IntegerField(
        required=False, min_value=0, max_value=BIGINT_MAX, default=0, help_text="Rows to leave out first."
    )


def backend_rows(
    rows: QuerySet[Row], query: dict[str, Any], *, created: str = "created_at", updated: str = "updated_at"
) -> tuple[list[Row], bool, int]:
    """One page of the rows by id, whether there is another, and how many there are without `idAfter`.

    `created` and `updated` are the model's columns of those times.
    """
    if "createdSince" in query:
        rows = rows.filter(**{f"{created}__gte": query["createdSince"]})
    if "updatedSince" in query:
        rows = rows.filter(**{f"{updated}__gte": query["updatedSince"]})
    total = rows.count()
    if "idAfter" in query:
        rows = rows.filter(id__gt=query["idAfter"])
    first = query["offset"]
    page = list(rows.order_by("id")[first : first + query["limit"] + 1]) if first < total else []
    return page[: query["limit"]], len(page) > query["limit"], total


def backend_list(request: Request, data: list[Any], *, has_next: bool, total: int, last_id: int | None) -> Response:
    """The plain array, with its count and the address of the next page in headers."""
    response = Response(data, headers={"X-Total-Count": str(total)})
    if has_next:
        kept = {name: text for name, text in request.query_params.items() if name not in {"idAfter", "offset"}}
        address = f"{request.build_absolute_uri(request.path)}?{urlencode({**kept, 'idAfter': last_id})}"
        response.headers["Link"] = f'<{address}>; rel="next"'
    return response


def cut(rows: Iterable[Row], limit: int) -> tuple[list[Row], bool]:
    """The page of `limit` rows, of which one more was read, and whether there is another page."""
    page = list(rows)
    return page[:limit], len(page) > limit
