"""A run while it is produced and decided on: outcomes, how far and how fast it is, what is wrong, who works on what.

The same few queries, however many accounts, chunks, workers and reasons there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Count

from billing.choices import AccountOutcome, HoldCause, RunStatus
from billing.models import BillingRun, RunAccount, RunChunk
from billing.queries.runs import account_counts
from billing.queries.workers import WorkerAtWork, workers_at
from invoicing.choices import InvoiceState

SQL = Path(__file__).parent / "sql"
RATE_WINDOW = timedelta(minutes=1)
SHOWN_CAUSES = 20
# In a completed run failed accounts may be tried again.
PRODUCED_IN = (RunStatus.COMMENCED, RunStatus.COMPLETED)
SHOWN_SLOWEST = 5


@dataclass(frozen=True, slots=True)
class RunSpeed:
    """How much of a run's chunks is produced, and how fast: records a second over the last minute.

    `time_left` is what the rest takes at that speed, in seconds rounded up; an account counts as one record more, as
    when chunks are cut. Both are None while nothing was finished in the last minute.
    """

    chunk_count: int = 0
    produced_chunk_count: int = 0
    record_count: int = 0
    produced_record_count: int = 0
    records_per_second: Decimal | None = None
    time_left: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Accounts that are held or failed for one cause, in words; numbers in it are left out where they differ.

    `reason` is that of the first of them, in full.
    """

    outcome: str
    held_for: str
    cause: str
    reason: str
    account_count: int
    first_account_id: int


@dataclass(frozen=True, slots=True)
class SlowChunk:
    """A chunk that is produced, and how long that took whom."""

    chunk_id: int
    number: int
    worker: str
    duration_ms: int
    account_count: int
    record_count: int


@dataclass(frozen=True, slots=True)
class SlowAccount:
    """One of the accounts with most records in the slowest chunks. An account's own time is not measured."""

    account_id: int
    account_number: str
    customer_name: str
    chunk_number: int
    record_count: int


@dataclass(frozen=True, slots=True)
class Cockpit:
    """What there is to know of a run at a moment. Every outcome and cause of holding is there, with 0 if need be."""

    status: str
    paused_at: datetime | None
    account_counts: dict[str, int]
    held_counts: dict[str, int]
    posted_count: int
    speed: RunSpeed
    causes: tuple[Cause, ...]
    has_more_causes: bool
    workers: tuple[WorkerAtWork, ...]
    slowest_chunks: tuple[SlowChunk, ...]
    slowest_accounts: tuple[SlowAccount, ...]

    @property
    def account_count(self) -> int:
        """All accounts of the run: the sum of its outcomes."""
        return sum(self.account_counts.values())

    @property
    def done_count(self) -> int:
        """The accounts that wait no longer."""
        return self.account_count - self.account_counts[AccountOutcome.WAITING]

    @property
    def percent(self) -> int:
        """The part of the run that is produced, rounded down: of its records, each account counting as one more."""
        if self.status == RunStatus.COMPLETED and not self.account_counts[AccountOutcome.WAITING]:
            return 100
        whole = self.speed.record_count + self.account_count
        return (self.speed.produced_record_count + self.done_count) * 100 // whole if whole else 0

    @property
    def is_in_production(self) -> bool:
        """Whether workers have something to do for it: in a completed run, where failed accounts are tried again."""
        is_waiting = bool(self.account_counts[AccountOutcome.WAITING])
        return self.status == RunStatus.COMMENCED or (self.status == RunStatus.COMPLETED and is_waiting)

    @property
    def is_moving(self) -> bool:
        """Whether it changes by itself: it is produced, or was paused and what was begun is being finished."""
        return self.is_in_production and (self.paused_at is None or bool(self.workers))

    @property
    def draft_count(self) -> int:
        """The invoices that approving it would post."""
        return self.account_counts[AccountOutcome.INVOICED] - self.posted_count


def cockpit(*, run: BillingRun, at: datetime) -> Cockpit:
    """The run as it is now; `at` is now."""
    chunks = _slowest_chunks(run.pk)
    causes = _causes(run.pk)
    return Cockpit(
        status=run.status,
        paused_at=run.paused_at,
        account_counts=account_counts(run.pk),
        held_counts=_held_counts(run.pk),
        posted_count=_posted_count(run),
        speed=run_speed(run_id=run.pk, at=at),
        causes=causes[:SHOWN_CAUSES],
        has_more_causes=len(causes) > SHOWN_CAUSES,
        workers=workers_at(run.pk) if run.status in PRODUCED_IN else (),
        slowest_chunks=tuple(chunks),
        slowest_accounts=_slowest_accounts(chunks),
    )


def run_speed(*, run_id: int, at: datetime) -> RunSpeed:
    """How far a run is and how fast it goes, from its chunks. One query."""
    with connection.cursor() as cursor:
        parameters: dict[str, Any] = {"run_id": run_id, "at": at, "window": RATE_WINDOW}
        cursor.execute((SQL / "run_speed.sql").read_text(), parameters)
        chunks, produced_chunks, accounts, produced_accounts, records, produced, *recent = cursor.fetchone()
    recent_accounts, recent_records, recent_time = recent
    milliseconds = recent_time // timedelta(milliseconds=1) if recent_time is not None else 0
    speed = left = None
    if milliseconds > 0 and recent_records + recent_accounts > 0:
        speed = (Decimal(recent_records) * 1000 / milliseconds).quantize(Decimal("0.1"))
        rest = records - produced + accounts - produced_accounts
        left = timedelta(seconds=-(-rest * milliseconds // ((recent_records + recent_accounts) * 1000)))
    return RunSpeed(
        chunk_count=chunks,
        produced_chunk_count=produced_chunks,
        record_count=records,
        produced_record_count=produced,
        records_per_second=speed,
        time_left=left,
    )


def _held_counts(run_id: int) -> dict[str, int]:
    held = RunAccount.objects.filter(run_id=run_id, outcome=AccountOutcome.HELD).order_by()
    return dict.fromkeys(HoldCause.values, 0) | dict(held.values_list("held_for").annotate(Count("id")))


def _posted_count(run: BillingRun) -> int:
    """How many of the run's invoices are posted; none is while it is produced."""
    if run.status != RunStatus.COMPLETED:
        return 0
    return RunAccount.objects.filter(run=run, invoice__state=InvoiceState.POSTED).count()


def _causes(run_id: int) -> tuple[Cause, ...]:
    """One more than are shown, if there are more."""
    with connection.cursor() as cursor:
        cursor.execute((SQL / "causes.sql").read_text(), {"run_id": run_id, "limit": SHOWN_CAUSES + 1})
        return tuple(
            Cause(outcome, held_for, cause, reason, account_count, first_account_id)
            for outcome, held_for, cause, account_count, first_account_id, reason in cursor.fetchall()
        )


def _slowest_chunks(run_id: int) -> list[SlowChunk]:
    produced = RunChunk.objects.filter(run_id=run_id, produced_at__isnull=False, duration_ms__isnull=False)
    return [
        SlowChunk(
            chunk_id=chunk.pk,
            number=chunk.number,
            worker=chunk.worker,
            duration_ms=chunk.duration_ms or 0,
            account_count=chunk.account_count,
            record_count=chunk.record_count,
        )
        for chunk in produced.order_by("-duration_ms", "number")[:SHOWN_SLOWEST]
    ]


def _slowest_accounts(chunks: Sequence[SlowChunk]) -> tuple[SlowAccount, ...]:
    largest = RunAccount.objects.filter(chunk_id__in=[chunk.chunk_id for chunk in chunks], record_count__gt=0)
    return tuple(
        SlowAccount(*values)
        for values in largest.order_by("-record_count", "id").values_list(
            "id", "customer__account_number", "customer__name", "chunk__number", "record_count"
        )[:SHOWN_SLOWEST]
    )
