"""What the database holds of recurring charges and of what was made of them, whoever writes."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from catalog.operations.refusals import CatalogConflict, CatalogRefused
from invoicing.models import RecurringCharge, Transaction
from invoicing.operations.recurring_charges import (
    create_recurring_charge,
    delete_recurring_charge,
    update_recurring_charge,
)
from tests.factories import (
    CustomerFactory,
    RecurringChargeFactory,
    SubscriptionFactory,
    SubscriptionServiceFactory,
    TransactionFactory,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db

JANUARY = {"kind": "RECURRING", "period_start": date(2026, 1, 1), "period_end": date(2026, 2, 1)}


def charged_period(charge: RecurringCharge | None = None, **fields: Any) -> Transaction:
    """January of a charge, as a run makes it."""
    charge = charge or RecurringChargeFactory()
    made: Transaction = TransactionFactory(customer=charge.customer, **{"recurring_charge": charge} | JANUARY | fields)
    return made


@pytest.mark.parametrize(
    ("constraint", "make"),
    [
        ("recurring_charge_months_range", lambda: RecurringChargeFactory(months=0)),
        ("recurring_charge_months_range", lambda: RecurringChargeFactory(months=37)),
        ("recurring_charge_minimum_range", lambda: RecurringChargeFactory(minimum_months=121)),
        ("recurring_charge_quantity_range", lambda: RecurringChargeFactory(quantity=Decimal(0))),
        ("recurring_charge_quantity_range", lambda: RecurringChargeFactory(quantity=Decimal(1_000_001))),
        ("recurring_charge_price_range", lambda: RecurringChargeFactory(unit_price=Decimal(1_000_000_000_001))),
        ("recurring_charge_price_range", lambda: RecurringChargeFactory(unit_price=Decimal(-1_000_000_000_001))),
        ("recurring_charge_timing_known", lambda: RecurringChargeFactory(timing="never")),
        ("recurring_charge_alignment_known", lambda: RecurringChargeFactory(alignment="easter")),
        ("recurring_charge_dates_in_range", lambda: RecurringChargeFactory(start_date=date(1899, 12, 31))),
        ("recurring_charge_dates_in_range", lambda: RecurringChargeFactory(start_date=date(9000, 1, 1))),
        ("recurring_charge_dates_in_range", lambda: RecurringChargeFactory(end_date=date(9000, 1, 1))),
        ("recurring_charge_ends_after_start", lambda: RecurringChargeFactory(end_date=date(2026, 1, 1))),
        ("transaction_period_of_its_charge", lambda: charged_period(kind="ONE_OFF")),
        ("transaction_period_of_its_charge", lambda: charged_period(period_start=None)),
        ("transaction_period_of_its_charge", lambda: charged_period(period_end=None)),
        ("transaction_period_of_its_charge", lambda: charged_period(period_end=date(2026, 1, 1))),
        ("transaction_period_of_its_charge", lambda: TransactionFactory(**JANUARY)),
    ],
)
def test_the_database_refuses_impossible_values(constraint: str, make: Callable[[], object]) -> None:
    with refused(by=constraint):
        make()


def test_each_period_is_there_once() -> None:
    charge = RecurringChargeFactory()
    charged_period(charge)
    with refused(by="transaction_period_once"):
        charged_period(charge)
    charged_period(charge, period_start=date(2026, 2, 1), period_end=date(2026, 3, 1))
    charged_period()


def test_a_charge_has_the_customer_of_its_subscription() -> None:
    with refused(by="recurring_charge_has_its_subscriptions_customer"):
        RecurringChargeFactory(subscription=SubscriptionFactory())


def test_a_charge_is_in_the_currency_of_its_customer() -> None:
    with refused(by="recurring_charge_is_in_its_customers_currency"):
        RecurringChargeFactory(currency_id="EUR")


def test_its_service_is_of_its_subscription() -> None:
    with refused(by="The service is of another subscription than the charge"):
        RecurringChargeFactory(service=SubscriptionServiceFactory())


@pytest.mark.parametrize(
    "change", ["months = 2", "timing = 'arrears'", "alignment = 'anniversary'", "start_date = '2026-01-02'"]
)
def test_periods_stay_once_one_was_charged(change: str) -> None:
    charge = RecurringChargeFactory()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE recurring_charge SET {change}, unit_price = 12")
    charge.refresh_from_db()
    charged_period(charge)
    before = list(RecurringCharge.objects.values())
    RecurringCharge.objects.update(unit_price=Decimal(13), end_date=date(2027, 1, 1), minimum_months=1)
    with refused(by="It was charged before: subscription, start and periods stay"), connection.cursor() as cursor:
        cursor.execute("UPDATE recurring_charge SET months = 5, timing = 'advance', start_date = '2026-01-03'")
    assert [row["months"] for row in RecurringCharge.objects.values()] == [row["months"] for row in before]


@pytest.mark.parametrize(
    "change",
    ["unit_price = 9", "description = 'other'", "period_end = '2026-01-15'", "transaction_date = '2026-01-01'"],
)
def test_what_was_charged_stays_as_it_was(change: str) -> None:
    charged_period(transaction_date=date(2026, 1, 31))
    stays = "A period of a recurring charge stays as it was charged"
    with refused(by=stays), connection.cursor() as cursor:
        cursor.execute(f"UPDATE transaction SET {change}")


def test_a_charge_that_was_charged_is_not_deleted() -> None:
    charge = charged_period().recurring_charge
    assert charge is not None
    with pytest.raises(CatalogConflict, match=r"was charged before: it stays\. Give it an end date\.$"):
        delete_recurring_charge(recurring_charge_id=charge.pk)
    idle = RecurringChargeFactory()
    delete_recurring_charge(recurring_charge_id=idle.pk)
    assert list(RecurringCharge.objects.all()) == [charge]


def test_it_is_made_for_the_customer_of_its_subscription_in_that_ones_currency() -> None:
    subscription = SubscriptionFactory(customer=CustomerFactory(currency__code="EUR"))
    made = create_recurring_charge(
        values={
            "subscription_id": subscription.pk,
            "description": "Line rental",
            "unit_price": Decimal(10),
            "start_date": date(2026, 1, 1),
        }
    )
    assert (made.customer, made.currency_id) == (subscription.customer, "EUR")
    assert (made.months, made.timing, made.alignment, made.is_prorated) == (1, "advance", "calendarMonth", True)


def test_impossible_values_are_refused_in_words() -> None:
    charge = RecurringChargeFactory()
    with pytest.raises(CatalogRefused, match=r"^A period has 1 to 36 months\.$"):
        update_recurring_charge(recurring_charge_id=charge.pk, changes={"months": 40})
    service = SubscriptionServiceFactory()
    with pytest.raises(CatalogRefused, match="is of another subscription than S"):
        update_recurring_charge(recurring_charge_id=charge.pk, changes={"service_id": service.pk})
    charged_period(charge)
    with pytest.raises(CatalogConflict, match="It was charged before"):
        update_recurring_charge(recurring_charge_id=charge.pk, changes={"months": 2})


def test_its_history_is_kept() -> None:
    charge = RecurringChargeFactory(unit_price=Decimal(10))
    update_recurring_charge(recurring_charge_id=charge.pk, changes={"unit_price": Decimal(12)})
    event = RecurringCharge.pgh_event_model.objects  # type: ignore[attr-defined]  # pghistory gives it
    assert list(event.order_by("pgh_id").values_list("unit_price", flat=True)) == [10, 12]
