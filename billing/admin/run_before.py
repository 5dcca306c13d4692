"""The pages before a run: the checklist and commencing it, one customer's preview, who is on it and why not."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from billing.admin.accounts import OUTCOME_LABELS
from billing.admin.run_page import checklist
from billing.admin.run_proof import RunProofAdmin
from billing.choices import AccountOutcome, PreflightVerdict, RunStatus
from billing.models import BillingRun, RunAccount
from billing.operations.errors import PreflightRefused, RunConflict, RunRefused
from billing.operations.preview import CustomerPreview, preview_customer
from billing.operations.runs import commence_run
from billing.queries.why_not import WhyNot, why_not
from billing.tasks import wake_workers
from catalog.admin.base import change_url
from catalog.admin.figures import EMPTY, exact, exact_in, money
from customers.models import Customer

FOUND_CUSTOMERS = 20
WORST_FIRST = {PreflightVerdict.BLOCK: 0, PreflightVerdict.WARN: 1, PreflightVerdict.PASS: 2}


@dataclass(frozen=True, slots=True)
class CustomerAnswer:
    """A customer that was searched for, why it is on the run or not, and where more is to be seen."""

    customer: Customer
    answer: WhyNot
    url: str
    preview_url: str


class RunBeforeAdmin(RunProofAdmin):
    """Views of a run before it is commenced; the search for a customer is there afterwards too."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {
            "commence": self.commence_view,
            "why_not": self.why_not_view,
        }
        own = [
            path(f"<int:run_id>/{name.replace('_', '-')}/", self.admin_site.admin_view(view), name=_named(name))
            for name, view in views.items()
        ]
        one = self.admin_site.admin_view(self.preview_customer_view)
        own.append(path("<int:run_id>/preview/<int:customer_id>/", one, name=_named("preview_customer")))
        return [*own, *super().get_urls()]

    def commence_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Ask for each warning by its name, then commence the run and wake the workers up."""
        run = get_object_or_404(BillingRun, id=run_id)
        if not self.may_act(request):
            return HttpResponseRedirect(change_url(run))
        confirmed = request.POST.getlist("confirmed")
        if request.method == "POST":
            try:
                commence_run(run_id=run_id, at=timezone.now(), user_id=request.user.pk, confirmed=confirmed)
            except PreflightRefused:
                messages.error(request, f"{run.name} was not commenced: look at what it is checked for.")
            except (RunConflict, RunRefused) as refused:
                messages.error(request, str(refused))
                return HttpResponseRedirect(change_url(run))
            else:
                wake_workers(run_id=run_id)
                messages.success(request, f"{run.name} is commenced. Its invoices are being produced.")
                return HttpResponseRedirect(change_url(run))
        elif run.status != RunStatus.PENDING:
            messages.error(request, f"{run.name} is {run.status}: only a pending run can be commenced.")
            return HttpResponseRedirect(change_url(run))
        rows = sorted(checklist(run, request), key=lambda row: WORST_FIRST[row.check.verdict])
        context = {
            **self.admin_site.each_context(request),
            "title": f"Commence {run.name}",
            "run": run,
            "rows": rows,
            "confirmed": confirmed,
            "block_count": sum(row.check.verdict == PreflightVerdict.BLOCK for row in rows),
            "warning_count": sum(row.check.verdict == PreflightVerdict.WARN for row in rows),
            "back": change_url(run),
        }
        return render(request, "admin/billing/billingrun/commence.html", context)

    def why_not_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Whether the customers that `?q=` finds are on the run, and why."""
        run = get_object_or_404(BillingRun, id=run_id)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        text = request.GET.get("q", "").replace("\0", "").strip()
        found = found_customers(text) if text else []
        context = {
            **self.admin_site.each_context(request),
            "title": f"Who is on {run.name}",
            "run": run,
            "text": text,
            "answers": list(answers(run, found[:FOUND_CUSTOMERS])),
            "has_more": len(found) > FOUND_CUSTOMERS,
            "shown": FOUND_CUSTOMERS,
            "back": change_url(run),
        }
        return render(request, "admin/billing/billingrun/why_not.html", context)

    def preview_customer_view(self, request: HttpRequest, run_id: int, customer_id: int) -> HttpResponse:
        """The document that a customer would get, with its lines. Nothing is kept."""
        run = get_object_or_404(BillingRun, id=run_id)
        customer = get_object_or_404(Customer, id=customer_id)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        try:
            preview = preview_customer(run_id=run_id, customer_id=customer_id, at=timezone.now())
        except (RunConflict, RunRefused) as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(change_url(run))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Preview of {customer.name}",
            "run": run,
            "customer": customer,
            "back": reverse(f"admin:{_named('preview')}", args=[run.pk]),
            **document_figures(preview),
        }
        return render(request, "admin/billing/billingrun/preview_customer.html", context)


def found_customers(text: str) -> list[Customer]:
    """The customers with the account number, or whose number or name begins so; one more than are shown."""
    exactly = Customer.objects.filter(account_number=text)
    begins = Q(account_number__startswith=text) | Q(name__istartswith=text)
    return list(exactly) or list(Customer.objects.filter(begins).order_by("account_number")[: FOUND_CUSTOMERS + 1])


def answers(run: BillingRun, customers: Iterable[Customer]) -> Iterable[CustomerAnswer]:
    """The answer for each of a few customers; what can be looked at of it."""
    for customer in customers:
        answer = why_not(run=run, customer_id=customer.pk)
        can_be_previewed = answer.is_on_the_run and run.status == RunStatus.PENDING
        yield CustomerAnswer(
            customer=customer,
            answer=answer,
            url=change_url(RunAccount(pk=answer.account_id)) if answer.account_id else "",
            preview_url=reverse(f"admin:{_named('preview_customer')}", args=[run.pk, customer.pk])
            if can_be_previewed
            else "",
        )


def document_figures(preview: CustomerPreview) -> dict[str, Any]:
    """One customer's preview for its page, figures in words."""
    account, digits = preview.account, preview.minor_units

    def shown(amount: Decimal) -> str:
        return money(amount, currency=account.currency, minor_units=digits)

    outcome = str(AccountOutcome(account.outcome).label)
    return {
        "account": account,
        "outcome": outcome,
        "badge": OUTCOME_LABELS.get(outcome, "neutral"),
        "period_start": preview.period_start,
        "facts": [
            ("Records", exact(account.record_count)),
            ("Charges", exact_in(account.exact_amount, account.currency)),
        ],
        "lines": [
            {
                "line": line,
                "price": EMPTY
                if line.unit_price is None
                else f"{exact(line.unit_price)}" + (f" / {exact(line.unit_size)}" if line.unit_size != 1 else ""),
                "quantity": f"{exact(line.quantity)} {line.unit}".strip(),
                "exact": exact(line.exact_amount),
                "amount": shown(line.amount),
            }
            for line in preview.lines
        ],
        "taxes": [
            (tax.name, exact(tax.percent), shown(tax.net_amount), shown(tax.tax_amount)) for tax in preview.taxes
        ],
        "net": shown(account.net_amount),
        "tax": shown(account.tax_amount),
        "total": shown(account.total_amount),
    }


def _named(view: str) -> str:
    return f"billing_billingrun_{view}"
