"""Coupons and account credits: percents first, then amounts until they are used up, before tax, never below nothing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.operations.undo import undo_run
from customers.models import Customer
from invoicing.models import AccountCredit, CreditUse, Invoice
from tests.credits import amounts, left, used
from tests.factories import AccountCreditFactory, TaxRateFactory, TransactionFactory
from tests.runs import FEBRUARY, bill, customer_at, invoice, outcome, post, taxes, totals, use

pytestmark = pytest.mark.django_db

FULL, REDUCED = Decimal(19), Decimal(7)


def customer_of(net: str | None = None, **fields: Any) -> Customer:
    """A customer in euros at 19 %, with usage of so much in January."""
    fields = {"currency": "EUR", "tax_rate": TaxRateFactory(percent=FULL)} | fields
    acme, call = customer_at("1", **fields)
    if net is not None:
        use(acme, call, net)
    return acme


def fee(customer: Customer, amount: str, percent: Decimal = FULL, **fields: Any) -> None:
    """A transaction of January at a tax rate."""
    TransactionFactory(
        customer=customer, unit_price=Decimal(amount), tax_rate=TaxRateFactory(percent=percent), **fields
    )


def credit(customer: Customer, code: str, **fields: Any) -> AccountCredit:
    return AccountCreditFactory(customer=customer, code=code, description=f"Credit {code}", **fields)


def billed(customer: Customer, **dates: Any) -> Invoice:
    return invoice(bill(**dates), customer)


def test_a_percent_is_taken_off_before_tax() -> None:
    acme = customer_of("100")
    credit(acme, "TEN", percent=Decimal(10))
    document = billed(acme)
    # 10 % of 100 are 10; 19 % of the 90 that are left are 17.10.
    assert amounts(document) == ["USAGE 100 -> 100.00 at 19 %", "CREDIT TEN -10 -> -10.00 at 19 %"]
    assert (taxes(document), totals(document)) == (["19 % of 90.00 = 17.10"], "90.00 + 17.10 = 107.10 EUR")
    line = document.lines.get(kind="CREDIT")
    assert (line.description, line.quantity, line.unit_price) == ("Credit TEN", Decimal(1), Decimal(-10))
    assert used(document) == ["TEN 10"]


def test_percents_come_first_then_amounts_in_their_order() -> None:
    acme = customer_of("200")
    credit(acme, "LATER", amount=Decimal(50), position=3)
    sooner = credit(acme, "SOONER", amount=Decimal(30), position=2)
    credit(acme, "HALF", percent=Decimal(50), position=9)
    document = billed(acme)
    # Half of 200 is 100; 30 and 50 off the rest are 20, and 19 % of it 3.80.
    assert amounts(document) == [
        "USAGE 200 -> 200.00 at 19 %",
        "CREDIT HALF -100 -> -100.00 at 19 %",
        "CREDIT SOONER -30 -> -30.00 at 19 %",
        "CREDIT LATER -50 -> -50.00 at 19 %",
    ]
    assert totals(document) == "20.00 + 3.80 = 23.80 EUR"
    assert left(sooner) == 0


def test_percents_together_are_at_most_100() -> None:
    acme = customer_of("80")
    for code, percent in (("A", 60), ("B", 30), ("C", 25), ("D", 5)):
        credit(acme, code, percent=Decimal(percent))
    # 60 % and 30 % are 90 %; of the 25 % only 10 % count, and the last not at all: 48 + 24 + 8 = 80.
    document = billed(acme)
    assert amounts(document) == [
        "USAGE 80 -> 80.00 at 19 %",
        "CREDIT A -48 -> -48.00 at 19 %",
        "CREDIT B -24 -> -24.00 at 19 %",
        "CREDIT C -8 -> -8.00 at 19 %",
    ]
    assert totals(document) == "0.00 + 0.00 = 0.00 EUR"


def test_each_percent_is_of_the_net_before_credits() -> None:
    acme = customer_of("100")
    credit(acme, "A", percent=Decimal(10))
    credit(acme, "B", percent=Decimal(20))
    # 10 and 20, not 10 and 18.
    assert totals(billed(acme)) == "70.00 + 13.30 = 83.30 EUR"


def test_an_amount_is_used_up_over_the_months() -> None:
    acme = customer_of("30")
    gift = credit(acme, "GIFT", amount=Decimal(50))
    january = bill()
    # 30 of the 50 cover January; it is billed although nothing is to pay.
    assert totals(invoice(january, acme)) == "0.00 + 0.00 = 0.00 EUR"
    assert left(gift) == 20
    post(january)
    fee(acme, "45", transaction_date=date(2026, 2, 10))
    # The 20 that are left cover a part of February's 45.
    document = billed(acme, **FEBRUARY)
    assert amounts(document) == ["MANUAL 45 -> 45.00 at 19 %", "CREDIT GIFT -20 -> -20.00 at 19 %"]
    assert totals(document) == "25.00 + 4.75 = 29.75 EUR"
    assert (left(gift), used(document)) == (Decimal(0), ["GIFT 20"])


def test_a_draft_gives_its_credits_back() -> None:
    acme = customer_of("30")
    gift = credit(acme, "GIFT", amount=Decimal(50))
    run = bill()
    assert left(gift) == 20
    undo_run(run_id=run.pk)
    assert (left(gift), CreditUse.objects.count()) == (Decimal(50), 0)


def test_over_two_tax_rates_an_amount_goes_by_what_is_at_each() -> None:
    acme = customer_of()
    fee(acme, "20", FULL)
    fee(acme, "10", REDUCED)
    credit(acme, "GIFT", amount=Decimal("10.01"))
    document = billed(acme)
    # 1001 cents over 2000 and 1000: 667.33 and 333.66; the cent that is left goes to the larger remainder, .66.
    assert amounts(document) == [
        "MANUAL 10 -> 10.00 at 7 %",
        "MANUAL 20 -> 20.00 at 19 %",
        "CREDIT GIFT -6.67 -> -6.67 at 19 %",
        "CREDIT GIFT -3.34 -> -3.34 at 7 %",
    ]
    # 13.33 x 19 % = 2.5327; 6.66 x 7 % = 0.4662.
    assert taxes(document) == ["19 % of 13.33 = 2.53", "7 % of 6.66 = 0.47"]
    assert totals(document) == "19.99 + 3.00 = 22.99 EUR"


def test_over_two_tax_rates_a_percent_is_of_what_is_at_each() -> None:
    acme = customer_of()
    fee(acme, "20.05", FULL)
    fee(acme, "10.03", REDUCED)
    credit(acme, "HALF", percent=Decimal(50))
    document = billed(acme)
    # 20.05 - 10.025 = 10.025, rounded 10.03; 10.03 - 5.015 = 5.015, rounded 5.02.
    assert amounts(document) == [
        "MANUAL 10.03 -> 10.03 at 7 %",
        "MANUAL 20.05 -> 20.05 at 19 %",
        "CREDIT HALF -10.025 -> -10.02 at 19 %",
        "CREDIT HALF -5.015 -> -5.01 at 7 %",
    ]
    assert taxes(document) == ["19 % of 10.03 = 1.91", "7 % of 5.02 = 0.35"]


def test_two_amounts_over_two_tax_rates_cover_the_same_cents_in_turn() -> None:
    acme = customer_of()
    fee(acme, "60", FULL)
    fee(acme, "40", REDUCED)
    first = credit(acme, "FIRST", amount=Decimal(30))
    second = credit(acme, "SECOND", amount=Decimal(20))
    document = billed(acme)
    # 50 over 60 and 40: 30 and 20. The first covers the 30 at 19 %, the second the 20 at 7 %.
    assert amounts(document)[2:] == ["CREDIT FIRST -30 -> -30.00 at 19 %", "CREDIT SECOND -20 -> -20.00 at 7 %"]
    assert [left(first), left(second)] == [Decimal(0)] * 2


def test_credits_never_make_the_net_negative() -> None:
    acme = customer_of()
    fee(acme, "20", FULL)
    fee(acme, "-5", REDUCED)
    gift = credit(acme, "GIFT", amount=Decimal(100))
    document = billed(acme)
    # 20 - 5 = 15 is what there is to take off, all of it where there is something: 20 - 15 = 5 and -5.
    assert amounts(document)[2:] == ["CREDIT GIFT -15 -> -15.00 at 19 %"]
    assert taxes(document) == ["19 % of 5.00 = 0.95", "7 % of -5.00 = -0.35"]
    assert (totals(document), left(gift)) == ("0.00 + 0.60 = 0.60 EUR", Decimal(85))


def test_a_percent_of_less_than_nothing_at_one_tax_rate_uses_nothing() -> None:
    acme = customer_of()
    fee(acme, "20", FULL)
    fee(acme, "-5", REDUCED)
    credit(acme, "TEN", percent=Decimal(10))
    document = billed(acme)
    # 10 % of 20 and of -5: 18 and -4.50, together 90 % of 15.
    assert amounts(document)[2:] == ["CREDIT TEN -2 -> -2.00 at 19 %", "CREDIT TEN 0.5 -> 0.50 at 7 %"]
    assert used(document) == ["TEN 2", "TEN 0"]
    assert document.net_amount == Decimal("13.5")


def test_a_credit_note_uses_no_credit() -> None:
    acme = customer_of()
    fee(acme, "-20")
    gift = credit(acme, "GIFT")
    assert totals(billed(acme)) == "-20.00 + -3.80 = -23.80 EUR"
    assert left(gift) == 50


def test_half_a_cent_that_is_used_up_comes_to_nothing() -> None:
    acme = customer_of("1.005")
    gift = credit(acme, "GIFT")
    document = billed(acme)
    # 1.005 is 1.01 rounded. 1.01 off would leave -0.005, which is -0.01 rounded: half a cent less is taken off exactly.
    assert amounts(document) == ["USAGE 1.005 -> 1.01 at 19 %", "CREDIT GIFT -1.005 -> -1.01 at 19 %"]
    assert (totals(document), left(gift)) == ("0.00 + 0.00 = 0.00 EUR", Decimal("48.99"))


@pytest.mark.parametrize(
    ("fields", "net"),
    [
        # The tax point is 31 January.
        ({"start_date": date(2026, 1, 31)}, "90"),
        ({"start_date": date(2026, 2, 1)}, "100"),
        ({"end_date": date(2026, 2, 1)}, "90"),
        ({"end_date": date(2026, 1, 31)}, "100"),
    ],
)
def test_a_credit_counts_from_its_start_until_before_its_end(fields: dict[str, date], net: str) -> None:
    acme = customer_of("100")
    credit(acme, "TEN", amount=Decimal(10), **fields)
    assert billed(acme).net_amount == Decimal(net)


def test_an_amount_in_another_currency_does_not_count() -> None:
    acme = customer_of("100")
    credit(acme, "DOLLARS", currency=customer_at("1")[0].currency)
    assert billed(acme).net_amount == 100


def test_digits_below_the_minor_unit_are_not_used() -> None:
    acme = customer_of("100")
    gift = credit(acme, "GIFT", amount=Decimal("10.0099"))
    assert billed(acme).net_amount == 90
    assert left(gift) == Decimal("0.0099")


def test_what_credits_alone_bring_below_the_minimum_is_billed() -> None:
    acme, small = (
        customer_of("30", minimum_invoice_amount=Decimal(20)),
        customer_of("10", minimum_invoice_amount=Decimal(20)),
    )
    for one in (acme, small):
        credit(one, "GIFT", amount=Decimal(25))
    run = bill()
    assert totals(invoice(run, acme)) == "5.00 + 0.95 = 5.95 EUR"
    # 10 are below 20 without any credit: they wait, and the credit does too.
    assert outcome(run, small)[0] == "nothingToBill"
    assert left(AccountCredit.objects.get(customer=small)) == 25
