"""Workers killed in the middle of a run: started again, they end in the same invoices as if nothing had happened."""

from pathlib import Path
from random import Random
from time import sleep
from typing import Any

import pytest

from billing.operations.runs import approve_run, commence_run
from tests.concurrency.conftest import StartBroker
from tests.concurrency.disturbed import (
    beat,
    copy_of_the_database,
    is_completed,
    make_company,
    must_be_whole,
    must_end_alike,
    on_database,
    produced_chunks,
    result,
    wait_until,
)
from tests.concurrency.sessions import sessions
from tests.concurrency.worker import Worker
from tests.runs import AT, new_run, produce

pytestmark = pytest.mark.django_db(transaction=True)

SEED = 5
# A chunk takes about so long.
CHUNK_SECONDS = 0.2
# Of about 80 chunks, so many are produced when a process of the worker is killed, and then all of it at once.
ONE_KILLED_AT, ALL_KILLED_AT = (4, 26), (14, 38)


def test_any_worker_killed_at_any_moment_twice_ends_in_the_same_invoices(
    settings: Any, start_broker: StartBroker, tmp_path: Path
) -> None:
    settings.BILLING_CHUNK_RECORDS = 250
    make_company(customers=200, records=20_000)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    chunk_count, broker, draw = run.chunks.count(), start_broker(), Random(SEED)
    in_a_chunk = []

    def reach(chunks: int, worker: Worker) -> None:
        """Until so many chunks are produced, and on to a moment within the next ones."""
        wait_until(lambda: produced_chunks() >= chunks, worker, broker, f"{chunks} chunks")
        sleep(draw.random() * CHUNK_SECONDS)
        in_a_chunk.append(sessions("backend_type = 'client backend' AND xact_start IS NOT NULL") > 0)

    with copy_of_the_database() as name:
        undisturbed = result(approve_run(run_id=produce(run).pk, at=AT))
        with on_database(name):
            for one_killed_at, all_killed_at in zip(ONE_KILLED_AT, ALL_KILLED_AT, strict=True):
                with Worker(database=name, broker=broker, log=tmp_path / "worker.log") as worker:
                    beat(broker)
                    reach(one_killed_at, worker)
                    worker.kill_one()
                    reach(all_killed_at, worker)
                    worker.kill()
                assert produced_chunks() < chunk_count, "the worker was done before it could be killed"
                assert not is_completed()
            with Worker(database=name, broker=broker, log=tmp_path / "worker.log") as worker:
                wait_until(is_completed, worker, broker, "the run's end")
                assert worker.longest_task() < 60
            must_be_whole(run)
            disturbed = result(approve_run(run_id=run.pk, at=AT))
    assert any(in_a_chunk), "nobody was killed within a chunk"
    must_end_alike(disturbed, undisturbed, invoices=198)
    # And the comparison was of something: 198 of 200 customers are billed, each record is charged once or waits.
    charged = sum(record_id is not None for record_id, *_ in disturbed["charges"])
    assert (charged, len(disturbed["pending"])) == (19_800, 200)
