"""Invoices below the customer's minimum: they wait, are filled up, or cost a fee; and invoices of nothing."""

from decimal import Decimal
from typing import Any

import pytest

from billing.models import RunAccount
from billing.operations.run_accounts import hold_account, release_account
from billing.operations.runs import commence_run
from customers.models import Customer
from tests.credits import amounts
from tests.factories import AccountCreditFactory, CustomerFactory, ProductFactory, TransactionFactory
from tests.runs import AT, FEBRUARY, bill, customer_at, invoice, new_run, outcome, post, produce, totals, use

pytestmark = pytest.mark.django_db

NOTHING = ("nothingToBill", "No usage and no transactions before the cutoff.")
PAD = {"minimum_invoice_amount": Decimal(50), "minimum_rule": "pad"}
FEE = {"minimum_invoice_amount": Decimal(50), "minimum_rule": "fee", "low_usage_fee": Decimal("4.90")}


def customer_of(net: str | None, **fields: Any) -> Customer:
    acme, call = customer_at("1", **fields)
    if net is not None:
        use(acme, call, net)
    return acme


def test_an_invoice_is_filled_up_to_the_minimum() -> None:
    acme = customer_of("30", **PAD)
    document = invoice(bill(), acme)
    assert amounts(document) == ["USAGE 30 -> 30.00 at 20 %", "MINIMUM 20 -> 20.00 at 20 %"]
    line = document.lines.get(kind="MINIMUM")
    assert (line.description, line.unit_price) == ("Filled up to the minimum of 50.00 USD", Decimal(20))
    assert totals(document) == "50.00 + 10.00 = 60.00 USD"


def test_an_invoice_below_the_minimum_costs_a_fee() -> None:
    acme = customer_of("30", **FEE)
    document = invoice(bill(), acme)
    assert amounts(document) == ["USAGE 30 -> 30.00 at 20 %", "FEE 4.9 -> 4.90 at 20 %"]
    assert document.lines.get(kind="FEE").description == "Low-usage fee below 50.00 USD"
    assert totals(document) == "34.90 + 6.98 = 41.88 USD"


@pytest.mark.parametrize("terms", [PAD, FEE], ids=["pad", "fee"])
def test_at_the_minimum_nothing_is_added(terms: dict[str, Any]) -> None:
    acme = customer_of("50", **terms)
    assert amounts(invoice(bill(), acme)) == ["USAGE 50 -> 50.00 at 20 %"]


@pytest.mark.parametrize(("terms", "said"), [(PAD, "MINIMUM 50 -> 50.00"), (FEE, "FEE 4.9 -> 4.90")])
def test_nothing_to_bill_is_below_the_minimum_too(terms: dict[str, Any], said: str) -> None:
    acme = customer_of(None, **terms)
    assert amounts(invoice(bill(), acme)) == [f"{said} at 20 %"]


@pytest.mark.parametrize("status", ["SUSPENDED", "CLOSED"])
def test_only_active_customers_are_filled_up(status: str) -> None:
    acme = customer_of("30", status=status, **PAD)
    assert outcome(bill(), acme) == (
        "nothingToBill",
        "It comes to 30.00 USD, less than the minimum of 50 USD. It waits until it adds up.",
    )


def test_less_than_nothing_is_not_filled_up() -> None:
    acme = CustomerFactory(**PAD)
    TransactionFactory(customer=acme, unit_price=Decimal(-60))
    assert totals(invoice(bill(), acme)) == "-60.00 + -12.00 = -72.00 USD"


def test_the_minimum_is_of_the_net_after_credits() -> None:
    acme = customer_of("60", **PAD)
    AccountCreditFactory(customer=acme, code="GIFT", amount=Decimal(25))
    # 60 - 25 = 35; 15 more are 50.
    assert amounts(invoice(bill(), acme)) == [
        "USAGE 60 -> 60.00 at 20 %",
        "CREDIT GIFT -25 -> -25.00 at 20 %",
        "MINIMUM 15 -> 15.00 at 20 %",
    ]


def test_a_period_is_filled_up_once() -> None:
    acme = customer_of("30", **PAD)
    post(bill())
    again = bill()
    assert outcome(again, acme) == NOTHING


def test_the_terms_are_those_of_when_the_run_was_commenced() -> None:
    acme = customer_of("30", **PAD)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    Customer.objects.filter(pk=acme.pk).update(minimum_rule="skip")
    assert invoice(produce(run), acme).net_amount == 50


def test_usage_without_a_price_is_not_made_up_for_by_the_minimum() -> None:
    acme = CustomerFactory(**PAD)
    use(acme, ProductFactory(), 1)
    assert outcome(bill(bill_unpriced=True), acme)[0] == "held"


def test_half_a_cent_below_nothing_at_the_customers_tax_rate_does_not_miss_the_minimum() -> None:
    acme = CustomerFactory(**PAD)
    other = CustomerFactory(tax_rate__percent=Decimal(7)).tax_rate
    TransactionFactory(customer=acme, unit_price=Decimal("-0.005"))
    TransactionFactory(customer=acme, unit_price=Decimal(1), tax_rate=other)
    # -0.005 is -0.01 rounded, so there are 0.99. 49.01 more would make it 49.005, rounded 49.01, and 50.01 in all: half
    # a cent less makes it 49.00.
    document = invoice(bill(), acme)
    assert amounts(document)[2] == "MINIMUM 49.005 -> 49.00 at 20 %"
    assert document.net_amount == 50


def test_a_customer_with_nothing_to_bill_that_wants_one_gets_an_invoice_of_0() -> None:
    acme, other = CustomerFactory(wants_zero_invoices=True), CustomerFactory()
    run = bill()
    document = invoice(post(run), acme)
    assert (document.number, totals(document), amounts(document)) == ("INV-000001", "0.00 + 0.00 = 0.00 USD", [])
    assert outcome(run, other) == NOTHING
    # For each period once.
    assert outcome(bill(), acme) == NOTHING


def test_an_invoice_of_0_has_the_lines_that_come_to_0() -> None:
    acme, call = customer_at("0", wants_zero_invoices=True)
    use(acme, call, 500)
    assert amounts(invoice(bill(), acme)) == ["USAGE 0 -> 0.00 at 20 %"]


def test_a_customer_that_is_not_active_gets_no_invoice_of_0() -> None:
    acme = CustomerFactory(wants_zero_invoices=True, status="SUSPENDED")
    assert outcome(bill(), acme) == NOTHING


@pytest.mark.parametrize("terms", [PAD, FEE, {"wants_zero_invoices": True}], ids=["pad", "fee", "nothing"])
def test_a_period_that_another_run_billed_is_not_filled_up_again(terms: dict[str, Any]) -> None:
    acme = CustomerFactory(**terms)
    held = RunAccount.objects.get(run=bill(), customer=acme)
    hold_account(account_id=held.pk, reason="Asked to wait.")
    assert outcome(bill(), acme)[0] == "invoiced"
    assert release_account(account_id=held.pk).outcome == "nothingToBill"


def test_a_period_that_was_held_is_filled_up_though_the_next_one_was_billed() -> None:
    acme = CustomerFactory(**PAD)
    held = RunAccount.objects.get(run=bill(), customer=acme)
    hold_account(account_id=held.pk, reason="Asked to wait.")
    assert invoice(bill(**FEBRUARY), acme).net_amount == 50
    assert release_account(account_id=held.pk).outcome == "invoiced"
