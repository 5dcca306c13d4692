"""Whatever a recurring charge is like and whenever runs are: its periods follow each other, and cost their days."""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count, pairwise, takewhile

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from billing.models import BillingRun
from billing.operations.recurring import generate_recurring
from catalog.engine.money import exact_sum, round_quotient
from invoicing.models import RecurringCharge, Transaction
from tests.factories import RecurringChargeFactory

pytestmark = pytest.mark.django_db
suppressed = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
LAST = date(2030, 12, 31)
HALF_OF_THE_LAST_DIGIT = Fraction(1, 2 * 10**18)
days = st.dates(min_value=date(2023, 1, 1), max_value=LAST)


@dataclass(frozen=True)
class Drawn:
    """A charge; it ends `end_days` after its start, if at all."""

    start: date
    end_days: int | None
    months: int
    timing: str
    alignment: str
    is_prorated: bool
    minimum_months: int
    unit_price: Decimal

    @property
    def anchor(self) -> date:
        return self.start.replace(day=1) if self.alignment == "calendarMonth" else self.start

    @property
    def ends_on(self) -> date | None:
        if self.end_days is None:
            return None
        end = self.start + timedelta(days=self.end_days)
        return max(end, months_after(self.start, self.minimum_months))


drawn = st.builds(
    Drawn,
    start=st.dates(min_value=date(2023, 1, 1), max_value=date(2028, 3, 31)),
    end_days=st.none() | st.integers(1, 900),
    months=st.sampled_from([1, 1, 2, 3, 6, 12, 36]),
    timing=st.sampled_from(["advance", "arrears"]),
    alignment=st.sampled_from(["calendarMonth", "anniversary"]),
    is_prorated=st.booleans(),
    minimum_months=st.sampled_from([0, 0, 1, 3, 24]),
    unit_price=st.decimals(min_value=-1000, max_value=1000, places=18),
)
A_MONTH = Drawn(
    start=date(2024, 1, 31),
    end_days=None,
    months=1,
    timing="advance",
    alignment="anniversary",
    is_prorated=True,
    minimum_months=0,
    unit_price=Decimal(1),
)


def months_after(day: date, months: int) -> date:
    """So many months later, on the same day of the month or on its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def made(charge: Drawn) -> RecurringCharge:
    row: RecurringCharge = RecurringChargeFactory(
        unit_price=charge.unit_price,
        months=charge.months,
        timing=charge.timing,
        alignment=charge.alignment,
        is_prorated=charge.is_prorated,
        minimum_months=charge.minimum_months,
        start_date=charge.start,
        end_date=None if charge.end_days is None else charge.start + timedelta(days=charge.end_days),
    )
    return row


def run_before(cutoff: date) -> None:
    with connection.cursor() as cursor:
        generate_recurring(cursor, run=BillingRun(cutoff_date=cutoff))


def periods(row: RecurringCharge) -> list[tuple[date, date, Decimal]]:
    found = Transaction.objects.filter(recurring_charge=row).order_by("period_start")
    return [(one.period_start, one.period_end, one.amount) for one in found if one.period_start and one.period_end]


def expected(charge: Drawn, cutoff: date) -> list[tuple[date, date, Decimal]]:
    """All that is due before a day, in exact fractions, period by period."""
    found = []
    for number in takewhile(lambda n: months_after(charge.anchor, n * charge.months) < cutoff, count()):
        first_day = months_after(charge.anchor, number * charge.months)
        until = months_after(charge.anchor, (number + 1) * charge.months)
        start, end = max(first_day, charge.start), min(until, charge.ends_on or until)
        if start >= end or (start if charge.timing == "advance" else end - timedelta(days=1)) >= cutoff:
            continue
        part = Fraction((end - start).days, (until - first_day).days) if charge.is_prorated else Fraction(1)
        found.append((start, end, round_quotient(Fraction(charge.unit_price) * part, 18)))
    return found


@settings(suppress_health_check=suppressed)
@given(drawn, st.lists(days, min_size=1, max_size=4))
@example(A_MONTH, [date(2024, 12, 31)])
def test_whenever_runs_are_each_period_is_charged_once_at_its_days(charge: Drawn, cutoffs: list[date]) -> None:
    with transaction.atomic():
        row = made(charge)
        for cutoff in cutoffs:
            run_before(cutoff)
        found = periods(row)
        transaction.set_rollback(True)
    assert found == expected(charge, max(cutoffs))
    assert all(end == start for (_, end, _), (start, _, _) in pairwise(found))


@settings(suppress_health_check=suppressed)
@given(drawn, st.lists(st.integers(1, 900), min_size=1, max_size=4))
@example(A_MONTH, [5, 9, 20, 800])
def test_parts_of_a_period_that_comes_to_end_later_and_later_add_up(charge: Drawn, ends: list[int]) -> None:
    with transaction.atomic():
        row = made(replace(charge, minimum_months=0))
        for end_days in sorted(ends):
            RecurringCharge.objects.filter(pk=row.pk).update(end_date=charge.start + timedelta(days=end_days))
            run_before(LAST)
        found = periods(row)
        transaction.set_rollback(True)
    last_day = charge.start + timedelta(days=max(ends))
    for number in takewhile(lambda n: months_after(charge.anchor, n * charge.months) < last_day, count()):
        first_day = months_after(charge.anchor, number * charge.months)
        until = months_after(charge.anchor, (number + 1) * charge.months)
        parts = [amount for start, _, amount in found if first_day <= start < until]
        if not charge.is_prorated:
            assert parts == [charge.unit_price]
            continue
        charged_days = (min(until, last_day) - max(first_day, charge.start)).days
        share = Fraction(charge.unit_price) * Fraction(charged_days, (until - first_day).days)
        # Each part is rounded once.
        assert abs(Fraction(exact_sum(parts)) - share) <= len(parts) * HALF_OF_THE_LAST_DIGIT
