"""Reports as PDFs by Typst: tables to be read, and a bar chart of what groups of uses come to."""

from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from invoicing.adapters.layouts import Layout, made_with
from invoicing.adapters.pdf import make_pdf
from reports.adapters.locales import date_text, number_text
from reports.adapters.text_files import duration
from reports.engine.columns import MONEY, SECONDS, TEXT, Column
from reports.engine.differences import plain
from reports.engine.sheet import Footer, Sheet
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
# More bars are no picture any more.
MOST_BARS = 31
Value = str | int | Decimal | date | time | None


def write_pdf(path: Path, sheet: Sheet, rows: Iterable[Sequence[Any]]) -> int:
    """Write the report; how many rows it has. They are held in memory: it is for reports that people read."""
    held = list(rows)
    # Typst takes the main file of a layout by the name that invoices have.
    layout = Layout(files={"invoice.typ": LAYOUT.read_bytes()}, logo="", contact=(), words={}, made_with=made_with())
    path.write_bytes(make_pdf(layout, document(sheet, held), at=sheet.made_at))
    return len(held)


def document(sheet: Sheet, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """What the layout is given: texts as they are to be read."""
    language = sheet.language
    period = ""
    if sheet.period is not None:
        first, end = sheet.period
        period = f"{date_text(first, language)} – {date_text(end - timedelta(days=1), language)}"  # noqa: RUF001  from, to
    return {
        "title": sheet.title,
        "customer": sheet.customer,
        "subtitle": " · ".join(filter(None, (sheet.customer, sheet.invoice, period))),
        "footer": f"{word('Usage report', language)} {sheet.invoice}",
        "page": word("Page", language),
        "of": word("of", language),
        "language": language.replace("_", "-").split("-")[0].lower() or "en",
        "fonts": FONTS,
        "columns": [
            {"header": header, "right": column.kind != TEXT and place > 0, "wide": column.kind == TEXT}
            for place, (column, header) in enumerate(zip(sheet.columns, sheet.headers, strict=True))
        ],
        "bars": bars(sheet, rows),
        "groups": [{"parts": [{"lines": [cells(sheet, row) for row in rows]}]}],
        "totals": [[footer.label, *cells(sheet, sheet.footer_values(footer), footer)[1:]] for footer in sheet.footers],
    }


def bars(sheet: Sheet, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """A bar for each group, as long as what it costs; none for lists of uses, for one group, or for very many."""
    keys = [column.key for column in sheet.columns]
    if "charges" not in keys:
        return []
    named, place = keys.index("uses"), keys.index("charges")
    costs: dict[str, Decimal] = {}
    for row in rows:
        label = ", ".join(
            shown(value, column, sheet) for value, column in zip(row, sheet.columns[:named], strict=False)
        )
        costs[label] = costs.get(label, Decimal(0)) + row[place]
    most = max(costs.values(), default=Decimal(0))
    if not 1 < len(costs) <= MOST_BARS or most <= 0:
        return []
    return [
        {
            "label": label,
            "share": max(0, int(cost * 100 / most)),
            "value": number_text(rounded(cost, sheet), sheet.language),
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
