"""Reports as files: languages and number formats, masked numbers, formats, splits, archives; the same bytes again."""

import io
import json
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from reports.adapters.workbook import worksheet_name
from reports.choices import CallDetail, CustomerUsageReportPreset, ReportFormat
from reports.operations.making import ReportsRefused
from reports.queries.tables import Gathered, Tables
from tests.factories import InvoiceFactory, SubscriptionServiceFactory
from tests.reports.reported import files, invoice_of_four_uses, line, texts, use

pytestmark = pytest.mark.django_db

COLUMNS = ("Date", "Time", "Destination", "Amount")


def rows_of(invoice: Any, folder: Path, **terms: Any) -> list[str]:
    (text,) = texts(invoice, folder, call_details=("All",), **({"include_call_columns": COLUMNS} | terms)).values()
    return text.splitlines()


def test_german_reports_have_german_words_decimal_commas_and_semicolons(tmp_path: Path) -> None:
    made = texts(invoice_of_four_uses(), tmp_path, customer_usage_reports=("Summary",), language="de-AT")
    assert made["Kunde: Zusammenfassung"].splitlines() == [
        "Art;Nutzungen;Dauer;Menge;Berechnete Menge;Einheit;Entgelte (USD);Betrag (USD)",
        "Call;3;00:03:30;210;210;second;0,378;0,38",
        "Message;1;00:00:00;1;1;message;0;0,00",
        "Summe;4;00:03:30;;;;0,378;0,38",
    ]


def test_destinations_are_named_in_the_language_of_the_report(tmp_path: Path) -> None:
    made = texts(invoice_of_four_uses(), tmp_path, customer_usage_reports=("By Destination",), language="de")
    assert [row.split(";")[0] for row in made["Kunde: Nach Ziel"].splitlines()[1:4]] == [
        "(ohne Ziel)",
        "Paris",
        "United Kingdom",
    ]


def test_masked_numbers_lack_their_last_three_digits(tmp_path: Path) -> None:
    rows = rows_of(invoice_of_four_uses(), tmp_path, masks_numbers=True)
    assert [row.split(",")[2] for row in rows[1:5]] == ["+442079460***", "+442079460***", "", "+33140000***"]


@pytest.mark.parametrize(
    ("destination", "shown", "masked"),
    [
        ("442079460001", "+442079460001", "+442079460***"),
        ("+44 (20) 7946-0001", "+442079460001", "+442079460***"),
        ("030123456", "030123456", "030123***"),
        ("110", "110", "110"),
        ("sip:442079460001@example.com", "sip:442079460001@example.com", "sip:442079460***@example.com"),
        ("eu-west-1", "eu-west-1", "eu-west-1"),
        ("", "", ""),
    ],
)
def test_destinations_are_shown_and_masked(destination: str, shown: str, masked: str, tmp_path: Path) -> None:
    invoice = InvoiceFactory()
    charged = line(invoice, "1", "1.00")
    use(
        charged, SubscriptionServiceFactory(customer=invoice.customer), "2026-01-10T08:00", "1", destination=destination
    )
    for is_masked, expected in ((False, shown), (True, masked)):
        rows = rows_of(
            invoice, tmp_path, include_call_columns=("Record Number", "Destination"), masks_numbers=is_masked
        )
        assert rows[1].split(",")[1] == expected


@pytest.mark.parametrize(
    ("timezone", "shown"),
    [
        ("UTC", "2026-01-31,23:30:05"),
        ("Europe/Berlin", "2026-02-01,00:30:05"),
        ("America/New_York", "2026-01-31,18:30:05"),
    ],
)
def test_a_use_at_the_border_of_a_month_is_on_the_customers_day(timezone: str, shown: str, tmp_path: Path) -> None:
    rows = rows_of(invoice_of_four_uses(), tmp_path, timezone=timezone)
    assert rows[4].startswith(shown)


def test_a_text_that_a_spreadsheet_would_take_for_a_formula_is_quoted(tmp_path: Path) -> None:
    invoice = InvoiceFactory()
    service = SubscriptionServiceFactory(customer=invoice.customer, identifier="=1+1")
    use(line(invoice, "1", "1.00"), service, "2026-01-10T08:00", "1", number="-2+3")
    rows = rows_of(invoice, tmp_path, include_call_columns=("Number", "Record Number"))
    assert rows[1] == "'=1+1,'-2+3,1"


def test_json_lines_have_exact_numbers_and_end_with_the_totals(tmp_path: Path) -> None:
    made = texts(
        invoice_of_four_uses(), tmp_path, call_details=("All",), formats=("jsonl",), include_call_columns=COLUMNS
    )
    rows = made["Usage: All"].splitlines()
    assert rows[0] == '{"date":"2026-01-10","time":"09:00:00","destination":"+442079460001","amount":0.125}'
    assert json.loads(rows[-1], parse_float=Decimal) == {
        "totals": {
            "uses": 4,
            "duration": 210,
            "charges": Decimal("0.378"),
            "amount": Decimal("0.38"),
            "currency": "USD",
        }
    }
    assert len(rows) == 5


def test_json_lines_and_parquet_say_what_no_row_of_a_list_shows(tmp_path: Path) -> None:
    # C1 and C2 cost more than 0.1; C3 and C4 are 0.003 and 0.
    made = files(
        invoice_of_four_uses(),
        tmp_path,
        call_details=("Above Threshold",),
        threshold_amount=Decimal("0.1"),
        formats=("jsonl", "parquet"),
    )
    lines, table = made.values()
    *rows, last = [json.loads(row, parse_float=Decimal) for row in lines.splitlines()]
    assert [row["record_number"] for row in rows] == ["C1", "C2"]
    assert last["totals"]["left_out"] == {"uses": 2, "charges": Decimal("0.003")}
    metadata = pq.read_table(io.BytesIO(table)).schema.metadata
    assert (metadata[b"left_out_uses"], metadata[b"left_out_charges"]) == (b"2", b"0.003")


def test_a_workbook_has_real_values_filters_and_totals(tmp_path: Path) -> None:
    made = files(
        invoice_of_four_uses(),
        tmp_path,
        call_details=("All",),
        formats=("xlsx",),
        include_call_columns=("Date", "Time", "Destination", "Duration", "Amount"),
    )
    (content,) = made.values()
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    assert sheet.name == "Usage All"
    rows = sheet.to_python()
    assert rows[0] == ["Date", "Time", "Destination", "Duration", "Amount (USD)"]
    assert rows[1] == [date(2026, 1, 10), time(9, 0), "+442079460001", timedelta(seconds=60), 0.125]
    assert rows[-2][0] == "Total (4)"
    assert (rows[-2][4], rows[-1][4]) == (0.378, 0.38)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        worksheet = archive.read("xl/worksheets/sheet1.xml").decode()
    # Four rows below the header, not the two of totals.
    assert '<autoFilter ref="A1:E5"/>' in worksheet
    # Of the amount: room for 123,456.123456789012 in bold.
    assert '<col min="5" max="5" width="22.7109375" customWidth="1"/>' in worksheet
    # Whole numbers have no point behind them, in the rows and in the exact total: not in the amount that is invoiced.
    assert '<conditionalFormatting sqref="E2:E6"><cfRule type="expression"' in worksheet
    assert "<formula>E2=INT(E2)</formula>" in worksheet
    assert 'state="frozen"' in worksheet


def workbook_rows(content: bytes, sheet: int = 0) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(sheet).to_python()


def test_a_workbook_has_texts_as_they_are(tmp_path: Path) -> None:
    invoice = InvoiceFactory()
    service = SubscriptionServiceFactory(customer=invoice.customer, identifier="<a & b>")
    use(line(invoice, "1", "1.00", product_name="two\nlines\tand \x02 more"), service, "2026-01-10T08:00", "1")
    columns = ("Number", "Site", "Product", "Amount")
    made = files(invoice, tmp_path, call_details=("All",), formats=("xlsx",), include_call_columns=columns)
    (content,) = made.values()
    assert workbook_rows(content)[1] == ["<a & b>", "", "two\nlines and   more", 1]


def test_what_does_not_fit_on_a_worksheet_goes_on_on_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A header, two totals, and room for three rows.
    monkeypatch.setattr("reports.adapters.workbook.ROWS_OF_WORKSHEET", 6)
    made = files(
        invoice_of_four_uses(),
        tmp_path,
        call_details=("All",),
        formats=("xlsx",),
        include_call_columns=("Record Number",),
    )
    (content,) = made.values()
    header = ["Record number", "Amount (USD)"]
    assert workbook_rows(content) == [header, ["C1", 0.125], ["C2", 0.25], ["C4", 0]]
    assert workbook_rows(content, 1) == [header, ["C3", 0.003], ["Total (4)", 0.378], ["Invoiced", 0.38]]


def test_a_parquet_file_has_exact_types_and_totals_in_its_metadata(tmp_path: Path) -> None:
    (content,) = files(
        invoice_of_four_uses(),
        tmp_path,
        call_details=("All",),
        formats=("parquet",),
        include_call_columns=("Date", "Time", "Destination", "Amount"),
    ).values()
    table = pq.read_table(io.BytesIO(content))
    assert table.to_pylist()[0] == {
        "date": date(2026, 1, 10),
        "time": time(9, 0),
        "destination": "+442079460001",
        "amount": Decimal("0.125"),
    }
    assert (table.schema.metadata[b"charges"], table.schema.metadata[b"amount"]) == (b"0.378", b"0.38")


def test_a_report_is_split_into_a_file_for_each_site(tmp_path: Path) -> None:
    made = texts(
        invoice_of_four_uses(),
        tmp_path,
        customer_usage_reports=("Summary",),
        call_details=("All",),
        include_call_columns=("Record Number",),
        splits_by="site",
    )
    assert {title: [row.split(",")[0] for row in text.splitlines()[1:-2]] for title, text in made.items()} == {
        "Customer: Summary, (no site)": [],
        "Customer: Summary, Berlin": ["Call"],
        "Usage: All, (no site)": ["C2"],
        "Usage: All, Berlin": ["C1", "C4", "C3"],
    }
    # 0.25 and 0.128; of the 0.38 that is invoiced 0.25 and 0.13.
    assert made["Customer: Summary, (no site)"].splitlines()[-1].endswith("0.25,0.25")
    assert made["Customer: Summary, Berlin"].splitlines()[-1].endswith("0.128,0.13")


def test_a_large_text_is_zipped_with_the_time_of_posting(tmp_path: Path, settings: Any) -> None:
    settings.REPORT_ZIPPED_ABOVE_BYTES = 100
    invoice = invoice_of_four_uses()
    plain = texts(invoice, tmp_path, call_details=("All",))
    (archive,) = list(tmp_path.glob("*.zip"))
    with zipfile.ZipFile(archive) as opened:
        (entry,) = opened.infolist()
    assert (archive.name, entry.filename) == ("01-usage-all.csv.zip", "01-usage-all.csv")
    assert entry.date_time == (2026, 2, 1, 9, 0, 0)
    settings.REPORT_ZIPPED_ABOVE_BYTES = 10_000
    assert texts(invoice, tmp_path, call_details=("All",)) == plain


def test_the_same_reports_have_the_same_bytes(tmp_path: Path) -> None:
    invoice = invoice_of_four_uses()
    terms = {
        "customer_usage_reports": tuple(CustomerUsageReportPreset.values),
        "call_details": tuple(CallDetail.values),
        "formats": tuple(ReportFormat.values),
        "language": "de",
    }
    first = files(invoice, tmp_path, **terms)
    # One workbook, one PDF, and of each report a file in the other formats.
    assert len(first) == 2 + (11 + 5) * (len(ReportFormat.values) - 2)
    assert files(invoice, tmp_path, **terms) == first
    assert invoice.posted_at == datetime(2026, 2, 1, 9, 0, tzinfo=UTC)


def test_worksheets_with_long_names_have_each_another_name() -> None:
    taken: set[str] = set()
    long = "Campaigns: the most expensive uses of all"
    names = [worksheet_name(name, taken) for name in (long, long.upper(), "[]", long)]
    assert names == [
        "Campaigns the most expensive us",
        "CAMPAIGNS THE MOST EXPENSIVE 2",
        "Report",
        "Campaigns the most expensive 3",
    ]


@pytest.mark.parametrize(
    ("statement", "count"), [("SELECT * FROM ({0} LIMIT 3) short", 3), ("({0}) UNION ALL (({0}) LIMIT 1)", 5)]
)
def test_a_report_whose_rows_are_not_those_of_its_totals_is_refused(
    statement: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Tables.rows

    def other(tables: Tables, gathered: Gathered, part: str) -> Any:
        rows, parameters = whole(tables, gathered, part)
        return statement.format(rows), parameters

    monkeypatch.setattr(Tables, "rows", other)
    said = f"The report “Usage: All” has {count} rows and its totals are of 4, so it was not made."
    invoice = invoice_of_four_uses()
    for format in ReportFormat.values:
        with pytest.raises(ReportsRefused, match=said):
            files(invoice, tmp_path, call_details=("All",), formats=(format,))
