from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from billing.models import RateCardCheck
from catalog.admin.base import ReadOnlyAdmin, column
from catalog.admin.figures import EMPTY, exact


@admin.register(RateCardCheck)
class RateCardCheckAdmin(ReadOnlyAdmin):
    """What the hourly check of each rate card found; the card's own page checks it anew."""

    list_display = ("rate_card", "found", "checked_at", "checked_on")
    list_select_related = ("rate_card",)
    search_fields = ("rate_card__name__istartswith",)
    fields = ("rate_card", ("checked_at", "checked_on"), "sentences")
    readonly_fields = ("sentences",)
    empty_hint = "Every hour each rate card is checked, and what was found stands here and in the pre-flight of runs."

    @column("Findings")
    def found(self, check: RateCardCheck) -> str:
        return exact(len(check.findings))

    @column("What was found")
    def sentences(self, check: RateCardCheck) -> SafeString | str:
        return format_html_join("", "<p>{}</p>", ((found["sentence"],) for found in check.findings)) or EMPTY
