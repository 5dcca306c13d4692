from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.admin.base import Admin, change_url, column, link
from catalog.admin.figures import exact
from catalog.models import Currency, TaxRate
from catalog.operations.refusals import CatalogRefused
from catalog.operations.tax_rates import replace_tax_rate


@admin.register(Currency)
class CurrencyAdmin(Admin):
    list_display = ("code", "name", "minor_units")
    search_fields = ("code__istartswith", "name__icontains")
    fields = ("code", "name", "minor_units")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("code", "minor_units") if obj else ()


@admin.register(TaxRate)
class TaxRateAdmin(Admin):
    """Tax rates. A new percent is a new tax rate that replaces the old one from a day on."""

    list_display = ("name", "shown_percent", "treatment", "predecessor", "start_date", "updated_at")
    list_filter = ("treatment",)
    list_select_related = ("predecessor",)
    search_fields = ("name__icontains",)
    autocomplete_fields = ("predecessor",)
    fieldsets = (
        (None, {"fields": (("name", "percent"), ("treatment", "note"))}),
        ("In place of another one", {"fields": (("predecessor", "start_date"), "shown_successor")}),
    )
    readonly_fields = ("shown_successor",)
    refused_by = (CatalogRefused,)
    empty_hint = "Add the tax rates that you charge. A customer without one is not billed: its account is held."

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        # What runs go by stays: another percent is another tax rate.
        return (
            (*self.readonly_fields, "percent", "treatment", "predecessor", "start_date")
            if obj
            else self.readonly_fields
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change or obj.predecessor is None:
            super().save_model(request, obj, form, change)
            return
        saved = replace_tax_rate(
            tax_rate_id=obj.predecessor_id,
            name=obj.name,
            percent=obj.percent,
            start_date=obj.start_date,
            treatment=obj.treatment,
            note=obj.note,
        )
        obj.pk = saved.pk
        obj.refresh_from_db()

    @column("Percent", ordering="percent")
    def shown_percent(self, tax_rate: TaxRate) -> str:
        return f"{exact(tax_rate.percent)} %"

    @column("Replaced by")
    def shown_successor(self, tax_rate: TaxRate) -> SafeString | str:
        successor = TaxRate.objects.filter(predecessor=tax_rate).first() if tax_rate.pk else None
        if successor is None:
            return "none"
        return link(change_url(successor), f"{successor} from {successor.start_date} on")
