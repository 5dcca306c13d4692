from decimal import Decimal

import pytest

from catalog.engine.pricing import PricedUse, price_use
from catalog.engine.selection import TO_BE_BILLED, TO_BE_CREDITED, Selection, select_rate
from tests.catalog.engine_prices import CARD, figures, priced, rate, use
from usage.choices import BillingDirective

NO_RATE = Selection(rate=None, card=None, candidates=(), explanation=())


def test_directives_are_spelled_as_those_of_usage() -> None:
    assert (TO_BE_BILLED, TO_BE_CREDITED) == (BillingDirective.TO_BE_BILLED, BillingDirective.TO_BE_CREDITED)


def test_a_price_per_minute_of_a_call_in_seconds() -> None:
    # 90 s x 0.12 per 60 s = 0.18
    by = rate(unit_size=60)
    assert priced(use(90, unit="s"), by) == PricedUse(
        quantity=Decimal(90),
        billed_quantity=Decimal(90),
        amount=Decimal("0.18"),
        rate=by,
        parts=(),
        explanation=(
            "Rate card Retail, the customer's first.",
            "Rate 7: CALL-DE, in every region, from 2026-01-01.",
            "90 s x 0.12 / 60 = 0.18.",
            "Amount: 0.18.",
        ),
    )


def test_the_amount_of_a_record_has_18_decimals_at_most() -> None:
    # 1 x 0.01 / 60 = 0.00016666...; the 18th decimal is rounded up.
    assert priced(use(1), rate(unit_price="0.01", unit_size=60)).amount == Decimal("0.000166666666666667")


def test_quantities_of_38_digits_are_priced_exactly() -> None:
    quantity = Decimal("12345678901234567890.123456789012345678")
    assert priced(use(str(quantity)), rate(unit_price=1)).amount == quantity
    credited = priced(use(str(quantity), directive=TO_BE_CREDITED), rate(unit_price=1))
    assert (credited.quantity, credited.amount) == (quantity.copy_negate(), quantity.copy_negate())


def test_a_connection_fee_is_of_each_use_whatever_its_quantity() -> None:
    # 60 s x 0.12 / 60 = 0.12, + 0.05 = 0.17; 3 s: 0.006 + 0.05 = 0.056
    by = rate(unit_size=60, connection_fee="0.05")
    assert priced(use(60), by).amount == Decimal("0.17")
    assert priced(use(3), by).amount == Decimal("0.056")
    assert "Connection fee 0.05: 0.17." in priced(use(60), by).explanation


def test_nothing_used_costs_nothing_not_even_fee_and_minimum() -> None:
    by = rate(connection_fee="0.05", minimum_quantity=30, increment=60, minimum_charge=1)
    free = priced(use(0), by)
    assert figures(free) == (0, 0, 0)
    assert free.explanation[-2:] == ("Nothing was used: nothing is charged for it.", "Amount: 0.")


def test_a_charge_is_raised_to_the_minimum_and_lowered_to_the_maximum() -> None:
    # 1 x 0.12 = 0.12 -> 0.50; 5 x 0.12 = 0.60; 100 x 0.12 = 12 -> 10
    by = rate(minimum_charge="0.50", maximum_charge=10)
    amounts = [priced(use(quantity), by).amount for quantity in (1, 5, 100)]
    assert amounts == [Decimal("0.50"), Decimal("0.60"), Decimal(10)]
    assert priced(use(1), by).explanation[-2:] == ("At least 0.5.", "Amount: 0.5.")
    assert priced(use(100), by).explanation[-2:] == ("At most 10.", "Amount: 10.")


def test_limits_come_after_the_fee_and_the_rounding() -> None:
    # 1 x 0.12 + 0.39 = 0.51, rounded to 0.5, which is not below 0.505 before it was rounded but is then.
    by = rate(connection_fee="0.39", rounding_digits=1, minimum_charge="0.505")
    assert priced(use(1), by).amount == Decimal("0.505")


@pytest.mark.parametrize(
    ("mode", "of_25", "of_35", "of_21"),
    [
        # 2.5, 3.5 and 2.1 to whole units
        ("halfUp", 3, 4, 2),
        ("halfEven", 2, 4, 2),
        ("up", 3, 4, 3),
        ("down", 2, 3, 2),
    ],
)
def test_a_rate_rounds_the_amount_of_each_record_by_its_mode(mode: str, of_25: int, of_35: int, of_21: int) -> None:
    by = rate(unit_price="0.1", rounding_digits=0, rounding_mode=mode)
    assert [priced(use(quantity), by).amount for quantity in (25, 35, 21)] == [of_25, of_35, of_21]
    # Credits are rounded as what they take back: up is away from zero.
    assert priced(use(21, directive=TO_BE_CREDITED), by).amount == -of_21
    assert priced(use(25), by).explanation[-2] == f"Rounded to 0 decimals ({mode}): {of_25}."


def test_an_amount_is_rounded_with_its_fee() -> None:
    # 1 x 0.004 = 0.004, + 0.004 = 0.008, to 0.01; each by itself would be 0.00.
    by = rate(unit_price="0.004", connection_fee="0.004", rounding_digits=2)
    assert priced(use(1), by).amount == Decimal("0.01")


def test_a_credit_is_the_price_with_the_opposite_sign() -> None:
    # 61 s are billed as 120 s: 120 x 0.12 / 60 = 0.24, + 0.05 = 0.29, credited
    by = rate(increment=60, unit_size=60, connection_fee="0.05")
    credited = priced(use(61, directive=TO_BE_CREDITED), by)
    assert figures(credited) == (-61, -120, Decimal("-0.29"))
    assert credited.explanation[2:] == (
        "61 are billed as 120: steps of 60.",
        "120 x 0.12 / 60 = 0.24.",
        "Connection fee 0.05: 0.29.",
        "To be credited: the sign is turned.",
        "Amount: -0.29.",
    )


def test_a_quantity_below_zero_is_a_credit_and_credited_a_charge() -> None:
    # -61 s: as above. A credit of a credit is a charge.
    by = rate(increment=60, unit_size=60, connection_fee="0.05", minimum_charge="0.30")
    below = priced(use(-61), by)
    assert figures(below) == (-61, -120, Decimal("-0.30"))
    assert below.explanation[-2] == "The quantity is below zero: so is the amount."
    twice = priced(use(-61, directive=TO_BE_CREDITED), by)
    assert figures(twice) == (61, 120, Decimal("0.30"))


def test_a_prerated_record_brings_its_own_amount_whatever_rate_there_is() -> None:
    own = use(3, own_amount="0.0000001453")
    assert priced(own, rate(increment=60, connection_fee=1)) == PricedUse(
        quantity=Decimal(3),
        billed_quantity=Decimal(3),
        amount=Decimal("0.0000001453"),
        rate=None,
        parts=(),
        explanation=("The record brings its own amount: 0.0000001453.", "Amount: 0.0000001453."),
    )
    assert price_use(use(3, own_amount=2, directive=TO_BE_CREDITED), NO_RATE).amount == -2


def test_a_credited_record_of_nothing_is_zero_without_a_sign() -> None:
    free = priced(use(0, directive=TO_BE_CREDITED), rate())
    assert (str(free.quantity), str(free.billed_quantity), str(free.amount)) == ("0", "0", "0")


def test_what_has_no_rate_and_no_amount_has_no_price() -> None:
    with pytest.raises(ValueError, match="No rate prices this record"):
        price_use(use(1), NO_RATE)


def test_what_is_not_to_be_billed_has_no_price() -> None:
    used = use(1, directive=BillingDirective.NOT_TO_BE_BILLED)
    with pytest.raises(ValueError, match="NOT_TO_BE_BILLED"):
        price_use(used, select_rate([CARD], [rate()], used))
