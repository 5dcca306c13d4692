"""What the cockpit shows of a run: literal figures, and the same few queries however much there is."""

import os
import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.choices import AccountOutcome
from billing.models import BillingRun, RunAccount, RunChunk
from billing.operations.runs import commence_run
from billing.operations.workers import mark_produced, say_who_works
from billing.queries.cockpit import RunSpeed, cockpit, run_speed
from billing.queries.workers import workers_at
from tests.factories import BillingRunFactory, CustomerFactory, InvoiceFactory, RunAccountFactory, RunChunkFactory
from tests.runs import AT, bill, customer_at, new_run, use

pytestmark = pytest.mark.django_db

HELD = {"outcome": "held", "held_for": "unpriced"}
NONE_HELD = {"unpriced": 0, "tax": 0, "person": 0, "unusual": 0}


def at(clock: str) -> datetime:
    """A time of the day on which the run is produced."""
    return datetime.fromisoformat(f"2026-02-01T{clock}").replace(tzinfo=UTC)


@pytest.fixture
def run() -> BillingRun:
    made: BillingRun = BillingRunFactory(commenced=True)
    return made


def chunk(run: BillingRun, *, records: int, accounts: int, begun: str = "", seconds: int = 0) -> RunChunk:
    """A chunk of so many records and accounts; begun at a time of the day, it took so many seconds and is produced."""
    done = {"produced_at": at(begun), "duration_ms": seconds * 1000, "worker": "host:7"} if begun else {}
    made: RunChunk = RunChunkFactory(run=run, record_count=records, account_count=accounts, **done)
    return made


def test_outcomes_add_up_to_all_accounts(run: BillingRun) -> None:
    part = chunk(run, records=0, accounts=7)
    RunAccountFactory.create_batch(2, chunk=part)
    RunAccountFactory(chunk=part, outcome="invoiced", invoice=InvoiceFactory())
    RunAccountFactory(chunk=part, outcome="nothingToBill", reason="No usage.")
    RunAccountFactory.create_batch(2, chunk=part, reason="1 record has no rate.", **HELD)
    RunAccountFactory(
        chunk=part, outcome="held", held_for="unusual", reason="Ten times more.", invoice=InvoiceFactory()
    )
    RunAccountFactory()  # of another run
    seen = cockpit(run=run, at=AT)
    assert seen.account_counts == {"waiting": 2, "invoiced": 1, "nothingToBill": 1, "held": 3, "failed": 0}
    assert seen.account_count == 7 == RunAccount.objects.filter(run=run).count()
    assert seen.done_count == 5
    assert seen.held_counts == NONE_HELD | {"unpriced": 2, "unusual": 1}


def test_progress_counts_records_and_accounts(run: BillingRun) -> None:
    RunAccountFactory.create_batch(
        3, chunk=chunk(run, records=897, accounts=3, begun="09:00:00"), outcome="nothingToBill", reason="No usage."
    )
    RunAccountFactory.create_batch(2, chunk=chunk(run, records=300, accounts=2))
    # (897 records + 3 accounts) of (1,197 + 5) = 900 / 1,202 = 74.87 %
    assert cockpit(run=run, at=AT).percent == 74


def test_progress_of_nothing_is_none_and_of_a_completed_run_is_all(run: BillingRun) -> None:
    assert cockpit(run=run, at=AT).percent == 0
    assert cockpit(run=BillingRunFactory(completed=True), at=AT).percent == 100


def test_rate_is_that_of_the_last_minute(run: BillingRun) -> None:
    chunk(run, records=99_000, accounts=10, begun="09:00:00", seconds=30)  # finished at 09:00:30: too long ago
    chunk(run, records=29_990, accounts=10, begun="09:01:20", seconds=10)
    chunk(run, records=9_990, accounts=10, begun="09:01:30", seconds=20)
    chunk(run, records=49_900, accounts=100)
    assert run_speed(run_id=run.pk, at=at("09:02:00")) == RunSpeed(
        chunk_count=4,
        produced_chunk_count=3,
        record_count=188_880,
        produced_record_count=138_980,
        # 29,990 + 9,990 = 39,980 records since 09:01:20, when the first of them was begun: in 40 s.
        records_per_second=Decimal("999.5"),
        # 49,900 records and 100 accounts are left; 39,980 records and 20 accounts took 40 s: 1,000 a second.
        time_left=timedelta(seconds=50),
    )


def test_minute_is_no_longer_than_a_minute(run: BillingRun) -> None:
    # Begun three minutes ago, finished just now: 6,000 records in the last 60 s.
    chunk(run, records=6_000, accounts=0, begun="09:00:00", seconds=170)
    chunk(run, records=3_000, accounts=0)
    speed = run_speed(run_id=run.pk, at=at("09:03:00"))
    assert (speed.records_per_second, speed.time_left) == (Decimal("100.0"), timedelta(seconds=30))


def test_rate_is_unknown_while_nothing_was_finished_in_the_last_minute(run: BillingRun) -> None:
    chunk(run, records=6_000, accounts=5, begun="09:00:00", seconds=5)
    chunk(run, records=6_000, accounts=5)
    speed = run_speed(run_id=run.pk, at=at("09:05:00"))
    assert (speed.records_per_second, speed.time_left) == (None, None)
    assert run_speed(run_id=BillingRunFactory().pk, at=AT) == RunSpeed()


def test_reasons_that_differ_in_numbers_only_are_one_cause(run: BillingRun) -> None:
    part = chunk(run, records=0, accounts=4)
    first = RunAccountFactory(
        chunk=part, reason="3 records have no rate. The first: R17, product CALL, on 2026-01-15.", **HELD
    )
    RunAccountFactory(chunk=part, reason="12 records have no rate. The first: R9, product CALL, on 2026-01-02.", **HELD)
    RunAccountFactory(chunk=part, reason="3 records have no rate. The first: R5, product SMS, on 2026-01-02.", **HELD)
    RunAccountFactory(chunk=part, outcome="failed", reason="The database refused: value 1.5e30 overflows.")
    found = [(cause.outcome, cause.cause, cause.account_count) for cause in cockpit(run=run, at=AT).causes]
    assert found == [
        ("held", "… records have no rate. The first: R…, product CALL, on ….", 2),
        ("held", "… records have no rate. The first: R…, product SMS, on ….", 1),
        ("failed", "The database refused: value …e… overflows.", 1),
    ]
    cause = cockpit(run=run, at=AT).causes[0]
    assert (cause.first_account_id, cause.reason, cause.held_for) == (first.pk, first.reason, "unpriced")


def test_slowest_chunks_come_first_with_their_largest_accounts(run: BillingRun) -> None:
    quick = chunk(run, records=10, accounts=1, begun="09:00:00", seconds=1)
    slow = chunk(run, records=500, accounts=2, begun="09:00:00", seconds=9)
    chunk(run, records=900, accounts=1)
    gone = {"outcome": "nothingToBill", "reason": "Below the minimum."}
    small, large = (
        RunAccountFactory(chunk=slow, customer=CustomerFactory(name=name), record_count=records, **gone)
        for name, records in (("Small", 100), ("Large", 400))
    )
    RunAccountFactory(chunk=quick, record_count=10, **gone)
    seen = cockpit(run=run, at=AT)
    assert [(done.number, done.worker, done.duration_ms) for done in seen.slowest_chunks] == [
        (2, "host:7", 9_000),
        (1, "host:7", 1_000),
    ]
    assert [(found.customer_name, found.chunk_number, found.record_count) for found in seen.slowest_accounts][:2] == [
        ("Large", 2, 400),
        ("Small", 2, 100),
    ]
    assert [found.account_id for found in seen.slowest_accounts][:2] == [large.pk, small.pk]


def test_queries_are_as_many_however_much_there_is(run: BillingRun) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            cockpit(run=run, at=AT)
        return len(captured)

    def add(number: int) -> None:
        part = chunk(run, records=5, accounts=3, begun="09:00:00", seconds=number)
        RunAccountFactory(chunk=part)
        RunAccountFactory(chunk=part, outcome="failed", reason=f"{chr(64 + number)} is wrong.", record_count=number)
        RunAccountFactory(chunk=part, reason=f"{chr(64 + number)} has no rate.", **HELD)

    add(1)
    one = queries()
    for number in range(2, 25):
        add(number)
    assert queries() == one == 7
    seen = cockpit(run=run, at=AT)
    assert (len(seen.causes), seen.has_more_causes, seen.account_count) == (20, True, 72)


@pytest.mark.django_db(transaction=True)
def test_who_holds_a_chunk_is_seen_until_the_transaction_ends(run: BillingRun) -> None:
    # PostgreSQL shows each transaction the connections as they were when it first looked at them.
    first, second = (chunk(run, records=40, accounts=2) for _ in range(2))
    with transaction.atomic():
        began = say_who_works(second)
        seen = [
            (at_it.worker, at_it.chunk_number, at_it.record_count, at_it.is_waiting) for at_it in workers_at(run.pk)
        ]
        assert seen == [(f"{socket.gethostname()}:{os.getpid()}", 2, 40, False)]
        assert workers_at(BillingRunFactory(commenced=True).pk) == ()
        mark_produced(second, at=AT, began=began)
    assert workers_at(run.pk) == ()
    with transaction.atomic():
        say_who_works(first)
        transaction.set_rollback(True)
    assert workers_at(run.pk) == ()


@pytest.mark.django_db(transaction=True)
def test_produced_chunk_says_who_did_it_and_for_how_long() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 10)
    done = bill().chunks.get()
    assert (done.worker, done.produced_at) == (f"{socket.gethostname()}:{os.getpid()}", AT)
    assert done.duration_ms is not None
    assert 0 <= done.duration_ms < 60_000


@pytest.mark.django_db(transaction=True)
def test_cockpit_of_a_commenced_run_that_nobody_works_on() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 10)
    seen = cockpit(run=commence_run(run_id=new_run().pk, at=AT, without_preflight=True), at=AT)
    assert seen.account_counts[AccountOutcome.WAITING] == 1
    assert (seen.workers, seen.percent, seen.is_moving) == ((), 0, True)
    assert seen.speed == RunSpeed(chunk_count=1, record_count=1)
