"""What is said of a run beforehand is what the run then does, for every customer of random companies."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from billing.models import BillingRun, RunAccount
from billing.operations.preview import CustomerPreview, PreviewLine, PreviewTax, preview_customer, preview_run
from billing.operations.runs import commence_run
from billing.queries.preflight_customers import customer_checks
from billing.queries.preflight_usage import run_usage
from invoicing.models import UsageCharge
from tests.properties.company import Party, make_company
from tests.properties.drawn import DrawnCustomer, DrawnPrices, currencies, customers, prices
from tests.runs import AT, account, new_run, produce
from usage.models import PendingUsage

pytestmark = pytest.mark.django_db
suppressed = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
LINE = (
    *("line_number", "kind", "product_code", "product_name", "region", "usage_type", "unit", "description"),
    *("late_period", "quantity", "unit_price", "unit_size", "exact_amount", "amount", "charge_count"),
)


def as_previewed(found: RunAccount) -> tuple[tuple[PreviewLine, ...], tuple[PreviewTax, ...]]:
    """The lines and taxes of what the run made, in the shape of a preview."""
    if found.invoice is None:
        return (), ()
    lines = found.invoice.lines.order_by("line_number").values_list(*LINE)
    taxes = found.invoice.taxes.order_by("name", "percent").values_list("name", "percent", "net_amount", "tax_amount")
    return tuple(PreviewLine(*line) for line in lines), tuple(PreviewTax(*tax) for tax in taxes)


def check(preview: CustomerPreview, run: BillingRun, party: Party) -> None:
    found = account(run, party.customer)
    event(found.outcome)
    assert (preview.lines, preview.taxes) == as_previewed(found)
    assert preview.period_start == found.period_start
    assert preview.account.total_amount == (found.invoice.total_amount if found.invoice else Decimal(0))


@settings(max_examples=12, suppress_health_check=suppressed)
@given(currencies, st.lists(customers, min_size=1, max_size=3), prices())
def test_a_preview_of_one_customer_shows_what_the_run_then_makes(
    currency: str, drawn: list[DrawnCustomer], drawn_prices: DrawnPrices
) -> None:
    subrun, parties = make_company(currency, drawn, drawn_prices)
    run = new_run(subrun=subrun, bill_unpriced=True)
    by_itself = [preview_customer(run_id=run.pk, customer_id=party.customer.pk, at=AT) for party in parties]
    whole = preview_run(run_id=run.pk, at=AT)
    assert [preview.account for preview in by_itself] == list(whole.accounts)
    produce(commence_run(run_id=run.pk, at=AT, without_preflight=True))
    for preview, party in zip(by_itself, parties, strict=True):
        check(preview, run, party)


@settings(max_examples=25, suppress_health_check=suppressed)
@given(currencies, st.lists(customers, min_size=1, max_size=3), prices())
def test_the_records_that_a_pre_flight_finds_without_a_rate_are_those_that_no_rate_prices(
    currency: str, drawn: list[DrawnCustomer], drawn_prices: DrawnPrices
) -> None:
    subrun, parties = make_company(currency, drawn, drawn_prices)
    run = new_run(subrun=subrun, bill_unpriced=True)
    with run_usage(run) as usage:
        (found, *_) = customer_checks(run, usage)
        usage.cursor.execute("SELECT record_id FROM preflight_unpriced")
        unpriced = {record_id for (record_id,) in usage.cursor.fetchall()}
    assert (found.code, found.count) == ("unpriced_usage", len(unpriced))
    # A minimum would leave priced usage waiting too.
    for party in parties:
        party.customer.minimum_invoice_amount = Decimal(0)
        party.customer.save()
    of_them = [party.customer for party in parties]
    due = PendingUsage.objects.filter(customer__in=of_them, billing_effective_date__lt=run.cutoff_date)
    waiting = set(due.values_list("record_id", flat=True))
    produce(commence_run(run_id=run.pk, at=AT, without_preflight=True))
    charged = set(UsageCharge.objects.filter(record_id__in=waiting).values_list("record_id", flat=True))
    event(f"{'some' if unpriced else 'none'} unpriced, {'some' if charged else 'none'} charged")
    failed = RunAccount.objects.filter(run=run, outcome="failed").values_list("customer_id", flat=True)
    lost = set(PendingUsage.objects.filter(customer__in=list(failed)).values_list("record_id", flat=True))
    assert unpriced - lost == waiting - charged - lost
