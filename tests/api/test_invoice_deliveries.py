"""`invoiceDeliveries` of the backend API: how documents were sent, and deciding on those that did not arrive."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.operations.api_keys import create_api_key
from invoicing.models import InvoiceDelivery
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import InvoiceDeliveryFactory, InvoiceFactory, UserFactory, post

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/invoiceDeliveries"


def ids(found: list[Any]) -> list[str]:
    return [each["id"] for each in found]


def test_a_delivery_is_shown_with_every_member(staff: Caller, customer: Customer) -> None:
    invoice = post(InvoiceFactory(customer=customer))
    delivery = InvoiceDeliveryFactory(bounced=True, invoice=invoice, message_id="<a@example.com>")
    shown = staff.ask(f"{PATH}/{delivery.pk}")
    dates = {name: shown.pop(name) for name in ("createdDate", "updatedDate")}
    assert all(text.endswith("Z") for text in dates.values())
    assert shown == {
        "id": str(delivery.pk),
        "invoiceID": str(invoice.pk),
        "invoiceNumber": "INV-000001",
        "customerID": str(customer.pk),
        "channel": "email",
        "recipient": "accounts@example.com",
        "state": "bounced",
        "error": "accounts@example.com: 5.1.1 550 No such user",
        "attempts": 1,
        "messageID": "<a@example.com>",
        "replacesID": None,
        "note": "",
        "sentDate": "2026-02-01T10:00:00Z",
        "nextAttemptDate": None,
    }


def test_the_list_is_narrowed_by_invoice_state_and_channel_and_to_what_needs_somebody(staff: Caller) -> None:
    sent = InvoiceDeliveryFactory()
    failed = InvoiceDeliveryFactory(refused=True)
    dealt_with = InvoiceDeliveryFactory(bounced=True)
    again = InvoiceDeliveryFactory(waiting=True, replaces=dealt_with, invoice=dealt_with.invoice)
    letter = InvoiceDeliveryFactory(letter=True)
    all_of_them = [str(each.pk) for each in (sent, failed, dealt_with, again, letter)]
    assert ids(staff.ask(PATH)) == all_of_them
    assert ids(staff.ask(f"{PATH}/?idAfter={failed.pk}&limit=2")) == all_of_them[2:4]
    assert ids(staff.ask(f"{PATH}?state=refused")) == [str(failed.pk)]
    assert ids(staff.ask(f"{PATH}?channel=letter")) == [str(letter.pk)]
    assert ids(staff.ask(f"{PATH}?invoiceID={again.invoice_id}")) == [str(dealt_with.pk), str(again.pk)]
    assert ids(staff.ask(f"{PATH}?undelivered=true")) == [str(failed.pk)]
    assert_error(staff.get(f"{PATH}?state=lost"), 400, "invalid", state=['"lost" is not a valid choice.'])


def test_the_list_takes_as_many_queries_for_three_as_for_one(staff: Caller) -> None:
    InvoiceDeliveryFactory()
    staff.ask(PATH)
    with CaptureQueriesContext(connection) as for_one:
        staff.ask(PATH)
    for _ in range(2):
        InvoiceDeliveryFactory()
    with CaptureQueriesContext(connection) as for_three:
        staff.ask(PATH)
    assert len(for_three) == len(for_one)


def test_what_failed_is_sent_again_to_another_address(staff: Caller) -> None:
    delivery = InvoiceDeliveryFactory(refused=True)
    response = staff.send("POST", f"{PATH}/{delivery.pk}/sendAgain", {"recipient": "zoe@example.com"})
    assert response.status_code == 201
    again = parsed(response)
    assert (again["state"], again["recipient"], again["replacesID"]) == (
        *("waiting", "zoe@example.com"),
        str(delivery.pk),
    )
    assert_error(staff.send("POST", f"{PATH}/{delivery.pk}/sendAgain", {}), 409, "conflict")


def test_the_same_request_again_sends_once(staff: Caller) -> None:
    delivery = InvoiceDeliveryFactory(refused=True)
    answers = [
        staff.send("POST", f"{PATH}/{delivery.pk}/sendAgain", {}, idempotency_key="again-1").content for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert InvoiceDelivery.objects.count() == 2


def test_what_is_uncertain_is_sent_again_only_where_the_request_says_that_it_may_arrive_twice(staff: Caller) -> None:
    delivery = InvoiceDeliveryFactory(uncertain=True)
    address = f"{PATH}/{delivery.pk}/sendAgain"
    response = staff.send("POST", address, {})
    assert_error(response, 409, "conflict")
    assert "may arrive twice" in parsed(response)["detail"]
    assert staff.send("POST", address, {"mayArriveTwice": True}).status_code == 201


@pytest.mark.parametrize(("body", "state"), [({"wasSent": True}, "sent"), ({"wasSent": False}, "refused")])
def test_what_is_uncertain_is_settled(staff: Caller, body: dict[str, bool], state: str) -> None:
    delivery = InvoiceDeliveryFactory(uncertain=True)
    response = staff.send("POST", f"{PATH}/{delivery.pk}/resolve", body)
    assert (response.status_code, parsed(response)["state"], parsed(response)["note"]) == (
        *(200, state),
        "Settled by clerk.",
    )
    assert_error(staff.send("POST", f"{PATH}/{delivery.pk}/resolve", {"wasSent": True}), 409, "conflict")


@pytest.mark.parametrize(
    ("action", "body", "errors"),
    [
        ("sendAgain", {"recipient": "nobody"}, {"recipient": ["Enter a valid email address."]}),
        ("sendAgain", {"to": "a@example.com"}, {"to": ["There is no such member."]}),
        ("resolve", {}, {"wasSent": ["This field is required."]}),
    ],
)
def test_a_bad_body_names_each_member(
    staff: Caller, action: str, body: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    delivery = InvoiceDeliveryFactory(uncertain=True)
    assert_error(staff.send("POST", f"{PATH}/{delivery.pk}/{action}", body), 400, "invalid", **errors)


def test_without_an_address_it_is_not_sent_again(staff: Caller) -> None:
    delivery = InvoiceDeliveryFactory(refused=True, recipient="")
    assert_error(staff.send("POST", f"{PATH}/{delivery.pk}/sendAgain", {}), 422, "refused")


def test_deliveries_are_the_staffs(customer: Customer, caller_of: Callable[..., Caller]) -> None:
    delivery = InvoiceDeliveryFactory(invoice=InvoiceFactory(customer=customer))
    caller = caller_of(customer)
    for address in (PATH, f"{PATH}/{delivery.pk}"):
        assert caller.get(address).status_code in {403, 404}
    assert caller.send("POST", f"{PATH}/{delivery.pk}/sendAgain", {}).status_code in {403, 404}


def test_staff_need_the_right_to_change_deliveries() -> None:
    clerk = Caller(create_api_key(scopes=["read", "write"], user_id=UserFactory(is_staff=True).pk)[1])
    delivery = InvoiceDeliveryFactory(refused=True)
    assert clerk.get(PATH).status_code == 403
    assert clerk.send("POST", f"{PATH}/{delivery.pk}/sendAgain", {}).status_code == 403


def test_there_is_no_other_way_to_write(staff: Caller) -> None:
    assert_error(staff.send("POST", PATH, {}), 405, "method_not_allowed")
    assert_error(staff.get(f"{PATH}/4711"), 404, "not_found")
