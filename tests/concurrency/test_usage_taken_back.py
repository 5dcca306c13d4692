"""Usage is cancelled, adjusted and directed while it is billed and approved, and by several people at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db.models import Sum

from billing.models import BillingRun
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.production import produce_next_chunk
from billing.operations.runs import approve_run, commence_run
from catalog.models import Product
from customers.models import BilledUntil, Customer
from invoicing.models import Invoice, Transaction, UsageCharge
from tests.billing.taken import adjust, cancel, direct, reversals, state
from tests.concurrency.sessions import at_once, meanwhile, transaction_open
from tests.runs import AT, FEBRUARY, bill, customer_at, invoice, lines, new_run, outcome, pending, post, produce, use
from usage.models import PendingUsage, UsageDataRecord
from usage.operations.errors import RecordConflict

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[[UsageDataRecord], UsageDataRecord]
ACTS: dict[str, Act] = {
    "cancel": cancel,
    "adjust": lambda record: adjust(record, usage_amount=Decimal(8)),
    "not billed": lambda record: direct(record, "NOT_TO_BE_BILLED"),
    "credited": lambda record: direct(record, "TO_BE_CREDITED"),
}


@contextmanager
def held(lock: str) -> Iterator[Callable[[], object]]:
    """Another session has this lock until it is let go."""
    with transaction_open() as other:
        other.execute(lock)
        yield lambda: other.execute("COMMIT")


# What the operations write near their end, production too, and an approval.
END_OF_ACT = "LOCK TABLE usage_data_record_change IN EXCLUSIVE MODE"
END_OF_PRODUCTION = "SELECT FROM run_account FOR UPDATE"
END_OF_APPROVAL = "SELECT FROM number_series FOR UPDATE"


def acme_with(*quantities: int) -> tuple[Customer, Product, list[UsageDataRecord]]:
    """A customer at 1 USD a unit with so much usage."""
    acme, call = customer_at("1")
    return acme, call, [use(acme, call, quantity) for quantity in quantities]


def everything_is_in_one_place() -> None:
    """No record is pending and charged; none that does not stand is either, but for what is reversed."""
    billed = set(UsageCharge.objects.values_list("record_id", flat=True))
    assert not PendingUsage.objects.filter(record__in=billed).exists()
    gone = UsageDataRecord.objects.filter(life_cycle_state="CANCELLED")
    assert not PendingUsage.objects.filter(record__in=gone).exists()
    assert not UsageCharge.objects.filter(record__in=gone, reversal__isnull=True).exists()


@pytest.mark.parametrize(
    ("name", "waits"), [("cancel", False), ("adjust", True), ("not billed", False), ("credited", True)]
)
def test_what_is_done_while_its_chunk_is_produced_is_not_billed_as_it_was(name: str, waits: bool) -> None:  # noqa: FBT001
    acme, _, (_, record) = acme_with(5, 7)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with (
        held(END_OF_ACT) as let_go,
        meanwhile(lambda: ACTS[name](record)) as acting,
        # It has read the row of the inbox that is about to go, and waits to delete it.
        meanwhile(lambda: produce(run), waiting=2) as produced,
    ):
        assert (acting.done(), produced.done()) == (False, False)
        let_go()
    assert lines(invoice(run, acme)) == ["5 x 1 = 5 -> 5.00"]
    # What there is instead was written after the run was commenced.
    assert len(pending(acme)) == int(waits)
    everything_is_in_one_place()


@pytest.mark.parametrize(
    ("name", "billed"),
    [
        ("cancel", "5 x 1 = 5 -> 5.00"),
        ("adjust", "13 x 1 = 13 -> 13.00"),
        ("not billed", "5 x 1 = 5 -> 5.00"),
        ("credited", "-2 x 1 = -2 -> -2.00"),
    ],
)
def test_what_is_done_after_its_chunk_was_produced_waits_for_it_and_makes_the_draft_anew(
    name: str, billed: str
) -> None:
    acme, _, (_, record) = acme_with(5, 7)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with (
        held(END_OF_PRODUCTION) as let_go,
        meanwhile(lambda: produce(run)) as produced,
        meanwhile(lambda: ACTS[name](record), waiting=2) as acting,
    ):
        assert (acting.done(), produced.done()) == (False, False)
        let_go()
    assert lines(invoice(run, acme)) == [billed]
    assert pending(acme) == set()
    run.refresh_from_db()
    assert run.status == "completed"
    everything_is_in_one_place()


def test_what_is_cancelled_while_its_run_is_approved_is_taken_back_from_the_posted_invoice() -> None:
    acme, _, (_, record) = acme_with(5, 7)
    run = bill()
    with (
        held(END_OF_APPROVAL) as let_go,
        meanwhile(lambda: post(run)) as approved,
        meanwhile(lambda: cancel(record), waiting=2) as acting,
    ):
        assert (acting.done(), approved.done()) == (False, False)
        let_go()
    assert lines(invoice(run, acme)) == ["12 x 1 = 12 -> 12.00"]
    assert (state(record), len(reversals())) == ("CANCELLED", 1)
    everything_is_in_one_place()


def test_a_directive_that_comes_while_its_run_is_approved_is_refused() -> None:
    _, _, (_, record) = acme_with(5, 7)
    run = bill()
    with held(END_OF_APPROVAL) as let_go, meanwhile(lambda: post(run)):
        got = []

        def act() -> None:
            try:
                direct(record, "NOT_TO_BE_BILLED")
            except RecordConflict as error:
                got.append(str(error))

        with meanwhile(act, waiting=2):
            let_go()
    (sentence,) = got
    assert sentence.startswith(f"Record {record.number} is on posted invoice INV-000001, which does not change")


def test_an_approval_waits_for_a_draft_that_is_made_anew() -> None:
    acme, _, (_, record) = acme_with(5, 7)
    run = bill()
    with (
        held(END_OF_ACT) as let_go,
        meanwhile(lambda: cancel(record)) as acting,
        meanwhile(lambda: post(run), waiting=2) as approved,
    ):
        assert (acting.done(), approved.done()) == (False, False)
        let_go()
    assert lines(invoice(run, acme)) == ["5 x 1 = 5 -> 5.00"]
    assert (invoice(run, acme).number, reversals()) == ("INV-000001", [])
    everything_is_in_one_place()


@pytest.mark.parametrize("where", ["pending", "draft", "posted"])
def test_of_two_who_cancel_a_record_at_once_one_does(where: str) -> None:
    _, _, (_, record) = acme_with(5, 7)
    if where != "pending":
        run = bill()
        if where == "posted":
            post(run)
    got = at_once([lambda: cancel(record)] * 2)
    assert sorted(type(one).__name__ for one in got) == ["RecordConflict", "UsageDataRecord"], got
    assert len(reversals()) == int(where == "posted")
    everything_is_in_one_place()


@pytest.mark.parametrize("where", ["pending", "draft", "posted"])
def test_of_two_who_adjust_a_record_at_once_one_does(where: str) -> None:
    _, _, (_, record) = acme_with(5, 7)
    if where != "pending":
        run = bill()
        if where == "posted":
            post(run)
    got = at_once([lambda: adjust(record, usage_amount=Decimal(8)), lambda: adjust(record, usage_amount=Decimal(9))])
    assert sorted(type(one).__name__ for one in got) == ["RecordConflict", "UsageDataRecord"], got
    assert record.successors.count() == 1
    everything_is_in_one_place()


def test_those_who_cancel_different_records_of_one_draft_wait_for_each_other() -> None:
    acme, _, records = acme_with(1, 2, 4, 8, 16)
    run = bill()
    got = at_once([lambda record=record: cancel(record) for record in records[1:4]])  # type: ignore[misc]
    assert [type(one).__name__ for one in got] == ["UsageDataRecord"] * 3, got
    # 1 and 16 are left.
    assert lines(invoice(run, acme)) == ["17 x 1 = 17 -> 17.00"]
    assert Invoice.objects.count() == 1
    everything_is_in_one_place()


def test_drafts_of_one_customer_in_two_runs_are_made_anew_at_once() -> None:
    acme, call, (_, first) = acme_with(5, 7)
    use(acme, call, 50, on="2026-02-10")
    second = use(acme, call, 70, on="2026-02-10")
    runs = [bill(), bill(**FEBRUARY)]
    got = at_once([lambda: cancel(first), lambda: cancel(second)])
    # Each is the customer's only waiting account for a moment: the second waits for the first.
    assert [type(one).__name__ for one in got] == ["UsageDataRecord"] * 2, got
    assert [lines(invoice(run, acme)) for run in runs] == [["5 x 1 = 5 -> 5.00"], ["50 x 1 = 50 -> 50.00"]]
    assert str(BilledUntil.objects.get(customer=acme).day) == "2026-03-01"


def test_a_run_that_is_commenced_while_a_draft_is_made_anew_waits_for_it() -> None:
    acme, call, (_, record) = acme_with(5, 7)
    use(acme, call, 50, on="2026-02-10")
    january, february = bill(), new_run(**FEBRUARY)
    with (
        held(END_OF_ACT) as let_go,
        meanwhile(lambda: cancel(record)),
        meanwhile(lambda: commence_run(run_id=february.pk, at=AT, without_preflight=True), waiting=2) as commenced,
    ):
        assert not commenced.done()
        let_go()
    produce(february)
    assert [lines(invoice(run, acme)) for run in (january, february)] == [
        ["5 x 1 = 5 -> 5.00"],
        ["50 x 1 = 50 -> 50.00"],
    ]
    everything_is_in_one_place()


def test_an_older_draft_is_not_made_anew_while_a_run_produces_the_customer() -> None:
    acme, call, (_, record) = acme_with(5, 7)
    use(acme, call, 50, on="2026-02-10")
    january = bill()
    february = commence_run(run_id=new_run(**FEBRUARY).pk, at=AT, without_preflight=True)
    with (
        held(f"SELECT FROM run_account WHERE run_id = {february.pk} FOR UPDATE") as let_go,
        meanwhile(lambda: produce(february)),
    ):
        (got,) = at_once([lambda: cancel(record)])
        let_go()
    assert isinstance(got, RecordConflict), got
    assert "while the customer waits in run" in str(got)
    cancel(record)
    assert lines(invoice(january, acme)) == ["5 x 1 = 5 -> 5.00"]
    assert lines(invoice(february, acme)) == ["50 x 1 = 50 -> 50.00"]


def test_all_at_once_nothing_is_lost_and_nothing_twice() -> None:
    acme, _, records = acme_with(1, 2, 4, 8, 16, 32)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)

    def work_off() -> BillingRun:
        while produce_next_chunk(run_id=run.pk, at=AT):
            pass
        return approve_run(run_id=run.pk, at=AT)

    got = at_once(
        [
            work_off,
            lambda: cancel(records[0]),
            lambda: cancel(records[1]),
            lambda: adjust(records[2], usage_amount=Decimal(100)),
            lambda: direct(records[3], "NOT_TO_BE_BILLED"),
            lambda: direct(records[4], "TO_BE_CREDITED"),
        ]
    )
    refused = [one for one in got if isinstance(one, Exception)]
    assert all(isinstance(one, RecordConflict | RunConflict | RunRefused) for one in refused), got
    produce(run)
    run.refresh_from_db()
    if run.approved_at is None:
        approve_run(run_id=run.pk, at=AT)
    everything_is_in_one_place()
    # What stands by now, whichever of them came before the approval; billed by the run and the next one.
    bill(**FEBRUARY)
    standing = UsageDataRecord.objects.filter(life_cycle_state="POSTED").exclude(billing_directive="NOT_TO_BE_BILLED")
    worth = sum(
        -record.usage_amount if record.billing_directive == "TO_BE_CREDITED" else record.usage_amount
        for record in standing
    )
    charged = UsageCharge.objects.aggregate(total=Sum("amount"))["total"]
    taken_back = Transaction.objects.filter(kind="REVERSAL").aggregate(total=Sum("amount"))["total"] or 0
    assert charged + taken_back == worth
    assert pending(acme) == set()
    assert outcome(run, acme)[0] == "invoiced"
