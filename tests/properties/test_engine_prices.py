"""Rules of prices that hold whatever the terms are."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import event, given
from hypothesis import strategies as st

from catalog.engine.counted import Count, cumulative_amount, rounded
from catalog.engine.money import exact_sum, with_sign_of
from catalog.engine.pricing import price_use
from catalog.engine.quantities import billed_quantity, included_in_month
from catalog.engine.rates import Band, Card, Rate
from catalog.engine.selection import TO_BE_BILLED, TO_BE_CREDITED, Use, select_rate
from tests.properties.engine_drawn import (
    START,
    counted_rates,
    days_in_bands,
    plain_rates,
    prices,
    quantities,
    roundings,
    sizes,
    uses,
)

CARDS = [Card(id=1, name="A")]
SPLIT = Card(id=1, name="A", timezone="Europe/Berlin", band_rule="split", holidays=frozenset({START}))


@given(plain_rates, quantities)
def test_what_is_billed_is_a_step_and_no_more_than_one_beyond_the_quantity(rate: Rate, quantity: Decimal) -> None:
    billed = billed_quantity(quantity, rate)
    assert billed_quantity(quantity.copy_negate(), rate) == with_sign_of(Decimal(-1), billed)
    if not quantity:
        assert billed == 0
        return
    least = max(quantity, rate.minimum_quantity)
    first = rate.first_increment or rate.increment or Decimal(0)
    assert billed >= max(least, first)
    if billed > first:
        further = rate.increment if rate.increment is not None else Decimal(0)
        assert Fraction(billed) - Fraction(least) < Fraction(further) or billed == least
        if further:
            assert ((Fraction(billed) - Fraction(first)) / Fraction(further)).denominator == 1


@given(plain_rates, quantities, roundings, st.integers(0, 1))
def test_a_credit_is_what_the_charge_was(
    rate: Rate, quantity: Decimal, rounding: tuple[int | None, str], is_capped: int
) -> None:
    by = replace(
        rate,
        rounding_digits=rounding[0],
        rounding_mode=rounding[1],
        minimum_charge=Decimal("0.1") if is_capped else None,
        maximum_charge=Decimal(50) if is_capped else None,
    )
    used = Use("P", datetime(2026, 1, 1, tzinfo=UTC), "UTC", quantity)
    selection = select_rate(CARDS, [by], used)
    charged, credited = (
        price_use(replace(used, directive=directive), selection) for directive in (TO_BE_BILLED, TO_BE_CREDITED)
    )
    for pair in ("quantity", "billed_quantity", "amount"):
        assert exact_sum([getattr(charged, pair), getattr(credited, pair)]) == 0


@given(quantities, prices, sizes)
def test_the_amount_is_the_exact_quotient_to_half_of_its_last_decimal(
    quantity: Decimal, unit_price: Decimal, unit_size: Decimal
) -> None:
    rate = Rate(1, 1, "A", "P", unit_price, START, unit_size=unit_size)
    used = Use("P", datetime(2026, 1, 1, tzinfo=UTC), "UTC", quantity)
    amount = price_use(used, select_rate(CARDS, [rate], used)).amount
    exact = Fraction(quantity) * Fraction(unit_price) / Fraction(unit_size)
    assert abs(Fraction(amount) - exact) <= Fraction(1, 2 * 10**18)


def month_of(rate: Rate, runs: list[list[Use]]) -> Decimal:
    """What the uses of a month come to, charged in runs of which each goes on from what is charged."""
    counted = charged = Decimal(0)
    for run in runs:
        before, total = counted, exact_sum([counted, *(billed_of(use, rate) for use in run)])
        for place, use in enumerate(run):
            selection = select_rate(CARDS, [rate], use)
            charged_before = without_fees(charged, rate, runs, run) if place == 0 else None
            priced = price_use(
                use, selection, count=Count(counted, total, rate.included_quantity, charged_before=charged_before)
            )
            charged = exact_sum([charged, priced.amount])
            counted = exact_sum([counted, priced.billed_quantity])
        assert (counted, before) == (total, before)
    return charged


def billed_of(use: Use, rate: Rate) -> Decimal:
    sign = Decimal(-1 if use.directive == TO_BE_CREDITED else 1)
    return billed_quantity(with_sign_of(sign, use.quantity), rate)


def fees(uses_of_month: list[Use], rate: Rate) -> Decimal:
    fee = rounded(rate.connection_fee, rate)
    return exact_sum(with_sign_of(billed, fee) for use in uses_of_month if (billed := billed_of(use, rate)))


def without_fees(charged: Decimal, rate: Rate, runs: list[list[Use]], run: list[Use]) -> Decimal:
    earlier = [use for one in runs[: next(n for n, other in enumerate(runs) if other is run)] for use in one]
    return exact_sum([charged, fees(earlier, rate).copy_negate()])


@given(counted_rates(), st.lists(uses, min_size=1, max_size=8), st.integers(0, 8), st.randoms(use_true_random=False))
def test_a_months_charges_are_the_price_of_their_sum_in_any_order_and_any_runs(
    rate: Rate, of_month: list[Use], cut: int, random: Random
) -> None:
    total = exact_sum(billed_of(use, rate) for use in of_month)
    price = cumulative_amount(rate, total, total=total, included=rate.included_quantity)
    expected = exact_sum([price, fees(of_month, rate)])
    assert month_of(rate, [of_month]) == expected
    shuffled = random.sample(of_month, len(of_month))
    assert month_of(rate, [shuffled]) == expected
    runs = [run for run in (shuffled[:cut], shuffled[cut:]) if run]
    event(f"{len(runs)} runs")
    assert month_of(rate, runs) == expected


@given(counted_rates(), quantities, quantities)
def test_more_costs_what_is_between_and_credits_cost_the_same_with_the_opposite_sign(
    rate: Rate, first: Decimal, second: Decimal
) -> None:
    def cost(quantity: Decimal) -> Decimal:
        return cumulative_amount(rate, quantity, total=quantity, included=rate.included_quantity)

    assert cost(first.copy_negate()) == with_sign_of(Decimal(-1), cost(first))
    # By prices that are not below zero more does not cost less, but for a price by volume that falls.
    if rate.pricing_model != "volume" and min([rate.unit_price, *(tier.unit_price for tier in rate.tiers)]) >= 0:
        low, high = sorted([first, second])
        assert cost(low) <= cost(high)


@given(
    days_in_bands(),
    st.lists(plain_rates, min_size=5, max_size=5),
    uses,
    st.sampled_from([0, 1, 3_600_000_001, 7_201_000_000, 40_000_000_000, 86_400_000_000, 250_000_000_333]),
)
def test_the_parts_of_a_use_follow_each_other_and_add_up_to_what_is_billed(
    drawn: list[Band], terms: list[Rate], use: Use, microseconds: int
) -> None:
    rates = [replace(rate, id=number, band=band) for number, (band, rate) in enumerate(zip(drawn, terms, strict=False))]
    ended_at = use.started_at + timedelta(microseconds=microseconds)
    used = replace(use, quantity=use.quantity or Decimal(1), ended_at=ended_at)
    selection = select_rate([SPLIT], rates, used)
    if selection.rate is None:
        event("no rate")
        return
    priced = price_use(used, selection, rates=rates)
    event(f"{min(len(priced.parts), 3)} parts or more")
    if not priced.parts:
        return
    assert [priced.parts[0].started_at, priced.parts[-1].ended_at] == [used.started_at, used.ended_at]
    assert exact_sum(part.quantity for part in priced.parts) == priced.billed_quantity.copy_abs()
    for part, following in zip(priced.parts, priced.parts[1:], strict=False):
        assert part.ended_at == following.started_at
        assert part.rate != following.rate
    # At any minute the rate of its part is the one that a use starting then would have.
    minutes = range(0, microseconds // 60_000_000, 37)
    for moment in (used.started_at + timedelta(minutes=minute) for minute in minutes):
        part = next(part for part in priced.parts if part.started_at <= moment < part.ended_at)
        assert part.rate == (select_rate([SPLIT], rates, used, at=moment).rate or selection.rate)


@given(quantities, st.dates(date(2025, 1, 1), date(2028, 12, 31)))
def test_what_is_left_of_an_included_quantity_falls_by_the_day(included: Decimal, start: date) -> None:
    month = start.replace(day=1)
    left = included_in_month(included, month, start, is_prorated=True)
    assert 0 <= left <= included
    if (start + timedelta(days=1)).month == start.month:
        later = included_in_month(included, month, start + timedelta(days=1), is_prorated=True)
        assert later <= left
    following = (month + timedelta(days=31)).replace(day=1)
    assert included_in_month(included, following, start, is_prorated=True) == included
