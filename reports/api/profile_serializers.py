"""Invoice usage report profiles as the backend API spells them."""
# ruff: noqa: N815  the API's members are in camelCase

from typing import Any

from django.db.models import TextChoices
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound

from customers.api.bodies import StrictSerializer
from customers.api.fields import IdField, NameField
from customers.api.price_serializers import AmountField
from customers.api.views import checked_id
from customers.models import Customer, CustomerGroup
from invoicing.api.recurring_serializers import IdReferenceField
from invoicing.models import Invoice
from reports.choices import (
    Availability,
    CallColumn,
    CallDetail,
    CustomerUsageReportPreset,
    ReportFormat,
    SplitBy,
    TransactionColumn,
    UsageReportPreset,
)

MOST_GROUPS = 1_000


@extend_schema_field({"type": "string", "pattern": "^([1-9][0-9]{0,18})?$", "examples": ["17", ""]})
class CustomerIdField(serializers.Field[Any, Any, str, Any]):
    """The only customer that a profile is for, by id; an empty text: all."""

    default_error_messages = {"does_not_exist": "There is no customer with the id {given}.", "invalid": "It is no id."}

    def to_internal_value(self, data: Any) -> Customer | None:
        if data == "":
            return None
        try:
            number = checked_id(data) if isinstance(data, str) else None
        except NotFound:
            number = None
        if number is None:
            self.fail("invalid")
        customer = Customer.objects.filter(pk=number).first()
        if customer is None:
            self.fail("does_not_exist", given=data)
        return customer

    def get_attribute(self, instance: Any) -> Any:
        return instance.customer_id or ""

    def to_representation(self, value: Any) -> str:
        return str(value)


class PresetsField(serializers.ListField):
    """An array of preset values, each at most once."""

    default_error_messages = {"twice": "{given} is there twice."}

    def __init__(self, presets: type[TextChoices], **kwargs: Any) -> None:
        choices = [(value, value) for value in presets.values]
        super().__init__(
            child=serializers.ChoiceField(choices=choices), required=False, max_length=len(choices), **kwargs
        )

    def to_internal_value(self, data: Any) -> list[Any]:
        values = super().to_internal_value(data)
        for value in values:
            if values.count(value) > 1:
                self.fail("twice", given=value)
        return values


class GroupsField(serializers.ListField):
    """An array of names of customer groups, each at most once. They are read by one statement."""

    default_error_messages = {"twice": "{given} is there twice.", "unknown": "There is none named {given}."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=100), max_length=MOST_GROUPS, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        names = super().to_internal_value(data)
        known = {group.name: group for group in CustomerGroup.objects.filter(name__in=names)}
        for place, name in enumerate(names):
            if name not in known:
                self.fail("unknown", given=name)
            if name in names[:place]:
                self.fail("twice", given=name)
        return [known[name] for name in names]

    def to_representation(self, data: Any) -> list[str]:
        return [group.name for group in data.all()]


class ProfileSerializer(StrictSerializer):
    """The template of what usage detail goes with an invoice."""

    id = IdField(read_only=True)
    name = serializers.CharField(max_length=100)
    description = serializers.CharField(required=False, allow_blank=True)
    availability = serializers.ChoiceField(
        choices=[(value, value) for value in Availability.values],
        required=False,
        help_text="A historic profile is given to nobody any more; who has it keeps it.",
    )
    customerID = CustomerIdField(required=False, source="customer", help_text="Empty: for all customers.")
    customerGroups = GroupsField(
        source="customer_groups",
        required=False,
        help_text="Names of the only groups that may use it; empty: every one. With customerID they do not count.",
    )
    customerUsageReports = PresetsField(CustomerUsageReportPreset, source="customer_usage_reports")
    siteUsageReports = PresetsField(UsageReportPreset, source="site_usage_reports")
    campaignUsageReports = PresetsField(UsageReportPreset, source="campaign_usage_reports")
    numberUsageReports = PresetsField(UsageReportPreset, source="number_usage_reports")
    includeTransactionColumns = PresetsField(
        TransactionColumn,
        source="include_transaction_columns",
        help_text="With none, what is not usage is not listed. The amount is always there.",
    )
    includeCallColumns = PresetsField(
        CallColumn,
        source="include_call_columns",
        help_text="Of call details, in this order; with none, all. The amount is always there.",
    )
    callDetails = PresetsField(CallDetail, source="call_details")
    formats = PresetsField(ReportFormat, help_text="PDFs and XLSX have all reports, others one each. None: CSV.")
    thresholdAmount = AmountField(
        source="threshold_amount",
        required=False,
        min_value=0,
        help_text="Above Threshold lists uses that cost more than this.",
    )
    splitsBy = serializers.ChoiceField(
        choices=[(value, value) for value in SplitBy.values],
        source="splits_by",
        required=False,
        allow_blank=True,
        help_text="Empty: a report is one file; else one for each site or number.",
    )
    isDefault = serializers.BooleanField(
        source="is_default", required=False, help_text="For customers that neither have one nor a group with one."
    )
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)


class GivenSerializer(StrictSerializer):
    """To whom a profile is given, or from whom it is taken: exactly one of them."""

    customerID = IdReferenceField(source="customer", queryset=Customer.objects.all(), required=False)
    customerGroup = NameField(source="group", queryset=CustomerGroup.objects.all(), required=False)
    invoiceID = IdReferenceField(
        source="invoice", queryset=Invoice.objects.all(), required=False, help_text="A draft's."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Name one: customerID, customerGroup or invoiceID.")
        return attrs


class PresetListsSerializer(serializers.Serializer[Any]):
    """The preset values of each member of a profile that has any."""

    availability = serializers.ListField(child=serializers.CharField())
    customerUsageReports = serializers.ListField(child=serializers.CharField())
    siteUsageReports = serializers.ListField(child=serializers.CharField())
    campaignUsageReports = serializers.ListField(child=serializers.CharField())
    numberUsageReports = serializers.ListField(child=serializers.CharField())
    includeTransactionColumns = serializers.ListField(child=serializers.CharField())
    includeCallColumns = serializers.ListField(child=serializers.CharField())
    callDetails = serializers.ListField(child=serializers.CharField())
    formats = serializers.ListField(child=serializers.CharField())
    splitsBy = serializers.ListField(child=serializers.CharField())


PRESETS: dict[str, list[str]] = {
    "availability": Availability.values,
    "customerUsageReports": CustomerUsageReportPreset.values,
    "siteUsageReports": UsageReportPreset.values,
    "campaignUsageReports": UsageReportPreset.values,
    "numberUsageReports": UsageReportPreset.values,
    "includeTransactionColumns": TransactionColumn.values,
    "includeCallColumns": CallColumn.values,
    "callDetails": CallDetail.values,
    "formats": ReportFormat.values,
    "splitsBy": SplitBy.values,
}
