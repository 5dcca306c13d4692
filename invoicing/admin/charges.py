import re
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.admin.base import change_url, column, link
from catalog.admin.figures import exact
from customers.models import Customer
from invoicing.models import UsageCharge
from usage.admin.records import OfRecordAdmin

STANDING = "standing"
# What the links on an invoice, on a record and on the kept figures of a day ask for; indexes serve all of them.
LOOKUPS = {
    *("line__id__exact", "record__id__exact"),
    *("record__billing_effective_date__exact", "record__product__id__exact", "line__invoice__currency__code__exact"),
}
ID = re.compile(r"[0-9]{1,18}")


class StandingFilter(admin.SimpleListFilter):
    """What posted documents charged for, less what others took back: of all customers or, by its id, of a group."""

    title = "stands"
    parameter_name = STANDING

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("yes", "On a posted document, and not taken back")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        asked = self.value()
        if not asked:
            return queryset
        if ID.fullmatch(asked):
            queryset = queryset.filter(customer__in=Customer.objects.filter(groups=int(asked)))
        return queryset.standing()


@admin.register(UsageCharge)
class UsageChargeAdmin(OfRecordAdmin):
    """The priced results of single records. Reached from an invoice line, or searched by a record's number."""

    list_display = (
        *("record", "service", "region", "from_date", "billed", "price", "shown_amount", "why"),
        "invoice_line",
    )
    list_filter = (StandingFilter,)
    # The charges of a day are found by its records, in their order.
    ordered_by = {"record_id": ("record__billing_effective_date__exact",)}
    list_select_related = (
        *("record__subscription_service", "record__usage_type"),
        *("rate__rate_card", "line__invoice"),
    )
    fieldsets = (
        (None, {"fields": (("shown_record", "shown_customer"), "invoice_line")}),
        ("Price", {"fields": (("used", "billed"), ("price", "counted"), ("shown_amount", "why"))}),
    )
    readonly_fields = (
        *("shown_record", "shown_customer", "invoice_line", "used", "billed", "price", "counted", "shown_amount"),
        "why",
    )
    empty_hint = "A billing run writes the charges: one for each record that it bills."

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in LOOKUPS or bool(super().lookup_allowed(lookup, value, request))

    @column("Customer")
    def shown_customer(self, charge: UsageCharge) -> SafeString:
        return link(change_url(charge.customer), charge.customer)

    @column("Region")
    def region(self, charge: UsageCharge) -> str:
        return charge.record.region

    @column("Quantity")
    def used(self, charge: UsageCharge) -> str:
        return self._of(charge, charge.quantity)

    @column("Billed quantity")
    def billed(self, charge: UsageCharge) -> str:
        return self._of(charge, charge.quantity if charge.billed_quantity is None else charge.billed_quantity)

    def _of(self, charge: UsageCharge, quantity: Decimal) -> str:
        return f"{exact(quantity)} {charge.record.usage_type.unit}".strip()

    @column("Counted in the month")
    def counted(self, charge: UsageCharge) -> str:
        if charge.counted_month is None:
            return "not counted: the price does not depend on other usage"
        before, total = exact(charge.quantity_before), exact(charge.quantity_total)
        return f"{charge.counted_month:%B %Y}: {before} before it, {total} at the end of the run"

    @column("Why")
    def why(self, charge: UsageCharge) -> SafeString:
        return link(f"{change_url(charge.record)}#explanation", "why")

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
