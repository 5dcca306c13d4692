from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import F, Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import LargeListAdmin, TableInline, column, link
from catalog.admin.price_words import price_in_words, terms_in_words
from catalog.admin.rate_forms import RateForm, RateTierForm, tiers_of
from catalog.admin.rate_version_page import RateVersionAdmin
from catalog.models import Rate, RateTier
from catalog.operations.rates import TERMS, RateConflict, RateRefused, add_rate, end_rate
from catalog.queries.keyset import KeyOrder
from catalog.queries.rate_lists import (
    BY_PREFIX,
    LAST_TO_END,
    LAST_TO_START,
    NEWEST_FIRST,
    digits_in,
    in_force,
    matching,
)

HOLDING = {"now": "In force", "later": "Later", "ended": "Ended"}
WITHDRAWN = "Withdrawn"
LABELS = {"In force": "success", "Later": "info"}
ORDERS = {"later": LAST_TO_START, "ended": LAST_TO_END}
CARD_PARAMETER = "rate_card__id__exact"


def holding(rate: Rate, *, on: date) -> str:
    """Where a version stands in time on a day; one that was withdrawn holds on none."""
    if rate.end_date == rate.start_date:
        return WITHDRAWN
    if rate.start_date > on:
        return HOLDING["later"]
    return HOLDING["now"] if rate.end_date is None or rate.end_date > on else HOLDING["ended"]


class HoldingFilter(admin.SimpleListFilter):
    title = "time"
    parameter_name = "holding"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return list(HOLDING.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rate]) -> QuerySet[Rate]:  # noqa: ARG002
        today = timezone.localdate()
        return {
            "now": in_force(queryset, on=today),
            "later": queryset.filter(start_date__gt=today).exclude(end_date=F("start_date")),
            "ended": queryset.filter(end_date__lte=today),
        }.get(self.value() or "", queryset)


class TierInline(TableInline):
    """Tiers are written with their rate: they are asked for when it is added, and never again."""

    model = RateTier
    form = RateTierForm
    fields = ("from_quantity", "unit_price")
    verbose_name_plural = "Tiers, for graduated and volume prices: the price of the quantity above so many units"


@admin.register(Rate)
class RateAdmin(RateVersionAdmin, LargeListAdmin):
    """Prices. A saved one only ever gets its end; another price is another version."""

    form = RateForm
    list_display = (*("code", "destination", "where", "band", "price", "starts", "ends", "holds", "card"),)
    # Each is served by an index (catalog.models.rates.list_indexes).
    list_filter = (
        HoldingFilter,
        ("rate_card", AutocompleteSelectFilter),
        ("product", AutocompleteSelectFilter),
        ("time_band", AutocompleteSelectFilter),
    )
    list_select_related = ("rate_card", "product", "time_band")
    search_fields = ("destination_prefix",)
    search_help_text = "First digits of a prefix, a whole product code, or the start of a region or a destination"
    autocomplete_fields = ("rate_card", "product", "time_band")
    inlines = (TierInline,)
    deletable = False
    refused_by = (RateRefused,)
    change_form_template = "admin/catalog/rate/change_form.html"
    empty_hint = "Add a price of a product: everywhere, in one region or for destinations with a prefix."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rate]:
        return super().get_queryset(request).prefetch_related("tiers")  # type: ignore[no-any-return]

    def list_order(self, parameters: dict[str, str]) -> KeyOrder:
        if parameters.get(CARD_PARAMETER) or digits_in(parameters.get("q", "")):
            return BY_PREFIX
        return ORDERS.get(parameters.get("holding", ""), NEWEST_FIRST)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Rate], search_term: str) -> Any:  # noqa: ARG002
        term = search_term.strip()
        return (queryset.filter(matching(term)) if term else queryset), False

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:  # noqa: ARG002
        if obj is not None:
            return (
                ("What it is for", {"fields": (("rate_card", "product"), ("destination", "where"), "band")}),
                ("Price", {"fields": ("terms",)}),
                ("When it holds", {"fields": (("start_date", "end_date"),)}),
            )
        return ADD_FIELDSETS

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        if obj is None:
            return ()
        return ("rate_card", "product", "destination", "where", "band", "terms", "start_date")

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:  # noqa: ARG002
        return () if obj else self.inlines

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:  # noqa: ARG002
        # A new rate is written with its tiers, in save_related.
        if change:
            end_rate(rate_id=obj.pk, end_date=obj.end_date)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:  # noqa: ARG002
        if change:
            return
        values = form.cleaned_data
        tiers = [tier for rows in formsets for tier in tiers_of(rows)]
        terms: Any = {name: values[name] for name in TERMS} | {"tiers": tiers}
        rate = add_rate(
            rate_card_id=values["rate_card"].pk,
            product_id=values["product"].pk,
            time_band_id=values["time_band"].pk if values["time_band"] else None,
            **{name: values[name] for name in ("region", "destination_prefix", "start_date", "end_date")},
            terms=terms,
        )
        form.instance.pk = rate.pk
        for rows in formsets:
            # What Django's own saving leaves behind, and the log of the admin reads.
            rows.new_objects, rows.changed_objects, rows.deleted_objects = [], [], []

    def refusal_of(self, error: Exception) -> str:
        if isinstance(error, RateConflict) and error.rate_id is not None:
            address = reverse("admin:catalog_rate_change", args=[error.rate_id])
            return format_html("{} {}", str(error), link(address, "See that rate"))
        return super().refusal_of(error)

    @column("Product")
    def code(self, rate: Rate) -> str:
        return rate.product.code

    @column("Card")
    def card(self, rate: Rate) -> str:
        return rate.rate_card.name

    @column("From")
    def starts(self, rate: Rate) -> date:
        return rate.start_date

    @column("Until")
    def ends(self, rate: Rate) -> date | None:
        return rate.end_date

    @column("Destination")
    def destination(self, rate: Rate) -> str:
        return f"{rate.destination_prefix} {rate.destination_name}".strip() or "all"

    @column("Region")
    def where(self, rate: Rate) -> str:
        return rate.region or "every region"

    @column("Time band")
    def band(self, rate: Rate) -> str:
        return rate.time_band.name if rate.time_band else "any time"

    @column("Price")
    def price(self, rate: Rate) -> str:
        return price_in_words(rate, currency=rate.rate_card.currency_id, tiers=rate.tiers.all())

    @column("Price")
    def terms(self, rate: Rate) -> SafeString:
        rows = terms_in_words(rate, currency=rate.rate_card.currency_id, tiers=rate.tiers.all())
        return format_html(
            '<dl class="tb-facts tb-terms">{}</dl>',
            format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", rows),
        )

    @column("Today", label=LABELS)
    def holds(self, rate: Rate) -> str:
        return holding(rate, on=timezone.localdate())


ADD_FIELDSETS = (
    (
        "What it is for",
        {
            "fields": (
                ("rate_card", "product"),
                ("destination_prefix", "destination_name"),
                ("region", "time_band"),
            ),
            "description": (
                "Of the rates that match a use the most specific one counts: the exact region first, then the longest "
                "prefix, then a time band."
            ),
        },
    ),
    (
        "Price",
        {
            "fields": (("unit_price", "unit_size"), ("pricing_model", "connection_fee")),
            "description": "0.12 for 60 units is a price of 0.12 a minute where usage is in seconds.",
        },
    ),
    (
        "Billed quantity",
        {
            "fields": (("first_increment", "increment"), "minimum_quantity"),
            "description": "60/60 is billed by whole minutes, 30/6 half a minute at least and then by 6 seconds.",
        },
    ),
    (
        "Free quantity",
        {
            "fields": (("included_quantity", "counted_per"),),
            "description": "What is free in a month, and whose usage counts together: for it, for tiers and packages.",
        },
    ),
    (
        "Limits and rounding",
        {
            "fields": (("minimum_charge", "maximum_charge"), ("rounding_digits", "rounding_mode")),
            "description": "Limits go with a price per unit only. Documents are rounded in any case.",
        },
    ),
    ("When it holds", {"fields": (("start_date", "end_date"),)}),
)
