"""Uses that a card splits where one time band ends and another begins."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time
from decimal import Decimal

from catalog.engine.pricing import PricedUse
from catalog.engine.rates import Band, Hours, Rate
from catalog.engine.selection import TO_BE_CREDITED, Use
from tests.catalog import engine_prices
from tests.catalog.engine_prices import CARD, OFF_PEAK, PEAK, figures, rate, shares, use

ALL_DAYS = frozenset(range(1, 9))
SPLIT = replace(CARD, band_rule="split")
# Per minute, of calls in seconds.
BY_DAY = rate(id=1, band=PEAK, unit_price="0.12", unit_size=60)
BY_NIGHT = rate(id=2, band=OFF_PEAK, unit_price="0.06", unit_size=60)
RATES = (BY_DAY, BY_NIGHT)


def priced(used: Use, rates: Sequence[Rate] = RATES, **card: object) -> PricedUse:
    return engine_prices.priced(used, rates, card=replace(SPLIT, **card))  # type: ignore[arg-type]  # fields of a card


def test_a_call_is_split_at_the_border_of_a_band() -> None:
    # 60 s by day: 60 x 0.12 / 60 = 0.12; 30 s by night: 30 x 0.06 / 60 = 0.03. 15 January 2026 is a Thursday.
    call = priced(use(90, at="2026-01-15T17:59:00", until="2026-01-15T18:00:30", unit="s"))
    assert shares(call) == [(1, 60), (2, 30)]
    assert (call.amount, call.rate) == (Decimal("0.15"), BY_DAY)
    assert call.explanation[-3:] == (
        "2026-01-15 17:59:00 to 18:00:00, Peak (rate 1): 60 s x 0.12 / 60 = 0.12.",
        "2026-01-15 18:00:00 to 18:00:30, Off-peak (rate 2): 30 s x 0.06 / 60 = 0.03.",
        "Amount: 0.15.",
    )


def test_a_card_that_goes_by_the_start_does_not_split() -> None:
    # 90 x 0.12 / 60 = 0.18
    call = priced(use(90, at="2026-01-15T17:59:00", until="2026-01-15T18:00:30"), band_rule="start")
    assert (call.parts, call.amount) == ((), Decimal("0.18"))


def test_the_increments_of_the_start_are_added_to_the_last_part() -> None:
    # 90 s are billed as 120 s: 60 s by day, and 60 s, the 30 s left of the call and what was added, by night.
    by_day, by_night = replace(BY_DAY, increment=Decimal(60)), replace(BY_NIGHT, increment=Decimal(1000))
    call = priced(use(90, at="2026-01-15T17:59:00", until="2026-01-15T18:00:30"), [by_day, by_night])
    assert shares(call) == [(1, 60), (2, 60)]
    # 60 x 0.12 / 60 + 60 x 0.06 / 60
    assert figures(call) == (90, 120, Decimal("0.18"))


def test_fee_rounding_and_limits_are_those_of_the_start() -> None:
    by_day = replace(BY_DAY, connection_fee=Decimal("0.0512"), rounding_digits=2)
    by_night = replace(BY_NIGHT, connection_fee=Decimal(9), rounding_digits=0, minimum_charge=Decimal(50))
    call = use(90, at="2026-01-15T17:59:00", until="2026-01-15T18:00:30")
    # 0.12 + 0.03 + 0.0512 = 0.2012
    assert priced(call, [by_day, by_night]).amount == Decimal("0.20")
    assert priced(call, [replace(by_day, maximum_charge=Decimal("0.19")), by_night]).amount == Decimal("0.19")


def test_a_call_over_two_borders_has_three_parts() -> None:
    # 7:59 to 18:01 on a Thursday: 60 s by night, 600 min = 36,000 s by day, 60 s by night.
    call = priced(use(36120, at="2026-01-15T07:59", until="2026-01-15T18:01"))
    assert shares(call) == [(2, 60), (1, 36000), (2, 60)]
    # 0.06 + 600 x 0.12 + 0.06
    assert call.amount == Decimal("72.12")


def test_midnight_is_a_border_where_the_next_day_has_other_hours() -> None:
    # Friday 23:59 to Saturday 00:02.
    week = Band(1, "Week", (Hours(frozenset({1, 2, 3, 4, 5}), time(0), None),))
    weekend = Band(2, "Weekend", (Hours(frozenset({6, 7}), time(0), None),))
    rates = [replace(BY_DAY, band=week), replace(BY_NIGHT, band=weekend)]
    call = priced(use(180, at="2026-01-16T23:59", until="2026-01-17T00:02"), rates)
    assert shares(call) == [(1, 60), (2, 120)]
    # 0.12 + 2 x 0.06
    assert call.amount == Decimal("0.24")


def test_neighbours_with_one_rate_are_one_part() -> None:
    # Off-peak goes on over midnight: 21:00 to 07:00 is of one rate, 10 x 60 x 0.06.
    call = priced(use(36000, at="2026-01-15T21:00", until="2026-01-16T07:00"))
    assert (call.parts, call.amount) == ((), Decimal(36))


def test_a_holiday_begins_at_midnight_of_the_cards_zone() -> None:
    # 23:59 to 00:01 in Berlin, New Year's Eve, Wednesday; customer in UTC. By day all week, but not on holidays.
    week = Band(1, "Week", (Hours(frozenset(range(1, 8)), time(0), None),))
    holiday = Band(2, "Holiday", (Hours(frozenset({8}), time(0), None),))
    rates = [
        replace(BY_DAY, band=week, start_date=date(2025, 1, 1)),
        replace(BY_NIGHT, band=holiday, start_date=date(2025, 1, 1)),
    ]
    call = use(120, at="2025-12-31T22:59", until="2025-12-31T23:01")
    split = priced(call, rates, timezone="Europe/Berlin", holidays=frozenset({date(2026, 1, 1)}))
    assert shares(split) == [(1, 60), (2, 60)]


def test_versions_are_those_of_the_day_of_the_start() -> None:
    # From 16 January on nights cost 1; the call started on the 15th.
    old = replace(BY_NIGHT, end_date=date(2026, 1, 16))
    new = replace(BY_NIGHT, id=3, unit_price=Decimal(1), start_date=date(2026, 1, 16))
    call = use(43200, at="2026-01-15T17:00", until="2026-01-16T05:00")
    assert shares(priced(call, [BY_DAY, old, new])) == [(1, 3600), (2, 39600)]


def test_where_no_rate_holds_the_start_prices_on() -> None:
    call = use(90, at="2026-01-15T17:59:00", until="2026-01-15T18:00:30")
    assert priced(call, [BY_DAY]).parts == ()
    # A rate for every hour prices what follows, but not where its price is counted.
    always = rate(id=3, unit_price="0.06", unit_size=60)
    assert shares(priced(call, [BY_DAY, always])) == [(1, 60), (3, 30)]
    counted = replace(always, included_quantity=Decimal(100))
    assert priced(call, [BY_DAY, counted]).parts == ()
    # Nor a rate of another region, product or card.
    others = [rate(id=4, region="EU"), rate(id=5, product="CALL-FR"), rate(id=6, card_id=2)]
    assert priced(call, [BY_DAY, *others]).parts == ()


def test_a_start_by_a_rate_for_every_hour_is_not_split() -> None:
    # 18:00 to 8:00 has no band of its own here: it starts by the rate for every hour.
    always = rate(id=3, unit_price="0.06", unit_size=60)
    call = priced(use(120, at="2026-01-15T07:59", until="2026-01-15T08:01"), [BY_DAY, always])
    # 120 x 0.06 / 60
    assert (call.parts, call.amount) == ((), Decimal("0.12"))


def test_parts_are_shares_of_time_to_18_decimals_and_the_last_has_the_rest() -> None:
    # 1 over 3 s, 1 s by day: 0.333333333333333333, and 0.666666666666666667 by night.
    call = priced(use(1, at="2026-01-15T17:59:59", until="2026-01-15T18:00:02"))
    assert shares(call) == [(1, Decimal("0.333333333333333333")), (2, Decimal("0.666666666666666667"))]
    # Microseconds count: 0.5 s of 2 s.
    short = priced(use(4, at="2026-01-15T17:59:59.500000", until="2026-01-15T18:00:01.500000"))
    assert shares(short) == [(1, 1), (2, 3)]


def test_a_credited_call_is_split_as_it_was_charged() -> None:
    call = use(90, at="2026-01-15T17:59:00", until="2026-01-15T18:00:30", directive=TO_BE_CREDITED)
    assert priced(call).amount == Decimal("-0.15")
    assert shares(priced(call)) == [(1, 60), (2, 30)]
    below_zero = priced(use(-90, at="2026-01-15T17:59:00", until="2026-01-15T18:00:30"))
    assert below_zero.amount == Decimal("-0.15")
    assert shares(below_zero) == [(1, 60), (2, 30)]


def test_a_use_of_more_than_31_days_is_priced_by_its_start() -> None:
    a_month = use(60, at="2026-01-15T17:00:00", until="2026-02-15T17:00:00")
    assert len(priced(a_month).parts) > 1
    # 60 x 0.12 / 60
    longer = priced(use(60, at="2026-01-15T17:00:00", until="2026-02-15T17:00:01"))
    assert (longer.parts, longer.amount) == ((), Decimal("0.12"))


def test_a_use_without_a_length_or_of_nothing_is_not_split() -> None:
    assert priced(use(90, at="2026-01-15T17:59:00", until="2026-01-15T17:59:00")).parts == ()
    assert priced(use(90, at="2026-01-15T17:59:00")).parts == ()
    assert priced(use(0, at="2026-01-15T17:59:00", until="2026-01-15T18:00:30")).amount == 0


def test_a_night_in_which_clocks_are_put_back_has_its_hours_twice() -> None:
    # 25 October 2026 in Berlin: 1:30 (23:30 UTC) to 3:30 (02:30 UTC) are three hours. Night is until half past two:
    # 1 h, then half an hour after it; at 3:00 it is 2:00 again: half an hour of night, then an hour after it.
    night = Band(1, "Night", (Hours(ALL_DAYS, time(0), time(2, 30)),))
    after = Band(2, "After", (Hours(ALL_DAYS, time(2, 30), None),))
    rates = [replace(BY_DAY, band=night), replace(BY_NIGHT, band=after)]
    call = use(10800, at="2026-10-24T23:30", until="2026-10-25T02:30")
    split = priced(call, rates, timezone="Europe/Berlin")
    assert shares(split) == [(1, 3600), (2, 1800), (1, 1800), (2, 3600)]
    # 60 x 0.12 + 30 x 0.06 + 30 x 0.12 + 60 x 0.06 = 7.20 + 1.80 + 3.60 + 3.60
    assert split.amount == Decimal("16.20")


def test_a_night_in_which_clocks_are_put_forward_has_none_of_the_hour_left_out() -> None:
    # 29 March 2026 in Berlin: 1:30 (00:30 UTC) to 3:30 (01:30 UTC) is one hour; 2:00 to 3:00 is left out.
    night = Band(1, "Night", (Hours(ALL_DAYS, time(0), time(2, 30)),))
    after = Band(2, "After", (Hours(ALL_DAYS, time(2, 30), None),))
    rates = [replace(BY_DAY, band=night), replace(BY_NIGHT, band=after)]
    call = use(3600, at="2026-03-29T00:30", until="2026-03-29T01:30")
    assert shares(priced(call, rates, timezone="Europe/Berlin")) == [(1, 1800), (2, 1800)]
