from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import Admin, ReadOnlyInline, TableInline, column
from catalog.admin.figures import money
from customers.choices import MinimumRule
from customers.models import (
    AccountsReceivable,
    Campaign,
    Customer,
    CustomerGroup,
    CustomerRateCard,
    GroupRateCard,
    Site,
    Subscription,
)

STATUS_LABELS = {"Active": "success", "Suspended": "warning", "Closed": "danger"}


class AccountsReceivableInline(TableInline):
    model = AccountsReceivable
    can_delete = False
    verbose_name_plural = "Accounts receivable"
    fields = ("number", "name", "life_cycle_state")


class CustomerRateCardInline(TableInline):
    model = CustomerRateCard
    verbose_name = "rate card"
    verbose_name_plural = "Rate cards, tried in the order of their position before the default card of the currency"
    autocomplete_fields = ("rate_card",)
    fields = ("position", "rate_card")


class SubscriptionInline(ReadOnlyInline):
    model = Subscription
    fields = ("number", "life_cycle_state", "start_date", "end_date")
    readonly_fields = fields


class SiteInline(TableInline):
    model = Site
    fields = ("name",)


class CampaignInline(TableInline):
    model = Campaign
    fields = ("name",)


@admin.register(Customer)
class CustomerAdmin(Admin):
    list_display = ("account_number", "name", "shown_status", "currency", "tax_rate", "timezone", "created_at")
    list_display_links = ("account_number", "name")
    list_filter = ("status", "currency", "tax_rate", ("groups", AutocompleteSelectFilter))
    list_select_related = ("currency", "tax_rate")
    search_fields = ("account_number__startswith", "name__istartswith")
    search_help_text = "Start of the account number or of the name"
    autocomplete_fields = ("groups",)
    readonly_fields = ("minimum_now", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("account_number", "name"), ("status", "groups"))}),
        (
            "Billing",
            {
                "fields": (
                    ("currency", "tax_rate"),
                    ("timezone", "payment_terms_days"),
                    ("minimum_invoice_amount", "minimum_rule"),
                    ("low_usage_fee", "minimum_now"),
                    "wants_zero_invoices",
                )
            },
        ),
        ("Contact", {"fields": ("emails", "address", ("vat_number", "language"))}),
        ("Record", {"fields": (("created_at", "updated_at"),), "classes": ("collapse",)}),
    )
    inlines = (AccountsReceivableInline, CustomerRateCardInline, SubscriptionInline, SiteInline, CampaignInline)
    change_form_outer_before_template = "admin/customers/customer/links.html"
    deletable = False
    empty_hint = "Add the customers that you bill, or import them through the API."

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:  # noqa: ARG002
        return self.inlines if obj else (AccountsReceivableInline, CustomerRateCardInline)

    @column("Status", ordering="status", label=STATUS_LABELS)
    def shown_status(self, customer: Customer) -> str:
        return customer.get_status_display()

    @column("Applies now")
    def minimum_now(self, customer: Customer) -> str:
        if customer.pk is None:
            return "One minor unit of the currency"
        currency, least = customer.currency, customer.minimum_invoice_amount
        if least is None:
            least = Decimal(1).scaleb(-currency.minor_units)
        shown = money(least, currency=currency.code, minor_units=currency.minor_units)
        if customer.minimum_rule == MinimumRule.PAD:
            return f"Less than {shown} is filled up to it"
        if customer.minimum_rule == MinimumRule.FEE:
            fee = money(customer.low_usage_fee, currency=currency.code, minor_units=currency.minor_units)
            return f"Less than {shown} costs {fee} more"
        return f"Less than {shown} waits"


class GroupRateCardInline(TableInline):
    model = GroupRateCard
    verbose_name = "rate card"
    verbose_name_plural = "Rate cards of the group, tried after a customer's own"
    autocomplete_fields = ("rate_card",)
    fields = ("position", "rate_card")


@admin.register(CustomerGroup)
class CustomerGroupAdmin(Admin):
    list_display = ("name", "created_at")
    search_fields = ("name__istartswith",)
    fields = ("name",)
    inlines = (GroupRateCardInline,)
    empty_hint = "Groups are for customers that share price lists or usage reports."


class PartOfCustomerAdmin(Admin):
    """A site or a campaign: a name within a customer. It stays with its customer."""

    list_display = ("name", "customer", "created_at")
    list_select_related = ("customer",)
    list_filter = (("customer", AutocompleteSelectFilter),)
    search_fields = ("name__istartswith", "customer__account_number__startswith")
    autocomplete_fields = ("customer",)
    fields = ("customer", "name")
    empty_hint = "Usage reports can be broken down by it."

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("customer",) if obj else ()


@admin.register(Site)
class SiteAdmin(PartOfCustomerAdmin):
    """Places of customers."""


@admin.register(Campaign)
class CampaignAdmin(PartOfCustomerAdmin):
    """Purposes of customers."""


@admin.register(AccountsReceivable)
class AccountsReceivableAdmin(Admin):
    list_display = ("number", "name", "customer", "life_cycle_state")
    list_filter = ("life_cycle_state",)
    list_select_related = ("customer",)
    search_fields = ("number__startswith", "customer__account_number__startswith")
    autocomplete_fields = ("customer",)
    fields = ("customer", "number", "name", "life_cycle_state")
    deletable = False
    empty_hint = "A customer has one account that its invoices are posted to. Add it on the customer's page."

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("customer",) if obj else ()
