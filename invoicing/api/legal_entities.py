"""`legalEntities` of the backend API."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery
from customers.api.price_lists import PriceListView, checked, existing, page, translated
from customers.api.views import checked_query
from invoicing.api.credit_serializers import LegalEntitySerializer
from invoicing.models import LegalEntity
from invoicing.operations.legal_entities import LegalEntityValues, create_legal_entity, update_legal_entity

TAGS = ["legalEntities"]
UPDATE = "Members that are not given stay as they are; so does what posted invoices say of it."


class LegalEntityView(PriceListView):
    staff_model = "invoicing.legalentity"


class LegalEntityList(LegalEntityView):
    @extend_schema(
        tags=TAGS,
        operation_id="legalEntities_list",
        summary="List legal entities by id",
        parameters=[BackendListQuery, *BACKEND_LIST_HEADERS],
        responses={200: LegalEntitySerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(BackendListQuery, request)
        return page(request, LegalEntity.objects.all(), LegalEntitySerializer, query)

    @extend_schema(
        tags=TAGS,
        operation_id="legalEntities_create",
        summary="Make a legal entity, with its number series",
        request=LegalEntitySerializer,
        responses={201: LegalEntitySerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = entity_values(checked(LegalEntitySerializer, request))
        made = translated(lambda: create_legal_entity(values=values))
        return Response(shown(made.pk), status=201)


class LegalEntityDetail(LegalEntityView):
    @extend_schema(
        tags=TAGS,
        operation_id="legalEntities_retrieve",
        summary="Show one legal entity",
        responses={200: LegalEntitySerializer},
    )
    def get(self, request: Request, entity_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(LegalEntity.objects.all(), entity_id).pk))

    @extend_schema(
        tags=TAGS,
        operation_id="legalEntities_update",
        summary="Change a legal entity",
        description=UPDATE,
        request=LegalEntitySerializer,
        responses={200: LegalEntitySerializer},
    )
    @idempotent
    def put(self, request: Request, entity_id: str) -> Response:
        return self._change(request, entity_id)

    @extend_schema(
        tags=TAGS,
        operation_id="legalEntities_partial_update",
        summary="Change a legal entity",
        description=UPDATE,
        request=LegalEntitySerializer,
        responses={200: LegalEntitySerializer},
    )
    @idempotent
    def patch(self, request: Request, entity_id: str) -> Response:
        return self._change(request, entity_id)

    def _change(self, request: Request, entity_id: str) -> Response:
        row = existing(LegalEntity.objects.all(), entity_id)
        changes = entity_values(checked(LegalEntitySerializer, request, row))
        translated(lambda: update_legal_entity(legal_entity_id=row.pk, changes=changes))
        return Response(shown(row.pk))


def entity_values(validated: dict[str, Any]) -> LegalEntityValues:
    """The validated members as the operations take them."""
    return cast("LegalEntityValues", validated)


def shown(entity_id: int) -> dict[str, Any]:
    """The legal entity as it is stored now."""
    return dict(LegalEntitySerializer(LegalEntity.objects.get(pk=entity_id)).data)
