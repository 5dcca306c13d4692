"""Preset values of the catalogue."""

from django.db import models


class ProductKind(models.TextChoices):
    """What a product is sold as."""

    USAGE = "USAGE", "Usage"
    RECURRING = "RECURRING", "Recurring"
    ONE_OFF = "ONE_OFF", "One-off"


class PricingModel(models.TextChoices):
    """How a rate turns a quantity into an amount. Values as the API names them."""

    PER_UNIT = "perUnit", "Per unit"
    GRADUATED = "graduated", "Graduated"
    VOLUME = "volume", "Volume"
    PACKAGE = "package", "Package"


class RoundingMode(models.TextChoices):
    """How a rate rounds the amount of one record, where it rounds it at all."""

    HALF_UP = "halfUp", "Half up (away from zero)"
    HALF_EVEN = "halfEven", "Half to even"
    UP = "up", "Up (away from zero)"
    DOWN = "down", "Down (towards zero)"
