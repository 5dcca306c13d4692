"""What price lists say: rates with all their terms, the cards that they stand in, and the hours of time bands."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

# The values of catalog.choices.
PER_UNIT, GRADUATED, VOLUME, PACKAGE = "perUnit", "graduated", "volume", "package"
BY_START, SPLIT = "start", "split"
# The day of public holidays beside those of the week, 1 (Monday) to 7.
HOLIDAY = 8


@dataclass(frozen=True, slots=True)
class Tier:
    """The unit price of the quantity above `from_quantity`, counted after the included one."""

    from_quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Hours:
    """On these days, from `start` on and before `end`, local times in whole minutes; no end is midnight."""

    days: frozenset[int]
    start: time
    end: time | None

    def hold(self, day: int, at: time) -> bool:
        """Whether they hold at that time of that day, 1 to 8. Seconds are of the minute that they follow."""
        minute = at.replace(second=0, microsecond=0)
        return day in self.days and self.start <= minute and (self.end is None or minute < self.end)


@dataclass(frozen=True, slots=True)
class Band:
    """Hours of the week by name. It holds where any of its hours do."""

    id: int
    name: str
    hours: tuple[Hours, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A price list. Its time bands are hours in `timezone`, else in the customer's; `holidays` are days of their own.

    `band_rule` says which band prices a use that lasts from one into another. `bands` are those that its rates are for.
    """

    id: int
    name: str
    timezone: str = ""
    band_rule: str = BY_START
    holidays: frozenset[date] = frozenset()
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """One version of a priced rule of a rate card. It holds from `start_date` on and before `end_date`.

    It is for a product, in one region or in every one (empty), to destinations that begin with a prefix, in the hours
    of a band or in all. `unit_price` is the price of `unit_size` units; `catalog.models.PriceTerms` says what the other
    terms mean. `tiers` are in the order of their quantities.
    """

    id: int
    card_id: int
    card_name: str
    product: str
    unit_price: Decimal
    start_date: date
    end_date: date | None = None
    region: str = ""
    destination_prefix: str = ""
    destination_name: str = ""
    band: Band | None = None
    pricing_model: str = PER_UNIT
    unit_size: Decimal = Decimal(1)
    connection_fee: Decimal = Decimal(0)
    minimum_quantity: Decimal = Decimal(0)
    first_increment: Decimal | None = None
    increment: Decimal | None = None
    minimum_charge: Decimal | None = None
    maximum_charge: Decimal | None = None
    included_quantity: Decimal = Decimal(0)
    counted_per: str = "customer"
    tiers: tuple[Tier, ...] = ()
    rounding_digits: int | None = None
    rounding_mode: str = "halfUp"

    def holds(self, on: date) -> bool:
        """Whether this version is the one of that day."""
        return self.start_date <= on and (self.end_date is None or on < self.end_date)

    @property
    def is_counted(self) -> bool:
        """Whether a use's price depends on what else was used in its month."""
        return self.pricing_model != PER_UNIT or self.included_quantity != 0


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a use that one rate prices, and what of the billed quantity falls on it. Never signed."""

    rate: Rate
    started_at: datetime
    ended_at: datetime
    quantity: Decimal
