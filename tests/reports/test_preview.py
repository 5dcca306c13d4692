"""What reports would look like, with a customer's last invoice; nothing is kept of it."""

from datetime import date

import pytest
from django.db import connection

from reports.models import ReportProduction, UsageReport
from reports.operations.preview import PreviewTooLarge, preview_reports, terms_of
from tests.factories import CustomerFactory, InvoiceUsageReportProfileFactory
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


def test_an_invoice_with_too_many_uses_is_not_previewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.operations.preview.MOST_USES", 3)
    invoice = invoice_of_four_uses()
    terms = terms_of({"customer_usage_reports": ["Summary"]}, customer=invoice.customer)
    with pytest.raises(PreviewTooLarge, match="has 4 uses, and a preview takes at most 3"):
        preview_reports(terms=terms, customer=invoice.customer, on=date(2026, 2, 1))
