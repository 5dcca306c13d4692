"""The demo's company: customers, services, products and prices read from the FOCUS sample."""

import csv
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.db import connection, transaction

from catalog.models import Product, Rate, RateCard, TaxRate
from customers.models import AccountsReceivable, Customer, Subscription, SubscriptionService
from reports.choices import Availability, CallColumn, CallDetail, CustomerUsageReportPreset, ReportFormat
from reports.models import InvoiceUsageReportProfile
from usage.models import SourceSystem, UsageType

FILE = Path(__file__).parent / "data" / "focus_sample.csv"
SOURCE = "FOCUS sample"
RATE_CARD = "FOCUS list prices"
START = date(2024, 1, 1)
NOTHING = ("", "NULL")
# How a row of the file is read as a usage data record.
COLUMN_MAPPING = {
    "number": "{Id}",
    "service": "{ResourceId|SubAccountId}",
    "product": "{SkuPriceId|SkuId} / {PricingUnit}",
    "type": "{PricingUnit}",
    "from_date": "{ChargePeriodStart}",
    "to_date": "{ChargePeriodEnd}",
    "usage_amount": "{PricingQuantity}",
    "region": "{RegionName}",
}
Row = dict[str, str]


@transaction.atomic
def load_company() -> SourceSystem:
    """Create what the sample's usage refers to, once; gives back the source system that its usage comes from."""
    with connection.cursor() as cursor:
        # Two demos that start at once load it once.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [SOURCE])
    existing = SourceSystem.objects.filter(name=SOURCE).first()
    if existing is not None:
        return existing
    with FILE.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["ListUnitPrice"] not in NOTHING]
    _load_prices(rows)
    _load_customers(rows)
    _load_report_profile()
    units = sorted({row["PricingUnit"] for row in rows})
    UsageType.objects.bulk_create([UsageType(name=unit, unit=unit) for unit in units], ignore_conflicts=True)
    return SourceSystem.objects.create(
        name=SOURCE,
        description="Cloud usage in the FinOps Foundation's FOCUS format.",
        column_mapping=COLUMN_MAPPING,
        null_text="NULL",
    )


def _load_report_profile() -> None:
    """What goes with each invoice: summaries and every record, to read and to calculate with."""
    if InvoiceUsageReportProfile.objects.filter(is_default=True).exists():
        return
    InvoiceUsageReportProfile.objects.create(
        name="Summary and all records",
        description="Usage by product and by day, and each record with its price.",
        availability=Availability.HEADLINE,
        is_default=True,
        customer_usage_reports=[CustomerUsageReportPreset.BY_PRODUCT, CustomerUsageReportPreset.BY_DAY],
        call_details=[CallDetail.ALL],
        include_call_columns=[
            *(CallColumn.DATE, CallColumn.NUMBER, CallColumn.PRODUCT, CallColumn.QUANTITY, CallColumn.UNIT),
            *(CallColumn.RATE, CallColumn.AMOUNT, CallColumn.RECORD_NUMBER),
        ],
        formats=[ReportFormat.PDF, ReportFormat.XLSX, ReportFormat.CSV],
    )


def _product_code(row: Row) -> str:
    price_id = row["SkuId"] if row["SkuPriceId"] in NOTHING else row["SkuPriceId"]
    return f"{price_id} / {row['PricingUnit']}"


def _service_identifier(row: Row) -> str:
    return row["SubAccountId"] if row["ResourceId"] in NOTHING else row["ResourceId"]


def _load_prices(rows: list[Row]) -> None:
    """A product for each SKU price and unit, and its list price, in the default rate card of the currency."""
    described: dict[str, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    prices: dict[str, Decimal] = {}
    for row in rows:
        described[_product_code(row)][row["ServiceName"], row["ServiceCategory"], row["ProviderName"]] += 1
        prices[_product_code(row)] = Decimal(row["ListUnitPrice"])
    # A few SKUs stand under two names; the one that more rows give is the product's.
    products = [
        Product(code=code, name=name, product_group=group, product_line=line)
        for code, names in sorted(described.items())
        for (name, group, line), _ in names.most_common(1)
    ]
    Product.objects.bulk_create(products)
    has_default = RateCard.objects.filter(currency_id="USD", is_default=True).exists()
    card = RateCard.objects.create(name=RATE_CARD, currency_id="USD", is_default=not has_default)
    Rate.objects.bulk_create(
        Rate(rate_card=card, product=product, unit_price=prices[product.code], start_date=START) for product in products
    )


def _load_customers(rows: list[Row]) -> None:
    """A customer for each sub-account, with one subscription that has a service for each of its resources."""
    names = {row["SubAccountId"]: row["SubAccountName"] for row in rows}
    untaxed, _ = TaxRate.objects.get_or_create(name="No tax", defaults={"percent": Decimal(0)})
    customers = Customer.objects.bulk_create(
        Customer(account_number=number, name=name, currency_id="USD", tax_rate=untaxed)
        for number, name in sorted(names.items())
    )
    AccountsReceivable.objects.bulk_create(
        AccountsReceivable(customer=customer, number=customer.account_number, name=customer.name)
        for customer in customers
    )
    subscriptions = Subscription.objects.bulk_create(
        Subscription(customer=customer, number=f"Cloud {customer.account_number}", start_date=START)
        for customer in customers
    )
    by_account = {subscription.customer.account_number: subscription for subscription in subscriptions}
    owners = {_service_identifier(row): by_account[row["SubAccountId"]] for row in rows}
    SubscriptionService.objects.bulk_create(
        SubscriptionService(
            subscription=subscription, customer=subscription.customer, identifier=identifier, start_date=START
        )
        for identifier, subscription in sorted(owners.items())
    )
