"""The pages and buttons of a billing run: preview, commence, cancel, approve, and how far it is."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils import timezone

from billing.admin.run_page import OUTCOME_ORDER, run_progress, state_in_words
from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingRun
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.preview import PreviewAccount, RunPreview, preview_run
from billing.operations.runs import approve_run, cancel_run, commence_run
from billing.tasks import wake_workers
from catalog.admin.base import Admin, change_url
from catalog.admin.figures import exact, money
from catalog.engine.money import exact_sum
from catalog.models import Currency

SHOWN_ACCOUNTS = 500


class RunPagesAdmin(Admin):
    """Views of one run. Each asks for the right to change runs; what a run's state forbids becomes a message."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {
            "preview": self.preview_view,
            "commence": self.commence_view,
            "cancel": self.cancel_view,
            "approve": self.approve_view,
            "progress": self.progress_view,
        }
        own = [
            path(f"<int:run_id>/{name}/", self.admin_site.admin_view(view), name=f"billing_billingrun_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def may_act(self, request: HttpRequest) -> bool:
        """Whether the user has the buttons."""
        return request.user.has_perm("billing.change_billingrun")

    def progress_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """The figures alone. When the run has completed, the browser is told to load the page again."""
        run = get_object_or_404(BillingRun, id=run_id)
        if not self.has_view_permission(request, run):
            return HttpResponse(status=403)
        response = render(
            request, "admin/billing/billingrun/progress.html", {"run": run, "progress": run_progress(run)}
        )
        if run.status != RunStatus.COMMENCED:
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

    def commence_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Commence the run and wake the workers up."""

        def act() -> str:
            run = commence_run(run_id=run_id, at=timezone.now(), user_id=request.user.pk)
            wake_workers(run_id=run_id)
            return f"{run.name} is commenced. Its invoices are being produced."

        return self._act(request, run_id, act)

    def cancel_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Cancel a run that was never commenced, after asking."""

        def act() -> str:
            return f"{cancel_run(run_id=run_id).name} is cancelled."

        if request.method != "POST":
            return self._ask(request, run_id, "Cancel this run?", "A cancelled run stays cancelled.", "Cancel the run")
        return self._act(request, run_id, act)

    def approve_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Approve the run, which posts its invoices, after asking."""

        def act() -> str:
            run = approve_run(run_id=run_id, at=timezone.now(), user_id=request.user.pk)
            return f"{run.name} is approved: its invoices are posted."

        if request.method != "POST":
            question = "Posted invoices get their numbers and never change again; a correction is a credit note."
            return self._ask(request, run_id, "Approve and post?", question, "Approve and post", figures=True)
        return self._act(request, run_id, act)

    def _act(self, request: HttpRequest, run_id: int, act: Callable[[], str]) -> HttpResponse:
        run = get_object_or_404(BillingRun, id=run_id)
        if request.method == "POST" and self.may_act(request):
            try:
                messages.success(request, act())
            except (RunConflict, RunRefused) as refused:
                messages.error(request, str(refused))
        return HttpResponseRedirect(change_url(run))

    def _ask(
        self, request: HttpRequest, run_id: int, title: str, question: str, verb: str, *, figures: bool = False
    ) -> HttpResponse:
        run = get_object_or_404(BillingRun, id=run_id)
        if not self.may_act(request):
            return HttpResponseRedirect(change_url(run))
        facts = [("Run", run.name), ("State", state_in_words(run)[0]), ("Invoice date", run.invoice_date)]
        if figures:
            progress = run_progress(run)
            facts += [(outcome.name, exact(outcome.count)) for outcome in progress.outcomes if outcome.count]
            facts += [("Invoices together", amount) for amount in progress.amounts]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "question": question,
            "verb": verb,
            "verb_class": "tb-primary" if figures else "tb-danger",
            "facts": facts,
            "back": change_url(run),
        }
        return render(request, "admin/confirmation.html", context)


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
