"""Prices that depend on what was used before in the month."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from catalog.engine.counted import Count, cumulative_amount
from catalog.engine.money import exact_sum
from catalog.engine.pricing import PricedUse
from catalog.engine.rates import Rate
from catalog.engine.selection import TO_BE_CREDITED
from tests.catalog.engine_prices import figures, priced, rate, tiers, use

JANUARY = date(2026, 1, 1)
# 1 each up to 100, 0.8 up to 500, 0.5 above.
STEPS = tiers(above_100="0.8", above_500="0.5")
GRADUATED = rate(pricing_model="graduated", unit_price=1, tiers=STEPS)
VOLUME = rate(pricing_model="volume", unit_price=1, tiers=STEPS)
PACKAGE = rate(pricing_model="package", unit_price=5, unit_size=100)
INCLUDED = rate(unit_price="0.1", included_quantity=500)


def month(by: Rate, quantity: str | int, *, total: str | int | None = None, included: int | None = None) -> Decimal:
    """What a cumulative quantity of a month costs."""
    free = by.included_quantity if included is None else Decimal(included)
    return cumulative_amount(by, Decimal(quantity), total=Decimal(quantity if total is None else total), included=free)


def count(before: str | int, total: str | int, included: str | int = 0, **fields: Any) -> Count:
    return Count(Decimal(before), Decimal(total), Decimal(included), counted_month=JANUARY, **fields)


def in_a_run(by: Rate, quantities: Sequence[str | int]) -> list[PricedUse]:
    """Uses of a month one after the other, all of one run."""
    amounts = [Decimal(quantity) for quantity in quantities]
    total = exact_sum(amounts)
    return [
        priced(use(str(one)), by, count=count(str(exact_sum(amounts[:place])), str(total), str(by.included_quantity)))
        for place, one in enumerate(amounts)
    ]


def amounts(used: Sequence[PricedUse]) -> list[Decimal]:
    return [one.amount for one in used]


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        (0, "0"),
        (100, "100"),
        # 100 + 0.5 x 0.8
        ("100.5", "100.4"),
        # 100 + 400 x 0.8
        (500, "420"),
        # 420 + 100 x 0.5
        (600, "470"),
        (-600, "-470"),
    ],
)
def test_graduated_prices_each_step_at_its_own_price(quantity: str | int, amount: str) -> None:
    assert month(GRADUATED, quantity) == Decimal(amount)


def test_a_use_over_a_tier_pays_both_prices() -> None:
    # 90 at 1; then 10 at 1 and 50 at 0.8 = 50
    used = in_a_run(GRADUATED, [90, 60])
    assert amounts(used) == [90, 50]
    assert used[1].explanation == (
        "Rate card Retail, the customer's first.",
        "Rate 7: CALL-DE, in every region, from 2026-01-01.",
        "Counted for the customer in January 2026: 90 before this, 150 after it.",
        "Tiers before this: 90 x 1; after it: 100 x 1 + 50 x 0.8.",
        "The month costs 90 before this and 140 after it: 50.",
        "Amount: 50.",
    )


def test_graduated_prices_may_be_for_more_than_one_unit() -> None:
    # 600 s at 1, 0.8 and 0.5 a minute: 470 / 60 = 7.8333...
    by_minute = replace(GRADUATED, unit_size=Decimal(60))
    assert month(by_minute, 600) == Decimal("7.833333333333333333")
    first = priced(use(150), by_minute).explanation
    # 140 / 60
    assert "Tiers before this: 0; after it: 100 x 1 + 50 x 0.8; each / 60." in first


@pytest.mark.parametrize(
    ("total", "amount"),
    # The tier holds above its quantity: 100 and 500 still have the price below.
    [(100, "100"), (101, "80.8"), (500, "400"), (501, "250.5"), (-501, "-250.5"), (0, "0")],
)
def test_volume_prices_all_units_by_the_tier_of_the_total(total: int, amount: str) -> None:
    assert month(VOLUME, total) == Decimal(amount)


def test_volume_takes_the_price_of_the_runs_total_from_the_first_use_on() -> None:
    # 90 + 60 = 150 in all: 0.8 each.
    used = in_a_run(VOLUME, [90, 60])
    assert amounts(used) == [72, 48]
    assert "By the total of 150 the unit price is 0.8." in used[0].explanation


def test_a_later_run_corrects_what_the_price_by_volume_was_before() -> None:
    # The first run had 90 at 1 = 90. Now there are 150 at 0.8 = 120; the 90 come to 72: correction 72 - 90 = -18.
    later = priced(use(60), VOLUME, count=count(90, 150, charged_before=Decimal(90)))
    # 60 x 0.8 - 18
    assert later.amount == 30
    assert later.explanation[3:] == (
        "By the total of 150 the unit price is 0.8.",
        "The month costs 72 before this and 120 after it: 48.",
        "Correction of what earlier charges of the month came to: -18.",
        "Amount: 30.",
    )


def test_what_was_taken_back_is_corrected_too() -> None:
    # 150 were charged 100 + 50 x 0.8 = 140; the first 90 of them, charged 90, were taken back. 60 are left, charged 50,
    # but 60 cost 60: the next use of 10 pays 10 and 10 more.
    assert priced(use(10), GRADUATED, count=count(60, 70, charged_before=Decimal(50))).amount == 20


def test_a_package_costs_each_block_that_is_begun() -> None:
    assert [month(PACKAGE, quantity) for quantity in (0, 1, 100, "100.000000000000000001", 250)] == [0, 5, 5, 10, 15]
    # 60, 120, 130 in all: blocks 1, 2, 2.
    used = in_a_run(PACKAGE, [60, 60, 10])
    assert amounts(used) == [5, 5, 0]
    assert "Blocks of 100 begun: 1 before this, 2 after it, each 5." in used[1].explanation


def test_what_is_included_is_free_and_what_is_beyond_costs() -> None:
    # 480, then 60: 20 are free, 40 x 0.1 = 4; then 10 x 0.1 = 1
    used = in_a_run(INCLUDED, [480, 60, 10])
    assert amounts(used) == [0, 4, 1]
    assert used[1].explanation[2:] == (
        "Counted for the customer in January 2026: 480 before this, 540 after it.",
        "Before this 480 of 500 included were used: 20 are free, 40 are billed.",
        "40 x 0.1.",
        "The month costs 0 before this and 4 after it: 4.",
        "Amount: 4.",
    )


def test_tiers_and_blocks_begin_after_what_is_included() -> None:
    # 700 - 500 = 200: graduated 100 + 100 x 0.8 = 180; volume 200 x 0.8 = 160; package 2 x 5 = 10.
    for by, amount in ((GRADUATED, 180), (VOLUME, 160), (PACKAGE, 10)):
        assert month(replace(by, included_quantity=Decimal(500)), 700) == amount


def test_a_prorated_included_quantity_is_said() -> None:
    # 150 of 310 for the days left; 160 - 150 = 10 x 0.1
    by = replace(INCLUDED, included_quantity=Decimal(310), counted_per="service")
    used = priced(use(160, unit="MB"), by, count=count(0, 160, 150, counted_id=5))
    assert used.amount == 1
    assert used.explanation[2:5] == (
        "Counted for the service in January 2026: 0 MB before this, 160 MB after it.",
        "Of 310 included 150 are for the days that the month had left.",
        "Before this 0 of 150 included were used: 150 are free, 10 are billed.",
    )


def test_a_credit_takes_back_what_its_quantity_cost_in_the_month() -> None:
    # 540 cost 40 x 0.1 = 4; 60 back: 480 cost nothing.
    credited = priced(use(60, directive=TO_BE_CREDITED), INCLUDED, count=count(540, 480, 500))
    assert figures(credited) == (-60, -60, -4)
    assert "Included in the month are 500." in credited.explanation


def test_more_credited_than_charged_is_the_price_with_the_opposite_sign() -> None:
    # -600: -(100 x 0.1) beyond what is included; from 20 to -600: nothing before, -10 after.
    assert month(INCLUDED, -600) == -10
    assert priced(use(-620), INCLUDED, count=count(20, -600, 500)).amount == -10


def test_what_is_counted_is_the_billed_quantity() -> None:
    # Two uses of 61 s are billed as 120 s each: 240, of which 100 are included: 20 x 0.1, 120 x 0.1.
    by = replace(INCLUDED, included_quantity=Decimal(100), increment=Decimal(60))
    first = priced(use(61), by, count=count(0, 240, 100))
    second = priced(use(61), by, count=count(120, 240, 100))
    assert [first.billed_quantity, first.amount, second.amount] == [120, 2, 12]


def test_the_months_amount_is_rounded_and_not_each_use() -> None:
    # Uses of 1 at 0.004, to 2 decimals: 0.004 -> 0.00, 0.008 -> 0.01, 0.012 -> 0.01, 0.016 -> 0.02
    by = rate(pricing_model="graduated", unit_price="0.004", rounding_digits=2)
    assert [str(amount) for amount in amounts(in_a_run(by, [1, 1, 1, 1]))] == ["0.00", "0.01", "0.00", "0.01"]
    # Up: 0.01, 0.01, 0.02, 0.02
    up = replace(by, rounding_mode="up")
    assert amounts(in_a_run(up, [1, 1, 1])) == [Decimal("0.01"), 0, Decimal("0.01")]
    assert "The month costs 0 before this and 0.01 after it, each rounded to 2 decimals (up): 0.01." in (
        in_a_run(up, [1])[0].explanation
    )


def test_each_use_has_its_connection_fee_rounded_by_itself() -> None:
    # 5 + 0.056 -> 0.06; the second begins no block: 0.06; a credit gives it back; nothing used has none.
    by = replace(PACKAGE, connection_fee=Decimal("0.056"), rounding_digits=2)
    assert amounts(in_a_run(by, [60, 10])) == [Decimal("5.06"), Decimal("0.06")]
    assert priced(use(10, directive=TO_BE_CREDITED), by, count=count(70, 60)).amount == Decimal("-0.06")
    nothing = priced(use(0), by, count=count(70, 70))
    assert figures(nothing) == (0, 0, 0)
    assert "Connection fee 0.06." in in_a_run(by, [60])[0].explanation


def test_the_first_use_of_a_run_carries_the_correction_even_if_nothing_was_used() -> None:
    # 90 were charged 90; by the total of 150 they cost 72.
    assert priced(use(0), VOLUME, count=count(90, 150, charged_before=Decimal(90))).amount == -18


def test_a_use_asked_about_by_itself_is_the_first_of_its_month() -> None:
    # 600 - 500 = 100 x 0.1
    alone = priced(use(600), INCLUDED)
    assert alone.amount == 10
    assert "Before this 0 of 500 included were used: 500 are free, 100 are billed." in alone.explanation


def test_a_month_of_38_digits_keeps_every_digit() -> None:
    by = rate(pricing_model="graduated", unit_price=1, tiers=tiers(above_1="1"))
    assert month(by, "12345678901234567890.123456789012345678") == Decimal("12345678901234567890.123456789012345678")
