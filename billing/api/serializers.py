"""Billing runs and their accounts as the backend API spells them."""
# ruff: noqa: N815  the API's members are in camelCase

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from billing.choices import AccountOutcome, HoldCause, RunStatus
from billing.models import InvoiceMessage, RunAccount
from billing.queries.run_figures import RunFigures, subruns
from customers.api.fields import ExactNumberField, IdField, NameField, in_minor_units
from customers.api.views import refuse_unknown_members


class CurrencyAmountSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.SerializerMethodField()

    def get_amount(self, shown: Any) -> Decimal:
        return in_minor_units(shown.amount, shown.minor_units)


class AccountCountsSerializer(serializers.Serializer[Any]):
    """How many of the run's customers have each outcome."""

    waiting = serializers.IntegerField()
    invoiced = serializers.IntegerField()
    nothingToBill = serializers.IntegerField()
    held = serializers.IntegerField()
    failed = serializers.IntegerField()


class BillingRunSerializer(serializers.Serializer[Any]):
    """One billing run. It is shown with the attribute `figures`, a `RunFigures`."""

    id = IdField(read_only=True)
    name = serializers.CharField(max_length=200)
    status = serializers.ChoiceField(choices=RunStatus.choices, read_only=True)
    subrun = serializers.CharField(
        max_length=50, required=False, allow_blank=True, help_text="A subrun of a billing cycle; empty: of no subrun."
    )
    invoiceMessage = NameField(
        source="invoice_message",
        queryset=InvoiceMessage.objects.all(),
        required=False,
        allow_null=True,
        help_text="Name of an invoice message; it overrides the customer's own.",
    )
    invoiceDate = serializers.DateField(source="invoice_date")
    cutoffDate = serializers.DateField(source="cutoff_date", help_text="Usage before this day is billed.")
    transactionCutoffDate = serializers.DateField(source="transaction_cutoff_date", required=False, allow_null=True)
    dueDate = serializers.DateField(
        source="due_date", required=False, allow_null=True, help_text="Default: by each customer's payment terms."
    )
    billUnpriced = serializers.BooleanField(
        source="bill_unpriced",
        required=False,
        help_text="Bill the rest of accounts that have a record no rate prices. Else such an account is held.",
    )
    unusualPercent = serializers.DecimalField(
        source="unusual_percent",
        max_digits=8,
        decimal_places=2,
        min_value=Decimal(0),
        required=False,
        allow_null=True,
        help_text="Invoices so much above or below the customer's own earlier ones are held; null: none.",
    )
    unusualAmount = serializers.DecimalField(
        source="unusual_amount",
        max_digits=20,
        decimal_places=4,
        min_value=Decimal(0),
        required=False,
        allow_null=True,
        help_text="But only if they differ by so much, in the invoice's currency; null: none.",
    )
    invoiceAmount = serializers.SerializerMethodField(
        help_text="Total of all invoices of the run; null where currencies are mixed."
    )
    invoiceAmounts = CurrencyAmountSerializer(source="figures.invoice_amounts", many=True, read_only=True)
    accountCounts = AccountCountsSerializer(source="figures.account_counts", read_only=True)
    progress = ExactNumberField(
        source="figures.progress", read_only=True, help_text="Part of the accounts that is done, from 0 to 1."
    )
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)
    commencedDate = serializers.DateTimeField(source="commenced_at", read_only=True, allow_null=True)
    completedDate = serializers.DateTimeField(source="completed_at", read_only=True, allow_null=True)
    approvedDate = serializers.DateTimeField(
        source="approved_at", read_only=True, allow_null=True, help_text="Since when nothing was left to post."
    )
    paused = serializers.SerializerMethodField(help_text="Whether it is commenced and no worker takes a chunk of it.")
    splitFromID = IdField(
        source="split_from_id",
        read_only=True,
        allow_null=True,
        help_text="The run that its account was split off from.",
    )

    proofRoot = serializers.CharField(
        source="proof_root",
        read_only=True,
        help_text="SHA-256 over the digests of its posted invoices; empty until all that it invoices are posted.",
    )

    def get_invoiceAmount(self, run: Any) -> Decimal | None:  # noqa: N802  named after its field
        figures: RunFigures = run.figures
        amounts = [in_minor_units(shown.amount, shown.minor_units) for shown in figures.invoice_amounts]
        return None if len(amounts) > 1 else sum(amounts, start=Decimal(0))

    def get_paused(self, run: Any) -> bool:
        return run.paused_at is not None

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown_members(data, set(self.fields))
        return super().to_internal_value(data)

    def validate_subrun(self, value: str) -> str:
        if not value or (self.instance is not None and value == self.instance.subrun):
            return value
        known = subruns()
        if value not in known:
            names = f"There are: {', '.join(known)}." if known else "There is none."
            raise serializers.ValidationError(f"No billing cycle has the subrun “{value}”. {names}")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        invoice_date = attrs.get("invoice_date", getattr(self.instance, "invoice_date", None))
        due_date = attrs.get("due_date", getattr(self.instance, "due_date", None))
        # Once commenced the dates are locked, and that is what there is to say about a change of one.
        is_pending = self.instance is None or self.instance.status == RunStatus.PENDING
        if is_pending and invoice_date and due_date and due_date < invoice_date:
            raise serializers.ValidationError({"dueDate": "Payment cannot be due before the invoice's date."})
        return attrs


class RunAccountSerializer(serializers.Serializer[Any]):
    """What became of one customer in a run, and why."""

    id = IdField()
    customerID = IdField(source="customer_id")
    accountNumber = serializers.CharField(source="customer.account_number")
    customerName = serializers.CharField(source="customer.name")
    outcome = serializers.ChoiceField(choices=AccountOutcome.choices)
    reason = serializers.CharField(help_text="Why it is not invoiced; empty while it waits and where it is.")
    heldFor = serializers.ChoiceField(
        source="held_for", choices=[("", "Not held"), *HoldCause.choices], help_text="Why it is held; else empty."
    )
    recordCount = serializers.IntegerField(source="record_count")
    exactAmount = ExactNumberField(source="exact_amount", help_text="Sum of the charges, not rounded.")
    currency = serializers.CharField(source="currency_id")
    invoiceID = IdField(source="invoice_id", allow_null=True)
    invoiceAmount = serializers.SerializerMethodField(help_text="Total of the invoice with tax; null without one.")

    def get_invoiceAmount(self, account: RunAccount) -> Decimal | None:  # noqa: N802
        if account.invoice is None:
            return None
        return in_minor_units(account.invoice.total_amount, account.currency.minor_units)


class PreviewAccountSerializer(serializers.Serializer[Any]):
    """What a run would produce for one customer."""

    customerID = IdField(source="customer_id")
    accountNumber = serializers.CharField(source="account_number")
    customerName = serializers.CharField(source="customer_name")
    outcome = serializers.ChoiceField(choices=AccountOutcome.choices)
    reason = serializers.CharField()
    currency = serializers.CharField()
    recordCount = serializers.IntegerField(source="record_count")
    exactAmount = ExactNumberField(source="exact_amount")
    netAmount = ExactNumberField(source="net_amount", allow_null=True)
    taxAmount = ExactNumberField(source="tax_amount", allow_null=True)
    totalAmount = ExactNumberField(source="total_amount", allow_null=True)


def run_values(validated: dict[str, Any]) -> dict[str, Any]:
    """The validated members as the operations take them: the message by its id."""
    values = dict(validated)
    if "invoice_message" in values:
        message = values.pop("invoice_message")
        values["invoice_message_id"] = message.id if message is not None else None
    return values
