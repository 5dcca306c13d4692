"""Texts with signs that files take for their own."""

import io
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from invoicing.models import Invoice
from tests.factories import InvoiceFactory, SubscriptionServiceFactory
from tests.reports.reported import files, line, texts, use

pytestmark = pytest.mark.django_db

COLUMNS = ("Number", "Record Number", "Amount")


def invoice_with(number: str, record_number: str) -> Invoice:
    """An invoice with a use of that service and of that record."""
    invoice = InvoiceFactory()
    service = SubscriptionServiceFactory(customer=invoice.customer, identifier=number)
    use(line(invoice, "1", "1.00"), service, "2026-01-10T08:00", "1", number=record_number)
    return invoice


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # XML knows no such characters, and Excel opens no file that has them.
        ("\ufffea\uffff\x1f", " a  "),
        # Excel would read the letters A and B.
        ("_x0041_x0042_", "_x0041_x0042_"),
        ("a &\nb", "a &\nb"),
        ("😀𠀀", "😀𠀀"),
    ],
)
def test_a_workbook_shows_texts_as_they_are(text: str, shown: str, tmp_path: Path) -> None:
    invoice = invoice_with(text, "R1")
    made = files(invoice, tmp_path, call_details=("All",), include_call_columns=COLUMNS, formats=("xlsx",))
    (content,) = made.values()
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[1] == [shown, "R1", 1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\n=1+1", '"\'\n=1+1"'),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20SUM(1)", "'\uff20SUM(1)"),
        ("+1-1", "'+1-1"),
        ("+493011111", "+493011111"),
        ("大阪", "大阪"),
        ("😀", "😀"),
        ('a"b;c', '"a""b;c"'),
    ],
)
def test_a_text_file_has_no_formulas(text: str, shown: str, tmp_path: Path) -> None:
    made = texts(invoice_with(text, "R1"), tmp_path, call_details=("All",), include_call_columns=COLUMNS)
    (content,) = made.values()
    assert content.split("\n", 1)[1].startswith(f"{shown},R1,1\n")
