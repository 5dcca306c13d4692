"""`legalEntities`, `coupons` and `accountCredits` of the backend API."""

from decimal import Decimal
from typing import Any

import pytest

from customers.models import Customer
from invoicing.models import AccountCredit, Coupon, LegalEntity, NumberSeries
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import AccountCreditFactory, CouponFactory, CreditUseFactory, CurrencyFactory, LegalEntityFactory

pytestmark = pytest.mark.django_db

BACKEND = "/backend/api/v1"
ENTITIES, COUPONS, CREDITS = f"{BACKEND}/legalEntities", f"{BACKEND}/coupons", f"{BACKEND}/accountCredits"


def made(staff: Caller, path: str, members: dict[str, Any]) -> Any:
    response = staff.send("POST", path, members)
    assert response.status_code == 201, response.content
    return parsed(response)


def without_times(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name not in {"createdDate", "updatedDate"}}


def test_a_legal_entity_is_made_shown_and_changed(staff: Caller) -> None:
    before = LegalEntityFactory(is_default=True)
    members = {
        "code": "NORTH",
        "name": "North Ltd",
        "address": "1 High Street\nLeeds",
        "country": "GB",
        "vatNumber": "GB999",
        "registration": "Leeds 12",
        "email": "billing@example.com",
        "phone": "+44 113 496 0000",
        "website": "example.com",
        "paymentDetails": "IBAN GB00",
        "isDefault": True,
    }
    shown = made(staff, ENTITIES, members)
    assert without_times(shown) == members | {"id": shown["id"]}
    entity = LegalEntity.objects.get(code="NORTH")
    assert list(NumberSeries.objects.filter(legal_entity=entity).order_by("prefix").values_list("kind", "prefix")) == [
        ("CREDIT_NOTE", "CN-NORTH-"),
        ("INVOICE", "INV-NORTH-"),
    ]
    # One is the default at a time.
    before.refresh_from_db()
    assert not before.is_default
    changed = parsed(staff.send("PATCH", f"{ENTITIES}/{entity.pk}", {"paymentDetails": "IBAN FR00"}))
    assert without_times(changed) == members | {"id": shown["id"], "paymentDetails": "IBAN FR00"}
    assert [one["code"] for one in staff.ask(ENTITIES)] == [before.code, "NORTH"]
    assert_error(staff.send("POST", ENTITIES, members), 409, "conflict")


def test_a_coupon_is_made_changed_and_deleted(staff: Caller) -> None:
    members = {"code": "SPRING", "description": "Spring", "percent": Decimal("12.5"), "startDate": "2026-03-01"}
    shown = made(staff, COUPONS, members | {"percent": 12})
    expected = members | {"percent": 12, "amount": None, "currency": None, "endDate": None, "id": shown["id"]}
    assert without_times(shown) == expected
    changed = parsed(staff.send("PUT", f"{COUPONS}/{shown['id']}", {"endDate": "2026-06-01"}))
    assert without_times(changed) == expected | {"endDate": "2026-06-01"}
    redeemed = AccountCreditFactory(coupon=CouponFactory()).coupon
    assert redeemed is not None
    assert_error(staff.send("DELETE", f"{COUPONS}/{redeemed.pk}"), 409, "conflict")
    assert staff.send("DELETE", f"{COUPONS}/{shown['id']}").status_code == 204
    assert list(Coupon.objects.all()) == [redeemed]


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("percent", 0, "It is above 0."),
        ("percent", 101, "Ensure this value is less than or equal to 100."),
        ("percent", "10", "It is not a number."),
        ("endDate", "2026-03-01", "It ends after its start."),
        ("colour", "red", "There is no such member."),
    ],
)
def test_bad_members_are_named(staff: Caller, member: str, value: object, said: str) -> None:
    members = {"code": "SPRING", "description": "Spring", "percent": 10, "startDate": "2026-03-01", member: value}
    response = staff.send("POST", COUPONS, members)
    assert_error(response, 400, "invalid", **{member: [said]})


def test_more_than_four_decimals_are_refused(staff: Caller) -> None:
    body = b'{"code": "X", "description": "X", "percent": 0.00001, "startDate": "2026-03-01"}'
    response = staff.send("POST", COUPONS, body)  # as bytes, which no float has seen
    assert_error(response, 400, "invalid", percent=["It has at most 4 decimals."])


def test_a_worth_that_is_neither_or_both_is_refused(staff: Caller) -> None:
    members = {"code": "SPRING", "description": "Spring", "startDate": "2026-03-01"}
    assert_error(staff.send("POST", COUPONS, members), 422, "refused")
    both = members | {"percent": 10, "amount": 5, "currency": "USD"}
    CurrencyFactory()
    assert_error(staff.send("POST", COUPONS, both), 422, "refused")


def test_a_credit_is_granted_and_ended(staff: Caller, customer: Customer) -> None:
    terms = {"code": "OUTAGE", "description": "Sorry", "amount": 50, "currency": "USD", "startDate": "2026-01-01"}
    shown = made(staff, CREDITS, terms | {"customerID": str(customer.pk)})
    expected = terms | {
        "id": shown["id"],
        "customerID": str(customer.pk),
        "couponCode": None,
        "percent": None,
        "endDate": None,
        "position": 1,
        "amountLeft": 50,
    }
    assert without_times(shown) == expected
    credit = AccountCredit.objects.get()
    CreditUseFactory(credit=credit, amount=Decimal("12.34"))
    changed = parsed(staff.send("PATCH", f"{CREDITS}/{credit.pk}", {"endDate": "2026-06-01"}))
    assert without_times(changed) == expected | {"endDate": "2026-06-01", "amountLeft": Decimal("37.66")}
    assert_error(staff.send("PATCH", f"{CREDITS}/{credit.pk}", {"amount": 60}), 409, "conflict")
    assert_error(staff.send("DELETE", f"{CREDITS}/{credit.pk}"), 409, "conflict")
    other = AccountCreditFactory()
    assert [one["id"] for one in staff.ask(f"{CREDITS}?customerID={customer.pk}")] == [shown["id"]]
    assert staff.send("DELETE", f"{CREDITS}/{other.pk}").status_code == 204


def test_a_coupon_is_redeemed_by_its_code(staff: Caller, customer: Customer) -> None:
    CouponFactory(code="TEN", description="10 % off", percent=Decimal(10))
    body = {"customerID": str(customer.pk), "couponCode": "TEN"}
    shown = made(staff, CREDITS, body)
    assert (shown["code"], shown["percent"], shown["couponCode"], shown["amountLeft"]) == ("TEN", 10, "TEN", None)
    assert_error(staff.send("POST", CREDITS, body), 409, "conflict")
    assert_error(
        staff.send("POST", CREDITS, body | {"description": "Mine"}),
        400,
        "invalid",
        couponCode=["Of a coupon, the coupon says the rest."],
    )
    response = staff.send("POST", CREDITS, {"customerID": str(customer.pk), "percent": 5})
    said = ["Say this, or name a coupon."]
    assert (response.status_code, parsed(response)["errors"]) == (
        400,
        {"code": said, "description": said, "startDate": said},
    )
    assert_error(
        staff.send("PATCH", f"{CREDITS}/{shown['id']}", {"couponCode": "TEN"}), 400, "invalid", couponCode=["It stays."]
    )


@pytest.mark.parametrize("path", [ENTITIES, COUPONS, CREDITS])
def test_they_are_the_staffs(customer: Customer, caller_of: Any, path: str) -> None:
    assert_error(caller_of(customer).get(path), 403, "staff_only")
