"""What the reports of a profile would look like: with the usage of a customer's last invoice, and nothing kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Sum

from customers.models import Customer
from invoicing.choices import LineKind
from invoicing.models import Invoice, InvoiceLine
from reports.engine.sheet import Sheet
from reports.engine.terms import Report, Terms, reports_of
from reports.operations.making import has_lines, sheet_of
from reports.queries.tables import Tables
from reports.queries.uses import lay_out_uses

PREVIEWED_ROWS = 20
# Every report of more uses than this would take longer than anybody waits.
MOST_USES = 50_000


class PreviewTooLarge(Exception):
    """The customer's last invoice has too many uses for a preview; the text says how many."""


@dataclass(frozen=True, slots=True)
class PreviewedReport:
    """A report, or the first part of one that is split: what it says, its first rows, and how many parts there are."""

    sheet: Sheet
    rows: Sequence[Sequence[Any]]
    has_more_rows: bool
    part_count: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The reports that there would be, and the document whose usage they show."""

    invoice: Invoice
    reports: list[PreviewedReport]


def preview_reports(*, terms: Terms, customer: Customer, on: date, row_count: int = PREVIEWED_ROWS) -> Preview | None:
    """The reports that these terms give for the last document of a customer whose period ended by a day, if any.

    Time zone, language and privacy are those of the terms. Drafts count: the customer's next invoice shows best. One
    without usage is shown only where there is none with any. Raises `PreviewTooLarge`.
    """
    invoices = Invoice.objects.select_related("currency", "customer").filter(customer=customer, period_end__lte=on)
    usage = InvoiceLine.objects.filter(invoice=OuterRef("pk"), kind=LineKind.USAGE)
    by_usage = invoices.filter(credited_invoice__isnull=True).annotate(has_usage=Exists(usage))
    invoice = by_usage.order_by("-has_usage", "-period_end", "-id").first()
    if invoice is None:
        return None
    _require_few_uses(invoice)
    reports = [report for report in reports_of(terms) if has_lines(invoice, report)]
    with transaction.atomic(), connection.cursor() as cursor:
        lay_out_uses(cursor, invoice=invoice, terms=terms)
        tables = Tables(cursor, invoice_id=invoice.pk, currency=invoice.currency, terms=terms)
        found = [_previewed(cursor, tables, invoice, report, terms, row_count) for report in reports]
        # The temporary tables go with it.
        transaction.set_rollback(True)
    return Preview(invoice, [report for report in found if report is not None])


def terms_of(values: dict[str, Any], *, customer: Customer) -> Terms:
    """Terms from the fields of a profile, stored or still being filled in, for a customer."""
    stored = {name: list(value) if isinstance(value, tuple | list) else value for name, value in values.items()}
    whose = {"timezone": customer.timezone, "language": customer.language, "masks_numbers": customer.masks_numbers}
    return Terms.from_json({**stored, **whose})


def _require_few_uses(invoice: Invoice) -> None:
    lines = invoice.lines.filter(kind=LineKind.USAGE)
    uses = lines.aggregate(uses=Sum("charge_count"))["uses"] or 0
    if uses > MOST_USES:
        raise PreviewTooLarge(
            f"The last invoice has {uses:,} uses, and a preview takes at most {MOST_USES:,}. Choose a customer with "
            "less usage."
        )


def _previewed(
    cursor: Any, tables: Tables, invoice: Invoice, report: Report, terms: Terms, row_count: int
) -> PreviewedReport | None:
    """The first part of a report; None where its lines have no uses at all."""
    gathered = tables.gather(report)
    totals = tables.totals(gathered)
    if not totals:
        return None
    part, (listed, left_out) = next(iter(totals.items()))
    statement, parameters = tables.rows(gathered, part)
    cursor.execute(f"{statement} LIMIT {row_count + 1}", parameters)
    rows = cursor.fetchall()
    return PreviewedReport(
        sheet=sheet_of(invoice, report, terms, part=part, listed=listed, left_out=left_out),
        rows=rows[:row_count],
        has_more_rows=len(rows) > row_count,
        part_count=len(totals),
    )
