"""`whatIf`, `priceDifferences` and `priceCorrections` of the backend API."""

from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission

from catalog.models import RateCard
from catalog.operations.rates import add_rate_version
from customers.models import Customer
from customers.operations.api_keys import create_api_key
from invoicing.models import Transaction, UsageCharge
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import RateCardFactory, RateFactory, UserFactory
from tests.runs import bill, customer_at, post, rate_of, use

pytestmark = pytest.mark.django_db

ROOT = "/backend/api/v1"
JANUARY = {"fromDate": "2026-01-01", "toDate": "2026-01-31"}


@pytest.fixture
def acme() -> Customer:
    """Acme with 100 units at 0.10 on a posted invoice of January."""
    acme, call = customer_at("0.10", account_number="ACME", name="Acme")
    use(acme, call, 100, number="R1")
    post(bill())
    return acme


def corrected() -> None:
    """It should have been 0.08."""
    rate = rate_of(UsageCharge.objects.get().record.product)
    add_rate_version(rate_id=rate.pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.08")})


def cheaper() -> RateCard:
    card: RateCard = RateCardFactory()
    RateFactory(rate_card=card, product=UsageCharge.objects.get().record.product, unit_price=Decimal("0.07"))
    return card


def ask(caller: Caller, path: str, **asked: Any) -> Any:
    return caller.send("POST", f"{ROOT}/{path}", JANUARY | asked)


def differences(caller: Caller, **asked: Any) -> Any:
    return caller.get(f"{ROOT}/priceDifferences?{urlencode(JANUARY | asked)}")


def test_what_if(staff: Caller, acme: Customer) -> None:
    response = ask(staff, "whatIf", rateCardID=cheaper().pk, customerIDs=[acme.pk])
    assert response.status_code == 200
    # 100 x 0.10 = 10 and 100 x 0.07 = 7.
    sums = {"recordCount": 1, "now": 10, "then": 7, "difference": -3}
    code = UsageCharge.objects.get().record.product.code
    body = parsed(response)
    assert [body["products"], body["paysLess"], body["paysMore"]] == [
        [{"product": code, "name": f"Product {code}"} | sums],
        [{"customerID": str(acme.pk), "accountNumber": "ACME", "name": "Acme"} | sums],
        [],
    ]
    assert {name: body[name] for name in sums} == sums
    assert (body["currency"], body["customerCount"], body["firstUnpricedRecordID"]) == ("USD", 1, None)


def test_what_if_names_the_first_record_without_a_price(staff: Caller, acme: Customer) -> None:
    old = rate_of(UsageCharge.objects.get().record.product).rate_card
    body = parsed(ask(staff, "whatIf", rateCardID=RateCardFactory().pk, replacedRateCardID=old.pk))
    assert (body["unpricedCount"], body["unpricedNow"], body["then"]) == (1, 10, 0)
    assert body["firstUnpricedRecordID"] == str(UsageCharge.objects.get().record_id)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"fromDate": "2026-02-01"}, "toDate"),
        ({"toDate": "9999-12-31"}, "toDate"),
        ({"fromDate": "0001-01-01"}, "fromDate"),
        ({"fromDate": "soon"}, "fromDate"),
        ({"rateCardID": 999_999}, "rateCardID"),
        ({"rateCardID": None}, "rateCardID"),
        ({"replacedRateCardID": 999_999}, "replacedRateCardID"),
        ({"customerIDs": []}, "customerIDs"),
        ({"customerIDs": [10**30]}, "customerIDs.0"),
        ({"cardID": 1}, "cardID"),
    ],
)
def test_what_if_refuses_at_the_member(staff: Caller, asked: dict[str, Any], field: str) -> None:
    response = ask(staff, "whatIf", **({"rateCardID": RateCardFactory().pk} | asked))
    assert response.status_code in {400, 422}
    assert field in parsed(response)["errors"]


def test_differences_and_their_correction(staff: Caller, acme: Customer) -> None:
    assert parsed(differences(staff))["recordCount"] == 0
    corrected()
    body = parsed(differences(staff, customerID=acme.pk))
    record, charge = body["records"][0], UsageCharge.objects.get()
    # 100 x 0.10 = 10 and 100 x 0.08 = 8.
    assert (record["recordID"], record["invoiceID"], record["charged"], record["now"], record["difference"]) == (
        str(charge.record_id),
        str(charge.line.invoice_id),
        10,
        8,
        -2,
    )
    assert [(one["accountNumber"], one["difference"]) for one in body["customers"]] == [("ACME", -2)]
    drafted = ask(staff, "priceCorrections", customerIDs=[acme.pk], reason="typing error")
    assert (drafted.status_code, parsed(drafted)["transactionCount"]) == (201, 2)
    assert [one.amount for one in Transaction.objects.order_by("id")] == [-10, 8]
    again = parsed(ask(staff, "priceCorrections", customerIDs=[acme.pk]))
    assert again == {"customers": [], "transactionCount": 0, "recordCount": 0}
    assert parsed(differences(staff))["recordCount"] == 0


def test_one_invoice_and_one_price_list(staff: Caller, acme: Customer) -> None:
    corrected()
    charge = UsageCharge.objects.get()
    assert parsed(differences(staff, invoiceID=charge.line.invoice_id))["recordCount"] == 1
    assert parsed(differences(staff, invoiceID=charge.line.invoice_id + 1))["recordCount"] == 0
    assert charge.rate is not None
    assert parsed(differences(staff, rateCardID=charge.rate.rate_card_id))["recordCount"] == 1
    assert parsed(differences(staff, rateCardID=RateCardFactory().pk))["recordCount"] == 0


def test_a_key_that_says_the_same_twice_corrects_once(staff: Caller, acme: Customer) -> None:
    corrected()
    body = JANUARY | {"customerIDs": [acme.pk]}
    answers = [staff.send("POST", f"{ROOT}/priceCorrections", body, idempotency_key="one") for _ in range(2)]
    assert [parsed(answer)["transactionCount"] for answer in answers] == [2, 2]
    assert Transaction.objects.count() == 2


def test_usage_without_a_price_is_a_conflict(staff: Caller, acme: Customer) -> None:
    rate = rate_of(UsageCharge.objects.get().record.product)
    rate.end_date = date(2026, 1, 1)
    rate.save()
    assert parsed(differences(staff))["records"][0]["now"] is None
    assert_error(ask(staff, "priceCorrections", customerIDs=[acme.pk]), 409, "conflict")


@pytest.mark.parametrize("asked", [{"toDate": "2025-01-01"}, {"toDate": "2027-01-02"}, {"colour": "red"}])
def test_differences_refuse_at_the_member(staff: Caller, asked: dict[str, str]) -> None:
    response = differences(staff, **asked)
    assert response.status_code in {400, 422}
    assert set(asked) == set(parsed(response)["errors"])


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("POST", "whatIf", ["view_rate", "view_customer", "view_usagecharge"]),
        ("GET", "priceDifferences", ["view_usagecharge", "view_customer"]),
        ("POST", "priceCorrections", ["add_transaction", "view_usagecharge", "view_customer"]),
        ("GET", "prices", ["view_rate", "view_customer"]),
    ],
)
def test_staff_see_prices_of_customers_who_may_see_prices_and_customers(
    db: None, method: str, path: str, needed: list[str]
) -> None:
    user = UserFactory()
    caller = Caller(create_api_key(scopes=["read", "write"], user_id=user.pk)[1])
    for lacking in needed:
        user.user_permissions.set(Permission.objects.filter(codename__in=set(needed) - {lacking}))
        assert_error(caller.send(method, f"{ROOT}/{path}", {}), 403, "permission_denied")
    user.user_permissions.set(Permission.objects.filter(codename__in=needed))
    assert_error(caller.send(method, f"{ROOT}/{path}", {}), 400, "invalid")
