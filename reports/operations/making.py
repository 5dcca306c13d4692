"""Makes the files of an invoice's usage reports in a folder: one after the other, each only if it adds up."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection
from django.utils.text import slugify

from invoicing.choices import LineKind
from invoicing.models import Invoice
from reports.adapters.locales import has_decimal_comma
from reports.adapters.parquet import write_parquet
from reports.adapters.report_pdf import write_pdf
from reports.adapters.text_files import Target, write_csv, write_json_lines
from reports.adapters.workbook import Workbook
from reports.adapters.zipped_file import ZippedAbove
from reports.choices import ReportFormat
from reports.engine.differences import describe
from reports.engine.sheet import Sheet, added, footers, headers
from reports.engine.terms import TRANSACTIONS, Report, Terms, reports_of
from reports.queries.copied import Copied, csv_statement, json_statement, worksheet_statement
from reports.queries.tables import Tables
from reports.queries.uses import lay_out_uses

BLOCK_BYTES = 1 << 20
ROWS_AT_ONCE = 2_000


class ReportsRefused(Exception):
    """A report does not add up to its invoice; the text says where. No report of the invoice is delivered."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A report as a file: `path` is where it is, `name` what it is to be called."""

    title: str
    format: str
    path: Path
    name: str
    row_count: int
    byte_count: int
    sha256: str
    is_zipped: bool


def made_files(*, invoice: Invoice, terms: Terms, folder: Path) -> Iterator[MadeFile]:
    """The files of all reports that the terms ask for, made in a folder one by one.

    Inside the caller's transaction; memory does not grow with the invoice. Of a report that is split there is a file
    for each site or number. An invoice without usage has no usage reports, one without other lines no list of them.
    Raises `ReportsRefused` where a report does not add up.
    """
    reports = [report for report in reports_of(terms) if has_lines(invoice, report)]
    if not reports:
        return
    formats = list(dict.fromkeys(terms.formats)) or [ReportFormat.CSV.value]
    with connection.cursor() as cursor:
        lay_out_uses(cursor, invoice=invoice, terms=terms)
        tables = Tables(cursor, invoice_id=invoice.pk, currency=invoice.currency, terms=terms)
        number = 0
        for report in reports:
            tables.gather(report)
            title = report.title(terms.language)
            if differences := tables.differences(report):
                raise ReportsRefused(describe(differences, title=title))
            for part in tables.parts(report):
                sheet = sheet_of(invoice, report, terms, tables, part)
                number += 1
                maker = Maker(cursor, tables, report, sheet)
                for format in maker.formats(formats):
                    yield maker.file(format, folder=folder, number=number)


def sheet_of(invoice: Invoice, report: Report, terms: Terms, tables: Tables, part: str) -> Sheet:
    """A report, or a part of it, as it is written, for an invoice that is posted or a draft."""
    listed, left_out = tables.totals(part)
    currency = invoice.currency
    return Sheet(
        title=", ".join(filter(None, (report.title(terms.language), part))),
        columns=report.columns,
        headers=headers(report.columns, language=terms.language, currency=currency.code),
        footers=footers(report, listed=listed, left_out=left_out, language=terms.language),
        language=terms.language,
        currency=currency.code,
        minor_units=currency.minor_units,
        made_at=invoice.posted_at or invoice.created_at,
        part=part,
        customer=invoice.customer_name,
        invoice=invoice.number or "",
        period=(invoice.period_start, invoice.period_end),
        totals=added(listed, left_out),
    )


class Maker:
    """Writes one sheet in any format."""

    def __init__(self, cursor: Any, tables: Tables, report: Report, sheet: Sheet) -> None:
        self._cursor = cursor
        self._rows, self._parameters = tables.rows(report, sheet.part)
        self._sheet = sheet
        self._text_writers: dict[str, Callable[[Target], int]] = {
            ReportFormat.CSV: self._csv,
            ReportFormat.JSON_LINES: self._json_lines,
        }
        self._binary_writers: dict[str, Callable[[Path], int]] = {
            ReportFormat.XLSX: self._workbook,
            ReportFormat.PDF: lambda path: write_pdf(path, sheet, self._fetched()),
            ReportFormat.PARQUET: lambda path: write_parquet(path, sheet, self._fetched()),
        }

    def formats(self, chosen: Sequence[str]) -> list[str]:
        """The formats of this sheet: in place of PDF CSV where it has more rows than REPORT_PDF_MOST_ROWS."""
        if ReportFormat.PDF not in chosen:
            return list(chosen)
        if self._row_count() <= settings.REPORT_PDF_MOST_ROWS:
            return list(chosen)
        return list(dict.fromkeys(ReportFormat.CSV.value if name == ReportFormat.PDF else name for name in chosen))

    def file(self, format: str, *, folder: Path, number: int) -> MadeFile:
        """Write the sheet into a file of the folder. Texts larger than REPORT_ZIPPED_ABOVE_BYTES are zipped."""
        path = folder / f"{number:02d}-{slugify(self._sheet.title)[:100] or 'report'}.{format}"
        if format in self._text_writers:
            with ZippedAbove(path, limit=settings.REPORT_ZIPPED_ABOVE_BYTES, at=self._sheet.made_at) as target:
                row_count = self._text_writers[format](target)
            path, is_zipped = target.path, target.is_zipped
        else:
            row_count, is_zipped = self._binary_writers[format](path), False
        with path.open("rb") as file:
            sha256 = digest_of(file)
        return MadeFile(
            title=self._sheet.title,
            format=format,
            path=path,
            name=path.name,
            row_count=row_count,
            byte_count=path.stat().st_size,
            sha256=sha256,
            is_zipped=is_zipped,
        )

    def _csv(self, target: Target) -> int:
        sheet = self._sheet
        statement = csv_statement(
            self._rows,
            sheet.columns,
            minor_units=sheet.minor_units,
            has_decimal_comma=has_decimal_comma(sheet.language),
        )
        rows = Copied(self._cursor, statement, self._parameters)
        write_csv(target, sheet, rows)
        return rows.row_count

    def _json_lines(self, target: Target) -> int:
        statement = json_statement(self._rows, self._sheet.columns, minor_units=self._sheet.minor_units)
        rows = Copied(self._cursor, statement, self._parameters)
        write_json_lines(target, self._sheet, rows)
        return rows.row_count

    def _workbook(self, path: Path) -> int:
        workbook = Workbook(path, self._sheet, row_count=self._row_count())
        rows, first = [], 0
        for count in workbook.worksheets:
            statement = worksheet_statement(
                self._rows,
                self._sheet.columns,
                styles=workbook.styles,
                minor_units=self._sheet.minor_units,
                first=first,
                count=count,
            )
            rows.append(Copied(self._cursor, statement, self._parameters))
            first += count
        workbook.fill(rows)
        return sum(copied.row_count for copied in rows)

    def _row_count(self) -> int:
        self._cursor.execute(f"SELECT count(*) FROM ({self._rows}) r", self._parameters)  # noqa: S608  a statement of ours
        return int(self._cursor.fetchone()[0])

    def _fetched(self) -> Iterator[Sequence[Any]]:
        """The rows, from a cursor of the server: as many at a time as it takes to keep both at work."""
        with connection.chunked_cursor() as cursor:
            cursor.execute(self._rows, self._parameters)
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                yield from rows


def digest_of(file: IO[bytes]) -> str:
    """SHA-256 of what can be read of a file, in hexadecimal."""
    digest = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def has_lines(invoice: Invoice, report: Report) -> bool:
    """Whether an invoice has anything that a report is about."""
    usage = LineKind.USAGE
    lines = invoice.lines.exclude(kind=usage) if report.about == TRANSACTIONS else invoice.lines.filter(kind=usage)
    return lines.exists()
