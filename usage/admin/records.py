from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter

from catalog.admin.base import LargeTableAdmin, change_url, column, link, list_url
from catalog.admin.figures import exact
from catalog.admin.filters import DayRangeFilter
from customers.models import SubscriptionService
from usage.choices import BillingDirective, LifeCycleState
from usage.models import PendingUsage, UsageDataRecord

STATE_LABELS = {"Posted": "success", "Draft": "info", "Rejected": "warning", "Cancelled": "danger"}
LATE_LABELS = {"Late": "warning"}
USER_DEFINED = (
    *(f"udf_string_{number}" for number in range(1, 9)),
    *(f"udf_float_{number}" for number in range(1, 5)),
    *(f"udf_date_{number}" for number in range(1, 5)),
)


def named(term: str) -> Q:
    """Records of a search term by ways that an index serves: all of a service with that identifier, else by number."""
    services = SubscriptionService.objects.filter(identifier=term).values_list("customer_id", "id")
    owners = list(services)
    if owners:
        return Q(
            customer_id__in={customer_id for customer_id, _ in owners},
            subscription_service_id__in=[service_id for _, service_id in owners],
        )
    return Q(number=term)


@admin.register(UsageDataRecord)
class UsageDataRecordAdmin(LargeTableAdmin):
    list_display = (
        *("number", "customer", "service", "product_code", "amount", "from_date"),
        *("shown_state", "late", "effective"),
    )
    # Each is served by an index (usage.models.records.list_indexes).
    list_filter = (
        ("customer", AutocompleteSelectFilter),
        ("subscription_service", AutocompleteSelectFilter),
        ("product", AutocompleteSelectFilter),
        ("usage_type", AutocompleteSelectFilter),
        ("source_system", AutocompleteSelectFilter),
        ("usage_import", AutocompleteSelectFilter),
        ("from_date", DayRangeFilter),
        ("billing_effective_date", DayRangeFilter),
        ("life_cycle_state", ChoicesDropdownFilter),
        ("billing_directive", ChoicesDropdownFilter),
        ("is_late", BooleanRadioFilter),
    )
    ordered_by = {
        "billing_effective_date": ("billing_effective_date_from", "billing_effective_date_to"),
        "from_date": ("from_date_from", "from_date_to", "source_system__id__exact"),
    }
    list_select_related = ("customer", "subscription_service", "product", "usage_type")
    search_fields = ("number",)
    search_help_text = "The whole number of a record, or the identifier of a service"
    readonly_fields = ("amount", "shown_state", "local_period", "billing", "came_with", "user_defined", "own_amount")
    fieldsets = (
        (
            None,
            {"fields": (("number", "shown_state"), ("customer", "subscription_service"), ("product", "usage_type"))},
        ),
        (
            "Use",
            {"fields": (("from_date", "to_date"), "local_period", ("amount", "own_amount"), ("destination", "region"))},
        ),
        ("Billing", {"fields": (("billing_directive", "billing_effective_date"), "billing")}),
        ("Origin", {"fields": (("source_system", "came_with"), ("subscription_action", "created_at"), "user_defined")}),
    )
    empty_hint = "Upload a file of usage, or let a source system send records to the API."

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[UsageDataRecord], search_term: str) -> Any:  # noqa: ARG002
        term = search_term.strip()
        return (queryset.filter(named(term)) if term else queryset), False

    @column("Service")
    def service(self, record: UsageDataRecord) -> Any:
        return record.subscription_service

    @column("Amount")
    def amount(self, record: UsageDataRecord) -> str:
        return f"{exact(record.usage_amount)} {record.usage_type.unit}".strip()

    @column("State", label=STATE_LABELS)
    def shown_state(self, record: UsageDataRecord) -> str:
        return record.get_life_cycle_state_display()

    @column("Product")
    def product_code(self, record: UsageDataRecord) -> str:
        return record.product.code

    @column("Effective")
    def effective(self, record: UsageDataRecord) -> Any:
        return record.billing_effective_date

    @column("Late", label=LATE_LABELS)
    def late(self, record: UsageDataRecord) -> str | None:
        return "Late" if record.is_late else None

    @column("In the customer's time")
    def local_period(self, record: UsageDataRecord) -> str:
        zone = ZoneInfo(record.customer.timezone)
        starts, ends = (f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" for at in (record.from_date, record.to_date))
        return f"{starts} to {ends} {zone.key}"

    @column("Brings its own price")
    def own_amount(self, record: UsageDataRecord) -> str:
        return exact(record.total_amount)

    @column("Where it stands")
    def billing(self, record: UsageDataRecord) -> SafeString | str:
        if record.life_cycle_state != LifeCycleState.POSTED:
            return "Not billed: only posted records are."
        if record.billing_directive == BillingDirective.NOT_TO_BE_BILLED:
            return "Not billed, as its directive says."
        if PendingUsage.objects.filter(record=record).exists():
            return "Pending: it waits for the customer's next billing run."
        return link(list_url("invoicing_usagecharge", record__id__exact=record.pk), "Charged: see the charge")

    @column("Came with")
    def came_with(self, record: UsageDataRecord) -> SafeString | str:
        if record.usage_import is None:
            return "the API"
        line = "" if record.line_number is None else f", line {record.line_number}"
        return link(change_url(record.usage_import), f"{record.usage_import.file_name}{line}")

    @column("User-defined fields")
    def user_defined(self, record: UsageDataRecord) -> str:
        given = ((name, getattr(record, name)) for name in USER_DEFINED)
        return "; ".join(f"{name} = {value}" for name, value in given if value is not None) or "none"


class OfRecordAdmin(LargeTableAdmin):
    """Rows that are about one usage data record each: found by its number, shown with its service and its time."""

    search_fields = ("record__number",)
    search_help_text = "The whole number of a record"

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:  # noqa: ARG002
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(record__number=term), False

    @column("Record")
    def shown_record(self, row: Any) -> SafeString:
        return link(change_url(row.record), row.record)

    @column("Service")
    def service(self, row: Any) -> Any:
        return row.record.subscription_service

    @column("From")
    def from_date(self, row: Any) -> Any:
        return row.record.from_date


@admin.register(PendingUsage)
class PendingUsageAdmin(OfRecordAdmin):
    """The inbox of billing."""

    list_display = ("record", "customer", "service", "product", "from_date", "amount", "billing_effective_date")
    list_filter = (("customer", AutocompleteSelectFilter),)
    ordered_by = {"billing_effective_date": ("customer__id__exact",)}
    list_select_related = (
        *("customer", "record__subscription_service", "record__product"),
        "record__usage_type",
    )
    fields = ("shown_record", "customer", "billing_effective_date")
    readonly_fields = ("shown_record",)
    empty_hint = "No usage waits: all that is to be billed is on an invoice."

    @column("Product")
    def product(self, pending: PendingUsage) -> Any:
        return pending.record.product

    @column("Amount")
    def amount(self, pending: PendingUsage) -> str:
        return f"{exact(pending.record.usage_amount)} {pending.record.usage_type.unit}".strip()
