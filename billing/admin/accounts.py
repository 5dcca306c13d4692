from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from billing.admin.account_actions import AccountActionsAdmin, decisions_on, may_decide
from billing.choices import AccountOutcome, HoldCause
from billing.models import RunAccount
from billing.operations.errors import RunConflict
from billing.operations.todays_prices import produce_with_todays_prices
from catalog.admin.base import change_url, column, link, list_url
from catalog.admin.figures import EMPTY, exact, exact_in, money

TODAYS_PRICES = "billing_runaccount_todays_prices"
OUTCOME_LABELS = {
    "Invoiced": "success",
    "Waiting": "info",
    "Held": "warning",
    "Failed": "danger",
}


class HeldForFilter(admin.SimpleListFilter):
    """Why accounts are held. It asks for the outcome, too, which has an index."""

    title = "held for"
    parameter_name = "held_for"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [(cause.value, str(cause.label)) for cause in HoldCause]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RunAccount]) -> QuerySet[RunAccount]:  # noqa: ARG002
        cause = self.value()
        return queryset.filter(outcome=AccountOutcome.HELD, held_for=cause) if cause else queryset


@admin.register(RunAccount)
class RunAccountAdmin(AccountActionsAdmin):
    """One customer's outcome in a run."""

    list_display = ("customer", "shown_outcome", "reason", "records", "charged", "document", "run")
    list_filter = ("outcome", HeldForFilter, ("run", AutocompleteSelectFilter), ("customer", AutocompleteSelectFilter))
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
    change_form_template = "admin/billing/runaccount/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.again_view)
        return [path("<int:account_id>/todays-prices/", view, name=TODAYS_PRICES), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        account = kwargs.get("obj")
        if account and may_decide(request):
            context["decisions"] = decisions_on(account)
        if account and may_produce_again(request, account):
            context["again_url"] = reverse(f"admin:{TODAYS_PRICES}", args=[account.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def again_view(self, request: HttpRequest, account_id: int) -> HttpResponse:
        """Produce the account again with the prices of now, after asking."""
        account = get_object_or_404(RunAccount.objects.select_related("customer", "run", "invoice"), id=account_id)
        if not request.user.has_perm("billing.change_billingrun"):
            raise PermissionDenied
        if request.method == "POST":
            try:
                produced = produce_with_todays_prices(account_id=account_id)
            except RunConflict as refused:
                messages.error(request, str(refused))
            else:
                outcome = produced.get_outcome_display().lower()
                messages.success(request, f"{account.customer} is produced again with today's prices: {outcome}.")
            return HttpResponseRedirect(change_url(account))
        context = {
            **self.admin_site.each_context(request),
            "title": "Produce again with today's prices?",
            "question": "The draft is made anew from the same usage, by the rate cards and prices that the customer "
            "has now in place of those when the run was commenced. The other accounts of the run stay as they are.",
            "verb": "Produce again",
            "verb_class": "tb-primary",
            "facts": [
                ("Customer", account.customer),
                ("Run", account.run.name),
                ("Outcome", account.get_outcome_display()),
                ("Exact charges", exact_in(account.exact_amount, account.currency_id)),
            ],
            "back": change_url(account),
        }
        return render(request, "admin/confirmation.html", context)

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


def may_produce_again(request: HttpRequest, account: RunAccount) -> bool:
    """Whether the user may change runs, and the account is produced and not posted."""
    return (
        request.user.has_perm("billing.change_billingrun")
        and account.outcome != AccountOutcome.WAITING
        and account.run.approved_at is None
    )


def accounts_url(**query: object) -> str:
    """Address of the list of run accounts, filtered by `query`."""
    return list_url("billing_runaccount", **query)
