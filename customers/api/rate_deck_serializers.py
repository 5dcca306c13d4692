"""Rate decks as the backend API spells them."""
# ruff: noqa: N815  the API's members are in camelCase

import json
from datetime import date
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from catalog.choices import EARLIEST_YEAR, LATEST_YEAR, DeckLineOutcome, DeckMode, DeckState
from catalog.models import Product, RateDeck, RateDeckLine, TimeBand
from catalog.queries.rate_decks import line_counts, raw_cells
from customers.api.bodies import StrictSerializer
from customers.api.fields import BIGINT_MAX, ExactNumberField, IdField, NameField
from customers.api.lists import BACKEND_LIMIT, BACKEND_LIMIT_MAX, BackendListQuery
from customers.api.price_serializers import PREFIX, AmountField, ReferenceField

SIGNS = [".", ","]


def checked_day(value: date) -> None:
    """Raise `ValidationError` for a day that no price holds on."""
    if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
        raise ValidationError(f"Give a year from {EARLIEST_YEAR} to {LATEST_YEAR}.")


class ImportQuery(serializers.Serializer[Any]):
    """How a price list is read, and from when on it holds."""

    startsOn = serializers.DateField(help_text="First day of its prices.", validators=[checked_day])
    mode = serializers.ChoiceField(
        choices=DeckMode.choices, default=DeckMode.CHANGES, help_text="What becomes of prices that it does not name."
    )
    activate = serializers.BooleanField(
        default=False, help_text="Activate it at once, where no line is refused. Else it waits to be looked at."
    )
    defaultProduct = ReferenceField(
        field="code", queryset=Product.objects.all(), required=False, help_text="Code of the product of other lines."
    )
    decimalSign = serializers.ChoiceField(
        choices=SIGNS, required=False, default="", help_text="Found out by the file if not given."
    )
    mapping = serializers.CharField(
        required=False, default="{}", help_text='A JSON object, field: column, such as {"unit_price": "Rate"}.'
    )
    fileName = serializers.CharField(required=False, default="", max_length=300)

    def validate_mapping(self, value: str) -> dict[str, str]:
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
            raise ValidationError("It is a JSON object of texts: field of a rate, column of the file.")
        return found


class ExportQuery(serializers.Serializer[Any]):
    """Which prices are exported."""

    on = serializers.DateField(
        required=False, help_text="Those that hold on this day. Default: today.", validators=[checked_day]
    )


class IncreaseBody(StrictSerializer):
    """A percent on prices of a card. What is not given selects all."""

    percent = AmountField(help_text="Below 0 prices go down.")
    startsOn = serializers.DateField(help_text="First day of the new prices.", validators=[checked_day])
    roundTo = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=18, help_text="Decimals, half up. Null: not rounded."
    )
    product = ReferenceField(field="code", queryset=Product.objects.all(), required=False, allow_null=True)
    destinationPrefix = serializers.RegexField(PREFIX, required=False, allow_blank=True, max_length=15)
    region = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=100, help_text="Empty: prices of every region."
    )
    timeBand = NameField(queryset=TimeBand.objects.all(), required=False, allow_null=True)


class ActivateBody(StrictSerializer):
    """Whether a deck takes effect that has refused lines, or against which something speaks."""

    withoutRefused = serializers.BooleanField(required=False, default=False, help_text="Leave refused lines out.")
    despiteObjections = serializers.BooleanField(
        required=False, default=False, help_text="Whatever its examples cost then and a check finds."
    )


class DecksQuery(BackendListQuery):
    """What the list of rate decks can be asked."""

    rateCard = serializers.CharField(required=False, max_length=100, help_text="Name of a rate card.")
    state = serializers.ChoiceField(choices=DeckState.choices, required=False)


class LinesQuery(serializers.Serializer[Any]):
    """Which lines of a deck."""

    outcome = serializers.ChoiceField(choices=DeckLineOutcome.choices, required=False)
    idAfter = serializers.IntegerField(required=False, min_value=0, max_value=BIGINT_MAX, help_text="Ids above it.")
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=BACKEND_LIMIT_MAX, default=BACKEND_LIMIT, help_text="Rows of a page."
    )


class LineCountsSerializer(serializers.Serializer[Any]):
    """Lines by outcome."""

    NEW = serializers.IntegerField()
    CHANGED = serializers.IntegerField()
    SAME = serializers.IntegerField()
    CLOSED = serializers.IntegerField()
    REFUSED = serializers.IntegerField()


class ListedRateDeckSerializer(serializers.ModelSerializer[RateDeck]):
    """A rate deck without its counts: each would be a count of 100,000 lines."""

    id = IdField(read_only=True)
    rateCardID = IdField(source="rate_card_id", read_only=True)
    startsOn = serializers.DateField(source="starts_on", read_only=True)
    mode = serializers.ChoiceField(choices=DeckMode.choices, read_only=True)
    state = serializers.ChoiceField(choices=DeckState.choices, read_only=True)
    columns = serializers.ListField(child=serializers.CharField(), read_only=True)
    columnMapping = serializers.DictField(source="column_mapping", child=serializers.CharField(), read_only=True)
    activatedDate = serializers.DateTimeField(source="activated_at", read_only=True, allow_null=True)
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)

    class Meta:
        model = RateDeck
        fields: tuple[str, ...] = (
            *("id", "name", "rateCardID", "startsOn", "mode", "state", "columns", "columnMapping"),
            *("activatedDate", "createdDate", "updatedDate"),
        )
        read_only_fields = ("name",)


class RateDeckSerializer(ListedRateDeckSerializer):
    """Prices that are to hold in a rate card from a day on. Only an activated deck has changed any."""

    lineCounts = serializers.SerializerMethodField()

    class Meta(ListedRateDeckSerializer.Meta):
        fields = (*ListedRateDeckSerializer.Meta.fields, "lineCounts")

    @extend_schema_field(LineCountsSerializer)
    def get_lineCounts(self, deck: RateDeck) -> dict[str, int]:  # noqa: N802  as its field is called
        return line_counts(deck.pk)


class RateDeckLineSerializer(serializers.Serializer[RateDeckLine]):
    """One price of a deck, and what it does."""

    id = IdField()
    lineNumber = serializers.IntegerField(source="line_number", help_text="In the file; 0 where it stands in none.")
    outcome = serializers.ChoiceField(choices=DeckLineOutcome.choices)
    detail = serializers.CharField(help_text="Why it is refused; else empty.")
    product = serializers.CharField(source="product.code", default=None, allow_null=True)
    destinationPrefix = serializers.CharField(source="destination_prefix")
    destinationName = serializers.CharField(source="destination_name")
    region = serializers.CharField()
    timeBand = serializers.CharField(source="time_band.name", default=None, allow_null=True)
    unitPrice = ExactNumberField(source="unit_price", allow_null=True)
    unitSize = ExactNumberField(source="unit_size")
    connectionFee = ExactNumberField(source="connection_fee")
    endDate = serializers.DateField(source="end_date", allow_null=True)
    rateID = IdField(source="rate_id", allow_null=True, help_text="The version that it is compared with.")
    oldUnitPrice = serializers.SerializerMethodField(help_text="Of that version.")
    raw = serializers.SerializerMethodField(help_text="The texts as they came.")

    @extend_schema_field(ExactNumberField(allow_null=True))
    def get_oldUnitPrice(self, line: RateDeckLine) -> Decimal | None:  # noqa: N802  as its field is called
        return None if line.rate is None else ExactNumberField().to_representation(line.rate.unit_price)

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_raw(self, line: RateDeckLine) -> list[str]:
        return raw_cells(line)
