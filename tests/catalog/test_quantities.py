from datetime import date
from decimal import Decimal

import pytest

from catalog.engine.quantities import billed_quantity, included_in_month
from tests.catalog.engine_prices import priced, rate, use

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


@pytest.mark.parametrize(
    ("first", "further", "billed"),
    [
        # 60/60: whole minutes.
        (60, 60, {1: 60, 60: 60, 61: 120, 120: 120, 121: 180}),
        # 30/6: 30, then 30 + 6, 30 + 12, ...
        (30, 6, {1: 30, 30: 30, 31: 36, 36: 36, 37: 42}),
        (1, 1, {1: 1, 59: 59, 61: 61}),
        # No first increment: the increment is it.
        (None, 60, {1: 60, 61: 120}),
        # A first one only: at least so much, then exactly.
        (60, None, {1: 60, 61: 61}),
        (None, None, {1: 1, 61: 61}),
    ],
)
def test_a_quantity_is_raised_by_increments(first: int | None, further: int | None, billed: dict[int, int]) -> None:
    by = rate(first_increment=first, increment=further)
    assert {quantity: billed_quantity(Decimal(quantity), by) for quantity in billed} == billed


def test_a_part_of_a_second_begins_the_next_increment() -> None:
    by = rate(increment=1)
    assert billed_quantity(Decimal("60.000000000000000001"), by) == 61


def test_increments_need_not_be_whole() -> None:
    # 0.1 + 2 x 0.25 = 0.6; the remainder 0.4 takes two steps of 0.25.
    assert billed_quantity(Decimal("0.5"), rate(first_increment="0.1", increment="0.25")) == Decimal("0.6")


def test_a_minimum_quantity_comes_before_the_increments() -> None:
    # 5 is raised to 40, 40 to 30 + 2 x 6 = 42.
    by = rate(minimum_quantity=40, first_increment=30, increment=6)
    assert [billed_quantity(Decimal(quantity), by) for quantity in (5, 40, 43)] == [42, 42, 48]
    assert billed_quantity(Decimal(5), rate(minimum_quantity=40)) == 40


def test_of_nothing_nothing_is_billed_and_a_credit_keeps_its_sign() -> None:
    by = rate(minimum_quantity=40, increment=60)
    assert [billed_quantity(Decimal(quantity), by) for quantity in (0, -5, -61)] == [0, -60, -120]


def test_a_quantity_of_38_digits_keeps_every_digit() -> None:
    by = rate(increment="0.000000000000000001")
    quantity = Decimal("12345678901234567890.123456789012345678")
    assert billed_quantity(quantity, by) == quantity


def test_what_is_billed_is_said() -> None:
    by = rate(minimum_quantity=70, first_increment=60, increment=30)
    # 5 is raised to 70, 70 to 60 + 30.
    assert (
        "5 s are billed as 90 s: at least 70; 60 first, then steps of 30." in priced(use(5, unit="s"), by).explanation
    )
    assert "1 is billed as 60: 60 first." in priced(use(1), rate(first_increment=60)).explanation


def test_an_included_quantity_is_for_the_days_left_in_the_month_of_the_start() -> None:
    # 17 to 31 January are 15 of 31 days: 310 x 15 / 31 = 150. 15 to 28 February are 14 of 28: 310 x 14 / 28 = 155.
    assert included_in_month(Decimal(310), JANUARY, date(2026, 1, 17), is_prorated=True) == 150
    assert included_in_month(Decimal(310), FEBRUARY, date(2026, 2, 15), is_prorated=True) == 155
    # The last day is one day: 310 / 31 = 10.
    assert included_in_month(Decimal(310), JANUARY, date(2026, 1, 31), is_prorated=True) == 10


def test_an_included_quantity_is_rounded_to_18_decimals() -> None:
    # 100 x 15 / 31 = 48.387096774193548387096...
    included = included_in_month(Decimal(100), JANUARY, date(2026, 1, 17), is_prorated=True)
    assert included == Decimal("48.387096774193548387")


@pytest.mark.parametrize(
    ("start", "is_prorated"),
    [
        (date(2026, 1, 1), True),
        (date(2025, 1, 17), True),
        (date(2026, 2, 17), True),
        (date(2026, 1, 17), False),
        (None, True),
    ],
)
def test_otherwise_all_of_it_is_included(start: date | None, is_prorated: bool) -> None:  # noqa: FBT001  a case's column
    assert included_in_month(Decimal(310), JANUARY, start, is_prorated=is_prorated) == 310
