"""What the page of a billing run shows beside its fields."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from billing.admin.accounts import OUTCOME_LABELS, accounts_url
from billing.admin.navigation import may_view
from billing.choices import AccountOutcome, HoldCause, PreflightVerdict, RunStatus
from billing.models import BillingRun, RunAccount
from billing.queries.cockpit import Cause, Cockpit, SlowChunk, cockpit
from billing.queries.preflight import preflight
from billing.queries.preflight_checks import PreflightCheck
from billing.queries.run_figures import figures_of_runs
from billing.queries.workers import WorkerAtWork
from catalog.admin.base import list_url
from catalog.admin.figures import money

SHOWN_ACCOUNTS = 100
VERDICT_LABELS = {PreflightVerdict.PASS: "success", PreflightVerdict.WARN: "warning", PreflightVerdict.BLOCK: "danger"}
# What needs a person comes first.
OUTCOME_ORDER = (
    AccountOutcome.FAILED,
    AccountOutcome.HELD,
    AccountOutcome.WAITING,
    AccountOutcome.INVOICED,
    AccountOutcome.NOTHING_TO_BILL,
)


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many accounts of a run have an outcome, and the list of them."""

    name: str
    badge: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check before the run, and the list of what it found; no address for those who may not see that."""

    check: PreflightCheck
    badge: str
    url: str


@dataclass(frozen=True, slots=True)
class CauseRow:
    """Accounts that are held or failed for one cause, the list of them, and the page of the first."""

    outcome: str
    badge: str
    text: str
    count: int
    url: str
    first_url: str


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is: what the page shows above its accounts, and asks for again while the run moves by itself."""

    state: str
    seen: Cockpit
    outcomes: list[OutcomeCount]
    held: list[OutcomeCount]
    causes: list[CauseRow]
    workers: list[tuple[WorkerAtWork, str]]
    slowest_chunks: list[tuple[SlowChunk, str]]
    time_left: str
    amounts: list[str]


def state_in_words(run: BillingRun) -> tuple[str, str]:
    """A run's state, and what to do next."""
    if run.status == RunStatus.PENDING:
        return "Pending", "Mend what the checks below find, look at a preview, then commence it."
    if run.status == RunStatus.COMMENCED and run.paused_at is not None:
        return "Paused", "No worker begins anything of it. Resume it when it is to go on."
    if run.status == RunStatus.COMMENCED:
        return "Commenced", "Its invoices are being produced. Nothing is final before it is approved."
    if run.status == RunStatus.CANCELLED:
        return "Cancelled", "Nothing was produced. Make another run for the date."
    if run.approved_at is None:
        return "Waiting for approval", "Look at its accounts and invoices, then approve it: that posts the invoices."
    return "Posted", "Its invoices are posted and do not change any more."


def next_step(run: BillingRun, seen: Cockpit) -> str:
    """What to do next with the run, once it is known what became of its accounts."""
    failed, held = (seen.account_counts[outcome] for outcome in (AccountOutcome.FAILED, AccountOutcome.HELD))
    if run.status != RunStatus.COMPLETED or (run.approved_at is not None and not seen.draft_count):
        return state_in_words(run)[1]
    if seen.is_in_production:
        return "Failed accounts are tried again. Approve the run when none waits any more."
    left = [f"{count:,} {word}" for count, word in ((failed, "failed"), (held, "held")) if count]
    posted = f"Invoices posted so far: {seen.posted_count:,}. " if seen.posted_count else ""
    if left:
        accounts = "account" if failed + held == 1 else "accounts"
        return (
            f"{posted}Decide on the {' and '.join(left)} {accounts}: mend what is wrong and try again, release them, "
            "or leave them out. Then approve the run."
        )
    return f"{posted}Compare it with the customers' earlier invoices, then approve it: that posts the invoices."


def run_progress(run: BillingRun) -> RunProgress:
    """The figures of a run, read now. Totals of its invoices once it is completed: until then they cost too much."""
    now = timezone.now()
    seen = cockpit(run=run, at=now)
    totals = figures_of_runs([run])[run.pk].invoice_amounts if run.status == RunStatus.COMPLETED else ()
    return RunProgress(
        state=state_in_words(run)[0],
        seen=seen,
        outcomes=[
            OutcomeCount(
                name=outcome.label,
                badge=OUTCOME_LABELS.get(str(outcome.label), "neutral"),
                count=seen.account_counts[outcome],
                url=accounts_url(run__id__exact=run.pk, outcome__exact=outcome.value),
            )
            for outcome in OUTCOME_ORDER
        ],
        held=[
            OutcomeCount(
                name=cause.label,
                badge="warning",
                count=seen.held_counts[cause],
                url=accounts_url(run__id__exact=run.pk, held_for=cause.value),
            )
            for cause in HoldCause
            if seen.held_counts[cause]
        ],
        causes=[_cause_row(run, cause) for cause in seen.causes],
        workers=[(worker, time_in_words(now - worker.since)) for worker in seen.workers],
        slowest_chunks=[
            (chunk, time_in_words(timedelta(milliseconds=chunk.duration_ms))) for chunk in seen.slowest_chunks
        ],
        time_left=time_in_words(seen.speed.time_left) if seen.speed.time_left else "",
        amounts=[
            money(Decimal(amount.amount), currency=amount.currency, minor_units=amount.minor_units) for amount in totals
        ],
    )


def time_in_words(time: timedelta) -> str:
    """A span of time with its two largest units: 2 h 5 min, 3 min 20 s, 7 s; below a second in milliseconds."""
    milliseconds = max(0, time // timedelta(milliseconds=1))
    seconds = milliseconds // 1000
    if not seconds:
        return f"{milliseconds} ms"
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def _cause_row(run: BillingRun, cause: Cause) -> CauseRow:
    outcome = AccountOutcome(cause.outcome)
    of_outcome = {"held_for": cause.held_for} if cause.held_for else {"outcome__exact": cause.outcome}
    return CauseRow(
        outcome=str(outcome.label),
        badge=OUTCOME_LABELS.get(str(outcome.label), "neutral"),
        text=cause.reason if cause.account_count == 1 else cause.cause,
        count=cause.account_count,
        url=accounts_url(run__id__exact=run.pk, **of_outcome),
        first_url=reverse("admin:billing_runaccount_change", args=[cause.first_account_id]),
    )


def checklist(run: BillingRun, request: HttpRequest) -> list[CheckRow]:
    """The checks before a pending run, made now."""
    return [
        CheckRow(
            check=check,
            badge=VERDICT_LABELS[check.verdict],
            url=list_url(check.model, **dict(check.query)) if may_view(check.model)(request) else "",
        )
        for check in preflight(run=run, at=timezone.now())
    ]


def first_accounts(run: BillingRun) -> list[RunAccount]:
    """The first accounts of a run, those that need a person before the others."""
    accounts: list[RunAccount] = []
    for outcome in OUTCOME_ORDER:
        room = SHOWN_ACCOUNTS - len(accounts)
        if room:
            found = RunAccount.objects.filter(run=run, outcome=outcome).order_by("id")
            accounts += found.select_related("customer", "currency", "invoice")[:room]
    return accounts
