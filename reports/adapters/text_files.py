"""Reports as text: CSV for spreadsheets, JSON lines for programs. Their rows come as PostgreSQL wrote them."""

import csv
import io
from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

import simplejson

from reports.adapters.locales import has_decimal_comma
from reports.engine.columns import MONEY, SECONDS, Column
from reports.engine.differences import plain
from reports.engine.sheet import Footer, Sheet

# By which Excel knows that the file is UTF-8.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MINUTE, HOUR = 60, 3_600


class Target(Protocol):
    """What bytes are written to."""

    def write(self, block: bytes, /) -> object: ...

    def writelines(self, blocks: Iterable[bytes], /) -> None: ...


def write_csv(file: Target, sheet: Sheet, rows: Iterable[bytes]) -> None:
    """Header, rows, totals. With a decimal comma, where the language has one, and semicolons between fields."""
    comma = has_decimal_comma(sheet.language)
    file.write(BYTE_ORDER_MARK + _line(sheet.headers, is_comma=comma))
    file.writelines(rows)
    for footer in sheet.footers:
        cells = [
            _shown(value, column, sheet, footer, is_comma=comma)
            for column, value in zip(sheet.columns, sheet.footer_values(footer), strict=True)
        ]
        file.write(_line([footer.label, *cells[1:]], is_comma=comma))


def write_json_lines(file: Target, sheet: Sheet, rows: Iterable[bytes]) -> None:
    """An object a row, and as the last one `{"totals": {...}}`, which also says what no row shows.

    Numbers are exact, durations seconds.
    """
    file.writelines(rows)
    left_out = sheet.left_out
    totals: dict[str, object] = {
        "uses": sheet.totals.uses,
        "duration": _exact(sheet.totals.duration),
        "charges": _exact(sheet.totals.charges),
        "amount": _in_minor_units(sheet.totals.amount, sheet.minor_units),
        "currency": sheet.currency,
    }
    if left_out.uses:
        totals["left_out"] = {"uses": left_out.uses, "charges": _exact(left_out.charges)}
    file.write(simplejson.dumps({"totals": totals}, use_decimal=True, separators=(",", ":")).encode() + b"\n")


def duration(seconds: Decimal) -> str:
    """h:mm:ss, without parts of a second."""
    whole = int(seconds)
    return f"{whole // HOUR:02d}:{whole % HOUR // MINUTE:02d}:{whole % MINUTE:02d}"


def _exact(number: Decimal) -> Decimal:
    return Decimal(plain(number))


def _in_minor_units(amount: Decimal, minor_units: int) -> Decimal:
    return Decimal(f"{amount:.{minor_units}f}")


def _shown(
    value: Decimal | int | str | None, column: Column, sheet: Sheet, footer: Footer, *, is_comma: bool
) -> str | int | None:
    if not isinstance(value, Decimal):
        return value
    if column.kind == SECONDS:
        return duration(value)
    is_money = column.kind == MONEY or footer.is_rounded
    text = f"{value:.{sheet.minor_units}f}" if is_money else plain(value)
    return text.replace(".", ",") if is_comma else text


def _line(cells: Iterable[str | int | None], *, is_comma: bool) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";" if is_comma else ",", lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
