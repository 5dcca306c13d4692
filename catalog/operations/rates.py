"""Rates in time: a rate keeps its price, so a new price is a new version of it."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from catalog.models import Rate


class RateRefused(Exception):
    """A version would not fit in the rate's time; the text is a sentence for people."""


@transaction.atomic
def add_rate_version(*, rate_id: int, start_date: date, unit_price: Decimal) -> Rate:
    """End a version at `start_date` and add one that is like it, but for its price, from then on.

    `unit_price` is in the rate card's currency per `unit_size` units. The new version ends when the old one would have.
    Raises `RateRefused` where the old version does not hold on both `start_date` and the day before.
    """
    rate = Rate.objects.select_for_update().get(id=rate_id)
    if start_date <= rate.start_date:
        raise RateRefused(f"This version holds from {rate.start_date} on: a new one starts later than that.")
    if rate.end_date is not None and start_date >= rate.end_date:
        raise RateRefused(f"This version ends on {rate.end_date}: a new one starts before that, or is added by itself.")
    ends = rate.end_date
    end_rate(rate_id=rate_id, end_date=start_date)
    return Rate.objects.create(
        rate_card_id=rate.rate_card_id,
        product_id=rate.product_id,
        region=rate.region,
        destination_prefix=rate.destination_prefix,
        time_band_id=rate.time_band_id,
        pricing_model=rate.pricing_model,
        unit_price=unit_price,
        unit_size=rate.unit_size,
        rounding_digits=rate.rounding_digits,
        rounding_mode=rate.rounding_mode,
        start_date=start_date,
        end_date=ends,
    )


@transaction.atomic
def end_rate(*, rate_id: int, end_date: date | None) -> Rate:
    """Set the first day on which a version no longer holds; None lets it hold on.

    Raises `RateRefused` where it would end before it starts. The database refuses an end that lets it overlap the
    next version.
    """
    rate = Rate.objects.select_for_update().get(id=rate_id)
    if end_date is not None and end_date <= rate.start_date:
        raise RateRefused(f"This version holds from {rate.start_date} on: it ends later than that.")
    if rate.end_date != end_date:
        rate.end_date = end_date
        rate.save(update_fields=["end_date"])
    return rate
