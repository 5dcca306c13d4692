"""The demo's job on the FOCUS sample: each figure that it prints, added up from the file apart from Tollbook's code."""

import csv
from collections import defaultdict
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from django.db.models import Sum

from billing.models import BillingRun, RunAccount
from billing.operations.production import produce_next_chunk
from billing.operations.runs import approve_run, commence_run, create_run
from billing.queries.completeness import Share, import_balance
from billing.queries.runs import account_counts, invoice_amounts
from config.demo.job import RUN_NAME, take_usage_in
from config.demo.load import FILE, load_company
from config.demo.report import report
from invoicing.models import Invoice, UsageCharge
from usage.models import PendingUsage, UsageImport

pytestmark = pytest.mark.django_db
AT = datetime(2024, 10, 1, 6, 0, tzinfo=UTC)
CUTOFF = AT.date()


def priced_by_customer() -> dict[str, list[Decimal]]:
    """Price x quantity of each row that has a list price, exactly, by sub-account."""
    amounts: dict[str, list[Decimal]] = defaultdict(list)
    with FILE.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["ListUnitPrice"] != "NULL":
                amounts[row["SubAccountId"]].append(Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"]))
    return amounts


@pytest.fixture
def taken() -> UsageImport:
    return take_usage_in(load_company(), at=AT, say=lambda _line: None)


@pytest.fixture
def billed(taken: UsageImport) -> BillingRun:
    run = create_run(name=RUN_NAME, invoice_date=CUTOFF, cutoff_date=CUTOFF, due_date=CUTOFF)
    commence_run(run_id=run.pk, at=AT, without_preflight=True)
    while produce_next_chunk(run_id=run.pk, at=AT):
        pass
    return approve_run(run_id=run.pk, at=AT)


def test_the_credit_row_is_quarantined_and_the_rest_goes_in(taken: UsageImport) -> None:
    assert (taken.received_count, taken.accepted_count, taken.quarantined_count) == (1000, 999, 1)
    assert (taken.duplicate_count, taken.conflict_count) == (0, 0)
    line = taken.quarantined_lines.get()
    # Its SKU has no list price, so it is no product of the rate card.
    assert line.detail == "No usage product has the code “S78KHHH96AJF23KZ / Hours”."
    assert "AWS Open Source Promotional Credits" in line.raw_text


def test_45_customers_are_invoiced_to_the_last_digit(billed: BillingRun) -> None:
    amounts = priced_by_customer()
    cent = Decimal("0.01")
    zero = Decimal(0)
    rounded = {account: sum(parts, zero).quantize(cent, ROUND_HALF_UP) for account, parts in amounts.items()}
    invoiced = {account: total for account, total in rounded.items() if total >= cent}
    posted = Invoice.objects.filter(state="POSTED")
    assert {i.customer.account_number: i.total_amount for i in posted.select_related("customer")} == invoiced
    assert len(invoiced) == 45
    assert invoice_amounts(billed.pk) == {"USD": Decimal("23.04")}
    assert account_counts(billed.pk) == {"invoiced": 45, "nothingToBill": 28, "waiting": 0, "held": 0, "failed": 0}
    charges = UsageCharge.objects.aggregate(total=Sum("amount"))
    assert UsageCharge.objects.count() == sum(len(amounts[account]) for account in invoiced) == 880
    assert charges["total"] == sum(sum(amounts[account]) for account in invoiced) == Decimal("22.984926879768538")


def test_28_customers_wait_because_each_comes_to_less_than_a_cent(billed: BillingRun, taken: UsageImport) -> None:
    amounts = priced_by_customer()
    small = {account: sum(parts) for account, parts in amounts.items() if sum(parts) < Decimal("0.005")}
    waiting = RunAccount.objects.filter(run=billed, outcome="nothingToBill")
    assert {a.customer.account_number: a.exact_amount for a in waiting.select_related("customer")} == small
    assert len(small) == 28
    assert PendingUsage.objects.count() == sum(len(amounts[account]) for account in small) == 119
    # With the invoiced 22.984926879768538 this is 23.004351956668488, the whole file.
    assert sum(small.values()) == Decimal("0.01942507689995")
    assert sum(sum(parts) for parts in amounts.values()) == Decimal("23.004351956668488")
    balance = import_balance(taken.pk)
    assert (balance.total.count, balance.pending.count, balance.charged.count) == (999, 119, 880)
    assert balance.excluded == Share(0, Decimal(0))
    assert balance.balances


def test_the_numbers_have_no_gaps_and_follow_the_account_numbers(billed: BillingRun) -> None:
    posted = Invoice.objects.filter(run_account__run=billed).order_by("customer__account_number")
    in_order = sorted(posted, key=lambda invoice: invoice.customer.account_number)
    assert [invoice.number for invoice in in_order] == [f"INV-{number:06}" for number in range(1, 46)]


def test_what_the_demo_prints(billed: BillingRun, taken: UsageImport) -> None:
    lines = list(report(billed, taken))
    for expected in (
        "  accounts: 45 invoiced, 28 nothing to bill",
        "  1,000 rows received = 999 accepted + 0 duplicates + 0 conflicts + 1 quarantined",
        "    line 458: No usage product has the code “S78KHHH96AJF23KZ / Hours”.",
        "  999 records = 119 pending + 880 charged + 0 excluded",
        "  it balances",
        "45 invoices posted, 880 records charged",
        "  exact sum of charges 22.984926879768538 USD",
        "  invoices together 23.04 USD",
    ):
        assert expected in lines
    assert any("119 records of 28 customers pending, worth 0.01942507689995 USD" in line for line in lines)
    five = [line.split() for line in lines if line.startswith("  INV-")]
    assert [(words[1], words[5]) for words in five] == [
        ("16.23", "16.2301825494645"),
        ("1.58", "1.58088"),
        ("1.44", "1.4371336962476525"),
        ("0.41", "0.4070687322845"),
        ("0.36", "0.3612075699965"),
    ]
