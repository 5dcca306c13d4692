"""`whatIf`, `priceDifferences` and `priceCorrections` of the backend API: usage that is charged, rated again."""
# ruff: noqa: N815  the API's members are in camelCase

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models.runs import EARLIEST, LATEST
from billing.operations.price_corrections import REASON_LENGTH, CorrectionRefused, draft_corrections
from billing.operations.price_differences import DifferencesRefused, price_differences
from billing.operations.what_if import WhatIfRefused, what_if
from customers.api.exceptions import Conflict
from customers.api.fields import BIGINT_MAX, ExactNumberField, IdField
from customers.api.idempotency import idempotent
from customers.api.views import ApiView, checked_query, refuse_unknown_members
from customers.choices import Scope

Result = TypeVar("Result")

ID: dict[str, Any] = {"min_value": 1, "max_value": BIGINT_MAX}
MOST_CUSTOMERS = 10_000
FIELDS = {"until_day": "toDate", "card_id": "rateCardID", "replaced_card_id": "replacedRateCardID"}


class PeriodSerializer(serializers.Serializer[Any]):
    """Days on the customers' clocks on which usage was, both included."""

    fromDate = serializers.DateField()
    toDate = serializers.DateField(help_text="This day is included.")

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown_members(data, set(self.fields))
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("fromDate", "toDate"):
            if not EARLIEST <= attrs[name] < LATEST:
                raise ValidationError({name: [f"Give a year from {EARLIEST.year} to {LATEST.year - 1}."]})
        return attrs


def customer_ids_field(**more: Any) -> Any:
    """Ids of customers."""
    return serializers.ListField(
        child=serializers.IntegerField(**ID), allow_empty=False, max_length=MOST_CUSTOMERS, **more
    )


class WhatIfQuestion(PeriodSerializer):
    """Which price list is put in place, and for which usage."""

    rateCardID = serializers.IntegerField(help_text="Put first among each customer's.", **ID)
    replacedRateCardID = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="If given: it is put in the place of this one, for the customers that were billed by this one.",
        **ID,
    )
    customerIDs = customer_ids_field(required=False, help_text="Default: all.")


class ProductRevenueSerializer(serializers.Serializer[Any]):
    product = serializers.CharField(source="code")
    name = serializers.CharField()
    recordCount = serializers.IntegerField(source="record_count")
    now = ExactNumberField()
    then = ExactNumberField()
    difference = ExactNumberField()


class CustomerRevenueSerializer(serializers.Serializer[Any]):
    customerID = IdField(source="customer_id")
    accountNumber = serializers.CharField(source="account_number")
    name = serializers.CharField()
    recordCount = serializers.IntegerField(source="record_count")
    now = ExactNumberField()
    then = ExactNumberField()
    difference = ExactNumberField()


class WhatIfSerializer(serializers.Serializer[Any]):
    """Revenue as charged and with the price list in place, exactly and without tax."""

    currency = serializers.CharField()
    customerCount = serializers.IntegerField(source="customer_count")
    recordCount = serializers.IntegerField(source="record_count")
    now = ExactNumberField()
    then = ExactNumberField()
    difference = ExactNumberField()
    products = ProductRevenueSerializer(many=True, help_text="The largest change first.")
    paysMore = CustomerRevenueSerializer(source="pays_more", many=True, help_text="Those with the largest changes.")
    paysLess = CustomerRevenueSerializer(source="pays_less", many=True, help_text="Those with the largest changes.")
    paysMoreCount = serializers.IntegerField(source="pays_more_count")
    paysLessCount = serializers.IntegerField(source="pays_less_count")
    paysTheSameCount = serializers.IntegerField(source="pays_the_same_count")
    unpricedCount = serializers.IntegerField(
        source="unpriced_count", help_text="Records that nothing would price: nothing then."
    )
    unpricedNow = ExactNumberField(source="unpriced_now", help_text="What those are charged now.")
    firstUnpricedRecordID = IdField(source="first_unpriced.id", allow_null=True, default=None)
    otherCurrencyCount = serializers.IntegerField(
        source="other_currency_count", help_text="Customers that were billed in another currency: left out."
    )


class WhatIfView(ApiView):
    """Reads, though it is asked by POST."""

    staff_model = "catalog.rate"
    staff_verbs = {"POST": "view"}
    more_permissions = ("customers.view_customer", "invoicing.view_usagecharge")
    scope = Scope.READ
    is_staff_only = True

    @extend_schema(
        tags=["prices"],
        operation_id="whatIf_create",
        summary="Rate a past period again with another price list in place",
        description=(
            "What was charged, on drafts and posted invoices, by the price lists that each customer was billed by, as "
            "they are now, with one put in place. What depends on the usage of a month is counted afresh for whole "
            "months. Nothing is stored."
        ),
        request=WhatIfQuestion,
        responses={200: WhatIfSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = checked(WhatIfQuestion, request)
        found = translated(
            lambda: what_if(
                **days(asked),
                card_id=asked["rateCardID"],
                replaced_card_id=asked.get("replacedRateCardID"),
                customer_ids=asked.get("customerIDs"),
            )
        )
        return Response(WhatIfSerializer(found).data)


class DifferencesQuery(PeriodSerializer):
    """Which posted usage is held against the prices of now."""

    customerID = serializers.IntegerField(required=False, help_text="Default: all.", **ID)
    rateCardID = serializers.IntegerField(
        required=False, help_text="Only customers that were billed by this price list.", **ID
    )
    invoiceID = serializers.IntegerField(required=False, help_text="Only what is on this invoice.", **ID)


class CustomerDifferenceSerializer(serializers.Serializer[Any]):
    customerID = IdField(source="customer_id")
    accountNumber = serializers.CharField(source="account_number")
    name = serializers.CharField()
    currency = serializers.CharField()
    invoiceCount = serializers.IntegerField(source="invoice_count")
    recordCount = serializers.IntegerField(source="record_count")
    charged = ExactNumberField()
    now = ExactNumberField()
    difference = ExactNumberField()
    unpricedCount = serializers.IntegerField(
        source="unpriced_count", help_text="Records without a price now: in none of the amounts."
    )


class RecordDifferenceSerializer(serializers.Serializer[Any]):
    customerID = IdField(source="customer_id")
    recordID = IdField(source="record_id")
    recordNumber = serializers.CharField(source="record_number")
    usedDate = serializers.DateField(source="used_on")
    product = serializers.CharField()
    invoiceID = IdField(source="invoice_id")
    invoiceNumber = serializers.CharField(source="invoice_number")
    currency = serializers.CharField()
    charged = ExactNumberField(help_text="Corrections so far included.")
    now = ExactNumberField(allow_null=True, help_text="Null: nothing prices it any more.")
    difference = ExactNumberField(allow_null=True)


class PriceDifferencesSerializer(serializers.Serializer[Any]):
    """Of customers and records the first, those with the largest differences, and how many there are."""

    customers = CustomerDifferenceSerializer(many=True)
    customerCount = serializers.IntegerField(source="customer_count")
    records = RecordDifferenceSerializer(many=True)
    recordCount = serializers.IntegerField(source="record_count")
    unpricedCount = serializers.IntegerField(source="unpriced_count")


class PriceDifferencesView(ApiView):
    staff_model = "invoicing.usagecharge"
    more_permissions = ("customers.view_customer",)
    is_staff_only = True

    @extend_schema(
        tags=["prices"],
        operation_id="priceDifferences_list",
        summary="Show what posted invoices would come to by the prices of now",
        description=(
            "By the price lists that each customer was billed by, as they are now. What was corrected before is no "
            "difference any more. What counts with the usage of a month is found in the whole of the months."
        ),
        parameters=[DifferencesQuery],
        responses={200: PriceDifferencesSerializer},
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_members(request.query_params, set(DifferencesQuery().fields))
        query = checked_query(DifferencesQuery, request)
        customer_id, invoice_id = query.get("customerID"), query.get("invoiceID")
        found = translated(
            lambda: price_differences(
                **days(query),
                customer_ids=None if customer_id is None else [customer_id],
                rate_card_id=query.get("rateCardID"),
                invoice_ids=None if invoice_id is None else [invoice_id],
            )
        )
        return Response(PriceDifferencesSerializer(found).data)


class CorrectionsRequest(PeriodSerializer):
    """Whose differences are settled."""

    customerIDs = customer_ids_field()
    rateCardID = serializers.IntegerField(
        required=False, help_text="Only customers that were billed by this price list.", **ID
    )
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=REASON_LENGTH, help_text="Stands on the invoice."
    )


class DraftedCorrectionsSerializer(serializers.Serializer[Any]):
    """What was drafted; nothing where there was no difference any more."""

    customers = CustomerDifferenceSerializer(many=True)
    transactionCount = serializers.IntegerField(source="transaction_count")
    recordCount = serializers.IntegerField(source="record_count")


class PriceCorrectionsView(ApiView):
    staff_model = "invoicing.transaction"
    more_permissions = ("customers.view_customer", "invoicing.view_usagecharge")
    is_staff_only = True

    @extend_schema(
        tags=["prices"],
        operation_id="priceCorrections_create",
        summary="Draft credit and new charge for chosen customers",
        description=(
            "Settles their price differences: for each invoice, product and tax rate a credit of what was charged and "
            "a new charge, which wait for the next invoice. 409, with nothing drafted, where a record has no price any "
            "more or a customer is billed in another currency now."
        ),
        request=CorrectionsRequest,
        responses={201: DraftedCorrectionsSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        asked = checked(CorrectionsRequest, request)
        try:
            drafted = translated(
                lambda: draft_corrections(
                    **days(asked),
                    customer_ids=asked["customerIDs"],
                    rate_card_id=asked.get("rateCardID"),
                    reason=asked.get("reason", ""),
                    user_id=self.user_id(request),
                    at=timezone.now(),
                )
            )
        except CorrectionRefused as refused:
            raise Conflict(str(refused)) from refused
        return Response(DraftedCorrectionsSerializer(drafted).data, status=201)


def checked(serializer_class: type[PeriodSerializer], request: Request) -> dict[str, Any]:
    """The body. Raises `ValidationError`."""
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def days(asked: dict[str, Any]) -> dict[str, Any]:
    """The days as operations take them: the last one is without."""
    return {"from_day": asked["fromDate"], "until_day": asked["toDate"] + timedelta(days=1)}


def translated(ask: Callable[[], Result]) -> Result:
    """The answer. Raises `ValidationError` at the member for a question that makes no sense."""
    try:
        return ask()
    except (WhatIfRefused, DifferencesRefused) as refused:
        raise ValidationError({FIELDS.get(refused.field, refused.field): [str(refused)]}) from refused
