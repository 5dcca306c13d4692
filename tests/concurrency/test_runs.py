"""Runs with several workers, clerks and imports at once: each customer is billed once, numbers have no gaps."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count

from billing.models import BillingRun, RunAccount
from billing.operations.errors import CustomersWait, RunConflict
from billing.operations.production import produce_next_chunk
from billing.operations.runs import approve_run, commence_run
from billing.tasks import produce_chunk
from customers.models import Customer
from invoicing.models import Invoice, NumberSeries, UsageCharge
from tests.concurrency.sessions import at_once, meanwhile, transaction_open
from tests.factories import BillingCycleFactory, CustomerBillingFactory, CustomerFactory, TransactionFactory
from tests.runs import AT, bill, customer_at, invoice, lines, new_run, outcome, pending, produce, rate_of, totals, use
from usage.models import PendingUsage

pytestmark = pytest.mark.django_db(transaction=True)


def company(count: int, subrun: str = "", prefix: str = "A") -> list[Customer]:
    """Customers who used 10 units at 1 USD each; every third is owed more than that."""
    first, call = customer_at("1", account_number=f"{prefix}00")
    card = rate_of(call).rate_card
    customers = [first]
    customers += [CustomerFactory(account_number=f"{prefix}{n:02}", rate_cards=[card]) for n in range(1, count)]
    cycle = BillingCycleFactory(subrun=subrun)
    for n, customer in enumerate(customers):
        CustomerBillingFactory(customer=customer, billing_cycle=cycle)
        use(customer, call, 10)
        if n % 3 == 2:
            use(customer, call, 30, billing_directive="TO_BE_CREDITED")
    return customers


def produce_all(run: BillingRun) -> int:
    """Work as a worker does; how many chunks it got."""
    count = 0
    while produce_next_chunk(run_id=run.pk, at=AT):
        count += 1
    return count


def documents() -> list[tuple[Any, ...]]:
    fields = ("customer__account_number", "kind", "net_amount", "number", "content_sha256")
    return list(Invoice.objects.order_by("customer__account_number", "id").values_list(*fields))


def test_each_chunk_is_produced_once_however_many_workers_there_are(settings: Any) -> None:
    settings.BILLING_CHUNK_RECORDS = 1
    customers = company(12)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    assert run.chunks.count() == 12
    counts = at_once([lambda: produce_all(run)] * 4)
    # A worker that finds all chunks in other hands goes home early; together they did each once.
    assert sum(count for count in counts if isinstance(count, int)) == 12, counts
    run.refresh_from_db()
    assert run.status == "completed"
    assert Invoice.objects.values("customer").annotate(n=Count("id")).filter(n=1).count() == len(customers)
    assert UsageCharge.objects.count() == 12 + 4
    assert not PendingUsage.objects.exists()


def test_messages_that_come_twice_or_late_do_nothing(settings: Any) -> None:
    settings.BILLING_CHUNK_RECORDS = 5
    company(6)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    got = at_once([lambda: [produce_chunk(run_id=run.pk) for _ in range(5)]] * 3)
    assert sum(answers.count(True) for answers in got if isinstance(answers, list)) == run.chunks.count(), got
    approve_run(run_id=run.pk, at=AT)
    before = documents()
    assert at_once([lambda: produce_chunk(run_id=run.pk)] * 3) == [False] * 3
    assert documents() == before
    assert len(before) == 6


def test_of_two_that_commence_a_run_at_once_one_wins() -> None:
    company(3)
    run = new_run()
    got = at_once([lambda: commence_run(run_id=run.pk, at=AT, without_preflight=True)] * 2)
    assert sorted(type(one).__name__ for one in got) == ["BillingRun", "RunConflict"]
    (refused,) = (one for one in got if isinstance(one, RunConflict))
    assert str(refused) == f"Run {run.pk} is commenced: only a pending run can be commenced."
    assert run.accounts.count() == 3


def test_of_two_runs_of_the_same_customers_commenced_at_once_one_wins() -> None:
    company(3)
    runs = [new_run(name="One"), new_run(name="Two")]
    got = at_once(
        [
            lambda: commence_run(run_id=runs[0].pk, at=AT, without_preflight=True),
            lambda: commence_run(run_id=runs[1].pk, at=AT, without_preflight=True),
        ]
    )
    assert sorted(type(one).__name__ for one in got) == ["BillingRun", "CustomersWait"], got
    (refused,) = (one for one in got if isinstance(one, CustomersWait))
    assert "customer A00 still waits in run" in str(refused)
    assert sorted(BillingRun.objects.values_list("status", flat=True)) == ["commenced", "pending"]
    assert RunAccount.objects.count() == 3


def test_of_two_that_approve_a_run_at_once_one_wins() -> None:
    company(6)
    run = bill()
    got = at_once([lambda: approve_run(run_id=run.pk, at=AT)] * 2)
    assert sorted(type(one).__name__ for one in got) == ["BillingRun", "RunConflict"]
    assert NumberSeries.objects.get(kind="INVOICE").next_number == 5


def test_runs_that_are_approved_at_once_get_numbers_without_gaps_or_repeats() -> None:
    runs = []
    for subrun in ("a", "b", "c"):
        company(6, subrun=subrun, prefix=subrun)
        runs.append(bill(subrun=subrun))
    got = at_once([lambda run=run: approve_run(run_id=run.pk, at=AT) for run in runs])  # type: ignore[misc]
    assert [type(one) for one in got] == [BillingRun] * 3, got
    for kind, count in (("INVOICE", 12), ("CREDIT_NOTE", 6)):
        numbers = Invoice.objects.filter(kind=kind).order_by("sequence_number")
        assert list(numbers.values_list("sequence_number", flat=True)) == list(range(1, count + 1))
        # A run's numbers stand together, in the order of account numbers.
        accounts = list(numbers.values_list("customer__account_number", flat=True))
        per_run = count // 3
        blocks = [accounts[start : start + per_run] for start in range(0, count, per_run)]
        assert all(block == sorted(block) and len({name[0] for name in block}) == 1 for block in blocks)


def test_an_approval_that_is_rolled_back_gives_its_numbers_to_the_one_that_waits() -> None:
    (first,), (second,) = company(1, subrun="a", prefix="a"), company(1, subrun="b", prefix="b")
    undone, done = bill(subrun="a"), bill(subrun="b")
    with transaction.atomic():
        approve_run(run_id=undone.pk, at=AT)
        assert invoice(undone, first).number == "INV-000001"
        with transaction_open() as other:
            other.execute("SET LOCAL lock_timeout = '100ms'")
            with pytest.raises(Exception, match="lock timeout"):
                other.execute("SELECT FROM number_series FOR UPDATE")
        transaction.set_rollback(True)
    approve_run(run_id=done.pk, at=AT)
    assert invoice(done, second).number == "INV-000001"
    undone.refresh_from_db()
    assert (undone.approved_at, invoice(undone, first).number) == (None, None)


def test_usage_taken_back_while_it_is_produced_is_not_billed() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    gone = use(acme, call, 7)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with transaction_open() as other:
        other.execute("DELETE FROM pending_usage WHERE record_id = %s", [gone.id])
        with meanwhile(lambda: produce_all(run)) as produced:
            assert not produced.done()
            other.execute("COMMIT")
    assert totals(invoice(run, acme)) == "5.00 + 1.00 = 6.00 USD"
    assert not UsageCharge.objects.filter(record=gone).exists()
    run.refresh_from_db()
    assert run.status == "completed"


def test_usage_that_is_not_taken_back_after_all_is_billed() -> None:
    acme, call = customer_at("1")
    record = use(acme, call, 7)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with transaction_open() as other:
        other.execute("DELETE FROM pending_usage WHERE record_id = %s", [record.id])
        with meanwhile(lambda: produce_all(run)):
            other.execute("ROLLBACK")
    assert totals(invoice(run, acme)) == "7.00 + 1.40 = 8.40 USD"
    assert pending(acme) == set()


def test_usage_put_off_while_it_is_produced_waits_for_its_month() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    later = use(acme, call, 7)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with transaction_open() as other:
        other.execute("UPDATE pending_usage SET billing_effective_date = '2026-02-15' WHERE record_id = %s", [later.id])
        with meanwhile(lambda: produce_all(run)):
            other.execute("COMMIT")
    assert totals(invoice(run, acme)) == "5.00 + 1.00 = 6.00 USD"
    assert pending(acme) == {later.id}


@pytest.mark.parametrize(
    ("change", "billed"),
    [
        ("DELETE FROM transaction", []),
        # Written after the run was commenced: for the next one.
        ("UPDATE transaction SET unit_price = 30", []),
        ("UPDATE transaction SET bill_date = '2026-02-01'", []),
    ],
)
def test_a_transaction_changed_while_it_is_produced_is_not_billed_as_it_was(change: str, billed: list[str]) -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    TransactionFactory(customer=acme, unit_price=Decimal(20), transaction_date=date(2026, 1, 10))
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with transaction_open() as other:
        other.execute(change)
        with meanwhile(lambda: produce_all(run)):
            other.execute("COMMIT")
    assert lines(invoice(run, acme)) == ["5 x 1 = 5 -> 5.00", *billed]


def test_an_import_during_the_run_is_for_the_next_one() -> None:
    customers = company(4)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    call = rate_of_all(customers)
    at_once([lambda: produce_all(run), lambda: [use(customer, call, 100) for customer in customers]])
    produce(run)
    assert {totals(invoice(run, customer)) for customer in customers} == {
        "10.00 + 2.00 = 12.00 USD",
        "-20.00 + -4.00 = -24.00 USD",
    }
    assert [len(pending(customer)) for customer in customers] == [1] * 4
    assert [outcome(bill(), customer)[0] for customer in customers[:1]] == ["invoiced"]


def rate_of_all(customers: list[Customer]) -> Any:
    """The product that the customers' one price list prices."""
    return customers[0].customer_rate_cards.get().rate_card.rates.get().product
