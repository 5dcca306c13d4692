from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from catalog.admin.base import Admin, column
from catalog.admin.figures import exact
from catalog.models import Currency, TaxRate


@admin.register(Currency)
class CurrencyAdmin(Admin):
    list_display = ("code", "name", "minor_units")
    search_fields = ("code__istartswith", "name__icontains")
    fields = ("code", "name", "minor_units")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("code",) if obj else ()


@admin.register(TaxRate)
class TaxRateAdmin(Admin):
    list_display = ("name", "shown_percent", "updated_at")
    search_fields = ("name__icontains",)
    fields = ("name", "percent")
    empty_hint = "Add the tax rates that you charge. A customer without one is not billed: its account is held."

    @column("Percent", ordering="percent")
    def shown_percent(self, tax_rate: TaxRate) -> str:
        return f"{exact(tax_rate.percent)} %"
