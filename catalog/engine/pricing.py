"""The price of one record, and which rate gives it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from catalog.engine.money import EXACT_DECIMALS, round_amount, round_quotient

# The values of usage.choices.BillingDirective.
TO_BE_BILLED = "TO_BE_BILLED"
TO_BE_CREDITED = "TO_BE_CREDITED"


@dataclass(frozen=True, slots=True)
class Rate:
    """One version of a priced rule of a rate card. It holds from `start_date` on and before `end_date`.

    `unit_price` is the price of `unit_size` units. `region` is empty where the rate is for every region.
    """

    id: int
    card_id: int
    card_name: str
    product: str
    unit_price: Decimal
    start_date: date
    end_date: date | None = None
    region: str = ""
    unit_size: Decimal = Decimal(1)
    rounding_digits: int | None = None
    rounding_mode: str = "halfUp"

    def holds(self, on: date) -> bool:
        return self.start_date <= on and (self.end_date is None or on < self.end_date)


@dataclass(frozen=True, slots=True)
class Usage:
    """What of a record its price depends on. `own_amount` is there for a record that brings its own amount."""

    quantity: Decimal
    directive: str = TO_BE_BILLED
    own_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PricedUsage:
    """The charge of one record: what is billed, exactly, and how it came about, a step a sentence.

    Of a credited record both quantity and amount have the opposite sign, so that rate x quantity is the amount.
    """

    quantity: Decimal
    amount: Decimal
    rate: Rate | None
    explanation: tuple[str, ...]


def select_rate(
    card_ids_in_order: Sequence[int], rates: Iterable[Rate], product: str, region: str, on: date
) -> Rate | None:
    """The rate that prices a product in a region on a day; None where none does.

    The first card that has a rate wins, however general that rate is. Within a card the exact region wins over every
    region, then the version that started last, then the higher id.
    """
    order = {card_id: position for position, card_id in reversed(list(enumerate(card_ids_in_order)))}
    matching = [
        rate
        for rate in rates
        if rate.card_id in order and rate.product == product and rate.region in {region, ""} and rate.holds(on)
    ]
    return min(
        matching,
        key=lambda rate: (order[rate.card_id], rate.region != region, -rate.start_date.toordinal(), -rate.id),
        default=None,
    )


def price_usage(usage: Usage, rate: Rate | None) -> PricedUsage:
    """The charge of a record by its rate, or by its own amount if it brings one.

    Amount = quantity x unit price / unit size, the exact quotient rounded once to 18 decimals, halves away from zero;
    then rounded by the rate, if it says so; then negated for a credit. Raises ValueError for a record that is not to
    be billed, and for one that has neither a rate nor an amount.
    """
    if usage.directive not in {TO_BE_BILLED, TO_BE_CREDITED}:
        raise ValueError(f"A record that is {usage.directive} has no price.")
    if usage.own_amount is not None:
        amount, steps, rate = usage.own_amount, [f"The record brings its own amount: {_plain(usage.own_amount)}."], None
    elif rate is not None:
        amount, steps = _rated(usage.quantity, rate)
    else:
        raise ValueError("No rate prices this record and it brings no amount.")
    quantity = usage.quantity
    if usage.directive == TO_BE_CREDITED:
        quantity, amount = _negated(quantity), _negated(amount)
        steps.append("To be credited: the sign is turned.")
    steps.append(f"Amount: {_plain(amount)}.")
    return PricedUsage(quantity=quantity, amount=amount, rate=rate, explanation=tuple(steps))


def _rated(quantity: Decimal, rate: Rate) -> tuple[Decimal, list[str]]:
    where = f"in {rate.region}" if rate.region else "in every region"
    until = f" and before {rate.end_date}" if rate.end_date else ""
    amount = round_quotient(
        Fraction(quantity) * Fraction(rate.unit_price) / Fraction(rate.unit_size), digits=EXACT_DECIMALS
    )
    per = "" if rate.unit_size == 1 else f" / {_plain(rate.unit_size)}"
    steps = [
        f"Rate card {rate.card_name}.",
        f"Rate {rate.id}: {rate.product} {where}, from {rate.start_date}{until}.",
        f"{_plain(quantity)} x {_plain(rate.unit_price)}{per} = {_plain(amount)}.",
    ]
    if rate.rounding_digits is not None:
        amount = round_amount(amount, rate.rounding_digits, rate.rounding_mode)
        steps.append(f"Rounded to {rate.rounding_digits} decimals ({rate.rounding_mode}): {_plain(amount)}.")
    return amount, steps


def _negated(amount: Decimal) -> Decimal:
    """With the opposite sign and every digit; a minus sign in front would round to 28 digits."""
    return amount if amount.is_zero() else amount.copy_negate()


def _plain(amount: Decimal) -> str:
    """Digits without an exponent and without zeros at the end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
