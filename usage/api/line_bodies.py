"""What is sent to lines of an import."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from customers.api.bodies import StrictSerializer
from usage.api.bodies import REASON_LENGTH_MAX
from usage.api.values import TextField, text_schema
from usage.choices import ConflictDecision

# As long as a row of a file may be.
ROW_LENGTH_MAX = 1 << 20
VALUES_MAX = 500
DECISIONS = [(choice.value, choice.label) for choice in ConflictDecision if choice != ConflictDecision.OPEN]


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": VALUES_MAX,
        "propertyNames": text_schema(longest=ROW_LENGTH_MAX, allow_empty=True),
        "additionalProperties": text_schema(longest=ROW_LENGTH_MAX, allow_empty=True),
    }
)
class ValuesField(serializers.Field[dict[str, str], Any, Any, Any]):
    """Texts by the names of columns."""

    default_error_messages = {
        "invalid": "It is not an object of texts.",
        "too_many": "It has more than {most} members.",
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict):
            self.fail("invalid")
        if len(data) > VALUES_MAX:
            self.fail("too_many", most=VALUES_MAX)
        text = TextField(longest=ROW_LENGTH_MAX)
        return {text.to_internal_value(name): text.to_internal_value(value) for name, value in data.items()}


class CorrectionBody(StrictSerializer):
    """One of the two."""

    shape = {"minProperties": 1, "maxProperties": 1}

    text = TextField(longest=ROW_LENGTH_MAX, allow_empty=False, required=False, help_text="The whole row.")
    values = ValuesField(required=False, help_text="New values by the names of columns; the others stay.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either text or values.")
        return attrs


class DismissBody(StrictSerializer):
    note = TextField(longest=REASON_LENGTH_MAX, allow_empty=False, help_text="Why it is of no matter.")


class DecisionBody(StrictSerializer):
    decision = serializers.ChoiceField(choices=DECISIONS)
    note = TextField(longest=REASON_LENGTH_MAX, required=False)
