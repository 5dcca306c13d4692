from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelect2Widget

from catalog.adapters.holidays import countries
from catalog.admin.base import Admin, column, link, list_url
from catalog.admin.card_links import links_of
from catalog.choices import time_zones
from catalog.models import PublicHoliday, RateCard
from catalog.operations.rate_cards import update_rate_card
from catalog.operations.refusals import CatalogRefused

BAND_RULES = ("timezone", "holiday_country", "band_rule")
FROZEN = "This card has prices by time band, which rest on these three: they stay. Other rules need another card."
OPEN = "They can be changed until the card has its first price for a time band."


class RateCardForm(forms.ModelForm):  # type: ignore[type-arg]  # as the admin's own forms
    """A rate card, with zones and countries to choose from."""

    timezone = forms.ChoiceField(
        label="Time zone",
        required=False,
        choices=lambda: [("", "The customer's"), *((zone, zone) for zone in time_zones())],
        widget=UnfoldAdminSelect2Widget,
        help_text="Where the clock hangs that says in which time band a use starts.",
    )
    holiday_country = forms.ChoiceField(
        label="Public holidays of",
        required=False,
        choices=lambda: [("", "No country: none count"), *((code, f"{name} ({code})") for code, name in known())],
        widget=UnfoldAdminSelect2Widget,
        help_text="On these days only hours for public holidays hold. The days are listed under Public holidays.",
    )

    class Meta:
        labels = {"band_rule": "Time band of a use", "is_default": "Default of its currency"}
        help_texts = {"band_rule": "Which band prices a use that lasts from one into another."}


def known() -> list[tuple[str, str]]:
    """Code and name of each country."""
    return list(countries().items())


@admin.register(RateCard)
class RateCardAdmin(Admin):
    form = RateCardForm
    list_display = ("name", "currency", "is_default", "zone", "band_rule", "rates")
    list_filter = ("currency", "is_default")
    list_select_related = ("currency",)
    search_fields = ("name__icontains",)
    refused_by = (CatalogRefused,)
    change_form_template = "admin/catalog/ratecard/change_form.html"
    empty_hint = "Add a price list. One that is the default of its currency prices every customer of that currency."

    def get_fieldsets(self, request: HttpRequest, obj: RateCard | None = None) -> Any:  # noqa: ARG002
        is_frozen = has_band_prices(obj)
        return (
            (None, {"fields": (("name", "currency"), "is_default", "description")}),
            ("Time bands", {"fields": (BAND_RULES[:2], BAND_RULES[2]), "description": FROZEN if is_frozen else OPEN}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: RateCard | None = None) -> tuple[str, ...]:  # noqa: ARG002
        if obj is None:
            return ()
        return ("currency", *BAND_RULES) if has_band_prices(obj) else ("currency",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            changes: Any = {name: form.cleaned_data[name] for name in form.changed_data}
            update_rate_card(rate_card_id=obj.pk, changes=changes)
        else:
            super().save_model(request, obj, form, change)
        country = obj.holiday_country
        if "holiday_country" in form.changed_data and country and not has_holidays(country):
            add = link(reverse("admin:catalog_publicholiday_add_country"), "Add them")
            messages.warning(request, format_html("No public holidays of {} are listed yet. {}", country, add))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        card = kwargs.get("obj")
        context["card_links"] = links_of(card, request) if card is not None else []
        return super().render_change_form(request, context, *args, **kwargs)

    @column("Rates")
    def rates(self, card: RateCard) -> SafeString:
        return link(list_url("catalog_rate", rate_card__id__exact=card.pk), "Show rates")

    @column("Time zone")
    def zone(self, card: RateCard) -> str:
        return card.timezone or "the customer's"


def has_holidays(country: str) -> bool:
    """Whether any public holiday of a country is listed."""
    return PublicHoliday.objects.filter(country=country).exists()


def has_band_prices(card: Model | None) -> bool:
    """Whether the card has prices that rest on its rules for time bands."""
    return isinstance(card, RateCard) and card.rates.filter(time_band__isnull=False).exists()
