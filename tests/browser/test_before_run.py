"""What a clerk looks at before a run, in a browser."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from billing.models import BillingRun
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> BillingRun:
    """A pending run, with one customer to bill (1,000 x 0.01 + 20 % = 12.00 USD) and one without a tax rate."""
    card = factories.RateCardFactory(is_default=True)
    product = factories.ProductFactory(name="Calls")
    factories.RateFactory(rate_card=card, product=product, unit_price=Decimal("0.01"))
    for name, terms in (("Payer", {}), ("Lacks", {"tax_rate": None})):
        service = factories.SubscriptionServiceFactory(customer=factories.CustomerFactory(name=name, **terms))
        factories.UsageDataRecordFactory(subscription_service=service, product=product, usage_amount=1000)
    return factories.BillingRunFactory(name="January 2026")


def test_asks_who_is_on_the_run_looks_at_a_preview_and_confirms_a_warning(run: BillingRun, page: Page) -> None:
    page.goto(f"/admin/billing/billingrun/{run.pk}/change/")
    page.get_by_label("Is a customer on this run, and if not, why?").fill("payer")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#answers")).to_contain_text("It will be on the run when that is commenced.")

    page.get_by_role("link", name="Preview", exact=True).click()
    expect(page.locator("#preview-lines tbody tr").first).to_contain_text("10.00 USD")
    expect(page.locator("#preview-lines tbody tr").last).to_contain_text("12.00 USD")

    page.goto(f"/admin/billing/billingrun/{run.pk}/change/")
    page.get_by_role("link", name="Commence").click()
    button = page.get_by_role("button", name="Commence the run")
    button.click()
    # The browser itself asks for the box.
    expect(page.get_by_role("heading", name="Commence January 2026")).to_be_visible()
    page.get_by_label("Customers without a tax rate").check()
    button.click()
    expect(page.get_by_text("January 2026 is commenced.")).to_be_visible()
    run.refresh_from_db()
    assert (run.status, run.confirmed_warnings) == ("commenced", ["no_tax_rate"])
