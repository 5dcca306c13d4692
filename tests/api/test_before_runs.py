"""What comes before a run in the API: confirmed warnings, one customer's preview, why a customer is not on it."""

from decimal import Decimal

import pytest

from billing.models import BillingRun
from customers.models import Customer
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import BillingCycleFactory, CustomerBillingFactory, CustomerFactory, ProductFactory
from tests.runs import customer_at, new_run, use

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/billingRuns"


@pytest.fixture
def acme() -> Customer:
    """A customer with 5 units at 1 USD in January, so 5.00 net and 6.00 with its tax of 20 %."""
    customer, call = customer_at("1", account_number="A-1", name="Acme")
    call.code, call.name = "CALL", "Calls"
    call.save()
    use(customer, call, 5)
    return customer


@pytest.fixture
def run(acme: Customer) -> BillingRun:
    return new_run()


def test_a_run_is_commenced_once_its_warnings_are_confirmed(staff: Caller, run: BillingRun, acme: Customer) -> None:
    use(acme, ProductFactory(code="DATA"), 5)
    refused = staff.send("POST", f"{PATH}/{run.pk}/commence")
    assert_error(refused, 422, "preflight")
    body = parsed(refused)
    assert "or confirm unpriced_usage and commence it again" in body["detail"]
    (warning,) = [check for check in body["checks"] if check["verdict"] != "pass"]
    assert (warning["code"], warning["verdict"], warning["count"]) == ("unpriced_usage", "warn", 1)
    assert warning["link"] == f"/admin/usage/pendingusage/?customer__id__exact={acme.pk}"
    run.refresh_from_db()
    assert run.status == "pending"

    confirmed = {"confirmedWarnings": ["unpriced_usage"]}
    shown = parsed(staff.send("POST", f"{PATH}/{run.pk}/commence", confirmed))
    assert shown["status"] == "commenced"
    run.refresh_from_db()
    assert run.confirmed_warnings == ["unpriced_usage"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (
            {"confirmedWarnings": "unpriced_usage"},
            {"confirmedWarnings": ['Expected a list of items but got type "str".']},
        ),
        ({"confirmed": []}, {"confirmed": ["There is no such member."]}),
        (
            {"confirmedWarnings": ["c" * 51]},
            {"confirmedWarnings.0": ["Ensure this field has no more than 50 characters."]},
        ),
    ],
)
def test_a_bad_confirmation_is_named(
    staff: Caller, run: BillingRun, body: dict[str, object], errors: dict[str, list[str]]
) -> None:
    assert_error(staff.send("POST", f"{PATH}/{run.pk}/commence", body), 400, "invalid", **errors)
    run.refresh_from_db()
    assert run.status == "pending"


def test_the_preview_of_one_customer_has_its_lines(staff: Caller, run: BillingRun, acme: Customer) -> None:
    CustomerFactory()
    (account,) = staff.ask(f"{PATH}/{run.pk}/preview?customerID={acme.pk}")["accounts"]
    (line,) = account["lines"]
    (tax,) = account["taxes"]
    assert (account["accountNumber"], account["outcome"], account["totalAmount"]) == (
        "A-1",
        "invoiced",
        Decimal("6.00"),
    )
    # 5 x 1 = 5.00, 20 % of it 1.00.
    assert line == line | {
        "lineNumber": 1,
        "kind": "USAGE",
        "product": "CALL",
        "productName": "Calls",
        "quantity": 5,
        "unitPrice": 1,
        "exactAmount": 5,
        "amount": Decimal("5.00"),
        "recordCount": 1,
    }
    assert (tax["percent"], tax["netAmount"], tax["taxAmount"]) == (20, Decimal("5.00"), Decimal("1.00"))
    run.refresh_from_db()
    assert run.status == "pending"
    assert "lines" not in staff.ask(f"{PATH}/{run.pk}/preview")["accounts"][0]


def test_a_preview_of_who_is_not_on_the_run_says_why(staff: Caller, run: BillingRun) -> None:
    odd = CustomerFactory()
    CustomerBillingFactory(customer=odd, billing_cycle=BillingCycleFactory(name="Odd", subrun="odd"))
    refused = staff.get(f"{PATH}/{run.pk}/preview?customerID={odd.pk}")
    assert_error(refused, 422, "refused")
    assert parsed(refused)["detail"] == (
        f"Customer {odd.account_number} would not be on the run. Its billing cycle Odd is billed by runs of the subrun "
        "odd; this one is of no subrun."
    )


def test_why_a_customer_is_not_on_the_run_is_answered(staff: Caller, run: BillingRun, acme: Customer) -> None:
    assert staff.ask(f"{PATH}/{run.pk}/whyNot?customerID={acme.pk}") == {
        "customerID": str(acme.pk),
        "accountNumber": "A-1",
        "isOnTheRun": True,
        "code": "will_be",
        "reason": "It will be on the run when that is commenced.",
        "accountID": None,
    }
    staff.send("POST", f"{PATH}/{run.pk}/commence")
    shown = staff.ask(f"{PATH}/{run.pk}/whyNot?customerID={acme.pk}")
    assert (shown["code"], shown["accountID"]) == ("on_the_run", str(run.accounts.get().pk))


@pytest.mark.parametrize("read", ["whyNot", "preview"])
def test_a_customer_that_does_not_exist_is_not_found(staff: Caller, run: BillingRun, read: str) -> None:
    assert_error(staff.get(f"{PATH}/{run.pk}/{read}?customerID=999999"), 404, "not_found")
    assert_error(staff.get(f"{PATH}/{run.pk}/{read}?customerID=x"), 400, "invalid")
    assert_error(staff.get(f"{PATH}/999999/{read}?customerID=1"), 404, "not_found")


def test_whose_answer_is_wanted_has_to_be_said(staff: Caller, run: BillingRun) -> None:
    assert_error(staff.get(f"{PATH}/{run.pk}/whyNot"), 400, "invalid", customerID=["This field is required."])
