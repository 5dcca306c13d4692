"""Coupons redeemed, credits granted, and what is left of them."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.operations.refusals import CatalogConflict, CatalogRefused
from customers.models import Customer
from invoicing.models import AccountCredit, Coupon
from invoicing.operations.credits import (
    create_coupon,
    delete_coupon,
    delete_credit,
    grant_credit,
    redeem_coupon,
    update_coupon,
    update_credit,
)
from tests.credits import left
from tests.factories import AccountCreditFactory, CouponFactory, CreditUseFactory, CurrencyFactory, CustomerFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 20)
TERMS = ("code", "description", "percent", "amount", "currency_id", "start_date", "end_date", "position")


def terms(credit: AccountCredit) -> tuple[object, ...]:
    credit.refresh_from_db()
    return tuple(getattr(credit, name) for name in TERMS)


def gift_coupon(**fields: object) -> Coupon:
    return CouponFactory(
        **{"code": "GIFT", "description": "Welcome", "amount": Decimal(50), "currency": CurrencyFactory()} | fields
    )


def test_a_redeemed_coupon_gives_its_terms_as_the_last_credit() -> None:
    coupon = gift_coupon(end_date=date(2027, 1, 1))
    before = AccountCreditFactory(position=4)
    credit = redeem_coupon(customer_id=before.customer_id, code="GIFT", on=TODAY)
    expected = ("GIFT", "Welcome", None, Decimal(50), "USD", date(2026, 1, 1), date(2027, 1, 1), 5)
    assert (terms(credit), credit.coupon, left(credit)) == (expected, coupon, Decimal(50))
    # What becomes of the coupon later is for others.
    update_coupon(coupon_id=coupon.pk, changes={"amount": Decimal(5), "end_date": TODAY})
    assert terms(credit) == expected


def test_a_coupon_is_redeemed_until_before_its_end() -> None:
    gift_coupon(end_date=date(2026, 2, 1))
    acme, other = CustomerFactory.create_batch(2)
    assert redeem_coupon(customer_id=acme.pk, code="GIFT", on=date(2026, 1, 31)).code == "GIFT"
    with pytest.raises(CatalogRefused, match=r"^The coupon GIFT ended on 2026-02-01: it can no longer be redeemed\.$"):
        redeem_coupon(customer_id=other.pk, code="GIFT", on=date(2026, 2, 1))


def test_a_coupon_is_redeemed_once_by_each() -> None:
    gift_coupon()
    acme = CustomerFactory(account_number="ACME")
    redeem_coupon(customer_id=acme.pk, code="GIFT", on=TODAY)
    with pytest.raises(CatalogConflict, match=r"^Customer ACME has redeemed the coupon GIFT before: once is all\.$"):
        redeem_coupon(customer_id=acme.pk, code="GIFT", on=TODAY)
    redeem_coupon(customer_id=CustomerFactory().pk, code="GIFT", on=TODAY)


def test_a_coupon_that_there_is_not_is_not_redeemed() -> None:
    gift_coupon()
    with pytest.raises(CatalogRefused, match=r"^There is no coupon with the code gift\."):
        redeem_coupon(customer_id=CustomerFactory().pk, code="gift", on=TODAY)
    with pytest.raises(Customer.DoesNotExist):
        redeem_coupon(customer_id=0, code="GIFT", on=TODAY)


@pytest.mark.parametrize("way", ["redeemed", "granted", "changed"])
def test_an_amount_is_in_the_currency_of_the_customer(way: str) -> None:
    gift_coupon(currency=CurrencyFactory(code="EUR"))
    acme = CustomerFactory(account_number="ACME")
    said = r"^The credit is in EUR, and customer ACME is billed in USD: it would never count\.$"
    credit = AccountCreditFactory(customer=acme)
    with pytest.raises(CatalogRefused, match=said):  # noqa: PT012  one of three ways
        if way == "redeemed":
            redeem_coupon(customer_id=acme.pk, code="GIFT", on=TODAY)
        elif way == "granted":
            values = {"code": "X", "description": "X", "amount": Decimal(1), "currency_id": "EUR", "start_date": TODAY}
            grant_credit(customer_id=acme.pk, values=values)  # type: ignore[arg-type]  # as a dict
        else:
            update_credit(credit_id=credit.pk, changes={"currency_id": "EUR"})


def test_a_granted_credit_is_the_last_one_or_where_it_is_put() -> None:
    acme = CustomerFactory()
    first = grant_credit(
        customer_id=acme.pk,
        values={"code": "A", "description": "Outage", "percent": Decimal("12.5"), "start_date": TODAY},
    )
    second = grant_credit(
        customer_id=acme.pk,
        values={"code": "B", "description": "", "percent": Decimal(1), "start_date": TODAY, "position": 9},
    )
    third = grant_credit(
        customer_id=acme.pk, values={"code": "C", "description": "", "percent": Decimal(1), "start_date": TODAY}
    )
    assert [credit.position for credit in (first, second, third)] == [1, 9, 10]
    assert terms(first) == ("A", "Outage", Decimal("12.5"), None, None, TODAY, None, 1)


def test_impossible_terms_are_refused_in_words() -> None:
    with pytest.raises(CatalogRefused):
        create_coupon(values={"code": "X", "description": "X", "percent": Decimal(101), "start_date": TODAY})
    CouponFactory(code="TAKEN")
    with pytest.raises(CatalogConflict):
        create_coupon(values={"code": "TAKEN", "description": "X", "percent": Decimal(1), "start_date": TODAY})


def test_a_used_credit_is_ended_and_neither_changed_nor_deleted() -> None:
    credit = CreditUseFactory(credit__code="GIFT").credit
    assert update_credit(credit_id=credit.pk, changes={"end_date": TODAY}).end_date == TODAY
    with pytest.raises(CatalogConflict, match=r"^The credit GIFT was used: its terms stay\."):
        update_credit(credit_id=credit.pk, changes={"amount": Decimal(60)})
    with pytest.raises(CatalogConflict, match=r"^The credit GIFT was used: it stays\. Give it an end date\.$"):
        delete_credit(credit_id=credit.pk)
    unused = AccountCreditFactory()
    delete_credit(credit_id=unused.pk)
    assert list(AccountCredit.objects.all()) == [credit]


def test_a_coupon_is_deleted_while_nobody_redeemed_it() -> None:
    coupon = gift_coupon()
    redeem_coupon(customer_id=CustomerFactory().pk, code="GIFT", on=TODAY)
    with pytest.raises(CatalogConflict, match=r"^The coupon GIFT was redeemed: it stays\. Give it an end date\.$"):
        delete_coupon(coupon_id=coupon.pk)
    other = CouponFactory()
    delete_coupon(coupon_id=other.pk)
    assert list(Coupon.objects.all()) == [coupon]
