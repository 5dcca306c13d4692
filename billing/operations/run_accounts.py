"""Decisions on single accounts of a run: held, released, split off, tried again.

Of every refusal nothing has changed. What is on a draft and is taken off it waits as it did before.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from billing.choices import AccountOutcome, HoldCause, RunStatus
from billing.models import BillingRun, RunAccount, RunChunk
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.production import produce_account_again
from billing.operations.run_locks import lock_chunks, locked_account, locked_run, waits_elsewhere
from billing.operations.take_back import take_back_draft
from invoicing.choices import InvoiceState
from usage.models import PendingUsage

NAME_LENGTH = 200
# The last sentence on why an account is unusual (sql/unusual.sql); what its reason was otherwise comes after it.
END_OF_UNUSUAL = "Release it, or correct what is wrong."
# How an account that is held otherwise gets on.
MENDED_BY = {
    HoldCause.UNPRICED: "Then produce the account again with today's prices",
    HoldCause.TAX: "It is billed in the next run, or in this one undone and commenced again",
}


@transaction.atomic
def retry_failed(*, run_id: int) -> int:
    """Let all failed accounts of a commenced or completed run wait again; how many there were.

    Workers take their chunks once more, and in them only what waits. A completed run stays completed meanwhile; it is
    not approved as a whole before none waits. The caller wakes the workers up afterwards. Raises RunConflict in every
    other state, and while one of their customers waits in another run.
    """
    run = locked_run(run_id)
    if run.status not in (RunStatus.COMMENCED, RunStatus.COMPLETED):
        raise RunConflict(
            f"Run {run.pk} is {run.status}: only in a commenced or completed run can failed accounts be tried again."
        )
    failed = RunAccount.objects.filter(run=run, outcome=AccountOutcome.FAILED)
    lock_chunks(run, chunk_ids=list(failed.order_by().values_list("chunk_id", flat=True).distinct()))
    accounts = list(failed)
    _let_wait(run, accounts)
    RunChunk.objects.filter(pk__in={account.chunk_id for account in accounts}).update(produced_at=None)
    return len(accounts)


@transaction.atomic
def hold_account(*, account_id: int, reason: str) -> RunAccount:
    """Keep an account off the run's invoices, for a reason in words; its draft is taken back, and everything waits.

    A worker that is at its chunk is waited for. Raises RunRefused without a reason; RunConflict where its invoice is
    posted, where it has nothing to bill, where it is held already for another reason, and where it has a draft while
    its customer waits in another run.
    """
    reason = reason.strip()
    if not reason:
        raise RunRefused("Say why the account is held: whoever decides on it later reads it.")
    account = locked_account(account_id)
    if account.held_for == HoldCause.PERSON and account.reason == reason:
        return account
    if account.outcome == AccountOutcome.HELD and account.held_for != HoldCause.UNUSUAL:
        raise RunConflict(f"{_in_run(account)} is held already: {account.reason}")
    if account.outcome == AccountOutcome.NOTHING_TO_BILL:
        raise RunConflict(f"{_in_run(account)} has nothing to bill: there is nothing to hold.")
    _require_not_posted(account, "held")
    if account.invoice_id is not None:
        take_back_draft(account)
    RunAccount.objects.filter(pk=account.pk).update(
        outcome=AccountOutcome.HELD, held_for=HoldCause.PERSON, reason=reason, record_count=0, exact_amount=0
    )
    return _reread(account)


@transaction.atomic
def release_account(*, account_id: int) -> RunAccount:
    """Let an account go on that a person held, or that is held as unusual.

    The unusual one is invoiced: its draft is as it was. The other one is produced by the rules of the run, now or,
    where its chunk still waits, with that. Raises RunConflict where it is not held, or for what only mending its data
    helps, and where its customer waits in another run.
    """
    account = locked_account(account_id)
    if account.outcome != AccountOutcome.HELD:
        raise RunConflict(
            f"{_in_run(account)} is not held: {AccountOutcome(account.outcome).label.lower()}. Only a held account can "
            "be released."
        )
    if account.held_for == HoldCause.UNUSUAL:
        # What it says of usage that waits for a price stays true.
        reason = account.reason.partition(END_OF_UNUSUAL)[2].strip()
        RunAccount.objects.filter(pk=account.pk).update(outcome=AccountOutcome.INVOICED, held_for="", reason=reason)
        return _reread(account)
    if account.held_for != HoldCause.PERSON:
        raise RunConflict(
            f"{_in_run(account)} is not held by a person: {account.reason} {MENDED_BY[HoldCause(account.held_for)]}."
        )
    _let_wait(account.run, [account])
    if account.chunk.produced_at is not None:
        produce_account_again(run=account.run, account_id=account.pk)
    return _reread(account)


@transaction.atomic
def split_off_account(*, account_id: int, at: datetime) -> BillingRun:
    """Move an account into a commenced run of its own, of the same dates, message, thresholds and snapshot; that run.

    What it was taken over with goes with it: its terms, its usage in the place that it had, its transactions; a draft
    is taken back first. Workers produce it as any; the caller wakes them up. The person who commenced the one run
    counts as who commenced the other. Raises RunConflict where its invoice is posted, where it has nothing to bill,
    where a person holds it, where it is the run's only account, and where its customer waits in a third run.
    """
    account = locked_account(account_id)
    if account.outcome == AccountOutcome.NOTHING_TO_BILL:
        raise RunConflict(f"{_in_run(account)} has nothing to bill: there is nothing to split off.")
    if account.held_for == HoldCause.PERSON:
        raise RunConflict(f"{_in_run(account)} is held: {account.reason} Release it first.")
    _require_not_posted(account, "split off")
    if not RunAccount.objects.filter(run=account.run).exclude(pk=account.pk).exists():
        raise RunConflict(f"{_in_run(account)} is the only account: the run is its own already.")
    if account.invoice_id is None:
        _let_wait(account.run, [account])
    else:
        take_back_draft(account)
    records = PendingUsage.objects.filter(
        customer_id=account.customer_id, billing_effective_date__lt=account.run.cutoff_date
    ).count()
    RunChunk.objects.filter(pk=account.chunk_id).update(
        account_count=Greatest(F("account_count") - 1, Value(0)),
        record_count=Greatest(F("record_count") - records, Value(0)),
    )
    split = _run_of_its_own(account, at)
    chunk = RunChunk.objects.create(run=split, number=1, account_count=1, record_count=records)
    RunAccount.objects.filter(pk=account.pk).update(run=split, chunk=chunk)
    return split


def _run_of_its_own(account: RunAccount, at: datetime) -> BillingRun:
    run = account.run
    customer = f": {account.customer.account_number}"
    return BillingRun.objects.create(
        name=f"{run.name[: NAME_LENGTH - len(customer)]}{customer}",
        status=RunStatus.COMMENCED,
        commenced_at=at,
        split_from=run,
        **{
            field: getattr(run, field)
            for field in (
                *("subrun", "invoice_message_id", "invoice_date", "cutoff_date", "transaction_cutoff_date", "due_date"),
                *("bill_unpriced", "unusual_percent", "unusual_amount", "confirmed_warnings"),
                # What it sees, and whom the transactions made of recurring charges belong to.
                *("snapshot", "commenced_in", "commenced_by_id"),
            )
        },
    )


def _let_wait(run: BillingRun, accounts: list[RunAccount]) -> None:
    """Let accounts without a draft wait to be produced. Raises RunConflict where a customer waits in another run."""
    try:
        with transaction.atomic():
            RunAccount.objects.filter(pk__in=[account.pk for account in accounts]).update(
                outcome=AccountOutcome.WAITING, held_for="", reason="", record_count=0, exact_amount=0
            )
    except IntegrityError as error:
        found = waits_elsewhere(accounts)
        who = "A customer" if found is None else f"Customer {found[1].customer.account_number}"
        where = "another run" if found is None else f"run {found[1].run_id} ({found[1].run.name})"
        raise RunConflict(
            f"{who} cannot be produced in run {run.pk} ({run.name}) while it waits in {where}. Wait until that is "
            "completed."
        ) from error


def _require_not_posted(account: RunAccount, verb: str) -> None:
    if account.invoice is not None and account.invoice.state == InvoiceState.POSTED:
        raise RunConflict(
            f"{_in_run(account)} has its invoice {account.invoice.number}, which is posted: it can no longer be "
            f"{verb}. Correct it with a credit note."
        )


def _in_run(account: RunAccount) -> str:
    return f"Customer {account.customer.account_number} in {account.run.status} run {account.run_id}"


def _reread(account: RunAccount) -> RunAccount:
    found = RunAccount.objects.select_related("customer", "currency", "invoice", "chunk").get(pk=account.pk)
    found.run = account.run
    return found
