"""What reports would look like, with a customer's last invoice; nothing is kept of it."""

from datetime import date

import pytest
from django.db import connection

from reports.models import ReportProduction, UsageReport
from reports.operations.preview import PreviewTooLarge, preview_reports, terms_of
from tests.factories import CustomerFactory, InvoiceFactory, InvoiceLineFactory, InvoiceUsageReportProfileFactory
from tests.reports.reported import invoice_of_four_uses

pytestmark = pytest.mark.django_db


def test_the_first_rows_of_each_report_with_its_totals() -> None:
    invoice = invoice_of_four_uses(posted=False)
    profile = InvoiceUsageReportProfileFactory(customer_usage_reports=["By Day"], call_details=["All"])
    terms = terms_of(
        {name: getattr(profile, name) for name in ("customer_usage_reports", "call_details")}, customer=invoice.customer
    )
    preview = preview_reports(terms=terms, customer=invoice.customer, on=date(2026, 2, 1), row_count=3)
    assert preview is not None
    assert preview.invoice == invoice
    by_day, calls = preview.reports
    assert (by_day.sheet.title, len(by_day.rows), by_day.has_more_rows) == ("Customer: By day", 3, False)
    assert by_day.rows[0][:2] == (date(2026, 1, 10), 2)
    assert [footer.label for footer in by_day.sheet.footers] == ["Total"]
    assert (calls.sheet.title, len(calls.rows), calls.has_more_rows) == ("Usage: All", 3, True)
    assert not UsageReport.objects.exists()
    assert not ReportProduction.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('reported_use')")
        assert cursor.fetchone() == (None,)


def test_a_customer_without_an_invoice_until_then_has_none() -> None:
    invoice = invoice_of_four_uses()
    terms = terms_of({"customer_usage_reports": ["Summary"]}, customer=invoice.customer)
    assert preview_reports(terms=terms, customer=invoice.customer, on=date(2026, 1, 31)) is None
    assert preview_reports(terms=terms, customer=CustomerFactory(), on=date(2026, 2, 1)) is None


def test_a_later_invoice_without_usage_does_not_hide_the_last_with_some() -> None:
    invoice = invoice_of_four_uses()
    InvoiceFactory(customer=invoice.customer, period_start=date(2026, 2, 1), period_end=date(2026, 3, 1))
    terms = terms_of({"customer_usage_reports": ["Summary"]}, customer=invoice.customer)
    preview = preview_reports(terms=terms, customer=invoice.customer, on=date(2026, 3, 1))
    assert preview is not None
    assert (preview.invoice, len(preview.reports)) == (invoice, 1)


def test_a_usage_line_without_uses_has_no_reports() -> None:
    line = InvoiceLineFactory(invoice__period_end=date(2026, 2, 1), charge_count=0)
    customer = line.invoice.customer
    terms = terms_of({"customer_usage_reports": ["Summary"], "call_details": ["All"]}, customer=customer)
    preview = preview_reports(terms=terms, customer=customer, on=date(2026, 2, 1))
    assert preview is not None
    assert preview.reports == []


def test_the_customers_time_zone_language_and_privacy_show() -> None:
    invoice = invoice_of_four_uses(language="de", masks_numbers=True)
    chosen = {"call_details": ["All"], "include_call_columns": ["Time", "Destination", "Amount"]}
    terms = terms_of(chosen, customer=invoice.customer)
    preview = preview_reports(terms=terms, customer=invoice.customer, on=date(2026, 2, 1))
    assert preview is not None
    (report,) = preview.reports
    # 08:00 UTC is 09:00 in Berlin.
    assert [str(value) for value in report.rows[0][:2]] == ["09:00:00", "+442079460***"]
    assert report.sheet.headers[-1] == "Betrag (USD)"


def test_an_invoice_with_too_many_uses_is_not_previewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.operations.preview.MOST_USES", 3)
    invoice = invoice_of_four_uses()
    terms = terms_of({"customer_usage_reports": ["Summary"]}, customer=invoice.customer)
    with pytest.raises(PreviewTooLarge, match="has 4 uses, and a preview takes at most 3"):
        preview_reports(terms=terms, customer=invoice.customer, on=date(2026, 2, 1))
