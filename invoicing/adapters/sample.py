"""Made-up documents: to try a layout with, to show what one looks like, and to measure how fast they are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from typing import Any

from catalog.models import Currency, TaxRate
from customers.models import Customer
from invoicing.adapters.document import document_data
from invoicing.adapters.layouts import Layout
from invoicing.adapters.pdf import make_pdf, make_pictures
from invoicing.choices import InvoiceState, LineKind
from invoicing.models import Invoice, InvoiceLine, InvoiceTax, LegalEntity

DATED = datetime(2026, 2, 1, tzinfo=UTC)
CENT = Decimal("0.01")
FIGURES = {"quantity", "unit_price", "unit_size", "amount"}
LINES: tuple[Mapping[str, Any], ...] = (
    {"product_name": "Calls to a country with a long name, at night and at weekends", "product_group": "Voice",
     "product_line": "Calls", "region": "FR", "unit": "min", "quantity": "1234.5", "unit_price": "0.025",
     "amount": "30.86", "late_period": date(2025, 12, 1)},
    {"product_name": "Text messages", "product_group": "Voice", "product_line": "Messages", "unit": "message",
     "quantity": "25000", "unit_price": "4.2", "unit_size": "1000", "amount": "105.00"},
    {"product_name": "Object storage", "product_group": "Cloud", "unit": "GB", "quantity": "412.75",
     "unit_price": "0.0234", "amount": "9.66"},
    {"kind": LineKind.RECURRING, "description": "Line rental, February 2026", "quantity": "3", "unit_price": "10",
     "amount": "30.00"},
    {"kind": LineKind.CREDIT, "description": "Welcome: 10 % off", "coupon_code": "WELCOME10", "unit_price": "-17.55",
     "amount": "-17.55"},
)  # fmt: skip
COUNTRIES = ("Austria", "Belgium", "Canada", "Denmark", "Estonia", "Finland", "France", "Germany", "Greece", "Hungary",
             "Ireland", "Italy", "Japan", "Latvia", "Malta", "Norway", "Peru", "Poland", "Spain", "Sweden")  # fmt: skip
NETWORKS = ("fixed network", "mobile", "freephone", "satellite", "premium numbers", "short numbers")
SERVICES = ("Calls", "Messages", "Data")


@dataclass(frozen=True, slots=True)
class Sample:
    """A document with its lines and taxes, not stored."""

    invoice: Invoice
    lines: list[InvoiceLine]
    taxes: list[InvoiceTax]

    def data(self, layout: Layout) -> dict[str, Any]:
        """What a layout gets of it."""
        return document_data(self.invoice, layout, lines=self.lines, taxes=self.taxes)

    def pdf(self, layout: Layout) -> bytes:
        """Its PDF. Raises LayoutRefused."""
        return make_pdf(layout, self.data(layout), at=DATED)

    def pictures(self, layout: Layout, *, ppi: int) -> list[bytes]:
        """Its pages as PNG. Raises LayoutRefused."""
        return make_pictures(layout, self.data(layout), at=DATED, ppi=ppi)


def sample(
    seller: LegalEntity | None = None, *, language: str = "en", line_count: int | None = None, number: str | None = None
) -> Sample:
    """An invoice of this seller with the lines that show most, or so many of usage; without a number a draft."""
    rate = TaxRate(id=1, name="VAT 20 %", percent=Decimal(20))
    rows = LINES if line_count is None else [usage_row(position) for position in range(line_count)]
    lines = [line_of(row, position) for position, row in enumerate(rows, start=1)]
    net = sum((line.amount for line in lines), Decimal(0))
    tax = (net * rate.percent / 100).quantize(CENT, ROUND_HALF_UP)
    seller = seller or LegalEntity()
    invoice = Invoice(
        state=InvoiceState.POSTED if number else InvoiceState.DRAFT,
        number=number,
        customer=Customer(account_number="C-10023"),
        currency=Currency(code="EUR", minor_units=2),
        period_start=date(2026, 1, 1),
        period_end=date(2026, 2, 1),
        invoice_date=date(2026, 2, 1),
        due_date=date(2026, 3, 3),
        customer_name="Acme Networks Ltd",
        customer_address="1 Long Lane\nLondon EC1A 9HF\nUnited Kingdom",
        customer_vat_number="GB123456789",
        seller_name=seller.name,
        seller_address=seller.address,
        seller_vat_number=seller.vat_number,
        seller_registration=seller.registration,
        payment_details=seller.payment_details,
        language=language,
        message="Thank you for your business.",
        net_amount=net,
        tax_amount=tax,
        total_amount=net + tax,
    )
    taxes = [InvoiceTax(tax_rate=rate, name=rate.name, percent=rate.percent, net_amount=net, tax_amount=tax)]
    return Sample(invoice, lines, taxes)


def usage_row(position: int) -> dict[str, Any]:
    """The usage line at this position, from 0 on: a service, a country and a network, the lines of a service together.

    Of more lines than there are such three, those that follow are late usage of a month before.
    """
    names = [(service, country, network) for service, network, country in product(SERVICES, NETWORKS, COUNTRIES)]
    service, country, network = names[position % len(names)]
    months = position // len(names)
    quantity = Decimal(position * 7919 % 9_973 + 1) / 10
    return {
        "product_name": f"{service} to {country}, {network}",
        "product_group": service,
        "unit": "min",
        "quantity": quantity,
        "unit_price": "0.019",
        "amount": (quantity * Decimal("0.019")).quantize(CENT, ROUND_HALF_UP),
        "late_period": date(2025, 13 - months, 1) if 0 < months <= 12 else None,  # noqa: PLR2004  months of a year
    }


def line_of(row: Mapping[str, Any], number: int) -> InvoiceLine:
    """A line of a sample."""
    usual = {"kind": LineKind.USAGE, "quantity": Decimal(1), "unit_size": Decimal(1)}
    given = {name: Decimal(value) if name in FIGURES else value for name, value in row.items()}
    return InvoiceLine(line_number=number, tax_rate_id=1, **{**usual, **given})
