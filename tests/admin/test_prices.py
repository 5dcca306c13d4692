"""Rates: a price is never changed, it gets a next version."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.admin.figures import exact, money
from catalog.admin.rates import holding
from catalog.models import Rate
from catalog.operations.rates import RateRefused, add_rate_version, end_rate
from tests import factories


@pytest.fixture
def rate(db: None) -> Rate:
    """0.01 everywhere, from 2026 on."""
    return factories.RateFactory(start_date=date(2026, 1, 1), unit_price=Decimal("0.01"))


def versions() -> list[tuple[Decimal, date, date | None]]:
    return [(r.unit_price, r.start_date, r.end_date) for r in Rate.objects.order_by("start_date")]


def test_new_version_follows_the_old_one_without_a_gap(rate: Rate) -> None:
    added = add_rate_version(rate_id=rate.pk, start_date=date(2026, 3, 1), terms={"unit_price": Decimal("0.02")})
    assert versions() == [
        (Decimal("0.01"), date(2026, 1, 1), date(2026, 3, 1)),
        (Decimal("0.02"), date(2026, 3, 1), None),
    ]
    assert (added.product, added.rate_card, added.unit_size) == (rate.product, rate.rate_card, Decimal(1))


def test_new_version_ends_when_the_old_one_would_have(rate: Rate) -> None:
    end_rate(rate_id=rate.pk, end_date=date(2026, 6, 1))
    add_rate_version(rate_id=rate.pk, start_date=date(2026, 3, 1), terms={"unit_price": Decimal("0.02")})
    assert versions()[1] == (Decimal("0.02"), date(2026, 3, 1), date(2026, 6, 1))


@pytest.mark.parametrize("start", [date(2025, 12, 31), date(2026, 6, 1), date(2027, 1, 1)])
def test_new_version_outside_the_time_of_the_old_one_is_refused(rate: Rate, start: date) -> None:
    end_rate(rate_id=rate.pk, end_date=date(2026, 6, 1))
    before = versions()
    with pytest.raises(RateRefused, match="This version"):
        add_rate_version(rate_id=rate.pk, start_date=start, terms={"unit_price": Decimal(1)})
    assert versions() == before


def test_end_before_the_start_is_refused(rate: Rate) -> None:
    with pytest.raises(RateRefused, match="it cannot end before"):
        end_rate(rate_id=rate.pk, end_date=date(2025, 12, 31))


def test_where_a_version_stands_in_time(rate: Rate) -> None:
    rate.end_date = date(2026, 2, 1)
    assert [holding(rate, on=date(*on)) for on in ((2025, 12, 31), (2026, 1, 1), (2026, 1, 31), (2026, 2, 1))] == [
        "Later",
        "In force",
        "In force",
        "Ended",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("0.000000145300000000"), "0.0000001453"),
        (Decimal("1234567.500000000000000000"), "1,234,567.5"),
        (Decimal("100.0000"), "100"),
        (Decimal("-0.5"), "-0.5"),
        (Decimal("1E+3"), "1,000"),
        (0, "0"),
        (None, "-"),
    ],
)
def test_exact_numbers_are_shown_in_full_without_noise(value: Decimal | int | None, shown: str) -> None:
    assert exact(value) == shown


@pytest.mark.parametrize(
    ("amount", "minor_units", "shown"),
    [
        (Decimal("1234.5000"), 2, "1,234.50 EUR"),
        (Decimal("1234.0000"), 0, "1,234 EUR"),
        (Decimal("0.1250"), 3, "0.125 EUR"),
        (Decimal("0.0049"), 2, "0.0049 EUR"),
        (None, 2, "-"),
    ],
)
def test_amounts_are_shown_in_minor_units_with_their_currency(
    amount: Decimal | None, minor_units: int, shown: str
) -> None:
    assert money(amount, currency="EUR", minor_units=minor_units) == shown
