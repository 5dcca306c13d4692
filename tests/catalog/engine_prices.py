"""Rates and uses for tests of the pricing engine, a line each: texts are figures, times are local times of a zone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from catalog.engine.counted import Count
from catalog.engine.pricing import PricedUse, price_use
from catalog.engine.rates import Band, Card, Hours, Rate, Tier
from catalog.engine.selection import Use, select_rate

CARD = Card(id=1, name="Retail")
RATE = Rate(
    id=7, card_id=1, card_name="Retail", product="CALL-DE", unit_price=Decimal("0.12"), start_date=date(2026, 1, 1)
)
FIGURES = {
    *("unit_price", "unit_size", "connection_fee", "minimum_quantity", "first_increment", "increment"),
    *("minimum_charge", "maximum_charge", "included_quantity", "quantity", "own_amount"),
}
WORKDAYS = frozenset({1, 2, 3, 4, 5})
WEEKEND_AND_HOLIDAYS = frozenset({6, 7, 8})
PEAK = Band(1, "Peak", (Hours(WORKDAYS, time(8), time(18)),))
OFF_PEAK = Band(
    2,
    "Off-peak",
    (Hours(WORKDAYS, time(0), time(8)), Hours(WORKDAYS, time(18), None), Hours(WEEKEND_AND_HOLIDAYS, time(0), None)),
)


def rate(**terms: Any) -> Rate:
    """0.12 a unit of CALL-DE, rate 7 of the card Retail, with other terms where they are given."""
    return replace(RATE, **_figures(terms))


def tiers(**prices: str) -> tuple[Tier, ...]:
    """`above_100="0.8"`: above 100 units at 0.8."""
    return tuple(Tier(Decimal(name.removeprefix("above_")), Decimal(price)) for name, price in prices.items())


def use(quantity: str | int = 1, *, at: str = "2026-01-15T12:00", until: str = "", **fields: Any) -> Use:
    """A use of CALL-DE from a local time of the customer until another; UTC unless `timezone` says otherwise."""
    timezone = ZoneInfo(fields.setdefault("timezone", "UTC"))
    return Use(
        product=fields.pop("product", "CALL-DE"),
        quantity=Decimal(quantity),
        started_at=datetime.fromisoformat(at).replace(tzinfo=timezone),
        ended_at=datetime.fromisoformat(until).replace(tzinfo=timezone) if until else None,
        **_figures(fields),
    )


def priced(used: Use, by: Rate | Sequence[Rate], *, card: Card = CARD, count: Count | None = None) -> PricedUse:
    """What a use costs by the rates of one card."""
    rates = [by] if isinstance(by, Rate) else list(by)
    return price_use(used, select_rate([card], rates, used), count=count)


def figures(used: PricedUse) -> tuple[Decimal | int, ...]:
    """Quantity, billed quantity and amount."""
    return used.quantity, used.billed_quantity, used.amount


def shares(used: PricedUse) -> list[tuple[int, Decimal | int]]:
    """The parts of a use: which rate, how much of the billed quantity."""
    return [(part.rate.id, part.quantity) for part in used.parts]


def _figures(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: Decimal(value) if name in FIGURES and isinstance(value, str | int) else value
        for name, value in fields.items()
    }
