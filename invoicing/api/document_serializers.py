"""Documents as the backend API spells them."""
# ruff: noqa: N815  the API's members are in camelCase

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from customers.api.fields import IdField, in_minor_units
from invoicing.choices import InvoiceKind, InvoiceState
from invoicing.models import Invoice
from invoicing.queries.receivables import CurrencyBalance, Statement, StatementEntry

KINDS = {InvoiceKind.INVOICE: "invoice", InvoiceKind.CREDIT_NOTE: "creditNote"}
STATES = {InvoiceState.DRAFT: "draft", InvoiceState.POSTED: "posted"}


@extend_schema_field({"type": "number"})
class DocumentAmountField(serializers.Field[Decimal, Decimal, Decimal, Any]):
    """An amount of a document, in the minor units of its currency. Read-only."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        minor_units = getattr(instance, "minor_units", None)
        if minor_units is None:
            minor_units = (instance.document if isinstance(instance, StatementEntry) else instance).currency.minor_units
        amount: Any = super().get_attribute(instance)
        return in_minor_units(amount, minor_units)

    def to_representation(self, value: Decimal) -> Decimal:
        return value


class EntrySerializer(serializers.Serializer[Invoice]):
    """A posted document as an entry of its account: an invoice adds its total, a credit note takes its own off."""

    id = IdField(read_only=True)
    number = serializers.CharField(read_only=True)
    kind = serializers.SerializerMethodField(help_text=f"One of {', '.join(KINDS.values())}.")
    currency = serializers.CharField(source="currency_id", read_only=True)
    amount = DocumentAmountField(source="total_amount", help_text="Tax included; of a credit note below 0.")
    invoiceDate = serializers.DateField(source="invoice_date", read_only=True)
    dueDate = serializers.DateField(source="due_date", read_only=True)
    creditedInvoiceID = serializers.SerializerMethodField(help_text="Of a credit note for an invoice, else null.")
    postedDate = serializers.DateTimeField(source="posted_at", read_only=True, allow_null=True)

    def get_kind(self, document: Invoice) -> str:
        return KINDS[InvoiceKind(document.kind)]

    def get_creditedInvoiceID(self, document: Invoice) -> str | None:  # noqa: N802  the member's name
        return None if document.credited_invoice_id is None else str(document.credited_invoice_id)


class DocumentSerializer(EntrySerializer):
    """An invoice or a credit note, a draft or posted."""

    number = serializers.CharField(read_only=True, allow_null=True, help_text="Null of a draft.")
    state = serializers.SerializerMethodField(help_text=f"One of {', '.join(STATES.values())}.")
    customerID = IdField(source="customer_id", read_only=True)
    accountsReceivableID = serializers.SerializerMethodField()
    periodStart = serializers.DateField(source="period_start", read_only=True)
    periodEnd = serializers.SerializerMethodField(help_text="The last day.")
    netAmount = DocumentAmountField(source="net_amount")
    taxAmount = DocumentAmountField(source="tax_amount")
    totalAmount = DocumentAmountField(source="total_amount")
    reason = serializers.CharField(read_only=True, help_text="Of a credit note for an invoice, else empty.")
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        del fields["amount"]
        return fields

    def get_state(self, document: Invoice) -> str:
        return STATES[InvoiceState(document.state)]

    def get_accountsReceivableID(self, document: Invoice) -> str | None:  # noqa: N802  the member's name
        return None if document.accounts_receivable_id is None else str(document.accounts_receivable_id)

    def get_periodEnd(self, document: Invoice) -> date:  # noqa: N802  the member's name
        return document.period_end - timedelta(days=1)


class BalanceSerializer(serializers.Serializer[CurrencyBalance]):
    """What an account owes by its documents in one currency: posted less credited, tax included."""

    currency = serializers.CharField(read_only=True)
    balance = DocumentAmountField(source="amount")


class StatementEntrySerializer(serializers.Serializer[StatementEntry]):
    """An entry with the balance after it."""

    entry = EntrySerializer(source="document", read_only=True)
    balance = DocumentAmountField()


class StatementSerializer(serializers.Serializer[Statement]):
    """An account in one currency between two days: closing = opening + the amounts of all entries."""

    currency = serializers.CharField(read_only=True)
    openingBalance = DocumentAmountField(source="opening")
    entries = StatementEntrySerializer(many=True, read_only=True, help_text="By invoice date; the first 1,000.")
    leftOutCount = serializers.IntegerField(source="left_out", read_only=True, help_text="Entries not listed.")
    closingBalance = DocumentAmountField(source="closing")
