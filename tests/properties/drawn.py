"""What hypothesis draws: price lists with prices of all kinds, customers, and their usage."""

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from catalog.choices import BandRule, CountedPer, PricingModel, RoundingMode
from usage.choices import BillingDirective

CUTOFF = date(2026, 2, 1)
# Case, accents and the empty text: where orders of texts differ.
REGIONS = ["", "EU", "eu", "Île"]
PREFIXES = ["", "", "44", "447", "4477", "1"]
DESTINATIONS = [
    *("", "+447700900123", "447700900123", "44", "447", "+4420", "1212", "4477-00"),
    *("++4477", "004477", "sip:4477@example.org", "44770090012300000000"),
]
# Few, so that records meet on one day; around midnight here and there, around the turn of months, of versions, of the
# hours of bands; on a Thursday that is a holiday, on a Friday and a Saturday.
INSTANTS = [
    datetime(2025, 12, 25, 12, 0, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 30, tzinfo=UTC),
    datetime(2026, 1, 1, 10, 0, tzinfo=UTC),
    datetime(2026, 1, 9, 7, 59, 59, tzinfo=UTC),
    datetime(2026, 1, 9, 11, 0, tzinfo=UTC),
    datetime(2026, 1, 9, 18, 29, 59, tzinfo=UTC),
    datetime(2026, 1, 9, 18, 30, tzinfo=UTC),
    datetime(2026, 1, 9, 23, 30, 0, 250_000, tzinfo=UTC),
    datetime(2026, 1, 20, 4, 0, tzinfo=UTC),
    datetime(2026, 1, 31, 12, 30, tzinfo=UTC),
]
LENGTHS = [
    timedelta(),
    timedelta(seconds=1),
    timedelta(seconds=7, microseconds=333_333),
    timedelta(minutes=90),
    timedelta(hours=11),
    timedelta(days=3, seconds=1),
]
# Days and hours of each time band; some hold at one time, some hours no band has.
BANDS: list[list[tuple[list[int], time, time | None]]] = [
    [([1, 2, 3, 4, 5], time(8), time(18))],
    [([1, 2, 3, 4, 5], time(0), time(8)), ([1, 2, 3, 4], time(18), None), ([6, 7, 8], time(2, 30), None)],
    [([5, 6, 7, 8], time(0), None)],
]
HOLIDAYS = [date(2026, 1, 1), date(2026, 1, 10)]
# Price lists: two that customers have, one of a group, the default one, one in another currency.
FIRST, SECOND, OF_GROUP, DEFAULT, FOREIGN = range(5)
CARDS = range(5)
# The price lists of two groups, with their positions.
GROUP_CARDS = [[(OF_GROUP, 2), (FIRST, 3)], [(SECOND, 2)]]
NO_LIMIT: tuple[Decimal | None, Decimal | None] = (None, None)

Terms = dict[str, Any]


@dataclass(frozen=True)
class DrawnCard:
    timezone: str
    holiday_country: str
    band_rule: str


@dataclass(frozen=True)
class DrawnRate:
    card: int
    product: int
    region: str
    prefix: str
    band: int | None
    terms: Terms
    # From which quantity on at which price.
    tiers: list[tuple[Decimal, Decimal]]
    # Day of January on which this version ends and the next, at another price, begins.
    changes_on: int | None


@dataclass(frozen=True)
class DrawnPrices:
    cards: list[DrawnCard]
    rates: list[DrawnRate]
    # Whether the product's included quantities are prorated, of each product.
    prorated: list[bool]


@dataclass(frozen=True)
class DrawnRecord:
    product: int
    region: str
    destination: str
    service: int
    usage_type: str
    from_date: datetime
    length: timedelta
    days_effective_later: int
    quantity: Decimal
    directive: str
    own_amount: Decimal | None


@dataclass(frozen=True)
class DrawnCustomer:
    timezone: str
    tax_percent: Decimal
    minimum: Decimal | None
    cards: list[int]
    groups: list[int]
    has_earlier_invoice: bool
    # The first days of two subscriptions, and of three services: two of the first, one of the second.
    subscription_starts: list[date]
    service_starts: list[date]
    records: list[DrawnRecord]


def one_of(*texts: str) -> st.SearchStrategy[Decimal]:
    return st.sampled_from([Decimal(text) for text in texts])


currencies = st.sampled_from(["USD", "JPY", "KWD"])
unit_prices = (
    st.decimals(min_value=Decimal("-0.5"), max_value=20, places=18)
    | st.decimals(min_value=0, max_value=1000, places=2)
    | one_of("0", "1e-18", "0.005")
)
quantities = (
    st.decimals(min_value=-10, max_value=10_000, places=18)
    | st.integers(0, 9).map(Decimal)
    | st.integers(0, 300).map(Decimal)
    | one_of("1e-18", "1000000000", "-0.5", "0.0000001453", "60", "-61")
)
terms = st.fixed_dictionaries(
    {
        "unit_price": unit_prices,
        "unit_size": one_of("1", "1", "60", "7", "1024", "0.5", "0.03"),
        "connection_fee": one_of("0", "0", "0.05", "0.333333333333333333"),
        "minimum_quantity": one_of("0", "0", "30", "0.7"),
        "first_increment": st.none() | one_of("60", "30", "0.1"),
        "increment": st.none() | one_of("60", "6", "1", "0.25"),
        "rounding_digits": st.none() | st.none() | st.integers(0, 6) | st.just(18),
        "rounding_mode": st.sampled_from(RoundingMode.values),
    }
)
limits = st.sampled_from(
    [
        NO_LIMIT,
        NO_LIMIT,
        (Decimal("0.5"), None),
        (None, Decimal(10)),
        (Decimal("0.25"), Decimal(3)),
        (Decimal(2), Decimal(2)),
    ]
)
counted_terms = st.fixed_dictionaries(
    {
        "pricing_model": st.sampled_from(PricingModel.values),
        "included_quantity": one_of("0", "0.5", "100", "1000.5"),
        "counted_per": st.sampled_from(CountedPer.values),
    }
)
tiers = st.lists(
    st.tuples(one_of("0.000000000000000001", "5", "100", "333.3", "5000"), unit_prices),
    max_size=3,
    unique_by=lambda tier: tier[0],
)
rules = st.lists(
    st.tuples(
        st.sampled_from(CARDS),
        st.integers(0, 1),
        st.sampled_from(REGIONS[:3]),
        st.sampled_from(PREFIXES),
        st.none() | st.integers(0, len(BANDS) - 1),
    ),
    min_size=8,
    max_size=20,
    unique=True,
)
drawn_cards = st.builds(
    DrawnCard,
    timezone=st.sampled_from(["", "", "America/New_York", "Asia/Kolkata"]),
    holiday_country=st.sampled_from(["", "DE"]),
    band_rule=st.sampled_from(BandRule.values),
)


@st.composite
def prices(draw: st.DrawFn, *, with_counted: bool = True) -> DrawnPrices:
    """Price lists, and prices of some rules, each for a product and maybe a region, a prefix and a time band."""
    cards = draw(st.lists(drawn_cards, min_size=len(CARDS), max_size=len(CARDS)))
    rates = []
    for card, product, region, prefix, band in draw(rules):
        may_count = with_counted and (band is None or cards[card].band_rule == BandRule.START)
        counted = draw(counted_terms) if may_count and draw(st.booleans()) else {}
        is_counted = bool(counted) and (
            counted["pricing_model"] != PricingModel.PER_UNIT or counted["included_quantity"] != 0
        )
        least, most = NO_LIMIT if is_counted else draw(limits)
        has_tiers = counted.get("pricing_model") in {PricingModel.GRADUATED, PricingModel.VOLUME}
        rates.append(
            DrawnRate(
                card=card,
                product=product,
                region=region,
                prefix=prefix,
                band=band,
                terms=draw(terms) | counted | {"minimum_charge": least, "maximum_charge": most},
                tiers=draw(tiers) if has_tiers else [],
                changes_on=draw(st.none() | st.sampled_from([9, 10, 20])),
            )
        )
    return DrawnPrices(cards, rates, draw(st.lists(st.booleans(), min_size=2, max_size=2)))


records = st.lists(
    st.builds(
        DrawnRecord,
        product=st.integers(0, 1),
        region=st.sampled_from(REGIONS),
        destination=st.sampled_from(DESTINATIONS),
        service=st.integers(0, 2),
        usage_type=st.sampled_from(["Call", "call", "Data"]),
        from_date=st.sampled_from(INSTANTS),
        length=st.sampled_from(LENGTHS),
        days_effective_later=st.integers(0, 2),
        quantity=quantities,
        directive=st.sampled_from([*BillingDirective.values, *[BillingDirective.TO_BE_BILLED.value] * 3]),
        own_amount=st.none() | st.none() | st.none() | st.decimals(min_value=-5, max_value=50, places=18),
    ),
    min_size=6,
    max_size=24,
)
starts = st.sampled_from([date(2020, 1, 1), date(2025, 12, 25), date(2026, 1, 1), date(2026, 1, 9), date(2026, 1, 31)])
customers = st.builds(
    DrawnCustomer,
    timezone=st.sampled_from(["UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"]),
    tax_percent=st.sampled_from([Decimal(0), Decimal(19), Decimal("7.7125")]),
    minimum=st.none() | st.sampled_from([Decimal(0), Decimal(25)]),
    cards=st.permutations([FIRST, SECOND, FOREIGN]).flatmap(lambda cards: st.integers(0, 3).map(lambda n: cards[:n])),
    groups=st.sampled_from([[], [0], [1], [0, 1]]),
    has_earlier_invoice=st.booleans(),
    subscription_starts=st.lists(starts, min_size=2, max_size=2),
    service_starts=st.lists(starts, min_size=3, max_size=3),
    records=records,
)
# A customer who is billed whatever it comes to.
always_billed = customers.map(lambda drawn: DrawnCustomer(**(vars(drawn) | {"minimum": Decimal(0)})))
numbers = itertools.count(1)
