"""`completeness` of the usage API: whether all usage is accounted for, and what seems not to have come."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from billing.choices import GapKind
from billing.engine.completeness import FAULTS
from billing.queries.shown_completeness import shown_completeness, shown_gaps, source_systems
from customers.api.fields import ExactNumberField, IdField
from customers.api.views import ApiView, checked_query
from usage.api.short_forms import NamedShortForm
from usage.queries.imports import source_system_named

SHOWN_DAYS = 14
LONGEST_DAYS = 366


class CompletenessQuery(serializers.Serializer[Any]):
    """Days of UTC, both included: by default the last 14."""

    source_system = serializers.CharField(
        required=False, default="", allow_blank=True, help_text="Name or alternative code of one; empty: all."
    )
    to = serializers.DateField(required=False, help_text="Last day. Default: today.")

    def get_fields(self) -> dict[str, Any]:
        # A word of the language: no class can have it as an attribute.
        first = serializers.DateField(required=False, help_text="First day. Default: 13 days before the last.")
        return {"from": first, **super().get_fields()}


class MisplacedRecordSerializer(serializers.Serializer[Any]):
    id = IdField()
    number = serializers.CharField()
    fault = serializers.ChoiceField(choices=sorted(FAULTS))
    detail = serializers.CharField()


class OfSourceSystem(serializers.Serializer[Any]):
    """What has a `source_system_id`. The serializer's context gives the source systems by id as `sources`."""

    source_system = serializers.SerializerMethodField()

    @extend_schema_field(NamedShortForm)
    def get_source_system(self, shown: Any) -> dict[str, Any]:
        return dict(NamedShortForm(self.context["sources"][shown.source_system_id]).data)


class CompletenessDaySerializer(OfSourceSystem):
    """What one source system sent on one day, and where it is. Quantities are in the units of the usage types."""

    day = serializers.DateField()
    received = serializers.IntegerField(source="received_count", help_text="Rows of files, and records sent singly.")
    accepted = serializers.IntegerField(source="accepted_count", help_text="Became usage data records.")
    duplicates = serializers.IntegerField(source="duplicate_count")
    conflicts = serializers.IntegerField(source="conflict_count")
    quarantined = serializers.IntegerField(source="quarantined_count")
    records = serializers.IntegerField(source="record_count", help_text="Found in the table of records.")
    quantity = ExactNumberField(source="record_quantity")
    pending = serializers.IntegerField(source="pending_count")
    pending_quantity = ExactNumberField()
    charged = serializers.IntegerField(source="charged_count")
    charged_quantity = ExactNumberField(help_text="As the charges say.")
    excluded = serializers.IntegerField(source="excluded_count")
    excluded_quantity = ExactNumberField()
    not_to_be_billed = serializers.IntegerField(source="not_billed_count", help_text="Of the excluded.")
    draft = serializers.IntegerField(source="draft_count", help_text="Of the excluded.")
    rejected = serializers.IntegerField(source="rejected_count", help_text="Of the excluded.")
    cancelled = serializers.IntegerField(source="cancelled_count", help_text="Of the excluded.")
    misplaced = serializers.IntegerField(source="misplaced_count", help_text="In none of the three, or in two.")
    balances = serializers.BooleanField()
    differences = serializers.ListField(child=serializers.CharField(), help_text="What does not add up, in words.")
    misplaced_records = MisplacedRecordSerializer(many=True, source="misplaced", help_text="The first 20 by number.")
    checked_date = serializers.DateTimeField(source="checked_at", help_text="When it was counted.")


class NumberHoleSerializer(OfSourceSystem):
    """Numbers that no record has, though numbers before and after them came."""

    first = serializers.CharField(source="first_number")
    last = serializers.CharField(source="last_number")
    missing = serializers.IntegerField(source="missing_count")
    quarantined = serializers.IntegerField(source="quarantined_count", help_text="Stand in open quarantined lines.")


class SilentHoursSerializer(OfSourceSystem):
    """Hours without usage in a source system that had some at that hour in each of the four weeks before."""

    from_date = serializers.DateTimeField(source="starts_at")
    to_date = serializers.DateTimeField(source="ends_at", help_text="The first hour that is not silent.")
    hours = serializers.IntegerField(source="missing_count")


class CompletenessMetaSerializer(serializers.Serializer[Any]):
    to = serializers.DateField(source="to_day")
    balances = serializers.BooleanField()
    is_live = serializers.BooleanField(help_text="Counted now; else as it was last checked.")
    as_of = serializers.DateTimeField(allow_null=True, help_text="When; null where nothing was checked yet.")
    unchecked_days = serializers.ListField(
        source="unchecked", child=serializers.DateField(), help_text="Not checked yet, and not in the data."
    )

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(source="from_day"), **super().get_fields()}


class CompletenessSerializer(serializers.Serializer[Any]):
    data = CompletenessDaySerializer(many=True)  # type: ignore[assignment]  # a member of that name
    number_holes = NumberHoleSerializer(many=True, help_text="At most 100 of a source system.")
    silent_hours = SilentHoursSerializer(many=True)
    meta = CompletenessMetaSerializer()


class CompletenessView(ApiView):
    """All customers' usage together: for staff."""

    staff_model = "billing.completenessday"
    is_staff_only = True

    @extend_schema(
        tags=["completeness"],
        operation_id="completeness_retrieve",
        summary="Show whether all usage is accounted for",
        description=(
            "By day of receipt and source system: received = accepted + duplicates + conflicts + quarantined, and "
            "accepted = pending + charged + excluded, by count and by quantity. Counted now where that is quick, else "
            "as it was last checked. Below it what seems not to have come. At most 366 days."
        ),
        parameters=[CompletenessQuery],
        responses={200: CompletenessSerializer},
    )
    def get(self, request: Request) -> Response:
        now = timezone.now()
        query = checked_query(CompletenessQuery, request)
        from_day, to_day = asked_days(query, now.date())
        source_id = asked_source_id(query["source_system"])
        completeness = shown_completeness(from_day=from_day, to_day=to_day, source_system_id=source_id, at=now)
        gaps = shown_gaps(source_system_id=source_id, at=now).found
        shown = {
            "data": completeness.days,
            "number_holes": [gap for gap in gaps if gap.kind == GapKind.NUMBERS],
            "silent_hours": [gap for gap in gaps if gap.kind == GapKind.SILENT_HOURS],
            "meta": completeness,
        }
        return Response(CompletenessSerializer(shown, context={"sources": source_systems()}).data)


def asked_days(query: dict[str, Any], today: date) -> tuple[date, date]:
    """The first and the last day asked for. Raises ValidationError."""
    to_day: date = query.get("to", today)
    default = date.fromordinal(max(to_day.toordinal() - SHOWN_DAYS + 1, 1))
    from_day: date = query.get("from", default)
    if to_day < from_day:
        raise ValidationError({"to": ["The last day is before the first."]})
    if to_day - from_day >= timedelta(days=LONGEST_DAYS):
        raise ValidationError({"from": [f"At most {LONGEST_DAYS} days are shown at once."]})
    return from_day, to_day


def asked_source_id(name: str) -> int | None:
    """The id of the source system asked for, or None for all. Raises ValidationError."""
    if not name:
        return None
    source = source_system_named(name)
    if source is None:
        raise ValidationError({"source_system": [f"There is no source system “{name}”."]})
    return source.pk
