import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now

from catalog.choices import PricingModel, RoundingMode
from catalog.models.fields import CurrentTransactionId, TransactionIdField
from catalog.models.money import Currency
from catalog.models.products import Product
from catalog.models.triggers import never_emptied, touch_updated_at

WHOLE_WEEK = frozenset(range(1, 8))


@pghistory.track()
class RateCard(models.Model):
    """A price list in one currency. The default card of a currency prices what no card of the customer prices."""

    name = models.CharField(max_length=100, unique=True)
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="rate_cards")
    is_default = models.BooleanField(default=False, help_text="Used after the customer's own and its groups' cards.")
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
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return f"{self.name} ({self.currency_id})"


@pghistory.track()
class TimeBand(models.Model):
    """Hours of the week by name (peak, off-peak). From `start_time` on, before `end_time`; no end is midnight."""

    name = models.CharField(max_length=100, unique=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), help_text="1 is Monday, 7 is Sunday.")
    start_time = models.TimeField()
    end_time = models.TimeField(null=True, blank=True, help_text="Empty: until midnight.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "time_band"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end_time__isnull=True) | Q(end_time__gt=F("start_time")), name="time_band_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=sorted(WHOLE_WEEK)) & Q(weekdays__len__gt=0),
                name="time_band_weekdays_known",
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


@pghistory.track(exclude=["created_in", "ended_in", "earlier_ends"])
class Rate(models.Model):
    """One priced rule of a rate card: the price of a product, everywhere or in one region, from a date on.

    A version holds from `start_date` on and before `end_date`, dates in the customer's time zone. Two versions
    of one rule never overlap: the database excludes it. `created_in` and `ended_in` are the transactions that
    wrote the version and its end; a billing run that was commenced before them does not see them, but the end that the
    version had then: `earlier_ends` keeps all, each as {"end_date", "ended_in"}, null where there was none.
    """

    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="rates")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="rates")
    region = models.CharField(max_length=100, blank=True, default="", help_text="Empty: every region.")
    destination_prefix = models.CharField(max_length=32, blank=True, default="")
    time_band = models.ForeignKey(TimeBand, on_delete=models.PROTECT, null=True, blank=True, related_name="rates")
    pricing_model = models.CharField(max_length=10, choices=PricingModel, default=PricingModel.PER_UNIT)
    unit_price = models.DecimalField(max_digits=38, decimal_places=18)
    unit_size = models.DecimalField(
        max_digits=38,
        decimal_places=18,
        default=1,
        help_text="Units that the price is for: 60 for seconds at a price per minute.",
    )
    rounding_digits = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Decimals that the amount of each record is rounded to; empty: not rounded."
    )
    rounding_mode = models.CharField(max_length=10, choices=RoundingMode, default=RoundingMode.HALF_UP)
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True, help_text="First day on which it no longer holds.")
    created_in = TransactionIdField(db_default=CurrentTransactionId(), editable=False)
    ended_in = TransactionIdField(null=True, editable=False)
    earlier_ends = models.JSONField(db_default=[], editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "rate"
        ordering = ["rate_card", "product", "region", "start_date"]
        constraints = [
            ExclusionConstraint(
                name="rate_versions_do_not_overlap",
                expressions=[
                    ("rate_card", RangeOperators.EQUAL),
                    ("product", RangeOperators.EQUAL),
                    ("region", RangeOperators.EQUAL),
                    ("destination_prefix", RangeOperators.EQUAL),
                    (Func(F("time_band"), Value(0), function="coalesce"), RangeOperators.EQUAL),
                    (Func(F("start_date"), F("end_date"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="Another version of this rate holds in that time. End it first.",
            ),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gt=F("start_date")), name="rate_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(unit_size__gt=0), name="rate_unit_size_positive"),
            models.CheckConstraint(
                condition=Q(rounding_digits__isnull=True) | Q(rounding_digits__lte=18),
                name="rate_rounding_digits_range",
            ),
            models.CheckConstraint(condition=Q(rounding_mode__in=RoundingMode.values), name="rate_rounding_mode_known"),
            # What the rating query cannot price yet cannot be stored either (docs/adr/0007).
            models.CheckConstraint(
                condition=Q(pricing_model=PricingModel.PER_UNIT, destination_prefix="", time_band__isnull=True),
                name="rate_is_one_that_rating_prices",
                violation_error_message="Rates are priced per unit of a product, everywhere or in one region.",
            ),
        ]
        triggers = [
            touch_updated_at(),
            never_emptied(),
            pgtrigger.Trigger(
                name="note_end",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("end_date"),
                condition=pgtrigger.Q(old__end_date__df=pgtrigger.F("new__end_date")),
                func="""
                NEW.ended_in = pg_current_xact_id();
                NEW.earlier_ends = OLD.earlier_ends
                  || jsonb_build_object('end_date', OLD.end_date, 'ended_in', OLD.ended_in::text);
                RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="keep_price",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                IF (OLD.rate_card_id, OLD.product_id, OLD.region, OLD.destination_prefix, OLD.time_band_id,
                    OLD.pricing_model, OLD.unit_price, OLD.unit_size, OLD.rounding_digits, OLD.rounding_mode,
                    OLD.start_date, OLD.created_in)
                   IS DISTINCT FROM
                   (NEW.rate_card_id, NEW.product_id, NEW.region, NEW.destination_prefix, NEW.time_band_id,
                    NEW.pricing_model, NEW.unit_price, NEW.unit_size, NEW.rounding_digits, NEW.rounding_mode,
                    NEW.start_date, NEW.created_in)
                THEN
                  RAISE EXCEPTION 'A rate keeps its price: end rate % and add a new version.', OLD.id
                    USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        where = self.region or "every region"
        return f"{self.product_id} in {where} from {self.start_date}"


@pghistory.track()
class RateTier(models.Model):
    """One step of a rate: the unit price of the quantity above `from_quantity`."""

    rate = models.ForeignKey(Rate, on_delete=models.CASCADE, related_name="tiers")
    from_quantity = models.DecimalField(max_digits=38, decimal_places=18)
    unit_price = models.DecimalField(max_digits=38, decimal_places=18)

    class Meta:
        db_table = "rate_tier"
        ordering = ["rate", "from_quantity"]
        constraints = [
            models.UniqueConstraint(fields=["rate", "from_quantity"], name="rate_tier_starts_once"),
            models.CheckConstraint(condition=Q(from_quantity__gte=0), name="rate_tier_from_not_negative"),
        ]

    def __str__(self) -> str:
        return f"from {self.from_quantity}"
