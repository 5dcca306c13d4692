"""Coupons, the credits of customers with what is left of them, and what documents used."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import Admin, LargeTableAdmin, ReadOnlyInline, change_url, column, link, list_url
from catalog.admin.figures import EMPTY, exact, money
from catalog.operations.refusals import CatalogRefused
from invoicing.models import AccountCredit, Coupon, CreditUse
from invoicing.operations.credits import (
    CouponValues,
    CreditValues,
    create_coupon,
    grant_credit,
    redeem_coupon,
    update_coupon,
    update_credit,
)
from invoicing.queries import account_credits

OF_THE_COUPON = ("code", "description", "percent", "amount", "currency", "start_date", "end_date")
# What may change once a document has used a credit.
NOT_TERMS = {"description", "end_date", "position"}


def worth(credit: Coupon | AccountCredit) -> str:
    """10 %, or 50.00 EUR."""
    if credit.percent is not None:
        return f"{exact(credit.percent)} %"
    if credit.currency is None:
        return EMPTY
    return money(credit.amount, currency=credit.currency.code, minor_units=credit.currency.minor_units)


def changed(form: Any) -> dict[str, Any]:
    """The values of a form as operations take them: references by id."""
    return {
        f"{name}_id" if name == "currency" else name: value.pk if isinstance(value, Model) else value
        for name, value in form.cleaned_data.items()
        if name not in {"customer", "coupon"}
    }


def take_over(obj: Model, saved: Model) -> None:
    """Let the object of a form be the row that an operation has written."""
    obj.pk = saved.pk
    obj._state.adding = False  # noqa: SLF001  a documented attribute
    obj.refresh_from_db()


@admin.register(Coupon)
class CouponAdmin(Admin):
    """What customers that redeem a code get."""

    list_display = ("code", "description", "shown_worth", "start_date", "end_date", "redeemed")
    list_select_related = ("currency",)
    search_fields = ("code__istartswith", "description__istartswith")
    search_help_text = "Start of the code or of the description"
    fieldsets = (
        (None, {"fields": (("code", "description"),)}),
        ("Worth: a percent, or an amount in a currency", {"fields": ("percent", ("amount", "currency"))}),
        ("Counts on periods that end", {"fields": (("start_date", "end_date"), "redeemed")}),
    )
    readonly_fields = ("redeemed",)
    refused_by = (CatalogRefused,)
    empty_hint = "Add a code that customers redeem for a percent or an amount off their net."

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:  # noqa: ARG002
        values: CouponValues = changed(form)  # type: ignore[assignment]  # the form has these fields
        saved = update_coupon(coupon_id=obj.pk, changes=values) if change else create_coupon(values=values)
        take_over(obj, saved)

    @column("Worth")
    def shown_worth(self, coupon: Coupon) -> str:
        return worth(coupon)

    @column("Redeemed by")
    def redeemed(self, coupon: Coupon) -> SafeString | str:
        if coupon.pk is None:
            return EMPTY
        return link(list_url("invoicing_accountcredit", coupon__id__exact=coupon.pk), "customers")


class CreditForm(forms.ModelForm):  # type: ignore[type-arg]  # the class takes no parameters when it runs
    """A credit that is granted, or that a customer gets for a coupon: then the coupon says the rest."""

    class Meta:
        model = AccountCredit
        fields = "__all__"  # noqa: DJ007  the admin names the fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            for name in (*OF_THE_COUPON, "position"):
                self.fields[name].required = False
            self.fields["position"].initial = None
            self.fields["coupon"].help_text = "Redeemed for the customer: the coupon says the rest."
            self.fields["currency"].help_text = "Empty: the customer's."
            self.fields["position"].help_text = "Amounts are used up in this order. Empty: the last."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        coupon, customer = cleaned.get("coupon"), cleaned.get("customer")
        if self.instance.pk is not None:
            return cleaned
        if coupon is not None:
            return cleaned | {name: getattr(coupon, name) for name in OF_THE_COUPON} | {"position": 1}
        for name in ("code", "description", "start_date"):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, "Say this, or choose a coupon.")
        if cleaned.get("amount") is not None and cleaned.get("currency") is None and customer is not None:
            cleaned["currency"] = customer.currency
        return cleaned


class CreditUseInline(ReadOnlyInline):
    """What documents used of it, the latest first."""

    model = CreditUse
    verbose_name_plural = "uses"
    fields = ("document", "shown_amount")
    readonly_fields = fields
    ordering = ("-pk",)
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("line__invoice__currency")

    @column("Document")
    def document(self, use: CreditUse) -> SafeString:
        return document_of(use)

    @column("Amount")
    def shown_amount(self, use: CreditUse) -> str:
        return amount_of(use)


@admin.register(AccountCredit)
class AccountCreditAdmin(Admin):
    """What customers get off their net. Once a document has used a credit it can only be ended."""

    form = CreditForm
    list_display = ("code", "description", "customer", "shown_worth", "shown_left", "start_date", "end_date")
    list_filter = (("customer", AutocompleteSelectFilter), ("coupon", AutocompleteSelectFilter))
    search_fields = ("code__istartswith", "customer__account_number__startswith")
    search_help_text = "Start of the code or of the customer's account number"
    autocomplete_fields = ("customer", "coupon")
    fieldsets = (
        (None, {"fields": (("customer", "coupon"), ("code", "description"))}),
        ("Worth: a percent, or an amount in the customer's currency", {"fields": ("percent", ("amount", "currency"))}),
        ("Counts on periods that end", {"fields": (("start_date", "end_date"), ("position", "shown_left"))}),
    )
    readonly_fields = ("shown_left",)
    inlines = (CreditUseInline,)
    refused_by = (CatalogRefused,)
    empty_hint = "Grant a customer a credit, or redeem a coupon for it: its next invoices are less by it."

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountCredit]:  # noqa: ARG002
        return account_credits().order_by("-pk")

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:  # noqa: ARG002
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        if obj is None:
            return self.readonly_fields
        used = tuple(name for name in OF_THE_COUPON if name not in NOT_TERMS) if obj.uses.exists() else ()
        return (*self.readonly_fields, "customer", "coupon", *used)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or not obj.uses.exists())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:  # noqa: ARG002
        values: CreditValues = changed(form)  # type: ignore[assignment]  # the form has these fields
        if change:
            saved = update_credit(credit_id=obj.pk, changes=values)
        elif obj.coupon is not None:
            today = timezone.now().date()
            saved = redeem_coupon(customer_id=obj.customer_id, code=obj.coupon.code, on=today)
        else:
            if values.get("position") is None:
                values.pop("position", None)
            saved = grant_credit(customer_id=obj.customer_id, values=values)
        take_over(obj, saved)

    @column("Worth")
    def shown_worth(self, credit: AccountCredit) -> str:
        return worth(credit)

    @column("Left")
    def shown_left(self, credit: Any) -> str:
        if credit.pk is None or credit.currency is None:
            return EMPTY
        return money(credit.amount_left, currency=credit.currency.code, minor_units=credit.currency.minor_units)


@admin.register(CreditUse)
class CreditUseAdmin(LargeTableAdmin):
    """What documents used of credits. They are parts of their documents."""

    list_display = ("credit", "customer", "document", "shown_amount")
    list_select_related = ("credit__customer", "line__invoice__currency")
    fields = (("credit", "customer"), ("document", "shown_amount"))
    readonly_fields = ("customer", "document", "shown_amount")
    empty_hint = "A billing run writes them: what it takes off invoices for coupons and account credits."

    @column("Customer")
    def customer(self, use: CreditUse) -> SafeString:
        return link(change_url(use.credit.customer), use.credit.customer)

    @column("Document")
    def document(self, use: CreditUse) -> SafeString:
        return document_of(use)

    @column("Amount")
    def shown_amount(self, use: CreditUse) -> str:
        return amount_of(use)


def document_of(use: CreditUse) -> SafeString:
    """The document and the line that used it."""
    return link(change_url(use.line.invoice), f"{use.line.invoice}, line {use.line.line_number}")


def amount_of(use: CreditUse) -> str:
    """In the document's currency."""
    currency = use.line.invoice.currency
    return money(use.amount, currency=currency.code, minor_units=currency.minor_units)
