"""Invoices and their lines as the v3 API spells them. No member is ever null."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from customers.api.fields import CursorField, DateOrInstantField, ExactNumberField, IdField, in_minor_units
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries import PricedLine, price_of_one_unit

LIMIT = 100
LIMIT_MAX = 200
LIST = "invoices"


class InvoiceListQuery(serializers.Serializer[Any]):
    """What the list can be asked."""

    billing_start_date = DateOrInstantField(required=False, help_text="Periods that start then or later.")
    billing_end_date = DateOrInstantField(required=False, help_text="Periods that end by the end of that day.")
    customer_id = serializers.CharField(
        required=False, max_length=200, help_text="An account number, for keys of staff."
    )
    limit = serializers.IntegerField(required=False, min_value=1, max_value=LIMIT_MAX, default=LIMIT)
    cursor = CursorField(of=LIST, help_text="`meta.next_cursor` of the page before; empty: the first page.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs.get("billing_start_date"), attrs.get("billing_end_date")
        if start and end and end.date() < start.date():
            raise serializers.ValidationError({"billing_end_date": "It is before billing_start_date."})
        return attrs


class LineItemSerializer(serializers.Serializer[Any]):
    """One line. The five texts are there in both spellings, with equal values.

    `context["minor_units"]` are those of lines that are on no invoice.
    """

    ProductGroup = serializers.CharField(source="product_group")
    ProductLine = serializers.CharField(source="product_line")
    ProductName = serializers.CharField(source="product_name")
    Region = serializers.CharField(source="region")
    UsageType = serializers.CharField(source="usage_type")
    product_group = serializers.CharField()
    product_line = serializers.CharField()
    product_name = serializers.CharField()
    region = serializers.CharField()
    usage_type = serializers.CharField()
    amount = serializers.SerializerMethodField(help_text="In the invoice's currency, in its minor units.")
    credit_coupon_code = serializers.CharField(source="coupon_code", help_text="Of a credit; else empty.")
    description = serializers.CharField()
    rate = serializers.SerializerMethodField(help_text="Price of one unit; 0 where the usage brought its own amount.")
    units = ExactNumberField(source="quantity")

    def get_amount(self, line: InvoiceLine | PricedLine) -> Decimal:
        if isinstance(line, InvoiceLine):
            return in_minor_units(line.amount, line.invoice.currency.minor_units)
        return in_minor_units(line.amount, self.context["minor_units"])

    def get_rate(self, line: PricedLine) -> Decimal:
        return ExactNumberField().to_representation(price_of_one_unit(line))


class InvoiceSerializer(serializers.Serializer[Invoice]):
    """One posted invoice."""

    invoice_id = IdField(source="id")
    customer_id = serializers.CharField(source="customer.account_number", help_text="The customer's account number.")
    statement_number = serializers.CharField(source="number")
    invoice_posted_on = serializers.DateTimeField(source="posted_at")
    billing_start_date = serializers.SerializerMethodField(help_text="First day of the period.")
    billing_end_date = serializers.SerializerMethodField(help_text="Last day of the period.")
    currency_code = serializers.CharField(source="currency_id")
    monthly_transaction_amount = serializers.SerializerMethodField(help_text="Net: the sum of the line items.")
    tax_amount = serializers.SerializerMethodField()
    total_amount = serializers.SerializerMethodField(help_text="Net and tax.")
    transaction_line_items = LineItemSerializer(source="lines.all", many=True)

    def get_billing_start_date(self, invoice: Invoice) -> datetime:
        return midnight(invoice.period_start)

    def get_billing_end_date(self, invoice: Invoice) -> datetime:
        return midnight(invoice.period_end - timedelta(days=1))

    def get_monthly_transaction_amount(self, invoice: Invoice) -> Decimal:
        return in_minor_units(invoice.net_amount, invoice.currency.minor_units)

    def get_tax_amount(self, invoice: Invoice) -> Decimal:
        return in_minor_units(invoice.tax_amount, invoice.currency.minor_units)

    def get_total_amount(self, invoice: Invoice) -> Decimal:
        return in_minor_units(invoice.total_amount, invoice.currency.minor_units)


class InvoiceMetaSerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(help_text="Invoices in this answer.")
    next_cursor = serializers.CharField(help_text="Cursor of the next page; empty on the last.")
    sort = serializers.CharField()
    total = serializers.IntegerField(help_text="Invoices that match, on all pages.")


class InvoicePageSerializer(serializers.Serializer[Any]):
    data = InvoiceSerializer(many=True)  # type: ignore[assignment]  # a member of that name
    meta = InvoiceMetaSerializer()


def midnight(day: date) -> datetime:
    """A date as these APIs write it."""
    return datetime.combine(day, time(), tzinfo=UTC)
