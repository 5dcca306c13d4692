"""The page that says what a past period would have come to with another price list. Nothing is stored."""

import csv
import io
import tempfile
from typing import IO, Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from billing.admin.past_usage import PastUsageForm, card_field, customers_field, last_month, minor_units
from billing.operations.what_if import CustomerRevenue, WhatIf, WhatIfRefused, what_if
from catalog.admin.card_links import CARD_LINKS, CardLink

PERMISSIONS = ("catalog.view_rate", "customers.view_customer", "invoicing.view_usagecharge")
FIELDS = {"card_id": "card", "replaced_card_id": "replaced_card", "until_day": "to_day"}
HEADER = ("account_number", "name", "records", "currency", "now", "then", "difference")
HELD_IN_MEMORY_BYTES = 1 << 20
# What a spreadsheet takes for a formula when a cell begins with it.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")

CARD_LINKS.append(CardLink("What if", lambda card: f"{reverse('what-if')}?card={card.pk}", "catalog.view_rate"))


class WhatIfForm(PastUsageForm):
    """A past period, and the price list to put in place."""

    card = card_field(label="With the rate card", required=True, help_text="It has the customers' currency.")
    replaced_card = card_field(
        label="In the place of",
        required=False,
        help_text="For the customers that were billed by this card. Empty: put first among each customer's cards.",
    )
    customers = customers_field()

    def ask(self, **more: Any) -> WhatIf | None:
        """The answer; None where there is none, with the reason at its field."""
        given = self.cleaned_data
        replaced = given["replaced_card"]
        try:
            return what_if(
                **self.days,
                card_id=given["card"].pk,
                replaced_card_id=replaced and replaced.pk,
                customer_ids=self.customer_ids,
                **more,
            )
        except WhatIfRefused as refused:
            self.add_error(FIELDS.get(refused.field, refused.field), str(refused))
            return None


def may_ask(request: HttpRequest) -> bool:
    """Whether the user may see prices, customers and what they were charged."""
    return request.user.has_perms(PERMISSIONS)


def what_if_page(request: HttpRequest) -> HttpResponseBase:
    """The form and, once it is filled in, the answer; `format=csv` gives all customers as a file."""
    if not may_ask(request):
        raise PermissionDenied
    is_asked = "from_day" in request.GET
    form = WhatIfForm(request.GET if is_asked else None, initial=last_month(timezone.localdate()) | request.GET.dict())
    found = None
    if is_asked and form.is_valid():
        if request.GET.get("format") == "csv":
            file = customers_file(form)
            if file is not None:
                name = f"What if {form.cleaned_data['from_day']} to {form.cleaned_data['to_day']}.csv"
                return FileResponse(cast("Any", file), as_attachment=True, filename=name, content_type="text/csv")
        else:
            found = form.ask()
    query = request.GET.copy()
    query["format"] = "csv"
    context = {
        **admin.site.each_context(request),
        "title": "What if",
        "form": form,
        "found": found,
        "minor_units": minor_units(),
        "csv": f"?{query.urlencode()}",
    }
    return render(request, "admin/billing/prices/what_if.html", context)


def customers_file(form: WhatIfForm) -> IO[bytes] | None:
    """All customers as CSV (UTF-8, a header, points in numbers), at its start; None where the question is refused."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(HELD_IN_MEMORY_BYTES)  # noqa: SIM115  the reader closes it
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(HEADER)
    currency = form.cleaned_data["card"].currency_id

    def write(row: CustomerRevenue) -> None:
        amounts = [f"{amount:f}" for amount in (row.now, row.then, row.difference)]
        writer.writerow([as_text(row.account_number), as_text(row.name), row.record_count, currency, *amounts])

    if form.ask(each_customer=write) is None:
        return None
    text.detach()
    file.seek(0)
    return file


def as_text(value: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{value}" if value.startswith(FORMULA_SIGNS) else value
