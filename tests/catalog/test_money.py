from decimal import Decimal, Inexact
from fractions import Fraction

import pytest

from catalog.choices import RoundingMode
from catalog.engine.money import (
    ROUNDING_MODES,
    allocate_largest_remainder,
    exact_sum,
    round_amount,
    round_half_up,
    round_quotient,
)


def texts(amounts: list[Decimal]) -> list[str]:
    return [str(amount) for amount in amounts]


def test_the_engine_has_the_rounding_modes_of_the_catalogue() -> None:
    assert set(ROUNDING_MODES) == set(RoundingMode.values)


@pytest.mark.parametrize(
    ("amount", "half_up", "half_even", "up", "down"),
    [
        ("0.125", "0.13", "0.12", "0.13", "0.12"),
        ("0.135", "0.14", "0.14", "0.14", "0.13"),
        ("0.121", "0.12", "0.12", "0.13", "0.12"),
        ("0.129", "0.13", "0.13", "0.13", "0.12"),
        ("-0.125", "-0.13", "-0.12", "-0.13", "-0.12"),
        ("-0.121", "-0.12", "-0.12", "-0.13", "-0.12"),
        ("7", "7.00", "7.00", "7.00", "7.00"),
        ("-0.001", "0.00", "0.00", "-0.01", "0.00"),
    ],
)
def test_rounding_modes(amount: str, half_up: str, half_even: str, up: str, down: str) -> None:
    rounded = [str(round_amount(Decimal(amount), 2, mode)) for mode in ("halfUp", "halfEven", "up", "down")]
    assert rounded == [half_up, half_even, up, down]


@pytest.mark.parametrize(
    ("amount", "minor_units", "rounded"),
    [("0.5", 0, "1"), ("-0.5", 0, "-1"), ("2.4999999", 0, "2"), ("1.0005", 3, "1.001"), ("0.0049999", 2, "0.00")],
)
def test_documents_round_halves_away_from_zero_to_0_2_or_3_decimals(
    amount: str, minor_units: int, rounded: str
) -> None:
    assert str(round_half_up(Decimal(amount), minor_units)) == rounded


def test_an_unknown_rounding_mode_is_an_error() -> None:
    with pytest.raises(KeyError):
        round_amount(Decimal(1), 2, "halfDown")


def test_sums_keep_every_digit() -> None:
    # 20 digits and 18 decimals: Python's own sum() would round to 28 digits.
    large, small = Decimal(12345678901234567890), Decimal("0.000000000000000001")
    assert str(exact_sum([large, small])) == "12345678901234567890.000000000000000001"
    assert exact_sum([]) == 0


def test_a_sum_that_cannot_be_exact_is_refused() -> None:
    with pytest.raises(Inexact):
        exact_sum([Decimal("1e300"), Decimal("1e-300")])


@pytest.mark.parametrize(
    ("numerator", "denominator", "digits", "rounded"),
    [
        (2, 3, 18, "0.666666666666666667"),
        (1, 3, 18, "0.333333333333333333"),
        (-2, 3, 18, "-0.666666666666666667"),
        (1, 2, 0, "1"),
        # Just below a half: rounded twice it would first become 0.5 and then 1.
        (10**40 - 1, 2 * 10**40, 0, "0"),
    ],
)
def test_quotients_are_rounded_once(numerator: int, denominator: int, digits: int, rounded: str) -> None:
    assert str(round_quotient(Fraction(numerator, denominator), digits)) == rounded


def test_a_hundred_lines_of_0_004_are_0_40() -> None:
    lines = allocate_largest_remainder([Decimal("0.004")] * 100, 2)
    assert exact_sum(lines) == Decimal("0.40")
    # All remainders are equal: the first forty lines get the forty cents.
    assert texts(lines) == ["0.01"] * 40 + ["0.00"] * 60


@pytest.mark.parametrize(
    ("exact", "minor_units", "lines"),
    [
        # Together 1.000; rounded down 0.33 + 0.33 + 0.33; the missing cent goes to the largest remainder, the third's.
        (["0.333", "0.333", "0.334"], 2, ["0.33", "0.33", "0.34"]),
        # Together 2.00, rounded down 1 + 0; half a unit each, the first gets it.
        (["1.5", "0.5"], 0, ["2", "0"]),
        # Together -0.01, rounded down -0.01 - 0.01; the first, with the larger remainder 0.006, gets the cent back.
        (["-0.004", "-0.006"], 2, ["0.00", "-0.01"]),
        # Charges and credits: 10.004 - 3.001 = 7.003, so 7.00; rounded down 10.00 - 3.01, the credit gets the cent.
        (["10.004", "-3.001"], 2, ["10.00", "-3.00"]),
        (["0.0001", "0.0002", "0.0007"], 3, ["0.000", "0.000", "0.001"]),
        ([], 2, []),
    ],
)
def test_lines_share_the_rounded_net_by_largest_remainder(exact: list[str], minor_units: int, lines: list[str]) -> None:
    assert texts(allocate_largest_remainder([Decimal(amount) for amount in exact], minor_units)) == lines
