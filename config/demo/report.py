"""What the demo shows at its end, line by line."""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Count, Sum

from billing.choices import AccountOutcome
from billing.models import BillingRun, RunAccount
from billing.queries.completeness import UsageBalance, import_balance
from billing.queries.runs import account_counts, invoice_amounts
from invoicing.choices import InvoiceState
from invoicing.models import Invoice, UsageCharge
from usage.models import PendingUsage, UsageImport


def exactly(amount: Decimal | None) -> str:
    """A decimal with all its digits and no trailing zeros."""
    text = f"{amount or Decimal(0):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def report(run: BillingRun, usage_import: UsageImport) -> Iterator[str]:
    """The run, where every record went, the totals, the largest invoices, and where to look next."""
    yield f"Billing run {run.pk} “{run.name}”: {run.status}, usage before {run.cutoff_date}, approved"
    yield "  accounts: " + ", ".join(f"{count} {AccountOutcome(key).label.lower()}" for key, count in _counted(run))
    yield ""
    yield f"Usage from {usage_import.file_name} (import {usage_import.pk})"
    yield from _completeness(usage_import, import_balance(usage_import.pk))
    yield ""
    yield from _totals(run)
    yield ""
    yield "The five largest invoices"
    yield from _largest(run)
    yield ""
    yield "Where to look next"
    yield "  make run     the admin, with this run, its invoices, charges and usage reports; it prints address, login"
    yield "  after that, for a key to read /billing/v3/invoices (the API's page is /api/docs/):"
    yield "               .venv/bin/python manage.py create_api_key --user admin --scopes read"
    yield "  make stop    stops the servers; the data stays in .local/"


def _counted(run: BillingRun) -> list[tuple[str, int]]:
    return [(outcome, count) for outcome, count in account_counts(run.pk).items() if count]


def _completeness(usage_import: UsageImport, balance: UsageBalance) -> Iterator[str]:
    yield (
        f"  {usage_import.received_count:,} rows received = {usage_import.accepted_count:,} accepted"
        f" + {usage_import.duplicate_count:,} duplicates + {usage_import.conflict_count:,} conflicts"
        f" + {usage_import.quarantined_count:,} quarantined"
    )
    for line in usage_import.quarantined_lines.order_by("line_number")[:5]:
        yield f"    line {line.line_number}: {line.detail}"
    yield (
        f"  {balance.total.count:,} records = {balance.pending.count:,} pending + {balance.charged.count:,} charged"
        f" + {balance.excluded.count:,} excluded"
    )
    yield (
        f"  quantity {exactly(balance.total.quantity)} = {exactly(balance.pending.quantity)}"
        f" + {exactly(balance.charged.quantity)} + {exactly(balance.excluded.quantity)}"
    )
    yield "  it balances" if balance.balances else "  IT DOES NOT BALANCE"


def _totals(run: BillingRun) -> Iterator[str]:
    charges = UsageCharge.objects.filter(line__invoice__run_account__run=run).aggregate(Count("id"), Sum("amount"))
    posted = Invoice.objects.filter(run_account__run=run, state=InvoiceState.POSTED).count()
    waiting = RunAccount.objects.filter(run=run, outcome=AccountOutcome.NOTHING_TO_BILL, record_count__gt=0)
    small = waiting.aggregate(Count("id"), Sum("record_count"), Sum("exact_amount"))
    customers = waiting.values_list("customer_id", flat=True)
    pending = PendingUsage.objects.filter(customer__in=customers).count()
    amounts = " + ".join(f"{amount:.2f} {currency}" for currency, amount in invoice_amounts(run.pk).items())
    yield f"{posted} invoices posted, {charges['id__count']:,} records charged"
    yield f"  exact sum of charges {exactly(charges['amount__sum'])} USD"
    yield f"  invoices together {amounts}"
    yield (
        f"{pending} records of {small['id__count']} customers pending, worth {exactly(small['exact_amount__sum'])} USD:"
        " each customer's come to less than a cent and wait until they add up"
    )


def _largest(run: BillingRun) -> Iterator[str]:
    invoices = Invoice.objects.filter(run_account__run=run).select_related("customer")
    largest = invoices.order_by("-total_amount", "number")
    for invoice in largest.annotate(exact=Sum("lines__exact_amount"), records=Sum("lines__charge_count"))[:5]:
        yield (
            f"  {invoice.number}  {invoice.total_amount:>8.2f} {invoice.currency_id}  {invoice.records:>4} records"
            f"  {exactly(invoice.exact):<22}  {invoice.customer.account_number}  {invoice.customer.name}"
        )
