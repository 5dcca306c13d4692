"""What the reports of a profile would look like, shown below its form while that is filled in."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from catalog.queries.keyset import TookTooLong, time_limit
from customers.models import Customer
from reports.adapters.report_pdf import MOST_BARS, bars, cells
from reports.choices import ReportFormat, SplitBy
from reports.engine.columns import TEXT
from reports.engine.terms import Terms
from reports.models import InvoiceUsageReportProfile
from reports.operations.preview import (
    Preview,
    PreviewedReport,
    PreviewTooLarge,
    preview_reports,
    terms_of,
)

TEMPLATE = "admin/reports/invoiceusagereportprofile/preview.html"
# Of each report; and so long may any statement take.
SHOWN_ROWS = 8
TIMEOUT_MS = 3_000
SHOWN_CUSTOMERS = 8
FIELDS = (
    *("customer_usage_reports", "site_usage_reports", "campaign_usage_reports", "number_usage_reports"),
    *("include_transaction_columns", "include_call_columns", "call_details"),
    *("formats", "threshold_amount", "splits_by"),
)


@dataclass(frozen=True, slots=True)
class ShownReport:
    """A report as texts: headers and cells with whether they stand at the right, totals, and bars where it has some."""

    title: str
    headers: list[tuple[str, bool]]
    rows: list[list[tuple[str, bool]]]
    totals: list[list[tuple[str, bool]]]
    bars: list[dict[str, Any]]
    has_more_rows: bool
    parts: str


def may_preview(request: HttpRequest) -> bool:
    """Whether somebody may see the usage of customers, which a preview shows."""
    return request.user.has_perms(("customers.view_customer", "invoicing.view_invoice", "usage.view_usagedatarecord"))


def preview_view(request: HttpRequest, form_class: Any) -> HttpResponse:
    """The first rows of each report that the form, as it is filled in, asks for. Nothing is kept.

    The customer is that of `preview_customer`: an account number, or the start of a name; else the form's own.
    """
    if not may_preview(request):
        raise PermissionDenied
    form = form_class(request.POST)
    form.is_valid()
    context = _previewed(form, request.POST.get("preview_customer", "").replace("\0", "").strip())
    return render(request, TEMPLATE, context)


def _previewed(form: Any, asked: str) -> dict[str, Any]:
    errors = {name: form.errors[name] for name in FIELDS if name in form.errors}
    if errors:
        return {"said": [f"{form.fields[name].label}: {text}" for name, texts in errors.items() for text in texts]}
    own = form.cleaned_data.get("customer")
    found = found_customers(asked) if asked else [own] if own else []
    if len(found) != 1:
        return {"said": [_who(asked, found)], "candidates": found if len(found) > 1 else []}
    (customer,) = found
    terms = terms_of({name: form.cleaned_data[name] for name in FIELDS}, customer=customer)
    try:
        with time_limit(TIMEOUT_MS):
            preview = preview_reports(terms=terms, customer=customer, on=timezone.localdate(), row_count=MOST_BARS)
    except PreviewTooLarge as error:
        said = str(error)
    except TookTooLong:
        said = "That took too long, so it was stopped. Choose a customer with less usage."
    else:
        if preview is not None and preview.reports:
            reports = _shown_reports(preview, terms)
            last_day = preview.invoice.period_end - timedelta(days=1)
            return {"customer": customer, "invoice": preview.invoice, "last_day": last_day, "reports": reports}
        said = f"{customer} has no invoice yet whose reports could be shown." if preview is None else _nothing(form)
    return {"customer": customer, "said": [said]}


def found_customers(text: str) -> list[Customer]:
    """The customer with this account number; else the first whose account number or name begins so."""
    exactly = list(Customer.objects.filter(account_number=text))
    begins = Q(account_number__startswith=text) | Q(name__istartswith=text)
    return exactly or list(Customer.objects.filter(begins).order_by("account_number")[:SHOWN_CUSTOMERS])


def _who(asked: str, found: list[Customer]) -> str:
    if found:
        return "Several customers begin so. Which one is it?"
    if asked:
        return f"No customer has this account number, or one or a name that begins with “{asked}”."
    return "Choose a customer: its last invoice shows what the reports would look like."


def _nothing(form: Any) -> str:
    if any(form.cleaned_data[name] for name in FIELDS[:7]):
        return "The last invoice has nothing that the chosen reports are about."
    return "No report is chosen yet: tick what should go with an invoice."


def _shown_reports(preview: Preview, terms: Terms) -> list[ShownReport]:
    has_bars = ReportFormat.PDF in terms.formats
    return [_shown(report, splits_by=terms.splits_by, has_bars=has_bars) for report in preview.reports]


def _shown(report: PreviewedReport, *, splits_by: str, has_bars: bool) -> ShownReport:
    sheet = report.sheet
    rights = [column.kind != TEXT and place > 0 for place, column in enumerate(sheet.columns)]

    def row(texts: list[str]) -> list[tuple[str, bool]]:
        return list(zip(texts, rights, strict=True))

    totals = [[footer.label, *cells(sheet, sheet.footer_values(footer), footer)[1:]] for footer in sheet.footers]
    label = str(SplitBy(splits_by).label).lower()
    return ShownReport(
        title=sheet.title,
        headers=row(list(sheet.headers)),
        rows=[row(cells(sheet, each)) for each in report.rows[:SHOWN_ROWS]],
        totals=[row(total) for total in totals],
        bars=bars(sheet, report.rows) if has_bars and not report.has_more_rows else [],
        has_more_rows=report.has_more_rows or len(report.rows) > SHOWN_ROWS,
        parts=f"{label}: the first of {report.part_count}" if report.part_count > 1 else "",
    )


def described(profile: InvoiceUsageReportProfile | None) -> str:
    """The account number of the customer that a stored profile is for, to begin with."""
    return profile.customer.account_number if profile is not None and profile.customer is not None else ""
