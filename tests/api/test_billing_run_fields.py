"""The members of a billing run, as the specification has them: each by its type and its rule, and what locks."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing.choices import AccountOutcome
from billing.models import BillingRun, RunAccount
from tests.api.billed import invoiced
from tests.api.caller import Caller, assert_error, parsed
from tests.factories.billing import (
    BillingCycleFactory,
    BillingRunFactory,
    InvoiceMessageFactory,
    RunAccountFactory,
    RunChunkFactory,
)

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/billingRuns"
NOON = datetime(2026, 2, 2, 12, 0, tzinfo=UTC)


def whole_run() -> BillingRun:
    """A completed run all of whose members have something to show."""
    run: BillingRun = BillingRunFactory(
        completed=True,
        name="January",
        subrun="B",
        invoice_message=InvoiceMessageFactory(name="Holidays"),
        transaction_cutoff_date="2026-01-31",
    )
    invoiced(run, "12.00")
    return run


# As the table has them, one a row: its name, what `whole_run` shows, and whether it may be written.
TABLE: list[tuple[str, Any, bool]] = [
    ("name", "January", True),
    ("status", "completed", False),
    ("subrun", "B", True),
    ("invoiceMessage", "Holidays", True),
    ("invoiceAmount", Decimal("12.00"), False),
    ("invoiceDate", "2026-02-01", True),
    ("cutoffDate", "2026-02-01", True),
    ("transactionCutoffDate", "2026-01-31", True),
    ("dueDate", "2026-03-03", True),
    ("commencedDate", "2026-02-01T09:00:00Z", False),
    ("completedDate", "2026-02-01T09:30:00Z", False),
    # Also.
    ("invoiceAmounts", [{"currency": "USD", "amount": Decimal("12.00")}], False),
    ("accountCounts", {"waiting": 0, "invoiced": 1, "nothingToBill": 0, "held": 0, "failed": 0}, False),
    ("progress", 1, False),
    ("paused", False, False),
    ("approvedDate", None, False),
    ("splitFromID", None, False),
]
WRITTEN = {
    "name": "Other",
    "subrun": "C",
    "invoiceMessage": "Easter",
    "invoiceDate": "2026-02-02",
    "cutoffDate": "2026-02-03",
    "transactionCutoffDate": "2026-01-30",
    "dueDate": "2026-04-01",
}


@pytest.mark.parametrize(("field", "value", "_is_written"), TABLE, ids=[name for name, *_ in TABLE])
def test_it_is_shown_as_the_table_says(staff: Caller, field: str, value: Any, _is_written: bool) -> None:  # noqa: FBT001
    run = whole_run()
    shown = staff.ask(f"{PATH}/{run.id}")
    assert (shown[field], type(shown[field])) == (value, type(value))


@pytest.mark.parametrize("field", ["createdDate", "updatedDate"])
def test_its_own_times_are_instants(staff: Caller, field: str) -> None:
    shown = staff.ask(f"{PATH}/{whole_run().id}")[field]
    assert shown.endswith("Z")
    assert datetime.fromisoformat(shown).tzinfo is not None


def test_the_id_is_a_text(staff: Caller) -> None:
    run = BillingRunFactory()
    assert staff.ask(f"{PATH}/{run.id}")["id"] == str(run.id)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("field", [name for name, _, is_written in TABLE if is_written])
def test_while_the_run_is_pending_it_is_changed(staff: Caller, method: str, field: str) -> None:
    BillingCycleFactory(subrun="C")
    InvoiceMessageFactory(name="Easter")
    run = BillingRunFactory()
    response = staff.send(method, f"{PATH}/{run.id}", {field: WRITTEN[field]})
    assert (response.status_code, parsed(response)[field]) == (200, WRITTEN[field])
    assert staff.ask(f"{PATH}/{run.id}") == parsed(response)


@pytest.mark.parametrize("field", ["id", *(name for name, _, is_written in TABLE if not is_written)])
def test_what_is_read_only_is_not_changed(staff: Caller, field: str) -> None:
    run = BillingRunFactory()
    before = staff.ask(f"{PATH}/{run.id}")
    given = {"status": "completed", "paused": True, "id": "7"}.get(field, "2026-01-01T00:00:00Z")
    response = staff.send("PATCH", f"{PATH}/{run.id}", {field: given})
    assert response.status_code == 200
    assert staff.ask(f"{PATH}/{run.id}")[field] == before[field]


def paused() -> BillingRun:
    run: BillingRun = BillingRunFactory(commenced=True, paused_at=NOON)
    return run


LOCKING: dict[str, Callable[[], BillingRun]] = {
    "commenced": lambda: BillingRunFactory(commenced=True),
    "paused": paused,
    "completed": lambda: BillingRunFactory(completed=True),
    "approved": lambda: BillingRunFactory(completed=True, approved_at=NOON),
    "cancelled": lambda: BillingRunFactory(status="cancelled"),
}


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    "field", ["invoiceDate", "cutoffDate", "transactionCutoffDate", "dueDate", "invoiceMessage", "subrun"]
)
@pytest.mark.parametrize("state", LOCKING)
def test_what_locks_is_a_409_and_nothing_is_changed(staff: Caller, state: str, field: str, method: str) -> None:
    BillingCycleFactory(subrun="C")
    InvoiceMessageFactory(name="Easter")
    run = LOCKING[state]()
    before, stored = staff.ask(f"{PATH}/{run.id}"), BillingRun.objects.values().get(pk=run.pk)
    response = staff.send(method, f"{PATH}/{run.id}", {"name": "After", field: WRITTEN[field]})
    assert_error(response, 409, "wrong_state")
    assert f"is {run.status}" in parsed(response)["detail"]
    assert staff.ask(f"{PATH}/{run.id}") == before
    assert BillingRun.objects.values().get(pk=run.pk) == stored


@pytest.mark.parametrize("field", ["unusualPercent", "unusualAmount"])
def test_thresholds_are_set_and_lock_too(staff: Caller, field: str) -> None:
    run = BillingRunFactory()
    assert parsed(staff.send("PATCH", f"{PATH}/{run.id}", {field: "12.5"}))[field] == Decimal("12.5")
    assert parsed(staff.send("PATCH", f"{PATH}/{run.id}", {field: None}))[field] is None
    response = staff.send("PATCH", f"{PATH}/{run.id}", {field: -1})
    assert_error(response, 400, "invalid", **{field: ["Ensure this value is greater than or equal to 0."]})
    commenced = BillingRunFactory(commenced=True)
    assert_error(staff.send("PATCH", f"{PATH}/{commenced.id}", {field: 7}), 409, "wrong_state")


def test_the_name_may_be_changed_at_any_time(staff: Caller) -> None:
    for made in LOCKING.values():
        run = made()
        assert parsed(staff.send("PATCH", f"{PATH}/{run.id}", {"name": "After"}))["name"] == "After"


def test_a_draft_that_is_held_is_no_amount_of_the_run(staff: Caller) -> None:
    run = BillingRunFactory(completed=True)
    invoiced(run, "12.00")
    account = invoiced(run, "500.00").run_account
    RunAccount.objects.filter(pk=account.pk).update(outcome="held", held_for="unusual", reason="Much more than usual.")
    shown = staff.ask(f"{PATH}/{run.id}")
    assert (shown["invoiceAmount"], shown["accountCounts"]["held"]) == (Decimal("12.00"), 1)


def test_progress_of_a_completed_run_in_which_accounts_are_tried_again_is_not_1(staff: Caller) -> None:
    run = BillingRunFactory(completed=True)
    invoiced(run, "12.00")
    RunAccountFactory(chunk=RunChunkFactory(run=run), outcome=AccountOutcome.WAITING)
    assert staff.ask(f"{PATH}/{run.id}")["progress"] == Decimal("0.5")
