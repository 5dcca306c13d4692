"""A run with credits, minimums and sellers is computed again to the same documents; what was tampered with is found."""

from decimal import Decimal

import pytest
from django.db.models import F

from billing.models import BillingRun
from billing.operations.verification import verify_run
from customers.models import Customer
from invoicing.models import InvoiceLine, InvoiceTax
from tests.billing.received import behind_its_back
from tests.factories import (
    AccountCreditFactory,
    CustomerFactory,
    LegalEntityFactory,
    TaxRateFactory,
    TransactionFactory,
)
from tests.runs import bill, customer_at, post, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> BillingRun:
    """Percents and an amount over two tax rates, percents of more than 100 together; a minimum, a fee, a nothing."""
    LegalEntityFactory(code="N", is_default=True, name="North Ltd")
    acme, call = customer_at("0.333", account_number="A")
    use(acme, call, 1001)
    TransactionFactory(customer=acme, unit_price=Decimal("50.005"), tax_rate=TaxRateFactory(percent=Decimal(7)))
    AccountCreditFactory(customer=acme, code="FIRST", percent=Decimal("33.3333"))
    AccountCreditFactory(customer=acme, code="SECOND", percent=Decimal("12.5"))
    AccountCreditFactory(customer=acme, code="GIFT", amount=Decimal("20.01"))
    free, free_call = customer_at("1", account_number="B")
    use(free, free_call, "1.005")
    for percent in (60, 60):
        AccountCreditFactory(customer=free, code=f"P{percent}", percent=Decimal(percent))
    CustomerFactory(account_number="C", minimum_invoice_amount=Decimal(50), minimum_rule="pad")
    fee = {"minimum_invoice_amount": Decimal(50), "minimum_rule": "fee", "low_usage_fee": Decimal("4.9")}
    TransactionFactory(customer=CustomerFactory(account_number="D", **fee), unit_price=Decimal("1.239"))
    CustomerFactory(account_number="E", wants_zero_invoices=True)
    return post(bill())


def test_it_is_identical(run: BillingRun) -> None:
    verified = verify_run(run_id=run.pk)
    assert (verified.invoice_count, verified.identical_count, verified.first) == (5, 5, None)


@pytest.mark.parametrize(
    ("kind", "account_number", "said"),
    [
        # 33.3333 % of 1001 x 0.333 = 333.333 are 111.110888889.
        ("CREDIT", "A", "INV-N-000001: line 3: exact amount is -111.109888889, computed again it is -111.110888889."),
        ("MINIMUM", "C", "INV-N-000003: line 1: unit price is 50, computed again it is 50.001."),
        ("FEE", "D", "INV-N-000004: line 2: exact amount is 4.901, computed again it is 4.9."),
    ],
)
def test_a_changed_line_is_found(run: BillingRun, kind: str, account_number: str, said: str) -> None:
    line = InvoiceLine.objects.filter(kind=kind, invoice__customer__account_number=account_number).earliest("id")
    with behind_its_back():
        InvoiceLine.objects.filter(pk=line.pk).update(exact_amount=F("exact_amount") + Decimal("0.001"))
    assert str(verify_run(run_id=run.pk).first) == said


def test_a_changed_note_and_seller_are_found(run: BillingRun) -> None:
    with behind_its_back():
        InvoiceTax.objects.filter(invoice__customer__account_number="A", percent=7).update(note="Other")
    assert "taxes: SHA-256" in str(verify_run(run_id=run.pk).first)
    document = Customer.objects.get(account_number="A").invoices.get()
    assert document.seller_name == "North Ltd"
