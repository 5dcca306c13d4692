"""What the page of a billing run shows beside its fields."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone

from billing.admin.accounts import OUTCOME_LABELS, accounts_url
from billing.admin.navigation import may_view
from billing.choices import AccountOutcome, PreflightVerdict, RunStatus
from billing.models import BillingRun, RunAccount
from billing.queries.preflight import preflight
from billing.queries.preflight_checks import PreflightCheck
from billing.queries.run_figures import figures_of_runs
from catalog.admin.base import list_url
from catalog.admin.figures import money

SHOWN_ACCOUNTS = 100
SHOWN_REASONS = 20
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
class ReasonCount:
    """A reason for which accounts of a run were held or failed, and how many."""

    outcome: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check before the run, and the list of what it found; no address for those who may not see that."""

    check: PreflightCheck
    badge: str
    url: str


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is: what the page shows above its accounts, and asks for again while the run goes on."""

    is_running: bool
    percent: int
    account_count: int
    outcomes: list[OutcomeCount]
    amounts: list[str]


def state_in_words(run: BillingRun) -> tuple[str, str]:
    """A run's state, and what to do next."""
    if run.status == RunStatus.PENDING:
        return "Pending", "Preview it, then commence it. Its dates can still be changed."
    if run.status == RunStatus.COMMENCED:
        return "Commenced", "Its invoices are being produced. Nothing is final before it is approved."
    if run.status == RunStatus.CANCELLED:
        return "Cancelled", "Nothing was produced. Make another run for the date."
    if run.approved_at is None:
        return "Waiting for approval", "Look at its accounts and invoices, then approve it: that posts the invoices."
    return "Posted", "Its invoices are posted and do not change any more."


def run_progress(run: BillingRun) -> RunProgress:
    """The figures of a run, read now."""
    figures = figures_of_runs([run])[run.pk]
    return RunProgress(
        is_running=run.status == RunStatus.COMMENCED,
        percent=int(figures.progress * 100),
        account_count=sum(figures.account_counts.values()),
        outcomes=[
            OutcomeCount(
                name=outcome.label,
                badge=OUTCOME_LABELS.get(str(outcome.label), "neutral"),
                count=figures.account_counts[outcome],
                url=accounts_url(run__id__exact=run.pk, outcome__exact=outcome.value),
            )
            for outcome in OUTCOME_ORDER
        ],
        amounts=[
            money(Decimal(amount.amount), currency=amount.currency, minor_units=amount.minor_units)
            for amount in figures.invoice_amounts
        ],
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


def reasons(run: BillingRun) -> list[ReasonCount]:
    """Why accounts of a run were held or failed, the most frequent reason first."""
    groups = (
        RunAccount.objects.filter(run=run, outcome__in=[AccountOutcome.HELD, AccountOutcome.FAILED])
        .order_by()
        .values("outcome", "reason")
        .annotate(account_count=Count("id"))
        .order_by("-account_count", "outcome", "reason")[:SHOWN_REASONS]
    )
    return [
        ReasonCount(str(AccountOutcome(group["outcome"]).label), group["reason"], group["account_count"])
        for group in groups
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
