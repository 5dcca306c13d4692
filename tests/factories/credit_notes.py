from decimal import Decimal
from typing import Any

import factory

from invoicing.choices import InvoiceKind
from invoicing.models import CreditedCharge, Invoice, InvoiceLine, UsageCharge
from tests.factories.invoicing import InvoiceFactory, InvoiceLineFactory, UsageChargeFactory, post
from tests.factories.rows import RowFactory


def draft_note(invoice: Invoice, **fields: Any) -> Invoice:
    """A draft credit note for an invoice, which is posted first if it is a draft: -0.60 net, -0.12 tax, no lines."""
    if Invoice.objects.filter(pk=invoice.pk, number=None).exists():
        post(invoice)
    values: dict[str, Any] = {
        "customer": invoice.customer,
        "currency": invoice.currency,
        "kind": InvoiceKind.CREDIT_NOTE,
        "credited_invoice": invoice,
        "reason": "Agreed.",
        "net_amount": Decimal("-0.60"),
        "tax_amount": Decimal("-0.12"),
    }
    made: Invoice = InvoiceFactory(**(values | fields))
    return made


def note_line(charge: UsageCharge, **fields: Any) -> InvoiceLine:
    """A line of a draft credit note that takes back the line of a charge: of one record, 0.60."""
    line = charge.line
    values: dict[str, Any] = {
        "kind": line.kind,
        "product": line.product,
        "rate": line.rate,
        "tax_rate": line.tax_rate,
        "credited_line": line,
        "quantity": -line.quantity,
        "exact_amount": -charge.amount,
        "amount": -line.amount,
        "charge_count": 1,
    }
    if "invoice" not in fields:
        values["invoice"] = draft_note(line.invoice)
    made: InvoiceLine = InvoiceLineFactory(**(values | fields))
    return made


class CreditedChargeFactory(RowFactory[CreditedCharge]):
    """The only charge, of 0.60, of a line on a posted invoice, taken back by a draft credit note."""

    charge = factory.SubFactory(
        UsageChargeFactory, line__charge_count=1, line__exact_amount=Decimal("0.60"), line__amount=Decimal("0.60")
    )
    line = factory.LazyAttribute(lambda credited: note_line(credited.charge))

    class Meta:
        model = CreditedCharge
