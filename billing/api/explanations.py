"""Explanations of prices as the APIs write them."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer

from billing.queries.explained import Explanation, as_text
from customers.api.fields import ExactNumberField, IdField
from usage.api.record_detail import UsageDataRecordDetailSerializer
from usage.api.serializers import ChargeSerializer
from usage.models import UsageDataRecord


class PlainTextRenderer(BaseRenderer):
    """Gives a text as it is. Errors are JSON whatever is accepted: the view sees to it."""

    media_type = "text/plain"
    format = "text"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002  the framework passes it
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> bytes:
        return str(data).encode()


class CandidateSerializer(serializers.Serializer[Any]):
    """A rate for the product, region and destination, and why it was not taken."""

    rate_id = IdField(source="rate.id")
    rate_card = serializers.CharField(source="rate.card_name")
    is_chosen = serializers.BooleanField()
    verdict = serializers.CharField(help_text="Why it lost, as a sentence; empty of the one that was taken.")


class ExplanationSerializer(serializers.Serializer[Explanation]):
    """Why it costs what it costs. For a customer, `context["is_for_customer"]`, rates that lost are left out."""

    is_equal = serializers.BooleanField(help_text="Whether it comes to what the charge says, to the last digit.")
    fault = serializers.CharField(help_text="What does not, or why nothing prices it, in sentences; else empty.")
    steps = serializers.ListField(child=serializers.CharField(), help_text="In order, a sentence each.")
    corrections = serializers.ListField(
        child=serializers.CharField(), help_text="What the price was corrected to since, in order, a sentence each."
    )
    candidates = serializers.SerializerMethodField(help_text="The rates that were looked at. Not for customers.")

    @extend_schema_field(CandidateSerializer(many=True))
    def get_candidates(self, explanation: Explanation) -> list[Any]:
        if self.context.get("is_for_customer"):
            return []
        return list(CandidateSerializer(explanation.candidates, many=True).data)


class RecordExplanationSerializer(ExplanationSerializer):
    """The explanation of one record's price."""

    id = IdField(source="record.id", help_text="The record's.")
    number = serializers.CharField(source="record.number")
    is_charged = serializers.SerializerMethodField(help_text="Else it is what it would cost now, by itself.")
    amount = ExactNumberField(source="shown_amount", allow_null=True, help_text="Exact, in the currency.")
    currency_code = serializers.CharField(source="currency")
    quantity = ExactNumberField(allow_null=True, help_text="Negative where it is credited.")
    billed_quantity = ExactNumberField(allow_null=True, help_text="What minimum and increments make of it.")
    text = serializers.SerializerMethodField(help_text="All of it, as `text/plain` gives it.")

    def get_is_charged(self, explanation: Explanation) -> bool:
        return explanation.charge is not None

    def get_text(self, explanation: Explanation) -> str:
        return as_text(explanation, with_losers=not self.context.get("is_for_customer"))


class ExplainedChargeSerializer(ChargeSerializer):
    """The charge of one record, and how its amount came about."""

    billed_quantity = serializers.SerializerMethodField(help_text="What minimum and increments made of the quantity.")
    explanation = serializers.SerializerMethodField()

    @extend_schema_field(ExactNumberField())
    def get_billed_quantity(self, charge: Any) -> Any:
        billed = charge.quantity if charge.billed_quantity is None else charge.billed_quantity
        return ExactNumberField().to_representation(billed)

    @extend_schema_field(ExplanationSerializer())
    def get_explanation(self, charge: Any) -> dict[str, Any]:  # noqa: ARG002  the method of a field is given it
        return dict(ExplanationSerializer(self.context["explanation"], context=self.context).data)


class ExplainedRecordSerializer(UsageDataRecordDetailSerializer):
    """A record with its history and the explanation, `context["explanation"]`, of its charge."""

    @extend_schema_field(ExplainedChargeSerializer(allow_null=True))
    def get_charge(self, record: UsageDataRecord) -> dict[str, Any] | None:
        charge = self.shown_charge(record)
        return None if charge is None else dict(ExplainedChargeSerializer(charge, context=self.context).data)
