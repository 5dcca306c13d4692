"""`rateCards` of the backend API."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import RateCard
from catalog.operations.rate_cards import RateCardValues, create_rate_card, update_rate_card
from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery
from customers.api.price_lists import PriceListView, checked, existing, page, translated
from customers.api.price_serializers import RateCardSerializer
from customers.api.views import checked_query

TAGS = ["rateCards"]
UPDATE = (
    "Members that are not given stay as they are. The currency stays; zone, country and band rule stay once the card "
    "has prices by time band: another one is a 409."
)


class RateCardView(PriceListView):
    staff_model = "catalog.ratecard"


class RateCardList(RateCardView):
    @extend_schema(
        tags=TAGS,
        operation_id="rateCards_list",
        summary="List rate cards by id",
        parameters=[BackendListQuery, *BACKEND_LIST_HEADERS],
        responses={200: RateCardSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        return page(request, RateCard.objects.all(), RateCardSerializer, checked_query(BackendListQuery, request))

    @extend_schema(
        tags=TAGS,
        operation_id="rateCards_create",
        summary="Make a rate card",
        request=RateCardSerializer,
        responses={201: RateCardSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = card_values(checked(RateCardSerializer, request))
        card = translated(lambda: create_rate_card(values=values))
        return Response(shown(card.id), status=201)


class RateCardDetail(RateCardView):
    @extend_schema(
        tags=TAGS,
        operation_id="rateCards_retrieve",
        summary="Show one rate card",
        responses={200: RateCardSerializer},
    )
    def get(self, request: Request, card_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(RateCard.objects.all(), card_id).id))

    @extend_schema(
        tags=TAGS,
        operation_id="rateCards_update",
        summary="Change a rate card",
        description=UPDATE,
        request=RateCardSerializer,
        responses={200: RateCardSerializer},
    )
    @idempotent
    def put(self, request: Request, card_id: str) -> Response:
        return self._change(request, card_id)

    @extend_schema(
        tags=TAGS,
        operation_id="rateCards_partial_update",
        summary="Change a rate card",
        description=UPDATE,
        request=RateCardSerializer,
        responses={200: RateCardSerializer},
    )
    @idempotent
    def patch(self, request: Request, card_id: str) -> Response:
        return self._change(request, card_id)

    def _change(self, request: Request, card_id: str) -> Response:
        card = existing(RateCard.objects.all(), card_id)
        changes = card_values(checked(RateCardSerializer, request, card))
        translated(lambda: update_rate_card(rate_card_id=card.id, changes=changes))
        return Response(shown(card.id))


def card_values(validated: dict[str, Any]) -> RateCardValues:
    """The validated members as the operations take them: the currency by its code."""
    values = dict(validated)
    if "currency" in values:
        values["currency_id"] = values.pop("currency").code
    return cast("RateCardValues", values)


def shown(card_id: int) -> dict[str, Any]:
    """The card as it is stored now."""
    return dict(RateCardSerializer(RateCard.objects.get(id=card_id)).data)
