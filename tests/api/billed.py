"""Runs that have invoiced somebody."""

from decimal import Decimal
from typing import Any

from billing.choices import AccountOutcome
from billing.models import BillingRun
from invoicing.models import Invoice
from tests.factories.billing import RunAccountFactory, RunChunkFactory
from tests.factories.customers import CustomerFactory
from tests.factories.invoicing import InvoiceFactory


def invoiced(run: BillingRun, total: str, **customer: Any) -> Invoice:
    """A customer of the run with an invoice of so much, of which 1 is tax."""
    invoice = InvoiceFactory(customer=CustomerFactory(**customer), net_amount=Decimal(total) - 1, tax_amount=Decimal(1))
    RunAccountFactory(
        chunk=RunChunkFactory(run=run),
        customer=invoice.customer,
        outcome=AccountOutcome.INVOICED,
        invoice=invoice,
        record_count=3,
        exact_amount=Decimal("9.123456789012345678"),
    )
    return invoice
