from typing import Any

from django.db import models
from django.db.models import F, Q

from catalog.choices import CountedPer, PricingModel, RoundingMode


def exact(**options: Any) -> "models.DecimalField[Any, Any]":
    """A price or a quantity: up to 38 digits, 18 of them after the point."""
    return models.DecimalField(max_digits=38, decimal_places=18, **options)


class PriceTerms(models.Model):
    """What a use costs by a rate, and by a line of a rate deck that is to become one.

    Of each use the quantity is raised to `minimum_quantity`, then to `first_increment`, then by whole `increment`s:
    60/60, 30/6, 1/1. Nothing used costs nothing. `unit_price` is for `unit_size` units. By graduated and volume prices
    it is the price up to the first tier. A price that depends on how much was used before in the month (any but a price
    per unit without an included quantity) is counted per `counted_per`; it has no charge limits of a single use, which
    would depend on the order of uses.
    """

    pricing_model = models.CharField(max_length=10, choices=PricingModel, default=PricingModel.PER_UNIT)
    unit_price = exact()
    unit_size = exact(
        default=1, db_default=1, help_text="Units that the price is for: 60 for seconds at a price per minute."
    )
    connection_fee = exact(default=0, db_default=0, help_text="Of each use, whatever its quantity.")
    minimum_quantity = exact(default=0, db_default=0, help_text="Billed at least, of each use.")
    first_increment = exact(
        null=True,
        blank=True,
        help_text="Billed at least, and what further increments start after. Empty: the increment.",
    )
    increment = exact(null=True, blank=True, help_text="The quantity is billed in steps of it. Empty: exactly.")
    minimum_charge = exact(null=True, blank=True, help_text="Of each use. Empty: none.")
    maximum_charge = exact(null=True, blank=True, help_text="Of each use. Empty: none.")
    included_quantity = exact(default=0, db_default=0, help_text="Free in each month.")
    counted_per = models.CharField(
        max_length=12,
        choices=CountedPer,
        default=CountedPer.CUSTOMER,
        db_default=CountedPer.CUSTOMER,
        help_text="Whose usage of a month counts together for tiers, packages and included quantities.",
    )
    rounding_digits = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Decimals that the amount of each record is rounded to; empty: not rounded."
    )
    rounding_mode = models.CharField(max_length=10, choices=RoundingMode, default=RoundingMode.HALF_UP)

    class Meta:
        abstract = True


def price_constraints(table: str) -> list[models.CheckConstraint]:
    """What holds of the terms of every price, with the table's name before the constraint's."""
    not_negative = ("connection_fee", "minimum_quantity", "included_quantity", "minimum_charge", "maximum_charge")
    positive = ("unit_size", "first_increment", "increment")
    no_limits = Q(minimum_charge__isnull=True, maximum_charge__isnull=True)
    conditions = {
        **{f"{name}_not_negative": Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 0}) for name in not_negative},
        **{f"{name}_positive": Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gt": 0}) for name in positive},
        "charge_limits_in_order": no_limits
        | Q(minimum_charge__isnull=True)
        | Q(maximum_charge__isnull=True)
        | Q(maximum_charge__gte=F("minimum_charge")),
        "charge_limits_of_single_uses": no_limits | Q(pricing_model=PricingModel.PER_UNIT, included_quantity=0),
        "pricing_model_known": Q(pricing_model__in=PricingModel.values),
        "counted_per_known": Q(counted_per__in=CountedPer.values),
        "rounding_digits_range": Q(rounding_digits__isnull=True) | Q(rounding_digits__lte=18),
        "rounding_mode_known": Q(rounding_mode__in=RoundingMode.values),
    }
    sentences = {
        **{f"{name}_not_negative": f"The {name.replace('_', ' ')} is less than 0." for name in not_negative},
        **{f"{name}_positive": f"The {name.replace('_', ' ')} is not more than 0." for name in positive},
        "pricing_model_known": f"The pricing model is one of: {', '.join(PricingModel.values)}.",
        "counted_per_known": f"Usage is counted per one of: {', '.join(CountedPer.values)}.",
        "rounding_digits_range": "An amount is rounded to at most 18 decimals.",
        "rounding_mode_known": f"The rounding mode is one of: {', '.join(RoundingMode.values)}.",
        "charge_limits_in_order": "The maximum charge is below the minimum charge.",
        "charge_limits_of_single_uses": (
            "A minimum or maximum charge of a single use goes with a price per unit without an included quantity only."
        ),
    }
    return [
        models.CheckConstraint(condition=condition, name=f"{table}_{name}", violation_error_message=sentences.get(name))
        for name, condition in conditions.items()
    ]
