"""Runs are paused, undone, split and approved by several people at once, and while workers produce."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from billing.models import BillingRun, RunAccount, RunChunk
from billing.operations.errors import RunConflict
from billing.operations.production import lay_prices_out, produce_next_chunk
from billing.operations.run_accounts import hold_account, release_account, retry_failed, split_off_account
from billing.operations.runs import approve_run, commence_run, complete_run
from billing.operations.undo import undo_run
from customers.models import Customer
from invoicing.models import Invoice, UsageCharge
from tests.billing.run_states import changed, contents
from tests.concurrency.sessions import at_once, meanwhile, transaction_open
from tests.factories import BillingCycleFactory, CustomerBillingFactory, CustomerFactory
from tests.runs import AT, account, bill, customer_at, invoice, new_run, outcome, produce, rate_of, totals, use
from usage.models import PendingUsage, UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)

# What production writes near its end, and undoing near its beginning.
END_OF_PRODUCTION = "SELECT FROM run_account FOR UPDATE"


@contextmanager
def held(lock: str) -> Iterator[Callable[[], object]]:
    """Another session has this lock until it is let go."""
    with transaction_open() as other:
        other.execute(lock)
        yield lambda: other.execute("COMMIT")


def company(count: int, subrun: str = "", prefix: str = "A") -> list[Customer]:
    """Customers who used 5 at 1 USD each."""
    first, call = customer_at("1", account_number=f"{prefix}00")
    card = rate_of(call).rate_card
    others = [CustomerFactory(account_number=f"{prefix}{n:02}", rate_cards=[card]) for n in range(1, count)]
    cycle = BillingCycleFactory(subrun=subrun)
    for customer in (first, *others):
        CustomerBillingFactory(customer=customer, billing_cycle=cycle)
        use(customer, call, 5)
    return [first, *others]


def commenced(settings: Any, count: int = 4) -> tuple[BillingRun, list[Customer]]:
    """A commenced run with a chunk for each customer."""
    settings.BILLING_CHUNK_RECORDS = 1
    customers = company(count)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    assert run.chunks.count() == count
    return run, customers


def work_off(run: BillingRun) -> None:
    while produce_next_chunk(run_id=run.pk, at=AT):
        pass


def kinds(results: list[Any]) -> list[str]:
    return sorted(type(one).__name__ for one in results)


def each_record_is_in_one_place() -> None:
    """Each record is pending or charged, once."""
    charged = list(UsageCharge.objects.values_list("record_id", flat=True))
    waiting = list(PendingUsage.objects.values_list("record_id", flat=True))
    assert sorted(charged + waiting) == sorted(UsageDataRecord.objects.values_list("id", flat=True))


def test_undone_while_workers_produce_it_leaves_nothing(settings: Any) -> None:
    settings.BILLING_CHUNK_RECORDS = 1
    company(8)
    run = new_run()
    before = contents()
    commence_run(run_id=run.pk, at=AT, without_preflight=True)
    got = at_once([lambda: work_off(run), lambda: work_off(run), lambda: undo_run(run_id=run.pk)])
    assert not [one for one in got if isinstance(one, Exception)], got
    assert changed(before, contents()) == {}


def test_undoing_waits_for_the_chunk_that_is_being_produced_and_no_other_one_begins(settings: Any) -> None:
    run, _ = commenced(settings)
    before = {"pending": set(PendingUsage.objects.values_list("record_id", "posted_in"))}
    with (
        held(END_OF_PRODUCTION) as let_go,
        meanwhile(lambda: produce_next_chunk(run_id=run.pk, at=AT)) as produced,
        meanwhile(lambda: undo_run(run_id=run.pk), waiting=2) as undone,
    ):
        assert (produced.done(), undone.done()) == (False, False)
        assert produce_next_chunk(run_id=run.pk, at=AT) is False
        let_go()
    assert (produced.result(), undone.result().status) == (True, "pending")
    assert set(PendingUsage.objects.values_list("record_id", "posted_in")) == before["pending"]
    assert not Invoice.objects.exists()


def test_undone_while_its_last_chunk_is_produced_it_is_not_completed_afterwards() -> None:
    company(1)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with (
        held(END_OF_PRODUCTION) as let_go,
        meanwhile(lambda: work_off(run)),
        meanwhile(lambda: undo_run(run_id=run.pk), waiting=2),
    ):
        let_go()
    run.refresh_from_db()
    assert (run.status, run.completed_at) == ("pending", None)
    # Commenced again it waits for its workers, whoever thinks that it was done.
    commence_run(run_id=run.pk, at=AT, without_preflight=True)
    assert complete_run(run_id=run.pk, at=AT) is False
    assert produce(run).status == "completed"


def test_prices_that_are_laid_out_while_a_run_is_undone_do_not_outlive_it() -> None:
    (acme,) = company(1)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with (
        held("LOCK TABLE price_window IN EXCLUSIVE MODE") as let_go,
        meanwhile(lambda: lay_prices_out(run.pk)) as laid_out,
        meanwhile(lambda: undo_run(run_id=run.pk), waiting=2) as undone,
    ):
        assert (laid_out.done(), undone.done()) == (False, False)
        let_go()
    found = contents()
    assert [found[table] for table in ("price_window", "price_list", "price_terms", "price_card")] == [[]] * 4
    assert totals(invoice(produce(commence_run(run_id=run.pk, at=AT, without_preflight=True)), acme)).startswith("5.00")


def test_of_two_who_undo_a_run_at_once_one_does() -> None:
    company(3)
    run = bill()
    got = at_once([lambda: undo_run(run_id=run.pk)] * 2)
    assert kinds(got) == ["BillingRun", "RunConflict"], got
    (refused,) = (one for one in got if isinstance(one, RunConflict))
    assert str(refused) == f"Run {run.pk} is pending: only a commenced or completed run can be undone."
    each_record_is_in_one_place()


def test_undone_and_approved_at_once_it_is_one_of_the_two() -> None:
    company(3)
    run = bill()
    got = at_once([lambda: undo_run(run_id=run.pk), lambda: approve_run(run_id=run.pk, at=AT)])
    assert kinds(got) == ["BillingRun", "RunConflict"], got
    run.refresh_from_db()
    posted = Invoice.objects.filter(state="POSTED").count()
    assert (run.status, posted) in (("pending", 0), ("completed", 3))
    each_record_is_in_one_place()


def test_undone_and_commenced_by_many_at_once_it_ends_in_one_invoice_each() -> None:
    company(3)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    again = [lambda: undo_run(run_id=run.pk), lambda: commence_run(run_id=run.pk, at=AT, without_preflight=True)]
    got = at_once([*again, *again, lambda: work_off(run), lambda: work_off(run)])
    assert all(isinstance(one, BillingRun | RunConflict | None) for one in got), got
    run.refresh_from_db()
    if run.status == "pending":
        commence_run(run_id=run.pk, at=AT, without_preflight=True)
    assert produce(run).status == "completed"
    assert (Invoice.objects.count(), RunAccount.objects.count()) == (3, 3)
    each_record_is_in_one_place()


def test_an_account_held_while_its_chunk_is_produced_is_held_afterwards(settings: Any) -> None:
    run, (first, *_) = commenced(settings)
    account_id = account(run, first).pk
    with (
        held(f"SELECT FROM run_account WHERE id = {account_id} FOR UPDATE") as let_go,
        meanwhile(lambda: produce_next_chunk(run_id=run.pk, at=AT)) as produced,
        meanwhile(lambda: hold_account(account_id=account_id, reason="Disputed."), waiting=2) as holding,
    ):
        assert (produced.done(), holding.done()) == (False, False)
        let_go()
    produce(run)
    assert outcome(run, first) == ("held", "Disputed.")
    assert (Invoice.objects.count(), PendingUsage.objects.get().customer) == (3, first)


def test_an_account_released_while_its_chunk_is_produced_is_produced_too(settings: Any) -> None:
    settings.BILLING_CHUNK_RECORDS = 100
    first, second = company(2)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    account_id = account(run, first).pk
    hold_account(account_id=account_id, reason="Disputed.")
    with (
        held(f"SELECT FROM run_account WHERE id = {account(run, second).pk} FOR UPDATE") as let_go,
        meanwhile(lambda: produce_next_chunk(run_id=run.pk, at=AT)),
        meanwhile(lambda: release_account(account_id=account_id), waiting=2) as released,
    ):
        assert not released.done()
        let_go()
    # The worker had not counted it in, and nobody would come back for it.
    assert [outcome(run, customer)[0] for customer in (first, second)] == ["invoiced", "invoiced"]
    assert produce(run).status == "completed"


def test_split_off_while_its_chunk_is_produced_it_is_billed_once_in_its_own_run(settings: Any) -> None:
    run, customers = commenced(settings)
    account_id = account(run, customers[0]).pk
    with (
        held(f"SELECT FROM run_account WHERE id = {account_id} FOR UPDATE") as let_go,
        meanwhile(lambda: produce_next_chunk(run_id=run.pk, at=AT)),
        meanwhile(lambda: split_off_account(account_id=account_id, at=AT), waiting=2) as splitting,
    ):
        let_go()
    split = splitting.result()
    assert [produce(one).status for one in (run, split)] == ["completed", "completed"]
    assert (split.accounts.get().customer, Invoice.objects.count()) == (customers[0], 4)
    each_record_is_in_one_place()


def test_of_two_who_split_an_account_off_at_once_one_does() -> None:
    first, *_ = company(3)
    run = bill()
    account_id = account(run, first).pk
    got = at_once([lambda: split_off_account(account_id=account_id, at=AT)] * 2)
    assert kinds(got) == ["BillingRun", "RunConflict"], got
    assert BillingRun.objects.count() == 2


def test_of_two_who_hold_and_release_an_account_at_once_none_is_lost() -> None:
    first, *_ = company(2)
    run = bill()
    account_id = account(run, first).pk
    got = at_once(
        [
            lambda: hold_account(account_id=account_id, reason="Disputed."),
            lambda: release_account(account_id=account_id),
        ]
        * 2
    )
    assert all(isinstance(one, RunAccount | RunConflict) for one in got), got
    assert outcome(run, first)[0] in {"held", "invoiced"}
    each_record_is_in_one_place()


def test_tried_again_by_two_people_and_two_workers_it_is_billed_once(settings: Any) -> None:
    run, customers = commenced(settings)
    produce(run)
    # As if the database had refused them all.
    for customer in customers:
        hold_account(account_id=account(run, customer).pk, reason="Disputed.")
    RunAccount.objects.update(outcome="failed", held_for="", reason="The database was full.")
    got = at_once([lambda: retry_failed(run_id=run.pk)] * 2)
    assert sorted(one for one in got if isinstance(one, int)) == [0, 4], got
    assert RunChunk.objects.filter(produced_at__isnull=True).count() == 4
    at_once([lambda: work_off(run)] * 2)
    assert {outcome(run, customer)[0] for customer in customers} == {"invoiced"}
    assert contents()["price_window"] == []
    each_record_is_in_one_place()


def test_two_runs_posted_in_parts_at_once_get_numbers_without_gaps() -> None:
    runs = []
    for subrun in ("a", "b"):
        company(6, subrun=subrun, prefix=subrun)
        runs.append(bill(subrun=subrun))
    parts = [
        (run.pk, list(run.accounts.order_by("pk").values_list("pk", flat=True)[start : start + 2]))
        for run in runs
        for start in (0, 2, 4)
    ]
    got = at_once(
        [lambda part=part: approve_run(run_id=part[0], at=AT, account_ids=part[1]) for part in parts]  # type: ignore[misc]
    )
    assert kinds(got) == ["BillingRun"] * 6, got
    numbers = Invoice.objects.order_by("sequence_number").values_list("sequence_number", flat=True)
    assert list(numbers) == list(range(1, 13))
    assert BillingRun.objects.filter(approved_at__isnull=False).count() == 2


def test_a_run_in_which_something_waits_again_meanwhile_is_not_completed() -> None:
    company(1)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    run.chunks.update(produced_at=AT, duration_ms=0)
    with (
        held(f"SELECT FROM billing_run WHERE id = {run.pk} FOR UPDATE") as let_go,
        meanwhile(lambda: complete_run(run_id=run.pk, at=AT)) as completing,
    ):
        assert not completing.done()
        # As somebody does who has its failed accounts tried again: the lock first, then the chunk.
        RunChunk.objects.update(produced_at=None)
        let_go()
    assert completing.result() is False
    run.refresh_from_db()
    assert run.status == "commenced"
    assert produce(run).status == "completed"


def test_prices_of_a_run_that_was_commenced_anew_are_not_laid_out_as_it_saw_them_before() -> None:
    company(1)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with (
        held("LOCK TABLE price_window IN ACCESS EXCLUSIVE MODE") as let_go,
        meanwhile(lambda: lay_prices_out(run.pk)) as laid_out,
    ):
        assert not laid_out.done()
        # It has read the run; that is undone, and commenced again with another snapshot.
        BillingRun.objects.filter(pk=run.pk).update(snapshot="900:900:")
        let_go()
    assert contents()["price_window"] == []
