"""The tax of a document is that of its tax point, the last day of its period; reverse charge, exemption."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.operations.runs import commence_run
from catalog.models import TaxRate
from catalog.operations.tax_rates import replace_tax_rate
from customers.models import Customer
from invoicing.operations.posting import PostingRefused, post_invoices
from tests.credits import amounts
from tests.factories import TaxRateFactory, TransactionFactory
from tests.runs import AT, FEBRUARY, bill, customer_at, invoice, new_run, outcome, produce, taxes, totals, use

pytestmark = pytest.mark.django_db

NOTE = "Steuerschuldnerschaft des Leistungsempfängers / Reverse charge"


def customer_of(tax_rate: TaxRate, **fields: Any) -> Customer:
    """A customer with usage of 100 in January."""
    acme, call = customer_at("1", tax_rate=tax_rate, **fields)
    use(acme, call, 100)
    return acme


def later(rate: TaxRate, percent: str, start: date) -> TaxRate:
    return replace_tax_rate(tax_rate_id=rate.pk, name=f"VAT {percent} %", percent=Decimal(percent), start_date=start)


def untaxed(treatment: str, note: str = NOTE) -> TaxRate:
    return TaxRateFactory(name=treatment, percent=0, treatment=treatment, note=note)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        # January's tax point is the 31st.
        (date(2026, 1, 31), "21 % of 100.00 = 21.00"),
        (date(2026, 2, 1), "20 % of 100.00 = 20.00"),
    ],
)
def test_a_new_percent_holds_from_the_tax_point_that_it_starts_on(start: date, expected: str) -> None:
    standard = TaxRateFactory()
    acme = customer_of(standard)
    later(standard, "21", start)
    document = invoice(bill(), acme)
    assert (document.tax_point, taxes(document)) == (date(2026, 1, 31), [expected])


def test_of_several_new_percents_the_last_that_has_started_holds() -> None:
    first = TaxRateFactory()
    acme = customer_of(first)
    second = later(first, "16", date(2025, 7, 1))
    third = later(second, "19", date(2026, 1, 1))
    later(third, "22", date(2027, 1, 1))
    assert taxes(invoice(bill(), acme)) == ["19 % of 100.00 = 19.00"]


def test_before_a_new_percent_starts_the_old_one_holds_also_for_who_has_the_new_one() -> None:
    new = later(TaxRateFactory(), "21", date(2026, 3, 1))
    acme = customer_of(new)
    assert taxes(invoice(bill(), acme)) == ["20 % of 100.00 = 20.00"]


def test_a_transactions_own_tax_rate_follows_the_tax_point_too() -> None:
    reduced = TaxRateFactory(percent=Decimal(7))
    acme = customer_of(TaxRateFactory())
    TransactionFactory(customer=acme, unit_price=Decimal(10), tax_rate=reduced)
    later(reduced, "5", date(2026, 1, 1))
    assert taxes(invoice(bill(), acme)) == ["20 % of 100.00 = 20.00", "5 % of 10.00 = 0.50"]


@pytest.mark.django_db(transaction=True)
def test_a_percent_that_comes_after_the_run_was_commenced_is_not_in_it() -> None:
    standard = TaxRateFactory()
    acme = customer_of(standard)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    later(standard, "21", date(2026, 1, 1))
    assert taxes(invoice(produce(run), acme)) == ["20 % of 100.00 = 20.00"]


def test_reverse_charge_is_no_tax_and_says_why() -> None:
    acme = customer_of(untaxed("reverseCharge"), vat_number="ATU12345678")
    reduced = TaxRateFactory(percent=Decimal(7))
    TransactionFactory(customer=acme, unit_price=Decimal(10), tax_rate=reduced)
    document = invoice(bill(), acme)
    # Whatever the transaction says: the customer owes all tax itself.
    assert amounts(document) == ["USAGE 100 -> 100.00 at 0 %", "MANUAL 10 -> 10.00 at 0 %"]
    assert [(tax.name, tax.note) for tax in document.taxes.all()] == [("reverseCharge", NOTE)]
    assert (totals(document), document.customer_vat_number) == ("110.00 + 0.00 = 110.00 USD", "ATU12345678")


def test_reverse_charge_without_a_vat_number_is_held() -> None:
    acme = customer_of(untaxed("reverseCharge"))
    assert outcome(bill(), acme) == (
        "held",
        "The customer owes the tax itself (reverse charge), and its VAT number is missing. Add it to the customer.",
    )


def test_a_vat_number_that_went_after_production_is_missed_when_posting() -> None:
    acme = customer_of(untaxed("reverseCharge"), vat_number="ATU12345678", account_number="ACME")
    document = invoice(bill(), acme)
    Customer.objects.filter(pk=acme.pk).update(vat_number="")
    said = (
        r"^Customer ACME owes the tax of its document itself \(reverse charge\), and its VAT number is missing\. "
        r"Add it to the customer\.$"
    )
    with pytest.raises(PostingRefused, match=said):
        post_invoices(invoice_ids=[document.pk], at=AT)


def test_an_exempt_customer_needs_no_vat_number() -> None:
    acme = customer_of(untaxed("exempt", "Exempt: article 151 of the VAT directive"))
    document = invoice(bill(), acme)
    assert totals(document) == "100.00 + 0.00 = 100.00 USD"
    assert document.taxes.get().note == "Exempt: article 151 of the VAT directive"


def test_a_customer_that_becomes_untaxed_from_a_day_on() -> None:
    standard = TaxRateFactory()
    acme = customer_of(standard, vat_number="ATU12345678")
    replace_tax_rate(
        tax_rate_id=standard.pk,
        name="Reverse charge from February",
        percent=Decimal(0),
        treatment="reverseCharge",
        note=NOTE,
        start_date=date(2026, 2, 1),
    )
    TransactionFactory(customer=acme, unit_price=Decimal(10), transaction_date=date(2026, 2, 3))
    assert taxes(invoice(bill(), acme)) == ["20 % of 100.00 = 20.00"]
    assert taxes(invoice(bill(**FEBRUARY), acme)) == ["0 % of 10.00 = 0.00"]
