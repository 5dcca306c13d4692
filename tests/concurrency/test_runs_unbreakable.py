"""Whatever happens to servers, messages and people in a run: one run, one invoice a customer, the same invoices.

All of it happens to real processes. Nobody lends a hand: beat alone goes on, and sends its messages.
"""

import inspect
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

import pytest
import redis
from celery import current_app
from django.utils import timezone
from kombu import Connection

from billing.choices import PreflightWarning
from billing.models import BillingRun, RunSchedule
from billing.operations.errors import RunConflict
from billing.operations.runs import approve_run, commence_run
from billing.tasks import produce_chunk, run_schedules, sweep_runs, wake_workers
from config.checkout import DATABASE_NAME, POSTGRES_PORT, POSTGRES_USER
from config.env import client_url
from customers.models import Customer
from tests.concurrency.conftest import Broker, UseBroker
from tests.concurrency.disturbed import (
    beat,
    copy_of_the_database,
    is_completed,
    make_company,
    must_be_whole,
    must_end_alike,
    on_database,
    produced_chunks,
    restart_at_once,
    result,
    server_of_its_own,
    wait_until,
)
from tests.concurrency.sessions import at_once
from tests.concurrency.worker import Worker
from tests.factories import RunScheduleFactory, UserFactory
from tests.runs import AT, new_run, outcome, produce, use
from usage.models import PendingUsage, UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)

SHORTEST_MINUTE = 60


@pytest.fixture(autouse=True)
def _small_chunks(settings: Any) -> None:
    settings.BILLING_CHUNK_RECORDS = 250


def commenced() -> BillingRun:
    return commence_run(run_id=new_run().pk, at=AT, without_preflight=True)


def finished(run: BillingRun) -> dict[str, Any]:
    """Approve what the workers made, and what it came to."""
    must_be_whole(run)
    return result(approve_run(run_id=run.pk, at=AT))


def undisturbed(run: BillingRun) -> dict[str, Any]:
    """Produce and approve a commenced run in this process, one chunk after the other."""
    return result(approve_run(run_id=produce(run).pk, at=AT))


def test_a_run_outlives_restarts_of_postgresql(broker: Broker, tmp_path: Path) -> None:
    # Of about 48 chunks, so many are produced when the server goes.
    restarted_at = (3, 15)
    make_company(customers=120, records=12_000)
    run = new_run()
    with server_of_its_own() as place:
        expected = undisturbed(commence_run(run_id=run.pk, at=AT, without_preflight=True))
        there = {"HOST": str(place.sockets), "PORT": str(POSTGRES_PORT), "USER": POSTGRES_USER, "PASSWORD": ""}
        with on_database(DATABASE_NAME, **there):
            run = commence_run(run_id=run.pk, at=AT, without_preflight=True)
            with Worker(database=DATABASE_NAME, broker=broker.url, log=tmp_path / "worker.log") as worker:
                for chunks in restarted_at:
                    wait_until(lambda at=chunks: produced_chunks() >= at, worker, broker.url, f"{chunks} chunks")  # type: ignore[misc]
                    restart_at_once(place)
                    assert not is_completed(), "the run was over before the server went"
                wait_until(is_completed, worker, broker.url, "the run's end")
                assert worker.longest_task() < SHORTEST_MINUTE
            must_end_alike(finished(run), expected, invoices=118)


def test_a_run_outlives_a_broker_that_is_flushed_and_then_gone_for_a_while(
    broker: Broker, broker_at: UseBroker, tmp_path: Path
) -> None:
    broker_at(broker.url)
    make_company(customers=120, records=12_000)
    run = commenced()
    with copy_of_the_database() as name:
        expected = undisturbed(run)
        with (
            on_database(name),
            Worker(database=name, broker=broker.url, log=tmp_path / "worker.log") as worker,
        ):
            wake_workers(run_id=run.pk)
            wait_until(lambda: produced_chunks() >= 5, worker, broker.url, "5 chunks")
            redis.from_url(client_url(broker.url)).flushall()
            wait_until(lambda: produced_chunks() >= 15, worker, broker.url, "15 chunks")
            broker.kill()
            for _ in range(3):
                beat(broker.url)
                sleep(1)
            assert not is_completed(), "the run was over before the broker went"
            broker.start()
            wait_until(is_completed, worker, broker.url, "the run's end")
            assert worker.longest_task() < SHORTEST_MINUTE
            must_end_alike(finished(run), expected, invoices=118)


def test_messages_that_are_delivered_twice_or_an_hour_late_change_nothing(
    broker: Broker, broker_at: UseBroker, tmp_path: Path
) -> None:
    broker_at(broker.url)
    make_company(customers=60, records=6_000)
    run = commenced()
    chunk_count = run.chunks.count()
    assert chunk_count > 20

    def deliver(times: int) -> None:
        """As if a message had no end: it is the worst that a late one can be."""
        for _ in range(times * chunk_count):
            produce_chunk.apply_async(kwargs={"run_id": run.pk})

    with copy_of_the_database() as name:
        expected = undisturbed(run)
        with (
            on_database(name),
            Worker(database=name, broker=broker.url, log=tmp_path / "worker.log") as worker,
        ):
            deliver(times=2)
            wait_until(is_completed, worker, broker.url, "the run's end")
            must_end_alike(finished(run), expected, invoices=59)
            # An hour late: the run is over, approved and posted.
            deliver(times=2)
            wait_until(lambda: worker.done(produce_chunk.name) >= 4 * chunk_count, worker, broker.url, "late messages")
            must_be_whole(run)
            must_end_alike(result(run), expected, invoices=59)


def test_commence_that_two_people_press_at_once_commences_one_run_once(
    broker: Broker, broker_at: UseBroker, tmp_path: Path
) -> None:
    broker_at(broker.url)
    make_company(customers=60, records=6_000)
    run, people = new_run(), [UserFactory(username=name).pk for name in ("amy", "zoe")]

    def press(user_id: int) -> BillingRun:
        pressed = commence_run(run_id=run.pk, at=AT, user_id=user_id, confirmed=PreflightWarning.values)
        wake_workers(run_id=run.pk)
        return pressed

    with copy_of_the_database() as name:
        expected = undisturbed(commence_run(run_id=run.pk, at=AT, without_preflight=True))
        with on_database(name):
            got = at_once([partial(press, user_id) for user_id in people])
            assert sorted(type(one).__name__ for one in got) == ["BillingRun", "RunConflict"], got
            (refused,) = (one for one in got if isinstance(one, RunConflict))
            assert str(refused) == f"Run {run.pk} is commenced: only a pending run can be commenced."
            run.refresh_from_db()
            assert run.commenced_by_id == people[isinstance(got[0], RunConflict)]
            with Worker(database=name, broker=broker.url, log=tmp_path / "worker.log") as worker:
                wait_until(is_completed, worker, broker.url, "the run's end")
            must_end_alike(finished(run), expected, invoices=59)


def test_beat_that_fires_every_minute_while_the_queue_is_blocked_makes_one_run(broker: Broker, tmp_path: Path) -> None:
    # The task reads the clock: since yesterday the run of a year is due.
    cutoff = timezone.now().date() - timedelta(days=1)
    make_company(customers=60, records=6_000)
    RunScheduleFactory(
        first_cutoff_date=cutoff, months=12, action="commence", confirmed_warnings=PreflightWarning.values
    )
    with copy_of_the_database() as name:
        by_hand = new_run(invoice_date=cutoff, cutoff_date=cutoff, due_date=cutoff + timedelta(days=30))
        expected = undisturbed(commence_run(run_id=by_hand.pk, at=AT, without_preflight=True))
        with on_database(name):
            for _ in range(30):
                # Nobody takes them: no worker is there. Without an end, they all come in at once then.
                beat(broker.url, run_schedules, sweep_runs)
            with Worker(database=name, broker=broker.url, log=tmp_path / "worker.log") as worker:
                wait_until(is_completed, worker, broker.url, "the run's end", run_schedules, sweep_runs)
                assert worker.longest_task() < SHORTEST_MINUTE
            run = BillingRun.objects.get()
            assert (run.schedule, run.scheduled_for) == (RunSchedule.objects.get(), cutoff)
            must_end_alike(finished(run), expected, invoices=59)


def test_a_customer_whose_data_makes_sql_fail_is_isolated_and_its_neighbours_are_billed(
    broker: Broker, tmp_path: Path
) -> None:
    make_company(customers=60, records=6_000)
    with copy_of_the_database() as name:
        expected = undisturbed(commenced())
        with on_database(name):
            # The last one, so that the numbers of the others are the same; it shares a chunk with some of them.
            faulty = Customer.objects.get(account_number="A0059")
            record = UsageDataRecord.objects.filter(customer=faulty).first()
            assert record is not None
            use(faulty, record.product, "9" * 20)
            run = commenced()
            with Worker(database=name, broker=broker.url, log=tmp_path / "worker.log") as worker:
                wait_until(is_completed, worker, broker.url, "the run's end")
            must_be_whole(run)
            assert outcome(run, faulty) == (
                "failed",
                "The database refused this customer's data: numeric field overflow",
            )
            assert PendingUsage.objects.filter(customer=faulty).count() == 101
            found = result(approve_run(run_id=run.pk, at=AT))
    neighbours = [row for row in found["accounts"] if row[0] != faulty.pk]
    assert neighbours == [row for row in expected["accounts"] if row[0] != faulty.pk]
    assert found["invoices"] == expected["invoices"][:-1]
    last_number = expected["invoices"][-1][0]
    assert found["lines"] == [line for line in expected["lines"] if line[0] != last_number]
    assert len(found["invoices"]) == 58


def test_no_task_is_given_more_than_ids_and_days() -> None:
    """What a worker has to hold is what its message says."""
    own = {name: task for name, task in current_app.tasks.items() if name.startswith("billing.")}
    assert own.keys() >= {"billing.produce_chunk", "billing.sweep_runs", "billing.run_schedules"}
    for task in own.values():
        parameters = inspect.signature(task.run).parameters.values()
        assert {parameter.annotation for parameter in parameters} <= {int, str}, task.name


def test_messages_hold_nothing_but_the_id_of_the_run(broker: Broker, broker_at: UseBroker) -> None:
    broker_at(broker.url)
    make_company(customers=10, records=1_000)
    run = commenced()
    wake_workers(run_id=run.pk)
    with Connection(broker.url) as connection, connection.SimpleQueue("celery") as queue:
        payloads = [queue.get(block=False).payload for _ in range(queue.qsize())]
    assert [(args, kwargs) for args, kwargs, _ in payloads] == [([], {"run_id": run.pk})] * run.chunks.count()
