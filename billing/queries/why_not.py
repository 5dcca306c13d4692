"""Why a customer is on a run, or why it is not: an answer in words for every customer that there is."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Max

from billing.choices import AccountOutcome, RunStatus
from billing.engine.schedules import months_later
from billing.models import BillingRun, CustomerBilling, RunAccount
from billing.queries.due_recurring import has_due_recurring
from customers.choices import CustomerStatus
from customers.models import Customer
from invoicing.models import Invoice, Transaction
from usage.models import PendingUsage


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Whether a customer is on a run, or would be if it were commenced now, and why.

    `code` is the reason as a word, `sentence` for people. `account_id` is that of the run's account where there is one.
    """

    customer_id: int
    account_number: str
    is_on_the_run: bool
    code: str
    sentence: str
    account_id: int | None = None


def why_not(*, run: BillingRun, customer_id: int) -> WhyNot:
    """The answer for one customer, of a run in any state. Raises `Customer.DoesNotExist`."""
    customer = Customer.objects.get(pk=customer_id)
    account = RunAccount.objects.filter(run=run, customer=customer).select_related("invoice").first()
    if account is not None:
        said = f"It is on the run: {_outcome_in_words(account)}"
        return _answer(customer, "on_the_run", said, is_on_the_run=True, account_id=account.pk)
    split = RunAccount.objects.filter(customer=customer, run__split_from=run).select_related("run").first()
    if split is not None:
        said = f"It was split off into run {split.run_id} ({split.run.name}), where it is {_outcome_in_words(split)}"
        return _answer(customer, "split_off", said)
    if run.status == RunStatus.CANCELLED:
        return _answer(customer, "cancelled", "The run was cancelled before it was commenced: nobody is on it.")
    reason = _left_out(run, customer)
    if reason is not None:
        return _answer(customer, *reason)
    return _to_come(run, customer) if run.status == RunStatus.PENDING else _changed(run, customer)


def _left_out(run: BillingRun, customer: Customer) -> tuple[str, str] | None:
    """By which rule of commencing the run leaves the customer out, as code and sentence; None where it takes it."""
    billing = CustomerBilling.objects.filter(customer=customer).select_related("billing_cycle").first()
    cycle = billing.billing_cycle if billing else None
    subrun, months = (cycle.subrun, cycle.months) if cycle else ("", 1)
    if subrun != run.subrun:
        whose = f"Its billing cycle {cycle.name}" if cycle else "Without a billing cycle it"
        said = (
            f"{whose} is billed by runs of {_subrun_in_words(subrun)}; this one is of {_subrun_in_words(run.subrun)}."
        )
        return "another_subrun", said
    until = _billed_until(run, customer)
    if months > 1 and until is not None and months_later(until, months) > run.cutoff_date:
        said = (
            f"It is billed every {months} months, and was until {until}: runs take it from the cutoff date "
            f"{months_later(until, months)} on; this one's is {run.cutoff_date}."
        )
        return "months_not_over", said
    if customer.status == CustomerStatus.CLOSED and not _has_something(run, customer):
        said = "It is closed, and there was nothing left to bill."
        if run.status == RunStatus.PENDING:
            said = "It is closed, and nothing of it waits to be billed."
        return "closed", said
    return None


def _to_come(run: BillingRun, customer: Customer) -> WhyNot:
    """The answer where a pending run would take the customer."""
    waiting = RunAccount.objects.filter(customer=customer, outcome=AccountOutcome.WAITING).exclude(run=run)
    other = waiting.select_related("run").first()
    if other is not None:
        said = (
            f"It still waits in run {other.run_id} ({other.run.name}). Until that is completed, this one cannot be "
            "commenced; then it takes the customer."
        )
        return _answer(customer, "waits_elsewhere", said)
    said = "It will be on the run when that is commenced."
    return _answer(customer, "will_be", said, is_on_the_run=True)


def _changed(run: BillingRun, customer: Customer) -> WhyNot:
    """The answer where a commenced run would take the customer by what it is now, and did not."""
    if run.commenced_at is not None and customer.created_at > run.commenced_at:
        said = f"It was not there yet when the run was commenced, on {run.commenced_at:%Y-%m-%d at %H:%M} UTC."
        return _answer(customer, "created_later", said)
    said = (
        "When the run was commenced, its billing cycle, its status or what it had to bill was another one: by what "
        "they are now it would be on the run."
    )
    return _answer(customer, "changed_since", said)


def _billed_until(run: BillingRun, customer: Customer) -> date | None:
    """The end of the last period that was invoiced, for a commenced run: when it was commenced."""
    invoices = Invoice.objects.filter(customer=customer)
    if run.commenced_at is not None:
        invoices = invoices.exclude(run_account__run__commenced_at__gt=run.commenced_at)
    until: date | None = invoices.aggregate(until=Max("period_end"))["until"]
    return until


def _has_something(run: BillingRun, customer: Customer) -> bool:
    if run.status != RunStatus.PENDING:
        # It was closed then and is not on the run: there was nothing. What has come since is for the next run.
        return False
    return (
        PendingUsage.objects.filter(customer=customer, billing_effective_date__lt=run.cutoff_date).exists()
        or Transaction.objects.filter(customer=customer, invoice_line__isnull=True).exists()
        or has_due_recurring(run=run, customer_id=customer.pk)
    )


def _outcome_in_words(account: RunAccount) -> str:
    outcome = account.get_outcome_display().lower()
    if account.invoice is not None and account.outcome == AccountOutcome.INVOICED:
        return f"{outcome} ({account.invoice})."
    return f"{outcome}. {account.reason}".strip()


def _subrun_in_words(subrun: str) -> str:
    return f"the subrun {subrun}" if subrun else "no subrun"


def _answer(
    customer: Customer, code: str, sentence: str, *, is_on_the_run: bool = False, account_id: int | None = None
) -> WhyNot:
    return WhyNot(
        customer_id=customer.pk,
        account_number=customer.account_number,
        is_on_the_run=is_on_the_run,
        code=code,
        sentence=sentence,
        account_id=account_id,
    )
