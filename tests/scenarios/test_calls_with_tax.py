"""Calls by the minute, billed in seconds, with 19 % VAT."""

from decimal import Decimal

import pytest

from tests.factories import TaxRateFactory
from tests.runs import AT, account, bill, customer_at, invoice, lines, outcome, pending, post, taxes, totals, use

pytestmark = pytest.mark.django_db


def test_calls_by_the_minute_with_19_percent() -> None:
    # 0.09 EUR a minute, that is per 60 seconds.
    acme, call = customer_at(
        "0.09", currency="EUR", tax_rate=TaxRateFactory(percent=Decimal(19)), rate__unit_size=Decimal(60)
    )
    use(acme, call, 185)
    use(acme, call, 60)
    use(acme, call, 7)
    run = bill()
    bill_of_acme = invoice(run, acme)
    # 185 s x 0.09 / 60 = 0.2775; 60 s = 0.09; 7 s = 0.0105; together 0.378, rounded once: 0.38.
    assert lines(bill_of_acme) == ["252 x 0.09 / 60 = 0.378 -> 0.38"]
    # 0.38 x 19 % = 0.0722, so 0.07.
    assert taxes(bill_of_acme) == ["19 % of 0.38 = 0.07"]
    assert totals(bill_of_acme) == "0.38 + 0.07 = 0.45 EUR"
    assert outcome(run, acme) == ("invoiced", "")
    assert (account(run, acme).record_count, account(run, acme).exact_amount) == (3, Decimal("0.378"))
    assert pending(acme) == set()
    assert (run.status, post(run).approved_at) == ("completed", AT)
    bill_of_acme.refresh_from_db()
    assert (bill_of_acme.state, bill_of_acme.number) == ("POSTED", "INV-000001")


def test_each_call_rounded_up_by_the_rate_itself() -> None:
    acme, call = customer_at(
        "0.09",
        currency="EUR",
        rate__unit_size=Decimal(60),
        rate__rounding_digits=2,
        rate__rounding_mode="up",
    )
    use(acme, call, 185)
    use(acme, call, 60)
    use(acme, call, 7)
    # 0.2775 -> 0.28; 0.09 stays; 0.0105 -> 0.02; together 0.39. Tax: 20 % of 0.39 = 0.078, so 0.08.
    document = invoice(bill(), acme)
    assert lines(document) == ["252 x 0.09 / 60 = 0.39 -> 0.39"]
    assert totals(document) == "0.39 + 0.08 = 0.47 EUR"


def test_a_record_that_brings_its_own_amount_is_not_priced_again() -> None:
    acme, call = customer_at("0.09")
    use(acme, call, 10)
    use(acme, call, 10, rating_type="PRERATED", total_amount=Decimal("1.5"))
    # Two lines: 10 x 0.09 = 0.90 by the price list, and 1.50 as the record says, which has no unit price.
    assert lines(invoice(bill(), acme)) == ["10 x 0.09 = 0.9 -> 0.90", "10 x - = 1.5 -> 1.50"]


def test_usage_not_to_be_billed_is_on_no_invoice() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    use(acme, call, 100, billing_directive="NOT_TO_BE_BILLED")
    assert totals(invoice(bill(), acme)) == "5.00 + 1.00 = 6.00 USD"


def test_the_inbox_does_not_get_unbillable_usage_billed() -> None:
    # Rows that should not be in the inbox: a draft, a cancelled record and one that is not to be billed.
    acme, call = customer_at("1")
    use(acme, call, 5)
    for fields in (
        {"billing_directive": "NOT_TO_BE_BILLED"},
        {"life_cycle_state": "CANCELLED"},
        {"life_cycle_state": "DRAFT"},
    ):
        use(acme, call, 100, pending=True, **fields)
    assert totals(invoice(bill(), acme)) == "5.00 + 1.00 = 6.00 USD"


def test_usage_at_a_price_of_zero_is_shown_beside_what_costs() -> None:
    acme, call = customer_at("1")
    free, free_call = customer_at("0")
    use(acme, call, 5)
    use(free, free_call, 500)
    run = bill()
    assert totals(invoice(run, acme)) == "5.00 + 1.00 = 6.00 USD"
    # Alone it comes to nothing: it waits for something to be billed with.
    assert outcome(run, free) == (
        "nothingToBill",
        "It comes to 0.00 USD, less than the minimum of 0.01 USD. It waits until it adds up.",
    )


def test_a_customer_that_wants_zero_invoices_gets_one() -> None:
    acme, call = customer_at("0", minimum_invoice_amount=Decimal(0))
    use(acme, call, 500)
    document = invoice(bill(), acme)
    assert (document.kind, totals(document), lines(document)) == (
        "INVOICE",
        "0.00 + 0.00 = 0.00 USD",
        ["500 x 0 = 0 -> 0.00"],
    )
