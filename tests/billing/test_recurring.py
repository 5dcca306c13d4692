"""How runs make and forget the transactions of recurring charges: once, whatever else goes on, and for what is due."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction

from billing.models import BillingRun
from billing.operations.errors import RunRefused
from billing.operations.preview import preview_run
from billing.operations.recurring import forget_recurring, generate_recurring
from billing.operations.run_accounts import hold_account, release_account, split_off_account
from billing.operations.runs import commence_run
from billing.operations.undo import undo_run
from customers.models import Customer
from invoicing.models import Transaction
from tests.concurrency.sessions import at_once, meanwhile, transaction_open
from tests.factories import CustomerFactory, RecurringChargeFactory, TransactionFactory
from tests.runs import AT, FEBRUARY, account, bill, invoice, lines, new_run, outcome, post, produce

pytestmark = pytest.mark.django_db(transaction=True)


JANUARY_RUN, FEBRUARY_RUN = BillingRun(cutoff_date=date(2026, 2, 1)), BillingRun(cutoff_date=date(2026, 3, 1))


def generate(run: BillingRun) -> int:
    """As a run does that is commenced."""
    with transaction.atomic(), connection.cursor() as cursor:
        return generate_recurring(cursor, run=run)


def periods(customer: Customer) -> list[date]:
    found = Transaction.objects.filter(customer=customer, recurring_charge__isnull=False)
    return [day for day in found.order_by("period_start").values_list("period_start", flat=True) if day]


def test_what_a_run_has_made_it_sees_itself_and_the_next_run_makes_no_more_of_it() -> None:
    acme: Customer = RecurringChargeFactory().customer
    assert generate(JANUARY_RUN) == 1
    assert generate(JANUARY_RUN) == 0
    assert lines(invoice(bill(), acme)) == ["1 x 10 = 10 -> 10.00"]
    assert generate(FEBRUARY_RUN) == 1


def test_two_runs_at_once_make_each_period_once() -> None:
    acme = CustomerFactory()
    RecurringChargeFactory.create_batch(50, customer=acme, start_date=date(2025, 1, 1))
    runs = [JANUARY_RUN, JANUARY_RUN, FEBRUARY_RUN]
    counts = at_once([lambda run=run: generate(run) for run in runs])  # type: ignore[misc]
    # 13 months until January 2026, 14 until February.
    assert sum(count for count in counts if isinstance(count, int)) == 50 * 14, counts
    assert Transaction.objects.filter(customer=acme).count() == 50 * 14


def test_a_run_waits_for_what_another_is_making_and_bills_it_where_it_comes_about() -> None:
    acme: Customer = RecurringChargeFactory().customer
    run = new_run()
    with transaction_open() as other:
        assert generate_recurring(other, run=JANUARY_RUN) == 1
        with meanwhile(lambda: commence_run(run_id=run.pk, at=AT, without_preflight=True)) as commenced:
            assert not commenced.done()
            other.execute("COMMIT")
    assert lines(invoice(produce(run), acme)) == ["1 x 10 = 10 -> 10.00"]
    assert periods(acme) == [date(2026, 1, 1)]


def test_a_run_makes_it_itself_where_the_other_does_not_come_about() -> None:
    acme: Customer = RecurringChargeFactory().customer
    run = new_run()
    with transaction_open() as other:
        generate_recurring(other, run=JANUARY_RUN)
        with meanwhile(lambda: commence_run(run_id=run.pk, at=AT, without_preflight=True)):
            other.execute("ROLLBACK")
    assert lines(invoice(produce(run), acme)) == ["1 x 10 = 10 -> 10.00"]


def test_a_run_that_is_refused_keeps_nothing_of_it() -> None:
    acme: Customer = RecurringChargeFactory().customer
    commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with pytest.raises(RunRefused, match="still waits in run"):
        commence_run(run_id=new_run(**FEBRUARY).pk, at=AT, without_preflight=True)
    assert periods(acme) == [date(2026, 1, 1)]


def test_a_preview_keeps_nothing_and_says_what_the_run_then_comes_to() -> None:
    acme: Customer = RecurringChargeFactory().customer
    run = new_run()
    (shown,) = preview_run(run_id=run.pk, at=AT).accounts
    assert periods(acme) == []
    document = invoice(produce(commence_run(run_id=run.pk, at=AT, without_preflight=True)), acme)
    # 10.00 and 20 % tax.
    assert shown.total_amount == document.total_amount == Decimal("12.00")


def test_undone_a_run_forgets_what_it_made_and_nothing_else() -> None:
    acme: Customer = RecurringChargeFactory().customer
    kept = TransactionFactory(customer=acme)
    run = bill()
    undo_run(run_id=run.pk)
    assert list(Transaction.objects.all()) == [kept]
    # Commenced again it comes again: 25.00 + 10.00.
    assert invoice(produce(commence_run(run_id=run.pk, at=AT, without_preflight=True)), acme).net_amount == Decimal(
        "35.00"
    )


def test_what_another_run_has_billed_meanwhile_is_not_forgotten() -> None:
    acme: Customer = RecurringChargeFactory().customer
    acme.minimum_invoice_amount = Decimal(15)
    acme.save()
    run = bill()
    assert outcome(run, acme)[0] == "nothingToBill"
    # 10.00 of January and 10.00 of February.
    post(bill(**FEBRUARY))
    undo_run(run_id=run.pk)
    assert periods(acme) == [date(2026, 1, 1), date(2026, 2, 1)]


def test_a_period_that_a_later_one_follows_waits_when_its_run_is_undone() -> None:
    acme: Customer = RecurringChargeFactory().customer
    run, later = bill(), bill(**FEBRUARY)
    undo_run(run_id=run.pk)
    assert periods(acme) == [date(2026, 1, 1), date(2026, 2, 1)]
    undo_run(run_id=later.pk)
    assert periods(acme) == [date(2026, 1, 1)]
    assert (
        lines(invoice(produce(commence_run(run_id=later.pk, at=AT, without_preflight=True)), acme))
        == ["1 x 10 = 10 -> 10.00"] * 2
    )


def test_what_was_split_off_stays_when_the_run_that_it_came_from_is_undone() -> None:
    acme: Customer = RecurringChargeFactory().customer
    bell: Customer = RecurringChargeFactory().customer
    run = bill()
    split = split_off_account(account_id=account(run, bell).pk, at=AT)
    undo_run(run_id=run.pk)
    assert (periods(acme), periods(bell)) == ([], [date(2026, 1, 1)])
    undo_run(run_id=split.pk)
    assert periods(bell) == []


def test_what_was_not_split_off_stays_when_the_run_that_was_is_undone() -> None:
    acme: Customer = RecurringChargeFactory().customer
    bell: Customer = RecurringChargeFactory().customer
    run = bill()
    split = split_off_account(account_id=account(run, bell).pk, at=AT)
    # On no document, it waits for the decision of whoever holds the account.
    hold_account(account_id=account(run, acme).pk, reason="Disputed.")
    undo_run(run_id=split.pk)
    assert (periods(acme), periods(bell)) == ([date(2026, 1, 1)], [])
    release_account(account_id=account(run, acme).pk)
    assert lines(invoice(run, acme)) == ["1 x 10 = 10 -> 10.00"]


def test_forgetting_a_run_that_made_nothing_forgets_nothing() -> None:
    acme: Customer = RecurringChargeFactory().customer
    bill()
    idle = new_run(**FEBRUARY)
    with connection.cursor() as cursor:
        assert forget_recurring(cursor, run=idle) == 0
    assert periods(acme) == [date(2026, 1, 1)]


def test_it_costs_what_is_due_however_much_was_charged_before() -> None:
    RecurringChargeFactory.create_batch(20, start_date=date(1990, 1, 1), end_date=None)
    generate(JANUARY_RUN)
    # 36 years and January.
    assert Transaction.objects.count() == 20 * (36 * 12 + 1)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE transaction")
    with transaction.atomic(), connection.cursor() as cursor:
        before = rows_read()
        assert generate_recurring(cursor, run=FEBRUARY_RUN) == 20
        # The last one of each charge, and the rows that were written.
        assert rows_read() - before <= 20 * 3


def rows_read() -> int:
    """How many transactions this session has read so far, as a transaction sees it: by any kind of scan."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
            " WHERE relname = 'transaction'"
        )
        return int(cursor.fetchone()[0])


def test_what_another_run_has_still_to_produce_is_not_forgotten() -> None:
    acme: Customer = RecurringChargeFactory(months=3).customer
    acme.minimum_invoice_amount = Decimal(15)
    acme.save()
    TransactionFactory(customer=acme, unit_price=Decimal(20), transaction_date=date(2026, 2, 10))
    run = bill()
    assert outcome(run, acme)[0] == "nothingToBill"
    later = commence_run(run_id=new_run(**FEBRUARY).pk, at=AT, without_preflight=True)
    undo_run(run_id=run.pk)
    # The quarter from January on, which the run that is undone made, and what was used in February.
    assert lines(invoice(produce(later), acme)) == ["1 x 10 = 10 -> 10.00", "1 x 20 = 20 -> 20.00"]
