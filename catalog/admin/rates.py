from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSingleDateWidget

from catalog.admin.base import Admin, change_url, column, link, list_url
from catalog.admin.figures import exact
from catalog.models import Rate, RateCard
from catalog.operations.rates import RateRefused, add_rate_version, end_rate

HOLDING = {"now": "In force", "later": "Later", "ended": "Ended"}
LABELS = {"In force": "success", "Later": "info"}


def holding(rate: Rate, *, on: date) -> str:
    """Where a version stands in time on a day."""
    if rate.start_date > on:
        return HOLDING["later"]
    return HOLDING["now"] if rate.end_date is None or rate.end_date > on else HOLDING["ended"]


@admin.register(RateCard)
class RateCardAdmin(Admin):
    list_display = ("name", "currency", "is_default", "rates")
    list_filter = ("currency", "is_default")
    list_select_related = ("currency",)
    search_fields = ("name__icontains",)
    fields = ("name", "currency", "is_default", "description", "rates")
    empty_hint = "Add a price list. One that is the default of its currency prices every customer of that currency."

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("rates", "currency") if obj else ("rates",)

    @column("Rates")
    def rates(self, card: RateCard) -> SafeString | str:
        if card.pk is None:
            return "Save the rate card first, then add its rates."
        return format_html(
            "{} · {}",
            link(list_url("catalog_rate", rate_card__id__exact=card.pk), "Show rates"),
            link(f"{reverse('admin:catalog_rate_add')}?rate_card={card.pk}", "Add a rate"),
        )


class HoldingFilter(admin.SimpleListFilter):
    title = "time"
    parameter_name = "holding"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return list(HOLDING.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rate]) -> QuerySet[Rate]:  # noqa: ARG002
        today = timezone.localdate()
        return {
            "now": queryset.filter(Q(end_date__isnull=True) | Q(end_date__gt=today), start_date__lte=today),
            "later": queryset.filter(start_date__gt=today),
            "ended": queryset.filter(end_date__lte=today),
        }.get(self.value() or "", queryset)


class NewVersionForm(forms.Form):
    """From when on a rate has which price."""

    start_date = forms.DateField(label="From", widget=UnfoldAdminSingleDateWidget)
    unit_price = forms.DecimalField(
        label="Price", max_digits=38, decimal_places=18, widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"})
    )


@admin.register(Rate)
class RateAdmin(Admin):
    """Prices. A saved one only ever gets its end; another price is another version."""

    list_display = ("product", "where", "price", "start_date", "end_date", "holds", "rate_card")
    list_filter = (
        HoldingFilter,
        ("rate_card", AutocompleteSelectFilter),
        ("product", AutocompleteSelectFilter),
    )
    list_select_related = ("rate_card", "product")
    search_fields = ("product__code__istartswith", "region__istartswith")
    search_help_text = "Product code or region"
    sortable_by = ()
    autocomplete_fields = ("rate_card", "product")
    deletable = False
    refused_by = (RateRefused,)
    change_form_template = "admin/catalog/rate/change_form.html"
    empty_hint = "Add a price of a product, everywhere or in one region, from a date on."

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:  # noqa: ARG002
        return (
            (None, {"fields": ("rate_card", ("product", "region"))}),
            ("Price", {"fields": (("unit_price", "unit_size"), ("rounding_digits", "rounding_mode"))}),
            ("Time", {"fields": (("start_date", "end_date"),)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        if obj is None:
            return ()
        return (
            *("rate_card", "product", "region", "unit_price", "unit_size"),
            *("rounding_digits", "rounding_mode", "start_date"),
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            end_rate(rate_id=obj.pk, end_date=obj.end_date)
        else:
            super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.new_version_view)
        return [path("<int:rate_id>/new-version/", view, name="catalog_rate_new_version"), *super().get_urls()]

    def new_version_view(self, request: HttpRequest, rate_id: int) -> HttpResponse:
        """Ask for a date and a price; end this version then and add one with the new price."""
        rate = get_object_or_404(Rate.objects.select_related("rate_card", "product"), id=rate_id)
        if not self.has_change_permission(request, rate):
            return HttpResponseRedirect(change_url(rate))
        form = NewVersionForm(request.POST or None)
        if form.is_valid():
            try:
                added = add_rate_version(rate_id=rate_id, **form.cleaned_data)
            except RateRefused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"From {added.start_date} on the price is {exact(added.unit_price)}.")
                return HttpResponseRedirect(change_url(added))
        context = {
            **self.admin_site.each_context(request),
            "title": "New version of a rate",
            "rate": rate,
            "form": form,
            "back": change_url(rate),
        }
        return render(request, "admin/catalog/rate/new_version.html", context)

    @column("Region", ordering="region")
    def where(self, rate: Rate) -> str:
        return rate.region or "every region"

    @column("Price", ordering="unit_price")
    def price(self, rate: Rate) -> str:
        per = "" if rate.unit_size == 1 else f" per {exact(rate.unit_size)}"
        return f"{exact(rate.unit_price)} {rate.rate_card.currency_id}{per}"

    @column("Today", label=LABELS)
    def holds(self, rate: Rate) -> str:
        return holding(rate, on=timezone.localdate())
