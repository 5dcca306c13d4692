from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelect2Widget

from catalog.adapters.holidays import countries
from catalog.admin.base import Admin, column, list_url
from catalog.admin.filters import DayRangeFilter
from catalog.models import PublicHoliday
from catalog.operations.holidays import add_public_holidays, delete_public_holiday
from catalog.operations.refusals import CatalogRefused


def named_country(code: str) -> str:
    """A country as people know it, with its code."""
    return f"{countries()[code]} ({code})" if code in countries() else code


class CountryFilter(DropdownFilter):  # type: ignore[misc]  # unfold has no type hints
    """Of one country, of those that have any."""

    title = "country"
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        codes = PublicHoliday.objects.order_by("country").values_list("country", flat=True).distinct()
        return [(code, named_country(code)) for code in codes]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        return queryset.filter(country=self.value()) if self.value() else queryset


class HolidayForm(forms.ModelForm):  # type: ignore[type-arg]  # as the admin's own forms
    """One holiday of a country to choose."""

    country = forms.ChoiceField(
        choices=lambda: [("", ""), *((code, f"{name} ({code})") for code, name in countries().items())],
        widget=UnfoldAdminSelect2Widget,
    )


class YearsForm(forms.Form):
    """Whose holidays to add, and of which years."""

    country = HolidayForm.base_fields["country"]
    first_year = forms.IntegerField(label="From year", widget=UnfoldAdminIntegerFieldWidget)
    last_year = forms.IntegerField(label="To year", widget=UnfoldAdminIntegerFieldWidget)


@admin.register(PublicHoliday)
class PublicHolidayAdmin(Admin):
    """Days on which hours for public holidays hold, and no others, on rate cards that go by their country."""

    form = HolidayForm
    list_display = ("day", "weekday", "name", "shown_country")
    list_filter = (CountryFilter, ("day", DayRangeFilter))
    search_fields = ("name__icontains",)
    ordering = ("-day", "country")
    fields = ("country", "day", "name")
    refused_by = (CatalogRefused,)
    change_list_template = "admin/catalog/publicholiday/change_list.html"
    empty_hint = "Add the public holidays of the countries that your rate cards go by, many years at once."

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("country", "day") if obj else ()

    def delete_model(self, request: HttpRequest, obj: PublicHoliday) -> None:  # noqa: ARG002
        delete_public_holiday(holiday_id=obj.pk, on=timezone.localdate())

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.add_country_view)
        return [path("add-country/", view, name="catalog_publicholiday_add_country"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "may_add": self.has_add_permission(request)})

    def add_country_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a country and years, and add what public holidays it has then."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        year = timezone.localdate().year
        form = YearsForm(request.POST or None, initial={"first_year": year, "last_year": year + 1})
        if form.is_valid():
            country, years = form.cleaned_data["country"], asked_years(form)
            try:
                added = add_public_holidays(country=country, years=years)
            except CatalogRefused as refused:
                form.add_error(None, str(refused))
            else:
                there = f" {added.known_count} were there already." if added.known_count else ""
                messages.success(request, f"{added.added_count} public holidays are added.{there}")
                return HttpResponseRedirect(list_url("catalog_publicholiday", country=country))
        context = {
            **self.admin_site.each_context(request),
            "title": "Add public holidays of a country",
            "form": form,
            "back": list_url("catalog_publicholiday"),
        }
        return render(request, "admin/catalog/publicholiday/add_country.html", context)

    @column("Country", ordering="country")
    def shown_country(self, holiday: PublicHoliday) -> str:
        return named_country(holiday.country)

    @column("Day of the week")
    def weekday(self, holiday: PublicHoliday) -> str:
        day: date = holiday.day
        return f"{day:%A}"


def asked_years(form: forms.Form) -> range:
    """The years from the first to the last."""
    return range(form.cleaned_data["first_year"], form.cleaned_data["last_year"] + 1)
