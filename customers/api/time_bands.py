"""`timeBands` of the backend API."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import TimeBand
from catalog.operations.time_bands import create_time_band, delete_time_band, update_time_band
from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery
from customers.api.price_lists import PriceListView, checked, existing, page, translated
from customers.api.price_serializers import TimeBandSerializer
from customers.api.views import checked_query

TAGS = ["timeBands"]
UPDATE = "Members that are not given stay as they are. Hours of a band that a rate is for stay: other hours are a 409."


class TimeBandView(PriceListView):
    staff_model = "catalog.timeband"


class TimeBandList(TimeBandView):
    @extend_schema(
        tags=TAGS,
        operation_id="timeBands_list",
        summary="List time bands by id",
        parameters=[BackendListQuery, *BACKEND_LIST_HEADERS],
        responses={200: TimeBandSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        return page(request, shown_bands(), TimeBandSerializer, checked_query(BackendListQuery, request))

    @extend_schema(
        tags=TAGS,
        operation_id="timeBands_create",
        summary="Make a time band with its hours",
        request=TimeBandSerializer,
        responses={201: TimeBandSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = checked(TimeBandSerializer, request)
        band = translated(lambda: create_time_band(**values))
        return Response(shown(band.id), status=201)


class TimeBandDetail(TimeBandView):
    @extend_schema(
        tags=TAGS, operation_id="timeBands_retrieve", summary="Show one time band", responses={200: TimeBandSerializer}
    )
    def get(self, request: Request, band_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(TimeBand.objects.all(), band_id).id))

    @extend_schema(
        tags=TAGS,
        operation_id="timeBands_update",
        summary="Change a time band",
        description=UPDATE,
        request=TimeBandSerializer,
        responses={200: TimeBandSerializer},
    )
    @idempotent
    def put(self, request: Request, band_id: str) -> Response:
        return self._change(request, band_id)

    @extend_schema(
        tags=TAGS,
        operation_id="timeBands_partial_update",
        summary="Change a time band",
        description=UPDATE,
        request=TimeBandSerializer,
        responses={200: TimeBandSerializer},
    )
    @idempotent
    def patch(self, request: Request, band_id: str) -> Response:
        return self._change(request, band_id)

    @extend_schema(
        tags=TAGS,
        operation_id="timeBands_destroy",
        summary="Delete a time band that nothing is for",
        request=None,
        responses={204: None},
    )
    @idempotent
    def delete(self, request: Request, band_id: str) -> Response:  # noqa: ARG002
        band = existing(TimeBand.objects.all(), band_id)
        translated(lambda: delete_time_band(time_band_id=band.id))
        return Response(status=204)

    def _change(self, request: Request, band_id: str) -> Response:
        band = existing(TimeBand.objects.all(), band_id)
        changes = checked(TimeBandSerializer, request, band)
        translated(lambda: update_time_band(time_band_id=band.id, **changes))
        return Response(shown(band.id))


def shown_bands() -> QuerySet[TimeBand]:
    """Bands with their hours."""
    return TimeBand.objects.prefetch_related("hours")


def shown(band_id: int) -> dict[str, Any]:
    """The band as it is stored now."""
    return dict(TimeBandSerializer(shown_bands().get(id=band_id)).data)
