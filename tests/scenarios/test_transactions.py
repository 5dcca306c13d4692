"""Charges that are not usage: by bill date, or by the run's transaction cutoff date, with taxes of their own."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import BillingRun
from customers.models import Customer
from invoicing.models import Transaction
from tests.factories import CustomerFactory, ProductFactory, TaxRateFactory, TransactionFactory
from tests.runs import FEBRUARY, bill, customer_at, invoice, lines, outcome, post, taxes, totals, use

pytestmark = pytest.mark.django_db


def fee(customer: Customer, price: str, on: str, bill_on: str | None = None, **fields: object) -> Transaction:
    made: Transaction = TransactionFactory(
        customer=customer,
        description=f"Fee of {on}",
        unit_price=Decimal(price),
        transaction_date=date.fromisoformat(on),
        bill_date=date.fromisoformat(bill_on) if bill_on else None,
        **fields,
    )
    return made


def billed_in(run: BillingRun, customer: Customer) -> list[str]:
    return [line.description for line in invoice(run, customer).lines.order_by("line_number")]


def test_a_set_up_fee_stands_after_the_usage() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    set_up = fee(acme, "25", "2026-01-10", kind="ONE_OFF", product=ProductFactory(code="A-SET-UP"), quantity=Decimal(2))
    run = bill()
    document = invoice(run, acme)
    # Usage 100 x 0.10 = 10.00; set-up 2 x 25 = 50.00; 20 % of 60.00 = 12.00.
    assert lines(document) == ["100 x 0.1 = 10 -> 10.00", "2 x 25 = 50 -> 50.00"]
    assert totals(document) == "60.00 + 12.00 = 72.00 USD"
    last = document.lines.get(kind="ONE_OFF")
    assert (last.product_code, last.description, last.charge_count) == ("A-SET-UP", "Fee of 2026-01-10", 0)
    set_up.refresh_from_db()
    assert set_up.invoice_line == last


def test_a_transaction_is_billed_by_its_bill_date_or_else_its_transaction_date() -> None:
    acme = CustomerFactory()
    fee(acme, "1", "2026-01-31")
    fee(acme, "1", "2026-02-01")
    fee(acme, "1", "2026-01-05", "2026-02-01")
    fee(acme, "1", "2026-02-15", "2026-01-31")
    # Before 1 February: the first by its transaction date, the last by its bill date.
    january = bill()
    assert billed_in(january, acme) == ["Fee of 2026-01-31", "Fee of 2026-02-15"]
    assert billed_in(bill(**FEBRUARY), acme) == ["Fee of 2026-02-01", "Fee of 2026-01-05"]


def test_with_a_transaction_cutoff_date_the_transaction_date_counts_whatever_the_bill_date() -> None:
    acme = CustomerFactory()
    fee(acme, "1", "2026-01-31")
    fee(acme, "1", "2026-02-05")
    fee(acme, "1", "2026-02-05", "2026-06-01")
    fee(acme, "1", "2026-02-06", "2026-01-01")
    # Up to and on 5 February.
    run = bill(transaction_cutoff_date=date(2026, 2, 5))
    assert billed_in(run, acme) == ["Fee of 2026-01-31", "Fee of 2026-02-05", "Fee of 2026-02-05"]


def test_a_tax_rate_of_its_own_makes_a_second_tax() -> None:
    acme, call = customer_at("0.10", tax_rate=TaxRateFactory(percent=Decimal(19)))
    use(acme, call, 105)
    fee(acme, "3.33", "2026-01-10", tax_rate=TaxRateFactory(percent=Decimal(7)))
    document = invoice(bill(), acme)
    # 10.50 x 19 % = 1.995, so 2.00; 3.33 x 7 % = 0.2331, so 0.23.
    assert taxes(document) == ["19 % of 10.50 = 2.00", "7 % of 3.33 = 0.23"]
    assert totals(document) == "13.83 + 2.23 = 16.06 USD"


def test_a_customer_without_a_tax_rate_is_billed_what_brings_its_own() -> None:
    acme = CustomerFactory(tax_rate=None)
    fee(acme, "10", "2026-01-10", tax_rate=TaxRateFactory(percent=Decimal(7)))
    assert totals(invoice(bill(), acme)) == "10.00 + 0.70 = 10.70 USD"


def test_one_without_any_tax_rate_holds_the_account() -> None:
    acme = CustomerFactory(tax_rate=None)
    fee(acme, "10", "2026-01-10", tax_rate=TaxRateFactory(percent=Decimal(7)))
    untaxed = fee(acme, "10", "2026-01-11")
    assert outcome(bill(), acme) == ("held", "The customer has no tax rate. Give it one.")
    untaxed.refresh_from_db()
    assert untaxed.invoice_line is None


def test_a_refund_larger_than_the_rest_makes_a_credit_note() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    fee(acme, "-25", "2026-01-10", kind="MANUAL")
    run = bill()
    # 10.00 - 25.00 = -15.00; 20 % of it is -3.00.
    assert totals(invoice(run, acme)) == "-15.00 + -3.00 = -18.00 USD"
    post(run)
    assert invoice(run, acme).number == "CN-000001"


def test_a_transaction_is_billed_once() -> None:
    acme = CustomerFactory()
    fee(acme, "1", "2026-01-10")
    bill()
    assert outcome(bill(), acme)[0] == "nothingToBill"
