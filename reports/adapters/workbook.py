"""Reports as Excel workbooks: real numbers, dates and durations; a header that stays in sight, filters, totals.

XlsxWriter makes all of the workbook but its rows: those come as the XML that PostgreSQL wrote of them, ten times as
fast. Each worksheet is made with one row, whose cells tell the numbers of their styles; the rows take its place, and
the totals behind it move down. (XlsxWriter takes memory for each row above the last one, written or not.)
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from reports.adapters.locales import locale
from reports.engine.columns import COUNT, DATE, MONEY, NUMBER, SECONDS, TEXT, TIME
from reports.engine.sheet import Document, Footer, Sheet

ROWS_OF_WORKSHEET = 1_048_576
SECONDS_OF_DAY = 86_400
LONGEST_NAME = 31
NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
# An exact number that is broader than its column is shown as ####: there is room for 15 decimals and small prices.
WIDTHS = {TEXT: 22, DATE: 12, TIME: 10, COUNT: 10, NUMBER: 22, MONEY: 18, SECONDS: 12}
STYLE = re.compile(rb' s="([0-9]+)"')
DIMENSION = re.compile(rb'(<dimension ref="A1:[A-Z]+)([0-9]+)')
# Numbers of rows, and the references of cells.
ROW_NUMBER = re.compile(rb'( r="[A-Z]*)([0-9]+)')
# Rows of XML pack well: better is slower.
COMPRESSION = 2
# The only time that ZIP archives know by themselves.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class WorksheetRows:
    """The rows of one worksheet: `count` from the `first` on of the sheet at a place. `styles` are its columns'."""

    place: int
    first: int
    count: int
    is_last: bool
    styles: tuple[int, ...] = ()


class Workbook:
    """A workbook of sheets with so many rows each: made without the rows (`worksheets` are what it waits for), then
    filled.

    What does not fit on a worksheet goes on on the next. Excel's numbers have 15 digits: exact amounts with more are
    rounded to them when it reads them.
    """

    def __init__(self, path: Path, document: Document, *, row_counts: Sequence[int]) -> None:
        self._path = path
        self._skeleton = path.with_suffix(".skeleton")
        self._document = document
        worksheets = list(_worksheets(document, row_counts))
        self._make(worksheets)
        with zipfile.ZipFile(self._skeleton) as archive:
            self.worksheets = [
                replace(worksheet, styles=_styles(archive.read(f"xl/worksheets/sheet{number}.xml")))
                for number, worksheet in enumerate(worksheets, start=1)
            ]

    def fill(self, rows: Sequence[Iterable[bytes]]) -> None:
        """Put the rows of each worksheet, as XML, in their places; the workbook is there then."""
        with (
            zipfile.ZipFile(self._skeleton) as skeleton,
            zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive,
        ):
            for name in skeleton.namelist():
                entry = zipfile.ZipInfo(name, LONG_AGO)
                entry.compress_type = zipfile.ZIP_DEFLATED
                content = skeleton.read(name)
                with archive.open(entry, "w", force_zip64=True) as target:
                    if found := re.fullmatch(r"xl/worksheets/sheet([0-9]+)\.xml", name):
                        place = int(found[1]) - 1
                        _put(target, content, rows[place], row_count=self.worksheets[place].count)
                    else:
                        target.write(content)
        self._skeleton.unlink()

    def _make(self, worksheets: Sequence[WorksheetRows]) -> None:
        first = self._document.first
        book = xlsxwriter.Workbook(str(self._skeleton))
        made_at = first.made_at.astimezone(UTC).replace(tzinfo=None)
        book.set_properties({"title": self._document.title, "subject": first.invoice, "created": made_at})
        names: set[str] = set()
        for rows in worksheets:
            sheet = self._document.sheets[rows.place]
            styles = _Styles(book, sheet)
            worksheet = book.add_worksheet(worksheet_name(sheet.name, names))
            _lay_out(worksheet, sheet, styles)
            # All numbers, whatever is in their place later: a text would stand in the workbook's table of texts.
            for place, style in enumerate(styles.plain):
                worksheet.write_number(1, place, 0, style)
            # Filters over the rows, not over the totals.
            worksheet.autofilter(0, 0, max(rows.count, 1), len(sheet.columns) - 1)
            below = sheet.footers if rows.is_last else ()
            for place, footer in enumerate(below):
                _add_footer(worksheet, 2 + place, sheet, footer, styles)
            exact = sum(not footer.is_rounded for footer in below)
            _show_whole_numbers(worksheet, sheet, styles, last_row=max(rows.count, 1) + exact)
        book.close()


def _worksheets(document: Document, row_counts: Sequence[int]) -> Iterator[WorksheetRows]:
    """The worksheets that sheets with so many rows each need: one each, and more where one has not the room."""
    for place, (sheet, row_count) in enumerate(zip(document.sheets, row_counts, strict=True)):
        room = ROWS_OF_WORKSHEET - 1 - len(sheet.footers)
        for first in range(0, max(row_count, 1), room):
            is_last = first + room >= row_count
            yield WorksheetRows(place, first, min(room, row_count - first), is_last)


class _Styles:
    """The formats of a workbook's cells."""

    def __init__(self, book: Any, sheet: Sheet) -> None:
        formats = number_formats(sheet)
        last = {"bold": True, "top": 1}
        self.plain = [book.add_format({"valign": "top", **formats.get(column.kind, {})}) for column in sheet.columns]
        self.total = [book.add_format({**formats.get(column.kind, {}), **last}) for column in sheet.columns]
        self.money = book.add_format({**formats[MONEY], **last})
        self.whole = book.add_format({"num_format": "#,##0"})
        self.header = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.label = book.add_format(last)


def _lay_out(worksheet: Worksheet, sheet: Sheet, styles: _Styles) -> None:
    for place, (column, header) in enumerate(zip(sheet.columns, sheet.headers, strict=True)):
        worksheet.set_column(place, place, WIDTHS[column.kind])
        worksheet.write_string(0, place, header, styles.header)
    worksheet.freeze_panes(1, 0)
    worksheet.repeat_rows(0)
    worksheet.set_landscape()
    worksheet.fit_to_pages(1, 0)


def _show_whole_numbers(worksheet: Worksheet, sheet: Sheet, styles: _Styles, *, last_row: int) -> None:
    """Show exact numbers without decimals as such: Excel would leave a point behind each, as in “60.”."""
    for place, column in enumerate(sheet.columns):
        if column.kind == NUMBER:
            cell = xl_rowcol_to_cell(1, place)
            whole = {"type": "formula", "criteria": f"={cell}=INT({cell})", "format": styles.whole}
            worksheet.conditional_format(1, place, last_row, place, whole)


def _add_footer(worksheet: Worksheet, row: int, sheet: Sheet, footer: Footer, styles: _Styles) -> None:
    worksheet.write_string(row, 0, footer.label, styles.label)
    for place, (column, value) in enumerate(zip(sheet.columns, sheet.footer_values(footer), strict=True)):
        if place == 0 or value is None or value == "":
            continue
        if isinstance(value, str):
            worksheet.write_string(row, place, value, styles.total[place])
            continue
        number = Decimal(value) / SECONDS_OF_DAY if column.kind == SECONDS else value
        is_money = footer.is_rounded and isinstance(value, Decimal)
        worksheet.write_number(row, place, number, styles.money if is_money else styles.total[place])


def worksheet_name(title: str, taken: set[str]) -> str:
    """A name that Excel takes, with a number where it is taken already. It is taken then."""
    whole = " ".join(NOT_IN_NAMES.sub(" ", title).split()) or "Report"
    name, number = whole[:LONGEST_NAME].strip(), 1
    while name.casefold() in taken:
        number += 1
        behind = f" {number}"
        name = whole[: LONGEST_NAME - len(behind)].strip() + behind
    taken.add(name.casefold())
    return name


def _styles(worksheet: bytes) -> tuple[int, ...]:
    """The numbers of the styles of a worksheet's second row."""
    _, row, _ = _around(worksheet)
    return tuple(int(style) for style in STYLE.findall(row))


def _around(worksheet: bytes) -> tuple[bytes, bytes, bytes]:
    """What is before the second row of a worksheet, that row, and what is behind it."""
    start = worksheet.index(b'<row r="2"')
    end = worksheet.index(b"</row>", start) + len(b"</row>")
    return worksheet[:start], worksheet[start:end], worksheet[end:]


def _put(target: IO[bytes], worksheet: bytes, rows: Iterable[bytes], *, row_count: int) -> None:
    """Write a worksheet with so many rows in place of its second; what is behind moves down by as many."""
    # Where there is none, the second row stays free: the filter is over one at least.
    shift = max(row_count, 1) - 1

    def moved(found: re.Match[bytes]) -> bytes:
        return found[1] + str(int(found[2]) + shift).encode()

    before, _, behind = _around(worksheet)
    footers, end, rest = behind.partition(b"</sheetData>")
    target.write(DIMENSION.sub(moved, before))
    for block in rows:
        target.write(block)
    target.write(ROW_NUMBER.sub(moved, footers) + end + rest)


def number_formats(sheet: Sheet) -> dict[str, dict[str, str]]:
    """Excel's formats of each kind. It shows separators as its own language has them; the order of a date is ours."""
    pattern = locale(sheet.language).date_formats["short"].pattern
    in_order = "dd.mm.yyyy" if "." in pattern else "mm/dd/yyyy" if pattern.startswith("M") else "dd/mm/yyyy"
    decimals = f".{'0' * sheet.minor_units}" if sheet.minor_units else ""
    return {
        DATE: {"num_format": in_order},
        TIME: {"num_format": "hh:mm:ss"},
        COUNT: {"num_format": "0"},
        NUMBER: {"num_format": "#,##0.##################"},
        MONEY: {"num_format": f"#,##0{decimals}"},
        SECONDS: {"num_format": "[h]:mm:ss"},
    }
