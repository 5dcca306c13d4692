"""Reports in documents: one PDF and one workbook of all reports, or of each site; what a PDF has, and where it ends."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from tests.factories import CustomerFactory, InvoiceFactory, SubscriptionServiceFactory
from tests.reports.reported import files, invoice_of_four_uses, line, use, with_transaction

pytestmark = pytest.mark.django_db


def test_a_pdf_has_the_rows_the_totals_and_whose_they_are(tmp_path: Path) -> None:
    (content,) = files(
        invoice_of_four_uses(), tmp_path, customer_usage_reports=("By Day",), formats=("pdf",), language="de"
    ).values()
    text = PdfReader(io.BytesIO(content)).pages[0].extract_text()
    for said in ("Kunde: Nach Tag", "Acme", "INV-000001", "10.01.2026", "0,375", "Summe", "0,378", "Seite 1 von 1"):
        assert said in text, text


def test_names_without_spaces_stay_on_the_page(tmp_path: Path) -> None:
    invoice = InvoiceFactory(customer=CustomerFactory(name="W" * 200))
    service = SubscriptionServiceFactory(customer=invoice.customer, identifier="9" * 300)
    use(line(invoice, "1", "1.00"), service, "2026-01-10T08:00", "1")
    (content,) = files(
        invoice, tmp_path, customer_usage_reports=("Summary",), formats=("pdf",), splits_by="number"
    ).values()
    lines = pdf_text(content).splitlines()
    # Upright, 510 points: 67 W of 0.94 * 8 points, 50 digits of 0.585 * 15 * 1.15.
    assert max(line.count("W") for line in lines) == 67
    assert max(line.count("9") for line in lines) == 50


def test_a_report_that_is_too_long_to_be_read_is_csv_instead(tmp_path: Path, settings: Any) -> None:
    settings.REPORT_PDF_MOST_ROWS = 3
    invoice = invoice_of_four_uses()
    made = files(invoice, tmp_path, call_details=("All", "Above Threshold"), formats=("pdf",))
    assert list(made) == ["01-usage-report.pdf", "02-usage-all.csv"]
    text = pdf_text(made["01-usage-report.pdf"])
    assert "Usage: All: too long to be read here, in a file of its own" in text
    assert "Usage: Above a threshold" in text
    settings.REPORT_PDF_MOST_ROWS = 2
    made = files(invoice, tmp_path, call_details=("All",), formats=("pdf", "csv", "xlsx"))
    assert list(made) == ["01-usage-all.xlsx", "02-usage-all.csv"]


def pdf_text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_all_reports_stand_in_one_pdf_and_one_workbook(tmp_path: Path) -> None:
    made = files(
        with_transaction(invoice_of_four_uses(posted=False)),
        tmp_path,
        customer_usage_reports=("Summary", "By Day"),
        include_transaction_columns=("Description", "Amount"),
        formats=("pdf", "xlsx"),
    )
    assert list(made) == ["01-usage-report.pdf", "02-usage-report.xlsx"]
    text = pdf_text(made["01-usage-report.pdf"])
    places = [text.index(said) for said in ("Usage report", "Customer: Summary", "Customer: By day", "Transactions")]
    assert places == sorted(places)
    assert text.index("Set-up") > places[-1]
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(made["02-usage-report.xlsx"]))
    assert workbook.sheet_names == ["Customer Summary", "Customer By day", "Transactions"]
    # The summary's total is that of its own worksheet: uses, duration, charges and amount.
    assert workbook.get_sheet_by_index(0).to_python()[-1] == [
        "Total",
        4,
        timedelta(seconds=210),
        "",
        "",
        "",
        0.378,
        0.38,
    ]
    assert workbook.get_sheet_by_index(2).to_python() == [
        ["Description", "Amount (USD)"],
        ["Set-up", 25.0],
        ["Total (1)", 25.0],
    ]


def test_each_site_has_a_pdf_and_a_workbook_of_its_own(tmp_path: Path) -> None:
    made = files(
        with_transaction(invoice_of_four_uses(posted=False)),
        tmp_path,
        customer_usage_reports=("Summary",),
        include_transaction_columns=("Description", "Amount"),
        call_details=("All",),
        include_call_columns=("Record Number", "Amount"),
        formats=("pdf", "xlsx"),
        splits_by="site",
    )
    assert list(made) == [
        *("01-transactions.pdf", "02-transactions.xlsx"),
        *("03-usage-report-no-site.pdf", "04-usage-report-no-site.xlsx"),
        *("05-usage-report-berlin.pdf", "06-usage-report-berlin.xlsx"),
    ]
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(made["06-usage-report-berlin.xlsx"]))
    assert workbook.sheet_names == ["Customer Summary", "Usage All"]
    assert [row[0] for row in workbook.get_sheet_by_index(1).to_python()] == [
        *("Record number", "C1", "C4", "C3", "Total (3)", "Invoiced")
    ]
    berlin = pdf_text(made["05-usage-report-berlin.pdf"])
    assert "C1" in berlin
    assert "C2" not in berlin


def test_a_list_by_number_has_in_a_pdf_what_each_number_comes_to(tmp_path: Path) -> None:
    terms = {"include_call_columns": ("Number", "Record Number", "Amount"), "call_details": ("By Number", "By Site")}
    (content,) = files(invoice_of_four_uses(), tmp_path, formats=("pdf",), **terms).values()
    lines = pdf_text(content).splitlines()
    # 0.125 + 0 + 0.003 and 0.25; by site, 0.25 without one and the others in Berlin.
    for said in ("+493011111 (3)", "+493022222 (1)", "(no site) (1)", "Berlin (3)"):
        assert any(said in line for line in lines), lines
    assert sum("0.128" in line for line in lines) == 2


def test_a_table_of_sites_has_no_sums_but_its_total(tmp_path: Path) -> None:
    (content,) = files(invoice_of_four_uses(), tmp_path, customer_usage_reports=("By Site",), formats=("pdf",)).values()
    lines = pdf_text(content).splitlines()
    assert not any("Berlin (" in line for line in lines), lines
    # The amounts beside the bars are those of the table: of 0.378 in 0.38, 0.25 without a site and 0.13 in Berlin.
    beside = [line.split()[-1] for line in lines if line.startswith(("(no site)", "Berlin"))]
    assert beside[:2] == ["0.25", "0.13"], lines
