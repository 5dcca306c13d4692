"""What the database refuses of sellers, coupons, credits and their uses."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from invoicing.models import AccountCredit, CreditUse, LegalEntity, NumberSeries
from tests.credits import left
from tests.factories import (
    AccountCreditFactory,
    CouponFactory,
    CreditUseFactory,
    CurrencyFactory,
    CustomerFactory,
    CustomerInvoicingFactory,
    InvoiceLineFactory,
    LegalEntityFactory,
    post,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("constraint", "make"),
    [
        ("legal_entity_country_is_iso", lambda: LegalEntityFactory(country="de")),
        ("customer_invoicing_channel_known", lambda: CustomerInvoicingFactory(channel="PIGEON")),
        ("coupon_is_percent_or_amount", lambda: CouponFactory(percent=Decimal(101))),
        ("coupon_is_percent_or_amount", lambda: CouponFactory(percent=Decimal(0))),
        ("coupon_is_percent_or_amount", lambda: CouponFactory(percent=None)),
        ("coupon_is_percent_or_amount", lambda: CouponFactory(amount=Decimal(5))),
        ("coupon_is_percent_or_amount", lambda: CouponFactory(currency=CurrencyFactory())),
        ("coupon_ends_after_start", lambda: CouponFactory(end_date=date(2026, 1, 1))),
        ("coupon_code_not_empty", lambda: CouponFactory(code="")),
        ("account_credit_is_percent_or_amount", lambda: AccountCreditFactory(amount=Decimal(0))),
        ("account_credit_is_percent_or_amount", lambda: AccountCreditFactory(currency=None)),
        ("account_credit_is_percent_or_amount", lambda: AccountCreditFactory(percent=Decimal(5), amount=Decimal(5))),
        ("account_credit_ends_after_start", lambda: AccountCreditFactory(end_date=date(2026, 1, 1))),
        ("account_credit_code_not_empty", lambda: AccountCreditFactory(code="")),
    ],
)
def test_the_database_refuses_impossible_values(constraint: str, make: Callable[[], object]) -> None:
    with refused(by=constraint):
        make()


def test_one_legal_entity_is_the_default() -> None:
    LegalEntityFactory(is_default=True)
    LegalEntityFactory()
    with refused(by="legal_entity_one_default"):
        LegalEntityFactory(is_default=True)


@pytest.mark.parametrize("has_entity", [True, False])
def test_a_legal_entity_has_one_series_of_each_kind(*, has_entity: bool) -> None:
    entity: LegalEntity | None = LegalEntityFactory() if has_entity else None
    with refused(by="number_series_one_per_entity_and_kind"):
        NumberSeries.objects.create(legal_entity=entity, kind="INVOICE", prefix="X")


def test_a_customer_redeems_a_coupon_once() -> None:
    coupon = CouponFactory()
    first = AccountCreditFactory(coupon=coupon)
    AccountCreditFactory(coupon=coupon)
    with refused(by="account_credit_coupon_redeemed_once"):
        AccountCreditFactory(coupon=coupon, customer=first.customer)


def test_no_more_is_used_of_an_amount_than_there_is() -> None:
    credit = AccountCreditFactory(amount=Decimal(50), code="GIFT")
    CreditUseFactory(credit=credit, amount=Decimal("49.99"))
    assert left(credit) == Decimal("0.01")
    with refused(by="No more of the credit GIFT can be used than is left of it."):
        CreditUseFactory(credit=credit, amount=Decimal("0.02"))
    CreditUseFactory(credit=credit, amount=Decimal("0.01"))
    assert left(credit) == 0


def test_of_a_percent_there_is_no_end() -> None:
    credit = AccountCreditFactory(percent=Decimal(10))
    CreditUseFactory.create_batch(2, credit=credit, amount=Decimal(1_000_000))


@pytest.mark.parametrize(
    "unfit",
    [
        {"line__kind": "MANUAL"},
        {"line__amount": Decimal(-5)},
        {"line__coupon_code": "OTHER"},
        {"line__invoice__currency": "EUR"},
        {"line__invoice__customer": None},
        {"line": None},
    ],
    ids=str,
)
def test_a_use_fits_its_line_and_its_credit(unfit: dict[str, Any]) -> None:
    if "line__invoice__currency" in unfit:
        unfit = {"line__invoice__currency": CurrencyFactory(code="EUR")}
    if "line__invoice__customer" in unfit:
        unfit = {"line__invoice__customer": CustomerFactory()}
    with refused(by="The use of a credit does not fit line"):
        if "line" in unfit:
            CreditUse.objects.create(credit=AccountCreditFactory(), line_id=999_999, amount=Decimal(4))
        else:
            CreditUseFactory(**unfit)


def test_a_line_uses_a_credit_once() -> None:
    use = CreditUseFactory()
    with refused(by="credit_use_line"):
        CreditUseFactory(credit=use.credit, line=use.line)


def test_a_use_takes_off_and_gives_nothing() -> None:
    line = InvoiceLineFactory(kind="CREDIT", coupon_code="X", amount=Decimal(5))
    credit = AccountCreditFactory(customer=line.invoice.customer, percent=Decimal(10), code="X")
    with refused(by="credit_use_not_negative"):
        CreditUseFactory(credit=credit, line=line, amount=Decimal(-5))
    CreditUseFactory(credit=credit, line=line, amount=Decimal(0))


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal(60)},
        {"code": "OTHER"},
        {"start_date": date(2026, 1, 2)},
        {"currency_id": "EUR"},
        {"percent": Decimal(5), "amount": None, "currency": None},
    ],
    ids=str,
)
def test_the_terms_of_a_used_credit_stay(change: dict[str, object]) -> None:
    CurrencyFactory(code="EUR")
    unused = AccountCreditFactory()
    AccountCredit.objects.filter(pk=unused.pk).update(**change)
    used = CreditUseFactory(credit__code="GIFT").credit
    with refused(by="The credit GIFT was used: its terms stay. Give it an end date, and grant another."):
        AccountCredit.objects.filter(pk=used.pk).update(**change)
    AccountCredit.objects.filter(pk=used.pk).update(end_date=date(2026, 5, 1), position=7, description="Other")


def test_a_used_credit_and_its_customer_stay() -> None:
    used = CreditUseFactory(credit__code="GIFT").credit
    with refused(by="The credit GIFT was used"):
        AccountCredit.objects.filter(pk=used.pk).update(customer=CustomerFactory())
    with refused(by="credit_use"):
        execute(f"DELETE FROM account_credit WHERE id = {used.pk}")


def test_lines_are_not_deleted_under_their_uses() -> None:
    use = CreditUseFactory()
    with refused(by="invoice_line .* is used by credit_use"):
        use.line.delete()


def test_a_credit_that_a_posted_credit_note_takes_back_is_left_again() -> None:
    credit = AccountCreditFactory(amount=Decimal(50))
    use = CreditUseFactory(credit=credit, amount=Decimal(40))
    invoice = post(use.line.invoice)
    note = InvoiceLineFactory(
        invoice__customer=credit.customer,
        invoice__kind="CREDIT_NOTE",
        invoice__net_amount=Decimal(-5),
        invoice__tax_amount=Decimal(-1),
        invoice__credited_invoice=invoice,
        invoice__reason="Wrong",
        kind="CREDIT",
        quantity=Decimal(-1),
        unit_price=use.line.unit_price,
        exact_amount=Decimal(40),
        amount=Decimal(40),
        tax_rate=use.line.tax_rate,
        credited_line=use.line,
    )
    assert left(credit) == 10
    post(note.invoice)
    assert left(credit) == 50


def test_a_coupon_that_was_redeemed_is_not_deleted() -> None:
    coupon = AccountCreditFactory(coupon=CouponFactory()).coupon
    assert coupon is not None
    with refused(by="account_credit"):
        execute(f"DELETE FROM coupon WHERE id = {coupon.pk}")
