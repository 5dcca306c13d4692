"""`coupons` of the backend API."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery
from customers.api.price_lists import PriceListView, checked, existing, page, translated
from customers.api.views import checked_query
from invoicing.api.credit_serializers import CouponSerializer
from invoicing.models import Coupon
from invoicing.operations.credits import CouponValues, create_coupon, delete_coupon, update_coupon

TAGS = ["coupons"]
UPDATE = "Members that are not given stay as they are. Who has redeemed it keeps the terms of then."


class CouponView(PriceListView):
    staff_model = "invoicing.coupon"


class CouponList(CouponView):
    @extend_schema(
        tags=TAGS,
        operation_id="coupons_list",
        summary="List coupons by id",
        parameters=[BackendListQuery, *BACKEND_LIST_HEADERS],
        responses={200: CouponSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(BackendListQuery, request)
        return page(request, Coupon.objects.all(), CouponSerializer, query)

    @extend_schema(
        tags=TAGS,
        operation_id="coupons_create",
        summary="Make a coupon",
        request=CouponSerializer,
        responses={201: CouponSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = coupon_values(checked(CouponSerializer, request))
        made = translated(lambda: create_coupon(values=values))
        return Response(shown(made.pk), status=201)


class CouponDetail(CouponView):
    @extend_schema(
        tags=TAGS, operation_id="coupons_retrieve", summary="Show one coupon", responses={200: CouponSerializer}
    )
    def get(self, request: Request, coupon_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(Coupon.objects.all(), coupon_id).pk))

    @extend_schema(
        tags=TAGS,
        operation_id="coupons_update",
        summary="Change a coupon",
        description=UPDATE,
        request=CouponSerializer,
        responses={200: CouponSerializer},
    )
    @idempotent
    def put(self, request: Request, coupon_id: str) -> Response:
        return self._change(request, coupon_id)

    @extend_schema(
        tags=TAGS,
        operation_id="coupons_partial_update",
        summary="Change a coupon",
        description=UPDATE,
        request=CouponSerializer,
        responses={200: CouponSerializer},
    )
    @idempotent
    def patch(self, request: Request, coupon_id: str) -> Response:
        return self._change(request, coupon_id)

    @extend_schema(
        tags=TAGS,
        operation_id="coupons_destroy",
        summary="Delete a coupon that nobody has redeemed",
        request=None,
        responses={204: None},
    )
    @idempotent
    def delete(self, request: Request, coupon_id: str) -> Response:  # noqa: ARG002
        row = existing(Coupon.objects.all(), coupon_id)
        translated(lambda: delete_coupon(coupon_id=row.pk))
        return Response(status=204)

    def _change(self, request: Request, coupon_id: str) -> Response:
        row = existing(Coupon.objects.all(), coupon_id)
        changes = coupon_values(checked(CouponSerializer, request, row))
        translated(lambda: update_coupon(coupon_id=row.pk, changes=changes))
        return Response(shown(row.pk))


def coupon_values(validated: dict[str, Any]) -> CouponValues:
    """The validated members as the operations take them: the currency by its code."""
    values = dict(validated)
    if "currency" in values:
        currency = values.pop("currency")
        values["currency_id"] = None if currency is None else currency.pk
    return cast("CouponValues", values)


def shown(coupon_id: int) -> dict[str, Any]:
    """The coupon as it is stored now."""
    return dict(CouponSerializer(Coupon.objects.get(pk=coupon_id)).data)
