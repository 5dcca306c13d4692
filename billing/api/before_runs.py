"""What comes before a run: the checks, what it would produce, who is on it and why not, and commencing it."""
# ruff: noqa: N815  the API's members are in camelCase

from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.runs import TAGS, WRONG_STATE, BillingRunAction, BillingRunView, existing, shown_by_id, translated
from billing.api.serializers import BillingRunSerializer, PreviewAccountSerializer
from billing.choices import PreflightVerdict, RunStatus
from billing.operations.errors import PreflightRefused
from billing.operations.preview import CustomerPreview, preview_customer, preview_run
from billing.operations.runs import commence_run
from billing.queries.preflight import preflight, verdict_of
from billing.queries.preflight_checks import PreflightCheck
from billing.queries.why_not import why_not
from billing.tasks import wake_workers
from customers.api.exceptions import Conflict, Refused
from customers.api.fields import BIGINT_MAX, ExactNumberField, IdField, in_minor_units
from customers.api.idempotency import idempotent
from customers.api.views import checked_query, refuse_unknown_members
from customers.models import Customer

MOST_WARNINGS = 100
CODE_LENGTH = 50
NOT_CONFIRMED = OpenApiResponse(
    {
        "allOf": [
            {"$ref": "#/components/schemas/Error"},
            {
                "type": "object",
                "properties": {"checks": {"type": "array", "items": {"$ref": "#/components/schemas/PreflightCheck"}}},
            },
        ]
    },
    "A check blocks the run, or warns and was not confirmed (`checks` are all of them); or the run has no customers, "
    "or one of them still waits in another run",
)


class CommenceSerializer(serializers.Serializer[Any]):
    """What whoever commences a run has seen and wants nevertheless."""

    confirmedWarnings = serializers.ListField(
        child=serializers.CharField(max_length=CODE_LENGTH),
        required=False,
        max_length=MOST_WARNINGS,
        help_text="The `code` of each check that warns. One that does not warn any more may be among them.",
    )

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown_members(data, set(self.fields))
        return super().to_internal_value(data)


class PreflightCheckSerializer(serializers.Serializer[Any]):
    """One check before a run."""

    code = serializers.CharField()
    title = serializers.CharField()
    verdict = serializers.ChoiceField(choices=PreflightVerdict.choices)
    count = serializers.IntegerField(help_text="How many things it found.")
    detail = serializers.CharField(help_text="What that means, and what to do.")
    link = serializers.SerializerMethodField(help_text="Path of the page in the admin where it is mended.")

    def get_link(self, check: PreflightCheck) -> str:
        query = f"?{urlencode(check.query)}" if check.query else ""
        return f"{reverse(f'admin:{check.model}_changelist')}{query}"


class PreflightSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=PreflightVerdict.choices, help_text="The worst of the checks.")
    checks = PreflightCheckSerializer(many=True)


class OfCustomerQuery(serializers.Serializer[Any]):
    """Whose answer is asked for."""

    customerID = serializers.IntegerField(min_value=1, max_value=BIGINT_MAX, help_text="Id of the customer.")


class PreviewQuery(serializers.Serializer[Any]):
    """Whose preview is asked for."""

    customerID = serializers.IntegerField(
        min_value=1,
        max_value=BIGINT_MAX,
        required=False,
        help_text="Only this one, with the lines of its document.",
    )


class PreviewLineSerializer(serializers.Serializer[Any]):
    """A line of the document that a customer would get."""

    lineNumber = serializers.IntegerField(source="line_number")
    kind = serializers.CharField()
    product = serializers.CharField(source="product_code")
    productName = serializers.CharField(source="product_name")
    region = serializers.CharField()
    usageType = serializers.CharField(source="usage_type")
    description = serializers.CharField()
    latePeriod = serializers.DateField(source="late_period", allow_null=True, help_text="Month of late usage.")
    quantity = ExactNumberField()
    unit = serializers.CharField()
    unitPrice = ExactNumberField(source="unit_price", allow_null=True)
    unitSize = ExactNumberField(source="unit_size")
    exactAmount = ExactNumberField(source="exact_amount")
    amount = ExactNumberField()
    recordCount = serializers.IntegerField(source="charge_count")


class PreviewTaxSerializer(serializers.Serializer[Any]):
    """What a tax rate would come to."""

    name = serializers.CharField()
    percent = ExactNumberField()
    netAmount = ExactNumberField(source="net_amount")
    taxAmount = ExactNumberField(source="tax_amount")


class PreviewedAccountSerializer(PreviewAccountSerializer):
    """What a run would produce for one customer; lines and taxes where it was asked for by itself."""

    lines = PreviewLineSerializer(many=True, required=False)
    taxes = PreviewTaxSerializer(many=True, required=False)


class RunPreviewSerializer(serializers.Serializer[Any]):
    accounts = PreviewedAccountSerializer(many=True)


class WhyNotSerializer(serializers.Serializer[Any]):
    """Whether a customer is on a run, or would be, and why or why not."""

    customerID = IdField(source="customer_id")
    accountNumber = serializers.CharField(source="account_number")
    isOnTheRun = serializers.BooleanField(source="is_on_the_run", help_text="Of a pending run: would be, as of now.")
    code = serializers.CharField(help_text="The reason as a word, such as `another_subrun`.")
    reason = serializers.CharField(source="sentence")
    accountID = IdField(source="account_id", allow_null=True, help_text="Id of the run's account, where there is one.")


class ChecksRefused(Refused):
    """The checks before the run refuse it; they are in the answer."""

    def __init__(self, refusal: PreflightRefused) -> None:
        super().__init__(str(refusal), code="preflight")
        self.members = {"checks": PreflightCheckSerializer(refusal.checks, many=True).data}


class CommenceBillingRun(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_commence",
        summary="Commence a pending run",
        description="Checks it, freezes what goes into it and sets the workers on it. Each check that warns is to be "
        "confirmed by its code. 409 names the status if it is not pending.",
        request=CommenceSerializer,
        responses={200: BillingRunSerializer, 409: WRONG_STATE, 422: NOT_CONFIRMED},
    )
    @idempotent
    def post(self, request: Request, run_id: str) -> Response:
        run = existing(run_id)
        # No body at all is an empty form to the framework.
        serializer = CommenceSerializer(data={} if isinstance(request.data, QueryDict) else request.data)
        serializer.is_valid(raise_exception=True)
        confirmed = serializer.validated_data.get("confirmedWarnings", [])
        user_id = self.user_id(request)
        try:
            translated(lambda: commence_run(run_id=run.id, at=timezone.now(), user_id=user_id, confirmed=confirmed))
        except Refused as refused:
            if isinstance(refused.__cause__, PreflightRefused):
                raise ChecksRefused(refused.__cause__) from refused
            raise
        transaction.on_commit(lambda: wake_workers(run_id=run.id))
        return Response(shown_by_id(run.id))


class BillingRunPreflight(BillingRunView):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_preflight",
        summary="Show what might be wrong before the run is commenced",
        description="A check with the verdict `block` stops the run; one with `warn` is confirmed in `commence`.",
        responses={200: PreflightSerializer, 409: WRONG_STATE},
    )
    def get(self, request: Request, run_id: str) -> Response:  # noqa: ARG002
        run = existing(run_id)
        if run.status != RunStatus.PENDING:
            raise Conflict(f"The run is {run.status}: only a pending run is checked beforehand.", code="wrong_state")
        checks = preflight(run=run, at=timezone.now())
        return Response(PreflightSerializer({"verdict": verdict_of(checks), "checks": checks}).data)


class BillingRunPreview(BillingRunView):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_preview",
        summary="Show what the run would produce",
        description="Rated now, by the run's own query; nothing of it is kept. For one customer with its lines.",
        parameters=[PreviewQuery],
        responses={200: RunPreviewSerializer, 409: WRONG_STATE},
    )
    def get(self, request: Request, run_id: str) -> Response:
        run = existing(run_id)
        customer_id = checked_query(PreviewQuery, request).get("customerID")
        if customer_id is None:
            preview = translated(lambda: preview_run(run_id=run.id, at=timezone.now()))
            return Response(RunPreviewSerializer(preview).data)
        require_customer(customer_id)
        one = translated(lambda: preview_customer(run_id=run.id, customer_id=customer_id, at=timezone.now()))
        return Response({"accounts": [_document(one)]})


class BillingRunWhyNot(BillingRunView):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_whyNot",
        summary="Say whether a customer is on the run, and why not",
        description="There is an answer for every customer, of a run in any state.",
        parameters=[OfCustomerQuery],
        responses={200: WhyNotSerializer},
    )
    def get(self, request: Request, run_id: str) -> Response:
        run = existing(run_id)
        customer_id = checked_query(OfCustomerQuery, request)["customerID"]
        require_customer(customer_id)
        return Response(WhyNotSerializer(why_not(run=run, customer_id=customer_id)).data)


def require_customer(customer_id: int) -> None:
    """Raises `NotFound` where there is none with the id."""
    if not Customer.objects.filter(pk=customer_id).exists():
        raise NotFound(f"There is no customer with the id {customer_id}.")


def _document(preview: CustomerPreview) -> dict[str, Any]:
    """An account's preview with its lines and taxes, amounts with the decimals of its currency."""
    shown = dict(PreviewAccountSerializer(preview.account).data)
    shown["lines"] = [dict(line) for line in PreviewLineSerializer(preview.lines, many=True).data]
    shown["taxes"] = [dict(tax) for tax in PreviewTaxSerializer(preview.taxes, many=True).data]
    for row in (*shown["lines"], *shown["taxes"], shown):
        for name in ("amount", "netAmount", "taxAmount", "totalAmount"):
            if row.get(name) is not None:
                row[name] = in_minor_units(row[name], preview.minor_units)
    return shown
