"""`publicHolidays` of the backend API."""
# ruff: noqa: N815  the API's members are in camelCase

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import PublicHoliday
from catalog.operations.holidays import (
    add_public_holiday,
    add_public_holidays,
    delete_public_holiday,
    rename_public_holiday,
)
from customers.api.bodies import StrictSerializer, checked_body
from customers.api.exceptions import Conflict
from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery
from customers.api.price_lists import PriceListView, checked, existing, page, translated
from customers.api.price_serializers import COUNTRY, PublicHolidaySerializer
from customers.api.views import checked_query

TAGS = ["publicHolidays"]
UPDATE = "Its name only: another country or another day is a 409."


class HolidayQuery(BackendListQuery):
    """What the list of public holidays can be asked."""

    country = serializers.RegexField(COUNTRY, required=False, help_text="Of this country only.")


class CalendarBody(StrictSerializer):
    """Whose public holidays to add, and of which years."""

    country = serializers.RegexField(COUNTRY)
    firstYear = serializers.IntegerField(min_value=1900, max_value=2200)
    lastYear = serializers.IntegerField(min_value=1900, max_value=2200)


class CalendarSerializer(serializers.Serializer[Any]):
    """How many holidays are new, and how many were there already."""

    addedCount = serializers.IntegerField(source="added_count")
    knownCount = serializers.IntegerField(source="known_count")


class PublicHolidayView(PriceListView):
    staff_model = "catalog.publicholiday"


class PublicHolidayList(PublicHolidayView):
    @extend_schema(
        tags=TAGS,
        operation_id="publicHolidays_list",
        summary="List public holidays by id",
        parameters=[HolidayQuery, *BACKEND_LIST_HEADERS],
        responses={200: PublicHolidaySerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(HolidayQuery, request)
        rows = PublicHoliday.objects.all()
        if "country" in query:
            rows = rows.filter(country=query["country"])
        return page(request, rows, PublicHolidaySerializer, query)

    @extend_schema(
        tags=TAGS,
        operation_id="publicHolidays_create",
        summary="Add one public holiday",
        request=PublicHolidaySerializer,
        responses={201: PublicHolidaySerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = checked(PublicHolidaySerializer, request)
        holiday = translated(lambda: add_public_holiday(**values))
        return Response(shown(holiday.id), status=201)


class PublicHolidayCalendar(PublicHolidayView):
    @extend_schema(
        tags=TAGS,
        operation_id="publicHolidays_addCountry",
        summary="Add the public holidays that a country has in some years",
        description="Of the whole country, not of its parts. Days that are there already stay as they are.",
        request=CalendarBody,
        responses={200: CalendarSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        body = checked_body(CalendarBody, request)
        years = range(body["firstYear"], body["lastYear"] + 1)
        added = translated(lambda: add_public_holidays(country=body["country"], years=years))
        return Response(CalendarSerializer(added).data)


class PublicHolidayDetail(PublicHolidayView):
    @extend_schema(
        tags=TAGS,
        operation_id="publicHolidays_retrieve",
        summary="Show one public holiday",
        responses={200: PublicHolidaySerializer},
    )
    def get(self, request: Request, holiday_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(PublicHoliday.objects.all(), holiday_id).id))

    @extend_schema(
        tags=TAGS,
        operation_id="publicHolidays_update",
        summary="Rename a public holiday",
        description=UPDATE,
        request=PublicHolidaySerializer,
        responses={200: PublicHolidaySerializer},
    )
    @idempotent
    def put(self, request: Request, holiday_id: str) -> Response:
        return self._change(request, holiday_id)

    @extend_schema(
        tags=TAGS,
        operation_id="publicHolidays_partial_update",
        summary="Rename a public holiday",
        description=UPDATE,
        request=PublicHolidaySerializer,
        responses={200: PublicHolidaySerializer},
    )
    @idempotent
    def patch(self, request: Request, holiday_id: str) -> Response:
        return self._change(request, holiday_id)

    @extend_schema(
        tags=TAGS,
        operation_id="publicHolidays_destroy",
        summary="Delete a public holiday that no usage was priced by",
        request=None,
        responses={204: None},
    )
    @idempotent
    def delete(self, request: Request, holiday_id: str) -> Response:  # noqa: ARG002
        holiday = existing(PublicHoliday.objects.all(), holiday_id)
        translated(lambda: delete_public_holiday(holiday_id=holiday.id, on=timezone.localdate()))
        return Response(status=204)

    def _change(self, request: Request, holiday_id: str) -> Response:
        holiday = existing(PublicHoliday.objects.all(), holiday_id)
        changes = checked(PublicHolidaySerializer, request, holiday)
        if any(changes.get(name, getattr(holiday, name)) != getattr(holiday, name) for name in ("country", "day")):
            raise Conflict("A public holiday keeps its country and its day: delete it, and add another one.")
        if "name" in changes:
            rename_public_holiday(holiday_id=holiday.id, name=changes["name"])
        return Response(shown(holiday.id))


def shown(holiday_id: int) -> dict[str, Any]:
    """The holiday as it is stored now."""
    return dict(PublicHolidaySerializer(PublicHoliday.objects.get(id=holiday_id)).data)
