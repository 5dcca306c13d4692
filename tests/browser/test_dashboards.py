"""A clerk looks at dashboards: charts are drawn, a click on a bar opens the rows behind it, and so does the table."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from reports.operations.figures import count_figures
from tests import factories
from tests.pictured import billed

pytestmark = pytest.mark.django_db(transaction=True)

FEBRUARY = "?period=own&from_day=2026-02-01&to_day=2026-02-28"
# Where the middle of a chart's bar is, in pixels from the canvas's corner.
BAR = """key => {
  const chart = Chart.getChart(document.querySelector(`#${key} canvas`));
  const bar = chart.getDatasetMeta(0).data[0].getCenterPoint();
  return [bar.x, bar.y];
}"""


@pytest.fixture
def _february() -> None:
    """Two documents of 10.00 and 2.50 on 1 February, counted."""
    for name, net in (("Payer", "10.00"), ("Small", "2.50")):
        billed(factories.CustomerFactory(name=name), net, product=factories.ProductFactory(name=f"Calls of {name}"))
    count_figures(at=datetime(2026, 2, 1, 9, 0, tzinfo=UTC))


def click_first_bar(page: Page, key: str) -> None:
    x, y = page.evaluate(BAR, key)
    page.locator(f"#{key} canvas").click(position={"x": x, "y": y})


@pytest.mark.usefixtures("_february")
def test_a_click_on_a_bar_opens_the_documents_behind_it(page: Page) -> None:
    page.goto(f"/admin/dashboards/revenue/{FEBRUARY}")
    click_first_bar(page, "revenue-by-day")
    page.wait_for_url("**/admin/invoicing/invoice/?**")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)


@pytest.mark.usefixtures("_february")
def test_a_click_on_a_product_opens_its_figures(page: Page) -> None:
    page.goto(f"/admin/dashboards/revenue/{FEBRUARY}")
    click_first_bar(page, "revenue-by-product")
    page.wait_for_url("**/admin/reports/revenueday/?**")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    expect(page.locator("#result_list")).to_contain_text("Calls of Payer")


@pytest.mark.usefixtures("_february")
def test_the_table_says_and_opens_the_same(page: Page) -> None:
    page.goto(f"/admin/dashboards/revenue/{FEBRUARY}")
    customers = page.locator("#revenue-by-customer tbody tr")
    expect(customers.first).to_contain_text("Payer")
    expect(customers.first).to_contain_text("10.00")
    customers.first.get_by_role("link", name="Payer").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


@pytest.mark.usefixtures("_february")
def test_own_dates_are_asked_for_only_where_they_are_chosen(page: Page) -> None:
    page.get_by_role("link", name="Dashboards").first.click()
    expect(page.get_by_label("Own dates: from")).to_be_hidden()
    page.get_by_label("Period").select_option("own")
    page.get_by_label("Own dates: from").fill("2026-02-01")
    page.get_by_label("To, this day included").fill("2026-02-28")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name="Revenue by day, USD")).to_be_visible()
    page.get_by_role("link", name="Billing runs", exact=True).last.click()
    expect(page.get_by_text("No run with an invoice date in these days").first).to_be_visible()
