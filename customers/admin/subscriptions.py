from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.forms import PaginationInlineFormSet

from catalog.admin.base import Admin, TableInline
from customers.models import Subscription, SubscriptionAction, SubscriptionService


class ServiceFormSet(PaginationInlineFormSet):  # type: ignore[misc]  # unfold has no type hints
    """A service has the customer of its subscription."""

    def save_new(self, form: Any, commit: bool = True) -> Any:  # noqa: FBT001, FBT002
        form.instance.customer_id = self.instance.customer_id
        return super().save_new(form, commit)


class ServiceInline(TableInline):
    model = SubscriptionService
    formset = ServiceFormSet
    fields = ("identifier", "product", "site", "campaign", "life_cycle_state", "start_date", "end_date")
    autocomplete_fields = ("product", "site", "campaign")
    can_delete = False
    show_change_link = True


class ActionInline(TableInline):
    model = SubscriptionAction
    fields = ("number", "kind", "life_cycle_state", "executed_on", "note")
    can_delete = False


@admin.register(Subscription)
class SubscriptionAdmin(Admin):
    list_display = ("number", "customer", "life_cycle_state", "start_date", "end_date")
    list_filter = ("life_cycle_state", ("customer", AutocompleteSelectFilter))
    list_select_related = ("customer",)
    search_fields = ("number__startswith", "customer__account_number__startswith")
    search_help_text = "Start of the subscription's number or of the customer's account number"
    autocomplete_fields = ("customer",)
    fields = ("customer", ("number", "life_cycle_state"), ("start_date", "end_date"))
    inlines = (ServiceInline, ActionInline)
    deletable = False
    empty_hint = "Add what a customer has agreed to have, with the identifiers that its usage arrives with."

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("customer",) if obj else ()


@admin.register(SubscriptionService)
class SubscriptionServiceAdmin(Admin):
    list_display = ("identifier", "customer", "subscription", "product", "life_cycle_state", "start_date", "end_date")
    list_filter = ("life_cycle_state", ("customer", AutocompleteSelectFilter))
    list_select_related = ("customer", "subscription", "product")
    search_fields = ("identifier__startswith",)
    search_help_text = "Start of the identifier"
    autocomplete_fields = ("subscription", "product", "site", "campaign")
    fields = (
        "subscription",
        ("identifier", "product"),
        ("site", "campaign"),
        "life_cycle_state",
        ("start_date", "end_date"),
    )
    deletable = False
    empty_hint = "A service carries the identifier that usage arrives with: a telephone number, a resource id."

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("subscription",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        obj.customer_id = obj.subscription.customer_id
        super().save_model(request, obj, form, change)


@admin.register(SubscriptionAction)
class SubscriptionActionAdmin(Admin):
    list_display = ("number", "subscription", "kind", "life_cycle_state", "executed_on")
    list_filter = ("kind", "life_cycle_state")
    list_select_related = ("subscription",)
    search_fields = ("number__startswith", "subscription__number__startswith")
    autocomplete_fields = ("subscription",)
    fields = ("subscription", ("number", "kind"), ("life_cycle_state", "executed_on"), "note")
    deletable = False
    empty_hint = "What was done to subscriptions. Usage may name the action that it belongs to."
