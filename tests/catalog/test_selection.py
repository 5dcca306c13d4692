from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from catalog.engine.rates import Card, Rate
from catalog.engine.selection import Selection, Use, counted_month, digits_of, select_rate, used_on
from tests.catalog.engine_prices import CARD, OFF_PEAK, PEAK, rate, use

OTHER_CARD = Card(id=2, name="Wholesale")
# 15 January 2026 is a Thursday.
AT_NOON, IN_THE_EVENING = "2026-01-15T12:00", "2026-01-15T20:00"


def found(rates: Sequence[Rate], used: Use | None = None, cards: Sequence[Card] = (CARD,)) -> Rate | None:
    return select_rate(cards, rates, used or use()).rate


def verdicts(selection: Selection) -> dict[int, str]:
    """Why each rate that was looked at lost, by its id; "" for the one that won."""
    return {candidate.rate.id: candidate.verdict for candidate in selection.candidates}


def test_the_first_card_with_a_rate_wins_however_general_its_rate_is() -> None:
    general, exact = rate(id=1), rate(id=2, card_id=2, region="EU")
    rates = [exact, general]
    assert found(rates, use(region="EU"), [CARD, OTHER_CARD]) == general
    assert found(rates, use(region="EU"), [OTHER_CARD, CARD]) == exact
    assert found(rates, use(region="US"), [OTHER_CARD, CARD]) == general
    assert found(rates, use(region="US"), [OTHER_CARD]) is None
    # A card that a customer has twice, as its own and by a group, counts where it is first.
    assert found(rates, use(region="EU"), [CARD, OTHER_CARD, CARD]) == general


def test_a_card_is_passed_over_whose_rate_does_not_hold_then() -> None:
    in_the_day, always = rate(id=1, band=PEAK), rate(id=2, card_id=2)
    selection = select_rate([CARD, OTHER_CARD], [in_the_day, always], use(at=IN_THE_EVENING))
    assert (selection.rate, selection.card) == (always, OTHER_CARD)
    assert selection.explanation[0] == "Rate card Wholesale, the customer's second: no rate for this use in Retail."


def test_the_exact_region_wins_over_a_longer_prefix() -> None:
    in_eu, mobile = rate(id=1, region="EU"), rate(id=2, destination_prefix="4477")
    assert found([in_eu, mobile], use(region="EU", destination="447700900123")) == in_eu
    assert found([in_eu, mobile], use(destination="447700900123")) == mobile


def test_the_longest_prefix_wins_over_a_time_band() -> None:
    in_the_day, mobile = rate(id=1, destination_prefix="44", band=PEAK), rate(id=2, destination_prefix="4477")
    everywhere = rate(id=3)
    rates = [everywhere, in_the_day, mobile]
    assert found(rates, use(at=AT_NOON, destination="447700900123")) == mobile
    assert found(rates, use(at=AT_NOON, destination="442079460000")) == in_the_day
    assert found(rates, use(at=IN_THE_EVENING, destination="442079460000")) == everywhere


def test_a_time_band_wins_over_a_later_version_without_one() -> None:
    in_the_day, newer = rate(id=1, band=PEAK), rate(id=2, start_date=date(2026, 1, 10))
    assert found([in_the_day, newer], use(at=AT_NOON)) == in_the_day
    assert found([in_the_day, newer], use(at=IN_THE_EVENING)) == newer


def test_the_version_that_started_last_wins_then_the_higher_id() -> None:
    older, newer = rate(id=9, start_date=date(2025, 1, 1)), rate(id=8)
    assert found([older, newer]) == newer
    # Two bands that overlap: nothing but the order of writing is left.
    assert found([rate(id=3, band=PEAK), rate(id=4, band=replace(PEAK, id=5))], use(at=AT_NOON)) == rate(
        id=4, band=replace(PEAK, id=5)
    )


def test_another_product_or_destination_has_another_price() -> None:
    mobile = rate(destination_prefix="4477")
    assert found([mobile], use(product="CALL-FR", destination="447700900123")) is None
    assert found([mobile], use(destination="442079460000")) is None
    assert found([mobile], use()) is None


@pytest.mark.parametrize(
    ("destination", "digits"),
    [
        ("+447700900123", "447700900123"),
        ("447700900123", "447700900123"),
        ("++44", "+44"),
        ("", ""),
        ("sip:44", "sip:44"),
    ],
)
def test_one_plus_sign_is_taken_off_a_destination(destination: str, digits: str) -> None:
    assert digits_of(destination) == digits


def test_a_prefix_is_matched_as_far_as_a_destination_begins_with_it() -> None:
    mobile, everywhere = rate(id=1, destination_prefix="4477"), rate(id=2)
    matched = {
        destination: found([mobile, everywhere], use(destination=destination))
        for destination in (
            "+447700900123",
            "4477",
            "4477-00",
            "447",
            "44 77",
            "0044 77",
            "sip:4477@example.org",
            "++4477",
        )
    }
    assert [destination for destination, by in matched.items() if by == mobile] == ["+447700900123", "4477", "4477-00"]
    assert set(matched.values()) == {mobile, everywhere}


def test_a_rate_holds_from_its_first_day_and_before_its_end() -> None:
    january = rate(end_date=date(2026, 2, 1))
    days = ("2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01")
    assert [found([january], use(at=f"{day}T12:00")) for day in days] == [None, january, january, None]


def test_the_day_of_a_use_is_that_of_its_start_in_the_customers_time_zone() -> None:
    # 11:30 UTC on New Year's Eve is 00:30 on New Year's Day in Auckland.
    instant = use(at="2025-12-31T11:30").started_at
    in_auckland, in_london = (
        replace(use(), started_at=instant, timezone=timezone) for timezone in ("Pacific/Auckland", "Europe/London")
    )
    assert (used_on(in_auckland), used_on(in_london)) == (date(2026, 1, 1), date(2025, 12, 31))
    assert (counted_month(in_auckland), counted_month(in_london)) == (date(2026, 1, 1), date(2025, 12, 1))
    # Whatever the zone of the card's hours is.
    card = replace(CARD, timezone="America/New_York")
    assert found([rate()], in_auckland, [card]) == rate()
    assert found([rate()], in_london, [card]) is None


def test_it_is_said_why_a_rate_won() -> None:
    chosen = rate(id=17, region="EU", destination_prefix="4477", destination_name="UK mobile", band=PEAK)
    rates = [
        chosen,
        rate(id=12, region="EU", destination_prefix="44"),
        rate(id=13, destination_prefix="44770"),
        rate(id=14, region="EU", destination_prefix="4477"),
        rate(id=15, region="EU", destination_prefix="4477", band=OFF_PEAK),
        rate(id=16, region="EU", destination_prefix="4477", band=PEAK, end_date=date(2026, 1, 10)),
        rate(id=18, region="EU", destination_prefix="4477", start_date=date(2026, 2, 1)),
        rate(id=19, card_id=2),
    ]
    selection = select_rate([CARD, OTHER_CARD], rates, use(at=AT_NOON, region="EU", destination="+447700900123"))
    assert selection.explanation == (
        "Rate card Retail, the customer's first.",
        "Rate 17: CALL-DE to 4477 (UK mobile), in EU, Peak, from 2026-01-01.",
        "Peak holds on Thursday 2026-01-15 12:00 (UTC).",
        "Rate 15 is for Off-peak, which does not hold on Thursday 2026-01-15 12:00 (UTC).",
        "The time band Peak wins over every hour (rate 14).",
        "The longer prefix 4477 wins over 44 (rate 12).",
        "The exact region EU wins over every region (rate 13).",
    )
    assert verdicts(selection) == {
        17: "",
        16: "Rate 16 holds before 2026-01-10 only, the use is of 2026-01-15.",
        15: "Rate 15 is for Off-peak, which does not hold on Thursday 2026-01-15 12:00 (UTC).",
        18: "Rate 18 holds from 2026-02-01 on only, the use is of 2026-01-15.",
        14: "The time band Peak wins over every hour (rate 14).",
        12: "The longer prefix 4477 wins over 44 (rate 12).",
        13: "The exact region EU wins over every region (rate 13).",
        19: "The card Retail comes before Wholesale.",
    }
    assert [candidate.rate.id for candidate in selection.candidates if candidate.is_chosen] == [17]


def test_it_is_said_which_of_two_rates_of_one_band_won() -> None:
    older, newer = rate(id=5, start_date=date(2025, 1, 1)), rate(id=4)
    assert select_rate([CARD], [older, newer], use()).explanation[-1] == (
        "The later start 2026-01-01 wins over 2025-01-01 (rate 5)."
    )
    twin = rate(id=6, band=PEAK)
    assert select_rate([CARD], [twin, rate(id=3, band=replace(PEAK, id=9))], use(at=AT_NOON)).explanation[-1] == (
        "The rate that was written later wins over rate 3."
    )


def test_it_is_said_that_and_why_there_is_no_rate() -> None:
    at_night = rate(id=4, band=OFF_PEAK, destination_prefix="44")
    selection = select_rate([CARD, OTHER_CARD], [at_night], use(at=AT_NOON, destination="+4420"))
    assert (selection.rate, selection.card) == (None, None)
    assert selection.explanation == (
        "No rate for CALL-DE to +4420, without a region, on 2026-01-15 in the rate cards Retail, Wholesale.",
        "Rate 4 is for Off-peak, which does not hold on Thursday 2026-01-15 12:00 (UTC).",
    )
    assert select_rate([], [at_night], use(region="EU")).explanation == (
        "No rate for CALL-DE, in EU, on 2026-01-15 in no rate card.",
    )
