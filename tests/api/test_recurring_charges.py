"""`recurringCharges` of the backend API: made, changed for periods to come, deleted while nothing was charged."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, SubscriptionService
from invoicing.models import RecurringCharge
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import (
    ProductFactory,
    RecurringChargeFactory,
    SubscriptionServiceFactory,
    TaxRateFactory,
    TransactionFactory,
)

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/recurringCharges"


@pytest.fixture
def rental(service: SubscriptionService) -> dict[str, Any]:
    """What has to be said of a charge of Acme's subscription."""
    return {
        "subscriptionID": str(service.subscription_id),
        "description": "Line rental",
        "unitPrice": 9,
        "startDate": "2026-01-18",
    }


def made(staff: Caller, members: dict[str, Any]) -> Any:
    response = staff.send("POST", PATH, members)
    assert response.status_code == 201, response.content
    return parsed(response)


def charge_january(charge_id: str) -> None:
    charge = RecurringCharge.objects.get(pk=charge_id)
    TransactionFactory(
        customer=charge.customer,
        kind="RECURRING",
        recurring_charge=charge,
        period_start=date(2026, 1, 18),
        period_end=date(2026, 2, 1),
    )


def test_it_is_made_and_shown_with_every_member(
    staff: Caller, customer: Customer, service: SubscriptionService, rental: dict[str, Any]
) -> None:
    ProductFactory(code="LINE")
    TaxRateFactory(name="Reduced")
    members = rental | {
        "serviceID": str(service.pk),
        "product": "LINE",
        "quantity": 2,
        "taxRate": "Reduced",
        "months": 3,
        "timing": "arrears",
        "alignment": "anniversary",
        "isProrated": False,
        "endDate": "2027-01-18",
        "minimumMonths": 12,
    }
    shown = made(staff, members)
    charge = RecurringCharge.objects.get()
    assert shown == members | {
        "id": str(charge.pk),
        "customerID": str(customer.pk),
        "currency": "USD",
        "createdDate": charge.created_at.isoformat().replace("+00:00", "Z"),
        "updatedDate": charge.updated_at.isoformat().replace("+00:00", "Z"),
    }
    assert staff.ask(f"{PATH}/{charge.pk}") == shown
    assert staff.ask(PATH) == [shown]


def test_what_may_be_left_out_is_monthly_in_advance(staff: Caller, rental: dict[str, Any]) -> None:
    shown = made(staff, rental)
    left_out = ("serviceID", "product", "quantity", "taxRate", "months", "timing", "alignment", "isProrated", "endDate")
    assert {name: shown[name] for name in left_out} == {
        "serviceID": None,
        "product": None,
        "quantity": 1,
        "taxRate": None,
        "months": 1,
        "timing": "advance",
        "alignment": "calendarMonth",
        "isProrated": True,
        "endDate": None,
    }
    assert shown["minimumMonths"] == 0


def test_its_price_is_exact(staff: Caller, rental: dict[str, Any]) -> None:
    body = json.dumps(rental).replace('"unitPrice": 9', '"unitPrice": 0.100000000000000003').encode()
    shown = made(staff, body)  # type: ignore[arg-type]  # as bytes, which no float has seen
    assert shown["unitPrice"] == Decimal("0.100000000000000003")


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("subscriptionID", "999999", "There is none with the id 999999."),
        ("subscriptionID", 17, "It is no id."),
        ("subscriptionID", "1e3", "It is no id."),
        ("subscriptionID", True, "It is no id."),
        ("quantity", 0, "It is above 0."),
        ("months", 37, "Ensure this value is less than or equal to 36."),
        ("months", 0, "Ensure this value is greater than or equal to 1."),
        ("timing", "never", '"never" is not a valid choice.'),
        ("endDate", "2026-01-18", "It ends after its start."),
        ("startDate", "9001-01-01", "It lies between 1900-01-01 and 9000-01-01."),
        ("unitPrice", 1_000_000_000_001, "Ensure this value is less than or equal to 1000000000000."),
        ("colour", "red", "There is no such member."),
    ],
)
def test_bad_members_are_named(staff: Caller, rental: dict[str, Any], member: str, value: object, said: str) -> None:
    response = staff.send("POST", PATH, rental | {member: value})
    assert_error(response, 400, "invalid", **{member: [said]})


def test_a_service_of_another_subscription_is_refused(staff: Caller, rental: dict[str, Any]) -> None:
    other = SubscriptionServiceFactory()
    response = staff.send("POST", PATH, rental | {"serviceID": str(other.pk)})
    assert_error(response, 422, "refused")
    assert "is of another subscription than S-1" in parsed(response)["detail"]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_terms_for_periods_to_come_are_changed(staff: Caller, rental: dict[str, Any], method: str) -> None:
    shown = made(staff, rental)
    charge_january(shown["id"])
    changed = parsed(staff.send(method, f"{PATH}/{shown['id']}", {"unitPrice": 11, "endDate": "2026-07-01"}))
    assert changed == shown | {"unitPrice": 11, "endDate": "2026-07-01", "updatedDate": changed["updatedDate"]}


@pytest.mark.parametrize(
    "change", [{"months": 2}, {"timing": "arrears"}, {"alignment": "anniversary"}, {"startDate": "2026-01-01"}]
)
def test_periods_stay_once_one_was_charged(staff: Caller, rental: dict[str, Any], change: dict[str, Any]) -> None:
    shown = made(staff, rental)
    assert staff.send("PATCH", f"{PATH}/{shown['id']}", change).status_code == 200
    charge_january(shown["id"])
    original = {name: shown[name] for name in change}
    assert_error(staff.send("PATCH", f"{PATH}/{shown['id']}", original), 409, "conflict")
    assert {name: staff.ask(f"{PATH}/{shown['id']}")[name] for name in change} == change


def test_it_is_deleted_while_nothing_was_charged(staff: Caller, rental: dict[str, Any]) -> None:
    shown = made(staff, rental)
    charge_january(made(staff, rental)["id"])
    charged = RecurringCharge.objects.latest("id")
    assert_error(staff.send("DELETE", f"{PATH}/{charged.pk}"), 409, "conflict")
    assert staff.send("DELETE", f"{PATH}/{shown['id']}").status_code == 204
    assert_error(staff.get(f"{PATH}/{shown['id']}"), 404, "not_found")
    assert list(RecurringCharge.objects.all()) == [charged]


def test_the_list_is_of_a_subscription_and_costs_the_same_however_long_it_is(
    staff: Caller, rental: dict[str, Any]
) -> None:
    shown = made(staff, rental)
    RecurringChargeFactory.create_batch(5, product=ProductFactory(), tax_rate=TaxRateFactory())
    assert staff.ask(f"{PATH}?subscriptionID={rental['subscriptionID']}") == [shown]
    assert_error(staff.get(f"{PATH}?subscriptionID=x"), 400, "invalid", subscriptionID=["It is no id."])
    counts = []
    for limit in (1, 6):
        with CaptureQueriesContext(connection) as asked:
            assert len(staff.ask(f"{PATH}?limit={limit}")) == limit
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_it_is_the_staffs(customer: Customer, caller_of: Any) -> None:
    assert_error(caller_of(customer).get(PATH), 403, "staff_only")
