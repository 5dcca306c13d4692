"""What usage data records, and what is done to them, are sent as."""

from rest_framework import serializers

from customers.api.bodies import StrictSerializer
from usage.api.values import DayField, MomentField, NumberField, RelatedField, TextField
from usage.choices import BillingDirective, LifeCycleState

# As long as the columns of a record.
NUMBER_LENGTH_MAX, PLACE_LENGTH_MAX, REASON_LENGTH_MAX = 200, 100, 2_000
STATES = [(state.value, state.label) for state in (LifeCycleState.DRAFT, LifeCycleState.POSTED)]


class UserDefinedFields(StrictSerializer):
    udf_string_1 = TextField(required=False, allow_null=True)
    udf_string_2 = TextField(required=False, allow_null=True)
    udf_string_3 = TextField(required=False, allow_null=True)
    udf_string_4 = TextField(required=False, allow_null=True)
    udf_string_5 = TextField(required=False, allow_null=True)
    udf_string_6 = TextField(required=False, allow_null=True)
    udf_string_7 = TextField(required=False, allow_null=True)
    udf_string_8 = TextField(required=False, allow_null=True)
    udf_float_1 = NumberField(required=False, allow_null=True)
    udf_float_2 = NumberField(required=False, allow_null=True)
    udf_float_3 = NumberField(required=False, allow_null=True)
    udf_float_4 = NumberField(required=False, allow_null=True)
    udf_date_1 = DayField(required=False, allow_null=True)
    udf_date_2 = DayField(required=False, allow_null=True)
    udf_date_3 = DayField(required=False, allow_null=True)
    udf_date_4 = DayField(required=False, allow_null=True)


class NewRecordBody(UserDefinedFields):
    """A usage data record to be taken in. A member that is null counts as not given."""

    number = TextField(
        longest=NUMBER_LENGTH_MAX,
        allow_empty=False,
        required=False,
        allow_null=True,
        help_text="Unique per source system; made by the system if not given.",
    )
    life_cycle_state = serializers.ChoiceField(choices=STATES, required=False, help_text="`POSTED` if not given.")
    billing_directive = serializers.ChoiceField(
        choices=BillingDirective.choices, required=False, help_text="`TO_BE_BILLED` if not given."
    )
    billing_effective_date = DayField(
        required=False, allow_null=True, help_text="The day of `from_date` in the customer's time zone if not given."
    )
    from_date = MomentField(help_text="Without an offset from UTC it is in the source system's time zone.")
    to_date = MomentField(required=False, allow_null=True, help_text="`from_date` if not given.")
    usage_amount = NumberField(help_text="At most 20 digits before the point and 18 after it.")
    total_amount = NumberField(
        required=False, allow_null=True, help_text="What it costs, where it brings its own price: `PRERATED`."
    )
    destination = TextField(longest=PLACE_LENGTH_MAX, required=False, allow_null=True)
    region = TextField(longest=PLACE_LENGTH_MAX, required=False, allow_null=True)
    accounts_receivable = RelatedField(
        "number", "name", required=False, allow_null=True, help_text="Where given, it must be the service's."
    )
    subscription = RelatedField(
        "number", required=False, allow_null=True, help_text="Where given, it must be the service's."
    )
    subscription_service = RelatedField("identifier", help_text="The service that has the identifier at `from_date`.")
    product = RelatedField(
        "code", "name", required=False, allow_null=True, help_text="A usage product; the service's if not given."
    )
    subscription_action = RelatedField(
        "number", required=False, allow_null=True, help_text="An action of the service's subscription."
    )
    source_system = RelatedField("name", "alternative_code")
    type = RelatedField(
        "name", "alternative_code", required=False, allow_null=True, help_text="The source system's if not given."
    )


class ReasonBody(StrictSerializer):
    reason = TextField(longest=REASON_LENGTH_MAX, required=False, help_text="Kept in the record's history.")


class RejectBody(StrictSerializer):
    reason = TextField(longest=REASON_LENGTH_MAX, allow_empty=False, help_text="Kept in the record's history.")


class AdjustBody(UserDefinedFields):
    """What is to be changed. What is not given stays; null takes a value away where a record can do without."""

    reason = TextField(longest=REASON_LENGTH_MAX, required=False, help_text="Kept in the record's history.")
    usage_amount = NumberField(required=False)
    total_amount = NumberField(required=False, allow_null=True, help_text="Null: priced by the customer's rate card.")
    from_date = MomentField(required=False)
    to_date = MomentField(required=False)
    billing_effective_date = DayField(required=False)
    billing_directive = serializers.ChoiceField(choices=BillingDirective.choices, required=False)
    product = RelatedField("code", "name", required=False)
    type = RelatedField("name", "alternative_code", required=False)
    destination = TextField(longest=PLACE_LENGTH_MAX, required=False)
    region = TextField(longest=PLACE_LENGTH_MAX, required=False)
