"""A paused run stands still until it goes on; what a worker is at, it finishes."""

from typing import Any

import pytest

from billing.models import BillingRun
from billing.operations.pausing import pause_run, resume_run
from billing.operations.production import produce_next_chunk
from billing.operations.runs import commence_run, complete_run
from billing.queries.runs import commenced_run_ids
from tests.concurrency.sessions import meanwhile, transaction_open
from tests.factories import CustomerFactory
from tests.runs import AT, customer_at, new_run, produce, rate_of, use

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(settings: Any) -> BillingRun:
    """A commenced run of two chunks with a customer each."""
    settings.BILLING_CHUNK_RECORDS = 1
    acme, call = customer_at("1", account_number="A")
    bell = CustomerFactory(account_number="B", rate_cards=[rate_of(call).rate_card])
    for customer in (acme, bell):
        use(customer, call, 5)
    commenced = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    assert commenced.chunks.count() == 2
    return commenced


def produced(run: BillingRun) -> int:
    return run.chunks.filter(produced_at__isnull=False).count()


def test_no_worker_takes_a_chunk_of_a_paused_run(run: BillingRun) -> None:
    assert produce_next_chunk(run_id=run.pk, at=AT) is True
    pause_run(run_id=run.pk, at=AT)
    assert produce_next_chunk(run_id=run.pk, at=AT) is False
    assert produced(run) == 1
    assert commenced_run_ids() == []
    resume_run(run_id=run.pk)
    assert commenced_run_ids() == [run.pk]
    assert produce(run).status == "completed"


def test_a_chunk_that_is_being_worked_on_is_finished_and_the_run_is_not_completed(run: BillingRun) -> None:
    assert produce_next_chunk(run_id=run.pk, at=AT) is True
    with transaction_open() as other:
        # What production writes near its end.
        other.execute("SELECT FROM run_account FOR UPDATE")
        with meanwhile(lambda: produce_next_chunk(run_id=run.pk, at=AT)) as worked:
            paused = pause_run(run_id=run.pk, at=AT)
            assert (worked.done(), paused.paused_at) == (False, AT)
            other.execute("COMMIT")
    assert produced(run) == 2
    run.refresh_from_db()
    assert (run.status, run.paused_at) == ("commenced", AT)
    resume_run(run_id=run.pk)
    # The sweeper's part.
    assert complete_run(run_id=run.pk, at=AT) is True


def test_what_time_it_was_paused_first_stays(run: BillingRun) -> None:
    pause_run(run_id=run.pk, at=AT)
    assert pause_run(run_id=run.pk, at=AT.replace(hour=20)).paused_at == AT
