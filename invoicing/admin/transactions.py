from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import Admin, change_url, column, link
from catalog.admin.figures import exact_in
from invoicing.choices import TransactionKind
from invoicing.models import Transaction

MADE_OF_USAGE = {TransactionKind.REVERSAL, TransactionKind.CORRECTION}
STATE_LABELS = {"Waiting": "info", "Billed": "success"}


class BilledFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "billed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("no", "Waiting"), ("yes", "Billed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Transaction]) -> QuerySet[Transaction]:  # noqa: ARG002
        if self.value() is None:
            return queryset
        return queryset.filter(invoice_line__isnull=self.value() == "no")


@admin.register(Transaction)
class TransactionAdmin(Admin):
    """Charges that are not usage. One that waits can be changed; one on an invoice stays as it is."""

    list_display = ("description", "customer", "kind", "shown_amount", "transaction_date", "bill_date", "state")
    list_filter = (BilledFilter, "kind", ("customer", AutocompleteSelectFilter))
    list_select_related = ("customer", "currency", "invoice_line")
    autocomplete_fields = ("customer", "product")
    search_fields = ("description__istartswith", "customer__account_number__startswith")
    ordering = ("-pk",)
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("customer", ("kind", "product"), "description")}),
        ("Amount", {"fields": (("quantity", "unit_price"), ("currency", "tax_rate"), "shown_amount")}),
        ("Time", {"fields": (("transaction_date", "bill_date"), "invoice", ("taken_back", "charged_period"))}),
    )
    readonly_fields = ("shown_amount", "invoice", "taken_back", "charged_period")
    empty_hint = "Add a charge that is not usage: a set-up fee, a credit. The customer's next billing run takes it."

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and may_change(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and may_change(obj)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            # Only taking usage back makes a reversal, only correcting its price a correction.
            kwargs["choices"] = [choice for choice in TransactionKind.choices if choice[0] not in MADE_OF_USAGE]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    @column("Amount")
    def shown_amount(self, transaction: Transaction) -> str:
        if transaction.pk is None:
            return "Quantity x unit price; a negative price is a credit"
        return exact_in(transaction.amount, transaction.currency_id)

    @column("State", label=STATE_LABELS)
    def state(self, transaction: Transaction) -> str:
        return "Billed" if is_billed(transaction) else "Waiting"

    @column("Invoice")
    def invoice(self, transaction: Transaction) -> SafeString | str:
        line = transaction.invoice_line
        return (
            "none yet" if line is None else link(change_url(line.invoice), f"{line.invoice}, line {line.line_number}")
        )

    @column("Takes back")
    def taken_back(self, transaction: Transaction) -> SafeString | str:
        charge = transaction.reversed_charge
        return "no usage" if charge is None else link(change_url(charge), f"the charge of record {charge.record}")

    @column("Recurring charge")
    def charged_period(self, transaction: Transaction) -> SafeString | str:
        charge = transaction.recurring_charge
        if charge is None:
            return "none"
        return format_html(
            "{} until before {} of {}",
            transaction.period_start,
            transaction.period_end,
            link(change_url(charge), charge),
        )


def may_change(transaction: Any) -> bool:
    """Whether a transaction is neither on an invoice nor made of usage or of a recurring charge."""
    return transaction is None or not (
        is_billed(transaction) or transaction.kind in MADE_OF_USAGE or transaction.recurring_charge_id is not None
    )


def is_billed(transaction: Any) -> bool:
    """Whether a transaction is on an invoice, a draft included."""
    return transaction is not None and transaction.invoice_line_id is not None
