from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from catalog.engine.money import (
    ROUNDING_MODES,
    allocate_largest_remainder,
    exact_sum,
    round_amount,
    round_half_up,
    round_quotient,
)

# What numeric(38, 18) holds.
amounts = st.decimals(min_value=Decimal("-9e19"), max_value=Decimal("9e19"), places=18)
minor_units = st.sampled_from([0, 2, 3, 4])


@given(amounts, st.integers(0, 18), st.sampled_from(sorted(ROUNDING_MODES)))
def test_rounding_is_symmetric_idempotent_and_within_one_unit(amount: Decimal, digits: int, mode: str) -> None:
    rounded = round_amount(amount, digits, mode)
    assert round_amount(amount.copy_negate(), digits, mode) == rounded.copy_negate()
    assert round_amount(rounded, digits, mode) == rounded
    assert abs(Fraction(rounded) - Fraction(amount)) < Fraction(1, 10**digits)
    assert not (rounded.is_zero() and rounded.is_signed())


@given(amounts, st.integers(0, 18))
def test_half_up_is_the_nearest_and_of_two_the_one_away_from_zero(amount: Decimal, digits: int) -> None:
    rounded, half = Fraction(round_half_up(amount, digits)), Fraction(1, 2 * 10**digits)
    distance = rounded - Fraction(amount)
    assert abs(distance) <= half
    if abs(distance) == half:
        assert abs(rounded) > abs(Fraction(amount))


@given(amounts)
def test_up_and_down_enclose_the_amount(amount: Decimal) -> None:
    assert abs(round_amount(amount, 2, "down")) <= abs(amount) <= abs(round_amount(amount, 2, "up"))


@given(st.fractions(), st.integers(0, 18))
def test_a_quotient_is_rounded_to_the_nearest(quotient: Fraction, digits: int) -> None:
    rounded = Fraction(round_quotient(quotient, digits))
    assert abs(rounded - quotient) <= Fraction(1, 2 * 10**digits)
    assert Fraction(round_quotient(-quotient, digits)) == -rounded


@given(amounts, st.integers(0, 18))
def test_a_quotient_that_is_a_decimal_rounds_as_the_decimal_does(amount: Decimal, digits: int) -> None:
    assert round_quotient(Fraction(amount), digits) == round_half_up(amount, digits)


@given(st.lists(amounts, max_size=40), minor_units)
def test_lines_add_up_to_the_net_and_are_within_one_minor_unit(exact: list[Decimal], decimals: int) -> None:
    lines = allocate_largest_remainder(exact, decimals)
    assert exact_sum(lines) == round_half_up(exact_sum(exact), decimals)
    assert len(lines) == len(exact)
    for line, amount in zip(lines, exact, strict=True):
        assert abs(Fraction(line) - Fraction(amount)) < Fraction(1, 10**decimals)
        assert line == round_half_up(line, decimals)


@given(st.lists(st.decimals(min_value=-1, max_value=1, places=4), max_size=12), minor_units)
def test_larger_remainders_are_served_first_and_of_equal_ones_the_earlier(exact: list[Decimal], decimals: int) -> None:
    lines = allocate_largest_remainder(exact, decimals)
    remainders = [Fraction(amount) * 10**decimals % 1 for amount in exact]
    raised = [Fraction(line) > Fraction(amount) for line, amount in zip(lines, exact, strict=True)]
    for position, is_raised in enumerate(raised):
        if is_raised:
            better = [
                other
                for other, remainder in enumerate(remainders)
                if (remainder, -other) > (remainders[position], -position)
            ]
            assert all(raised[other] for other in better)


@given(st.lists(st.integers(-1000, 1000), max_size=20), minor_units)
def test_amounts_in_whole_minor_units_stay_as_they_are(units: list[int], decimals: int) -> None:
    exact = [Decimal(unit).scaleb(-decimals) for unit in units]
    assert allocate_largest_remainder(exact, decimals) == exact
