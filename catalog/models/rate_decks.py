import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.choices import DeckLineOutcome, DeckMode, DeckState
from catalog.models.price_terms import PriceTerms
from catalog.models.products import Product
from catalog.models.rate_cards import RateCard
from catalog.models.rates import Rate
from catalog.models.time_bands import TimeBand
from catalog.models.triggers import touch_updated_at


@pghistory.track()
class RateDeck(models.Model):
    """Prices that are to hold in a rate card from `starts_on` on: a file that was uploaded, or a percent increase.

    It is looked at, then activated, which makes versions of rates of its lines, or discarded. Only an activated deck
    has changed prices.
    """

    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="decks")
    name = models.CharField(max_length=300, help_text="The file, or what was increased.")
    mode = models.CharField(max_length=7, choices=DeckMode, default=DeckMode.CHANGES)
    starts_on = models.DateField("holds from", help_text="First day of its prices, in the customers' time zones.")
    state = models.CharField(max_length=10, choices=DeckState, default=DeckState.READY)
    columns = models.JSONField(default=list, help_text="The columns of the file, as its header has them.")
    column_mapping = models.JSONField(default=dict, help_text="Field of a rate: column of the file.")
    default_product = models.ForeignKey(
        Product,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Of the lines that name no product.",
    )
    decimal_sign = models.CharField(
        max_length=1, blank=True, default="", help_text="Of the numbers in the file. Empty: found out by its prices."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    activated_at = models.DateTimeField(null=True, editable=False)
    activated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "rate_deck"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(mode__in=DeckMode.values), name="rate_deck_mode_known"),
            models.CheckConstraint(condition=Q(state__in=DeckState.values), name="rate_deck_state_known"),
            models.CheckConstraint(
                condition=Q(state=DeckState.ACTIVATED, activated_at__isnull=False)
                | (~Q(state=DeckState.ACTIVATED) & Q(activated_at__isnull=True)),
                name="rate_deck_activated_at_once",
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


class RateDeckLine(PriceTerms):
    """One price of a rate deck, and what it does to the card: new, changed, same, closed, or refused with the reason.

    `rate` is the version that it is compared with. A line that is refused keeps its text (`raw_text`) and may lack any
    value. A closed one is a rate that the deck does not name. Tiers are pairs of texts: from_quantity, unit_price.
    """

    deck = models.ForeignKey(RateDeck, on_delete=models.CASCADE, related_name="lines")
    line_number = models.PositiveIntegerField(help_text="In the file; 0 where it stands in none.")
    outcome = models.CharField(max_length=8, choices=DeckLineOutcome)
    detail = models.TextField(blank=True, default="", help_text="Why it is refused.")
    raw_text = models.TextField(blank=True, default="")
    rate = models.ForeignKey(Rate, on_delete=models.PROTECT, null=True, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, null=True, related_name="+")
    region = models.CharField(max_length=100, blank=True, default="")
    destination_prefix = models.CharField(max_length=15, blank=True, default="")
    destination_name = models.CharField(max_length=200, blank=True, default="")
    time_band = models.ForeignKey(TimeBand, on_delete=models.PROTECT, null=True, related_name="+")
    unit_price = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    tiers = models.JSONField(default=list)
    end_date = models.DateField(null=True)

    class Meta:
        db_table = "rate_deck_line"
        ordering = ["deck", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=DeckLineOutcome.values), name="rate_deck_line_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome=DeckLineOutcome.REFUSED)
                | Q(product__isnull=False, unit_price__isnull=False, detail=""),
                name="rate_deck_line_complete",
            ),
        ]
        indexes = [models.Index(fields=["deck", "outcome", "id"], name="rate_deck_line_outcome")]

    def __str__(self) -> str:
        return f"line {self.line_number}: {self.destination_prefix or self.region}"
