"""Rates in time: a rate keeps its price, so a new price is a new version of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, cast

from django.db import transaction
from django.db.models import Q

from catalog.choices import PricingModel
from catalog.engine.rates import Tier
from catalog.models import Rate, RateCard, RateTier
from catalog.operations.refusals import CatalogConflict, CatalogRefused, database_refusals

TIERED = {PricingModel.GRADUATED, PricingModel.VOLUME}
# What a rate is for: a new version has the same.
RULE = ("rate_card_id", "product_id", "region", "destination_prefix", "time_band_id")


class RateRefused(CatalogRefused):
    """These terms are no price, or a version would not fit in its rate's time; the text is a sentence for people."""


class RateConflict(RateRefused, CatalogConflict):
    """It contradicts what is stored; `rate_id` is the rate that stands in the way, where one does."""

    def __init__(self, sentence: str, *, rate_id: int | None = None) -> None:
        super().__init__(sentence)
        self.rate_id = rate_id


class RateTerms(TypedDict, total=False):
    """What a use costs (see `catalog.models.PriceTerms`), and what its destination is called.

    `unit_price` and the other prices are in the rate card's currency; quantities are in the unit of usage.
    """

    destination_name: str
    pricing_model: str
    unit_price: Decimal
    unit_size: Decimal
    connection_fee: Decimal
    minimum_quantity: Decimal
    first_increment: Decimal | None
    increment: Decimal | None
    minimum_charge: Decimal | None
    maximum_charge: Decimal | None
    included_quantity: Decimal
    counted_per: str
    rounding_digits: int | None
    rounding_mode: str
    tiers: Sequence[Tier]


TERMS = tuple(name for name in RateTerms.__annotations__ if name != "tiers")


@transaction.atomic
def add_rate(
    *,
    rate_card_id: int,
    product_id: int,
    start_date: date,
    end_date: date | None = None,
    region: str = "",
    destination_prefix: str = "",
    time_band_id: int | None = None,
    terms: RateTerms,
) -> Rate:
    """Add a rate with its tiers, all or nothing. Terms that are not given have the model's defaults.

    Raises `RateRefused` for terms that are no price, and `RateConflict` where another version holds in that time, or
    where the rate card splits uses at time bands and the price could not be split.
    """
    values: dict[str, Any] = dict(terms)
    tiers: Sequence[Tier] = values.pop("tiers", ())
    if tiers and values.get("pricing_model", PricingModel.PER_UNIT) not in TIERED:
        raise RateRefused("Only a graduated or a volume price has tiers: take them away, or choose such a price.")
    if len({tier.from_quantity for tier in tiers}) < len(tiers):
        raise RateRefused("Two tiers start at the same quantity.")
    rate = Rate(
        rate_card_id=rate_card_id,
        product_id=product_id,
        region=region,
        destination_prefix=destination_prefix,
        time_band_id=time_band_id,
        start_date=start_date,
        end_date=end_date,
        **values,
    )
    with _refusals(rate):
        rate.save(force_insert=True)
        RateTier.objects.bulk_create(
            RateTier(rate=rate, from_quantity=tier.from_quantity, unit_price=tier.unit_price) for tier in tiers
        )
    return rate


@transaction.atomic
def add_rate_version(*, rate_id: int, start_date: date, terms: RateTerms) -> Rate:
    """End a version at `start_date` and add one from then on, which is like it but for the terms that are given.

    A version that was wrong from its first day is replaced from that day on: it is withdrawn, and holds on no day.
    Tiers are given all or not at all; those of before go on, unless the new price is one that has none. The new
    version ends when the old one would have.
    Raises `RateRefused` where the old version does not hold on `start_date`, for terms that
    are no price, and for those of before: usage would be counted anew for nothing. `RateConflict` as `add_rate` does.
    """
    rate = _locked(rate_id)
    if start_date < rate.start_date:
        raise RateRefused(f"This version holds from {rate.start_date} on: a new one starts then, or later.")
    if rate.end_date is not None and start_date >= rate.end_date:
        raise RateRefused(f"This version ends on {rate.end_date}: a new one starts before that, or is added by itself.")
    ends = rate.end_date
    old: dict[str, Any] = {name: getattr(rate, name) for name in TERMS}
    old["tiers"] = [Tier(tier.from_quantity, tier.unit_price) for tier in rate.tiers.all()]
    values: dict[str, Any] = old | dict(terms)
    if "tiers" not in terms and values["pricing_model"] not in TIERED:
        values["tiers"] = []
    if values == old:
        raise RateRefused("Nothing is changed yet: a new version has another price.")
    end_rate(rate_id=rate_id, end_date=start_date)
    rule = {name: getattr(rate, name) for name in RULE}
    return add_rate(start_date=start_date, end_date=ends, **rule, terms=cast("RateTerms", values))


@transaction.atomic
def end_rate(*, rate_id: int, end_date: date | None) -> Rate:
    """Set the first day on which a version no longer holds; None lets it hold on, its own first day withdraws it.

    Raises `RateRefused` where it would end before it starts, `RateConflict` where it would then hold beside the next
    version.
    """
    rate = _locked(rate_id)
    if end_date is not None and end_date < rate.start_date:
        raise RateRefused(f"This version holds from {rate.start_date} on: it cannot end before.")
    if rate.end_date != end_date:
        rate.end_date = end_date
        with _refusals(rate):
            rate.save(update_fields=["end_date"])
    return rate


def _locked(rate_id: int) -> Rate:
    """The rate, with a lock on its card and then on itself: in the order of a rate deck that is activated.

    So each waits for the other to be done, and neither ends a version that the other has just ended.
    """
    card_id = Rate.objects.values_list("rate_card_id", flat=True).get(id=rate_id)
    RateCard.objects.select_for_update(no_key=True).get(id=card_id)
    return Rate.objects.select_for_update().get(id=rate_id)


@contextmanager
def _refusals(rate: Rate) -> Iterator[None]:
    """Write a rate; what the database refuses is raised as `RateRefused` or `RateConflict`."""
    try:
        with database_refusals():
            yield
    except CatalogConflict as conflict:
        other = _in_the_way(rate)
        if other is None:
            raise RateConflict(str(conflict)) from conflict
        until = "" if other.end_date is None else f" and before {other.end_date}"
        raise RateConflict(
            f"Rate {other.id} is for the same and holds in that time, from {other.start_date} on{until}: end it "
            "first, or choose other days.",
            rate_id=other.id,
        ) from conflict
    except CatalogRefused as refused:
        raise RateRefused(str(refused)) from refused


def _in_the_way(rate: Rate) -> Rate | None:
    """The first of the other versions of the rate that holds in its time."""
    same = Rate.objects.filter(**{name: getattr(rate, name) for name in RULE if name != "time_band_id"})
    same = same.filter(Q(end_date__isnull=True) | Q(end_date__gt=rate.start_date), time_band=rate.time_band_id)
    if rate.end_date is not None:
        same = same.filter(start_date__lt=rate.end_date)
    return same.exclude(id=rate.id).order_by("start_date").first()
