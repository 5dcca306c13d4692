"""Usage data records as the usage API spells them."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from customers.api.fields import BIGINT_MAX, CursorField, ExactNumberField, IdField, InstantField
from usage.api.short_forms import (
    AccountsReceivableShortForm,
    NamedShortForm,
    ProductShortForm,
    SubscriptionActionShortForm,
    SubscriptionServiceShortForm,
    SubscriptionShortForm,
)
from usage.choices import BillingDirective, LifeCycleState, RatingType
from usage.models import UsageDataRecord

RECORDS = "usage_data_records"
LIMIT = 100
LIMIT_MAX = 200
# How files and tables name a field that the API has another name for.
MEMBERS = {"service": "subscription_service", "usage_type": "type"}


class ErrorSerializer(serializers.Serializer[Any]):
    """The error that all are, for those with further members."""

    title = serializers.CharField()
    detail = serializers.CharField(help_text="What is wrong, as a sentence.")
    status = serializers.CharField(help_text="The HTTP status, as a text.")
    code = serializers.CharField(help_text="What is wrong, for programs.")
    errors = serializers.DictField(  # type: ignore[assignment]  # a member of that name
        child=serializers.ListField(child=serializers.CharField())
    )


class PageQuery(serializers.Serializer[Any]):
    """What every list of the usage API can be asked."""

    limit = serializers.IntegerField(required=False, min_value=1, max_value=LIMIT_MAX, default=LIMIT)


class UsageDataRecordQuery(PageQuery):
    """Filters of the list: related objects by their natural name, times from `_after` on and before `_before`."""

    accounts_receivable = serializers.CharField(required=False, help_text="Number of the accounts receivable.")
    subscription = serializers.CharField(required=False, help_text="Number of the subscription.")
    subscription_service = serializers.CharField(required=False, help_text="Identifier of the service.")
    product = serializers.CharField(required=False, help_text="Code of the product.")
    source_system = serializers.CharField(required=False, help_text="Name or alternative code.")
    type = serializers.CharField(required=False, help_text="Name or alternative code of the usage type.")
    usage_import = serializers.IntegerField(
        required=False, min_value=1, max_value=BIGINT_MAX, help_text="Id of the import that they came with."
    )
    life_cycle_state = serializers.ChoiceField(required=False, choices=LifeCycleState.choices)
    billing_directive = serializers.ChoiceField(required=False, choices=BillingDirective.choices)
    is_late = serializers.BooleanField(
        required=False, help_text="Whether they came after the invoice that they belonged on."
    )
    from_date_after = InstantField(required=False, help_text="Usage that started then or later.")
    from_date_before = InstantField(required=False, help_text="Usage that started earlier.")
    billing_effective_date_after = serializers.DateField(required=False, help_text="That day or later.")
    billing_effective_date_before = serializers.DateField(required=False, help_text="Before that day.")
    cursor = CursorField(of=RECORDS, help_text="`meta.next_cursor` of the page before; empty: the first page.")


class ActorField(serializers.CharField):
    """Who did something. Customers are not told: `context["is_for_customer"]`."""

    def to_representation(self, value: str) -> Any:
        return None if self.context.get("is_for_customer") else super().to_representation(value)


class LogInformationSerializer(serializers.Serializer[UsageDataRecord]):
    created_date = serializers.DateTimeField(source="created_at")
    created_by_user = ActorField(source="created_by.username", allow_null=True, default=None, read_only=True)
    updated_date = serializers.DateTimeField(source="updated_at")
    updated_by_user = ActorField(source="updated_by.username", allow_null=True, default=None, read_only=True)


class OriginalSerializer(serializers.Serializer[UsageDataRecord]):
    id = IdField()
    number = serializers.CharField()


class ChargeSerializer(serializers.Serializer[Any]):
    """What the record was charged by which rate. Its explanation comes with the single record."""

    rate_id = IdField(allow_null=True, help_text="Null where the record brought its own amount.")
    unit_price = ExactNumberField(source="rate.unit_price", allow_null=True, default=None, read_only=True)
    unit_size = ExactNumberField(source="rate.unit_size", allow_null=True, default=None, read_only=True)
    quantity = ExactNumberField()
    amount = ExactNumberField(help_text="Exact, in the invoice's currency.")
    currency_code = serializers.CharField(source="line.invoice.currency_id")
    invoice_id = IdField(source="line.invoice_id")
    invoice_state = serializers.CharField(source="line.invoice.state")
    line_number = serializers.IntegerField(source="line.line_number")


class UsageDataRecordSerializer(serializers.Serializer[UsageDataRecord]):
    """One use of one service. For a customer, `context["is_for_customer"]`, drafts of invoices do not show."""

    id = IdField()
    number = serializers.CharField()
    life_cycle_state = serializers.ChoiceField(choices=LifeCycleState.choices)
    billing_directive = serializers.ChoiceField(choices=BillingDirective.choices)
    billing_effective_date = serializers.DateField()
    from_date = serializers.DateTimeField()
    to_date = serializers.DateTimeField()
    usage_amount = ExactNumberField()
    destination = serializers.CharField()
    region = serializers.CharField()
    udf_string_1 = serializers.CharField(allow_null=True)
    udf_string_2 = serializers.CharField(allow_null=True)
    udf_string_3 = serializers.CharField(allow_null=True)
    udf_string_4 = serializers.CharField(allow_null=True)
    udf_string_5 = serializers.CharField(allow_null=True)
    udf_string_6 = serializers.CharField(allow_null=True)
    udf_string_7 = serializers.CharField(allow_null=True)
    udf_string_8 = serializers.CharField(allow_null=True)
    udf_float_1 = ExactNumberField(allow_null=True)
    udf_float_2 = ExactNumberField(allow_null=True)
    udf_float_3 = ExactNumberField(allow_null=True)
    udf_float_4 = ExactNumberField(allow_null=True)
    udf_date_1 = serializers.DateField(allow_null=True)
    udf_date_2 = serializers.DateField(allow_null=True)
    udf_date_3 = serializers.DateField(allow_null=True)
    udf_date_4 = serializers.DateField(allow_null=True)
    accounts_receivable = AccountsReceivableShortForm(
        source="customer.accounts_receivable", allow_null=True, default=None, read_only=True
    )
    subscription = SubscriptionShortForm(source="subscription_service.subscription")
    subscription_service = SubscriptionServiceShortForm()
    product = ProductShortForm()
    subscription_action = SubscriptionActionShortForm(allow_null=True)
    source_system = NamedShortForm()
    type = NamedShortForm(source="usage_type")
    rating_state = serializers.SerializerMethodField(help_text="`COMPLETED` once it is charged.")
    rating_type = serializers.ChoiceField(choices=RatingType.choices)
    total_amount = serializers.SerializerMethodField(help_text="What it costs: its own amount, or its charge.")
    charge = serializers.SerializerMethodField()
    is_late = serializers.BooleanField(help_text="It came after the invoice that it belonged on.")
    original = OriginalSerializer(
        allow_null=True, help_text="The record that this one took the place of, where one was adjusted."
    )
    log_information = LogInformationSerializer(source="*")

    @extend_schema_field(serializers.ChoiceField(choices=["PENDING", "COMPLETED"]))
    def get_rating_state(self, record: UsageDataRecord) -> str:
        return "PENDING" if self.shown_charge(record) is None else "COMPLETED"

    @extend_schema_field(ExactNumberField(allow_null=True))
    def get_total_amount(self, record: UsageDataRecord) -> Decimal | None:
        charge = self.shown_charge(record)
        amount = record.total_amount if charge is None else charge.amount
        return None if amount is None else ExactNumberField().to_representation(amount)

    @extend_schema_field(ChargeSerializer(allow_null=True))
    def get_charge(self, record: UsageDataRecord) -> dict[str, Any] | None:
        charge = self.shown_charge(record)
        return None if charge is None else dict(ChargeSerializer(charge).data)

    def shown_charge(self, record: UsageDataRecord) -> Any:
        """The record's charge, or None where there is none that the reader is told of."""
        charge = getattr(record, "charge", None)
        if charge is None or (self.context.get("is_for_customer") and charge.line.invoice.state != "POSTED"):
            return None
        return charge


class UsageMetaSerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(help_text="Rows in this answer.")
    next_cursor = serializers.CharField(help_text="Cursor of the next page; empty on the last.")


class UsageDataRecordPageSerializer(serializers.Serializer[Any]):
    data = UsageDataRecordSerializer(many=True)  # type: ignore[assignment]  # a member of that name
    meta = UsageMetaSerializer()
