"""`/billing/v3/invoices/month-to-date`, compatible with published clients of Fastly's billing API v3."""

import time
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from billing.adapters.month_to_date_cache import MonthKey, claim, count_try, give_back, stored
from billing.operations.month_to_date import MonthToDate, make_month_to_date, month_key
from billing.queries.month_to_date import has_more_pending
from billing.tasks import wake_for_month_to_date
from customers.api.fields import in_minor_units
from customers.api.views import ApiView, checked_query
from customers.models import Customer
from invoicing.api.invoices import TAGS
from invoicing.api.serializers import LineItemSerializer, midnight

# Asked so often in vain, workers are not asked again: it is made where it is wanted, or says what is wrong.
WORKER_TRIES = 2
# Who comes while another request makes the answer waits for it, and then makes it too.
WAIT_SECONDS = 20
LOOK_SECONDS = 0.05
COME_AGAIN_SECONDS = 5


class MonthToDateQuery(serializers.Serializer[Any]):
    """Whose month."""

    customer_id = serializers.CharField(
        required=False, max_length=200, help_text="An account number. Keys of staff need it; else it is the key's own."
    )


class MonthToDateSerializer(serializers.Serializer[MonthToDate]):
    """The month so far, in the shape of an invoice without what only posted ones have."""

    invoice_id = serializers.SerializerMethodField(help_text="Empty: there is no invoice yet.")
    customer_id = serializers.CharField(source="account_number", help_text="The customer's account number.")
    billing_start_date = serializers.SerializerMethodField(
        help_text="First day: of the month, or after what was posted within it."
    )
    billing_end_date = serializers.SerializerMethodField(help_text="Today, where the customer is.")
    monthly_transaction_amount = serializers.SerializerMethodField(
        help_text="Net: the sum of the line items, as a text."
    )
    tax_amount = serializers.SerializerMethodField()
    total_amount = serializers.SerializerMethodField(help_text="Net and tax.")
    transaction_line_items = serializers.SerializerMethodField()

    def get_invoice_id(self, month: MonthToDate) -> str:  # noqa: ARG002  there is none
        return ""

    def get_billing_start_date(self, month: MonthToDate) -> datetime:
        return midnight(month.period_start)

    def get_billing_end_date(self, month: MonthToDate) -> datetime:
        return midnight(month.last_day)

    def get_monthly_transaction_amount(self, month: MonthToDate) -> str:
        return format(in_minor_units(month.net_amount, month.minor_units), "f")

    def get_tax_amount(self, month: MonthToDate) -> Decimal:
        return in_minor_units(month.tax_amount, month.minor_units)

    def get_total_amount(self, month: MonthToDate) -> Decimal:
        return in_minor_units(month.total_amount, month.minor_units)

    @extend_schema_field(LineItemSerializer(many=True))
    def get_transaction_line_items(self, month: MonthToDate) -> list[Any]:
        return list(LineItemSerializer(month.lines, many=True, context={"minor_units": month.minor_units}).data)


class BeingMadeSerializer(serializers.Serializer[Any]):
    """That the answer is not there yet."""

    title = serializers.CharField()
    status = serializers.CharField(help_text="The HTTP status, as a text.")


class MonthToDateView(ApiView):
    staff_model = "invoicing.invoice"

    @extend_schema(
        tags=TAGS,
        operation_id="invoices_month_to_date",
        summary="Show the current month so far",
        description=(
            "What waits to be billed, priced now, and what is on drafts of this month. What is posted is on invoices "
            "of its own. Kept for some minutes. A large one is made by a worker: 202 until it is there."
        ),
        parameters=[
            MonthToDateQuery,
            OpenApiParameter(
                "Retry-After", int, OpenApiParameter.HEADER, response=[202], description="Seconds until to ask again."
            ),
        ],
        responses={
            200: MonthToDateSerializer,
            202: OpenApiResponse(BeingMadeSerializer, description="It is being made"),
            404: OpenApiResponse({"$ref": "#/components/schemas/Error"}, description="There is no such customer"),
        },
    )
    def get(self, request: Request) -> Response:
        customer = self._customer(request)
        answer = _answer(customer, timezone.now())
        if answer is not None:
            return Response(MonthToDateSerializer(answer).data)
        being_made = {"title": "The month to date is being made. Ask again in a few seconds.", "status": "202"}
        return Response(being_made, status=202, headers={"Retry-After": str(COME_AGAIN_SECONDS)})

    def _customer(self, request: Request) -> Customer:
        number = checked_query(MonthToDateQuery, request).get("customer_id")
        own_id = self.own_customer_id(request)
        customers = Customer.objects.select_related("billing__billing_cycle")
        if own_id is not None:
            customers = customers.filter(pk=own_id)
        elif number is None:
            raise ValidationError({"customer_id": ["Whose month? Keys of staff say it by the account number."]})
        if number is not None:
            customers = customers.filter(account_number=number)
        customer = customers.first()
        if customer is None:
            raise NotFound(f"There is no customer with the account number {number}.")
        return customer


def _answer(customer: Customer, at: datetime) -> MonthToDate | None:
    """The month to date; None while it is being made."""
    key = month_key(customer, at)
    answer: MonthToDate | None = stored(key)
    if answer is None and has_more_pending(customer_id=customer.pk, than=settings.BILLING_MONTH_TO_DATE_RECORDS):
        return _made_by_a_worker(customer, at, key)
    return answer or _made_by_one(customer, at, key)


def _made_by_a_worker(customer: Customer, at: datetime, key: MonthKey) -> MonthToDate | None:
    """None: a worker is at it. Where none can be asked, or was in vain, it is made here."""
    token = claim(key)
    if token is None:
        return None
    if 0 < count_try(key) <= WORKER_TRIES and wake_for_month_to_date(customer_id=customer.pk, claim=token):
        return None
    return _made_here(customer, at, key, token)


def _made_by_one(customer: Customer, at: datetime, key: MonthKey) -> MonthToDate:
    """Of many that ask at once, one makes the answer, and the others wait for it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        token = claim(key)
        if token is not None:
            # What another one made a moment ago is not made again.
            answer: MonthToDate | None = stored(key)
            if answer is None:
                return _made_here(customer, at, key, token)
            give_back(key, token)
        else:
            answer = stored(key)
        if answer is not None:
            return answer
        time.sleep(LOOK_SECONDS)
    return make_month_to_date(customer=customer, at=at)


def _made_here(customer: Customer, at: datetime, key: MonthKey, token: str) -> MonthToDate:
    try:
        return make_month_to_date(customer=customer, at=at)
    finally:
        give_back(key, token)
