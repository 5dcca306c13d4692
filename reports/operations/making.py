"""Makes the files of an invoice's usage reports in a folder: one after the other, each only if it adds up."""

import hashlib
from collections.abc import Iterator, Sequence
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
from reports.engine.sheet import Document, Sheet, Sums, added, footers, headers
from reports.engine.terms import ORDERED_BY, TRANSACTIONS, Report, Terms, reports_of
from reports.queries.copied import Copied, csv_statement, json_statement, worksheet_statement
from reports.queries.tables import Gathered, Tables
from reports.queries.uses import lay_out_uses

BLOCK_BYTES = 1 << 20
ROWS_AT_ONCE = 2_000
# Of which one file has all reports; in the other formats each has a file of its own.
DOCUMENTS = (ReportFormat.PDF.value, ReportFormat.XLSX.value)


class ReportsRefused(Exception):
    """A report does not add up to its invoice; the text says where. No report of the invoice is delivered."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file of one report, or a document of several: `path` is where it is, `name` what it is to be called."""

    title: str
    format: str
    path: Path
    name: str
    row_count: int
    byte_count: int
    sha256: str
    is_zipped: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A sheet, the statement that gives its rows, and how many these are."""

    sheet: Sheet
    rows: str
    parameters: dict[str, Any]
    row_count: int


def made_files(*, invoice: Invoice, terms: Terms, folder: Path) -> Iterator[MadeFile]:
    """The files of all reports that the terms ask for, made in a folder one by one, once all of them add up.

    Inside the caller's transaction; memory does not grow with the invoice. All reports stand in one PDF and in one
    workbook, as texts and in Parquet each in a file of its own; where they are split, so for each site or number. An
    invoice without usage has no usage reports, one without other lines no list of them.
    Raises `ReportsRefused` where a report does not add up.
    """
    reports = [report for report in reports_of(terms) if has_lines(invoice, report)]
    if not reports:
        return
    formats = list(dict.fromkeys(terms.formats)) or [ReportFormat.CSV.value]
    with connection.cursor() as cursor:
        lay_out_uses(cursor, invoice=invoice, terms=terms)
        tables = Tables(cursor, invoice_id=invoice.pk, currency=invoice.currency, terms=terms)
        sections = [
            section
            for number, report in enumerate(reports)
            for section in _sections(invoice, terms, tables, tables.gather(report, number))
        ]
        documents = _documents(sections)
        number = 0
        for together in documents:
            for format in [name for name in formats if name in DOCUMENTS]:
                if made := _document(cursor, together, format, folder=folder, number=number + 1):
                    number += 1
                    yield made
        unread = {id(section) for together in documents for section in together[1]}
        for section in sections:
            if wanted := _table_formats(formats, is_unread=id(section) in unread):
                number += 1
                for format in wanted:
                    yield _table(cursor, section, format, folder=folder, number=number)


def sheet_of(invoice: Invoice, report: Report, terms: Terms, *, part: str = "", listed: Sums, left_out: Sums) -> Sheet:
    """A report, or a part of it, as it is written, for an invoice that is posted or a draft."""
    currency = invoice.currency
    return Sheet(
        name=report.title(terms.language),
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
        left_out=left_out,
        has_subtotals=report.lists_uses and report.preset in ORDERED_BY,
    )


def _sections(invoice: Invoice, terms: Terms, tables: Tables, gathered: Gathered) -> list[Section]:
    """The parts of a report that adds up, one where it is not split. Raises `ReportsRefused`."""
    if differences := tables.differences(gathered):
        raise ReportsRefused(describe(differences, title=gathered.report.title(terms.language)))
    return [
        Section(
            sheet_of(invoice, gathered.report, terms, part=part, listed=listed, left_out=left_out),
            *tables.rows(gathered, part),
            row_count=tables.row_count(gathered, part, listed=listed),
        )
        for part, (listed, left_out) in tables.totals(gathered).items()
    ]


def _documents(sections: Sequence[Section]) -> list[tuple[list[Section], list[Section]]]:
    """The sections that stand together in one document, those of the same part: the parts by their names.

    Of each also those that a PDF leaves out: it has at most REPORT_PDF_MOST_ROWS rows in all.
    """
    parts: dict[str, list[Section]] = {}
    for section in sections:
        parts.setdefault(section.sheet.part, []).append(section)
    found = []
    for part in sorted(parts):
        unread, room = [], settings.REPORT_PDF_MOST_ROWS
        for section in parts[part]:
            if section.row_count <= room:
                room -= section.row_count
            else:
                unread.append(section)
        found.append((parts[part], unread))
    return found


def _table_formats(chosen: Sequence[str], *, is_unread: bool) -> list[str]:
    """The formats of a section's own files: CSV too where it should be in a PDF and is too long for it."""
    formats = [name for name in chosen if name not in DOCUMENTS]
    if is_unread and ReportFormat.PDF in chosen and ReportFormat.CSV not in formats:
        formats.append(ReportFormat.CSV.value)
    return formats


def _document(
    cursor: Any, together: tuple[list[Section], list[Section]], format: str, *, folder: Path, number: int
) -> MadeFile | None:
    """A workbook with all of the sections, or a PDF with those that people can read, None where that is none."""
    sections, unread = together
    if format == ReportFormat.XLSX:
        unread = []
    left_out = {id(section) for section in unread}
    sections = [section for section in sections if id(section) not in left_out]
    if not sections:
        return None
    document = Document(
        tuple(section.sheet for section in sections), elsewhere=tuple(section.sheet.title for section in unread)
    )
    path = _path(folder, number, document.title, format)
    if format == ReportFormat.XLSX:
        counts = _write_workbook(cursor, path, document, sections)
    else:
        counts = write_pdf(path, document, [_fetched(section) for section in sections])
    for section, count in zip(sections, counts, strict=True):
        _require_all(section, count)
    return _made(document.title, format, path, row_count=sum(counts))


def _table(cursor: Any, section: Section, format: str, *, folder: Path, number: int) -> MadeFile:
    """A section in a file of its own. A text that is larger than REPORT_ZIPPED_ABOVE_BYTES is zipped."""
    path = _path(folder, number, section.sheet.title, format)
    is_zipped = False
    if format == ReportFormat.PARQUET:
        row_count = write_parquet(path, section.sheet, _fetched(section))
    else:
        write = _write_csv if format == ReportFormat.CSV else _write_json_lines
        at = section.sheet.made_at
        with ZippedAbove(path, limit=settings.REPORT_ZIPPED_ABOVE_BYTES, at=at) as target:
            row_count = write(cursor, target, section)
        path, is_zipped = target.path, target.is_zipped
    _require_all(section, row_count)
    return _made(section.sheet.title, format, path, row_count=row_count, is_zipped=is_zipped)


def _require_all(section: Section, count: int) -> None:
    """Raise `ReportsRefused` unless as many rows were written as the totals are of."""
    if count != section.row_count:
        raise ReportsRefused(
            f"The report “{section.sheet.title}” has {count:,} rows and its totals are of {section.row_count:,}, so it "
            "was not made."
        )


def _path(folder: Path, number: int, title: str, format: str) -> Path:
    return folder / f"{number:02d}-{slugify(title)[:100] or 'report'}.{format}"


def _made(title: str, format: str, path: Path, *, row_count: int, is_zipped: bool = False) -> MadeFile:
    with path.open("rb") as file:
        sha256 = digest_of(file)
    return MadeFile(
        title=title,
        format=format,
        path=path,
        name=path.name,
        row_count=row_count,
        byte_count=path.stat().st_size,
        sha256=sha256,
        is_zipped=is_zipped,
    )


def _write_csv(cursor: Any, target: Target, section: Section) -> int:
    sheet = section.sheet
    statement = csv_statement(
        section.rows,
        sheet.columns,
        minor_units=sheet.minor_units,
        has_decimal_comma=has_decimal_comma(sheet.language),
    )
    rows = Copied(cursor, statement, section.parameters)
    write_csv(target, sheet, rows)
    return rows.row_count


def _write_json_lines(cursor: Any, target: Target, section: Section) -> int:
    statement = json_statement(section.rows, section.sheet.columns, minor_units=section.sheet.minor_units)
    rows = Copied(cursor, statement, section.parameters)
    write_json_lines(target, section.sheet, rows)
    return rows.row_count


def _write_workbook(cursor: Any, path: Path, document: Document, sections: Sequence[Section]) -> list[int]:
    workbook = Workbook(path, document, row_counts=[section.row_count for section in sections])
    copied = []
    for worksheet in workbook.worksheets:
        section = sections[worksheet.place]
        statement = worksheet_statement(
            section.rows,
            section.sheet.columns,
            styles=worksheet.styles,
            minor_units=section.sheet.minor_units,
            first=worksheet.first,
            # One more than there are, so that it is told where there are more.
            count=worksheet.count + (1 if worksheet.is_last else 0),
        )
        copied.append(Copied(cursor, statement, section.parameters))
    workbook.fill(copied)
    counts = [0] * len(sections)
    for worksheet, rows in zip(workbook.worksheets, copied, strict=True):
        counts[worksheet.place] += rows.row_count
    return counts


def _fetched(section: Section) -> Iterator[Sequence[Any]]:
    """The rows, from a cursor of the server: as many at a time as it takes to keep both at work."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(section.rows, section.parameters)
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
