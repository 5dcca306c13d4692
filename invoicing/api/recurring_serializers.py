"""Recurring charges as the backend API spells them."""
# ruff: noqa: N815  the API's members are in camelCase

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound

from catalog.models import Product, TaxRate
from customers.api.bodies import StrictSerializer
from customers.api.fields import IdField, NameField
from customers.api.lists import BackendListQuery
from customers.api.price_serializers import AmountField, ReferenceField
from customers.api.views import checked_id
from customers.models import Subscription, SubscriptionService
from invoicing.choices import ChargeTiming, PeriodAlignment
from invoicing.models.recurring import EARLIEST, LATEST, MINIMUM_MONTHS_MAX, MONTHS_MAX, PRICE_MAX, QUANTITY_MAX


@extend_schema_field({"type": "string", "pattern": "^[1-9][0-9]{0,18}$", "examples": ["17"]})
class IdReferenceField(serializers.PrimaryKeyRelatedField[Any]):
    """A reference by id: decimal digits in a text."""

    default_error_messages = {
        "does_not_exist": "There is none with the id {pk_value}.",
        "incorrect_type": "It is no id.",
    }

    def to_internal_value(self, data: Any) -> Any:
        try:
            number = checked_id(data) if isinstance(data, str) else None
        except NotFound:
            number = None
        if number is None:
            self.fail("incorrect_type")
        return super().to_internal_value(number)

    def to_representation(self, value: Any) -> str:
        return str(value.pk)


class RecurringChargeListQuery(BackendListQuery):
    """What the list of recurring charges can be asked."""

    subscriptionID = IdReferenceField(
        queryset=Subscription.objects.all(), required=False, help_text="Of this subscription only."
    )


class RecurringChargeSerializer(StrictSerializer):
    """What a subscription, or one service of it, costs again and again."""

    id = IdField(read_only=True)
    customerID = IdField(source="customer_id", read_only=True)
    subscriptionID = IdReferenceField(
        source="subscription",
        queryset=Subscription.objects.all(),
        help_text="Stays once a period was charged, as do start, timing, alignment and months.",
    )
    serviceID = IdReferenceField(
        source="service",
        queryset=SubscriptionService.objects.all(),
        required=False,
        allow_null=True,
        help_text="A service of the subscription; the charge ends with it.",
    )
    product = ReferenceField(
        field="code", queryset=Product.objects.all(), required=False, allow_null=True, help_text="Its code."
    )
    description = serializers.CharField(max_length=250, help_text="On invoices the period is added to it.")
    quantity = AmountField(required=False, min_value=0, max_value=QUANTITY_MAX, help_text="Above 0.")
    unitPrice = AmountField(
        source="unit_price",
        min_value=-PRICE_MAX,
        max_value=PRICE_MAX,
        help_text="For one whole period; negative for a credit.",
    )
    currency = serializers.CharField(source="currency_id", read_only=True, help_text="The customer's.")
    taxRate = NameField(
        source="tax_rate",
        queryset=TaxRate.objects.all(),
        required=False,
        allow_null=True,
        help_text="Null: the customer's.",
    )
    months = serializers.IntegerField(
        required=False, min_value=1, max_value=MONTHS_MAX, help_text="Months of a period."
    )
    timing = serializers.ChoiceField(
        choices=ChargeTiming.choices, required=False, help_text="Due on a period's first day, or on its last."
    )
    alignment = serializers.ChoiceField(
        choices=PeriodAlignment.choices, required=False, help_text="Where periods begin."
    )
    isProrated = serializers.BooleanField(
        source="is_prorated", required=False, help_text="The first and the last period cost their part by days."
    )
    startDate = serializers.DateField(source="start_date", help_text="First day that is charged.")
    endDate = serializers.DateField(
        source="end_date", required=False, allow_null=True, help_text="First day that is no longer charged."
    )
    minimumMonths = serializers.IntegerField(
        source="minimum_months",
        required=False,
        min_value=0,
        max_value=MINIMUM_MONTHS_MAX,
        help_text="Ended earlier, it is charged until so many months after its start.",
    )
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start = attrs.get("start_date", getattr(self.instance, "start_date", None))
        end = attrs.get("end_date", getattr(self.instance, "end_date", None))
        for member, day in (("startDate", start), ("endDate", end)):
            if day and not EARLIEST <= day < LATEST:
                raise serializers.ValidationError({member: [f"It lies between {EARLIEST} and {LATEST}."]})
        if start and end and end <= start:
            raise serializers.ValidationError({"endDate": ["It ends after its start."]})
        if attrs.get("quantity") == 0:
            raise serializers.ValidationError({"quantity": ["It is above 0."]})
        return attrs
