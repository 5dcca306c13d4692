"""A program of its own: the rows of a workbook as CSV.

`python -m catalog.adapters.worksheet DELIMITER DECIMAL_SIGN INSTANT_COLUMNS`, the last of them names with commas
between. Reads the workbook from standard input, a file, and writes to standard output. The reader of workbooks holds a
whole sheet, with all cells between the first and the last, and ends its process when memory runs out: so it has one of
its own, which may take no more than is set here. Ends with REFUSED and a sentence on standard error where the workbook
is at fault.
"""

import re
import resource
import sys
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from catalog.adapters.csv_stream import MOST_COLUMNS, StreamFault
from catalog.adapters.zip_archive import check_workbook

MOST_ROWS = 1_048_576
MOST_MEMORY_BYTES = 2 << 30
MOST_CPU_SECONDS = 120
REFUSED, TOO_MUCH = 3, 4
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")
SECOND = timedelta(seconds=1)

Value = int | float | str | bool | time | date | datetime | timedelta


class Texts:
    """Values of cells as texts. A day in a column of days is a date; among date-times, it is one at midnight."""

    def __init__(self, sheet: CalamineSheet, decimal_sign: str, instant_columns: Container[str]) -> None:
        self._sheet = sheet
        self._instant_columns = instant_columns
        self._decimal_sign = decimal_sign
        self._instants: set[int] | None = None
        self._by_type: dict[type, Callable[[Value], str]] = {
            bool: lambda value: "true" if value else "false",
            int: self._number,
            float: self._number,
            datetime: _iso,
            time: _iso,
            timedelta: lambda value: self._number(_seconds(value)),
        }

    def of(self, row: Sequence[Value]) -> list[str]:
        """The texts of a row."""
        return [value if isinstance(value, str) else self._text(value, column) for column, value in enumerate(row)]

    def _text(self, value: Value, column: int) -> str:
        if type(value) is date:
            return f"{value.isoformat()}T00:00:00" if column in self._columns_of_instants() else value.isoformat()
        return self._by_type[type(value)](value)

    def _number(self, value: Value) -> str:
        """With 15 digits, as many as Excel shows and keeps: the 16th and 17th are what binary numbers add."""
        text = f"{value:.15g}"
        if "e" in text or text == "-0":
            text = f"{abs(Decimal(text)) if not value else Decimal(text):f}"
        return text.replace(".", self._decimal_sign)

    def _columns_of_instants(self) -> set[int]:
        """Columns with at least one date that has a time. The reader gives midnight as a date alone."""
        if self._instants is None:
            rows = self._sheet.iter_rows()
            header = next((row for row in rows if any(row)), [])
            names = [str(name).strip().lower() for name in header]
            self._instants = {column for column, name in enumerate(names) if name in self._instant_columns}
            for row in rows:
                self._instants.update(column for column, value in enumerate(row) if type(value) is datetime)
        return self._instants


def csv_rows(
    sheet: CalamineSheet, *, delimiter: str, decimal_sign: str, instant_columns: Container[str]
) -> Iterator[str]:
    """A sheet as lines of CSV, from its first row that is not empty to its last, all as wide as the header."""
    texts = Texts(sheet, decimal_sign, instant_columns)
    needs_quotes = re.compile(f'[{re.escape(delimiter)}"\r\n]')
    width = empty_rows = 0
    empty = ""
    # Rows come from the sheet's first one on, columns from the first that has something in it.
    for number, values in enumerate(sheet.iter_rows(), 1):
        row = texts.of(values)
        if not any(text.strip() for text in row):
            empty_rows += 1 if width else 0
            continue
        if not width:
            width = max(place for place, text in enumerate(row, 1) if text.strip())
            empty = delimiter * (width - 1) + "\n" if width > 1 else '""\n'
        elif any(row[width:]):
            column = next(place for place, text in enumerate(row) if place >= width and text)
            raise StreamFault(
                f"row {number}: there is a value in column {_letters(sheet, column)}, which has no header"
            )
        yield (
            empty * empty_rows
            + delimiter.join(
                '"' + text.replace('"', '""') + '"' if needs_quotes.search(text) else text for text in row[:width]
            )
            + "\n"
        )
        empty_rows = 0


def first_visible_sheet(file: BinaryIO) -> CalamineSheet:
    """The first worksheet that is not hidden. Raises StreamFault where there is none, or none that can be read."""
    if file.read(len(OLE_MAGIC)) == OLE_MAGIC:
        if ENCRYPTED_PART in file.read():
            raise StreamFault("it is protected by a password. Save it without one")
        raise StreamFault("it is a workbook of the old kind (.xls). Save it as an Excel workbook (.xlsx) or as CSV")
    check_workbook(file)
    file.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        for sheet in workbook.sheets_metadata:
            if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible:
                return _within_limits(workbook.get_sheet_by_name(sheet.name))
    except PasswordError as error:
        raise StreamFault("it is protected by a password. Save it without one") from error
    except CalamineError as error:
        raise StreamFault(f"it cannot be read as an Excel workbook ({' '.join(str(error).split())})") from error
    raise StreamFault("there is no worksheet in it that is not hidden")


def _within_limits(sheet: CalamineSheet) -> CalamineSheet:
    if sheet.start is None:
        raise StreamFault(f"its first worksheet, “{sheet.name}”, is empty: there is not even a header row")
    if sheet.height > MOST_ROWS or sheet.width > MOST_COLUMNS:
        raise StreamFault(
            f"its first worksheet, “{sheet.name}”, has {sheet.height:,} rows and {sheet.width:,} columns, more than "
            f"{MOST_ROWS:,} rows or {MOST_COLUMNS} columns. Clear what stands far below or to the right"
        )
    return sheet


def _letters(sheet: CalamineSheet, column: int) -> str:
    """The name of a column of the sheet: A, B ... AA."""
    number, name = column + 1 + (sheet.start[1] if sheet.start else 0), ""
    while number:
        number, digit = divmod(number - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def _iso(value: Value) -> str:
    return value.isoformat() if isinstance(value, datetime | time) else str(value)


def _seconds(value: Value) -> float:
    """A duration in seconds, the unit in which usage that lasts is counted."""
    return value / SECOND if isinstance(value, timedelta) else 0


def _limit() -> None:
    """Take no more memory and time than is set here, and write no file at all."""
    limits = {
        resource.RLIMIT_AS: MOST_MEMORY_BYTES,
        resource.RLIMIT_CPU: MOST_CPU_SECONDS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))


def _main(delimiter: str, decimal_sign: str, instant_columns: str) -> int:
    _limit()
    try:
        sheet = first_visible_sheet(sys.stdin.buffer)
        with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as output:
            rows = csv_rows(
                sheet, delimiter=delimiter, decimal_sign=decimal_sign, instant_columns=instant_columns.split(",")
            )
            output.writelines(rows)
    except StreamFault as fault:
        sys.stderr.buffer.write(str(fault).encode())
        return REFUSED
    except MemoryError:
        return TOO_MUCH
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
