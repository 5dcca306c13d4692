"""Invoices by hand: of chosen transactions, outside of any run, and without a trace in the next one."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.operations.manual_invoices import (
    ManualInvoiceConflict,
    ManualInvoiceRefused,
    create_manual_invoice,
    discard_manual_invoice,
    post_manual_invoice,
)
from customers.models import BilledUntil, Customer
from invoicing.models import Invoice, Transaction
from tests.billing.taken import THEN
from tests.crediting import credit, left
from tests.factories import CustomerFactory, TaxRateFactory, TransactionFactory
from tests.runs import FEBRUARY, bill, customer_at, invoice, lines, post, taxes, totals, use

pytestmark = pytest.mark.django_db(transaction=True)

BY_HAND = date(2026, 2, 5)


def by_hand(customer: Customer, *chosen: Transaction, **fields: Any) -> Invoice:
    ids = [each.pk for each in chosen]
    asked: dict[str, Any] = {"customer_id": customer.pk, "transaction_ids": ids, "invoice_date": BY_HAND, "at": THEN}
    return create_manual_invoice(**(asked | fields))


def waiting(customer: Customer) -> list[str]:
    found = Transaction.objects.filter(customer=customer, invoice_line=None).order_by("id")
    return [each.description for each in found]


def test_chosen_transactions_get_a_document_of_their_own() -> None:
    acme = CustomerFactory(payment_terms_days=14)
    reduced = TaxRateFactory(percent=Decimal(7))
    first = TransactionFactory(customer=acme, unit_price=Decimal("25.00"), description="Set-up")
    TransactionFactory(customer=acme, unit_price=Decimal(9), description="Left out")
    second = TransactionFactory(
        customer=acme, quantity=3, unit_price=Decimal("0.115"), tax_rate=reduced, transaction_date=date(2026, 1, 20)
    )
    draft = by_hand(acme, first, second)
    # 25.00 at 20 % is 5.00; 3 x 0.115 = 0.345: 0.35, of which 7 % is 0.0245: 0.02.
    assert lines(draft) == ["3 x 0.115 = 0.345 -> 0.35", "1 x 25 = 25 -> 25.00"]
    assert taxes(draft) == ["20 % of 25.00 = 5.00", "7 % of 0.35 = 0.02"]
    assert totals(draft) == "25.35 + 5.02 = 30.37 USD"
    assert (draft.state, draft.kind, draft.is_manual) == ("DRAFT", "INVOICE", True)
    # From the first transaction, of 10 January, to the date of the invoice, which is its tax point; due in 14 days.
    days = (draft.period_start, draft.period_end, draft.invoice_date, draft.due_date, draft.tax_point)
    assert [str(day) for day in days] == ["2026-01-10", "2026-02-06", "2026-02-05", "2026-02-19", "2026-02-05"]
    assert (draft.customer_name, draft.accounts_receivable) == (acme.name, acme.accounts_receivable)
    assert waiting(acme) == ["Left out"]
    assert post_manual_invoice(invoice_id=draft.pk, at=THEN).number == "INV-000001"


def test_a_run_does_not_take_what_is_on_it_nor_its_period_for_billed() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    fee = TransactionFactory(customer=acme, unit_price=Decimal(5))
    by_hand(acme, fee, invoice_date=date(2026, 1, 20), posts=True)
    assert not BilledUntil.objects.filter(customer=acme).exists()
    document = invoice(post(bill()), acme)
    assert lines(document) == ["100 x 0.1 = 10 -> 10.00"]
    # January whole, and nothing in it is late.
    assert (str(document.period_start), document.lines.get().late_period) == ("2026-01-01", None)
    # Nor does one of later make February's usage late.
    by_hand(acme, TransactionFactory(customer=acme), invoice_date=date(2026, 2, 20), posts=True)
    use(acme, call, 50, on="2026-02-10")
    february = invoice(post(bill(**FEBRUARY)), acme)
    assert (str(february.period_start), february.lines.get().late_period) == ("2026-02-01", None)


def test_discarded_its_transactions_wait_again() -> None:
    acme = CustomerFactory()
    fee = TransactionFactory(customer=acme, description="Set-up")
    draft = by_hand(acme, fee)
    assert waiting(acme) == []
    discard_manual_invoice(invoice_id=draft.pk)
    assert (waiting(acme), Invoice.objects.count()) == (["Set-up"], 0)


def test_below_nothing_it_is_a_credit_note() -> None:
    acme = CustomerFactory()
    document = by_hand(acme, TransactionFactory(customer=acme, unit_price=Decimal("-12.50")), posts=True)
    # 20 % of -12.50 is -2.50.
    assert (document.number, totals(document)) == ("CN-000001", "-12.50 + -2.50 = -15.00 USD")


def test_it_is_credited_like_any_other() -> None:
    acme = CustomerFactory()
    document = by_hand(acme, TransactionFactory(customer=acme, description="Set-up"), posts=True)
    note = credit(document, gives_usage_back=True)
    assert (totals(note), left(document)) == ("-25.00 + -5.00 = -30.00 USD", "0.00 + 0.00 = 0.00")
    assert (waiting(acme), note.is_manual) == (["Set-up"], True)


def test_the_minimum_is_for_runs() -> None:
    acme = CustomerFactory(minimum_invoice_amount=Decimal(100))
    document = by_hand(acme, TransactionFactory(customer=acme, unit_price=Decimal("0.001")))
    assert totals(document) == "0.00 + 0.00 = 0.00 USD"


def test_what_cannot_be_is_said_and_changes_nothing() -> None:
    acme, bell = CustomerFactory(account_number="ACME"), CustomerFactory(account_number="BELL")
    own, other = TransactionFactory(customer=acme), TransactionFactory(customer=bell)
    with pytest.raises(ManualInvoiceRefused, match=r"^Choose at least one transaction\.$"):
        by_hand(acme)
    with pytest.raises(ManualInvoiceRefused, match=rf"^Transaction {other.pk} is not of customer ACME\.$"):
        by_hand(acme, own, other)
    with pytest.raises(ManualInvoiceRefused, match=r"^It is due on its date or later\.$"):
        by_hand(acme, own, due_date=date(2026, 2, 4))
    Customer.objects.filter(pk=acme.pk).update(tax_rate=None)
    with pytest.raises(ManualInvoiceRefused, match=r"The customer has no tax rate\. Give it one\."):
        by_hand(acme, own)
    Customer.objects.filter(pk=acme.pk).update(tax_rate=bell.tax_rate)
    document = by_hand(acme, own, posts=True)
    with pytest.raises(ManualInvoiceConflict, match=rf"^Transaction {own.pk} is on an invoice already"):
        by_hand(acme, own)
    with pytest.raises(ManualInvoiceConflict, match=r"^INV-000001 is no draft that was made by hand\.$"):
        discard_manual_invoice(invoice_id=document.pk)
    assert Invoice.objects.count() == 1
