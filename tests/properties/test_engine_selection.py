from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from hypothesis import event, given
from hypothesis import strategies as st

from catalog.engine.bands import band_holds
from catalog.engine.rates import Card, Rate
from catalog.engine.selection import Use, select_rate
from tests.properties.engine_drawn import START, bands, uses

CARDS = [Card(id=1, name="A"), Card(id=2, name="B", timezone="Asia/Kolkata"), Card(id=3, name="C")]
offered = st.builds(
    Rate,
    id=st.integers(1, 99),
    card_id=st.integers(1, 3),
    card_name=st.just("C"),
    product=st.sampled_from(["P", "P", "P", "Q"]),
    region=st.sampled_from(["", "", "EU", "US"]),
    destination_prefix=st.sampled_from(["", "", "4", "44", "4477", "1"]),
    band=st.none() | st.none() | bands,
    unit_price=st.just(Decimal(1)),
    start_date=st.sampled_from([date(2020, 1, 1), date(2025, 1, 1), START, date(2026, 1, 20)]),
    end_date=st.none() | st.none() | st.sampled_from([date(2026, 1, 21), date(2026, 2, 1)]),
)


def beats(one: Rate, other: Rate, region: str) -> bool:
    """Whether of two rates of a card that match the first is the more specific."""
    ranks = [
        (
            (rate.region == region) * 1,
            len(rate.destination_prefix),
            (rate.band is not None) * 1,
            rate.start_date,
            rate.id,
        )
        for rate in (one, other)
    ]
    return ranks[0] > ranks[1]


@given(
    st.permutations(CARDS),
    st.lists(offered, min_size=5, max_size=16, unique_by=lambda rate: rate.id),
    st.builds(
        replace,
        uses,
        region=st.sampled_from(["", "EU"]),
        destination=st.sampled_from(["", "447700900123", "+4477", "44", "0044", "1"]),
    ),
    st.randoms(use_true_random=False),
)
def test_the_rate_found_matches_and_no_better_one_exists(
    cards: list[Card], rates: list[Rate], use: Use, random: Random
) -> None:
    selection = select_rate(cards[:2], rates, use)
    assert select_rate(cards[:2], random.sample(rates, len(rates)), use) == selection
    day = (use.started_at if use.timezone == "UTC" else use.started_at - timedelta(hours=5)).date()
    digits = use.destination.lstrip("+")

    def matching(card: Card) -> list[Rate]:
        return [
            rate
            for rate in rates
            if rate.card_id == card.id
            and rate.product == "P"
            and rate.region in {use.region, ""}
            and digits[: len(rate.destination_prefix)] == rate.destination_prefix
            and rate.start_date <= day < (rate.end_date or date.max)
            and (rate.band is None or band_holds(rate.band, card, use.timezone, use.started_at))
        ]

    first = next((card for card in cards[:2] if matching(card)), None)
    event("found" if first else "none found")
    assert selection.card == first
    if first is None:
        assert selection.rate is None
    else:
        best = [one for one in matching(first) if not any(beats(other, one, use.region) for other in matching(first))]
        assert [selection.rate] == best
    assert {candidate.rate.id for candidate in selection.candidates if not candidate.verdict} == (
        {selection.rate.id} if selection.rate else set()
    )
