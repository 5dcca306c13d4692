"""Recurring charges: a list, a page of each with what was charged of it, and rows on the page of a subscription."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import Admin, ReadOnlyInline, change_url, column, link
from catalog.admin.figures import exact, exact_in
from customers.admin.subscriptions import SubscriptionAdmin as LookedAtAdmin
from customers.models import Subscription
from invoicing.models import RecurringCharge, Transaction

# What decides where periods begin and end: they stay once one of them was charged.
PERIOD_TERMS = ("subscription", "months", "timing", "alignment", "start_date")


class ChargedPeriodInline(ReadOnlyInline):
    """What was charged so far, the latest first."""

    model = Transaction
    verbose_name_plural = "charged periods"
    fields = ("period", "shown_amount", "transaction_date", "state")
    readonly_fields = ("period", "shown_amount", "state")
    ordering = ("-period_start",)
    per_page = 12
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("invoice_line__invoice")

    @column("Period")
    def period(self, transaction: Transaction) -> str:
        return f"{transaction.period_start} until before {transaction.period_end}"

    @column("Amount")
    def shown_amount(self, transaction: Transaction) -> str:
        return exact_in(transaction.amount, transaction.currency_id)

    @column("State")
    def state(self, transaction: Transaction) -> str:
        line = transaction.invoice_line
        return "waiting" if line is None else f"on {line.invoice}"


@admin.register(RecurringCharge)
class RecurringChargeAdmin(Admin):
    """What subscriptions cost again and again. What was charged stays; another price is for periods to come."""

    list_display = ("description", "customer", "subscription", "price", "period", "start_date", "end_date")
    list_filter = ("timing", "months", ("customer", AutocompleteSelectFilter), ("product", AutocompleteSelectFilter))
    list_select_related = ("customer", "subscription")
    search_fields = (
        "description__istartswith",
        "subscription__number__startswith",
        "customer__account_number__startswith",
    )
    search_help_text = "Start of the description, of the subscription's number or of the customer's account number"
    autocomplete_fields = ("subscription", "service", "product")
    fieldsets = (
        (None, {"fields": (("subscription", "service"), ("description", "product"))}),
        ("Amount", {"fields": (("quantity", "unit_price"), ("tax_rate", "price"))}),
        ("Periods", {"fields": (("months", "timing"), ("alignment", "is_prorated"))}),
        ("Time", {"fields": (("start_date", "end_date"), "minimum_months")}),
    )
    readonly_fields = ("price",)
    inlines = (ChargedPeriodInline,)
    empty_hint = "Add what a subscription costs again and again: a line rental, a monthly fee. Runs charge it when due."

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:  # noqa: ARG002
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or not obj.transactions.exists())

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        is_charged = obj is not None and obj.transactions.exists()
        return (*self.readonly_fields, *PERIOD_TERMS) if is_charged else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        obj.customer_id = obj.subscription.customer_id
        obj.currency_id = obj.subscription.customer.currency_id
        super().save_model(request, obj, form, change)

    @column("Price")
    def price(self, charge: RecurringCharge) -> str:
        if charge.pk is None:
            return "Quantity x unit price for a whole period, in the customer's currency"
        return price_in_words(charge)

    @column("For")
    def period(self, charge: RecurringCharge) -> str:
        return period_in_words(charge)


class RecurringChargeInline(ReadOnlyInline):
    """What a subscription costs again and again; each is changed on its own page, where there is room for it."""

    model = RecurringCharge
    fields = ("shown_charge", "service", "price", "period", "start_date", "end_date")
    readonly_fields = ("shown_charge", "price", "period")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("service")

    @column("Description")
    def shown_charge(self, charge: RecurringCharge) -> SafeString:
        return link(change_url(charge), charge)

    @column("Price")
    def price(self, charge: RecurringCharge) -> str:
        return price_in_words(charge)

    @column("For")
    def period(self, charge: RecurringCharge) -> str:
        return period_in_words(charge)


admin.site.unregister(Subscription)


@admin.register(Subscription)
class SubscriptionAdmin(LookedAtAdmin):
    """The page of a subscription with what it costs again and again."""

    inlines = (*LookedAtAdmin.inlines, RecurringChargeInline)  # type: ignore[assignment]  # one more

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:  # noqa: ARG002
        return self.inlines if obj else LookedAtAdmin.inlines


def price_in_words(charge: RecurringCharge) -> str:
    """What a whole period costs: 2 x 9.9 EUR."""
    unit_price = exact_in(charge.unit_price, charge.currency_id)
    return unit_price if charge.quantity == 1 else f"{exact(charge.quantity)} x {unit_price}"


def period_in_words(charge: RecurringCharge) -> str:
    """How long a period is and when it falls due."""
    months = "a month" if charge.months == 1 else f"{charge.months} months"
    return f"{months}, {charge.get_timing_display().lower()}"
