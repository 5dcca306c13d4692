"""An invoice with a few uses that one can add up by hand, and what its reports say.

All times in the calls are UTC; the customer is in Berlin, an hour ahead. Amounts in USD:

    line 1  Calls to a named destination   0.125 (60 s) + 0.25 (120 s) = 0.375 -> 0.38
    line 2  Calls without a name           0.003 (30 s)                        -> 0.00
    line 3  Messages                       0 (1)                               -> 0.00
    in all 4 uses, 0.378 exactly, 0.38 on the invoice
"""

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction

from customers.models import SubscriptionService
from invoicing.models import Invoice, InvoiceLine, UsageCharge
from reports.engine.terms import Terms
from reports.operations.making import made_files
from tests.factories import (
    CampaignFactory,
    CustomerFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    RateFactory,
    SiteFactory,
    SubscriptionServiceFactory,
    TaxRateFactory,
    TransactionFactory,
    UsageChargeFactory,
    UsageDataRecordFactory,
    post,
)

BERLIN = {"timezone": "Europe/Berlin"}


def line(invoice: Invoice, exact: str, amount: str, **fields: Any) -> InvoiceLine:
    """A usage line of seconds, or of what `fields` say."""
    tax_rate = invoice.customer.tax_rate
    text = {"product_name": "Calls", "product_code": "CALLS", "usage_type": "Call", "unit": "second", "charge_count": 1}
    return InvoiceLineFactory(
        invoice=invoice, exact_amount=Decimal(exact), amount=Decimal(amount), tax_rate=tax_rate, **(text | fields)
    )


def use(
    charged: InvoiceLine, service: SubscriptionService, at: str, amount: str, *, seconds: int = 60, **fields: Any
) -> UsageCharge:
    """A use at a moment in UTC, and its charge on the line; `fields` are the record's."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    values = {"usage_amount": Decimal(seconds), "to_date": moment + timedelta(seconds=seconds)} | fields
    record = UsageDataRecordFactory(subscription_service=service, pending=False, from_date=moment, **values)
    charge: UsageCharge = UsageChargeFactory(line=charged, record=record, amount=Decimal(amount), rate=charged.rate)
    return charge


def invoice_of_four_uses(*, posted: bool = True, **customer: Any) -> Invoice:
    """The invoice above, of January 2026."""
    whose = CustomerFactory(**({"name": "Acme", "timezone": "Europe/Berlin", "tax_rate": TaxRateFactory()} | customer))
    invoice: Invoice = InvoiceFactory(
        customer=whose, net_amount=Decimal("0.38"), tax_amount=Decimal("0.08"), total_amount=Decimal("0.46")
    )
    berlin = SubscriptionServiceFactory(
        customer=whose, identifier="+493011111", site=SiteFactory(customer=whose, name="Berlin")
    )
    winter = SubscriptionServiceFactory(
        customer=whose, identifier="+493022222", campaign=CampaignFactory(customer=whose, name="Winter")
    )
    named = RateFactory(destination_prefix="44", destination_name="United Kingdom", connection_fee=Decimal("0.05"))
    terms = {"unit_price": Decimal("0.075"), "unit_size": Decimal(60)}
    first = line(invoice, "0.375", "0.38", rate=named, charge_count=2, **terms)
    second = line(invoice, "0.003", "0.00")
    third = line(
        invoice, "0", "0.00", product_name="Messages", product_code="SMS", usage_type="Message", unit="message"
    )
    use(first, berlin, "2026-01-10T08:00", "0.125", destination="442079460001", number="C1")
    use(first, winter, "2026-01-10T22:30", "0.25", destination="+44 20 7946-0002", seconds=120, number="C2")
    use(second, berlin, "2026-01-31T23:30:05", "0.003", destination="33140000003", seconds=30, number="C3")
    use(third, berlin, "2026-01-12T10:00", "0", seconds=0, usage_amount=Decimal(1), number="C4")
    return post(invoice) if posted else invoice


def with_transaction(invoice: Invoice) -> Invoice:
    """The invoice, which is a draft, with two set-ups at 12.50 besides its usage."""
    added = InvoiceLineFactory(
        invoice=invoice,
        kind="ONE_OFF",
        description="Set-up",
        quantity=Decimal(2),
        unit_price=Decimal("12.5"),
        exact_amount=Decimal(25),
        amount=Decimal("25.00"),
        tax_rate=invoice.customer.tax_rate,
    )
    TransactionFactory(
        customer=invoice.customer,
        kind="ONE_OFF",
        quantity=Decimal(2),
        unit_price=Decimal("12.5"),
        invoice_line=added,
        description="Set-up",
    )
    return invoice


def files(invoice: Invoice, folder: Path, **terms: Any) -> dict[str, bytes]:
    """The files of the reports by their names, unpacked."""
    return {name: content for name, content, _ in _files(invoice, folder, **terms)}


def texts(invoice: Invoice, folder: Path, **terms: Any) -> dict[str, str]:
    """The reports as text, by their titles."""
    return {title: content.decode("utf-8-sig") for _, content, title in _files(invoice, folder, **terms)}


def _files(invoice: Invoice, folder: Path, **terms: Any) -> Iterator[tuple[str, bytes, str]]:
    with transaction.atomic():
        for made in made_files(invoice=invoice, terms=Terms(**(BERLIN | terms)), folder=folder):
            content = made.path.read_bytes()
            if made.is_zipped:
                with zipfile.ZipFile(made.path) as archive:
                    (entry,) = archive.namelist()
                    content = archive.read(entry)
            yield made.name, content, made.title
