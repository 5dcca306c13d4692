"""Fields that all three APIs use: exact numbers, ids as texts, dates and cursors in queries."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.core import signing
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

BIGINT_MAX = 2**63 - 1


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent, to the last of its 38 digits."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return Decimal("0" if text in {"-0", ""} else text)


def in_minor_units(amount: Decimal, minor_units: int) -> Decimal:
    """An amount of money as its currency is written: 23.0400 in USD is 23.04, in JPY 23.0000 is 23."""
    shown = plain(amount)
    exponent = shown.as_tuple().exponent
    if isinstance(exponent, int) and -exponent < minor_units:
        shown = shown.quantize(Decimal(1).scaleb(-minor_units))
    return shown


@extend_schema_field({"type": "number"})
class ExactNumberField(serializers.Field[Decimal, Decimal, Decimal, Any]):
    """A quantity or a price: a JSON number with all its digits. Read-only."""

    def to_representation(self, value: Decimal) -> Decimal:
        return plain(value)


@extend_schema_field({"type": "string", "pattern": "^[1-9][0-9]*$", "examples": ["17"]})
class IdField(serializers.Field[int, int, str, Any]):
    """An id: decimal digits in a text. Read-only."""

    def to_representation(self, value: int) -> str:
        return str(value)


class NameField(serializers.SlugRelatedField[Any]):
    """A reference that travels by its object's name."""

    default_error_messages = {"does_not_exist": "There is none named {value}.", "invalid": "It is not a name."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="name", **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        # PostgreSQL's texts hold neither NUL nor half a surrogate pair.
        if not isinstance(data, str) or re.search("[\0\ud800-\udfff]", data):
            self.fail("invalid")
        return super().to_internal_value(data)


class InstantField(serializers.DateTimeField):
    """ISO 8601 date-time in a query, in UTC unless it names its zone. A `+` that the URL made a space is one."""

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str):
            value = re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", value)
        return super().to_internal_value(value)


@extend_schema_field({"oneOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]})
class DateOrInstantField(InstantField):
    """A date, which is its midnight in UTC, or a date-time; either way a date-time in UTC comes out."""

    def to_internal_value(self, value: Any) -> datetime:
        return super().to_internal_value(value).astimezone(UTC)


@extend_schema_field(OpenApiTypes.STR)
class CursorField(serializers.CharField):
    """Where the next page goes on: signed, so that nobody makes one up, and safe in a URL. Empty: the first page.

    Comes out as the list that `cursor` was given, or None for the first page.
    """

    default_error_messages = {"made_up": "This cursor is not one that a page of this list gave."}

    def __init__(self, *, of: str, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, default="", max_length=500, **kwargs)
        self.of = of

    def run_validation(self, data: Any = serializers.empty) -> Any:
        text = super().run_validation(data)
        if not text:
            return None
        try:
            return _signer(self.of).unsign_object(text)
        except (signing.BadSignature, ValueError):
            self.fail("made_up")


def cursor(*, of: str, after: list[str | int]) -> str:
    """The cursor of the page after the row at `after`, in the list named `of`."""
    return _signer(of).sign_object(after)


def day(value: str) -> date:
    """A date as `cursor` was given it."""
    return date.fromisoformat(value)


def _signer(of: str) -> signing.Signer:
    # The usual separator, a colon, would have to be escaped in a URL.
    return signing.Signer(sep=".", salt=f"cursor.{of}")
