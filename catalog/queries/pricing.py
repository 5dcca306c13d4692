"""Rate cards and rates as the pricing engine takes them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Prefetch, Q, QuerySet, Value

import catalog.engine.rates as engine
from catalog.models import PublicHoliday, Rate, RateCard, RateTier, TimeBand, TimeBandHours

HOURS = Prefetch("time_band__hours", queryset=TimeBandHours.objects.order_by("id"))
TIERS = Prefetch("tiers", queryset=RateTier.objects.order_by("from_quantity"))
LONGEST_PREFIX = 15


def engine_cards(card_ids: Sequence[int], *, years: Iterable[int], snapshot: str = "") -> list[engine.Card]:
    """These rate cards in this order, with the time bands of their rates and the public holidays of those years.

    Of holidays those that PostgreSQL's `snapshot` saw, if one is given.
    """
    stored = RateCard.objects.in_bulk(set(card_ids))
    holidays = _holidays({card.holiday_country for card in stored.values()} - {""}, set(years), snapshot)
    bands = _bands(list(stored))
    cards = {
        card.id: engine.Card(
            id=card.id,
            name=card.name,
            timezone=card.timezone,
            band_rule=card.band_rule,
            holidays=holidays.get(card.holiday_country, frozenset()),
            bands=bands.get(card.id, ()),
        )
        for card in stored.values()
    }
    return [cards[card_id] for card_id in card_ids]


def engine_rates(
    card_ids: Sequence[int], *, product_id: int, digits: str, region: str, on: date | None
) -> list[engine.Rate]:
    """The rates of these cards that could price a use: for its product, region and digits, in the hours of any band.

    `on` is the day whose versions they are; None gives all of them. Whatever the cards hold, only the prefixes of the
    digits are looked up, and tiers and hours come in one query each.
    """
    prefixes = [digits[:length] for length in range(min(len(digits), LONGEST_PREFIX) + 1)]
    found = Rate.objects.filter(
        rate_card_id__in=list(card_ids),
        product_id=product_id,
        region__in={region, ""},
        destination_prefix__in=prefixes,
    )
    if on is not None:
        found = found.filter(Q(end_date__isnull=True) | Q(end_date__gt=on), start_date__lte=on)
    return [engine_rate(rate) for rate in with_terms(found).order_by("id")]


def with_terms(rates: QuerySet[Rate]) -> QuerySet[Rate]:
    """The rates with all that `engine_rate` reads of them, in three queries however many there are."""
    return rates.select_related("rate_card", "product", "time_band").prefetch_related(HOURS, TIERS)


def engine_rate(rate: Rate) -> engine.Rate:
    """A rate as the engine takes it. Of one that was not read by `with_terms` tiers and hours are read now."""
    return engine.Rate(
        id=rate.pk,
        card_id=rate.rate_card_id,
        card_name=rate.rate_card.name,
        product=rate.product.code,
        region=rate.region,
        destination_prefix=rate.destination_prefix,
        destination_name=rate.destination_name,
        band=engine_band(rate.time_band) if rate.time_band else None,
        start_date=rate.start_date,
        end_date=rate.end_date,
        pricing_model=rate.pricing_model,
        unit_price=rate.unit_price,
        unit_size=rate.unit_size,
        connection_fee=rate.connection_fee,
        minimum_quantity=rate.minimum_quantity,
        first_increment=rate.first_increment,
        increment=rate.increment,
        minimum_charge=rate.minimum_charge,
        maximum_charge=rate.maximum_charge,
        included_quantity=rate.included_quantity,
        counted_per=rate.counted_per,
        tiers=tuple(
            engine.Tier(tier.from_quantity, tier.unit_price)
            for tier in sorted(rate.tiers.all(), key=lambda tier: tier.from_quantity)
        ),
        rounding_digits=rate.rounding_digits,
        rounding_mode=rate.rounding_mode,
    )


def engine_band(band: TimeBand) -> engine.Band:
    """A time band with its hours as the engine takes it."""
    return engine.Band(
        id=band.pk,
        name=band.name,
        hours=tuple(
            engine.Hours(frozenset(hours.days), hours.start_time, hours.end_time)
            for hours in sorted(band.hours.all(), key=lambda hours: hours.pk)
        ),
    )


def _bands(card_ids: Collection[int]) -> dict[int, tuple[engine.Band, ...]]:
    """The bands of the cards' rates by card. Of each card and band one rate is looked for: the rates may be many."""
    is_used = Rate.objects.filter(rate_card_id=OuterRef("pk"), time_band_id=OuterRef(OuterRef("pk")))
    cards = RateCard.objects.filter(Exists(is_used), pk__in=card_ids).values("pk")
    found: dict[int, list[engine.Band]] = {}
    if not card_ids:
        return {}
    for band in TimeBand.objects.annotate(card_ids=ArraySubquery(cards)).order_by("pk").prefetch_related("hours"):
        for card_id in band.card_ids:
            found.setdefault(card_id, []).append(engine_band(band))
    return {card_id: tuple(bands) for card_id, bands in found.items()}


def _holidays(countries: set[str], years: set[int], snapshot: str) -> dict[str, frozenset[date]]:
    """The public holidays of the years by country; those that the snapshot saw, if there is one."""
    found: dict[str, set[date]] = {}
    if countries:
        days = PublicHoliday.objects.filter(country__in=countries, day__year__in=years)
        if snapshot:
            days = days.filter(_seen("created_in", snapshot))
        for country, day in days.values_list("country", "day"):
            found.setdefault(country, set()).add(day)
    return {country: frozenset(days) for country, days in found.items()}


def _seen(column: str, snapshot: str) -> Func:
    """Whether the snapshot saw what the transaction of that number wrote."""
    template = "tollbook_seen(%(expressions)s::pg_snapshot)"
    return Func(F(column), Value(snapshot), template=template, output_field=BooleanField())
