"""Usage, billing runs and what came of them, in a line each.

A run sees what was committed before it, and what its own transaction wrote: tests of what comes after it commit
(`pytest.mark.django_db(transaction=True)`).
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.models import BillingRun, RunAccount
from billing.operations.production import produce_next_chunk
from billing.operations.runs import approve_run, commence_run, create_run
from catalog.models import Product, Rate
from customers.models import Customer, SubscriptionService
from invoicing.models import Invoice
from tests.factories import (
    CustomerFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    SubscriptionServiceFactory,
    UsageDataRecordFactory,
)
from usage.models import PendingUsage, UsageDataRecord

# The morning of the day on which January is billed.
AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
JANUARY = {"invoice_date": date(2026, 2, 1), "cutoff_date": date(2026, 2, 1), "due_date": date(2026, 3, 3)}
FEBRUARY = {"invoice_date": date(2026, 3, 1), "cutoff_date": date(2026, 3, 1), "due_date": date(2026, 3, 31)}


def day(text: str) -> datetime:
    """Noon of a day, or the moment given, in UTC."""
    return datetime.fromisoformat(text if "T" in text else f"{text}T12:00").replace(tzinfo=UTC)


def customer_at(unit_price: str, **fields: Any) -> tuple[Customer, Product]:
    """A customer with a price list of its own, and the product that it prices at so much a unit.

    `rate__...` are fields of the rate, the others of the customer.
    """
    rate = {name.removeprefix("rate__"): fields.pop(name) for name in list(fields) if name.startswith("rate__")}
    currency = fields.pop("currency", "USD")
    card = RateCardFactory(currency__code=currency)
    product = ProductFactory()
    RateFactory(rate_card=card, product=product, unit_price=Decimal(unit_price), **rate)
    return CustomerFactory(currency=card.currency, rate_cards=[card], **fields), product


def use(
    customer: Customer, product: Product, quantity: str | int, *, on: str = "2026-01-15", **fields: Any
) -> UsageDataRecord:
    """A posted record of the customer, with its row of pending usage where it is billable."""
    service = SubscriptionService.objects.filter(customer=customer).first()
    return UsageDataRecordFactory(
        subscription_service=service or SubscriptionServiceFactory(customer=customer),
        product=product,
        usage_amount=Decimal(quantity),
        from_date=day(on),
        **fields,
    )


def new_run(**fields: Any) -> BillingRun:
    """A pending run, of January where nothing else is said."""
    return create_run(**({"name": "Run"} | JANUARY | fields))


def produce(run: BillingRun) -> BillingRun:
    """Do all the workers' part of a commenced run."""
    while produce_next_chunk(run_id=run.pk, at=AT):
        pass
    run.refresh_from_db()
    return run


def bill(**fields: Any) -> BillingRun:
    """A completed run, of January where nothing else is said."""
    return produce(commence_run(run_id=new_run(**fields).pk, at=AT, without_preflight=True))


def post(run: BillingRun) -> BillingRun:
    """Approve a completed run."""
    return approve_run(run_id=run.pk, at=AT)


def account(run: BillingRun, customer: Customer) -> RunAccount:
    return RunAccount.objects.get(run=run, customer=customer)


def outcome(run: BillingRun, customer: Customer) -> tuple[str, str]:
    """The customer's outcome in the run and its reason."""
    found = account(run, customer)
    return found.outcome, found.reason


def invoice(run: BillingRun, customer: Customer) -> Invoice:
    """The customer's document of the run."""
    found = account(run, customer)
    assert found.invoice is not None, f"{found.outcome}: {found.reason}"
    return found.invoice


def totals(document: Invoice) -> str:
    """Net + tax = total, in the currency's own decimals."""
    amounts = (document.net_amount, document.tax_amount, document.total_amount)
    net, tax, total = (f"{amount:.{document.currency.minor_units}f}" for amount in amounts)
    return f"{net} + {tax} = {total} {document.currency_id}"


def lines(document: Invoice) -> list[str]:
    """Its lines: quantity x unit price = exact amount -> amount."""
    places = document.currency.minor_units
    return [
        f"{plain(line.quantity)} x {plain(line.unit_price)}"
        + ("" if line.unit_size == 1 else f" / {plain(line.unit_size)}")
        + f" = {plain(line.exact_amount)} -> {line.amount:.{places}f}"
        for line in document.lines.order_by("line_number")
    ]


def taxes(document: Invoice) -> list[str]:
    """Its taxes: percent of net = tax."""
    places = document.currency.minor_units
    return [
        f"{plain(tax.percent)} % of {tax.net_amount:.{places}f} = {tax.tax_amount:.{places}f}"
        for tax in document.taxes.order_by("name")
    ]


def pending(customer: Customer) -> set[int]:
    """The records of the customer that no invoice has yet."""
    return set(PendingUsage.objects.filter(customer=customer).values_list("record_id", flat=True))


def plain(number: Decimal | None) -> str:
    """Digits without zeros at the end."""
    if number is None:
        return "-"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate_of(product: Product) -> Rate:
    """The one rate of a product."""
    return Rate.objects.get(product=product)
