"""The buttons of a run's page: what can be done with it in its state, the next step first in colour."""

from dataclasses import dataclass

from django.urls import reverse

from billing.admin.accounts import accounts_url
from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingRun
from billing.queries.cockpit import Cockpit

PLAIN, NEXT, CAREFUL = "", "tb-primary", "tb-danger"


@dataclass(frozen=True, slots=True)
class Button:
    """A link, or a form with nothing but a button where `is_post`; `style` is a class of the style sheet."""

    text: str
    url: str
    style: str = PLAIN
    is_post: bool = False


def buttons(run: BillingRun, seen: Cockpit, *, may_act: bool) -> list[Button]:
    """What a person can do with the run now; who may only look has the links that change nothing."""
    found = {
        RunStatus.PENDING: _of_pending,
        RunStatus.COMMENCED: _of_commenced,
        RunStatus.COMPLETED: _of_completed,
        RunStatus.CANCELLED: lambda *_: [],
    }[RunStatus(run.status)](run, seen)
    return [button for button, changes in found if may_act or not changes]


def _of_pending(run: BillingRun, _: Cockpit) -> list[tuple[Button, bool]]:
    return [
        (Button("Preview", _url(run, "preview")), False),
        (Button("Cancel the run", _url(run, "cancel"), CAREFUL), True),
        (Button("Commence", _url(run, "commence"), NEXT), True),
    ]


def _of_commenced(run: BillingRun, seen: Cockpit) -> list[tuple[Button, bool]]:
    is_paused = run.paused_at is not None
    go_on = Button("Resume", _url(run, "resume"), NEXT, is_post=True)
    return [
        (Button("Undo", _url(run, "undo"), CAREFUL), True),
        *_retry(run, seen),
        (go_on if is_paused else Button("Pause", _url(run, "pause"), is_post=True), True),
    ]


def _of_completed(run: BillingRun, seen: Cockpit) -> list[tuple[Button, bool]]:
    found = []
    if not seen.posted_count and run.approved_at is None:
        found.append((Button("Undo", _url(run, "undo"), CAREFUL), True))
    found += _retry(run, seen)
    if seen.account_counts[AccountOutcome.HELD]:
        held = accounts_url(run__id__exact=run.pk, outcome__exact=AccountOutcome.HELD.value)
        found.append((Button("Decide on the held", held), True))
    if seen.posted_count:
        found.append((Button("Verify", _url(run, "verify"), is_post=True), True))
    found.append((Button("Comparison", _url(run, "comparison")), False))
    if not seen.is_in_production and (run.approved_at is None or seen.draft_count):
        found.append((Button("Approve and post", _url(run, "approve"), NEXT), True))
    return found


def _retry(run: BillingRun, seen: Cockpit) -> list[tuple[Button, bool]]:
    if not seen.account_counts[AccountOutcome.FAILED]:
        return []
    return [(Button("Retry the failed", _url(run, "retry"), is_post=True), True)]


def _url(run: BillingRun, name: str) -> str:
    return reverse(f"admin:billing_billingrun_{name}", args=[run.pk])
