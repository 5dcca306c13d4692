"""Production: a chunk of a run's accounts becomes draft invoices, in one transaction.

The chunk's row is the claim: a worker holds its lock until it commits, so a worker that dies gives it back, and what it
had done is undone. A customer whose data makes the database refuse is isolated by halving and fails alone.
"""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q

from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingRun, RunAccount, RunChunk
from billing.operations.errors import RunConflict
from billing.operations.lines import make_lines, write_credit_uses
from billing.operations.rating import (
    drop_rating_tables,
    forget_prices,
    own_prices,
    prepare_prices,
    rate_taken,
    use_sql,
)
from billing.operations.runs import complete_run
from billing.operations.workers import mark_produced, say_who_works
from invoicing.operations.parties import party_sql

SQL = Path(__file__).parent / "sql"
TAKING = ("accounts", "take")
BILLING = ("outcomes", "documents", "charges", "transactions", "settle", "unusual")
# They say how many rows were to be written and how many were: all the same, or the input moved.
COUNTED_STEPS = ("charges", "transactions")
TEMPORARY_TABLES = ("account", "taken", "tax_rate_at", "produced_line", "produced_account")
TRIES = 3
# Beginnings of SQLSTATEs of which the server is at fault, and no customer's data (`is_passing`).
PASSING = ("08", "40", "57P", "53100", "58030", "25006")
# Of which runs workers take chunks that wait.
OPEN = Q(run__status=RunStatus.COMMENCED, run__paused_at__isnull=True) | Q(run__status=RunStatus.COMPLETED)

logger = logging.getLogger(__name__)


class _InputMoved(Exception):
    """Usage or a transaction was taken back while it was being billed: start the chunk again."""


def produce_next_chunk(*, run_id: int, at: datetime) -> bool:
    """Produce a waiting chunk of a commenced run that no other worker has; whether there was one.

    Not while the run is paused. A completed run has one where failed accounts are tried again. Completes the run when
    no chunk waits any more. Safe to call at any time, any number of times, from anywhere.
    """
    lay_prices_out(run_id)
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                produced = _claim_and_produce(run_id, at, attempt)
        except _InputMoved:
            continue
        if not complete_run(run_id=run_id, at=at) and produced:
            _forget_prices_of_completed(run_id)
        return produced
    return False


@transaction.atomic
def lay_prices_out(run_id: int) -> None:
    """Lay the prices out for the days of the usage that the run takes, as a rule those that it is effective on.

    By itself, so that other workers do not wait until a chunk is produced too. A day more on either side is for senders
    whose days begin at other hours than the customers'; usage of other days has them laid out as well.
    """
    waiting = RunChunk.objects.filter(OPEN, run_id=run_id, produced_at__isnull=True)
    chunk = waiting.select_related("run").first()
    if chunk is None:
        return
    run = chunk.run
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM price_window WHERE run_id = %s", [run_id])
        if cursor.fetchone() is not None:
            return
        # Until they are laid out the run is not undone, and commenced anew with another snapshot.
        cursor.execute("SELECT FROM billing_run WHERE id = %s AND snapshot = %s FOR KEY SHARE", [run_id, run.snapshot])
        if cursor.fetchone() is None:
            return
        cursor.execute(
            "SELECT min(billing_effective_date) - 1, max(billing_effective_date) + 2 FROM pending_usage"
            " WHERE billing_effective_date < %s",
            [run.cutoff_date],
        )
        from_day, until_day = cursor.fetchone()
        if from_day is not None:
            prepare_session()
            prepare_prices(cursor, run=run, from_day=from_day, until_day=until_day)


def _claim_and_produce(run_id: int, at: datetime, attempt: int) -> bool:
    chunk = (
        RunChunk.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(OPEN, run_id=run_id, produced_at__isnull=True)
        .select_related("run")
        .order_by("number")
        .first()
    )
    if chunk is None:
        return False
    began = say_who_works(chunk)
    prepare_session()
    waiting = RunAccount.objects.filter(chunk=chunk, outcome=AccountOutcome.WAITING).order_by("id")
    account_ids = list(waiting.values_list("id", flat=True))
    # All of them may be held, or split off, by now.
    if account_ids:
        _produce_isolated(chunk.run, account_ids, attempt)
    mark_produced(chunk, at=at, began=began)
    return True


@transaction.atomic
def _forget_prices_of_completed(run_id: int) -> None:
    """Remove the prices of a completed run in which failed accounts were produced again, once none waits any more."""
    if BillingRun.objects.filter(pk=run_id, status=RunStatus.COMPLETED).select_for_update():
        _forget_prices_unless_awaited(run_id)


def _forget_prices_unless_awaited(run_id: int) -> None:
    """Remove the prices of a run whose lock is held, unless a worker needs them for a chunk."""
    if not RunChunk.objects.filter(run_id=run_id, produced_at__isnull=True).exists():
        with connection.cursor() as cursor:
            forget_prices(cursor, run_id=run_id)


def produce_account_again(*, run: BillingRun, account_id: int) -> None:
    """Produce one waiting account of a commenced or completed run, inside the caller's transaction.

    By the rules of the run: its snapshot, its terms; of prices, by the account's own snapshot where it has one. Raises
    RunConflict where its usage keeps moving.
    """
    prepare_session()
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                _produce_isolated(run, [account_id], attempt)
        except _InputMoved:
            continue
        if run.status == RunStatus.COMPLETED:
            _forget_prices_unless_awaited(run.pk)
        return
    raise RunConflict(f"The usage of the customer changes while run {run.pk} bills it again. Try again.")


def prepare_session() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)")
        # Of the temporary tables the planner need know roughly how many rows there are, and how many values.
        cursor.execute("SELECT set_config('default_statistics_target', '10', true)")
        # A worker that is killed in the middle of a statement gives its chunk back within a second.
        cursor.execute("SELECT set_config('client_connection_check_interval', '1s', true)")
        # Each trigger of django-pgtrigger asks whether it is to be ignored. Where that setting is not there, it catches
        # an error each time: PostgreSQL then goes through all constraints left for the commit, row by row.
        cursor.execute(
            "SELECT set_config('pgtrigger.ignore', coalesce(nullif(ignored, ''), '{}'), true)"
            " FROM current_setting('pgtrigger.ignore', true) ignored"
        )


def _produce_isolated(run: BillingRun, account_ids: Sequence[int], attempt: int) -> None:
    """Produce these accounts; if the database refuses, each half by itself, down to the one that is at fault."""
    try:
        with transaction.atomic():
            produce_accounts(run=run, account_ids=account_ids, attempt=attempt)
    except DatabaseError as error:
        if is_passing(error):
            raise
        if len(account_ids) > 1:
            half = len(account_ids) // 2
            _produce_isolated(run, account_ids[:half], attempt)
            _produce_isolated(run, account_ids[half:], attempt)
            return
        logger.warning("Account %s of run %s failed: %s", account_ids[0], run.pk, error)
        reason = f"The database refused this customer's data: {str(error).splitlines()[0]}"
        RunAccount.objects.filter(pk=account_ids[0]).update(outcome=AccountOutcome.FAILED, reason=reason)


def is_passing(error: DatabaseError | InterfaceError) -> bool:
    """Whether the server, not the data, is at fault: another try is worth it.

    Connection lost (class 08, or no answer at all), deadlock or serialization (40), the server shutting down (57P), its
    disk full (53100) or failing (58030), or a server that took over and does not write yet (25006). What is left of
    OperationalError, a limit that one customer's data exceeds for example, comes again each time.
    """
    state = getattr(error.__cause__, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return str(state).startswith(PASSING)


def produce_accounts(*, run: BillingRun, account_ids: Sequence[int], attempt: int = 0) -> None:
    """Take the pending usage of these accounts, rate it, and write charges, lines, taxes, drafts and outcomes.

    Runs inside the caller's transaction and leaves no temporary table behind. A handful of statements, however many
    records there are.
    """
    parameters = step_parameters(run=run, account_ids=account_ids, attempt=attempt)
    with connection.cursor() as cursor:
        take_and_rate(cursor, run=run, parameters=parameters)
        are_credits_used = make_lines(cursor, parameters)
        for step in BILLING:
            cursor.execute(step_sql(step), parameters)
            if step in COUNTED_STEPS and len(set(cursor.fetchone())) > 1:
                raise _InputMoved
        if are_credits_used:
            write_credit_uses(cursor)
        cursor.execute(f"DROP TABLE {', '.join(TEMPORARY_TABLES)}")
        drop_rating_tables(cursor)


def step_parameters(
    *, run: BillingRun, account_ids: Sequence[int], attempt: int = 0, since: date | None = None
) -> dict[str, Any]:
    """What the steps are given. `since`: usage that is effective before that day is left where it is."""
    return {
        "run_id": run.pk,
        "account_ids": list(account_ids),
        "snapshot": run.snapshot,
        "since": since,
        "cutoff_date": run.cutoff_date,
        "transaction_cutoff_date": run.transaction_cutoff_date,
        "transaction_ids": None,
        "invoice_date": run.invoice_date,
        "due_date": run.due_date,
        "bill_unpriced": run.bill_unpriced,
        "attempt": attempt,
    }


def take_and_rate(cursor: CursorWrapper, *, run: BillingRun, parameters: dict[str, Any]) -> None:
    """Look the pending usage of the accounts up and price it, in temporary tables. No row of the inbox is touched."""
    for step in TAKING:
        cursor.execute(step_sql(step), parameters)
    _rate(cursor, run, parameters["attempt"])


def _rate(cursor: CursorWrapper, run: BillingRun, attempt: int) -> None:
    """By the prices that the run saw; an account that was given later ones is produced by itself."""
    cursor.execute("SELECT price_snapshot, rate_card_ids FROM account WHERE price_snapshot <> ''")
    own = cursor.fetchone()
    if own is None:
        rate_taken(cursor, run=run, attempt=attempt)
        return
    prices = own_prices(cursor, snapshot=own[0])
    rate_taken(cursor, run=prices, attempt=attempt, card_ids=own[1])
    forget_prices(cursor, run_id=prices.pk)


def step_sql(step: str) -> str:
    """The statement of one step."""
    return (SQL / f"{step}.sql").read_text().replace("{use}", use_sql()).replace("{party}", party_sql())
