"""`lint` and `examples` of `rateCards`: what is wrong with a price list, and what its examples cost."""
# ruff: noqa: N815  the API's members are in camelCase

from datetime import date
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.choices import EARLIEST_YEAR, LATEST_YEAR, Severity
from catalog.models import RateCard
from catalog.queries.examples import example_in_words, run_examples
from catalog.queries.findings import Place
from customers.api.fields import ExactNumberField, IdField
from customers.api.price_lists import PriceListView, existing
from customers.api.views import checked_query
from customers.queries.lint import lint_rate_card

TAGS = ["rateCards"]
KINDS = {
    "catalog_rate": "rate",
    "catalog_ratedeckline": "rateDeckLine",
    "catalog_rateexample": "rateExample",
    "customers_customer": "customer",
    "customers_customergroup": "customerGroup",
}


class CheckQuery(serializers.Serializer[Any]):
    """Which prices are looked at."""

    on = serializers.DateField(required=False, help_text="Those that hold on this day. Default: today.")

    def validate_on(self, value: date) -> date:
        if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
            raise ValidationError(f"Give a year from {EARLIEST_YEAR} to {LATEST_YEAR}.")
        return value


class PlaceSerializer(serializers.Serializer[Any]):
    """One thing that was found, in a sentence, and the object that it is about."""

    sentence = serializers.CharField()
    kind = serializers.SerializerMethodField(help_text=f"One of: {', '.join(KINDS.values())}.")
    id = IdField(source="object_id")

    def get_kind(self, place: Place) -> str:
        return KINDS[place.model]


class FindingSerializer(serializers.Serializer[Any]):
    """What one rule found. The first of so many are named."""

    rule = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    title = serializers.CharField()
    sentence = serializers.CharField(help_text="What that means, and what to do.")
    count = serializers.IntegerField()
    places = PlaceSerializer(many=True)


class ExampleOutcomeSerializer(serializers.Serializer[Any]):
    """An example, and what it costs by the prices of the day."""

    id = IdField(source="example.id")
    example = serializers.SerializerMethodField(help_text="What it is of, in words.")
    product = serializers.CharField(source="example.product.code")
    quantity = ExactNumberField(source="example.quantity")
    destination = serializers.CharField(source="example.destination")
    region = serializers.CharField(source="example.region")
    startDate = serializers.DateTimeField(source="example.used_at")
    timezone = serializers.CharField(source="example.timezone")
    quantityBefore = ExactNumberField(source="example.quantity_before")
    currency = serializers.CharField(source="example.rate_card.currency_id")
    expectedAmount = ExactNumberField(source="example.amount")
    amount = ExactNumberField(allow_null=True, help_text="What it costs, exactly; null where it has no price.")
    isRight = serializers.BooleanField(source="is_right")
    sentence = serializers.CharField()
    explanation = serializers.ListField(child=serializers.CharField(), help_text="Why, a step a sentence.")

    def get_example(self, outcome: Any) -> str:
        return example_in_words(outcome.example)


class RateCardLint(PriceListView):
    staff_model = "catalog.ratecard"

    @extend_schema(
        tags=TAGS,
        operation_id="rateCards_lint",
        summary="Check a price list",
        description="Errors first. Nothing is changed.",
        parameters=[CheckQuery],
        responses={200: FindingSerializer(many=True)},
    )
    def get(self, request: Request, card_id: str) -> Response:
        card = existing(RateCard.objects.all(), card_id)
        on = checked_query(CheckQuery, request).get("on", timezone.localdate())
        return Response(FindingSerializer(lint_rate_card(rate_card_id=card.id, on=on), many=True).data)


class RateCardExamples(PriceListView):
    staff_model = "catalog.ratecard"

    @extend_schema(
        tags=TAGS,
        operation_id="rateCards_examples",
        summary="Run the examples of a price list",
        description="An example of the past is tried at the same time of the week on that day or after it.",
        parameters=[CheckQuery],
        responses={200: ExampleOutcomeSerializer(many=True)},
    )
    def get(self, request: Request, card_id: str) -> Response:
        card = existing(RateCard.objects.all(), card_id)
        on = checked_query(CheckQuery, request).get("on", timezone.localdate())
        return Response(ExampleOutcomeSerializer(run_examples(rate_card_id=card.id, on=on), many=True).data)
