"""Usage to be credited, and documents that come to less than nothing."""

from datetime import date
from decimal import Decimal

import pytest

from invoicing.models import NumberSeries
from tests.factories import CustomerFactory, TaxRateFactory, TransactionFactory
from tests.runs import (
    FEBRUARY,
    JANUARY,
    bill,
    customer_at,
    invoice,
    lines,
    outcome,
    pending,
    post,
    rate_of,
    totals,
    use,
)

pytestmark = pytest.mark.django_db


def test_a_credit_counts_against_usage_of_the_same_price() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    use(acme, call, 30, billing_directive="TO_BE_CREDITED")
    document = invoice(bill(), acme)
    # 100 x 0.10 - 30 x 0.10 = 7.00. Tax: 20 % of 7.00 = 1.40.
    assert lines(document) == ["70 x 0.1 = 7 -> 7.00"]
    assert totals(document) == "7.00 + 1.40 = 8.40 USD"


def test_a_record_with_its_own_amount_is_credited_with_that() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    own_amount = Decimal("2.5")
    use(acme, call, 30, billing_directive="TO_BE_CREDITED", rating_type="PRERATED", total_amount=own_amount)
    # 100 x 0.10 = 10.00; less 2.50.
    assert lines(invoice(bill(), acme)) == ["100 x 0.1 = 10 -> 10.00", "-30 x - = -2.5 -> -2.50"]


def test_more_credit_than_usage_makes_a_credit_note_with_a_number_of_its_own_series() -> None:
    acme, call = customer_at("0.10", account_number="ACME")
    bell = CustomerFactory(account_number="BELL", rate_cards=[rate_of(call).rate_card])
    use(acme, call, 10)
    use(acme, call, "30.15", billing_directive="TO_BE_CREDITED")
    use(bell, call, 10)
    run = bill()
    document = invoice(run, acme)
    # 1.00 - 3.015 = -2.015, half away from zero: -2.02. Tax: 20 % of -2.02 = -0.404, so -0.40.
    assert lines(document) == ["-20.15 x 0.1 = -2.015 -> -2.02"]
    assert totals(document) == "-2.02 + -0.40 = -2.42 USD"
    post(run)
    numbers = [(found.kind, found.number) for found in (invoice(run, acme), invoice(run, bell))]
    assert numbers == [("CREDIT_NOTE", "CN-000001"), ("INVOICE", "INV-000001")]
    assert dict(NumberSeries.objects.values_list("kind", "next_number")) == {"CREDIT_NOTE": 2, "INVOICE": 2}


def test_a_credit_below_the_minimum_waits_too() -> None:
    acme, call = customer_at("0.10", minimum_invoice_amount=Decimal(5))
    credit = use(acme, call, 30, billing_directive="TO_BE_CREDITED")
    run = bill()
    assert outcome(run, acme) == (
        "nothingToBill",
        "It comes to -3.00 USD, less than the minimum of 5 USD. It waits until it adds up.",
    )
    assert pending(acme) == {credit.id}


def test_credit_and_usage_that_come_to_nothing_wait() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 10)
    use(acme, call, 10, billing_directive="TO_BE_CREDITED")
    run = bill()
    assert outcome(run, acme)[0] == "nothingToBill"
    assert len(pending(acme)) == 2


def test_a_negative_rate_and_a_negative_quantity() -> None:
    acme, discount = customer_at("-0.10")
    use(acme, discount, 40)
    use(acme, discount, -15)
    # 40 x -0.10 = -4.00 and -15 x -0.10 = 1.50: together -2.50.
    assert lines(invoice(bill(), acme)) == ["25 x -0.1 = -2.5 -> -2.50"]


def test_a_minimum_is_reached_by_adding_up() -> None:
    acme, call = customer_at("0.10", minimum_invoice_amount=Decimal(5))
    first = use(acme, call, 20)
    january = bill(**JANUARY)
    assert outcome(january, acme) == (
        "nothingToBill",
        "It comes to 2.00 USD, less than the minimum of 5 USD. It waits until it adds up.",
    )
    assert pending(acme) == {first.id}
    use(acme, call, 30, on="2026-02-10")
    # 20 x 0.10 of January and 30 x 0.10 of February: 5.00, which reaches it. Nothing of it was late.
    february = bill(**FEBRUARY)
    document = invoice(february, acme)
    assert lines(document) == ["50 x 0.1 = 5 -> 5.00"]
    assert document.lines.get().late_period is None
    assert pending(acme) == set()


def test_the_usual_minimum_is_one_minor_unit() -> None:
    acme, byte = customer_at("0.0001")
    use(acme, byte, 49)
    run = bill()
    # 49 x 0.0001 = 0.0049, so 0.00.
    assert outcome(run, acme) == (
        "nothingToBill",
        "It comes to 0.00 USD, less than the minimum of 0.01 USD. It waits until it adds up.",
    )
    # A fiftieth makes 0.0050, so 0.01.
    use(acme, byte, 1, on="2026-02-10")
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["50 x 0.0001 = 0.005 -> 0.01"]


def test_a_transaction_below_the_minimum_waits_with_the_usage() -> None:
    acme, call = customer_at("0.10", minimum_invoice_amount=Decimal(5))
    use(acme, call, 20)
    fee = TransactionFactory(customer=acme, unit_price=Decimal("2.99"), transaction_date=date(2026, 1, 10))
    # 2.00 + 2.99 = 4.99.
    assert outcome(bill(), acme)[0] == "nothingToBill"
    fee.refresh_from_db()
    assert fee.invoice_line is None
    use(acme, call, "0.1", on="2026-02-10")
    assert totals(invoice(bill(**FEBRUARY), acme)) == "5.00 + 1.00 = 6.00 USD"


@pytest.mark.parametrize(
    ("taxed", "untaxed", "number", "total"),
    [
        # 10.00 - 9.00 = 1.00, less 20 % of 9.00 = 1.80: 0.80 are owed to the customer.
        (-9, 10, "CN-000001", "1.00 + -1.80 = -0.80 USD"),
        # -10.00 + 9.00 = -1.00, and 1.80 of tax on 9.00: the customer owes 0.80.
        (9, -10, "INV-000001", "-1.00 + 1.80 = 0.80 USD"),
    ],
)
def test_the_total_says_whether_it_is_a_credit_note(taxed: int, untaxed: int, number: str, total: str) -> None:
    acme = CustomerFactory()
    TransactionFactory(customer=acme, unit_price=Decimal(taxed))
    TransactionFactory(customer=acme, unit_price=Decimal(untaxed), tax_rate=TaxRateFactory(percent=Decimal(0)))
    document = invoice(post(bill()), acme)
    assert (document.number, totals(document)) == (number, total)
