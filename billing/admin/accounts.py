from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from billing.models import RunAccount
from catalog.admin.base import LargeTableAdmin, change_url, column, link, list_url
from catalog.admin.figures import EMPTY, exact, exact_in, money

OUTCOME_LABELS = {
    "Invoiced": "success",
    "Waiting": "info",
    "Held": "warning",
    "Failed": "danger",
}


@admin.register(RunAccount)
class RunAccountAdmin(LargeTableAdmin):
    """One customer's outcome in a run."""

    list_display = ("customer", "shown_outcome", "reason", "records", "charged", "document", "run")
    list_filter = ("outcome", ("run", AutocompleteSelectFilter), ("customer", AutocompleteSelectFilter))
    list_select_related = ("customer", "run", "invoice", "currency")
    search_fields = ("customer__account_number__startswith",)
    search_help_text = "Start of the customer's account number"
    fieldsets = (
        (None, {"fields": (("run", "shown_customer"), ("shown_outcome", "document"), "reason")}),
        ("Charges", {"fields": (("records", "charged"),)}),
        (
            "Terms, as they were when the run was commenced",
            {
                "fields": (
                    ("currency", "timezone"),
                    ("tax_rate", "minimum"),
                    ("period_start", "late_before"),
                    "message",
                )
            },
        ),
    )
    readonly_fields = ("shown_customer", "shown_outcome", "document", "records", "charged", "minimum")
    empty_hint = "Commence a billing run: it lists here what became of each of its customers."

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # What the link on an invoice asks for; an index serves it.
        return lookup == "invoice__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    @column("Customer")
    def shown_customer(self, account: RunAccount) -> SafeString:
        return link(change_url(account.customer), account.customer)

    @column("Outcome", label=OUTCOME_LABELS)
    def shown_outcome(self, account: RunAccount) -> str:
        return account.get_outcome_display()

    @column("Records")
    def records(self, account: RunAccount) -> str:
        return exact(account.record_count)

    @column("Exact charges")
    def charged(self, account: RunAccount) -> str:
        return exact_in(account.exact_amount, account.currency_id)

    @column("Minimum")
    def minimum(self, account: RunAccount) -> str:
        return money(account.minimum_amount, currency=account.currency_id, minor_units=account.minor_units)

    @column("Invoice")
    def document(self, account: RunAccount) -> SafeString | str:
        if account.invoice is None:
            return EMPTY
        total = money(account.invoice.total_amount, currency=account.currency_id, minor_units=account.minor_units)
        return link(change_url(account.invoice), f"{account.invoice}: {total}")


def accounts_url(**query: object) -> str:
    """Address of the list of run accounts, filtered by `query`."""
    return list_url("billing_runaccount", **query)
