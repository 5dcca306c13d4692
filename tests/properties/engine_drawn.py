"""Rates of all terms, time bands and uses for properties of the pricing engine, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from catalog.engine.rates import Band, Hours, Rate, Tier
from catalog.engine.selection import TO_BE_BILLED, TO_BE_CREDITED, Use

START = date(2026, 1, 1)
quantities = st.decimals(min_value=0, max_value=Decimal("1e12"), places=9)
small = st.decimals(min_value=Decimal("0.001"), max_value=1000, places=3)
prices = st.decimals(min_value=Decimal(-1000), max_value=Decimal(1000), places=9)
sizes = st.sampled_from([Decimal(1), Decimal(7), Decimal(60), Decimal(1000), Decimal("0.5")])
roundings = st.tuples(st.none() | st.integers(0, 6), st.sampled_from(["halfUp", "halfEven", "up", "down"]))
signs = st.sampled_from([TO_BE_BILLED, TO_BE_CREDITED])
times = st.integers(0, 23 * 60 + 59).map(lambda minute: time(minute // 60, minute % 60))


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    start, end = sorted(draw(st.lists(times, min_size=2, max_size=2, unique=True)))
    days = draw(st.sampled_from([range(1, 9), range(1, 6), range(6, 9)]) | st.sets(st.integers(1, 8), min_size=1))
    return Hours(frozenset(days), draw(st.sampled_from([start, time(0)])), draw(st.sampled_from([end, None])))


bands = st.builds(
    Band, id=st.integers(1, 99), name=st.just("band"), hours=st.lists(hours(), min_size=1, max_size=3).map(tuple)
)


@st.composite
def days_in_bands(draw: st.DrawFn) -> list[Band]:
    """Bands that follow each other from midnight to midnight, not all of them on all days; and one of any hours."""
    between = sorted(draw(st.lists(times, min_size=1, max_size=3, unique=True)))
    days = st.sampled_from([range(1, 9), range(1, 9), range(1, 6), [1, 3, 5, 6, 7]])
    slices = zip([time(0), *between], [*between, None], strict=True)
    made = [(Hours(frozenset(draw(days)), start, end),) for start, end in slices if start != end]
    return [Band(number, "band", of_band) for number, of_band in enumerate(made, start=1)] + draw(
        st.lists(bands, max_size=1)
    )


plain_rates = st.builds(
    Rate,
    id=st.integers(1, 99),
    card_id=st.just(1),
    card_name=st.just("A"),
    product=st.just("P"),
    unit_price=prices,
    unit_size=sizes,
    start_date=st.just(START),
    connection_fee=st.sampled_from([Decimal(0), Decimal("0.05"), Decimal("0.333")]),
    minimum_quantity=st.sampled_from([Decimal(0), Decimal(30), Decimal("0.7")]),
    first_increment=st.none() | small,
    increment=st.none() | small,
)
tiers = st.lists(st.builds(Tier, small, prices), max_size=4, unique_by=lambda tier: tier.from_quantity).map(
    lambda found: tuple(sorted(found, key=lambda tier: tier.from_quantity))
)


@st.composite
def counted_rates(draw: st.DrawFn) -> Rate:
    digits, mode = draw(roundings)
    return replace(
        draw(plain_rates),
        pricing_model=draw(st.sampled_from(["perUnit", "graduated", "volume", "package"])),
        included_quantity=draw(st.sampled_from([Decimal("0.5"), Decimal(100), Decimal(2000)])),
        tiers=draw(tiers),
        rounding_digits=digits,
        rounding_mode=mode,
    )


uses = st.builds(
    Use,
    product=st.just("P"),
    started_at=st.tuples(st.integers(0, 40), st.integers(0, 86399)).map(
        lambda passed: datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=passed[0], seconds=passed[1])
    ),
    timezone=st.sampled_from(["UTC", "America/New_York"]),
    quantity=st.decimals(min_value=-500, max_value=3000, places=6) | st.integers(0, 3).map(Decimal),
    directive=signs,
)
