"""What of a quantity is billed: minimum and increments, parts of a split use, what of a month is free."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

from catalog.engine.bands import borders, zone_of
from catalog.engine.money import EXACT_DECIMALS, exact_product, exact_sum, round_quotient, with_sign_of
from catalog.engine.rates import SPLIT, Part, Rate
from catalog.engine.selection import Selection, Use, best_rate

MICROSECOND = timedelta(microseconds=1)
# A longer use is not split: whoever sends the days of years in one record would have them cut at thousands of borders.
LONGEST_SPLIT = timedelta(days=31)


def billed_quantity(quantity: Decimal, rate: Rate) -> Decimal:
    """What minimum and increments make of a quantity, with its sign; of nothing nothing is billed.

    It is raised to the minimum quantity, then to the first increment (the increment where there is none), then by whole
    increments: by 60/60 1 s is 60 s and 61 s are 120 s, by 30/6 31 s are 36 s.
    """
    if quantity.is_zero():
        return quantity.copy_abs()
    billed = max(quantity.copy_abs(), rate.minimum_quantity)
    first = rate.first_increment or rate.increment
    if first is not None and billed <= first:
        billed = first
    elif first is not None and rate.increment is not None:
        further = ceil((Fraction(billed) - Fraction(first)) / Fraction(rate.increment))
        billed = exact_sum([first, exact_product(Decimal(further), rate.increment)])
    return with_sign_of(quantity, billed)


def included_in_month(rate_included: Decimal, month: date, start_date: date | None, *, is_prorated: bool) -> Decimal:
    """What of a month is free for a subscription or service that started on `start_date`; None for a customer.

    If the product is prorated, the month of the start has the share of its days that are left, the first one counted:
    310 from 17 January on are 310 x 15 / 31 = 150. `month` is its first day. Rounded to 18 decimals, halves up.
    """
    if not is_prorated or start_date is None or start_date.replace(day=1) != month:
        return rate_included
    days = monthrange(month.year, month.month)[1]
    left = days - start_date.day + 1
    return round_quotient(Fraction(rate_included) * left / days, EXACT_DECIMALS)


def parts_of(use: Use, selection: Selection, billed: Decimal, rates: Iterable[Rate]) -> tuple[Part, ...]:
    """The parts of a use whose card splits it at the borders of time bands; empty where one rate prices all of it.

    It is split if the rate of its start is for a time band, and if it lasts 31 days at most. Each part has the rate
    that the use would have if it started there; where that is none, or one whose price is counted, the start's.
    Neighbours with one rate are one part. A part has its share of the real quantity by time, rounded to 18 decimals;
    the last one what is left of `billed`, the billed quantity without its sign, so that the parts add up to it.
    """
    start_rate, card = selection.rate, selection.card
    if (
        start_rate is None
        or card is None
        or card.band_rule != SPLIT
        or start_rate.band is None
        or start_rate.is_counted
    ):
        return ()
    if use.ended_at is None or use.quantity.is_zero() or use.ended_at - use.started_at > LONGEST_SPLIT:
        return ()
    offered = list(rates)
    bands = {start_rate.band} | {rate.band for rate in offered if rate.card_id == card.id and rate.band}
    stretches: list[tuple[Rate, datetime]] = [(start_rate, use.started_at)]
    for instant in borders(bands, zone_of(card, use.timezone), use.started_at, use.ended_at):
        rate = best_rate(card, offered, use, instant)
        if rate is None or rate.is_counted:
            rate = start_rate
        if rate != stretches[-1][0]:
            stretches.append((rate, instant))
    if len(stretches) == 1:
        return ()
    return _shared_out(stretches, use.started_at, use.ended_at, use.quantity.copy_abs(), billed)


def _shared_out(
    stretches: list[tuple[Rate, datetime]], start: datetime, end: datetime, quantity: Decimal, billed: Decimal
) -> tuple[Part, ...]:
    whole = (end - start) // MICROSECOND
    ends = [*(began for _, began in stretches[1:]), end]
    quantities = [
        round_quotient(Fraction(quantity) * ((until - began) // MICROSECOND) / whole, EXACT_DECIMALS)
        for (_, began), until in zip(stretches[:-1], ends[:-1], strict=True)
    ]
    quantities.append(exact_sum([billed, *(part.copy_negate() for part in quantities)]))
    return tuple(
        Part(rate, began, until, part) for (rate, began), until, part in zip(stretches, ends, quantities, strict=True)
    )
