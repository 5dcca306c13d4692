from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.admin.base import LargeTableAdmin, change_url, column, link
from catalog.admin.figures import exact
from invoicing.models import UsageCharge
from usage.models import SourceSystem


@admin.register(UsageCharge)
class UsageChargeAdmin(LargeTableAdmin):
    """The priced results of single records. Reached from an invoice line, or searched by a record's number."""

    list_display = ("record", "service", "region", "from_date", "billed", "price", "shown_amount", "invoice_line")
    list_select_related = (
        *("record__subscription_service", "record__usage_type"),
        *("rate__rate_card", "line__invoice"),
    )
    search_fields = ("record__number",)
    search_help_text = "The whole number of a record"
    fieldsets = (
        (None, {"fields": (("shown_record", "shown_customer"), "invoice_line")}),
        ("Price", {"fields": (("billed", "price"), "shown_amount")}),
    )
    readonly_fields = ("shown_record", "shown_customer", "invoice_line", "billed", "price", "shown_amount")
    empty_hint = "A billing run writes the charges: one for each record that it bills."

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # What the links on an invoice and on a record ask for; indexes serve both.
        if lookup in {"line__id__exact", "record__id__exact"}:
            return True
        return bool(super().lookup_allowed(lookup, value, request))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[UsageCharge], search_term: str) -> Any:  # noqa: ARG002
        term = search_term.strip()
        if not term:
            return queryset, False
        sources = list(SourceSystem.objects.values_list("id", flat=True))
        return queryset.filter(record__source_system_id__in=sources, record__number=term), False

    @column("Record")
    def shown_record(self, charge: UsageCharge) -> SafeString:
        return link(change_url(charge.record), charge.record)

    @column("Customer")
    def shown_customer(self, charge: UsageCharge) -> SafeString:
        return link(change_url(charge.customer), charge.customer)

    @column("Service")
    def service(self, charge: UsageCharge) -> Any:
        return charge.record.subscription_service

    @column("Region")
    def region(self, charge: UsageCharge) -> str:
        return charge.record.region

    @column("From")
    def from_date(self, charge: UsageCharge) -> Any:
        return charge.record.from_date

    @column("Billed quantity")
    def billed(self, charge: UsageCharge) -> str:
        return f"{exact(charge.quantity)} {charge.record.usage_type.unit}".strip()

    @column("Price")
    def price(self, charge: UsageCharge) -> SafeString | str:
        if charge.rate is None:
            return "the record's own"
        per = "" if charge.rate.unit_size == 1 else f" per {exact(charge.rate.unit_size)}"
        text = f"{exact(charge.rate.unit_price)} {charge.rate.rate_card.currency_id}{per}"
        return link(change_url(charge.rate), text)

    @column("Amount")
    def shown_amount(self, charge: UsageCharge) -> str:
        return f"{exact(charge.amount)} {charge.line.invoice.currency_id}"

    @column("Invoice line")
    def invoice_line(self, charge: UsageCharge) -> SafeString:
        return link(change_url(charge.line.invoice), f"{charge.line.invoice}, line {charge.line.line_number}")
