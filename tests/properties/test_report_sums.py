"""Every report adds up to the usage lines of its invoice, whatever is on it: charges to the last digit, amounts to the

minor unit. The files are read as a customer would read them: their rows, what they leave out, their totals.
"""

import csv
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.engine.money import allocate_largest_remainder, exact_sum
from customers.models import SubscriptionService
from invoicing.models import Invoice, UsageCharge
from reports.choices import CallDetail, CustomerUsageReportPreset, UsageReportPreset
from reports.engine.terms import Terms
from reports.operations.making import made_files
from tests.factories import (
    CampaignFactory,
    CurrencyFactory,
    CustomerFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    SiteFactory,
    SubscriptionServiceFactory,
    UsageDataRecordFactory,
)

pytestmark = pytest.mark.django_db

UNITS = ("second", "second", "message")
DESTINATIONS = ("", "442079460000", "33140000000", "eu-west-1", "110")
# In units of 10^-18, with both signs; and nothing, and halves of a cent, where roundings meet.
amounts = st.integers(-(10**21), 10**21).map(lambda units: Decimal(units).scaleb(-18)) | st.sampled_from(
    [Decimal(0), Decimal("0.005"), Decimal("-0.005"), Decimal("0.004")]
)
# Line, service, hour of January, seconds, destination, amount.
uses = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 3),
        st.integers(0, 743),
        st.integers(0, 4_000),
        st.sampled_from(DESTINATIONS),
        amounts,
    ),
    min_size=1,
    max_size=25,
)
ALL = {
    "customer_usage_reports": tuple(CustomerUsageReportPreset.values),
    "site_usage_reports": tuple(UsageReportPreset.values),
    "campaign_usage_reports": tuple(UsageReportPreset.values),
    "number_usage_reports": tuple(UsageReportPreset.values),
    "call_details": tuple(CallDetail.values),
    "include_call_columns": ("Date", "Number", "Amount"),
    "threshold_amount": Decimal("0.01"),
    "timezone": "America/New_York",
}


def services(currency: str) -> list[SubscriptionService]:
    """Four of one customer: with a site, with a campaign, with both, with neither."""
    customer = CustomerFactory(currency=CurrencyFactory(code=currency))
    site, campaign = SiteFactory(customer=customer), CampaignFactory(customer=customer)
    parts: list[dict[str, object]] = [{"site": site}, {"campaign": campaign}, {"site": site, "campaign": campaign}, {}]
    return [SubscriptionServiceFactory(customer=customer, **part) for part in parts]


def invoice_of(drawn: list[tuple[int, int, int, int, str, Decimal]], currency: str = "USD") -> Invoice:
    """A document with the uses that were drawn, on up to three lines; amounts by largest remainder, as a run has it."""
    having = services(currency)
    invoice: Invoice = InvoiceFactory(customer=having[0].customer, currency=having[0].customer.currency)
    minor_units = invoice.currency.minor_units
    numbers = sorted({use[0] for use in drawn})
    exact = [exact_sum(use[-1] for use in drawn if use[0] == number) for number in numbers]
    lines = {
        number: InvoiceLineFactory(
            invoice=invoice,
            product_name=f"Product {number}",
            usage_type=f"Type {number}",
            unit=UNITS[number],
            exact_amount=amount,
            amount=minor,
            charge_count=sum(use[0] == number for use in drawn),
        )
        for number, amount, minor in zip(numbers, exact, allocate_largest_remainder(exact, minor_units), strict=True)
    }
    charges = []
    for line, service, hour, seconds, destination, amount in drawn:
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        record = UsageDataRecordFactory(
            subscription_service=having[service],
            pending=False,
            from_date=at,
            to_date=at + timedelta(seconds=seconds),
            destination=destination,
        )
        charges.append(
            UsageCharge(
                customer=invoice.customer, record=record, line=lines[line], quantity=Decimal(seconds), amount=amount
            )
        )
    UsageCharge.objects.bulk_create(charges)
    return invoice


def tables(invoice: Invoice, **terms: object) -> dict[str, list[dict[str, str]]]:
    """The rows of all reports by their titles, each by its columns."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for made in made_files(invoice=invoice, terms=Terms(**{**ALL, **terms}), folder=Path(folder)):  # type: ignore[arg-type]
            with made.path.open(encoding="utf-8-sig", newline="") as file:
                found[made.title] = list(csv.DictReader(file))
    return found


def total(rows: list[dict[str, str]], column: str) -> Decimal:
    return exact_sum(Decimal(row[column] or 0) for row in rows)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=uses, currency=st.sampled_from(["USD", "JPY", "KWD"]))
def test_every_preset_adds_up_to_the_lines(drawn: list[tuple[int, int, int, int, str, Decimal]], currency: str) -> None:
    invoice = invoice_of(drawn, currency)
    exact = exact_sum(line.exact_amount for line in invoice.lines.all())
    amount = exact_sum(line.amount for line in invoice.lines.all())
    charges, amounts = f"Charges ({currency})", f"Amount ({currency})"
    found = tables(invoice)
    assert len(found) == 11 + 3 * 8 + 5
    for title, rows in found.items():
        if charges in rows[0]:
            *groups, last = rows
            assert total(groups, charges) == Decimal(last[charges]) == exact, title
            assert total(groups, amounts) == Decimal(last[amounts]) == amount, title
            assert total(groups, "Uses") == Decimal(last["Uses"]) == len(drawn), title
        else:
            *listed, in_all, invoiced = rows
            assert total(listed, amounts) == Decimal(in_all[amounts]) == exact, title
            assert Decimal(invoiced[amounts]) == amount, title
    by_product = {row["Product"]: Decimal(row[amounts]) for row in found["Customer: By product"][:-1]}
    assert by_product == {line.product_name: line.amount for line in invoice.lines.all()}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=uses, splits_by=st.sampled_from(["site", "number"]))
def test_the_files_of_a_report_that_is_split_add_up_to_the_lines(
    drawn: list[tuple[int, int, int, int, str, Decimal]], splits_by: str
) -> None:
    invoice = invoice_of(drawn)
    found = tables(
        invoice,
        splits_by=splits_by,
        customer_usage_reports=("By Hour", "Longest Uses"),
        site_usage_reports=(),
        campaign_usage_reports=(),
        number_usage_reports=(),
        call_details=("All",),
    )
    exact = exact_sum(line.exact_amount for line in invoice.lines.all())
    amount = exact_sum(line.amount for line in invoice.lines.all())
    hours = [rows for title, rows in found.items() if title.startswith("Customer: By hour, ")]
    assert exact_sum(Decimal(rows[-1]["Charges (USD)"]) for rows in hours) == exact
    assert exact_sum(Decimal(rows[-1]["Amount (USD)"]) for rows in hours) == amount
    for start in ("Customer: Longest uses, ", "Usage: All, "):
        files = [rows for title, rows in found.items() if title.startswith(start)]
        assert exact_sum(Decimal(rows[-2]["Amount (USD)"]) for rows in files) == exact
        assert exact_sum(Decimal(rows[-1]["Amount (USD)"]) for rows in files) == amount
        assert exact_sum(total(rows[:-2], "Amount (USD)") for rows in files) == exact
