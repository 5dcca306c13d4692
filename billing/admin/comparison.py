"""The page that holds a run's invoices against those before, with the whole of it as a file."""

import csv
import io
import tempfile
from decimal import Decimal
from typing import IO, Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render

from billing.admin.what_if import HELD_IN_MEMORY_BYTES, as_text
from billing.choices import AccountOutcome, HoldCause
from billing.models import BillingRun
from billing.queries.comparison import (
    ComparedAccount,
    ComparisonSums,
    comparison_page,
    comparison_rows,
    comparison_sums,
)
from catalog.admin.base import change_url
from catalog.admin.figures import money

SHOWN_ACCOUNTS = 100
PARTS = ("total_before", "total", "difference", "volume", "price", "mix", "one_off", "tax")
HEADER = (
    *("account number", "customer", "outcome", "held for", "currency", "invoice", "last invoice"),
    *("last total", "total", "difference", "volume", "price", "mix", "one-off", "tax"),
)


def comparison_view(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """A page of accounts, largest difference first, behind the account `after`; `format=csv` gives all as a file."""
    if not request.user.has_perm("billing.view_billingrun"):
        raise PermissionDenied
    run = get_object_or_404(BillingRun, id=run_id)
    sums = comparison_sums(run_id=run.pk)
    currency = request.GET.get("currency")
    if currency not in {of.currency for of in sums}:
        currency = None
    if request.GET.get("format") == "csv":
        file = cast("Any", comparison_file(run, currency))
        name = f"Comparison of run {run.pk}.csv"
        return FileResponse(file, as_attachment=True, filename=name, content_type="text/csv")
    after = request.GET.get("after", "")
    after_id = int(after) if after.isascii() and after.isdigit() and len(after) < len(str(2**63)) else None
    rows, has_more = comparison_page(run_id=run.pk, limit=SHOWN_ACCOUNTS, after_id=after_id, currency=currency)
    query = request.GET.copy()
    query.pop("after", None)
    first = query.urlencode()
    query["format"] = "csv"
    of_file = query.urlencode()
    query.pop("format")
    query["after"] = str(rows[-1].account_id) if rows else ""
    context = {
        **admin.site.each_context(request),
        "title": f"{run.name}: difference to the invoices before",
        "run": run,
        "back": change_url(run),
        "sums": [{"of": of, "amounts": amounts(of)} for of in sums],
        "currency": currency,
        "rows": [shown(row) for row in rows],
        "first": f"?{first}" if after_id is not None else "",
        "next": f"?{query.urlencode()}" if has_more else "",
        "csv": f"?{of_file}",
    }
    return render(request, "admin/billing/billingrun/comparison.html", context)


def shown(row: ComparedAccount) -> dict[str, Any]:
    """One account for the page: its outcome in words, its amounts with signs."""
    return {"row": row, "outcome": outcome_of(row), "amounts": amounts(row)}


def outcome_of(row: ComparedAccount) -> str:
    """The outcome in words, and why it is held."""
    if row.held_for:
        return f"{AccountOutcome(row.outcome).label}: {HoldCause(row.held_for).label.lower()}"
    return str(AccountOutcome(row.outcome).label)


def amounts(of: ComparedAccount | ComparisonSums) -> list[str]:
    """The columns of amounts: totals as they are, what differs with its sign, 0 as a dash."""
    values: list[Decimal] = [getattr(of, part) for part in PARTS]

    def text(value: Decimal | None) -> str:
        return money(value, currency=of.currency, minor_units=of.minor_units)

    totals, parts = values[:2], values[2:]
    return [
        *(text(value) for value in totals),
        *(f"+{text(value)}" if value > 0 else text(value or None) for value in parts),
    ]


def comparison_file(run: BillingRun, currency: str | None) -> IO[bytes]:
    """All accounts as CSV (UTF-8, a header, points in numbers), at its start."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(HELD_IN_MEMORY_BYTES)  # noqa: SIM115  the reader closes it
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(HEADER)
    with transaction.atomic():
        for row in comparison_rows(run_id=run.pk, currency=currency):
            texts = [as_text(row.account_number), as_text(row.customer_name), row.outcome, row.held_for, row.currency]
            numbers = [as_text(row.number), as_text(row.before_number)]
            values = [f"{getattr(row, part):.{row.minor_units}f}" for part in PARTS]
            writer.writerow([*texts, *numbers, *values])
    text.detach()
    file.seek(0)
    return file
