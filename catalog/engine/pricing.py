"""The price of one use by the rate that was selected for it, and how it came about, a step a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from catalog.engine import wording
from catalog.engine.bands import zone_of
from catalog.engine.counted import Count, correction_of, cumulative_amount, rounded
from catalog.engine.counted_wording import count_sentences, fee_sentences
from catalog.engine.money import EXACT_DECIMALS, exact_sum, round_quotient, with_sign_of
from catalog.engine.quantities import billed_quantity, parts_of
from catalog.engine.rates import Part, Rate
from catalog.engine.selection import TO_BE_BILLED, TO_BE_CREDITED, Selection, Use, counted_month

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class PricedUse:
    """The charge of one use: quantities and exact amount with their signs, and how they came about.

    Of a credited use they have the opposite sign. `parts` are there where the use was split at the borders of time
    bands, without signs. `rate` is None where the use brought its own amount.
    """

    quantity: Decimal
    billed_quantity: Decimal
    amount: Decimal
    rate: Rate | None
    parts: tuple[Part, ...]
    explanation: tuple[str, ...]


def price_use(
    use: Use,
    selection: Selection,
    *,
    rates: Iterable[Rate] = (),
    count: Count | None = None,
    correction: Decimal = ZERO,
) -> PricedUse:
    """The charge of a use by its rate, or by its own amount if it brings one.

    `rates` are those that parts of a split use may have; by default those that the selection looked at. `count` is
    where a counted use stands in its month; by default it is the first of the month, and what is included is not
    prorated. What earlier charges of the count differ by comes on top: `correction` where it is known, or what follows
    from `count.charged_before`. Raises ValueError for a use that is not to be billed, and for one that has neither a
    rate nor an amount.
    """
    if use.directive not in {TO_BE_BILLED, TO_BE_CREDITED}:
        raise ValueError(f"A record that is {use.directive} has no price.")
    sign = Decimal(-1) if use.directive == TO_BE_CREDITED else Decimal(1)
    quantity = with_sign_of(sign, use.quantity)
    if use.own_amount is not None:
        amount = with_sign_of(sign, use.own_amount)
        steps = [f"The record brings its own amount: {wording.plain(use.own_amount)}.", *_ending(use, sign, amount)]
        return PricedUse(quantity, quantity, amount, None, (), tuple(steps))
    rate = selection.rate
    if rate is None:
        raise ValueError("No rate prices this record and it brings no amount.")
    billed = billed_quantity(quantity, rate)
    steps = [*selection.explanation, *wording.billed_sentences(rate, use.quantity, billed, use.unit)]
    parts: tuple[Part, ...] = ()
    if rate.is_counted:
        count = count or Count(
            before=ZERO, total=billed, included=rate.included_quantity, counted_month=counted_month(use)
        )
        correction = exact_sum([correction, correction_of(rate, count)])
        amount, more = _counted(use, rate, billed, count, correction)
        ending = [f"Amount: {wording.plain(amount)}."]
    else:
        offered = list(rates) or [candidate.rate for candidate in selection.candidates]
        parts = parts_of(use, selection, billed.copy_abs(), offered)
        zone = zone_of(selection.card, use.timezone) if selection.card else ZoneInfo(use.timezone)
        amount, more = _single(use, rate, billed.copy_abs(), parts, zone)
        amount = with_sign_of(quantity, amount)
        ending = _ending(use, sign, amount)
    return PricedUse(quantity, billed, amount, rate, parts, (*steps, *more, *ending))


def _ending(use: Use, sign: Decimal, amount: Decimal) -> list[str]:
    steps = ["To be credited: the sign is turned."] if sign < 0 else []
    if use.quantity < 0 and use.own_amount is None:
        steps.insert(0, "The quantity is below zero: so is the amount.")
    return [*steps, f"Amount: {wording.plain(amount)}."]


def _single(
    use: Use, rate: Rate, billed: Decimal, parts: tuple[Part, ...], zone: ZoneInfo
) -> tuple[Decimal, list[str]]:
    """What a use costs by itself, without its sign. `billed` is without it too.

    The exact quotient of each part is rounded once to 18 decimals, halves away from zero; then come the connection fee,
    the rate's rounding, and its limits.
    """
    if billed.is_zero():
        return ZERO, []
    priced = [(part.quantity, part.rate) for part in parts] or [(billed, rate)]
    amounts = [_product(quantity, by) for quantity, by in priced]
    steps = [
        wording.product_sentence(quantity, by, amount, use.unit)
        for (quantity, by), amount in zip(priced, amounts, strict=True)
    ]
    if parts:
        steps = wording.part_sentences(parts, steps, zone)
    amount = exact_sum(amounts)
    if rate.connection_fee:
        amount = exact_sum([amount, rate.connection_fee])
        steps.append(f"Connection fee {wording.plain(rate.connection_fee)}: {wording.plain(amount)}.")
    if rate.rounding_digits is not None:
        amount = rounded(amount, rate)
        steps.append(wording.rounding_sentence(rate, amount))
    if rate.minimum_charge is not None and amount < rate.minimum_charge:
        amount = rate.minimum_charge
        steps.append(f"At least {wording.plain(amount)}.")
    if rate.maximum_charge is not None and amount > rate.maximum_charge:
        amount = rate.maximum_charge
        steps.append(f"At most {wording.plain(amount)}.")
    return amount, steps


def _product(quantity: Decimal, rate: Rate) -> Decimal:
    return round_quotient(Fraction(quantity) * Fraction(rate.unit_price) / Fraction(rate.unit_size), EXACT_DECIMALS)


def _counted(use: Use, rate: Rate, billed: Decimal, count: Count, correction: Decimal) -> tuple[Decimal, list[str]]:
    """What a use costs by what was used before it in the month, with its sign."""
    after = exact_sum([count.before, billed])
    costs = [
        cumulative_amount(rate, quantity, total=count.total, included=count.included)
        for quantity in (count.before, after)
    ]
    fee = ZERO if billed.is_zero() else with_sign_of(billed, rounded(rate.connection_fee, rate))
    amount = exact_sum([costs[1], costs[0].copy_negate(), fee, correction])
    return amount, [*count_sentences(rate, count, after, costs, use.unit), *fee_sentences(fee, correction)]
