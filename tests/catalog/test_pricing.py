from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from catalog.engine.pricing import TO_BE_BILLED, TO_BE_CREDITED, PricedUsage, Rate, Usage, price_usage, select_rate
from usage.choices import BillingDirective

JANUARY_15 = date(2026, 1, 15)
RATE = Rate(
    id=7, card_id=1, card_name="Retail", product="CALL-DE", unit_price=Decimal("0.12"), start_date=date(2026, 1, 1)
)


def test_directives_are_spelled_as_those_of_usage() -> None:
    assert (TO_BE_BILLED, TO_BE_CREDITED) == (BillingDirective.TO_BE_BILLED, BillingDirective.TO_BE_CREDITED)


def test_a_price_per_minute_of_a_call_in_seconds() -> None:
    # 90 s x 0.12 per 60 s = 0.18
    assert price_usage(Usage(Decimal(90)), replace(RATE, unit_size=Decimal(60))) == PricedUsage(
        quantity=Decimal(90),
        amount=Decimal("0.18"),
        rate=replace(RATE, unit_size=Decimal(60)),
        explanation=(
            "Rate card Retail.",
            "Rate 7: CALL-DE in every region, from 2026-01-01.",
            "90 x 0.12 / 60 = 0.18.",
            "Amount: 0.18.",
        ),
    )


def test_the_amount_of_a_record_has_18_decimals_at_most() -> None:
    # 1 x 0.01 / 60 = 0.00016666...; the 18th decimal is rounded up.
    rate = replace(RATE, unit_price=Decimal("0.01"), unit_size=Decimal(60))
    assert price_usage(Usage(Decimal(1)), rate).amount == Decimal("0.000166666666666667")


def test_quantities_of_38_digits_are_priced_exactly() -> None:
    quantity = Decimal("12345678901234567890.123456789012345678")
    rate = replace(RATE, unit_price=Decimal(1))
    assert price_usage(Usage(quantity), rate).amount == quantity
    credited = price_usage(Usage(quantity, directive=TO_BE_CREDITED), rate)
    assert (credited.quantity, credited.amount) == (quantity.copy_negate(), quantity.copy_negate())


def test_a_rate_rounds_the_amount_of_each_record_if_it_says_so() -> None:
    # 7 x 0.0125 = 0.0875
    for mode, amount in (("halfUp", "0.09"), ("down", "0.08"), ("up", "0.09"), ("halfEven", "0.09")):
        rate = replace(RATE, unit_price=Decimal("0.0125"), rounding_digits=2, rounding_mode=mode)
        priced = price_usage(Usage(Decimal(7)), rate)
        assert priced.amount == Decimal(amount)
        assert priced.explanation[-2] == f"Rounded to 2 decimals ({mode}): {amount}."


def test_a_credit_is_the_price_with_the_opposite_sign() -> None:
    # 10 x 0.12 = 1.20, credited
    rate = replace(RATE, region="EU", end_date=date(2026, 7, 1))
    assert price_usage(Usage(Decimal(10), directive=TO_BE_CREDITED), rate) == PricedUsage(
        quantity=Decimal(-10),
        amount=Decimal("-1.2"),
        rate=rate,
        explanation=(
            "Rate card Retail.",
            "Rate 7: CALL-DE in EU, from 2026-01-01 and before 2026-07-01.",
            "10 x 0.12 = 1.2.",
            "To be credited: the sign is turned.",
            "Amount: -1.2.",
        ),
    )


def test_a_prerated_record_brings_its_own_amount_whatever_rate_there_is() -> None:
    assert price_usage(Usage(Decimal(3), own_amount=Decimal("0.0000001453")), RATE) == PricedUsage(
        quantity=Decimal(3),
        amount=Decimal("0.0000001453"),
        rate=None,
        explanation=("The record brings its own amount: 0.0000001453.", "Amount: 0.0000001453."),
    )


def test_a_credited_record_of_nothing_is_zero_without_a_sign() -> None:
    priced = price_usage(Usage(Decimal(0), directive=TO_BE_CREDITED), RATE)
    assert (str(priced.quantity), priced.amount.is_zero(), priced.amount.is_signed()) == ("0", True, False)


def test_what_has_no_rate_and_no_amount_has_no_price() -> None:
    with pytest.raises(ValueError, match="No rate prices this record"):
        price_usage(Usage(Decimal(1)), None)


def test_what_is_not_to_be_billed_has_no_price() -> None:
    with pytest.raises(ValueError, match="NOT_TO_BE_BILLED"):
        price_usage(Usage(Decimal(1), directive=BillingDirective.NOT_TO_BE_BILLED), RATE)


def test_the_first_card_with_a_rate_wins_however_general_its_rate_is() -> None:
    own = replace(RATE, id=1, card_id=10)
    other = replace(RATE, id=2, card_id=20, region="EU")
    assert select_rate([10, 20], [other, own], "CALL-DE", "EU", JANUARY_15) == own
    assert select_rate([20, 10], [other, own], "CALL-DE", "EU", JANUARY_15) == other
    assert select_rate([20, 10], [other, own], "CALL-DE", "US", JANUARY_15) == own
    assert select_rate([20], [other, own], "CALL-DE", "US", JANUARY_15) is None


def test_within_a_card_the_exact_region_wins_over_every_region() -> None:
    everywhere, eu = replace(RATE, id=1), replace(RATE, id=2, region="EU")
    assert select_rate([1], [everywhere, eu], "CALL-DE", "EU", JANUARY_15) == eu
    assert select_rate([1], [everywhere, eu], "CALL-DE", "", JANUARY_15) == everywhere


def test_a_rate_holds_from_its_first_day_and_before_its_end() -> None:
    rate = replace(RATE, end_date=date(2026, 2, 1))
    found = {
        day: select_rate([1], [rate], "CALL-DE", "", day)
        for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1))
    }
    assert list(found.values()) == [None, rate, rate, None]


def test_the_version_that_started_last_wins() -> None:
    old, new = replace(RATE, id=9, start_date=date(2025, 1, 1)), replace(RATE, id=8)
    assert select_rate([1], [old, new], "CALL-DE", "", JANUARY_15) == new


def test_another_product_has_another_price() -> None:
    assert select_rate([1], [RATE], "CALL-FR", "", JANUARY_15) is None
