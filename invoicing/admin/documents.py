from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import Admin, ReadOnlyAdmin, column, list_url
from catalog.admin.figures import money
from catalog.admin.filters import DayRangeFilter
from customers.models import Customer
from invoicing.admin.delivery_panel import delivery_panel
from invoicing.admin.pdf_panel import pdf_panel
from invoicing.choices import InvoiceState
from invoicing.models import Invoice, NumberSeries

STATE_LABELS = {"Posted": "success", "Draft": "info"}
LINES_PER_PAGE = 200
FOUND_CUSTOMERS = 1_000


def last_day(invoice: Invoice) -> Any:
    """The last day of the invoice's period, which is stored half-open."""
    return invoice.period_end - timedelta(days=1)


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    """Documents, to look at: a run makes and posts them."""

    list_display = (
        *("shown_number", "shown_customer", "kind", "shown_state", "invoice_date"),
        *("period", "net", "total"),
    )
    list_display_links = ("shown_number",)
    list_filter = (
        *("state", "kind", "currency"),
        ("customer", AutocompleteSelectFilter),
        ("customer__groups", AutocompleteSelectFilter),
        ("invoice_date", DayRangeFilter),
    )
    list_select_related = ("customer", "currency")
    ordering = ("-pk",)
    sortable_by = ()
    search_fields = ("number",)
    search_help_text = "Start of the invoice's number, or of the customer's account number"
    change_form_template = "admin/invoicing/invoice/change_form.html"
    fieldsets = ()
    empty_hint = "A billing run makes the invoices. Commence one, then approve it."

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Invoice], search_term: str) -> Any:  # noqa: ARG002
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Customer.objects.filter(account_number__startswith=term).values_list("id", flat=True)[:FOUND_CUSTOMERS]
        return queryset.filter(Q(number__startswith=term) | Q(customer_id__in=list(found))), False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        invoice = kwargs.get("obj")
        if invoice:
            context.update(document(invoice, page=request.GET.get("lines")))
            context["pdf"] = pdf_panel(invoice, request)
            context["show_close"] = True
        return super().render_change_form(request, context, *args, **kwargs)

    @column("Number")
    def shown_number(self, invoice: Invoice) -> str:
        return str(invoice)

    @column("Customer")
    def shown_customer(self, invoice: Invoice) -> str:
        return f"{invoice.customer.account_number} {invoice.customer_name}"

    @column("State", label=STATE_LABELS)
    def shown_state(self, invoice: Invoice) -> str:
        return invoice.get_state_display()

    @column("Period")
    def period(self, invoice: Invoice) -> str:
        return f"{invoice.period_start} to {last_day(invoice)}"

    def _shown(self, invoice: Invoice, amount: Any) -> str:
        return money(amount, currency=invoice.currency_id, minor_units=invoice.currency.minor_units)

    @column("Net")
    def net(self, invoice: Invoice) -> str:
        return self._shown(invoice, invoice.net_amount)

    @column("Total")
    def total(self, invoice: Invoice) -> str:
        return self._shown(invoice, invoice.total_amount)


def document(invoice: Invoice, *, page: str | None) -> dict[str, Any]:
    """What the page of a document shows: a page of its lines, its taxes, how it was sent, and where it came from."""
    lines = Paginator(invoice.lines.select_related("tax_rate").order_by("line_number"), LINES_PER_PAGE)
    return {
        "title": f"{invoice.get_kind_display()} {invoice.number or '(draft)'}",
        "subtitle": None,
        "lines": lines.get_page(page),
        "taxes": list(invoice.taxes.all()),
        "delivery_panel": delivery_panel(invoice),
        "currency": invoice.currency,
        "last_day": last_day(invoice),
        "is_draft": invoice.state == InvoiceState.DRAFT,
        "run_account_url": list_url("billing_runaccount", invoice__id__exact=invoice.pk),
        "charges_url": list_url("invoicing_usagecharge"),
    }


@admin.register(NumberSeries)
class NumberSeriesAdmin(Admin):
    list_display = ("shown_kind", "legal_entity", "prefix", "digits", "next_number")
    list_select_related = ("legal_entity",)
    fields = (("legal_entity", "kind"), ("prefix", "digits"), "next_number")
    deletable = False
    empty_hint = "Numbers of posted documents, of each legal entity and kind: a prefix and a number without gaps."

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        # A number that was given is never given again: only posting moves the next one on.
        return ("legal_entity", "kind", "next_number") if obj else ()

    @column("Kind")
    def shown_kind(self, series: NumberSeries) -> str:
        return series.get_kind_display()
