"""`rates` of the backend API. A rate keeps its price: a PATCH with `startDate` adds a version, `endDate` ends one."""
# ruff: noqa: N815  the API's members are in camelCase

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.engine.rates import Tier
from catalog.models import Product, Rate, RateCard
from catalog.operations.rates import RULE, TERMS, RateTerms, add_rate, add_rate_version, end_rate
from catalog.queries.rate_lists import in_force
from customers.api.exceptions import Conflict
from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery
from customers.api.price_lists import PriceListView, checked, existing, page, translated
from customers.api.price_serializers import PREFIX, PatternField, RateSerializer
from customers.api.views import checked_query

TAGS = ["rates"]
REFERENCES = {"rate_card": "rate_card_id", "product": "product_id", "time_band": "time_band_id"}
UPDATE = (
    "A rate keeps what it is for and what it costs. With another `startDate` a new version is added, with the terms "
    "that are given and the others as before: the old version ends on that day, and the answer is the new one. Tiers "
    "are given all or not at all. Without it, only `endDate` is changed: null lets the rate hold on. Anything else is "
    "a 409. Members that are sent back as they are change nothing."
)


class RateQuery(BackendListQuery):
    """What the list of rates can be asked."""

    rateCard = serializers.CharField(required=False, max_length=100, help_text="Name of a rate card.")
    product = serializers.CharField(required=False, max_length=200, help_text="Code of a product.")
    region = serializers.CharField(required=False, allow_blank=True, max_length=100, help_text="Exactly this region.")
    destinationPrefix = PatternField(PREFIX, max_length=15, required=False, help_text="Exactly this prefix.")
    holdsOn = serializers.DateField(required=False, help_text="Only versions that hold on this day.")


class RateView(PriceListView):
    staff_model = "catalog.rate"


class RateList(RateView):
    @extend_schema(
        tags=TAGS,
        operation_id="rates_list",
        summary="List rates by id",
        parameters=[RateQuery, *BACKEND_LIST_HEADERS],
        responses={200: RateSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(RateQuery, request)
        return page(request, filtered(shown_rates(), query), RateSerializer, query)

    @extend_schema(
        tags=TAGS,
        operation_id="rates_create",
        summary="Add a rate",
        description="Terms that are not given: a price per unit, nothing else. 409 where another version holds then.",
        request=RateSerializer,
        responses={201: RateSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = by_id(checked(RateSerializer, request))
        terms: Any = {name: values.pop(name) for name in (*TERMS, "tiers") if name in values}
        rate = translated(lambda: add_rate(**values, terms=terms))
        return Response(shown(rate.id), status=201)


class RateDetail(RateView):
    @extend_schema(tags=TAGS, operation_id="rates_retrieve", summary="Show one rate", responses={200: RateSerializer})
    def get(self, request: Request, rate_id: str) -> Response:  # noqa: ARG002
        return Response(dict(RateSerializer(existing(shown_rates(), rate_id)).data))

    @extend_schema(
        tags=TAGS,
        operation_id="rates_update",
        summary="Add a version of a rate, or end it",
        description=UPDATE,
        request=RateSerializer,
        responses={200: RateSerializer},
    )
    @idempotent
    def put(self, request: Request, rate_id: str) -> Response:
        return self._change(request, rate_id)

    @extend_schema(
        tags=TAGS,
        operation_id="rates_partial_update",
        summary="Add a version of a rate, or end it",
        description=UPDATE,
        request=RateSerializer,
        responses={200: RateSerializer},
    )
    @idempotent
    def patch(self, request: Request, rate_id: str) -> Response:
        return self._change(request, rate_id)

    def _change(self, request: Request, rate_id: str) -> Response:
        rate = existing(shown_rates(), rate_id)
        changes = changed(rate, by_id(checked(RateSerializer, request, rate)))
        for name in RULE:
            if name in changes:
                raise Conflict("A rate keeps what it is for: end it, and add another one.", code="rate_kept")
        start_date = changes.pop("start_date", None)
        is_ended = "end_date" in changes
        end_date = changes.pop("end_date", None)
        if start_date is not None:
            if is_ended:
                raise Conflict("A new version ends when the old one would have: send endDate alone.", code="rate_kept")
            terms = cast("RateTerms", changes)
            rate = translated(lambda: add_rate_version(rate_id=rate.id, start_date=start_date, terms=terms))
        elif changes:
            raise Conflict(
                "A rate keeps its price: send startDate, the first day of a version with another one.", code="rate_kept"
            )
        elif is_ended:
            rate = translated(lambda: end_rate(rate_id=rate.id, end_date=end_date))
        return Response(shown(rate.id))


def shown_rates() -> QuerySet[Rate]:
    """Rates with all that is shown of them."""
    return Rate.objects.select_related("rate_card", "product", "time_band").prefetch_related("tiers")


def filtered(rates: QuerySet[Rate], query: dict[str, Any]) -> QuerySet[Rate]:
    """The rates that were asked for. A name that nothing has matches none."""
    if "rateCard" in query:
        # Ids, not a join: PostgreSQL then knows how many rates the card has.
        rates = rates.filter(rate_card_id__in=ids(RateCard.objects.filter(name=query["rateCard"])))
    if "product" in query:
        rates = rates.filter(product_id__in=ids(Product.objects.filter(code=query["product"])))
    if "region" in query:
        rates = rates.filter(region=query["region"])
    if "destinationPrefix" in query:
        rates = rates.filter(destination_prefix=query["destinationPrefix"])
    return in_force(rates, on=query["holdsOn"]) if "holdsOn" in query else rates


def ids(rows: QuerySet[Any]) -> list[int]:
    """Their ids."""
    return list(rows.values_list("id", flat=True))


def shown(rate_id: int) -> dict[str, Any]:
    """The rate as it is stored now."""
    return dict(RateSerializer(shown_rates().get(id=rate_id)).data)


def by_id(validated: dict[str, Any]) -> dict[str, Any]:
    """The validated members with references by their ids."""
    values = dict(validated)
    for name, column in REFERENCES.items():
        if name in values:
            found = values.pop(name)
            values[column] = None if found is None else found.id
    return values


def changed(rate: Rate, values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that are not the rate's own."""
    own: dict[str, Any] = {name: getattr(rate, name) for name in values if name != "tiers"}
    own["tiers"] = [Tier(tier.from_quantity, tier.unit_price) for tier in rate.tiers.all()]
    return {name: value for name, value in values.items() if value != own[name]}
