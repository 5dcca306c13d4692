"""What customers owe by their documents: balance and statement."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from customers.models import Customer
from invoicing.models import Invoice
from invoicing.queries.receivables import account_balance, account_entries, account_statement
from tests.factories import CurrencyFactory, CustomerFactory, InvoiceFactory, post

pytestmark = pytest.mark.django_db


def document(customer: Customer, net: str, on: date, **fields: Any) -> Invoice:
    """A posted document without tax."""
    made = InvoiceFactory(
        customer=customer,
        kind="CREDIT_NOTE" if net.startswith("-") else "INVOICE",
        net_amount=Decimal(net),
        tax_amount=Decimal(0),
        invoice_date=on,
        due_date=on,
        **fields,
    )
    return post(made)


def shown(customer: Customer, from_day: date, to_day: date, **fields: Any) -> list[list[str]]:
    """Each statement: opening, number: amount -> balance of each entry, closing."""
    found = account_statement(customer.accounts_receivable.pk, from_day=from_day, to_day=to_day, **fields)
    return [
        [
            f"{each.currency} {each.opening:.2f}",
            *(f"{entry.document.number}: {entry.amount:.2f} -> {entry.balance:.2f}" for entry in each.entries),
            f"{each.closing:.2f}, {each.left_out} left out",
        ]
        for each in found
    ]


@pytest.fixture
def acme() -> Customer:
    """January 100.00, February 50.00 less 20.00, March 7.00; a draft; and 3.00 EUR of before."""
    customer: Customer = CustomerFactory()
    document(customer, "3", date(2025, 12, 1), currency=CurrencyFactory(code="EUR"))
    document(customer, "100", date(2026, 1, 31))
    document(customer, "50", date(2026, 2, 1))
    document(customer, "-20", date(2026, 2, 28))
    document(customer, "7", date(2026, 3, 1))
    InvoiceFactory(customer=customer)
    # Somebody else's.
    document(CustomerFactory(currency=customer.currency), "1000", date(2026, 2, 1))
    return customer


def test_the_balance_is_what_is_posted_less_what_is_credited(acme: Customer) -> None:
    account = acme.accounts_receivable.pk
    balances = [(each.currency, str(each.amount)) for each in account_balance(account)]
    # 100 + 50 - 20 + 7 = 137.
    assert balances == [("EUR", "3.0000"), ("USD", "137.0000")]
    assert [each.number for each in account_entries(account).order_by("id")] == [
        *("INV-000001", "INV-000002", "INV-000003", "CN-000001", "INV-000004"),
    ]


def test_a_statement_runs_from_its_opening_to_its_closing_balance(acme: Customer) -> None:
    assert shown(acme, date(2026, 2, 1), date(2026, 2, 28)) == [
        ["EUR 3.00", "3.00, 0 left out"],
        ["USD 100.00", "INV-000003: 50.00 -> 150.00", "CN-000001: -20.00 -> 130.00", "130.00, 0 left out"],
    ]


def test_a_statement_of_before_anything_is_empty(acme: Customer) -> None:
    assert shown(acme, date(2025, 1, 1), date(2025, 11, 30)) == []


def test_a_long_statement_lists_the_first_entries_and_closes_with_all(acme: Customer) -> None:
    assert shown(acme, date(2026, 1, 1), date(2026, 12, 31), shown=2)[1] == [
        *("USD 0.00", "INV-000002: 100.00 -> 100.00", "INV-000003: 50.00 -> 150.00"),
        "137.00, 2 left out",
    ]
