"""Reports as PDFs by Typst: tables to be read, and a bar chart of what groups of uses come to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from catalog.engine.money import exact_sum
from invoicing.adapters.layouts import Layout, made_with
from invoicing.adapters.pdf import make_pdf
from reports.adapters.locales import date_text, locale, number_text
from reports.adapters.text_files import duration
from reports.adapters.widths import BOLD, SIZES, fits, longest_word, natural, parted, shortened, widths
from reports.engine.columns import MONEY, SECONDS, TEXT, Column
from reports.engine.differences import plain
from reports.engine.sheet import Document, Footer, Sheet
from reports.engine.wording import word

LAYOUT = Path(__file__).parent.parent / "typst" / "report.typ"
FONTS = (
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Noto Sans Hebrew",
    "Noto Sans Thai",
    "Droid Sans Fallback",
)
# Columns of a group that say nothing beside a bar: a product's code, besides its name.
UNREAD = ("product_code",)
# The room beside a bar: 60 mm in letters of 8 points.
LABEL_EMS = 21.0
# More bars are no picture any more.
MOST_BARS = 31
HEADING_POINTS = 15.0
# Between the margins of A4 pages.
UPRIGHT_POINTS, FLIPPED_POINTS = 510.0, 756.0
# Of uses that are listed; quantities may have different units.
SUMMED = ("duration", "amount")
Value = str | int | Decimal | date | time | None


def write_pdf(path: Path, document: Document, rows: Sequence[Iterable[Sequence[Any]]]) -> list[int]:
    """Write the sheets, each with its rows; how many each has. They are held in memory: it is for people who read."""
    held = [list(each) for each in rows]
    # Typst takes the main file of a layout by the name that invoices have.
    layout = Layout(files={"invoice.typ": LAYOUT.read_bytes()}, logo="", contact=(), words={}, made_with=made_with())
    path.write_bytes(make_pdf(layout, laid_out(document, held), at=document.first.made_at))
    return [len(each) for each in held]


def laid_out(document: Document, rows: Sequence[Sequence[Sequence[Any]]]) -> dict[str, Any]:
    """What the layout is given: texts as they are to be read."""
    first = document.first
    language = first.language
    period = ""
    if first.period is not None:
        start, end = first.period
        period = f"{date_text(start, language)} – {date_text(end - timedelta(days=1), language)}"  # noqa: RUF001  from, to
    sections = [_Section.of(sheet, each) for sheet, each in zip(document.sheets, rows, strict=True)]
    is_flipped = not all(fits(section.asked, UPRIGHT_POINTS) for section in sections)
    room = FLIPPED_POINTS if is_flipped else UPRIGHT_POINTS
    return {
        "title": document.title,
        "heading": parted(document.title, room / HEADING_POINTS / BOLD),
        "customer": first.customer,
        "subtitle": parted(" · ".join(filter(None, (first.customer, first.invoice, period))), room / SIZES[0]),
        "footer": f"{word('Usage report', language)} {first.invoice}",
        "page": word("Page", language),
        "of": word("of", language),
        "language": locale(language).language,
        "fonts": FONTS,
        "flipped": is_flipped,
        "groups": [
            {"name": "" if document.title == section.sheet.title else section.sheet.name} | section.laid_out(room=room)
            for section in sections
        ],
        "elsewhere": [
            parted(f"{title}: {word('too long to be read here, in a file of its own', language)}", room / SIZES[0])
            for title in document.elsewhere
        ],
    }


@dataclass(frozen=True, slots=True)
class _Section:
    """One table of a document as texts: its rows and those of sums below, and what its columns ask for in ems."""

    sheet: Sheet
    bars: list[dict[str, Any]]
    lines: list[tuple[list[str], bool]]
    totals: list[list[str]]
    asked: list[float]

    @classmethod
    def of(cls, sheet: Sheet, rows: Sequence[Sequence[Any]]) -> "_Section":
        lines = list(_lines(sheet, rows))
        footers = sheet.footers
        totals = [[each.label, *cells(sheet, sheet.footer_values(each), each)[1:]] for each in footers]
        # The label of a total may stand in several lines, but no word of it; its numbers may not.
        below = [[longest_word(total[0]), *total[1:]] for total in totals]
        asked = natural(sheet.headers, [*(texts for texts, _ in lines), *below])
        return cls(sheet, bars(sheet, rows), lines, totals, asked)

    def laid_out(self, *, room: float) -> dict[str, Any]:
        """The table as the layout takes it, in so many points."""
        columns = self.sheet.columns
        found = widths(self.asked, texts=[column.kind == TEXT for column in columns], room=room)
        return {
            "size": found.size,
            "columns": [
                {
                    "header": found.parted(place, header, is_bold=True),
                    "right": column.is_figure and place > 0,
                    "width": found.columns[place],
                }
                for place, (column, header) in enumerate(zip(columns, self.sheet.headers, strict=True))
            ],
            "bars": self.bars,
            "parts": [
                {
                    "lines": [
                        {"cells": found.all_parted(texts, is_sum=is_sum), "is_sum": is_sum}
                        for texts, is_sum in self.lines
                    ]
                }
            ],
            "totals": [found.all_parted(texts, is_sum=True) for texts in self.totals],
        }


def _lines(sheet: Sheet, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[list[str], bool]]:
    """The rows, and behind those that begin alike what they come to where the sheet has subtotals; which it is."""
    if not sheet.has_subtotals:
        yield from ((cells(sheet, row), False) for row in rows)
        return
    for _, together in groupby(rows, key=itemgetter(0)):
        alike = list(together)
        yield from ((cells(sheet, row), False) for row in alike)
        yield _subtotal(sheet, alike), True


def _subtotal(sheet: Sheet, rows: Sequence[Sequence[Any]]) -> list[str]:
    """What rows come to that begin alike: how many they are, their duration and their exact amount."""
    sums: list[Value] = [
        exact_sum(row[place] for row in rows) if column.key in SUMMED else None
        for place, column in enumerate(sheet.columns)
    ]
    _, *texts = cells(sheet, sums)
    return [f"{shown(rows[0][0], sheet.columns[0], sheet) or word('(no site)', sheet.language)} ({len(rows)})", *texts]


def bars(sheet: Sheet, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """A bar for each group, as long as its charges, and its amount; none for lists, for one group, or for very many."""
    keys = [column.key for column in sheet.columns]
    if "charges" not in keys:
        return []
    named, place, amount = keys.index("uses"), keys.index("charges"), keys.index("amount")
    costs: dict[str, Decimal] = {}
    amounts: dict[str, Decimal] = {}
    for row in rows:
        label = ", ".join(
            shown(value, column, sheet)
            for value, column in zip(row, sheet.columns[:named], strict=False)
            if column.key not in UNREAD
        )
        costs[label] = costs.get(label, Decimal(0)) + row[place]
        amounts[label] = amounts.get(label, Decimal(0)) + row[amount]
    most = max(costs.values(), default=Decimal(0))
    if not 1 < len(costs) <= MOST_BARS or most <= 0:
        return []
    return [
        {
            "label": shortened(label, LABEL_EMS),
            "share": max(0, int(cost * 100 / most)),
            "value": number_text(rounded(amounts[label], sheet), sheet.language),
        }
        for label, cost in costs.items()
    ]


def rounded(amount: Decimal, sheet: Sheet) -> Decimal:
    """An amount beside a bar, in minor units."""
    return Decimal(f"{amount:.{sheet.minor_units}f}")


def cells(sheet: Sheet, row: Sequence[Value], footer: Footer | None = None) -> list[str]:
    """A row as texts."""
    return [shown(value, column, sheet, footer) for value, column in zip(row, sheet.columns, strict=True)]


def shown(value: Value, column: Column, sheet: Sheet, footer: Footer | None = None) -> str:
    """A value as the language writes it."""
    if isinstance(value, int):
        value = Decimal(value)
    if isinstance(value, date):
        return date_text(value, sheet.language)
    if isinstance(value, time):
        return f"{value:%H:%M:%S}"
    if not isinstance(value, Decimal):
        return value or ""
    if column.kind == SECONDS:
        return duration(value)
    is_money = column.kind == MONEY or (footer is not None and footer.is_rounded)
    return number_text(rounded(value, sheet) if is_money else Decimal(plain(value)), sheet.language)
