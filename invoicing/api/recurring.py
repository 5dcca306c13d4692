"""`recurringCharges` of the backend API."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS
from customers.api.price_lists import PriceListView, checked, existing, page, translated
from customers.api.views import checked_query
from invoicing.api.recurring_serializers import RecurringChargeListQuery, RecurringChargeSerializer
from invoicing.models import RecurringCharge
from invoicing.operations.recurring_charges import (
    RecurringChargeValues,
    create_recurring_charge,
    delete_recurring_charge,
    update_recurring_charge,
)

TAGS = ["recurringCharges"]
UPDATE = (
    "Members that are not given stay as they are. Another price is for periods to come: what was charged stays, and "
    "so do subscription, start, timing, alignment and months once a period was charged: another one is a 409."
)
REFERENCES = ("subscription", "service", "product", "tax_rate")


class RecurringChargeView(PriceListView):
    staff_model = "invoicing.recurringcharge"


class RecurringChargeList(RecurringChargeView):
    @extend_schema(
        tags=TAGS,
        operation_id="recurringCharges_list",
        summary="List recurring charges by id",
        parameters=[RecurringChargeListQuery, *BACKEND_LIST_HEADERS],
        responses={200: RecurringChargeSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(RecurringChargeListQuery, request)
        rows = shown_charges()
        if "subscriptionID" in query:
            rows = rows.filter(subscription=query["subscriptionID"])
        return page(request, rows, RecurringChargeSerializer, query)

    @extend_schema(
        tags=TAGS,
        operation_id="recurringCharges_create",
        summary="Make a recurring charge",
        request=RecurringChargeSerializer,
        responses={201: RecurringChargeSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = charge_values(checked(RecurringChargeSerializer, request))
        charge = translated(lambda: create_recurring_charge(values=values))
        return Response(shown(charge.id), status=201)


class RecurringChargeDetail(RecurringChargeView):
    @extend_schema(
        tags=TAGS,
        operation_id="recurringCharges_retrieve",
        summary="Show one recurring charge",
        responses={200: RecurringChargeSerializer},
    )
    def get(self, request: Request, charge_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(RecurringCharge.objects.all(), charge_id).id))

    @extend_schema(
        tags=TAGS,
        operation_id="recurringCharges_update",
        summary="Change a recurring charge",
        description=UPDATE,
        request=RecurringChargeSerializer,
        responses={200: RecurringChargeSerializer},
    )
    @idempotent
    def put(self, request: Request, charge_id: str) -> Response:
        return self._change(request, charge_id)

    @extend_schema(
        tags=TAGS,
        operation_id="recurringCharges_partial_update",
        summary="Change a recurring charge",
        description=UPDATE,
        request=RecurringChargeSerializer,
        responses={200: RecurringChargeSerializer},
    )
    @idempotent
    def patch(self, request: Request, charge_id: str) -> Response:
        return self._change(request, charge_id)

    @extend_schema(
        tags=TAGS,
        operation_id="recurringCharges_destroy",
        summary="Delete a recurring charge that was never charged",
        request=None,
        responses={204: None},
    )
    @idempotent
    def delete(self, request: Request, charge_id: str) -> Response:  # noqa: ARG002
        charge = existing(RecurringCharge.objects.all(), charge_id)
        translated(lambda: delete_recurring_charge(recurring_charge_id=charge.id))
        return Response(status=204)

    def _change(self, request: Request, charge_id: str) -> Response:
        charge = existing(RecurringCharge.objects.all(), charge_id)
        changes = charge_values(checked(RecurringChargeSerializer, request, charge))
        translated(lambda: update_recurring_charge(recurring_charge_id=charge.id, changes=changes))
        return Response(shown(charge.id))


def charge_values(validated: dict[str, Any]) -> RecurringChargeValues:
    """The validated members as the operations take them: what they refer to by its id."""
    values = dict(validated)
    for name in REFERENCES:
        if name in values:
            referred = values.pop(name)
            values[f"{name}_id"] = None if referred is None else referred.pk
    return cast("RecurringChargeValues", values)


def shown_charges() -> QuerySet[RecurringCharge]:
    """Charges with what they name."""
    return RecurringCharge.objects.select_related("subscription", "service", "product", "tax_rate")


def shown(charge_id: int) -> dict[str, Any]:
    """The charge as it is stored now."""
    return dict(RecurringChargeSerializer(shown_charges().get(id=charge_id)).data)
