from datetime import UTC, date, datetime
from decimal import Decimal

import factory

from invoicing.choices import LineKind
from reports.models import CountedInvoice, PendingAge, RevenueDay, UsageDay
from tests.factories.catalog import CurrencyFactory, ProductFactory
from tests.factories.customers import CustomerFactory
from tests.factories.invoicing import InvoiceFactory
from tests.factories.rows import RowFactory


class CountedInvoiceFactory(RowFactory[CountedInvoice]):
    invoice = factory.SubFactory(InvoiceFactory)
    customer = factory.SelfAttribute("invoice.customer")
    counted_at = datetime(2026, 2, 1, 9, 5, tzinfo=UTC)

    class Meta:
        model = CountedInvoice


class RevenueDayFactory(RowFactory[RevenueDay]):
    """10.00 of all customers for a product's usage on 1 February 2026."""

    currency = factory.SubFactory(CurrencyFactory)
    invoice_date = date(2026, 2, 1)
    kind = LineKind.USAGE
    product = factory.SubFactory(ProductFactory)
    line_count = 1
    record_count = 1
    amount = Decimal("10.00")

    class Meta:
        model = RevenueDay


class UsageDayFactory(RowFactory[UsageDay]):
    """10.00 of all customers for a product's usage on 15 January 2026."""

    currency = factory.SubFactory(CurrencyFactory)
    day = date(2026, 1, 15)
    product = factory.SubFactory(ProductFactory)
    charge_count = 1
    record_count = 1
    amount = Decimal("10.00")

    class Meta:
        model = UsageDay


class PendingAgeFactory(RowFactory[PendingAge]):
    """Two records of a customer of up to 30 days."""

    customer = factory.SubFactory(CustomerFactory)
    from_days = 0
    record_count = 2
    oldest = date(2026, 1, 15)
    counted_at = datetime(2026, 2, 1, 9, 5, tzinfo=UTC)

    class Meta:
        model = PendingAge
