"""`billingRunSchedules` of the backend API: what makes billing runs by the calendar."""
# ruff: noqa: N815  the API's members are in camelCase

from datetime import date, datetime
from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from billing.choices import PreflightWarning, ScheduleAction
from billing.models import BillingCycle, InvoiceMessage, RunSchedule
from billing.models.schedules import EARLIEST, LATEST, LONGEST_DUE_DAYS
from billing.operations.schedule_changes import RunScheduleValues, create_schedule, delete_schedule, update_schedule
from billing.queries.schedules import next_period, schedules_with_latest
from catalog.models.fields import validate_timezone
from customers.api.bodies import StrictSerializer
from customers.api.fields import IdField, NameField
from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery
from customers.api.price_lists import PriceListView, checked, existing, page, translated
from customers.api.views import checked_query
from customers.choices import Scope
from customers.models import ApiKey

TAGS = ["billingRunSchedules"]
UPDATE = (
    "Members that are not given stay as they are, and so do the runs that it has made. A schedule that commences runs "
    "needs the scope `billing:run` besides, before or after the change."
)
MONTHS_MAX, HOUR_MAX = 12, 23
REFERENCES = ("billing_cycle", "invoice_message")


class RunScheduleSerializer(StrictSerializer):
    """Makes a billing run each time a period is over."""

    id = IdField(read_only=True)
    name = serializers.CharField(max_length=100)
    billingCycle = NameField(
        source="billing_cycle",
        queryset=BillingCycle.objects.all(),
        required=False,
        allow_null=True,
        help_text="Its subrun's customers are billed. Null: those of no subrun.",
    )
    months = serializers.IntegerField(
        required=False, min_value=1, max_value=MONTHS_MAX, help_text="Months of a period."
    )
    firstCutoffDate = serializers.DateField(
        source="first_cutoff_date",
        help_text="Of the first run; later ones on the same day of the month, or on its last. Periods since then that "
        "have no run are made up for, one by one.",
    )
    hour = serializers.IntegerField(required=False, min_value=0, max_value=HOUR_MAX, help_text="On the cutoff date.")
    timezone = serializers.CharField(max_length=64, required=False, help_text="Of the hour, such as Europe/Berlin.")
    dueInDays = serializers.IntegerField(
        source="due_in_days",
        required=False,
        allow_null=True,
        min_value=0,
        max_value=LONGEST_DUE_DAYS,
        help_text="Days from the invoice date (the cutoff date) to the due date; null: by each customer's terms.",
    )
    invoiceMessage = NameField(
        source="invoice_message",
        queryset=InvoiceMessage.objects.all(),
        required=False,
        allow_null=True,
        help_text="Name of an invoice message.",
    )
    action = serializers.ChoiceField(choices=ScheduleAction.choices, required=False)
    confirmedWarnings = serializers.ListField(
        source="confirmed_warnings",
        child=serializers.ChoiceField(choices=PreflightWarning.choices),
        required=False,
        max_length=len(PreflightWarning),
        help_text="Codes of warnings that do not keep a run from being commenced.",
    )
    isActive = serializers.BooleanField(source="is_active", required=False)
    nextCutoffDate = serializers.SerializerMethodField(
        help_text="Of the first period that has no run yet; null while it is switched off."
    )
    nextRunDate = serializers.SerializerMethodField(
        help_text="When the run of that is made; in the past where it is due already. Null while it is switched off."
    )
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)

    @extend_schema_field({"type": ["string", "null"], "format": "date"})
    def get_nextCutoffDate(self, schedule: Any) -> date | None:  # noqa: N802  named after its field
        return next_period(schedule, latest=schedule.latest)[0] if schedule.is_active else None

    @extend_schema_field({"type": ["string", "null"], "format": "date-time"})
    def get_nextRunDate(self, schedule: Any) -> datetime | None:  # noqa: N802
        return next_period(schedule, latest=schedule.latest)[1] if schedule.is_active else None

    def validate_timezone(self, value: str) -> str:
        validate_timezone(value)
        return value

    def validate_firstCutoffDate(self, value: date) -> date:  # noqa: N802
        if not EARLIEST <= value < LATEST:
            raise serializers.ValidationError(f"It lies between {EARLIEST} and {LATEST}.")
        return value


class RunScheduleView(PriceListView):
    staff_model = "billing.runschedule"

    def require_commencing(self, request: Request, *actions: str) -> None:
        """Who makes or changes a schedule that commences runs may commence runs. Raises `PermissionDenied`."""
        if ScheduleAction.COMMENCE not in actions:
            return
        if isinstance(request.auth, ApiKey) and Scope.BILLING_RUN not in request.auth.scopes:
            raise PermissionDenied(f"This API key lacks the scope {Scope.BILLING_RUN}.", code="scope_missing")
        if not request.user.has_perm("billing.change_billingrun"):
            user = request.user.get_username()
            raise PermissionDenied(f"The user {user} lacks the permission billing.change_billingrun.")


class RunScheduleList(RunScheduleView):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRunSchedules_list",
        summary="List schedules of billing runs by id",
        parameters=[BackendListQuery, *BACKEND_LIST_HEADERS],
        responses={200: RunScheduleSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        return page(request, shown_schedules(), RunScheduleSerializer, checked_query(BackendListQuery, request))

    @extend_schema(
        tags=TAGS,
        operation_id="billingRunSchedules_create",
        summary="Make a schedule of billing runs",
        description="One that commences runs needs the scope `billing:run` besides `write`.",
        request=RunScheduleSerializer,
        responses={201: RunScheduleSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = schedule_values(checked(RunScheduleSerializer, request))
        self.require_commencing(request, values.get("action", ""))
        schedule = translated(lambda: create_schedule(values=values))
        return Response(shown(schedule.pk), status=201)


class RunScheduleDetail(RunScheduleView):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRunSchedules_retrieve",
        summary="Show one schedule of billing runs",
        responses={200: RunScheduleSerializer},
    )
    def get(self, request: Request, schedule_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(RunSchedule.objects.all(), schedule_id).pk))

    @extend_schema(
        tags=TAGS,
        operation_id="billingRunSchedules_update",
        summary="Change a schedule of billing runs",
        description=UPDATE,
        request=RunScheduleSerializer,
        responses={200: RunScheduleSerializer},
    )
    @idempotent
    def put(self, request: Request, schedule_id: str) -> Response:
        return self._change(request, schedule_id)

    @extend_schema(
        tags=TAGS,
        operation_id="billingRunSchedules_partial_update",
        summary="Change a schedule of billing runs",
        description=UPDATE,
        request=RunScheduleSerializer,
        responses={200: RunScheduleSerializer},
    )
    @idempotent
    def patch(self, request: Request, schedule_id: str) -> Response:
        return self._change(request, schedule_id)

    @extend_schema(
        tags=TAGS,
        operation_id="billingRunSchedules_destroy",
        summary="Delete a schedule that has made no run",
        description="409 where it has: `isActive` switches it off.",
        request=None,
        responses={204: None},
    )
    @idempotent
    def delete(self, request: Request, schedule_id: str) -> Response:  # noqa: ARG002
        schedule = existing(RunSchedule.objects.all(), schedule_id)
        translated(lambda: delete_schedule(schedule_id=schedule.pk))
        return Response(status=204)

    def _change(self, request: Request, schedule_id: str) -> Response:
        schedule = existing(RunSchedule.objects.all(), schedule_id)
        changes = schedule_values(checked(RunScheduleSerializer, request, schedule))
        self.require_commencing(request, schedule.action, changes.get("action", ""))
        translated(lambda: update_schedule(schedule_id=schedule.pk, changes=changes))
        return Response(shown(schedule.pk))


def schedule_values(validated: dict[str, Any]) -> RunScheduleValues:
    """The validated members as the operations take them: what they refer to by its id."""
    values = dict(validated)
    for name in REFERENCES:
        if name in values:
            referred = values.pop(name)
            values[f"{name}_id"] = None if referred is None else referred.pk
    return cast("RunScheduleValues", values)


def shown_schedules() -> QuerySet[RunSchedule]:
    """Schedules with what they name, and their last period that has a run."""
    return schedules_with_latest().select_related("billing_cycle", "invoice_message")


def shown(schedule_id: int) -> dict[str, Any]:
    """The schedule as it is stored now."""
    return dict(RunScheduleSerializer(shown_schedules().get(id=schedule_id)).data)
