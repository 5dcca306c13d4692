"""A clerk fills in a report profile, and sees below it what the reports would look like."""

import pytest
from playwright.sync_api import Locator, Page, expect

from reports.models import CustomerReportProfile, InvoiceUsageReportProfile, ReportProduction, UsageReport
from tests.browser.test_credits import choose
from tests.factories import CustomerFactory, InvoiceUsageReportProfileFactory
from tests.reports.reported import invoice_of_four_uses

pytestmark = pytest.mark.django_db(transaction=True)


def preview(page: Page) -> Locator:
    return page.get_by_label("Preview of the reports")


def tick(page: Page, field: str, value: str) -> None:
    page.locator(f"input[name={field}][value='{value}']").check()


def test_the_form_shows_what_the_reports_would_look_like_while_it_is_filled_in(page: Page) -> None:
    invoice_of_four_uses(account_number="A-ACME")
    page.goto("/admin/reports/invoiceusagereportprofile/add/")
    expect(preview(page)).to_contain_text("Choose a customer")
    page.get_by_label("With the last invoice of").fill("A-AC")
    expect(preview(page)).to_contain_text("No report is chosen yet: tick")

    tick(page, "customer_usage_reports", "By Day")
    expect(preview(page).get_by_role("heading", name="Customer: By day")).to_be_visible()
    # Two of 10 January, 0.125 + 0.25 = 0.375, to 0.38.
    expect(preview(page).get_by_role("row").nth(1)).to_contain_text("0.375")
    expect(preview(page).get_by_role("row").last).to_contain_text("0.378")
    tick(page, "formats", "pdf")
    expect(preview(page).get_by_role("progressbar")).to_have_count(3)

    tick(page, "call_details", "Above Threshold")
    expect(preview(page).get_by_role("heading", name="Usage: Above a threshold")).to_be_visible()
    page.get_by_label("Threshold amount").fill("0.2")
    expect(preview(page)).to_contain_text("Others (3)")
    page.get_by_label("Threshold amount").fill("")
    expect(preview(page)).to_contain_text("Threshold amount: This field is required.")
    page.get_by_label("Threshold amount").fill("0.1")
    expect(preview(page)).to_contain_text("Others (2)")
    assert not InvoiceUsageReportProfile.objects.exists()
    assert not UsageReport.objects.exists()
    assert not ReportProduction.objects.exists()

    page.locator("#id_name").fill("By day")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()
    profile = InvoiceUsageReportProfile.objects.get()
    assert (profile.customer_usage_reports, profile.call_details) == (["By Day"], ["Above Threshold"])
    assert profile.formats == ["pdf"]


def test_the_profile_of_a_customer_is_shown_with_that_customers_invoice(page: Page) -> None:
    invoice = invoice_of_four_uses(account_number="A-ACME")
    profile = InvoiceUsageReportProfileFactory(customer=invoice.customer, number_usage_reports=["Summary"])
    CustomerFactory(name="Acme too")
    page.goto(f"/admin/reports/invoiceusagereportprofile/{profile.pk}/change/")
    expect(preview(page).get_by_role("heading", name="Numbers: Summary")).to_be_visible()
    page.get_by_label("With the last invoice of").fill("acme")
    expect(preview(page)).to_contain_text("Several customers begin so.")
    preview(page).get_by_role("button", name="A-ACME Acme").click()
    expect(preview(page).get_by_role("heading", name="Numbers: Summary")).to_be_visible()
    expect(page.get_by_label("With the last invoice of")).to_have_value("A-ACME")
    page.locator("select[name=splits_by]").select_option("number")
    expect(preview(page)).to_contain_text("one file for each number: the first of 2")
    page.get_by_label("With the last invoice of").fill("nobody")
    expect(preview(page)).to_contain_text("No customer has this account number")


def test_where_nothing_can_be_shown_the_preview_says_why(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.operations.preview.MOST_USES", 3)
    invoice_of_four_uses(account_number="A-LARGE")
    CustomerFactory(account_number="A-NEW")
    page.goto("/admin/reports/invoiceusagereportprofile/add/")
    tick(page, "call_details", "All")
    page.get_by_label("With the last invoice of").fill("A-NEW")
    expect(preview(page)).to_contain_text("has no invoice yet whose reports could be shown")
    page.get_by_label("With the last invoice of").fill("A-LARGE")
    expect(preview(page)).to_contain_text(
        "has 4 uses, and a preview takes at most 3. Choose a customer with less usage"
    )


def test_a_customer_outside_is_refused_in_words(page: Page) -> None:
    inside, outside = CustomerFactory(account_number="A-IN"), CustomerFactory(account_number="A-OUT")
    InvoiceUsageReportProfileFactory(name="Own", customer=inside)
    page.goto("/admin/reports/customerreportprofile/add/")
    choose(page, "profile", "Own")
    choose(page, "customer", "A-OUT")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The profile Own is not for customer A-OUT: it is kept to customer A-IN.")).to_be_visible()
    assert not CustomerReportProfile.objects.exists()
    choose(page, "customer", "A-IN")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()
    assert CustomerReportProfile.objects.get().customer == inside
    assert outside != inside
