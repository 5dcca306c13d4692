"""Excel workbooks read as CSV: what is written in cells, and what is refused before it does harm."""

import hashlib
import io
import struct
from pathlib import Path

import pytest

from catalog.adapters.csv_stream import StreamFault
from catalog.adapters.workbook import WorkbookStream
from catalog.adapters.zip_archive import MOST_ENTRIES
from tests.usage.taking import AT, HEADER, counts, make_company, records, refusal
from tests.usage.workbooks import MAIN, Cell, Value, parts, sheet, workbook, zipped
from usage.models import QuarantinedLine
from usage.operations.imports import import_usage

SHEET = "xl/worksheets/sheet1.xml"
TOO_MUCH = "the workbook takes more memory or time to read than is given to one. Clear what stands far below or "
NOT_READ = "it cannot be read as an Excel workbook"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read(content: bytes, *, delimiter: str = ",", decimal_sign: str = ".") -> str:
    with WorkbookStream(
        io.BytesIO(content), delimiter=delimiter, decimal_sign=decimal_sign, instant_columns=("from_date", "to_date")
    ) as stream:
        return stream.read().decode()


def fault(content: bytes) -> str:
    with pytest.raises(StreamFault) as caught:
        read(content)
    return str(caught.value)


def column(*values: Value) -> list[str]:
    """The texts of cells below each other."""
    return read(workbook([["h"], *([value] for value in values)])).splitlines()[1:]


def with_cell(place: str) -> bytes:
    """A sheet with a cell in A1 and one in another place."""
    row = "".join(digit for digit in place if digit.isdigit())
    return (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        f'<row r="{row}"><c r="{place}"><v>1</v></c></row></sheetData></worksheet>'
    ).encode()


def test_numbers_have_the_digits_that_excel_shows() -> None:
    assert column(0.1, 60.0, 60, 0.1 + 0.2, 1e-7, 1e21, -0.0, -1.5, 491701234567) == [
        *("0.1", "60", "60", "0.3", "0.0000001", "1000000000000000000000", "0", "-1.5", "491701234567"),
    ]


def test_the_decimal_sign_and_the_delimiter_are_the_sources() -> None:
    content = workbook([["number", "amount"], ["a;b", 1.5], ["a,b", 60]])
    assert read(content, delimiter=";", decimal_sign=",") == 'number;amount\n"a;b";1,5\na,b;60\n'
    assert read(content) == 'number,amount\na;b,1.5\n"a,b",60\n'


def test_texts_are_quoted_where_they_need_to_be() -> None:
    assert read(workbook([["a", "b"], ['19" rack', "two\nlines"], ["ü", ""]])) == 'a,b\n"19"" rack","two\nlines"\nü,\n'


def test_truth_times_and_durations() -> None:
    noon, ninety_seconds = Cell("0.5", "time"), Cell("0.00104166666666667", "duration")
    assert column(*(True, False), noon, ninety_seconds) == ["true", "false", "12:00:00", "90"]


def test_a_day_in_a_column_of_days_is_a_date_and_midnight_among_times() -> None:
    day, midnight = Cell("46037", "date"), Cell("46037", "datetime")
    noon, time = Cell("46037.5", "datetime"), Cell("46037.5242592593", "datetime")
    assert column(day, midnight) == ["2026-01-15", "2026-01-15"]
    assert column(day, noon, midnight, time) == [
        *("2026-01-15T00:00:00", "2026-01-15T12:00:00", "2026-01-15T00:00:00", "2026-01-15T12:34:56"),
    ]
    assert read(workbook([["from_date", "udf_date_1"], [day, day]])).splitlines()[1] == "2026-01-15T00:00:00,2026-01-15"


def test_rows_are_as_wide_as_the_header_and_empty_ones_at_the_end_are_left_out() -> None:
    rows: list[list[Value]] = [["a", "b", "c", "", ""], ["1"], [], ["1", "2", "3", "", ""], [], ["", " "], [None]]
    assert read(workbook(rows)) == "a,b,c\n1,,\n,,\n1,2,3\n"
    assert read(workbook([["a"], ["1"], [], ["2"]])) == 'a\n1\n""\n2\n'


def test_rows_and_columns_before_the_header_are_left_out() -> None:
    assert read(workbook([[], [None, "a", "b"], [None, "1", "2"]])) == "a,b\n1,2\n"


def test_a_value_beside_the_header_is_not_passed_over() -> None:
    assert fault(workbook([[], [None, "a"], [None, "1", None, "2"]])) == (
        "row 3: there is a value in column D, which has no header"
    )


def test_it_is_the_first_sheet_that_is_not_hidden() -> None:
    sheets = {"Old": sheet([["old"]]), "January & more": sheet([["new"]]), "Later": sheet([["later"]])}
    assert read(zipped(parts(sheets, hidden=["Old"]))) == "new\n"
    assert fault(zipped(parts(sheets, hidden=list(sheets)))) == "there is no worksheet in it that is not hidden"
    assert fault(workbook([])) == "its first worksheet, “Sheet1”, is empty: there is not even a header row"


def test_size_and_sum_are_of_the_workbook() -> None:
    content = workbook([["a"], ["1"]])
    with WorkbookStream(io.BytesIO(content)) as stream:
        assert (stream.sha256, stream.byte_count) == (hashlib.sha256(content).hexdigest(), len(content))


def test_names_in_the_archive_lead_nowhere(tmp_path: Path) -> None:
    names = {
        f"../../{tmp_path.name}/odd.txt": "x",
        f"{tmp_path}/odd.txt": "x",
        "..\\..\\odd.txt": "x",
    }
    assert read(workbook([["a"], ["1"]], **names)) == "a\n1\n"
    assert list(tmp_path.parent.rglob("odd.txt")) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (OLE + b"Workbook", "it is a workbook of the old kind (.xls). Save it as an Excel workbook (.xlsx) or as CSV"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "it is protected by a password. Save it without one"),
        (
            zipped({"calls.csv": HEADER.encode()}),
            "it is a ZIP archive, but no Excel workbook. Unpack it, and send the files in it",
        ),
        (zipped({}), "it is a ZIP archive, but no Excel workbook. Unpack it, and send the files in it"),
        (
            zipped({"xl/workbook.bin": b""}),
            "it is a binary workbook (.xlsb). Save it as an Excel workbook (.xlsx) or as CSV",
        ),
        (
            zipped({"mimetype": b"", "content.xml": b""}),
            "it is an OpenDocument file. Save it as an Excel workbook (.xlsx) or as CSV",
        ),
        (b"PK\x03\x04 and no more", "its ZIP data is broken (it ends before it is complete)"),
        (workbook([["a"]])[:-40], "its ZIP data is broken (it ends before it is complete)"),
        (workbook([["a"]], **{SHEET: "<worksheet><sheetData"}), f"{NOT_READ} (syntax error: tag not closed"),
        (workbook([["a"]], **{"xl/workbook.xml": "\0\0\0"}), f"{NOT_READ} (Cannot detect file format)"),
        (
            workbook([["a"]], **{SHEET: with_cell("C1048577")}),
            "its first worksheet, “Sheet1”, has 1,048,577 rows and 3",
        ),
        (workbook([["a"]], **{SHEET: with_cell("SG2")}), "its first worksheet, “Sheet1”, has 2 rows and 501 columns"),
        (workbook([["a"]], **{SHEET: with_cell("SF1048576")}), TOO_MUCH),
        (workbook([["a"]], **{SHEET: with_cell("ZZZZZZZ9999999999")}), NOT_READ),
        (
            zipped({f"{n}": b"" for n in range(MOST_ENTRIES + 1)}),
            "there are 10,001 files in the workbook. It is made to fill a disk, or no ordinary workbook.",
        ),
    ],
)
def test_what_is_no_such_workbook_is_said(content: bytes, sentence: str) -> None:
    assert fault(content).startswith(sentence)


def test_sizes_that_the_directory_lies_about_are_found_by_unpacking() -> None:
    content = workbook([["a"]])
    place = content.index(SHEET.encode(), content.index(b"PK\x01\x02")) - 46
    (size,) = struct.unpack_from("<I", content, place + 24)
    for told in (size - 1, size + 1, 0):
        lying = content[: place + 24] + struct.pack("<I", told) + content[place + 28 :]
        assert fault(lying) == "its ZIP data is broken (a file in it is of another size than the directory says)"


def test_a_password_on_a_file_in_the_archive_is_said() -> None:
    content = workbook([["a"]])
    place = content.index(b"PK\x01\x02") + 8
    assert (
        fault(content[:place] + b"\x01" + content[place + 1 :]) == "it is protected by a password. Save it without one"
    )


@pytest.mark.django_db
def test_a_workbook_is_taken_in_like_a_csv_file() -> None:
    source = make_company(timezone="Europe/Berlin")
    source.timezone, source.delimiter, source.decimal_sign = "Europe/Berlin", ";", ","
    source.save()
    noon = Cell("46037.5", "datetime")
    content = workbook(
        [HEADER.split(","), ["R1", "+49301", "CALL", noon, noon, 1.5], ["R2", "+49301", "CALL", noon, noon, "twelve"]]
    )
    taken, again = (
        import_usage(source_system_id=source.pk, file=io.BytesIO(content), file_name="calls.xlsx", at=AT)
        for _ in range(2)
    )
    assert again == taken
    assert counts(taken) == {"accepted": 1, "quarantined": 1}
    assert (taken.file_format, taken.sha256, taken.byte_count) == (
        "XLSX",
        hashlib.sha256(content).hexdigest(),
        len(content),
    )
    (record,) = records("number", "from_date", "usage_amount")
    assert [str(value) for value in record] == ["R1", "2026-01-15 11:00:00+00:00", "1.500000000000000000"]
    assert QuarantinedLine.objects.get().raw_text == "R2;+49301;CALL;2026-01-15T12:00:00;2026-01-15T12:00:00;twelve"


@pytest.mark.django_db
def test_a_workbook_that_is_at_fault_leaves_nothing_behind() -> None:
    make_company()
    content = workbook([HEADER.split(","), ["R1", "+49301", "CALL", None, None, 60, None, "note"]])
    assert refusal(content, name="calls.xlsx") == (
        "calls.xlsx: row 2: there is a value in column H, which has no header."
    )
