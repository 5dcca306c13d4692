from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection

from billing.choices import AccountOutcome, HoldCause, RunStatus
from billing.models import BillingRun, RunAccount
from tests.factories import (
    BillingCycleFactory,
    BillingRunFactory,
    CustomerBillingFactory,
    CustomerFactory,
    InvoiceFactory,
    InvoiceMessageFactory,
    RunAccountFactory,
    RunChunkFactory,
    RunVerificationFactory,
    post,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
ALLOWED = {
    ("pending", "commenced"),
    ("commenced", "completed"),
    ("pending", "cancelled"),
    # Undone.
    ("commenced", "pending"),
    ("completed", "pending"),
}
# What each status has to come with, so that the order of statuses is what is refused and nothing else.
COLUMNS: dict[str, dict[str, Any]] = {
    "pending": {"commenced_at": None, "completed_at": None, "snapshot": ""},
    "cancelled": {"commenced_at": None, "completed_at": None, "snapshot": ""},
    "commenced": {"commenced_at": AT, "completed_at": None, "snapshot": "10:20:10,15"},
    "completed": {"commenced_at": AT, "completed_at": AT, "snapshot": "10:20:10,15"},
}


@pytest.mark.parametrize(
    ("constraint", "make"),
    [
        ("billing_cycle_months_range", lambda: BillingCycleFactory(months=0)),
        ("billing_cycle_months_range", lambda: BillingCycleFactory(months=13)),
        # A run of no known status has no time or snapshot that goes with it, so either constraint may speak first.
        ("billing_run_status_known|billing_run_commenced_has_its_snapshot", lambda: BillingRunFactory(status="paused")),
        ("billing_run_dates_in_range", lambda: BillingRunFactory(cutoff_date=date(1, 1, 1))),
        ("billing_run_dates_in_range", lambda: BillingRunFactory(due_date=date(9999, 12, 31))),
        ("billing_run_due_on_or_after_invoice_date", lambda: BillingRunFactory(due_date=date(2026, 1, 31))),
        ("billing_run_commenced_has_its_snapshot", lambda: BillingRunFactory(commenced=True, snapshot="")),
        ("billing_run_commenced_has_its_snapshot", lambda: BillingRunFactory(commenced=True, commenced_at=None)),
        ("billing_run_commenced_has_its_snapshot", lambda: BillingRunFactory(commenced_at=AT)),
        ("billing_run_completed_has_its_time", lambda: BillingRunFactory(completed=True, completed_at=None)),
        ("billing_run_completed_has_its_time", lambda: BillingRunFactory(commenced=True, completed_at=AT)),
        ("billing_run_completed_has_its_time", lambda: BillingRunFactory(commenced=True, approved_at=AT)),
        (
            "run_verification_finished_has_its_result",
            lambda: RunVerificationFactory(finished_at=None),
        ),
        (
            "run_verification_finished_has_its_result",
            lambda: RunVerificationFactory(identical_count=None),
        ),
        (
            "run_verification_finished_has_its_result",
            lambda: RunVerificationFactory(identical_count=3),
        ),
        (
            "run_verification_finished_has_its_result",
            lambda: RunVerificationFactory(invoice_count=None, identical_count=None),
        ),
        ("billing_run_paused_is_commenced", lambda: BillingRunFactory(paused_at=AT)),
        ("billing_run_thresholds_not_negative", lambda: BillingRunFactory(unusual_percent=-1)),
        ("billing_run_thresholds_not_negative", lambda: BillingRunFactory(unusual_amount=-1)),
        ("run_account_outcome_known", lambda: RunAccountFactory(outcome="lost", reason="who knows")),
        ("run_account_invoiced_has_its_invoice", lambda: RunAccountFactory(outcome=AccountOutcome.INVOICED)),
        ("run_account_invoiced_has_its_invoice", lambda: RunAccountFactory(invoice=InvoiceFactory())),
        ("run_account_outcome_has_its_reason", lambda: RunAccountFactory(outcome=AccountOutcome.HELD, held_for="tax")),
        ("run_account_held_has_its_cause", lambda: RunAccountFactory(outcome=AccountOutcome.HELD, reason="Later.")),
        ("run_account_held_has_its_cause", lambda: RunAccountFactory(held_for="tax")),
        (
            "run_account_invoiced_has_its_invoice",
            lambda: RunAccountFactory(outcome=AccountOutcome.HELD, reason="More than usual.", held_for="unusual"),
        ),
        ("run_account_outcome_has_its_reason", lambda: RunAccountFactory(outcome=AccountOutcome.FAILED)),
        ("run_account_outcome_has_its_reason", lambda: RunAccountFactory(outcome=AccountOutcome.NOTHING_TO_BILL)),
    ],
)
def test_the_database_refuses_impossible_values(constraint: str, make: Callable[[], object]) -> None:
    with refused(by=constraint):
        make()


@pytest.mark.parametrize(
    ("constraint", "make", "same"),
    [
        ("billing_cycle_name", BillingCycleFactory, ["name"]),
        ("invoice_message_name", InvoiceMessageFactory, ["name"]),
        ("customer_billing_customer", CustomerBillingFactory, ["customer"]),
        ("run_chunk_number_once", RunChunkFactory, ["run", "number"]),
    ],
)
def test_what_is_there_once(constraint: str, make: Callable[..., object], same: list[str]) -> None:
    first = make()
    with refused(by=constraint):
        make(**{name: getattr(first, name) for name in same})


@pytest.mark.parametrize("before", RunStatus.values)
@pytest.mark.parametrize("after", RunStatus.values)
def test_the_order_of_statuses(before: str, after: str) -> None:
    run = BillingRunFactory(status=before, **COLUMNS[before])
    change = BillingRun.objects.filter(id=run.id).update
    if before == after or (before, after) in ALLOWED:
        change(status=after, **COLUMNS[after])
    else:
        with refused(by=f'Invalid transition of field "status" from "{before}" to "{after}"'):
            change(status=after, **COLUMNS[after])


LOCKED = {
    "invoice_date": "2026-02-02",
    "cutoff_date": "2026-01-31",
    "transaction_cutoff_date": "2026-01-31",
    "due_date": "2026-03-31",
}


@pytest.mark.parametrize("status", ["commenced", "completed", "cancelled"])
@pytest.mark.parametrize(("column", "value"), LOCKED.items())
def test_dates_are_locked_once_the_run_is_no_longer_pending(status: str, column: str, value: str) -> None:
    pending, locked = BillingRunFactory(), BillingRunFactory(status=status, **COLUMNS[status])
    with connection.cursor() as cursor:
        with refused(by="Cannot update rows from billing_run"):
            cursor.execute(f"UPDATE billing_run SET {column} = %s WHERE id = %s", [value, locked.id])
        cursor.execute(f"UPDATE billing_run SET {column} = %s WHERE id = %s", [value, pending.id])


@pytest.mark.parametrize("status", ["commenced", "completed", "cancelled"])
def test_the_message_is_locked_once_the_run_is_no_longer_pending(status: str) -> None:
    pending, locked = BillingRunFactory(), BillingRunFactory(status=status, **COLUMNS[status])
    message = InvoiceMessageFactory()
    with refused(by="Cannot update rows from billing_run"):
        BillingRun.objects.filter(id=locked.id).update(invoice_message=message)
    BillingRun.objects.filter(id=pending.id).update(invoice_message=message)


def test_dates_may_not_change_in_the_statement_that_completes_either() -> None:
    run = BillingRunFactory()
    BillingRun.objects.filter(id=run.id).update(status="commenced", **COLUMNS["commenced"])
    with refused(by="Cannot update rows from billing_run"):
        BillingRun.objects.filter(id=run.id).update(status="completed", completed_at=AT, cutoff_date=date(2026, 1, 1))


def test_the_name_of_a_run_may_change_at_any_time() -> None:
    run = BillingRunFactory(completed=True)
    BillingRun.objects.filter(id=run.id).update(name="January, all customers")


@pytest.mark.parametrize("status", RunStatus.values)
def test_a_run_is_never_deleted(status: str) -> None:
    run = BillingRunFactory(status=status, **COLUMNS[status])
    with refused(by="Cannot delete rows from billing_run"):
        run.delete()
    with refused(by="Cannot delete rows from billing_run"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM billing_run")


def test_a_customer_is_in_a_run_once() -> None:
    account = RunAccountFactory()
    account.outcome, account.reason, account.held_for = AccountOutcome.HELD, "No tax rate.", HoldCause.TAX
    account.save()
    with refused(by="run_account_once_per_customer"):
        RunAccountFactory(chunk=account.chunk, customer=account.customer)


def test_a_customer_waits_in_one_run_at_a_time() -> None:
    account = RunAccountFactory()
    with refused(by="run_account_waits_in_one_run"):
        RunAccountFactory(customer=account.customer)
    RunAccount.objects.filter(id=account.id).update(outcome=AccountOutcome.NOTHING_TO_BILL, reason="No usage.")
    RunAccountFactory(customer=account.customer)


def test_an_invoice_is_one_accounts() -> None:
    customer = CustomerFactory()
    invoice = InvoiceFactory(customer=customer)
    RunAccountFactory(customer=customer, outcome=AccountOutcome.INVOICED, invoice=invoice)
    with refused(by="run_account_invoice"):
        RunAccountFactory(customer=customer, outcome=AccountOutcome.INVOICED, invoice=invoice)


def test_what_was_posted_keeps_its_account_and_its_approval() -> None:
    posted = post(InvoiceFactory())
    run = BillingRunFactory(completed=True, approved_at=AT)
    account = RunAccountFactory(run=run, customer=posted.customer, outcome=AccountOutcome.INVOICED, invoice=posted)
    for change in (
        "UPDATE run_account SET invoice_id = NULL, outcome = 'held', reason = 'why'",
        "DELETE FROM run_account",
    ):
        with refused(by=f"Invoice {posted.number} is posted"), connection.cursor() as cursor:
            cursor.execute(change)
    with refused(by="Cannot update rows"), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_run SET approved_at = NULL")
    account.refresh_from_db()
    assert account.invoice == posted
