"""How explanations of prices write figures, rates and moments."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from catalog.engine.rates import Card, Part, Rate

ORDINALS = ("first", "second", "third", "fourth", "fifth")


def plain(amount: Decimal) -> str:
    """Digits without an exponent and without zeros at the end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_unit(quantity: Decimal, unit: str) -> str:
    """Such as "90 s"; the figure alone where the unit is not known."""
    return f"{plain(quantity)} {unit}".rstrip()


def verb(quantity: Decimal) -> str:
    """Of so much: 1 is, 90 are."""
    return "is" if quantity == 1 else "are"


def moment(local: datetime, *, is_holiday: bool) -> str:
    """Such as "Thursday 2026-01-01 09:00, a public holiday"."""
    return f"{local:%A %Y-%m-%d %H:%M}" + (", a public holiday" if is_holiday else "")


def rule(rate: Rate) -> str:
    """What a rate is for and when: "CALL to 4477 (UK mobile), in every region, weekdays peak, from 2026-01-01"."""
    name = f" ({rate.destination_name})" if rate.destination_name else ""
    to = f" to {rate.destination_prefix}" if rate.destination_prefix else ""
    parts = [
        f"{rate.product}{to}{name}",
        f"in {rate.region}" if rate.region else "in every region",
        *([rate.band.name] if rate.band else []),
        f"from {rate.start_date}" + (f" and before {rate.end_date}" if rate.end_date else ""),
    ]
    return ", ".join(parts)


def card_sentence(card: Card, cards: Sequence[Card]) -> str:
    """Which of the customer's rate cards it is, and that those before it have no rate."""
    position = cards.index(card)
    ordinal = ORDINALS[position] if position < len(ORDINALS) else f"number {position + 1}"
    earlier = ", ".join(other.name for other in cards[:position])
    why = f": no rate for this use in {earlier}" if earlier else ""
    return f"Rate card {card.name}, the customer's {ordinal}{why}."


def billed_sentences(rate: Rate, quantity: Decimal, billed: Decimal, unit: str) -> list[str]:
    """What minimum and increments made of a quantity; nothing where they changed nothing. Signs are left out."""
    used, charged = quantity.copy_abs(), billed.copy_abs()
    if used.is_zero():
        return ["Nothing was used: nothing is charged for it."]
    if used == charged:
        return []
    reasons = []
    if used < rate.minimum_quantity:
        reasons.append(f"at least {plain(rate.minimum_quantity)}")
    if rate.first_increment is not None and rate.increment is not None:
        reasons.append(f"{plain(rate.first_increment)} first, then steps of {plain(rate.increment)}")
    elif rate.first_increment is not None:
        reasons.append(f"{plain(rate.first_increment)} first")
    elif rate.increment is not None:
        reasons.append(f"steps of {plain(rate.increment)}")
    return [f"{with_unit(used, unit)} {verb(used)} billed as {with_unit(charged, unit)}: {'; '.join(reasons)}."]


def product_sentence(quantity: Decimal, rate: Rate, amount: Decimal, unit: str) -> str:
    """Such as "90 s x 0.12 / 60 = 0.18."."""
    per = "" if rate.unit_size == 1 else f" / {plain(rate.unit_size)}"
    return f"{with_unit(quantity, unit)} x {plain(rate.unit_price)}{per} = {plain(amount)}."


def rounding_sentence(rate: Rate, amount: Decimal) -> str:
    return f"Rounded to {rate.rounding_digits} decimals ({rate.rounding_mode}): {plain(amount)}."


def part_sentences(parts: Sequence[Part], products: Sequence[str], zone: ZoneInfo) -> list[str]:
    """What each part of a use costs that is split at the borders of time bands; `products` say it without the times."""
    return [
        f"{part.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S} to {part.ended_at.astimezone(zone):%H:%M:%S}, "
        f"{part.rate.band.name if part.rate.band else 'every hour'} (rate {part.rate.id}): {product}"
        for part, product in zip(parts, products, strict=True)
    ]
