"""What is done to a usage data record that an invoice may have: cancelling, adjusting, what billing does with it."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.explained_records import shown_explained
from billing.api.explanations import ExplainedRecordSerializer
from billing.operations.usage_records import adjust_record, cancel_record, set_directive
from customers.api.bodies import checked_body
from customers.api.idempotency import idempotent
from usage.api.bodies import AdjustBody, ReasonBody
from usage.api.record_actions import TAGS, RecordAction, reason_of, translated
from usage.api.record_detail import existing_record_id
from usage.api.related import product_id, type_id
from usage.choices import BillingDirective


class BilledRecordAction(RecordAction):
    """An action on a record that may have a charge: the answer explains it."""

    def shown(self, record_id: int) -> dict[str, Any]:
        return shown_explained(record_id, customer_id=None)


class CancelRecord(BilledRecordAction):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_data_records_cancel",
        summary="Cancel a posted record",
        description=(
            "For good. Pending, it is not billed; on a draft of an invoice, the draft is made again without it; on a "
            "posted invoice, an equal and opposite charge waits for the customer's next one."
        ),
        request=ReasonBody,
        responses={200: ExplainedRecordSerializer},
    )
    @idempotent
    def post(self, request: Request, record_id: str) -> Response:
        return self.acted(request, record_id, cancel_record)


class AdjustRecord(BilledRecordAction):
    @extend_schema(
        tags=TAGS,
        operation_id="usage_data_records_adjust",
        summary="Adjust a posted record",
        description=(
            "A posted record does not change: it is cancelled, and a successor says what it was to say. The answer is "
            "the successor; its `original` is the record, whose history says what changed."
        ),
        request=AdjustBody,
        responses={200: ExplainedRecordSerializer},
    )
    @idempotent
    def post(self, request: Request, record_id: str) -> Response:
        found = existing_record_id(record_id)
        body = checked_body(AdjustBody, request)
        successor = translated(
            lambda: adjust_record(
                record_id=found,
                values=values_of(body),
                at=timezone.now(),
                user_id=self.user_id(request),
                reason=reason_of(body),
            )
        )
        return Response(self.shown(successor.id))


def directed(*, operation_id: str, summary: str) -> Any:
    """How the document tells of a view that sets a directive."""
    told = extend_schema(
        tags=TAGS,
        operation_id=operation_id,
        summary=summary,
        description="409 if it is on a posted invoice: adjust or cancel it instead.",
        request=ReasonBody,
        responses={200: ExplainedRecordSerializer},
    )
    return extend_schema_view(post=told)


class DirectRecord(BilledRecordAction):
    """Says what billing does with a record. Subclasses say what."""

    directive: ClassVar[BillingDirective]

    @idempotent
    def post(self, request: Request, record_id: str) -> Response:
        return self.acted(request, record_id, set_directive, directive=self.directive)


@directed(operation_id="usage_data_records_set_to_be_billed", summary="Have a record billed")
class SetToBeBilled(DirectRecord):
    directive = BillingDirective.TO_BE_BILLED


@directed(
    operation_id="usage_data_records_set_creditable",
    summary="Have a record credited: charged with the opposite sign",
)
class SetCreditable(DirectRecord):
    directive = BillingDirective.TO_BE_CREDITED


@directed(operation_id="usage_data_records_set_not_billable", summary="Leave a record out of billing")
class SetNotBillable(DirectRecord):
    directive = BillingDirective.NOT_TO_BE_BILLED


def values_of(body: dict[str, Any]) -> dict[str, object]:
    """What is to be changed, by the record's own fields. Raises `MembersRefused` for a product or type that is none."""
    values = {name: value for name, value in body.items() if name != "reason"}
    if "product" in values:
        values["product"] = product_id(values["product"])
    if "type" in values:
        values["usage_type"] = type_id(values.pop("type"))
    return values
