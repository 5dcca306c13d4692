"""One usage data record of the usage API, with the explanation of its price."""

from typing import Any

from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.explanations import ExplainedRecordSerializer, PlainTextRenderer, RecordExplanationSerializer
from billing.queries.explain import explain_charge
from billing.queries.explained import Explanation, as_text
from billing.queries.prices_now import explain_pending
from customers.api.views import ApiView, checked_id
from invoicing.choices import InvoiceState
from usage.api.record_actions import TAGS
from usage.models import UsageDataRecord
from usage.queries.records import one_record


def shown_explained(record_id: int, *, customer_id: int | None) -> dict[str, Any]:
    """The record as it is stored now, for that customer's key or, None, for staff. Raises `NotFound`."""
    with transaction.atomic():
        record = existing_record(record_id, customer_id=customer_id)
        explanation = explain_charge(record_id=record.pk) if hasattr(record, "charge") else None
    context = {"is_for_customer": customer_id is not None, "explanation": explanation}
    return dict(ExplainedRecordSerializer(record, context=context).data)


class UsageDataRecordDetail(ApiView):
    staff_model = "usage.usagedatarecord"

    @extend_schema(
        tags=TAGS,
        operation_id="usage_data_records_retrieve",
        summary="Show one usage data record",
        description="Of a charged record, `charge.explanation` says in steps why it costs what it costs.",
        responses={200: ExplainedRecordSerializer},
    )
    def get(self, request: Request, record_id: str) -> Response:
        return Response(shown_explained(checked_id(record_id), customer_id=self.own_customer_id(request)))


class UsageDataRecordExplanation(ApiView):
    staff_model = "usage.usagedatarecord"
    renderer_classes: list[type[BaseRenderer]] = [*ApiView.renderer_classes, PlainTextRenderer]

    @extend_schema(
        tags=TAGS,
        operation_id="usage_data_records_explanation",
        summary="Explain the price of one usage data record",
        description=(
            "Of a charged record: worked out anew from the prices as the billing run saw them, and held against what "
            "is stored. Of a pending one, for staff: what it would cost if it were billed now by itself. As JSON, or "
            "with `Accept: text/plain` as text. 404 for a record that is neither; for a customer's key also until the "
            "invoice is posted."
        ),
        responses={
            (200, "application/json"): RecordExplanationSerializer,
            (200, "text/plain"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, record_id: str) -> Response:
        own_customer_id = self.own_customer_id(request)
        is_for_customer = own_customer_id is not None
        with transaction.atomic():
            record = existing_record(checked_id(record_id), customer_id=own_customer_id)
            explanation = shown_explanation(record, is_for_customer=is_for_customer)
        if explanation is None:
            where = "on no posted invoice" if is_for_customer else "neither charged nor pending"
            raise NotFound(f"Record {record.number} is {where}: it has no price to explain.")
        if isinstance(request.accepted_renderer, PlainTextRenderer):
            return Response(as_text(explanation, with_losers=not is_for_customer))
        context = {"is_for_customer": is_for_customer}
        return Response(RecordExplanationSerializer(explanation, context=context).data)

    def handle_exception(self, exc: Exception) -> Response:
        """Errors are JSON, also where a text was asked for."""
        self.request.accepted_renderer = ApiView.renderer_classes[0]()
        self.request.accepted_media_type = self.request.accepted_renderer.media_type
        return super().handle_exception(exc)


def existing_record(record_id: int, *, customer_id: int | None) -> UsageDataRecord:
    """The record, for that customer's key or, None, for staff. Raises `NotFound`."""
    record = one_record(record_id, customer_id=customer_id)
    if record is None:
        raise NotFound(f"There is no usage data record with the id {record_id}.")
    return record


def shown_explanation(record: UsageDataRecord, *, is_for_customer: bool) -> Explanation | None:
    """What the caller is told: a customer is not told of drafts, nor of what it would pay."""
    charge: Any = getattr(record, "charge", None)
    if is_for_customer:
        is_posted = charge is not None and charge.line.invoice.state == InvoiceState.POSTED
        return explain_charge(record_id=record.pk) if is_posted else None
    return explain_charge(record_id=record.pk) if charge else explain_pending(record_id=record.pk)
