"""The proof of a run on its page: its root, having its invoices computed again, and what came of that."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils import timezone

from billing.admin.run_actions import RunActionsAdmin
from billing.models import BillingRun, RunVerification
from billing.operations.verifications import ask_for_verification
from billing.queries.verifications import latest_verification
from billing.tasks import wake_verifier


@dataclass(frozen=True, slots=True)
class RunProof:
    """What the page says of a run's proof; `verification` is the last one that was asked for."""

    verification: RunVerification | None
    verdict: str
    badge: str
    is_waiting: bool


class RunProofAdmin(RunActionsAdmin):
    """A run with posted invoices can be verified, by a worker, for it takes long; the page shows when it has."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {"verify": self.verify_view, "proof": self.proof_view}
        own = [
            path(f"<int:run_id>/{name}/", self.admin_site.admin_view(view), name=f"billing_billingrun_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def verify_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Have a worker compute the posted invoices again."""

        def act() -> str:
            verification = ask_for_verification(run_id=run_id, at=timezone.now(), user_id=request.user.pk)
            wake_verifier(run_id=run_id)
            return f"{verification.run.name} is being verified by a worker. This page shows what comes of it."

        return self.act(request, run_id, act)

    def proof_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """The proof alone, for a page that waits for it."""
        run = get_object_or_404(BillingRun, id=run_id)
        if not self.has_view_permission(request, run):
            return HttpResponse(status=403)
        return render(request, "admin/billing/billingrun/proof.html", {"run": run, "proof": proof_of(run)})


def proof_of(run: BillingRun) -> RunProof:
    """The proof of a run as it is now."""
    verification = latest_verification(run.pk)
    is_waiting = verification is not None and verification.finished_at is None
    is_identical = verification.is_identical if verification else None
    if is_waiting:
        verdict, badge = "Being verified", "info"
    elif verification is None:
        verdict, badge = "Not verified yet", "neutral"
    elif is_identical is None:
        verdict, badge = "Not done", "warning"
    else:
        verdict, badge = ("Identical", "success") if is_identical else ("Different", "danger")
    return RunProof(verification=verification, verdict=verdict, badge=badge, is_waiting=is_waiting)
