from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from catalog.admin.base import ReadOnlyAdmin, column, link, list_url
from catalog.admin.figures import EMPTY, exact, money
from catalog.admin.filters import DayRangeFilter
from invoicing.admin.charges import STANDING
from invoicing.choices import InvoiceState
from reports.models import CountedInvoice, PendingAge, RevenueDay, UsageDay

COUNTED = "Posted documents are counted every five minutes; on the dashboards they can be counted at once."


class FiguresAdmin(ReadOnlyAdmin):
    """Kept figures of dashboards. Rows without a group are of all customers, those of groups are part of them."""

    ordering = ("-pk",)
    sortable_by = ()
    list_select_related = ("group", "currency", "product")
    empty_hint = COUNTED

    @column("Customers")
    def shown_group(self, row: Any) -> str:
        return str(row.group) if row.group else "All"

    @column("Product")
    def shown_product(self, row: Any) -> str:
        return row.product.name if row.product else EMPTY

    @column("Records")
    def records(self, row: Any) -> str:
        return exact(row.record_count)

    @column("Amount")
    def shown_amount(self, row: Any) -> str:
        return money(row.amount, currency=row.currency_id, minor_units=row.currency.minor_units)


@admin.register(RevenueDay)
class RevenueDayAdmin(FiguresAdmin):
    list_display = (
        *("invoice_date", "shown_group", "kind", "shown_product", "destination", "records", "shown_amount"),
        "documents",
    )
    list_filter = (
        ("invoice_date", DayRangeFilter),
        ("group", AutocompleteSelectFilter),
        ("product", AutocompleteSelectFilter),
        "currency",
        ("kind", ChoicesDropdownFilter),
    )
    search_fields = ("destination__istartswith",)
    search_help_text = "Start of the destination's name"
    readonly_fields = ("shown_group", "shown_product", "records", "shown_amount", "documents")
    fieldsets = (
        (None, {"fields": (("invoice_date", "shown_group"), ("kind", "shown_product"), "destination")}),
        ("Figures", {"fields": (("records", "shown_amount"), "documents")}),
    )

    @column("Documents")
    def documents(self, row: RevenueDay) -> SafeString:
        day = row.invoice_date.isoformat()
        asked: dict[str, object] = {"state__exact": InvoiceState.POSTED.value, "currency__code__exact": row.currency_id}
        if row.group_id is not None:
            asked["customer__groups__id__exact"] = row.group_id
        return link(
            list_url("invoicing_invoice", **asked, invoice_date_from=day, invoice_date_to=day), "documents of the day"
        )


@admin.register(UsageDay)
class UsageDayAdmin(FiguresAdmin):
    list_display = ("day", "shown_group", "shown_product", "records", "shown_amount", "used")
    list_filter = (
        ("day", DayRangeFilter),
        ("group", AutocompleteSelectFilter),
        ("product", AutocompleteSelectFilter),
        "currency",
    )
    readonly_fields = ("shown_group", "shown_product", "records", "shown_amount", "used")
    fieldsets = (
        (None, {"fields": (("day", "shown_group"), "shown_product")}),
        ("Figures", {"fields": (("records", "shown_amount"), "used")}),
    )

    @column("Usage")
    def used(self, row: UsageDay) -> SafeString:
        asked: dict[str, object] = {
            STANDING: "yes" if row.group_id is None else row.group_id,
            "record__billing_effective_date__exact": row.day.isoformat(),
            "record__product__id__exact": row.product_id,
            "line__invoice__currency__code__exact": row.currency_id,
        }
        return link(list_url("invoicing_usagecharge", **asked), "charges")


@admin.register(PendingAge)
class PendingAgeAdmin(ReadOnlyAdmin):
    """Pending usage as it was last counted."""

    list_display = ("shown_customer", "from_days", "record_count", "oldest", "counted_at", "waits")
    list_select_related = ("customer",)
    list_filter = (("customer", AutocompleteSelectFilter),)
    ordering = ("-pk",)
    sortable_by = ()
    fields = (("shown_customer", "from_days"), ("record_count", "oldest"), ("counted_at", "waits"))
    readonly_fields = ("shown_customer", "waits")
    empty_hint = "Pending usage is counted every five minutes, for dashboards of an inbox too large to count at once."

    @column("Customer")
    def shown_customer(self, age: PendingAge) -> str:
        return str(age.customer)

    @column("What waits now")
    def waits(self, age: PendingAge) -> SafeString:
        return link(list_url("usage_pendingusage", customer__id__exact=age.customer_id), "pending usage")


@admin.register(CountedInvoice)
class CountedInvoiceAdmin(ReadOnlyAdmin):
    list_display = ("invoice", "shown_customer", "counted_at")
    list_select_related = ("invoice", "customer")
    ordering = ("-pk",)
    sortable_by = ()
    search_fields = ("invoice__number__startswith",)
    search_help_text = "Start of the document's number"
    fields = (("invoice", "shown_customer"), "counted_at")
    readonly_fields = ("shown_customer",)
    empty_hint = COUNTED

    @column("Customer")
    def shown_customer(self, counted: CountedInvoice) -> str:
        return str(counted.customer)
