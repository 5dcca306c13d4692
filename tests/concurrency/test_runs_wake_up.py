"""Messages wake workers up and nothing else: lost ones cost time, a broker that is away costs nothing."""

import time
from typing import Any

import pytest
from kombu import Connection

from billing.models import BillingRun
from billing.operations.run_accounts import retry_failed
from billing.operations.runs import commence_run
from billing.tasks import SWEEP_SECONDS, WAIT_SECONDS, produce_chunk, sweep_runs, wake_workers
from tests.concurrency.conftest import StartBroker
from tests.factories import CustomerFactory
from tests.runs import AT, new_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def messages(broker_at: Any, request: pytest.FixtureRequest) -> Any:
    """A broker in memory; calling it gives the run and the life in seconds of each message sent since."""
    url = f"memory://{request.node.name}"
    broker_at(url)

    def received() -> list[tuple[int, bool]]:
        found = []
        with Connection(url) as connection, connection.SimpleQueue("celery") as queue:
            while queue.qsize():
                message = queue.get(block=False)
                found.append((message.payload[1]["run_id"], message.headers["expires"] is not None))
                message.ack()
        return found

    return received


@pytest.fixture
def run(settings: Any) -> BillingRun:
    """A commenced run of three chunks."""
    settings.BILLING_CHUNK_RECORDS = 1
    for _ in range(3):
        CustomerFactory()
    return commence_run(run_id=new_run().pk, at=AT, without_preflight=True)


def test_a_message_is_sent_for_each_chunk_that_waits(run: BillingRun, messages: Any) -> None:
    wake_workers(run_id=run.pk)
    assert messages() == [(run.pk, True)] * 3
    produce_chunk(run_id=run.pk)
    wake_workers(run_id=run.pk)
    assert messages() == [(run.pk, True)] * 2


def test_a_run_that_is_pending_or_over_sends_none(messages: Any) -> None:
    wake_workers(run_id=new_run().pk)
    wake_workers(run_id=0)
    assert messages() == []


def test_the_sweeper_wakes_workers_up_for_what_was_lost(run: BillingRun, messages: Any) -> None:
    wake_workers(run_id=run.pk)
    lost = messages()
    sweep_runs()
    found = messages()
    assert (len(lost), found) == (3, [(run.pk, True)] * 3)
    for run_id, _ in found:
        assert produce_chunk(run_id=run_id)
    run.refresh_from_db()
    assert run.status == "completed"
    sweep_runs()
    assert messages() == []


def test_the_sweeper_completes_a_run_whose_last_worker_died_before_it_could(run: BillingRun, messages: Any) -> None:
    run.chunks.update(produced_at=AT)
    sweep_runs()
    run.refresh_from_db()
    assert (run.status, messages()) == ("completed", [])


def test_the_sweeper_wakes_workers_up_for_what_is_tried_again_in_a_completed_run(
    run: BillingRun, messages: Any
) -> None:
    while produce_chunk(run_id=run.pk):
        pass
    run.accounts.filter(chunk__number=2).update(outcome="failed", reason="The database was full.")
    assert retry_failed(run_id=run.pk) == 1
    sweep_runs()
    assert messages() == [(run.pk, True)]
    run.refresh_from_db()
    assert run.status == "completed"


def test_the_sweepers_messages_live_no_longer_than_until_it_comes_round_again(settings: Any) -> None:
    (entry,) = (each for each in settings.CELERY_BEAT_SCHEDULE.values() if each["task"] == sweep_runs.name)
    assert entry["schedule"] == SWEEP_SECONDS < WAIT_SECONDS


@pytest.mark.parametrize("url", ["redis+socket:///nowhere/valkey.sock", "redis://127.0.0.1:1/0"])
def test_a_broker_that_is_away_is_no_error_and_nobody_waits_for_it(
    url: str, run: BillingRun, broker_at: Any, caplog: pytest.LogCaptureFixture
) -> None:
    broker_at(url)
    begun = time.monotonic()
    wake_workers(run_id=run.pk)
    sweep_runs()
    assert time.monotonic() - begun < 2
    assert [record.getMessage() for record in caplog.records] == [
        f"The broker is away; run {run.pk} is picked up when it is back."
    ] * 2


def test_a_broker_whose_memory_is_full_is_no_error(
    run: BillingRun, broker_at: Any, start_broker: StartBroker, caplog: pytest.LogCaptureFixture
) -> None:
    broker_at(start_broker("--maxmemory", "1"))
    wake_workers(run_id=run.pk)
    assert [record.getMessage() for record in caplog.records] == [
        f"The broker is away; run {run.pk} is picked up when it is back."
    ]
