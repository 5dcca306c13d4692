"""What a layout gets of a document: texts and figures written in the customer's language, as plain JSON values."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any

from catalog.engine.money import exact_sum
from invoicing.adapters.figures import Figures, locale_of
from invoicing.adapters.layouts import Layout
from invoicing.choices import InvoiceKind, InvoiceState, LineKind
from invoicing.models import Invoice, InvoiceLine, InvoiceTax

# About so many characters stand in a row of the foot; of a foot that is higher, the rest is left out.
FOOT_ROW = 36
FOOT_ROWS = 16
SHORT_NAME = 60
# Characters of the widest figure that stands in one row of its column, and where longer ones may be parted.
WIDEST = 16
PART = 4
ZERO_WIDTH_SPACE = "\u200b"
# Marks that turn the direction of what follows, and control characters: they show nothing and could hide something.
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def document_data(
    invoice: Invoice, layout: Layout, *, lines: Sequence[InvoiceLine], taxes: Sequence[InvoiceTax]
) -> dict[str, Any]:
    """All that stands on the document, with its lines and taxes in their order.

    Reads what the invoice refers to: customer, currency, credited invoice.
    """
    words = layout.words
    # Without words in the language, figures are written in English too: a document is in one language.
    is_known = locale_of(invoice.language).language == locale_of(words["code"]).language
    locale = locale_of(invoice.language if is_known else words["code"])
    figures = Figures.of(locale, currency=invoice.currency_id, decimals=invoice.currency.minor_units)
    percents = {tax.tax_rate_id: figures.percent(tax.percent) for tax in taxes}
    groups = grouped(lines, words, figures, percents)
    is_draft = invoice.state == InvoiceState.DRAFT
    details = rows(invoice.payment_details) if invoice.total_amount > 0 else []
    foot = [seller_rows(invoice, words), [*map(text, layout.contact)], rows(invoice.seller_registration)]
    return {
        "lang": locale.language,
        "region": locale.territory,
        "rtl": locale.text_direction == "rtl",
        "draft": is_draft,
        "name": f"{words[invoice.kind.lower()]} {text(invoice.number or words['draft'])}".strip(),
        "date": figures.day(invoice.invoice_date),
        "currency": invoice.currency_id,
        "words": {key: word for key, word in words.items() if isinstance(word, str)},
        "sender": " · ".join([text(invoice.seller_name), *rows(invoice.seller_address)]).strip(" ·"),
        "seller": {"name": text(invoice.seller_name), "logo": layout.logo},
        "buyer": {
            "name": text(invoice.customer_name),
            "name-short": shortened(text(invoice.customer_name)),
            "address": rows(invoice.customer_address),
        },
        "facts": facts(invoice, words, figures),
        "intro": intro(invoice, words, figures),
        "groups": groups,
        "taxes": [tax_row(tax, figures) for tax in taxes],
        "notes": list(dict.fromkeys(text(tax.note) for tax in taxes if tax.note)),
        "net": figures.amount(invoice.net_amount),
        "tax": figures.amount(invoice.tax_amount),
        "total": figures.money(invoice.total_amount),
        "payment": {"sentence": payment(invoice, words, figures), "details": details},
        "message": rows(invoice.message),
        "foot": foot,
        "foot-height": min(max(sum(len(row) // FOOT_ROW + 1 for row in part) for part in foot), FOOT_ROWS) + 1,
        "widths": widths(groups, taxes, figures, invoice, words),
    }


def text(value: str) -> str:
    """Without characters that show nothing."""
    shown = "".join(" " if char in "\t\n\r" else char for char in value if char in "\t\n\r" or _shows(char))
    return TURNING.sub("", shown).strip()


def _shows(char: str) -> bool:
    # Cc: control characters, which a PDF cannot hold.
    return unicodedata.category(char) != "Cc"


def rows(value: str) -> list[str]:
    """The rows of a text, without empty ones."""
    return [row for row in map(text, value.splitlines()) if row]


def shortened(name: str) -> str:
    """A name for the head of a page."""
    return name if len(name) <= SHORT_NAME else f"{name[: SHORT_NAME - 1].rstrip()}…"


def seller_rows(invoice: Invoice, words: Mapping[str, Any]) -> list[str]:
    """Who issues the document, for its foot."""
    found = [text(invoice.seller_name), *rows(invoice.seller_address)]
    if invoice.seller_vat_number:
        found.append(words["vat_number"].format(number=text(invoice.seller_vat_number)))
    return [row for row in found if row]


def facts(invoice: Invoice, words: Mapping[str, Any], figures: Figures) -> list[tuple[str, str]]:
    """The block beside the address: names and values."""
    last = invoice.period_end - timedelta(days=1)
    period = words["from_to"].format(first=figures.day(invoice.period_start), last=figures.day(last))
    found = [
        (words["number"], text(invoice.number or words["draft"])),
        (words["invoice_date"], figures.day(invoice.invoice_date)),
        (words["period"], period),
    ]
    if invoice.tax_point is not None and invoice.tax_point != last:
        found.append((words["tax_point"], figures.day(invoice.tax_point)))
    if invoice.kind == InvoiceKind.INVOICE:
        found.append((words["due_date"], figures.day(invoice.due_date)))
    if invoice.credited_invoice is not None:
        found.append((words["credited"], text(str(invoice.credited_invoice))))
    found.append((words["account"], text(invoice.customer.account_number)))
    if invoice.customer_vat_number:
        found.append((words["customer_vat_number"], text(invoice.customer_vat_number)))
    return found


def intro(invoice: Invoice, words: Mapping[str, Any], figures: Figures) -> list[str]:
    """What stands above the lines: which invoice a credit note is for, and why."""
    found = []
    if invoice.credited_invoice is not None:
        credited = invoice.credited_invoice
        date = figures.day(credited.invoice_date)
        found.append(words["credits"].format(number=text(str(credited)), date=date))
    if invoice.reason:
        found.append(words["reason"].format(reason=" ".join(rows(invoice.reason))))
    return found


def payment(invoice: Invoice, words: Mapping[str, Any], figures: Figures) -> str:
    """What is to be done about the total."""
    if invoice.total_amount < 0:
        return str(words["credited_to_you"].format(amount=figures.money(abs(invoice.total_amount))))
    if invoice.total_amount == 0:
        return str(words["nothing_to_pay"])
    return str(
        words["pay"].format(
            amount=figures.money(invoice.total_amount),
            date=figures.day(invoice.due_date),
            number=text(invoice.number or words["draft"]),
        )
    )


def tax_row(tax: InvoiceTax, figures: Figures) -> dict[str, str]:
    """A row of the table of taxes."""
    return {
        "name": text(tax.name),
        "percent": figures.percent(tax.percent),
        "net": figures.amount(tax.net_amount),
        "tax": figures.amount(tax.tax_amount),
        "gross": figures.amount(tax.net_amount + tax.tax_amount),
    }


def grouped(
    lines: Sequence[InvoiceLine], words: Mapping[str, Any], figures: Figures, percents: Mapping[int, str]
) -> list[dict[str, Any]]:
    """The lines by product group and, inside it, by product line, in the order in which these come first.

    A group, and a part of a group that has several, has a subtotal where it has more than one line.
    """
    found: dict[str, dict[str, list[InvoiceLine]]] = {}
    for line in lines:
        found.setdefault(group_name(line, words), {}).setdefault(text(line.product_line), []).append(line)
    is_one = len(found) == 1
    groups = []
    for name, parts in found.items():
        has_parts = len(parts) > 1
        groups.append(
            {
                "name": name,
                "parts": [
                    {
                        "name": part if part != name else "",
                        "lines": [line_row(line, words, figures, percents) for line in members],
                        **(subtotal(part, members, words, figures) if has_parts and part else NO_SUBTOTAL),
                    }
                    for part, members in parts.items()
                ],
                **(NO_SUBTOTAL if is_one else subtotal(name, [*chain(*parts.values())], words, figures)),
            }
        )
    return groups


NO_SUBTOTAL = {"subtotal": "", "subtotal-name": ""}


def subtotal(name: str, lines: list[InvoiceLine], words: Mapping[str, Any], figures: Figures) -> dict[str, str]:
    """What lines come to, where it is more than one."""
    if len(lines) <= 1:
        return NO_SUBTOTAL
    amount = exact_sum(line.amount for line in lines)
    return {"subtotal": figures.amount(amount), "subtotal-name": words["subtotal"].format(name=name).strip()}


def group_name(line: InvoiceLine, words: Mapping[str, Any]) -> str:
    """The heading that a line stands under."""
    if line.kind == LineKind.CREDIT:
        return str(words["kinds"][line.kind])
    return text(line.product_group) or str(words["kinds"].get(line.kind, words["other"]))


def line_row(
    line: InvoiceLine, words: Mapping[str, Any], figures: Figures, percents: Mapping[int, str]
) -> dict[str, Any]:
    """A row of the table of lines."""
    title, under = line_texts(line, words, figures)
    price = per = ""
    if line.unit_price is not None:
        price = figures.number(line.unit_price)
        if line.unit_size != 1:
            per = words["per"].format(size=f"{figures.number(line.unit_size)} {text(line.unit)}".strip())
    return {
        "number": str(line.line_number),
        "title": title,
        "under": under,
        "quantity": breakable(figures.number(line.quantity)),
        "unit": text(line.unit),
        "price": breakable(price),
        "per": per,
        "percent": percents.get(line.tax_rate_id, ""),
        "amount": figures.amount(line.amount),
    }


def breakable(figure: str) -> str:
    """A figure; one that is wider than its column can go on in the next row."""
    if len(figure) <= WIDEST:
        return figure
    return ZERO_WIDTH_SPACE.join(figure[start : start + PART] for start in range(0, len(figure), PART))


def line_texts(line: InvoiceLine, words: Mapping[str, Any], figures: Figures) -> tuple[str, list[str]]:
    """What a line is called, and what stands below it in smaller print."""
    kind_name = str(words["kinds"].get(line.kind, ""))
    if line.kind in (LineKind.MINIMUM, LineKind.FEE):
        return kind_name, []
    description = " ".join(rows(line.description))
    title = text(line.product_name) or description or text(line.product_code) or kind_name
    details = [text(line.region), text(line.usage_type), description if description != title else ""]
    under = [" · ".join(detail for detail in details if detail)]
    if line.late_period is not None:
        under.append(words["late"].format(month=figures.month(line.late_period)))
    if line.coupon_code:
        under.append(words["coupon"].format(code=text(line.coupon_code)))
    return title, [each for each in under if each]


def widths(
    groups: list[dict[str, Any]],
    taxes: Sequence[InvoiceTax],
    figures: Figures,
    invoice: Invoice,
    words: Mapping[str, Any],
) -> dict[str, int]:
    """How many characters the widest figure of each column has: the layout need not measure thousands of cells."""
    parts = [part for group in groups for part in group["parts"]]
    lines = [line for part in parts for line in part["lines"]]

    def widest(values: Iterable[str], *, least: str) -> int:
        return max([len(least), *map(len, values)])

    def narrowed(value: str, after: str) -> str:
        return f"{value} {after}".strip()[:WIDEST]

    subtotals = [each["subtotal"] for each in (*groups, *parts)]
    sums = [invoice.net_amount, *(tax.net_amount for tax in taxes), *(tax.net_amount + tax.tax_amount for tax in taxes)]
    return {
        "number": widest([line["number"] for line in lines], least=words["position"]),
        "quantity": widest([narrowed(line["quantity"], line["unit"]) for line in lines], least=words["quantity"]),
        "price": widest([narrowed(line["price"], line["per"]) for line in lines], least=words["unit_price"]),
        "percent": widest([figures.percent(tax.percent) for tax in taxes], least=words["tax"]),
        "amount": widest([*(line["amount"] for line in lines), *subtotals], least=invoice.currency_id),
        "sum": widest([figures.amount(value) for value in sums], least=words["tax_amount"]),
    }
