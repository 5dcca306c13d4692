"""The usage report files of an invoice, and each of them."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from customers.models import Customer
from invoicing.models import Invoice
from reports.models import UsageReport
from tests.api.caller import Caller, assert_error
from tests.away import take_bucket_away
from tests.factories.customers import CustomerFactory
from tests.factories.invoicing import InvoiceFactory, post
from tests.factories.reports import UsageReportFactory

pytestmark = pytest.mark.django_db

PATH = "/billing/v3/invoices"
CONTENT = b"number,amount\n+49301,0.60\n"


@pytest.fixture
def invoice(customer: Customer, settings: Any, tmp_path: Path) -> Invoice:
    settings.MEDIA_ROOT = tmp_path
    return post(InvoiceFactory(customer=customer))


@pytest.fixture
def report(invoice: Invoice) -> UsageReport:
    report = UsageReportFactory(
        invoice=invoice,
        title="By number",
        format="csv",
        byte_count=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        file="",
    )
    report.file.save("by-number.csv", ContentFile(CONTENT))
    return report


def test_they_are_listed_and_got_with_the_same_key(
    customer: Customer, caller_of: Callable[..., Caller], invoice: Invoice, report: UsageReport
) -> None:
    caller = caller_of(customer)
    address = f"http://testserver{PATH}/{invoice.pk}/usage-reports/{report.pk}"
    assert caller.ask(f"{PATH}/{invoice.pk}/usage-reports") == {
        "data": [
            {
                "id": str(report.pk),
                "title": "By number",
                "format": "csv",
                "is_zipped": False,
                "byte_count": 26,
                "sha256": hashlib.sha256(CONTENT).hexdigest(),
                "url": address,
            }
        ]
    }
    response = caller.get(address.removeprefix("http://testserver"))
    assert (response.status_code, b"".join(response.streaming_content)) == (200, CONTENT)
    assert response.headers["Content-Type"] == "text/csv"
    assert response.headers["Content-Length"] == "26"
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")


def test_with_a_slash_the_addresses_are_the_same(staff: Caller, invoice: Invoice, report: UsageReport) -> None:
    listed = staff.ask(f"{PATH}/{invoice.pk}/usage-reports/")
    assert listed == staff.ask(f"{PATH}/{invoice.pk}/usage-reports")


def test_without_any_the_list_is_empty(staff: Caller, invoice: Invoice) -> None:
    assert staff.ask(f"{PATH}/{invoice.pk}/usage-reports") == {"data": []}


def test_of_another_customer_of_a_draft_and_of_none_it_is_a_404(
    customer: Customer, caller_of: Callable[..., Caller], invoice: Invoice, report: UsageReport
) -> None:
    other = CustomerFactory()
    theirs, draft = post(InvoiceFactory(customer=other)), InvoiceFactory(customer=customer)
    stranger, mine = caller_of(other), caller_of(customer)
    for caller, path in (
        (stranger, f"{PATH}/{invoice.pk}/usage-reports"),
        (stranger, f"{PATH}/{invoice.pk}/usage-reports/{report.pk}"),
        (stranger, f"{PATH}/{theirs.pk}/usage-reports/{report.pk}"),
        (mine, f"{PATH}/{draft.pk}/usage-reports"),
        (mine, f"{PATH}/{invoice.pk}/usage-reports/{report.pk + 1}"),
        (mine, f"{PATH}/{invoice.pk}/usage-reports/first"),
        (mine, f"{PATH}/0/usage-reports"),
    ):
        assert_error(caller.get(path), 404, "not_found")


def test_a_file_that_is_not_where_it_was_is_a_404_that_says_so(
    staff: Caller, invoice: Invoice, report: UsageReport
) -> None:
    Path(report.file.path).unlink()
    response = staff.get(f"{PATH}/{invoice.pk}/usage-reports/{report.pk}")
    assert_error(response, 404, "not_found")
    assert "is not where it was stored" in response.json()["detail"]


def test_with_the_storage_away_a_file_is_a_503_that_says_so(
    staff: Caller, invoice: Invoice, report: UsageReport, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_bucket_away(settings, monkeypatch)
    response = staff.get(f"{PATH}/{invoice.pk}/usage-reports/{report.pk}")
    assert_error(response, 503, "unavailable")
    assert response.json()["detail"] == "The storage of files does not answer. Please try again in some minutes."
