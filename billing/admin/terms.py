from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from billing.models import BillingCycle, CustomerBilling, InvoiceMessage
from catalog.admin.base import Admin, column


@admin.register(BillingCycle)
class BillingCycleAdmin(Admin):
    list_display = ("name", "months", "subrun")
    search_fields = ("name__istartswith",)
    fields = (("name", "months"), "subrun")
    empty_hint = "Customers without a cycle are billed by runs of no subrun. Add one where runs are split up."


@admin.register(InvoiceMessage)
class InvoiceMessageAdmin(Admin):
    list_display = ("name", "start_of_text", "updated_at")
    search_fields = ("name__istartswith",)
    fields = ("name", "text")
    empty_hint = "A text on invoices: a billing run's, or a customer's own."

    @column("Text")
    def start_of_text(self, message: InvoiceMessage) -> str:
        text = " ".join(message.text.split())
        return text if len(text) <= 100 else f"{text[:100]}…"  # noqa: PLR2004  what fits in a column


@admin.register(CustomerBilling)
class CustomerBillingAdmin(Admin):
    list_display = ("customer", "billing_cycle", "invoice_message")
    list_filter = ("billing_cycle", ("customer", AutocompleteSelectFilter))
    list_select_related = ("customer", "billing_cycle", "invoice_message")
    search_fields = ("customer__account_number__startswith",)
    autocomplete_fields = ("customer", "billing_cycle", "invoice_message")
    fields = ("customer", "billing_cycle", "invoice_message")
    empty_hint = "Give a customer a billing cycle or an invoice message of its own. Without: monthly, and the run's."
