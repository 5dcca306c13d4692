"""Rate decks: price lists that were uploaded, and percent increases."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import column
from catalog.admin.card_links import CARD_LINKS, CardLink
from catalog.admin.rate_deck_page import STATE_LABELS, deck_page
from catalog.admin.rate_deck_views import RateDeckViews
from catalog.choices import DeckMode
from catalog.models import RateCard, RateDeck

CARD_LINKS.extend(
    [
        CardLink("Import a price list", lambda card: _of_card("import", card), "catalog.add_ratedeck"),
        CardLink("Percent increase", lambda card: _of_card("increase", card), "catalog.add_ratedeck"),
        CardLink("Export as CSV", lambda card: _of_card("export", card), "catalog.view_rate"),
    ]
)


OTHERS = {DeckMode.CHANGES: "stay", DeckMode.FULL: "end"}


def _of_card(name: str, card: RateCard) -> str:
    return reverse(f"admin:catalog_ratedeck_{name}", args=[card.pk])


@admin.register(RateDeck)
class RateDeckAdmin(RateDeckViews):
    list_display = ("name", "rate_card", "starts_on", "shown_state", "others", "made", "created_by")
    list_filter = ("state", ("rate_card", AutocompleteSelectFilter))
    list_select_related = ("rate_card", "created_by")
    search_fields = ("name__istartswith",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "rate_card"),
                    ("starts_on", "not_named"),
                    ("made", "created_by"),
                    ("activated_at", "activated_by"),
                )
            },
        ),
    )
    change_form_template = "admin/catalog/ratedeck/change_form.html"
    empty_hint = "Import a price list on the page of a rate card: it is shown here before it holds."

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if deck := kwargs.get("obj"):
            context.update(deck_page(request, deck))
        return super().render_change_form(request, context, *args, **kwargs)

    @column("State", label=STATE_LABELS)
    def shown_state(self, deck: RateDeck) -> str:
        return str(deck.get_state_display())

    @column("Other prices")
    def others(self, deck: RateDeck) -> str:
        return OTHERS[DeckMode(deck.mode)]

    @column("Prices that it does not name")
    def not_named(self, deck: RateDeck) -> str:
        return str(deck.get_mode_display())

    @column("Made")
    def made(self, deck: RateDeck) -> str:
        return f"{deck.created_at:%Y-%m-%d %H:%M} UTC"
