"""`billingRuns/ID/comparison`: what makes the invoices of a run differ from those before."""
# ruff: noqa: N815  the API's members are in camelCase

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.runs import TAGS, BillingRunView, existing
from billing.choices import AccountOutcome, HoldCause
from billing.queries.comparison import ComparedAccount, comparison_count, comparison_page
from customers.api.fields import BIGINT_MAX, ExactNumberField, IdField, in_minor_units
from customers.api.lists import BACKEND_LIMIT, BACKEND_LIMIT_MAX, BACKEND_LIST_HEADERS, backend_list
from customers.api.views import checked_query


class ComparisonQuery(serializers.Serializer[Any]):
    """What the comparison can be asked."""

    idAfter = serializers.IntegerField(
        required=False, min_value=0, max_value=BIGINT_MAX, help_text="Only what comes behind the account with this id."
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=BACKEND_LIMIT_MAX, default=BACKEND_LIMIT, help_text="Rows of a page."
    )
    currency = serializers.CharField(required=False, max_length=3, help_text="Only accounts billed in this one.")


@extend_schema_field(ExactNumberField())
class AmountField(serializers.Field[Decimal, Decimal, Decimal, Any]):
    """An amount in the minor units of its row's currency. Read-only."""

    def get_attribute(self, instance: ComparedAccount) -> Decimal:
        amount: Any = super().get_attribute(instance)
        return in_minor_units(amount, instance.minor_units)

    def to_representation(self, value: Decimal) -> Decimal:
        return value


class ComparedAccountSerializer(serializers.Serializer[Any]):
    """One account beside the customer's last invoice. The parts add up exactly to `difference`."""

    id = IdField(source="account_id")
    customerID = IdField(source="customer_id")
    accountNumber = serializers.CharField(source="account_number")
    customerName = serializers.CharField(source="customer_name")
    outcome = serializers.ChoiceField(choices=AccountOutcome.choices)
    heldFor = serializers.ChoiceField(source="held_for", choices=[("", "Not held"), *HoldCause.choices])
    currency = serializers.CharField()
    invoiceID = IdField(source="invoice_id", allow_null=True)
    invoiceNumber = serializers.CharField(source="number", help_text="Empty for a draft, and without an invoice.")
    previousInvoiceID = IdField(source="before_id", allow_null=True)
    previousInvoiceNumber = serializers.CharField(source="before_number", help_text="Empty without an earlier invoice.")
    amount = AmountField(source="total", help_text="Total with tax; 0 where there is nothing to bill.")
    previousAmount = AmountField(source="total_before", help_text="Total of the customer's last invoice with tax.")
    difference = AmountField()
    volume = AmountField(help_text="More or less usage, at the average prices before.")
    price = AmountField(help_text="Other unit prices, for the usage of now.")
    mix = AmountField(help_text="Other shares of dear and cheap rates, at the unit prices before.")
    oneOff = AmountField(source="one_off", help_text="What is no usage: transactions of any kind.")
    tax = AmountField()


class BillingRunComparison(BillingRunView):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_comparison",
        summary="Compare the run's invoices with those before",
        description=(
            "Each account with its customer's last posted invoice in the currency; the largest difference comes first, "
            "up or down. Customers with nothing to bill now are there with what they were billed last."
        ),
        parameters=[ComparisonQuery, *BACKEND_LIST_HEADERS],
        responses={200: ComparedAccountSerializer(many=True)},
    )
    def get(self, request: Request, run_id: str) -> Response:
        query = checked_query(ComparisonQuery, request)
        run, currency = existing(run_id), query.get("currency")
        rows, has_next = comparison_page(
            run_id=run.pk, limit=query["limit"], after_id=query.get("idAfter"), currency=currency
        )
        data = list(ComparedAccountSerializer(rows, many=True).data)
        total = comparison_count(run_id=run.pk, currency=currency)
        return backend_list(
            request, data, has_next=has_next, total=total, last_id=rows[-1].account_id if rows else None
        )
