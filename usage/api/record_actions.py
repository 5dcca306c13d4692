"""What is done to one usage data record after it came in: what all actions have in common, posting and rejecting."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.bodies import StrictSerializer, checked_body
from customers.api.exceptions import Conflict, MembersRefused, Refused
from customers.api.idempotency import idempotent
from customers.api.views import ApiView
from customers.choices import Scope
from usage.api.bodies import ReasonBody, RejectBody
from usage.api.record_detail import UsageDataRecordDetailSerializer, existing_record_id, shown_in_full
from usage.api.serializers import MEMBERS
from usage.operations.errors import RecordConflict, RecordRefused
from usage.operations.records import post_record, reject_record

Result = TypeVar("Result")

TAGS = ["usage_data_records"]


class RecordAction(ApiView):
    """An action on one record, for staff. It answers with the record."""

    scope = Scope.USAGE_WRITE
    staff_model = "usage.usagedatarecord"
    staff_verbs = {"POST": "change"}
    is_staff_only = True

    def acted(
        self,
        request: Request,
        record_id: str,
        operation: Callable[..., object],
        body: type[StrictSerializer] = ReasonBody,
        **values: object,
    ) -> Response:
        """Do the operation on the record, for the reason in the request's body, and answer with the record."""
        found = existing_record_id(record_id)
        reason = reason_of(checked_body(body, request))
        user_id = self.user_id(request)
        translated(lambda: operation(record_id=found, at=timezone.now(), user_id=user_id, reason=reason, **values))
        return Response(self.shown(found))

    def shown(self, record_id: int) -> dict[str, Any]:
        """The record as it is answered: as it is shown by itself."""
        return shown_in_full(record_id, customer_id=None)


class PostRecord(RecordAction):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_data_records_post",
        summary="Post a draft",
        description="From then on it says what it says, and the customer's next run bills it.",
        request=ReasonBody,
        responses={200: UsageDataRecordDetailSerializer},
    )
    @idempotent
    def post(self, request: Request, record_id: str) -> Response:
        return self.acted(request, record_id, post_record)


class RejectRecord(RecordAction):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_data_records_reject",
        summary="Reject a draft",
        description="For good: it is never posted.",
        request=RejectBody,
        responses={200: UsageDataRecordDetailSerializer},
    )
    @idempotent
    def post(self, request: Request, record_id: str) -> Response:
        return self.acted(request, record_id, reject_record, RejectBody)


def reason_of(body: dict[str, Any]) -> str:
    """The reason that was given, or none."""
    return str(body.get("reason", ""))


def translated(operation: Callable[[], Result]) -> Result:
    """What the operation gives. Its refusals are raised as the API answers them: `Conflict`, and see `refusal`."""
    try:
        return operation()
    except RecordConflict as error:
        raise Conflict(str(error), code="wrong_state") from error
    except RecordRefused as error:
        raise refusal(error) from error


def refusal(error: RecordRefused) -> MembersRefused | Refused:
    """The answer to what was refused: by member, where one is at fault."""
    if not error.field:
        return Refused(str(error))
    return MembersRefused({MEMBERS.get(error.field, error.field): [str(error)]})
