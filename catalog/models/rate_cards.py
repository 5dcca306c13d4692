import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.choices import BandRule
from catalog.models.fields import validate_timezone
from catalog.models.money import Currency
from catalog.models.price_terms import exact
from catalog.models.products import Product
from catalog.models.triggers import touch_updated_at


@pghistory.track()
class RateCard(models.Model):
    """A price list in one currency. The default card of a currency prices what no card of the customer prices.

    Time bands are hours in `timezone`, else in the customer's; `holiday_country` says whose public holidays count;
    `band_rule` which band prices a use that lasts from one into another. Rates are for what these three say: they stay
    once the card has a rate of a time band.
    """

    name = models.CharField(max_length=100, unique=True)
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="rate_cards")
    is_default = models.BooleanField(default=False, help_text="Used after the customer's own and its groups' cards.")
    timezone = models.CharField(
        "time zone",
        max_length=64,
        blank=True,
        default="",
        db_default="",
        validators=[validate_timezone],
        help_text="Of time bands. Empty: the customer's.",
    )
    holiday_country = models.CharField(
        max_length=2,
        blank=True,
        default="",
        db_default="",
        help_text="Whose public holidays count, such as DE. Empty: none do.",
    )
    band_rule = models.CharField(max_length=5, choices=BandRule, default=BandRule.START, db_default=BandRule.START)
    description = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "rate_card"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["currency"],
                condition=Q(is_default=True),
                name="rate_card_one_default_per_currency",
                violation_error_message="This currency has a default rate card already.",
            ),
            models.CheckConstraint(
                condition=Q(band_rule__in=BandRule.values),
                name="rate_card_band_rule_known",
                violation_error_message=f"The band rule is one of: {', '.join(BandRule.values)}.",
            ),
            models.CheckConstraint(
                condition=Q(holiday_country__regex=r"^([A-Z]{2})?$"),
                name="rate_card_holiday_country_is_iso",
                violation_error_message="The country of public holidays is two capital letters, such as DE.",
            ),
        ]
        triggers = [
            touch_updated_at(),
            pgtrigger.Trigger(
                name="keep_band_rules",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("timezone", "holiday_country", "band_rule"),
                condition=(
                    pgtrigger.Q(old__timezone__df=pgtrigger.F("new__timezone"))
                    | pgtrigger.Q(old__holiday_country__df=pgtrigger.F("new__holiday_country"))
                    | pgtrigger.Q(old__band_rule__df=pgtrigger.F("new__band_rule"))
                ),
                func="""
                IF EXISTS (SELECT FROM rate r WHERE r.rate_card_id = OLD.id AND r.time_band_id IS NOT NULL) THEN
                  RAISE EXCEPTION 'The rate card % has prices by time band: its zone, country and rule stay.', OLD.name
                    USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.currency_id})"


@pghistory.track()
class RateExample(models.Model):
    """What a use is to cost by a rate card: "60 s to 447700900123 on Monday 09:00 costs 0.12".

    `used_at` is an instant; `amount` is the exact charge in the card's currency, tax not included.
    """

    rate_card = models.ForeignKey(RateCard, on_delete=models.CASCADE, related_name="examples")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = exact()
    destination = models.CharField(max_length=100, blank=True, default="")
    region = models.CharField(max_length=100, blank=True, default="")
    used_at = models.DateTimeField("starts at")
    duration_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="For cards that split at the border of a time band. Empty: the quantity."
    )
    timezone = models.CharField("customer's time zone", max_length=64, default="UTC", validators=[validate_timezone])
    quantity_before = exact(default=0, help_text="Billed earlier in the month, for tiers and included quantities.")
    amount = exact()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "rate_example"
        ordering = ["rate_card", "id"]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} to {self.destination or 'anywhere'}"
