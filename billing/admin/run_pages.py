"""The pages of a billing run: what it would produce, and how far it is."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils import timezone

from billing.admin.comparison import comparison_view
from billing.admin.run_before import RunBeforeAdmin
from billing.admin.run_page import OUTCOME_ORDER, run_progress
from billing.choices import AccountOutcome
from billing.models import BillingRun
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.preview import PreviewAccount, RunPreview, preview_run
from catalog.admin.base import change_url
from catalog.admin.figures import exact, money
from catalog.engine.money import exact_sum
from catalog.models import Currency

SHOWN_ACCOUNTS = 500


class RunPagesAdmin(RunBeforeAdmin):
    """Views of one run. Each asks for the right to change runs; what a run's state forbids becomes a message."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponseBase]] = {
            "preview": self.preview_view,
            "comparison": comparison_view,
            "progress": self.progress_view,
        }
        own = [
            path(f"<int:run_id>/{name}/", self.admin_site.admin_view(view), name=f"billing_billingrun_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def progress_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """The figures alone, for a page that shows `?state=`. When that has changed, it is told to load anew."""
        run = get_object_or_404(BillingRun, id=run_id)
        if not self.has_view_permission(request, run):
            return HttpResponse(status=403)
        progress = run_progress(run)
        response = render(request, "admin/billing/billingrun/progress.html", {"run": run, "progress": progress})
        if request.GET.get("state", "Commenced") != progress.state or not progress.seen.is_moving:
            response["HX-Refresh"] = "true"
        return response

    def preview_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """What the run would produce now. Nothing is kept."""
        run = get_object_or_404(BillingRun, id=run_id)
        if not self.has_view_permission(request, run):
            return HttpResponseRedirect(change_url(run))
        try:
            preview = preview_run(run_id=run_id, at=timezone.now())
        except (RunConflict, RunRefused) as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(change_url(run))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Preview of {run.name}",
            "run": run,
            "back": change_url(run),
            "shown": SHOWN_ACCOUNTS,
            **preview_figures(preview),
        }
        return render(request, "admin/billing/billingrun/preview.html", context)


def preview_figures(preview: RunPreview) -> dict[str, Any]:
    """A preview for its page: accounts by outcome, the totals of each currency, and the accounts in words.

    What needs a person comes first, as on the page of a run. Amounts of accounts without an invoice are dashes.
    """
    minor_units = dict(Currency.objects.values_list("code", "minor_units"))
    sums: dict[str, PreviewSums] = defaultdict(PreviewSums)
    for account in preview.accounts:
        sums[account.currency].add(account)

    def shown(amount: Decimal | None, currency: str) -> str:
        return money(amount, currency=currency, minor_units=minor_units[currency])

    def row(account: PreviewAccount) -> dict[str, Any]:
        amounts = {"net": account.net_amount, "tax": account.tax_amount, "total": account.total_amount}
        is_invoiced = account.outcome == AccountOutcome.INVOICED
        return {
            "account": account,
            "outcome": AccountOutcome(account.outcome).label,
            **{name: shown(amount if is_invoiced else None, account.currency) for name, amount in amounts.items()},
        }

    outcomes = Counter(account.outcome for account in preview.accounts)
    first = {outcome.value: place for place, outcome in enumerate(OUTCOME_ORDER)}
    in_order = sorted(preview.accounts, key=lambda account: first[account.outcome])
    return {
        "outcomes": [(outcome.label, outcomes[outcome.value]) for outcome in OUTCOME_ORDER if outcomes[outcome.value]],
        "sums": [
            (code, exact(of.billed), exact(of.left), shown(of.net, code), shown(of.tax, code), shown(of.total, code))
            for code, of in sorted(sums.items())
        ],
        "account_count": len(preview.accounts),
        "accounts": [row(account) for account in in_order[:SHOWN_ACCOUNTS]],
    }


@dataclass(slots=True)
class PreviewSums:
    """The sums of a preview in one currency: exact charges that invoices would bill, those left, and the invoices."""

    billed: Decimal = Decimal(0)
    left: Decimal = Decimal(0)
    net: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    total: Decimal = Decimal(0)

    def add(self, account: PreviewAccount) -> None:
        """Add one account."""
        if account.outcome == AccountOutcome.INVOICED:
            self.billed = exact_sum([self.billed, account.exact_amount])
        else:
            self.left = exact_sum([self.left, account.exact_amount])
        self.net = exact_sum([self.net, account.net_amount])
        self.tax = exact_sum([self.tax, account.tax_amount])
        self.total = exact_sum([self.total, account.total_amount])
