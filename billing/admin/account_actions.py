"""What is decided on accounts of a run, selected in the list or one by one: held, released, split off, posted."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from billing.choices import AccountOutcome, HoldCause, RunStatus
from billing.models import RunAccount
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.run_accounts import hold_account, release_account, split_off_account
from billing.operations.runs import approve_run
from billing.tasks import wake_for_posted, wake_workers
from catalog.admin.base import LargeTableAdmin, change_url, link, list_url
from catalog.admin.keyset import KeyChangeList, SelectableKeyChangeList

MOST_SELECTED = 200
SHOWN_REFUSALS = 5
DECIDE = "billing_runaccount_decide"
ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as its page asks for it, and what the page says when it is done."""

    title: str
    question: str
    verb: str
    done: str
    wants_reason: bool = False


DECISIONS = {
    "hold": Decision(
        title="Hold these accounts?",
        question="Their drafts are taken back, and all that is on them waits, until they are released or a later run.",
        verb="Hold",
        done="held",
        wants_reason=True,
    ),
    "release": Decision(
        title="Release these accounts?",
        question="Accounts held as unusual are invoiced as their drafts say. Accounts held by a person are produced by "
        "the rules of the run. Accounts without a rate or a tax rate stay held until that is mended.",
        verb="Release",
        done="released",
    ),
    "split-off": Decision(
        title="Split these accounts off?",
        question="Each gets a run of its own with the same dates, prices and usage, to be decided on by itself.",
        verb="Split off",
        done="split off",
    ),
    "approve": Decision(
        title="Approve and post these invoices?",
        question="Posted invoices get their numbers and never change again; a correction is a credit note. The other "
        "accounts of the run stay as they are.",
        verb="Approve and post",
        done="posted",
    ),
}


class AccountActionsAdmin(LargeTableAdmin):
    """Decisions on accounts. Each asks first, and for the right to change runs; what is refused becomes a message."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeyChangeList]:  # noqa: ARG002
        return SelectableKeyChangeList

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The decisions, for those who may change runs."""
        if not may_decide(request):
            return {}
        return {name: (selected(name), name, decision.verb) for name, decision in DECISIONS.items()}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.decide_view)
        return [path("decide/<slug:name>/", view, name=DECIDE), *super().get_urls()]

    def decide_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask before a decision on the accounts `?accounts=1,2,3`; posted, do it."""
        if not may_decide(request) or name not in DECISIONS:
            raise PermissionDenied
        account_ids = [int(part) for part in request.GET.get("accounts", "").split(",") if ID.fullmatch(part)]
        accounts = list(
            RunAccount.objects.filter(pk__in=account_ids[:MOST_SELECTED])
            .select_related("customer", "currency", "invoice", "run")
            .order_by("run", "id")
        )
        if not accounts:
            messages.error(request, "No account was selected, or it is not in its run any more.")
            return HttpResponseRedirect(list_url("billing_runaccount"))
        if request.method == "POST":
            self._decide(request, name, accounts)
            return HttpResponseRedirect(back_of(accounts))
        context = {
            **self.admin_site.each_context(request),
            "title": DECISIONS[name].title,
            "decision": DECISIONS[name],
            "accounts": accounts,
            "back": back_of(accounts),
        }
        return render(request, "admin/billing/runaccount/decide.html", context)

    def _decide(self, request: HttpRequest, name: str, accounts: Sequence[RunAccount]) -> None:
        done, refusals = 0, []
        for decide, count in self._steps(request, name, accounts):
            try:
                decide()
                done += count
            except (RunConflict, RunRefused) as refused:
                refusals.append(str(refused))
        for refusal in refusals[:SHOWN_REFUSALS]:
            messages.error(request, refusal)
        if len(refusals) > SHOWN_REFUSALS:
            messages.error(request, f"And {len(refusals) - SHOWN_REFUSALS} more were refused.")
        if done:
            are = "account is" if done == 1 else "accounts are"
            messages.success(request, f"{done} {are} {DECISIONS[name].done}.")

    def _steps(
        self, request: HttpRequest, name: str, accounts: Sequence[RunAccount]
    ) -> list[tuple[Callable[[], object], int]]:
        """What is done one after the other, each with how many accounts it is for. Posting is one step for a run."""
        if name == "approve":
            by_run: dict[int, list[int]] = {}
            for account in accounts:
                by_run.setdefault(account.run_id, []).append(account.pk)
            return [(post_step(request, run_id, ids), len(ids)) for run_id, ids in by_run.items()]
        reason = request.POST.get("reason", "")
        steps: dict[str, Callable[[RunAccount], object]] = {
            "hold": lambda account: hold_account(account_id=account.pk, reason=reason),
            "release": release,
            "split-off": lambda account: split_off(request, account),
        }
        return [(partial(steps[name], account), 1) for account in accounts]


def may_decide(request: HttpRequest) -> bool:
    """Whether the user may change runs."""
    return bool(request.user.has_perm("billing.change_billingrun"))


def selected(name: str) -> Callable[[Any, HttpRequest, QuerySet[RunAccount]], HttpResponse | None]:
    """The action of a list: on to the page that asks."""

    def action(_: Any, request: HttpRequest, accounts: QuerySet[RunAccount]) -> HttpResponse | None:
        account_ids = list(accounts.order_by("-id").values_list("id", flat=True)[: MOST_SELECTED + 1])
        if len(account_ids) > MOST_SELECTED:
            messages.error(request, f"Select at most {MOST_SELECTED} accounts at a time.")
            return None
        return HttpResponseRedirect(decide_url(name, account_ids))

    return action


def decide_url(name: str, account_ids: Sequence[int]) -> str:
    """The page that asks before a decision on these accounts."""
    return f"{reverse(f'admin:{DECIDE}', args=[name])}?accounts={','.join(map(str, account_ids))}"


def back_of(accounts: Sequence[RunAccount]) -> str:
    """The page of one account, or the accounts of the run."""
    if len(accounts) == 1:
        return change_url(accounts[0])
    return list_url("billing_runaccount", run__id__exact=accounts[0].run_id)


def post_step(request: HttpRequest, run_id: int, account_ids: Sequence[int]) -> Callable[[], object]:
    """Posts the invoices of accounts of one run."""

    def post() -> None:
        approve_run(run_id=run_id, at=timezone.now(), user_id=request.user.pk, account_ids=account_ids)
        wake_for_posted()

    return post


def release(account: RunAccount) -> None:
    """Release an account; where its chunk still waits, workers take it with that."""
    if release_account(account_id=account.pk).outcome == AccountOutcome.WAITING:
        wake_workers(run_id=account.run_id)


def split_off(request: HttpRequest, account: RunAccount) -> None:
    """Split an account off, have it produced, and say where it is."""
    split = split_off_account(account_id=account.pk, at=timezone.now())
    wake_workers(run_id=split.pk)
    messages.info(
        request, format_html("{} is in a run of its own: {}.", account.customer, link(change_url(split), split))
    )


def decisions_on(account: RunAccount) -> list[tuple[str, str]]:
    """What can be decided on an account as it is: the verb, and the page that asks."""
    if account.run.status not in {RunStatus.COMMENCED, RunStatus.COMPLETED}:
        return []
    is_posted = account.invoice is not None and account.invoice.number is not None
    names = []
    if account.held_for in {HoldCause.PERSON, HoldCause.UNUSUAL}:
        names.append("release")
    if account.outcome in {AccountOutcome.WAITING, AccountOutcome.INVOICED, AccountOutcome.FAILED} and not is_posted:
        names.append("hold")
    if account.held_for == HoldCause.UNUSUAL:
        names.append("hold")
    if account.outcome != AccountOutcome.NOTHING_TO_BILL and account.held_for != HoldCause.PERSON and not is_posted:
        names.append("split-off")
    if account.outcome == AccountOutcome.INVOICED and account.run.status == RunStatus.COMPLETED and not is_posted:
        names.append("approve")
    return [(DECISIONS[name].verb, decide_url(name, [account.pk])) for name in names]
