"""Posted documents for figures and pictures, in a line each."""

from datetime import date
from decimal import Decimal
from typing import Any

from customers.models import Customer
from invoicing.choices import InvoiceKind
from invoicing.models import Invoice
from tests.factories import InvoiceFactory, InvoiceLineFactory, UsageChargeFactory, post


def document(customer: Customer, net: str, *, on: str = "2026-02-01") -> Invoice:
    """A draft of so much net, without tax and lines; a credit note where it is less than nothing."""
    made: Invoice = InvoiceFactory(
        customer=customer,
        kind=InvoiceKind.INVOICE if Decimal(net) >= 0 else InvoiceKind.CREDIT_NOTE,
        invoice_date=date.fromisoformat(on),
        due_date=date(2027, 1, 1),
        net_amount=Decimal(net),
        tax_amount=Decimal(0),
    )
    return made


def billed(customer: Customer, net: str, *, on: str = "2026-02-01", **line: Any) -> Invoice:
    """A posted document of so much net with one line: of three records, where nothing else is said."""
    made = document(customer, net, on=on)
    values = {"invoice": made, "amount": Decimal(net), "exact_amount": Decimal(net), "charge_count": 3}
    InvoiceLineFactory(**(values | line))
    return post(made)


def charged(customer: Customer, *amounts: str, used: str, on: str = "2026-02-01", **record: Any) -> Invoice:
    """A posted document with a line of records of one day of use, which were charged so much each."""
    net = sum(map(Decimal, amounts))
    made = document(customer, f"{net}", on=on)
    line = InvoiceLineFactory(invoice=made, amount=net, exact_amount=net, charge_count=len(amounts))
    for amount in amounts:
        values: dict[str, Any] = {f"record__{name}": value for name, value in record.items()}
        UsageChargeFactory(
            line=line, amount=Decimal(amount), record__billing_effective_date=date.fromisoformat(used), **values
        )
    return post(made)
