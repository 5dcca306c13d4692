"""Legal entities, coupons and account credits as the backend API spells them."""
# ruff: noqa: N815  the API's members are in camelCase

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.models import Currency
from customers.api.bodies import StrictSerializer
from customers.api.fields import IdField
from customers.api.lists import BackendListQuery
from customers.api.price_serializers import COUNTRY_OR_NONE, AmountField, PatternField, ReferenceField
from customers.models import Customer
from invoicing.api.recurring_serializers import IdReferenceField
from invoicing.models import Coupon

AMOUNT_MAX = Decimal("9999999999999999.9999")
DECIMALS = Decimal("0.0001")


@extend_schema_field({"type": "number"})
class FourDecimalsField(AmountField):
    """A number above 0 with at most four decimals."""

    default_error_messages = {"too_exact": "It has at most 4 decimals.", "too_small": "It is above 0."}

    def to_internal_value(self, data: Any) -> Decimal:
        value = super().to_internal_value(data)
        if value <= 0:
            self.fail("too_small")
        if value != value.quantize(DECIMALS):
            self.fail("too_exact")
        return value


class CodeField(PatternField):
    """Letters, digits and signs, without blanks at the ends: what people type."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[^\s\x00](.*[^\s\x00])?$", **kwargs)


class LegalEntitySerializer(StrictSerializer):
    """Who sells. Its logo and layout are set in the admin."""

    id = IdField(read_only=True)
    code = CodeField(max_length=20, help_text="Unique.")
    name = serializers.CharField(max_length=200)
    address = serializers.CharField(required=False, allow_blank=True, max_length=1000, help_text="Line by line.")
    country = PatternField(COUNTRY_OR_NONE, required=False, help_text="ISO 3166, two letters.")
    vatNumber = serializers.CharField(source="vat_number", required=False, allow_blank=True, max_length=40)
    registration = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=50)
    website = serializers.CharField(required=False, allow_blank=True, max_length=200)
    paymentDetails = serializers.CharField(
        source="payment_details", required=False, allow_blank=True, max_length=1000, help_text="Bank, IBAN, BIC."
    )
    isDefault = serializers.BooleanField(
        source="is_default", required=False, help_text="For customers that have none of their own; one at a time."
    )
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)


class WorthSerializer(StrictSerializer):
    """What coupons and credits have in common."""

    percent = FourDecimalsField(
        required=False, allow_null=True, max_value=100, help_text="Of the net. Or an amount in a currency."
    )
    amount = FourDecimalsField(required=False, allow_null=True, max_value=AMOUNT_MAX, help_text="Until it is used up.")
    currency = ReferenceField(field="code", queryset=Currency.objects.all(), required=False, allow_null=True)
    endDate = serializers.DateField(
        source="end_date", required=False, allow_null=True, help_text="First day on which it no longer counts."
    )
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start = attrs.get("start_date", getattr(self.instance, "start_date", None))
        end = attrs.get("end_date", getattr(self.instance, "end_date", None))
        if start and end and end <= start:
            raise serializers.ValidationError({"endDate": ["It ends after its start."]})
        return attrs


class CouponSerializer(WorthSerializer):
    """What customers that redeem a code get off their net: a percent, or an amount until it is used up."""

    id = IdField(read_only=True)
    code = CodeField(max_length=50, help_text="Unique; upper and lower case count.")
    description = serializers.CharField(max_length=300, help_text="On invoices.")
    startDate = serializers.DateField(source="start_date", help_text="Counts on periods that end then or later.")


class AccountCreditListQuery(BackendListQuery):
    """What the list of account credits can be asked."""

    customerID = IdReferenceField(queryset=Customer.objects.all(), required=False, help_text="Of this customer only.")


class AccountCreditSerializer(WorthSerializer):
    """What one customer gets off its net. Made with a coupon's code it has the coupon's terms."""

    id = IdField(read_only=True)
    customerID = IdReferenceField(source="customer", queryset=Customer.objects.all())
    couponCode = ReferenceField(
        field="code", source="coupon", queryset=Coupon.objects.all(), required=False, allow_null=True
    )
    code = CodeField(max_length=50, required=False, help_text="On invoices. Needed without a coupon.")
    description = serializers.CharField(max_length=300, required=False, help_text="Needed without a coupon.")
    startDate = serializers.DateField(source="start_date", required=False, help_text="Needed without a coupon.")
    position = serializers.IntegerField(
        required=False, min_value=0, max_value=32767, help_text="Amounts are used up in this order; else the last."
    )
    amountLeft = serializers.SerializerMethodField(
        help_text="Of an amount: what no invoice, a draft neither, has used."
    )

    @extend_schema_field({"type": ["number", "null"]})
    def get_amountLeft(self, credit: Any) -> Decimal | None:  # noqa: N802  the API's member
        return None if credit.amount_left is None else AmountField().to_representation(credit.amount_left)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is not None:
            fixed = [name for name, field in (("customerID", "customer"), ("couponCode", "coupon")) if field in attrs]
            if fixed:
                raise serializers.ValidationError({name: ["It stays."] for name in fixed})
            return super().validate(attrs)
        given = set(attrs) - {"customer", "coupon"}
        if attrs.get("coupon") is not None:
            if given:
                raise serializers.ValidationError({"couponCode": ["Of a coupon, the coupon says the rest."]})
            return attrs
        named = {"code": "code", "description": "description", "startDate": "start_date"}
        missing = [name for name, field in named.items() if field not in given]
        if missing:
            raise serializers.ValidationError({name: ["Say this, or name a coupon."] for name in missing})
        return super().validate(attrs)
