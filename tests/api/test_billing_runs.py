"""`billingRuns` of the backend API."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from billing.choices import AccountOutcome
from billing.models import BillingRun, RunAccount
from customers.models import Customer
from invoicing.models import Invoice
from tests.api.billed import invoiced
from tests.api.caller import Caller, assert_error, parsed
from tests.factories.billing import (
    BillingCycleFactory,
    BillingRunFactory,
    InvoiceMessageFactory,
    RunAccountFactory,
    RunChunkFactory,
)
from tests.factories.catalog import CurrencyFactory, ProductFactory, RateCardFactory, RateFactory
from tests.factories.customers import SubscriptionServiceFactory
from tests.factories.usage import UsageDataRecordFactory

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/billingRuns"
JANUARY = {"name": "January", "invoiceDate": "2026-02-01", "cutoffDate": "2026-02-02", "dueDate": "2026-03-03"}
LOCKED = {
    "invoiceDate": "2026-02-02",
    "cutoffDate": "2026-02-03",
    "transactionCutoffDate": "2026-01-31",
    "dueDate": "2026-04-01",
    "invoiceMessage": "Holidays",
}


def test_a_run_is_made_and_shown_with_every_member(staff: Caller) -> None:
    InvoiceMessageFactory(name="Holidays")
    BillingCycleFactory(subrun="B")
    body = JANUARY | {"subrun": "B", "invoiceMessage": "Holidays", "transactionCutoffDate": "2026-01-31"}
    response = staff.send("POST", PATH, body)
    run = BillingRun.objects.get()
    shown = parsed(response)

    assert response.status_code == 201
    assert shown == {
        "id": str(run.id),
        "name": "January",
        "status": "pending",
        "subrun": "B",
        "invoiceMessage": "Holidays",
        "invoiceDate": "2026-02-01",
        "cutoffDate": "2026-02-02",
        "transactionCutoffDate": "2026-01-31",
        "dueDate": "2026-03-03",
        "billUnpriced": False,
        "unusualPercent": 50,
        "unusualAmount": 100,
        "invoiceAmount": 0,
        "invoiceAmounts": [],
        "accountCounts": {"waiting": 0, "invoiced": 0, "nothingToBill": 0, "held": 0, "failed": 0},
        "progress": 0,
        "createdDate": run.created_at.isoformat().replace("+00:00", "Z"),
        "updatedDate": run.updated_at.isoformat().replace("+00:00", "Z"),
        "commencedDate": None,
        "completedDate": None,
        "approvedDate": None,
        "paused": False,
        "splitFromID": None,
        "proofRoot": "",
    }
    assert staff.ask(f"{PATH}/{run.id}") == shown
    assert staff.ask(PATH) == [shown]


def test_what_may_be_left_out_is_empty(staff: Caller) -> None:
    shown = parsed(staff.send("POST", PATH, JANUARY))
    assert (shown["subrun"], shown["invoiceMessage"], shown["transactionCutoffDate"]) == ("", None, None)


def test_figures_of_a_completed_run(staff: Caller) -> None:
    run = BillingRunFactory(completed=True)
    invoiced(run, "12.00")
    invoiced(run, "8.50")
    RunAccountFactory(
        chunk=RunChunkFactory(run=run), outcome=AccountOutcome.HELD, reason="No tax rate.", held_for="tax"
    )
    shown = staff.ask(f"{PATH}/{run.id}")

    assert shown["status"] == "completed"
    assert shown["invoiceAmount"] == Decimal("20.50")
    assert shown["invoiceAmounts"] == [{"currency": "USD", "amount": Decimal("20.50")}]
    assert shown["accountCounts"] == {"waiting": 0, "invoiced": 2, "nothingToBill": 0, "held": 1, "failed": 0}
    assert shown["progress"] == 1
    assert (shown["commencedDate"], shown["completedDate"]) == ("2026-02-01T09:00:00Z", "2026-02-01T09:30:00Z")
    assert '"invoiceAmount":20.50,' in staff.get(f"{PATH}/{run.id}").content.decode()


def test_progress_is_the_part_of_the_accounts_that_waits_no_longer(staff: Caller) -> None:
    run = BillingRunFactory(commenced=True)
    invoiced(run, "12.00")
    for _ in range(2):
        RunAccountFactory(chunk=RunChunkFactory(run=run))
    shown = staff.ask(f"{PATH}/{run.id}")
    assert (shown["status"], shown["progress"]) == ("commenced", Decimal("0.3333"))


def test_mixed_currencies_have_no_single_amount(staff: Caller) -> None:
    run = BillingRunFactory(completed=True)
    invoiced(run, "12.00")
    invoiced(run, "500", currency=CurrencyFactory(code="JPY"))
    shown = staff.ask(f"{PATH}/{run.id}")
    assert shown["invoiceAmount"] is None
    assert shown["invoiceAmounts"] == [
        {"currency": "JPY", "amount": 500},
        {"currency": "USD", "amount": Decimal("12.00")},
    ]


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"name": ""}, {"name": ["This field may not be blank."]}),
        ({"name": None}, {"name": ["This field may not be null."]}),
        ({"name": "a\x00b"}, {"name": ["Null characters are not allowed."]}),
        ({"name": "n" * 201}, {"name": ["Ensure this field has no more than 200 characters."]}),
        ({"name": ["x"]}, {"name": ["Not a valid string."]}),
        ({"dueDate": "2026-01-31"}, {"dueDate": ["Payment cannot be due before the invoice's date."]}),
        ({"invoiceMessage": "Nope"}, {"invoiceMessage": ["There is none named Nope."]}),
        ({"invoiceMessage": "\x00"}, {"invoiceMessage": ["It is not a name."]}),
        ({"invoiceMessage": "\ud800"}, {"invoiceMessage": ["It is not a name."]}),
        ({"invoiceMessage": {"name": 1}}, {"invoiceMessage": ["It is not a name."]}),
        ({"name": "\ud800"}, {"name": ["Surrogate characters are not allowed: U+D800."]}),
        ({"\ud800": 1}, {"\ud800": ["There is no such member."]}),
        ({"subrun": "Z"}, {"subrun": ["No billing cycle has the subrun “Z”. There are: A, B."]}),
        ({"cutofDate": "2026-02-01"}, {"cutofDate": ["There is no such member."]}),
        ({"billUnpriced": "maybe"}, {"billUnpriced": ["Must be a valid boolean."]}),
    ],
)
def test_a_bad_member_is_named(staff: Caller, change: dict[str, Any], errors: dict[str, list[str]]) -> None:
    for subrun in ("B", "A", "A", ""):
        BillingCycleFactory(subrun=subrun)
    assert_error(staff.send("POST", PATH, JANUARY | change), 400, "invalid", **errors)
    assert not BillingRun.objects.exists()


@pytest.mark.parametrize(
    "text", ["2026-02-30", "tomorrow", "2026-02-01T00:00:00Z", "", 20260201, 1.5, None, "10000-01-01", {}]
)
@pytest.mark.parametrize("field", ["invoiceDate", "cutoffDate"])
def test_a_date_that_does_not_exist_is_named(staff: Caller, field: str, text: Any) -> None:
    response = staff.send("POST", PATH, JANUARY | {field: text})
    assert_error(response, 400, "invalid")
    assert list(parsed(response)["errors"]) == [field]


@pytest.mark.parametrize("text", ["2026-02-30", "", 20260201, {}])
def test_a_due_date_that_does_not_exist_is_named(staff: Caller, text: Any) -> None:
    response = staff.send("POST", PATH, JANUARY | {"dueDate": text})
    assert_error(response, 400, "invalid")
    assert list(parsed(response)["errors"]) == ["dueDate"]


def test_a_run_without_a_due_date_leaves_it_to_the_customers_terms(staff: Caller) -> None:
    for body in (JANUARY | {"dueDate": None}, {name: value for name, value in JANUARY.items() if name != "dueDate"}):
        response = staff.send("POST", PATH, body)
        assert (response.status_code, parsed(response)["dueDate"]) == (201, None)


def test_what_is_missing_is_named(staff: Caller) -> None:
    response = staff.send("POST", PATH, {})
    assert_error(response, 400, "invalid")
    assert set(parsed(response)["errors"]) == {"name", "invoiceDate", "cutoffDate"}


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_pending_run_is_changed(staff: Caller, method: str) -> None:
    InvoiceMessageFactory(name="Holidays")
    run = BillingRunFactory()
    response = staff.send(method, f"{PATH}/{run.id}", LOCKED)
    assert response.status_code == 200
    assert {name: parsed(response)[name] for name in LOCKED} == LOCKED
    assert staff.ask(f"{PATH}/{run.id}") == parsed(response)
    assert parsed(response)["name"] == run.name

    response = staff.send(method, f"{PATH}/{run.id}", {"invoiceMessage": None, "transactionCutoffDate": None})
    assert (parsed(response)["invoiceMessage"], parsed(response)["transactionCutoffDate"]) == (None, None)


@pytest.mark.parametrize("field", LOCKED)
@pytest.mark.parametrize("state", ["commenced", "completed"])
def test_locked_members_are_a_409_and_nothing_is_changed(staff: Caller, state: str, field: str) -> None:
    InvoiceMessageFactory(name="Holidays")
    run = BillingRunFactory(name="Before", **{state: True})
    before = staff.ask(f"{PATH}/{run.id}")
    response = staff.send("PATCH", f"{PATH}/{run.id}", {"name": "After", field: LOCKED[field]})
    assert_error(response, 409, "wrong_state")
    assert state in parsed(response)["detail"]
    assert staff.ask(f"{PATH}/{run.id}") == before


def test_a_locked_date_that_a_pending_run_could_not_have_is_a_409_too(staff: Caller) -> None:
    run = BillingRunFactory(commenced=True)
    assert_error(staff.send("PATCH", f"{PATH}/{run.id}", {"invoiceDate": "2027-01-01"}), 409, "wrong_state")


def test_a_whole_run_is_sent_back_with_a_new_name(staff: Caller) -> None:
    run = BillingRunFactory(completed=True, subrun="of a cycle that is gone")
    body = staff.ask(f"{PATH}/{run.id}") | {"name": "New", "status": "pending", "invoiceAmount": 5, "progress": 0}
    body |= {"invoiceAmount": 5, "invoiceAmounts": [], "progress": 1, "unusualPercent": "50", "unusualAmount": "100"}
    response = staff.send("PUT", f"{PATH}/{run.id}", body)
    assert response.status_code == 200
    assert (parsed(response)["name"], parsed(response)["status"]) == ("New", "completed")


def test_dates_of_a_pending_run_stay_in_order(staff: Caller) -> None:
    run = BillingRunFactory()
    response = staff.send("PATCH", f"{PATH}/{run.id}", {"invoiceDate": "2027-01-01"})
    assert_error(response, 400, "invalid", dueDate=["Payment cannot be due before the invoice's date."])


def test_there_is_no_delete(staff: Caller) -> None:
    run = BillingRunFactory()
    response = staff.send("DELETE", f"{PATH}/{run.id}")
    assert_error(response, 405, "method_not_allowed")
    assert BillingRun.objects.count() == 1


def test_a_pending_run_is_cancelled(staff: Caller) -> None:
    run = BillingRunFactory()
    assert parsed(staff.send("POST", f"{PATH}/{run.id}/cancel"))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ("commenced", "commence"),
        ("completed", "commence"),
        ("completed", "cancel"),
        ("commenced", "approve"),
        ("pending", "approve"),
    ],
)
def test_a_wrong_state_is_a_409_that_names_it(staff: Caller, state: str, action: str) -> None:
    run = BillingRunFactory(**({} if state == "pending" else {state: True}))
    response = staff.send("POST", f"{PATH}/{run.id}/{action}")
    assert_error(response, 409, "wrong_state")
    assert f"is {state}" in parsed(response)["detail"]


@pytest.mark.parametrize("action", ["revert", "retry", "delete"])
def test_actions_that_there_are_not(staff: Caller, action: str) -> None:
    run = BillingRunFactory()
    assert_error(staff.send("POST", f"{PATH}/{run.id}/{action}"), 404, "not_found")


def test_actions_are_posted(staff: Caller) -> None:
    run = BillingRunFactory()
    assert_error(staff.get(f"{PATH}/{run.id}/commence"), 405, "method_not_allowed")


@pytest.fixture
def priced(customer: Customer) -> Customer:
    """A customer with one record of 60 at 0.01: 0.60, and 0.12 tax."""
    product = ProductFactory()
    card = RateCardFactory(name="Standard", is_default=True)
    RateFactory(rate_card=card, product=product)
    service = SubscriptionServiceFactory(customer=customer)
    UsageDataRecordFactory(subscription_service=service, product=product)
    return customer


def test_commencing_says_who_and_when(staff: Caller, priced: Customer) -> None:
    run = BillingRunFactory()
    shown = parsed(staff.send("POST", f"{PATH}/{run.id}/commence"))
    run.refresh_from_db()
    assert (shown["status"], shown["accountCounts"]["waiting"]) == ("commenced", 1)
    assert run.commenced_by == User.objects.get(username="clerk")
    assert shown["commencedDate"] == run.commenced_at.isoformat().replace("+00:00", "Z") if run.commenced_at else None


def test_a_run_of_nobody_is_refused(staff: Caller, db: None) -> None:
    run = BillingRunFactory()
    assert_error(staff.send("POST", f"{PATH}/{run.id}/commence"), 422, "refused")
    assert staff.ask(f"{PATH}/{run.id}")["status"] == "pending"


@pytest.mark.django_db(transaction=True)
def test_a_preview_shows_what_a_run_would_produce_and_keeps_nothing(staff: Caller, priced: Customer) -> None:
    run = BillingRunFactory()
    assert staff.ask(f"{PATH}/{run.id}/preview") == {
        "accounts": [
            {
                "customerID": str(priced.id),
                "accountNumber": "ACME-1",
                "customerName": "Acme",
                "outcome": "invoiced",
                "reason": "",
                "currency": "USD",
                "recordCount": 1,
                "exactAmount": Decimal("0.6"),
                "netAmount": Decimal("0.6"),
                "taxAmount": Decimal("0.12"),
                "totalAmount": Decimal("0.72"),
            }
        ]
    }
    assert not Invoice.objects.exists()
    assert not RunAccount.objects.exists()
    assert staff.ask(f"{PATH}/{run.id}")["status"] == "pending"


def test_a_preview_of_a_run_that_is_over_is_a_409(staff: Caller) -> None:
    run = BillingRunFactory(completed=True)
    assert_error(staff.get(f"{PATH}/{run.id}/preview"), 409, "wrong_state")


def test_accounts_have_their_outcome_and_reason(staff: Caller) -> None:
    run = BillingRunFactory(completed=True)
    invoice = invoiced(run, "12.00", account_number="ACME-1", name="Acme")
    held = RunAccountFactory(
        chunk=RunChunkFactory(run=run), outcome=AccountOutcome.HELD, reason="No tax rate.", held_for="tax"
    )
    RunAccountFactory()  # of another run
    first, second = staff.ask(f"{PATH}/{run.id}/accounts")

    assert first == {
        "id": str(invoice.run_account.id),
        "customerID": str(invoice.customer_id),
        "accountNumber": "ACME-1",
        "customerName": "Acme",
        "outcome": "invoiced",
        "reason": "",
        "heldFor": "",
        "recordCount": 3,
        "exactAmount": Decimal("9.123456789012345678"),
        "currency": "USD",
        "invoiceID": str(invoice.id),
        "invoiceAmount": Decimal("12.00"),
    }
    assert (second["id"], second["outcome"], second["reason"]) == (str(held.id), "held", "No tax rate.")
    assert second["heldFor"] == "tax"
    assert (second["invoiceID"], second["invoiceAmount"]) == (None, None)


def test_dates_are_dates(staff: Caller) -> None:
    run = BillingRunFactory(invoice_date=date(2026, 2, 1))
    assert staff.ask(f"{PATH}/{run.id}")["invoiceDate"] == "2026-02-01"
