"""`prices` of the backend API: what a use would cost now, and why. Nothing is stored."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models.runs import EARLIEST, LATEST
from billing.queries.prices_now import Question, price_of
from catalog.choices import ProductKind
from catalog.models import Product
from customers.api.exceptions import Refused
from customers.api.fields import BIGINT_MAX, ExactNumberField, IdField, InstantField
from customers.api.views import ApiView, checked_query, refuse_unknown_members
from customers.models import Customer, SubscriptionService

NUMBER: dict[str, Any] = {"max_digits": 38, "decimal_places": 18}
ID: dict[str, Any] = {"min_value": 1, "max_value": BIGINT_MAX}


class PriceQuery(serializers.Serializer[Any]):
    """The use that is asked about."""

    customerID = serializers.IntegerField(help_text="Whose it is.", **ID)  # noqa: N815  the API's spelling
    serviceID = serializers.IntegerField(  # noqa: N815
        required=False, help_text="One of the customer's; needed where usage counts per service or subscription.", **ID
    )
    product = serializers.CharField(required=False, help_text="Its code. Default: the service's product.")
    destination = serializers.CharField(required=False, default="", allow_blank=True, max_length=100)
    region = serializers.CharField(required=False, default="", allow_blank=True, max_length=100)
    startDate = InstantField(required=False, help_text="When it starts. Default: now.")  # noqa: N815
    endDate = InstantField(  # noqa: N815
        required=False, help_text="When it ends, for cards that split uses at the border of a time band."
    )
    quantity = serializers.DecimalField(min_value=0, help_text="In the unit of the usage.", **NUMBER)
    usedBefore = serializers.DecimalField(  # noqa: N815
        required=False, help_text="Billed earlier in the month. Default: what is charged so far.", **NUMBER
    )

    def validate(self, query: dict[str, Any]) -> dict[str, Any]:
        for name in ("startDate", "endDate"):
            if name in query and not EARLIEST.year <= query[name].year < LATEST.year:
                raise ValidationError({name: [f"Give a year from {EARLIEST.year} to {LATEST.year - 1}."]})
        return query


class PriceCandidateSerializer(serializers.Serializer[Any]):
    """A rate for the product, region and destination, and why it was not taken."""

    rateID = IdField(source="rate.id")  # noqa: N815
    rateCard = serializers.CharField(source="rate.card_name")  # noqa: N815
    isChosen = serializers.BooleanField(source="is_chosen")  # noqa: N815
    verdict = serializers.CharField(help_text="Why it lost, as a sentence; empty of the one that was taken.")


class PriceSerializer(serializers.Serializer[Any]):
    """What the use would cost, exactly and without tax, and how that comes about."""

    amount = ExactNumberField()
    currency = serializers.CharField()
    quantity = ExactNumberField()
    billedQuantity = ExactNumberField(source="billed_quantity")  # noqa: N815
    rateID = IdField(source="rate.id")  # noqa: N815
    rateCard = serializers.CharField(source="rate.card_name")  # noqa: N815
    steps = serializers.ListField(child=serializers.CharField(), help_text="In order, a sentence each.")
    candidates = PriceCandidateSerializer(many=True)


class PriceView(ApiView):
    """Customers' prices: for staff who may see both."""

    staff_model = "catalog.rate"
    more_permissions = ("customers.view_customer",)
    is_staff_only = True

    @extend_schema(
        tags=["prices"],
        operation_id="prices_retrieve",
        summary="Show what a use would cost now, and why",
        description=(
            "By the rate cards that the customer has now; nothing is stored. 422 where no rate prices it, with what "
            "was looked for and the nearest prefixes that have a rate."
        ),
        parameters=[PriceQuery],
        responses={200: PriceSerializer},
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_members(request.query_params, set(PriceQuery().fields))
        question = asked(checked_query(PriceQuery, request), at=timezone.now())
        explanation = price_of(question)
        if explanation.amount is None:
            raise Refused(explanation.fault, code="unpriced")
        return Response(PriceSerializer(explanation).data)


def asked(query: dict[str, Any], *, at: datetime) -> Question:
    """The question, with what it names. Raises `ValidationError` for what there is not."""
    customer = Customer.objects.filter(id=query["customerID"]).first()
    if customer is None:
        raise ValidationError({"customerID": [f"There is no customer with the id {query['customerID']}."]})
    service = service_asked(query, customer)
    return Question(
        customer=customer,
        service=service,
        product=product_asked(query, service),
        destination=query["destination"],
        region=query["region"],
        started_at=query.get("startDate", at),
        ended_at=query.get("endDate"),
        quantity=query["quantity"],
        used_before=query.get("usedBefore"),
    )


def service_asked(query: dict[str, Any], customer: Customer) -> SubscriptionService | None:
    """The service, which is the customer's, or None where none is named. Raises `ValidationError`."""
    if "serviceID" not in query:
        return None
    services = SubscriptionService.objects.select_related("subscription", "product")
    service = services.filter(id=query["serviceID"], customer=customer).first()
    if service is None:
        raise ValidationError({"serviceID": [f"{customer} has no service with the id {query['serviceID']}."]})
    return service


def product_asked(query: dict[str, Any], service: SubscriptionService | None) -> Product:
    """The product named, else the service's. Raises `ValidationError`."""
    if "product" in query:
        product = Product.objects.filter(code=query["product"], kind=ProductKind.USAGE).first()
        if product is None:
            raise ValidationError({"product": [f"There is no product for usage with the code {query['product']}."]})
        return product
    if service is None or service.product is None:
        raise ValidationError({"product": ["Name a product: no service says it."]})
    return service.product
