"""The life of a billing run: created, changed, cancelled, commenced, completed, approved."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import DateTimeField, ExpressionWrapper, F, Max, Q, Value

from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingRun, RunAccount, RunChunk
from billing.models.runs import EARLIEST, LATEST
from billing.operations.approval import invoices_to_post, is_left_to_post, require_another_person
from billing.operations.commencing import confirmed_checks
from billing.operations.errors import CustomersWait, RunConflict, RunRefused
from billing.operations.proof import seal_run
from billing.operations.rating import forget_prices
from billing.operations.recurring import generate_recurring
from catalog.models.fields import CurrentTransactionId
from invoicing.operations.posting import PostingRefused, post_invoices
from reports.operations.production import await_reports

SQL = Path(__file__).parent / "sql"
LOCKED_ONCE_COMMENCED = {
    "invoice_date": "invoice date",
    "cutoff_date": "cutoff date",
    "transaction_cutoff_date": "transaction cutoff date",
    "due_date": "due date",
    "invoice_message_id": "invoice message",
}
# What decides what a run produces: locked with the dates.
LOCKED_TOO = {
    "subrun": "subrun",
    "bill_unpriced": "rule for unpriced usage",
    "unusual_percent": "percent that is unusual",
    "unusual_amount": "amount that is unusual",
}
# Where nothing is said, as the model has them.
UNUSUAL_PERCENT, UNUSUAL_AMOUNT = Decimal(50), Decimal(100)
# When a chunk was produced: begun at that moment, it took so long by its worker's stopwatch.
FINISHED_AT = ExpressionWrapper(
    F("produced_at") + F("duration_ms") * Value(timedelta(milliseconds=1)), output_field=DateTimeField()
)
CHANGEABLE = {"name": "name"} | LOCKED_ONCE_COMMENCED | LOCKED_TOO


def create_run(
    *,
    name: str,
    invoice_date: date,
    cutoff_date: date,
    due_date: date | None = None,
    transaction_cutoff_date: date | None = None,
    subrun: str = "",
    invoice_message_id: int | None = None,
    bill_unpriced: bool = False,
    unusual_percent: Decimal | None = UNUSUAL_PERCENT,
    unusual_amount: Decimal | None = UNUSUAL_AMOUNT,
    schedule_id: int | None = None,
    scheduled_for: date | None = None,
) -> BillingRun:
    """Create a pending run; a schedule's one for the period that ends on `scheduled_for`.

    Without a due date its invoices are due by their customers' payment terms.

    Raises RunRefused if it were due before its invoice date.
    """
    run = BillingRun(
        name=name,
        invoice_date=invoice_date,
        cutoff_date=cutoff_date,
        due_date=due_date,
        transaction_cutoff_date=transaction_cutoff_date,
        subrun=subrun,
        invoice_message_id=invoice_message_id,
        bill_unpriced=bill_unpriced,
        unusual_percent=unusual_percent,
        unusual_amount=unusual_amount,
        schedule_id=schedule_id,
        scheduled_for=scheduled_for,
    )
    _check_dates(run)
    run.save()
    return run


@transaction.atomic
def update_run(*, run_id: int, changes: Mapping[str, object]) -> BillingRun:
    """Change fields of a run, by model field name; dates and message only while it is pending.

    Raises RunConflict, with nothing changed, if a locked field would get another value; RunRefused for bad dates.
    """
    run = _locked(run_id)
    unknown = sorted(set(changes) - set(CHANGEABLE))
    if unknown:
        raise RunRefused(f"A run has no field {', '.join(unknown)} that can be changed.")
    changed = {field: value for field, value in changes.items() if getattr(run, field) != value}
    locked = [CHANGEABLE[field] for field in changed if field != "name"]
    if locked and run.status != RunStatus.PENDING:
        raise RunConflict(
            f"Run {run.pk} is {run.status}: its {', '.join(locked)} can be changed only while it is pending."
        )
    for field, value in changed.items():
        setattr(run, field, value)
    _check_dates(run)
    run.save(update_fields=list(changed))
    run.refresh_from_db()
    return run


@transaction.atomic
def cancel_run(*, run_id: int) -> BillingRun:
    """Cancel a pending run. Raises RunConflict in every other state."""
    run = _locked(run_id)
    _require(run, RunStatus.PENDING, "cancelled")
    run.status = RunStatus.CANCELLED
    run.save(update_fields=["status"])
    return run


@transaction.atomic
def commence_run(
    *,
    run_id: int,
    at: datetime,
    user_id: int | None = None,
    chunk_records: int | None = None,
    confirmed: Collection[str] = (),
    without_preflight: bool = False,
) -> BillingRun:
    """Freeze what goes into a pending run, and write its accounts and chunks; workers take it from there.

    The checks beforehand are made first: each warning has to be in `confirmed` by its code, and is kept with the run;
    `without_preflight` is for what keeps nothing or is no person's decision. A chunk has about `chunk_records` records,
    as the settings say if not given. The caller wakes the workers up afterwards (`billing.tasks.wake_workers`); the
    sweeper does if it does not.

    Raises RunConflict if the run is not pending, PreflightRefused by the checks, RunRefused if it has no customers,
    CustomersWait if one of them still waits in another run.
    """
    run = _locked(run_id)
    _require(run, RunStatus.PENDING, "commenced")
    if not without_preflight:
        run.confirmed_warnings = confirmed_checks(run, at=at, confirmed=confirmed)
    run.status, run.commenced_at, run.commenced_by_id = RunStatus.COMMENCED, at, user_id
    with connection.cursor() as cursor:
        generate_recurring(cursor, run=run)
        run.snapshot = current_snapshot(cursor)
        run.save(update_fields=["status", "commenced_at", "commenced_by", "snapshot", "confirmed_warnings"])
        BillingRun.objects.filter(pk=run.pk).update(commenced_in=CurrentTransactionId())
        try:
            with transaction.atomic():
                parameters = commence_parameters(run, chunk_records or settings.BILLING_CHUNK_RECORDS)
                cursor.execute((SQL / "commence.sql").read_text(), parameters)
        except IntegrityError as error:
            raise _waits_elsewhere(run) from error
    if not run.chunks.exists():
        raise RunRefused(f"Run {run.pk} has no customers: none is active, or none is on a cycle of its subrun.")
    return run


@transaction.atomic
def complete_run(*, run_id: int, at: datetime) -> bool:
    """Complete a commenced run that is not paused, and in which no chunk waits any more; whether it was done now.

    It counts as completed from when its last chunk was produced; from `at` on, when the caller began, if that is later.
    """
    waiting = RunChunk.objects.filter(run=run_id, produced_at__isnull=True)
    commenced = BillingRun.objects.filter(pk=run_id, status=RunStatus.COMMENCED, paused_at__isnull=True)
    if waiting.exists() or not commenced.exists():
        return False
    # Asked again under its lock: meanwhile it may have been undone, or something in it may wait again.
    if not commenced.select_for_update() or waiting.exists():
        return False
    finished_at = RunChunk.objects.filter(run=run_id).aggregate(at=Max(FINISHED_AT))["at"]
    commenced.update(status=RunStatus.COMPLETED, completed_at=max(at, finished_at or at))
    with connection.cursor() as cursor:
        forget_prices(cursor, run_id=run_id)
    return True


@transaction.atomic
def approve_run(
    *, run_id: int, at: datetime, user_id: int | None = None, account_ids: Sequence[int] | None = None
) -> BillingRun:
    """Post the invoices of a completed run, or of these of its accounts: they get their numbers and change no more.

    Numbers follow the account numbers. The run counts as approved once none of its accounts waits and nothing that is
    invoiced is left to post; what is released or tried again after that is posted by approving it once more. Raises
    RunConflict if the run is not completed, accounts of it wait again, or what was asked for was posted before;
    RunRefused, with nothing posted, if another person has to approve it (settings), an account has no invoice to post,
    or the number series cannot give the numbers.
    """
    run = _locked(run_id)
    _require(run, RunStatus.COMPLETED, "approved")
    invoice_ids = invoices_to_post(run, account_ids)
    require_another_person(run, user_id)
    try:
        post_invoices(invoice_ids=invoice_ids, at=at)
        await_reports(invoice_ids=invoice_ids)
    except PostingRefused as error:
        raise RunRefused(f"Run {run.pk} cannot be approved. {error}") from error
    if run.approved_at is None and not is_left_to_post(run):
        run.approved_at, run.approved_by_id = at, user_id
        run.save(update_fields=["approved_at", "approved_by"])
    seal_run(run)
    return run


def _locked(run_id: int) -> BillingRun:
    return BillingRun.objects.select_for_update().get(pk=run_id)


def current_snapshot(cursor: CursorWrapper) -> str:
    """What is committed now, and what this very transaction has written, as PostgreSQL's pg_snapshot.

    A snapshot need not say that its own transaction is seen: its number may lie above all that the snapshot knows of.
    It is put in, and the numbers in between, of which nothing was seen, count as running.
    """
    cursor.execute("SELECT pg_current_xact_id()::text, pg_current_snapshot()::text")
    own_text, snapshot = cursor.fetchone()
    oldest, next_text, running = snapshot.split(":")
    own, following = int(own_text), int(next_text)
    if own < following:
        return str(snapshot)
    unseen = [*running.split(","), *map(str, range(following, own))]
    return f"{oldest}:{own + 1}:{','.join(number for number in unseen if number)}"


def _require(run: BillingRun, status: RunStatus, verb: str) -> None:
    if run.status != status:
        raise RunConflict(f"Run {run.pk} is {run.status}: only a {status} run can be {verb}.")


def _check_dates(run: BillingRun) -> None:
    dates = (run.invoice_date, run.cutoff_date, run.due_date, run.transaction_cutoff_date)
    if any(day is not None and not EARLIEST <= day < LATEST for day in dates):
        raise RunRefused(f"The dates of a run lie between {EARLIEST} and {LATEST}.")
    if run.due_date is not None and run.due_date < run.invoice_date:
        raise RunRefused(f"The due date {run.due_date} is before the invoice date {run.invoice_date}.")


def commence_parameters(run: BillingRun, chunk_records: int) -> dict[str, Any]:
    """What sql/commence.sql is given: all customers of the run's subrun, who wait in it."""
    return {
        "run_id": run.pk,
        "cutoff_date": run.cutoff_date,
        "subrun": run.subrun,
        "snapshot": run.snapshot,
        "message": run.invoice_message.text if run.invoice_message else None,
        "chunk_records": chunk_records,
        "customer_id": None,
        "outcome": AccountOutcome.WAITING,
        "reason": "",
    }


def _waits_elsewhere(run: BillingRun) -> CustomersWait:
    """Which other run is in the way, in words: one that a customer of this run's subrun waits in."""
    of_subrun = Q(customer__billing__billing_cycle__subrun=run.subrun)
    if not run.subrun:
        of_subrun |= Q(customer__billing__billing_cycle__isnull=True)
    waiting = RunAccount.objects.filter(of_subrun, outcome=AccountOutcome.WAITING).exclude(run=run)
    other = waiting.select_related("run", "customer").order_by("run", "id").first()
    if other is None:
        return CustomersWait(f"Run {run.pk} could not be commenced: another one was at the same time. Try again.")
    return CustomersWait(
        f"Run {run.pk} cannot be commenced yet: customer {other.customer.account_number} still waits in run "
        f"{other.run_id} ({other.run.name}). Wait until that is completed.",
        in_run_id=other.run_id,
    )
