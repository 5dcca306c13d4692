"""What is done to a billing run with a button, and asking before it."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils import timezone

from billing.admin.run_page import run_progress, state_in_words
from billing.models import BillingRun
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.pausing import pause_run, resume_run
from billing.operations.run_accounts import retry_failed
from billing.operations.runs import approve_run, cancel_run, complete_run
from billing.operations.undo import undo_run
from billing.tasks import wake_for_posted, wake_workers
from catalog.admin.base import Admin, change_url
from catalog.admin.figures import exact


class RunActionsAdmin(Admin):
    """Views that change a run. Each asks for the right to; what a run's state forbids becomes a message."""

    def may_act(self, request: HttpRequest) -> bool:
        """Whether the user has the buttons."""
        return request.user.has_perm("billing.change_billingrun")

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {
            "cancel": self.cancel_view,
            "pause": self.pause_view,
            "resume": self.resume_view,
            "undo": self.undo_view,
            "retry": self.retry_view,
            "approve": self.approve_view,
        }
        own = [
            path(f"<int:run_id>/{name}/", self.admin_site.admin_view(view), name=f"billing_billingrun_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def cancel_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Cancel a run that was never commenced, after asking."""

        def act() -> str:
            return f"{cancel_run(run_id=run_id).name} is cancelled."

        if request.method != "POST":
            return self.ask(request, run_id, "Cancel this run?", "A cancelled run stays cancelled.", "Cancel the run")
        return self.act(request, run_id, act)

    def pause_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Let no worker take a chunk of the run any more."""

        def act() -> str:
            run = pause_run(run_id=run_id, at=timezone.now())
            return f"{run.name} is paused. What workers had begun they finish."

        return self.act(request, run_id, act)

    def resume_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Let the run go on, and wake the workers up."""

        def act() -> str:
            run = resume_run(run_id=run_id)
            # The last chunk may have been finished while it was paused.
            if not complete_run(run_id=run_id, at=timezone.now()):
                wake_workers(run_id=run_id)
            return f"{run.name} goes on."

        return self.act(request, run_id, act)

    def undo_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Take back all that the run has done, after asking."""

        def act() -> str:
            run = undo_run(run_id=run_id)
            return f"{run.name} is undone: everything is as it was before it was commenced."

        if request.method != "POST":
            question = (
                "Its drafts and accounts go, and what is on them waits again, as it was before the run was commenced. "
                "Decisions on its accounts go, too. This cannot be undone; the run can be commenced again."
            )
            return self.ask(request, run_id, "Undo this run?", question, "Undo the run")
        return self.act(request, run_id, act)

    def retry_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Let the failed accounts be produced again, and wake the workers up."""

        def act() -> str:
            count = retry_failed(run_id=run_id)
            wake_workers(run_id=run_id)
            return f"{count:,} failed {'account is' if count == 1 else 'accounts are'} tried again."

        return self.act(request, run_id, act)

    def approve_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Approve the run, which posts its invoices, after asking."""

        def act() -> str:
            run = approve_run(run_id=run_id, at=timezone.now(), user_id=request.user.pk)
            wake_for_posted()
            return f"{run.name} is approved: its invoices are posted."

        if request.method != "POST":
            question = (
                "Posted invoices get their numbers and never change again; a correction is a credit note. Accounts "
                "that are held or failed are left out."
            )
            return self.ask(request, run_id, "Approve and post?", question, "Approve and post", figures=True)
        return self.act(request, run_id, act)

    def act(self, request: HttpRequest, run_id: int, act: Callable[[], str]) -> HttpResponse:
        """Do it, if it was posted by who may; what is refused becomes a message. Back to the run."""
        run = get_object_or_404(BillingRun, id=run_id)
        if request.method == "POST" and self.may_act(request):
            try:
                messages.success(request, act())
            except (RunConflict, RunRefused) as refused:
                messages.error(request, str(refused))
        return HttpResponseRedirect(change_url(run))

    def ask(
        self, request: HttpRequest, run_id: int, title: str, question: str, verb: str, *, figures: bool = False
    ) -> HttpResponse:
        """The page that asks before it is done; with the run's figures where they help to decide."""
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
