"""Price lists as the backend API spells them: rate cards, rates with their tiers, time bands, public holidays."""
# ruff: noqa: N815  the API's members are in camelCase

from datetime import date
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.choices import BandRule, CountedPer, PricingModel, RoundingMode
from catalog.engine.rates import Hours, Tier
from catalog.models import Currency, Product, RateCard, TimeBand
from catalog.models.fields import validate_timezone
from catalog.models.time_bands import DAYS
from customers.api.bodies import StrictSerializer
from customers.api.fields import IdField, NameField, plain

PREFIX = r"^[0-9]*$"
COUNTRY = r"^[A-Z]{2}$"
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
COUNTRY_OR_NONE = r"^([A-Z]{2})?$"


@extend_schema_field({"type": "number"})
class AmountField(serializers.DecimalField):
    """A price or a quantity: a JSON number with all its digits, up to 38, 18 of them after the point."""

    default_error_messages = {"not_a_number": "It is not a number."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=38, decimal_places=18, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, (int, Decimal)):
            self.fail("not_a_number")
        return super().to_internal_value(data)

    def to_representation(self, value: Decimal) -> Decimal:  # type: ignore[override]  # never a text or a float
        return plain(value)


class ReferenceField(NameField):
    """A reference by another unique text than a name."""

    def __init__(self, *, field: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slug_field = field


class PatternField(serializers.RegexField):
    """A text of a pattern that an empty text has too."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # With `allow_blank` the document would say "this or else empty", and an empty text is both.
        return "" if data == "" else super().run_validation(data)


class RateCardSerializer(StrictSerializer):
    """A price list in one currency."""

    id = IdField(read_only=True)
    name = serializers.CharField(max_length=100)
    currency = ReferenceField(
        field="code", queryset=Currency.objects.all(), help_text="ISO 4217 code. It stays once the card is made."
    )
    isDefault = serializers.BooleanField(
        source="is_default", required=False, help_text="Used after the customer's own and its groups' cards."
    )
    timezone = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        help_text="Of time bands, such as Europe/Berlin. Empty: the customer's.",
    )
    holidayCountry = PatternField(
        COUNTRY_OR_NONE,
        max_length=2,
        source="holiday_country",
        required=False,
        help_text="ISO 3166-1 code of the country whose public holidays count. Empty: none do.",
    )
    bandRule = serializers.ChoiceField(
        choices=BandRule.choices,
        source="band_rule",
        required=False,
        help_text="Which time band prices a use that lasts from one into another.",
    )
    description = serializers.CharField(required=False, allow_blank=True)
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)

    def validate_timezone(self, value: str) -> str:
        if value:
            validate_timezone(value)
        return value


class PartSerializer(StrictSerializer):
    """A part of an object, in an array: it is given whole, where the object is only changed too."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            missing = [name for name, field in self.fields.items() if field.required and name not in data]
            if missing:
                raise serializers.ValidationError({name: ["This field is required."] for name in missing})
        return super().to_internal_value(data)


class TierSerializer(PartSerializer):
    """The price of the quantity above `fromQuantity`."""

    fromQuantity = AmountField(source="from_quantity")
    unitPrice = AmountField(source="unit_price")


class RateSerializer(StrictSerializer):
    """One version of a priced rule of a rate card."""

    id = IdField(read_only=True)
    rateCard = NameField(source="rate_card", queryset=RateCard.objects.all())
    product = ReferenceField(field="code", queryset=Product.objects.all(), help_text="Its code.")
    region = serializers.CharField(max_length=100, required=False, allow_blank=True, help_text="Empty: every region.")
    destinationPrefix = PatternField(
        PREFIX,
        max_length=15,
        source="destination_prefix",
        required=False,
        help_text="Digits that the destination begins with. Empty: every one.",
        error_messages={"invalid": "A prefix has digits only, without + or spaces."},
    )
    destinationName = serializers.CharField(source="destination_name", max_length=200, required=False, allow_blank=True)
    timeBand = NameField(source="time_band", queryset=TimeBand.objects.all(), required=False, allow_null=True)
    pricingModel = serializers.ChoiceField(choices=PricingModel.choices, source="pricing_model", required=False)
    unitPrice = AmountField(source="unit_price", help_text="With tiers: the price up to the first of them.")
    unitSize = AmountField(source="unit_size", required=False, help_text="How many units the price is for.")
    connectionFee = AmountField(source="connection_fee", required=False, help_text="Of each use.")
    minimumQuantity = AmountField(source="minimum_quantity", required=False, help_text="Billed at least, of each use.")
    firstIncrement = AmountField(
        source="first_increment", required=False, allow_null=True, help_text="The first step; null: as `increment`."
    )
    increment = AmountField(
        required=False, allow_null=True, help_text="Quantities are billed in steps of it; null: exactly."
    )
    minimumCharge = AmountField(source="minimum_charge", required=False, allow_null=True, help_text="Of each use.")
    maximumCharge = AmountField(source="maximum_charge", required=False, allow_null=True, help_text="Of each use.")
    includedQuantity = AmountField(source="included_quantity", required=False, help_text="Free in each month.")
    countedPer = serializers.ChoiceField(
        choices=CountedPer.choices,
        source="counted_per",
        required=False,
        help_text="Whose usage of a month counts together for tiers, packages and the included quantity.",
    )
    tiers = TierSerializer(many=True, required=False, help_text="Of graduated and volume prices.")
    roundingDigits = serializers.IntegerField(
        source="rounding_digits",
        min_value=0,
        max_value=18,
        required=False,
        allow_null=True,
        help_text="Decimals that the amount of each use is rounded to; null: not rounded.",
    )
    roundingMode = serializers.ChoiceField(choices=RoundingMode.choices, source="rounding_mode", required=False)
    startDate = serializers.DateField(source="start_date", help_text="First day, in the customer's time zone.")
    endDate = serializers.DateField(
        source="end_date", required=False, allow_null=True, help_text="First day on which it no longer holds."
    )
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)

    def validate_tiers(self, value: list[dict[str, Decimal]]) -> list[Tier]:
        return sorted((Tier(**tier) for tier in value), key=lambda tier: tier.from_quantity)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs.get("start_date"), attrs.get("end_date")
        if isinstance(start, date) and isinstance(end, date) and end < start:
            raise serializers.ValidationError({"endDate": ["A rate does not end before the day that it starts on."]})
        return attrs


@extend_schema_field({"type": "string", "pattern": CLOCK, "examples": ["08:00"]})
class ClockField(serializers.TimeField):
    """A time of the day in whole minutes, such as 08:00."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M", "%H:%M:%S"], **kwargs)


class HoursSerializer(PartSerializer):
    """Hours on some days, by the clock of the rate card or of the customer."""

    days = serializers.ListField(
        child=serializers.IntegerField(min_value=DAYS[0], max_value=DAYS[-1]),
        allow_empty=False,
        max_length=len(DAYS),
        help_text="1 is Monday, 7 is Sunday, 8 is a public holiday, which is none of the others.",
    )
    startTime = ClockField(source="start_time", help_text="In whole minutes.")
    endTime = ClockField(source="end_time", required=False, allow_null=True, help_text="Null: until midnight.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs["start_time"], attrs.get("end_time")
        if end is not None and end <= start:
            raise serializers.ValidationError({"endTime": ["The end is after the start; over midnight are two rows."]})
        return attrs


class TimeBandSerializer(StrictSerializer):
    """Hours of the week by name."""

    id = IdField(read_only=True)
    name = serializers.CharField(max_length=100)
    hours = HoursSerializer(many=True, allow_empty=False, help_text="They stay once a rate is for the band.")
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)

    def validate_hours(self, value: list[dict[str, Any]]) -> list[Hours]:
        return [Hours(frozenset(row["days"]), row["start_time"], row.get("end_time")) for row in value]


class PublicHolidaySerializer(StrictSerializer):
    """A public holiday of a country."""

    id = IdField(read_only=True)
    country = serializers.RegexField(COUNTRY, help_text="ISO 3166-1 code, such as DE.")
    day = serializers.DateField()
    name = serializers.CharField(max_length=200)
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)
