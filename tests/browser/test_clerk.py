"""What a clerk does in a month, in a browser."""

from datetime import datetime
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from billing.models import BillingRun
from billing.operations.production import produce_next_chunk
from billing.operations.runs import commence_run, complete_run
from invoicing.choices import InvoiceState
from invoicing.models import Invoice
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> BillingRun:
    """A pending run, with one customer to bill (1,000 x 0.01 + 20 % = 12.00 USD) and one without a tax rate."""
    card = factories.RateCardFactory(is_default=True)
    product = factories.ProductFactory()
    factories.RateFactory(rate_card=card, product=product, unit_price=Decimal("0.01"))
    for customer in (factories.CustomerFactory(name="Payer"), factories.CustomerFactory(name="Lacks", tax_rate=None)):
        service = factories.SubscriptionServiceFactory(customer=customer)
        factories.UsageDataRecordFactory(subscription_service=service, product=product, usage_amount=1000)
    return factories.BillingRunFactory(name="January 2026")


def produce(run: BillingRun, at: datetime) -> None:
    """Do the workers' part."""
    while produce_next_chunk(run_id=run.pk, at=at):
        pass
    complete_run(run_id=run.pk, at=at)


def test_finds_the_run_that_waits_looks_at_its_outcomes_and_approves_it(
    run: BillingRun, now: datetime, page: Page
) -> None:
    commence_run(run_id=run.pk, at=now, without_preflight=True)
    produce(run, now)
    page.reload()
    page.get_by_role("link", name="January 2026").first.click()

    outcomes = page.get_by_role("table").filter(has_text="Accounts by outcome")
    expect(outcomes.get_by_role("row").filter(has_text="Held")).to_contain_text("1")
    expect(outcomes.get_by_role("row").filter(has_text="Invoiced")).to_contain_text("1")
    expect(outcomes.get_by_role("row").filter(has_text="Invoices together")).to_contain_text("12.00 USD")
    expect(page.locator("#run-accounts tbody tr").first).to_contain_text("Lacks")

    page.get_by_role("link", name="Approve and post").click()
    page.get_by_role("button", name="Approve and post").click()
    expect(page.get_by_text("is approved: its invoices are posted")).to_be_visible()
    invoice = Invoice.objects.get()
    assert invoice.state == InvoiceState.POSTED

    page.get_by_role("link", name=str(invoice.number), exact=True).click()
    expect(page.get_by_role("article")).to_contain_text("12.00 USD")


def test_sees_a_run_go_on_by_itself(run: BillingRun, now: datetime, page: Page) -> None:
    page.goto(f"/admin/billing/billingrun/{run.pk}/change/")
    commence_run(run_id=run.pk, at=now, without_preflight=True)
    page.reload()
    expect(page.get_by_role("progressbar")).to_be_visible()
    produce(run, now)
    expect(page.get_by_role("link", name="Approve and post")).to_be_visible()


def test_looks_at_a_preview_before_commencing(run: BillingRun, page: Page) -> None:
    page.goto(f"/admin/billing/billingrun/{run.pk}/change/")
    page.get_by_role("link", name="Preview").click()
    expect(page.locator("#preview-accounts")).to_contain_text("12.00 USD")
    assert not Invoice.objects.exists()
