"""What is done by API to a run after it was commenced, and to single accounts of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from billing.models import BillingRun, RunAccount
from billing.operations.runs import commence_run
from customers.choices import Scope
from customers.models import Customer
from customers.operations.api_keys import create_api_key
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import BillingRunFactory, CustomerFactory, RunAccountFactory, RunChunkFactory, UserFactory
from tests.runs import AT, account, bill, customer_at, invoice, new_run, pending, produce, rate_of, use

PATH = "/backend/api/v1/billingRuns"
NOON = datetime(2026, 2, 2, 12, 0, tzinfo=UTC)
RUN_ACTIONS = ("pause", "resume", "undo", "retryFailed", "approve")
ACCOUNT_ACTIONS = ("hold", "release", "splitOff")

pytestmark = pytest.mark.django_db


@pytest.fixture
def two() -> list[Customer]:
    """Two customers with 5 at 1 USD each."""
    acme, call = customer_at("1", account_number="A")
    bell = CustomerFactory(account_number="B", rate_cards=[rate_of(call).rate_card])
    for customer in (acme, bell):
        use(customer, call, 5)
    return [acme, bell]


def commenced() -> BillingRun:
    return commence_run(run_id=new_run().pk, at=AT, without_preflight=True)


def test_a_run_is_paused_and_goes_on(staff: Caller, two: list[Customer]) -> None:
    run = commenced()
    for _ in range(2):
        shown = parsed(staff.send("POST", f"{PATH}/{run.id}/pause"))
        assert (shown["status"], shown["paused"]) == ("commenced", True)
    assert produce(run).status == "commenced"
    for _ in range(2):
        shown = parsed(staff.send("POST", f"{PATH}/{run.id}/resume"))
        assert (shown["status"], shown["paused"]) == ("commenced", False)
    assert produce(run).status == "completed"


def test_a_run_is_undone(staff: Caller, two: list[Customer]) -> None:
    run = bill()
    shown = parsed(staff.send("POST", f"{PATH}/{run.id}/undo"))
    assert (shown["status"], shown["commencedDate"], shown["completedDate"]) == ("pending", None, None)
    assert set(shown["accountCounts"].values()) == {0}
    assert [len(pending(customer)) for customer in two] == [1, 1]


def test_failed_accounts_are_tried_again(staff: Caller, two: list[Customer]) -> None:
    run = bill()
    held = account(run, two[0])
    staff.send("POST", f"{PATH}/{run.id}/accounts/{held.id}/hold", {"reason": "Disputed."})
    RunAccount.objects.filter(pk=held.pk).update(outcome="failed", held_for="", reason="The database was full.")
    shown = parsed(staff.send("POST", f"{PATH}/{run.id}/retryFailed"))
    assert (shown["status"], shown["accountCounts"]["waiting"], shown["progress"]) == (
        "completed",
        1,
        Decimal("0.5"),
    )
    produce(run)
    assert staff.ask(f"{PATH}/{run.id}")["accountCounts"]["invoiced"] == 2


def test_a_selection_is_approved_and_then_the_rest(staff: Caller, two: list[Customer]) -> None:
    run = bill()
    path = f"{PATH}/{run.id}/approve"
    shown = parsed(staff.send("POST", path, {"accountIDs": [str(account(run, two[1]).id)]}))
    assert (shown["status"], shown["approvedDate"]) == ("completed", None)
    assert [invoice(run, customer).number for customer in two] == [None, "INV-000001"]
    shown = parsed(staff.send("POST", path))
    run.refresh_from_db()
    assert run.approved_at is not None
    assert shown["approvedDate"] == run.approved_at.isoformat().replace("+00:00", "Z")
    assert run.approved_by is not None
    assert run.approved_by.username == "clerk"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"accountIDs": []}, {"accountIDs": ["This list may not be empty."]}),
        ({"accountIDs": None}, {"accountIDs": ["This field may not be null."]}),
        ({"accountIDs": "7"}, {"accountIDs": ['Expected a list of items but got type "str".']}),
        ({"accounts": ["7"]}, {"accounts": ["There is no such member."]}),
        ([], None),
        (b"null", None),
    ],
)
def test_a_bad_selection_posts_nothing(staff: Caller, two: list[Customer], body: Any, errors: Any) -> None:
    run = bill()
    assert_error(staff.send("POST", f"{PATH}/{run.id}/approve", body), 400, "invalid", **(errors or {}))
    assert invoice(run, two[0]).number is None


def test_an_account_that_cannot_be_posted_is_a_422(staff: Caller, two: list[Customer]) -> None:
    run = bill()
    response = staff.send("POST", f"{PATH}/{run.id}/approve", {"accountIDs": [account(run, two[0]).id, 999_999]})
    assert_error(response, 422, "refused")
    assert parsed(response)["detail"] == f"Account 999999 is not one of run {run.id}: nothing was posted."


def test_who_commenced_does_not_approve_where_the_settings_say_so(
    staff: Caller, two: list[Customer], settings: Any
) -> None:
    settings.BILLING_APPROVAL_BY_ANOTHER = True
    run = new_run()
    codes = [check["code"] for check in staff.ask(f"{PATH}/{run.id}/preflight")["checks"] if check["verdict"] == "warn"]
    response = staff.send("POST", f"{PATH}/{run.id}/commence", {"confirmed": codes} if codes else None)
    assert response.status_code == 200, response.content
    produce(run)
    response = staff.send("POST", f"{PATH}/{run.id}/approve")
    assert_error(response, 422, "refused")
    assert "was commenced by clerk: another person has to approve it" in parsed(response)["detail"]
    other = Caller(create_api_key(scopes=list(Scope.values), user_id=UserFactory(is_superuser=True).id)[1])
    assert other.send("POST", f"{PATH}/{run.id}/approve").status_code == 200


def test_an_account_is_held_and_released(staff: Caller, two: list[Customer]) -> None:
    run = bill()
    found = account(run, two[0])
    path = f"{PATH}/{run.id}/accounts/{found.id}"
    shown = parsed(staff.send("POST", f"{path}/hold", {"reason": "Disputed."}))
    assert {name: shown[name] for name in ("id", "outcome", "heldFor", "reason", "invoiceID", "recordCount")} == {
        "id": str(found.id),
        "outcome": "held",
        "heldFor": "person",
        "reason": "Disputed.",
        "invoiceID": None,
        "recordCount": 0,
    }
    assert staff.ask(f"{PATH}/{run.id}/accounts")[0] == shown
    shown = parsed(staff.send("POST", f"{path}/release"))
    assert (shown["outcome"], shown["heldFor"], shown["reason"], shown["invoiceAmount"]) == ("invoiced", "", "", 6)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (None, {"reason": ["This field is required."]}),
        ({"reason": " "}, {"reason": ["This field may not be blank."]}),
        ({"reason": "x" * 1_001}, {"reason": ["Ensure this field has no more than 1000 characters."]}),
        ({"reason": "a\x00b"}, {"reason": ["Null characters are not allowed."]}),
        ({"reason": "Disputed.", "until": "2026"}, {"until": ["There is no such member."]}),
    ],
)
def test_a_bad_reason_is_named(staff: Caller, two: list[Customer], body: Any, errors: dict[str, list[str]]) -> None:
    run = bill()
    found = account(run, two[0])
    assert_error(staff.send("POST", f"{PATH}/{run.id}/accounts/{found.id}/hold", body), 400, "invalid", **errors)
    found.refresh_from_db()
    assert found.outcome == "invoiced"


def test_an_account_is_split_off(staff: Caller, two: list[Customer]) -> None:
    run = commenced()
    found = account(run, two[0])
    response = staff.send("POST", f"{PATH}/{run.id}/accounts/{found.id}/splitOff")
    shown = parsed(response)
    assert (response.status_code, shown["status"], shown["splitFromID"]) == (201, "commenced", str(run.id))
    assert (shown["name"], shown["cutoffDate"], shown["accountCounts"]["waiting"]) == ("Run: A", "2026-02-01", 1)
    assert staff.ask(f"{PATH}/{run.id}")["accountCounts"]["waiting"] == 1
    # It is no account of that run any more.
    assert_error(staff.send("POST", f"{PATH}/{run.id}/accounts/{found.id}/splitOff"), 404, "not_found")


STATES: dict[str, Callable[[], BillingRun]] = {
    "pending": BillingRunFactory,
    "commenced": lambda: BillingRunFactory(commenced=True),
    "completed": lambda: BillingRunFactory(completed=True),
    "cancelled": lambda: BillingRunFactory(status="cancelled"),
}
WRONG = [
    *((action, state) for action in ("pause", "resume") for state in ("pending", "completed", "cancelled")),
    *((action, state) for action in ("undo", "retryFailed") for state in ("pending", "cancelled")),
    *(("approve", state) for state in ("pending", "commenced", "cancelled")),
]


@pytest.mark.parametrize(("action", "state"), WRONG)
def test_a_wrong_state_is_a_409_that_names_it(staff: Caller, action: str, state: str) -> None:
    run = STATES[state]()
    response = staff.send("POST", f"{PATH}/{run.id}/{action}")
    assert_error(response, 409, "wrong_state")
    assert f"is {state}: only" in parsed(response)["detail"]


def test_what_is_approved_is_not_undone(staff: Caller) -> None:
    run = BillingRunFactory(completed=True, approved_at=NOON)
    response = staff.send("POST", f"{PATH}/{run.id}/undo")
    assert_error(response, 409, "wrong_state")
    assert "was approved on 2026-02-02 at 12:00 UTC" in parsed(response)["detail"]


def test_an_account_of_another_run_is_not_found(staff: Caller) -> None:
    run, other = BillingRunFactory(completed=True), RunAccountFactory(chunk=RunChunkFactory())
    for action in ACCOUNT_ACTIONS:
        for text in (str(other.id), "999999", "x", "9" * 30):
            response = staff.send("POST", f"{PATH}/{run.id}/accounts/{text}/{action}", {"reason": "Disputed."})
            assert_error(response, 404, "not_found")


@pytest.mark.parametrize("action", [*RUN_ACTIONS, *(f"accounts/7/{name}" for name in ACCOUNT_ACTIONS)])
def test_actions_are_posted_by_staff_that_may_change_runs_with_a_key_for_it(action: str, customer: Customer) -> None:
    run = BillingRunFactory(commenced=True)
    path = f"{PATH}/{run.id}/{action}"
    viewer = UserFactory(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_billingrun"))
    clerk = UserFactory(is_superuser=True)
    keys = {
        "no key": None,
        "who may only look": create_api_key(scopes=list(Scope.values), user_id=viewer.id)[1],
        "without the scope": create_api_key(scopes=[Scope.READ, Scope.WRITE], user_id=clerk.id)[1],
        "a customer": create_api_key(scopes=list(Scope.values), customer_id=customer.id)[1],
    }
    codes = {name: Caller(key).send("POST", path, {"reason": "Disputed."}).status_code for name, key in keys.items()}
    assert codes == {"no key": 401, "who may only look": 403, "without the scope": 403, "a customer": 403}
    staff = Caller(create_api_key(scopes=list(Scope.values), user_id=clerk.id)[1])
    assert_error(staff.get(path), 405, "method_not_allowed")
    run.refresh_from_db()
    assert (run.status, run.paused_at) == ("commenced", None)


def test_sent_twice_with_the_same_key_it_is_done_once(staff: Caller, two: list[Customer]) -> None:
    run = commenced()
    path = f"{PATH}/{run.id}/accounts/{account(run, two[0]).id}/splitOff"
    first, second = (staff.send("POST", path, idempotency_key="split-1") for _ in range(2))
    assert (first.status_code, parsed(first)) == (second.status_code, parsed(second))
    assert BillingRun.objects.count() == 2
