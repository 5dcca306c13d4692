"""Prices that depend on the month: what a cumulative quantity costs, and where in the month a use stands."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil

from catalog.engine.money import EXACT_DECIMALS, exact_sum, round_amount, round_quotient, with_sign_of
from catalog.engine.rates import GRADUATED, PACKAGE, VOLUME, Rate


@dataclass(frozen=True, slots=True)
class Count:
    """Where a use stands in the count of its rate's version, of a month, and of what is counted together.

    `before` is the signed billed quantity that was counted before this use, `total` that at the end of the run,
    `included` what is free. `charged_before` is there for the first use of the count in a run: what earlier runs
    charged for it, without fees and net of reversals. `counted_id` is the subscription or service, 0 for the customer.
    """

    before: Decimal
    total: Decimal
    included: Decimal
    charged_before: Decimal | None = None
    counted_month: date | None = None
    counted_id: int = 0


def rounded(amount: Decimal, rate: Rate) -> Decimal:
    """The amount as the rate rounds it, if it does."""
    return amount if rate.rounding_digits is None else round_amount(amount, rate.rounding_digits, rate.rounding_mode)


def cumulative_amount(rate: Rate, quantity: Decimal, *, total: Decimal, included: Decimal) -> Decimal:
    """What a cumulative quantity of a month costs, without fees, of which `included` is free; rounded as the rate says.

    A price by volume takes its unit price from `total`, the quantity at the end of the run. A quantity below zero,
    where more was credited than charged, costs what the same above zero does, with the opposite sign. A use costs the
    amount after it less the amount before it, so that uses add up to the amount of all of them.
    """
    exact = _price(rate, charged_quantity(quantity, included), charged_quantity(total, included))
    return with_sign_of(quantity, rounded(round_quotient(exact, EXACT_DECIMALS), rate))


def correction_of(rate: Rate, count: Count) -> Decimal:
    """What earlier charges of the count differ by from what their quantity costs now; 0 unless the use is the first.

    They do where the volume's price has changed, and where charges were taken back.
    """
    if count.charged_before is None:
        return Decimal(0)
    due = cumulative_amount(rate, count.before, total=count.total, included=count.included)
    return exact_sum([due, count.charged_before.copy_negate()])


def charged_quantity(quantity: Decimal, included: Decimal) -> Decimal:
    """What of a cumulative quantity is beyond what is included, without its sign."""
    return max(exact_sum([quantity.copy_abs(), included.copy_negate()]), Decimal(0))


def steps(rate: Rate, charged: Decimal) -> list[tuple[Decimal, Decimal]]:
    """The quantity in each step of a graduated price, with its unit price; steps that are not reached are left out."""
    starts = [Decimal(0), *(tier.from_quantity for tier in rate.tiers)]
    prices = [rate.unit_price, *(tier.unit_price for tier in rate.tiers)]
    return [
        (exact_sum([min(end, charged), start.copy_negate()]), price)
        for start, end, price in zip(starts, [*starts[1:], charged], prices, strict=True)
        if charged > start
    ]


def volume_price(rate: Rate, of_all: Decimal) -> Decimal:
    """The unit price of a quantity by volume: the highest tier's that begins below it."""
    return next((tier.unit_price for tier in reversed(rate.tiers) if tier.from_quantity < of_all), rate.unit_price)


def blocks(rate: Rate, charged: Decimal) -> int:
    """The blocks of a package price that a quantity has begun."""
    return ceil(Fraction(charged) / Fraction(rate.unit_size))


def _price(rate: Rate, charged: Decimal, of_all: Decimal) -> Fraction:
    size = Fraction(rate.unit_size)
    if rate.pricing_model == PACKAGE:
        return blocks(rate, charged) * Fraction(rate.unit_price)
    if rate.pricing_model == GRADUATED:
        return sum((Fraction(part) * Fraction(price) for part, price in steps(rate, charged)), Fraction(0)) / size
    price = volume_price(rate, of_all) if rate.pricing_model == VOLUME else rate.unit_price
    return Fraction(charged) * Fraction(price) / size
