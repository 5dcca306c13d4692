"""Exact sums, rounding, and sharing out a rounded total.

A context of its own does the arithmetic: Python's default one silently rounds to 28 digits, amounts here have up to 38.
"""

from collections.abc import Iterable, Sequence
from decimal import (
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction

# The decimals of quantities, unit prices and exact amounts in the database.
EXACT_DECIMALS = 18

# The values of catalog.choices.RoundingMode. Python's ROUND_HALF_UP, like PostgreSQL's round(numeric), takes halves
# away from zero; ROUND_UP is away from zero and ROUND_DOWN towards it, whatever the sign.
ROUNDING_MODES = {"halfUp": ROUND_HALF_UP, "halfEven": ROUND_HALF_EVEN, "up": ROUND_UP, "down": ROUND_DOWN}

_ROUNDING = Context(prec=400, traps=[InvalidOperation, Overflow])
_EXACT = Context(prec=400, traps=[InvalidOperation, Overflow, DivisionByZero, Inexact])


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum with every digit of every amount; 0 of nothing.

    Raises `decimal.Inexact` where that takes more than 400 digits.
    """
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def exact_product(*factors: Decimal) -> Decimal:
    """The product with every digit; 1 of nothing. Raises `decimal.Inexact` where that takes more than 400 digits."""
    product = Decimal(1)
    for factor in factors:
        product = _EXACT.multiply(product, factor)
    return product


def with_sign_of(signed: Decimal, amount: Decimal) -> Decimal:
    """The amount, with the opposite sign where `signed` is below zero, and every digit; there is no negative zero.

    A minus sign in front of a decimal would round it to 28 digits.
    """
    return amount.copy_negate() if signed < 0 and not amount.is_zero() else amount


def round_amount(amount: Decimal, digits: int, mode: str) -> Decimal:
    """`amount` with `digits` decimals, rounded by one of `ROUNDING_MODES`. There is no negative zero.

    Raises KeyError for another mode.
    """
    rounded = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUNDING_MODES[mode], context=_ROUNDING)
    return rounded.copy_abs() if rounded.is_zero() else rounded


def round_half_up(amount: Decimal, minor_units: int) -> Decimal:
    """`amount` rounded to `minor_units` decimals, halves away from zero: 0.005 is 0.01 and -0.005 is -0.01."""
    return round_amount(amount, minor_units, "halfUp")


def round_quotient(quotient: Fraction, digits: int) -> Decimal:
    """The exact quotient rounded once to `digits` decimals, halves away from zero.

    A division of decimals would round to the context first and here a second time: 0.49999999...9 would become 1.
    """
    scaled = abs(quotient) * 10**digits
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(-units if quotient < 0 else units).scaleb(-digits, context=_EXACT)


def allocate_largest_remainder(exact_amounts: Sequence[Decimal], minor_units: int) -> list[Decimal]:
    """Exact amounts in minor units: they add up to the sum rounded once, each is within one unit of what it was.

    Each amount is rounded down to a minor unit; the units that are then missing from the rounded sum go to the amounts
    with the largest fractions of a minor unit, of equal ones to the first. Rounding each by itself would lose or
    make units: a hundred lines of 0.004 are 0.40, not nothing. (Largest remainder, or Hamilton's, method.)
    """
    unit = Decimal(1).scaleb(-minor_units)
    floors = [amount.quantize(unit, rounding=ROUND_FLOOR, context=_ROUNDING) for amount in exact_amounts]
    fractions = [_EXACT.subtract(amount, floor) for amount, floor in zip(exact_amounts, floors, strict=True)]
    net = round_half_up(exact_sum(exact_amounts), minor_units)
    missing = int(_EXACT.subtract(net, exact_sum(floors)).scaleb(minor_units, context=_EXACT))
    by_fraction = sorted(range(len(fractions)), key=lambda position: (-fractions[position], position))
    raised = set(by_fraction[:missing])
    return [
        # Adding to a positive zero takes the sign from a negative one.
        _EXACT.add(floor, unit if position in raised else Decimal(0).scaleb(-minor_units))
        for position, floor in enumerate(floors)
    ]
