"""Documents to be put on paper: drafts with lines and taxes, of any language, currency and length."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from catalog.models import Currency, TaxRate
from invoicing.models import Invoice, InvoiceLine, InvoiceTax
from tests.factories import CustomerFactory, InvoiceFactory, TaxRateFactory

SELLER = {
    "seller_name": "Nordlicht Telekom GmbH",
    "seller_address": "Speicherstraße 12\n20457 Hamburg\nGermany",
    "seller_vat_number": "DE123456789",
    "seller_registration": "Amtsgericht Hamburg, HRB 12345\nRegistered office: Hamburg",
    "payment_details": "Nordlicht Telekom GmbH\nIBAN DE89 3704 0044 0532 0130 00\nBIC COBADEFFXXX",
}
BUYER = {
    "customer_name": "Acme Networks Ltd",
    "customer_address": "1 Long Lane\nLondon EC1A 9HF\nUnited Kingdom",
    "customer_vat_number": "GB123456789",
}
SHORT: tuple[dict[str, Any], ...] = (
    {"product_name": "Calls to Germany", "product_group": "Voice", "product_line": "Calls", "unit": "min",
     "region": "DE", "usage_type": "Outbound call", "quantity": "1234.5", "unit_price": "0.019", "amount": "23.46",
     "charge_count": 812},
    {"product_name": "Calls to France", "product_group": "Voice", "product_line": "Calls", "unit": "min",
     "region": "FR", "usage_type": "Outbound call", "quantity": "310", "unit_price": "0.025", "amount": "7.75",
     "late_period": date(2025, 12, 1)},
    {"product_name": "Text messages", "product_group": "Voice", "product_line": "Messages", "unit": "message",
     "quantity": "25000", "unit_price": "4.2", "unit_size": "1000", "amount": "105.00"},
    {"product_name": "Object storage", "product_group": "Cloud", "unit": "GB", "quantity": "0.0000001453",
     "unit_price": "0.0234", "amount": "0.00"},
    {"kind": "RECURRING", "description": "Line rental, February 2026", "quantity": "3", "unit_price": "10",
     "amount": "30.00"},
    {"kind": "CREDIT", "description": "Welcome, 10 % off", "coupon_code": "WELCOME10", "quantity": "1",
     "unit_price": "-16.62", "amount": "-16.62"},
)  # fmt: skip


def paper(
    *,
    lines: Sequence[dict[str, Any]] = SHORT,
    currency: str = "EUR",
    tax_rate: TaxRate | None = None,
    tax_note: str = "",
    **fields: Any,
) -> Invoice:
    """A draft with these lines, all of one tax rate (19 %)."""
    known = Currency.objects.get(code=currency)
    rate = tax_rate or TaxRateFactory(name="VAT 19 %", percent=Decimal(19))
    cent = Decimal(1).scaleb(-known.minor_units)
    net = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
    tax = (net * rate.percent / 100).quantize(cent)
    customer = fields.pop("customer", None) or CustomerFactory(currency=known)
    invoice = InvoiceFactory(
        customer=customer, currency=known, net_amount=net, tax_amount=tax, **{**SELLER, **BUYER, **fields}
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            line_number=number,
            tax_rate=rate,
            **{"kind": "USAGE", "quantity": 1, "exact_amount": line["amount"], **line},
        )
        for number, line in enumerate(lines, start=1)
    )
    InvoiceTax.objects.create(
        invoice=invoice,
        tax_rate=rate,
        name=rate.name,
        percent=rate.percent,
        net_amount=net,
        tax_amount=tax,
        note=tax_note,
    )
    return Invoice.objects.select_related("customer", "currency", "credited_invoice").get(pk=invoice.pk)


def many_lines(count: int) -> list[dict[str, Any]]:
    """Lines in groups of a dozen or more; the n-th costs n cents."""
    return [
        {"product_name": f"Product {number} with a name that is long enough to fill most of the column", "unit": "min",
         "product_group": f"Group {number * 3 // (count + 1) + 1}", "quantity": number, "unit_price": "0.01",
         "amount": Decimal(number).scaleb(-2)}
        for number in range(1, count + 1)
    ]  # fmt: skip
