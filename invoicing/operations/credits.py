"""Coupons, and the credits of customers: granted to them, or from a coupon that they redeem."""

from datetime import date
from decimal import Decimal
from typing import TypedDict

from django.db import transaction

from catalog.operations.refusals import CatalogConflict, CatalogRefused, database_refusals
from customers.models import Customer
from invoicing.models import AccountCredit, Coupon


class CouponValues(TypedDict, total=False):
    """What a coupon says of itself; see `invoicing.models.Coupon`. A percent, or an amount in a currency."""

    code: str
    description: str
    percent: Decimal | None
    amount: Decimal | None
    currency_id: str | None
    start_date: date
    end_date: date | None


class CreditValues(TypedDict, total=False):
    """What a credit says of itself; see `invoicing.models.AccountCredit`. A percent, or an amount in a currency."""

    code: str
    description: str
    percent: Decimal | None
    amount: Decimal | None
    currency_id: str | None
    start_date: date
    end_date: date | None
    position: int


@transaction.atomic
def create_coupon(*, values: CouponValues) -> Coupon:
    """Make a coupon. Raises CatalogRefused for impossible values, CatalogConflict for a code that there is already."""
    coupon = Coupon(**values)
    with database_refusals():
        coupon.save()
    return coupon


@transaction.atomic
def update_coupon(*, coupon_id: int, changes: CouponValues) -> Coupon:
    """Change a coupon for those who redeem it from now on; who redeemed it has the terms of then.

    What `changes` does not name stays. Raises as `create_coupon` does.
    """
    coupon = Coupon.objects.select_for_update().get(id=coupon_id)
    for name, value in changes.items():
        setattr(coupon, name, value)
    with database_refusals():
        coupon.save()
    return coupon


@transaction.atomic
def delete_coupon(*, coupon_id: int) -> None:
    """Delete a coupon that nobody has redeemed. Raises CatalogConflict where somebody has."""
    coupon = Coupon.objects.select_for_update().get(id=coupon_id)
    if coupon.redemptions.exists():
        raise CatalogConflict(f"The coupon {coupon.code} was redeemed: it stays. Give it an end date.")
    coupon.delete()


@transaction.atomic
def redeem_coupon(*, customer_id: int, code: str, on: date) -> AccountCredit:
    """Give a customer the credit of a coupon on a day: its code and terms are copied. It is the last of its credits.

    Raises CatalogRefused where there is no such coupon, it is over by that day, or its amount is in another currency
    than the customer is billed in; CatalogConflict where the customer has redeemed it before; `Customer.DoesNotExist`.
    """
    # Locked, so that its next position is nobody else's.
    customer = Customer.objects.select_for_update(no_key=True).get(id=customer_id)
    coupon = Coupon.objects.filter(code=code).first()
    if coupon is None:
        raise CatalogRefused(f"There is no coupon with the code {code}. Check it: upper and lower case count.")
    if coupon.end_date is not None and coupon.end_date <= on:
        raise CatalogRefused(f"The coupon {code} ended on {coupon.end_date}: it can no longer be redeemed.")
    if AccountCredit.objects.filter(customer=customer, coupon=coupon).exists():
        raise CatalogConflict(f"Customer {customer.account_number} has redeemed the coupon {code} before: once is all.")
    return _given(
        customer,
        coupon=coupon,
        code=coupon.code,
        description=coupon.description,
        percent=coupon.percent,
        amount=coupon.amount,
        currency_id=coupon.currency_id,
        start_date=coupon.start_date,
        end_date=coupon.end_date,
        position=_last_position(customer) + 1,
    )


@transaction.atomic
def grant_credit(*, customer_id: int, values: CreditValues) -> AccountCredit:
    """Grant a customer a credit without a coupon; where `values` name no position, it is the last one.

    Raises CatalogRefused for impossible values and an amount in another currency than the customer is billed in;
    `Customer.DoesNotExist`.
    """
    customer = Customer.objects.select_for_update(no_key=True).get(id=customer_id)
    return _given(customer, **({"position": _last_position(customer) + 1} | values))


@transaction.atomic
def update_credit(*, credit_id: int, changes: CreditValues) -> AccountCredit:
    """Change a credit; what `changes` does not name stays.

    Raises CatalogRefused for impossible values, CatalogConflict where it was used and more than its end date, position
    or description is to change.
    """
    credit = AccountCredit.objects.select_for_update().select_related("customer").get(id=credit_id)
    for name, value in changes.items():
        setattr(credit, name, value)
    _require_its_currency(credit.customer, credit.currency_id)
    with database_refusals():
        credit.save()
    return credit


@transaction.atomic
def delete_credit(*, credit_id: int) -> None:
    """Delete a credit that no document has used. Raises CatalogConflict where one has."""
    credit = AccountCredit.objects.select_for_update().get(id=credit_id)
    if credit.uses.exists():
        raise CatalogConflict(f"The credit {credit.code} was used: it stays. Give it an end date.")
    credit.delete()


def _given(customer: Customer, **values: object) -> AccountCredit:
    credit = AccountCredit(customer=customer, **values)
    _require_its_currency(customer, credit.currency_id)
    with database_refusals():
        credit.save()
    return credit


def _require_its_currency(customer: Customer, currency: str | None) -> None:
    if currency is not None and currency != customer.currency_id:
        raise CatalogRefused(
            f"The credit is in {currency}, and customer {customer.account_number} is billed in {customer.currency_id}: "
            "it would never count."
        )


def _last_position(customer: Customer) -> int:
    positions = AccountCredit.objects.filter(customer=customer).order_by("-position").values_list("position", flat=True)
    return positions.first() or 0
