"""Values of a usage data record as they are sent: each of the right type, and the text that it is taken in as.

What has the wrong type or shape is a 400 here. What has the right one and still cannot be (a service that there is not,
the 31st of February, a number of too many digits) is found where every way in finds it, and is a 422.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from drf_spectacular.drainage import set_override
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

# PostgreSQL's texts hold neither NUL nor half a surrogate pair.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
TEXT_PATTERN = r"^[^\x00]*$"
NAME_PATTERN = r"^[^\x00]*[^\x00 ][^\x00]*$"
ID_PATTERN = r"^[1-9][0-9]{0,17}$"
NAME_LENGTH_MAX = 300
TEXT_LENGTH_MAX = 10_000
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,20})?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
# A number is written out with all its digits; past this many it is no quantity, and would only fill memory.
MOST_DIGITS = 100


def text_schema(*, longest: int, allow_empty: bool) -> dict[str, Any]:
    """How the document describes a text."""
    return {"type": "string", "pattern": TEXT_PATTERN if allow_empty else NAME_PATTERN, "maxLength": longest}


class TextField(serializers.Field[str, Any, str, Any]):
    """A text as it is: not trimmed, not made of a number."""

    default_error_messages = {
        "invalid": "It is not a text.",
        "unstorable": "It holds a NUL, or half a surrogate pair.",
        "empty": "It is empty.",
        "too_long": "It has more than {longest} characters.",
    }

    def __init__(self, *, longest: int = TEXT_LENGTH_MAX, allow_empty: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest, self.allow_empty = longest, allow_empty
        set_override(self, "field", text_schema(longest=longest, allow_empty=allow_empty))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if UNSTORABLE.search(data):
            self.fail("unstorable")
        # What is nothing but spaces counts as nothing wherever usage comes in.
        if not (self.allow_empty or data.strip(" ")):
            self.fail("empty")
        if len(data) > self.longest:
            self.fail("too_long", longest=self.longest)
        return data


@extend_schema_field({"type": "number"})
class NumberField(serializers.Field[Decimal, Any, Decimal, Any]):
    """A JSON number, exact."""

    default_error_messages = {"invalid": "It is not a number."}

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, (int, Decimal)):
            self.fail("invalid")
        return Decimal(data)


@extend_schema_field({"type": "string", "format": "date"})
class DayField(serializers.Field[str, Any, str, Any]):
    """A day, `YYYY-MM-DD`. Whether there is such a day is found where it is taken in."""

    default_error_messages = {"invalid": "It is not a date: write it as YYYY-MM-DD."}

    def to_internal_value(self, data: Any) -> str:
        if not (isinstance(data, str) and DAY.fullmatch(data)):
            self.fail("invalid")
        return data


@extend_schema_field({"type": "string", "format": "date-time"})
class MomentField(serializers.Field[str, Any, str, Any]):
    """A date-time in ISO 8601; without its offset from UTC it is in the source system's time zone."""

    default_error_messages = {"invalid": "It is not a date-time: write it as 2026-01-31T23:59:59Z."}

    def to_internal_value(self, data: Any) -> str:
        if not (isinstance(data, str) and INSTANT.fullmatch(data)):
            self.fail("invalid")
        return data.upper()


@dataclass(frozen=True, slots=True)
class Reference:
    """A related object as it was named: by which of its members, and what that is."""

    member: str
    text: str


class RelatedField(serializers.Field[Reference, Any, Any, Any]):
    """A related object: an object with one of its members, `{"code": "CALL"}`, or the first of them as a plain text."""

    default_error_messages = {
        "invalid": "It is neither a text nor an object.",
        "members": "Give one of {names}, and nothing else.",
        "id": "It is not an id.",
    }

    def __init__(self, *members: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.members = members
        text = text_schema(longest=NAME_LENGTH_MAX, allow_empty=False)
        named = {
            "type": "object",
            "properties": {"id": {"type": "string", "pattern": ID_PATTERN}} | dict.fromkeys(members, text),
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }
        set_override(self, "field", {"oneOf": [text, named]})

    def to_internal_value(self, data: Any) -> Reference:
        if isinstance(data, str):
            return Reference(self.members[0], self._text(data))
        if not isinstance(data, dict):
            self.fail("invalid")
        if len(data) != 1 or not set(data) <= {"id", *self.members}:
            self.fail("members", names=", ".join(("id", *self.members)))
        ((member, text),) = data.items()
        if member == "id" and not (isinstance(text, str) and re.fullmatch(ID_PATTERN, text)):
            self.fail("id")
        return Reference(member, self._text(text))

    def _text(self, data: Any) -> str:
        return TextField(longest=NAME_LENGTH_MAX, allow_empty=False).to_internal_value(data)


def written_out(number: Decimal) -> str:
    """The number with all its digits and no exponent; as it came, where that would be more than anybody means."""
    if abs(number.adjusted()) > MOST_DIGITS:
        return str(number)
    return format(number, "f")
