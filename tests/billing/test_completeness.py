"""Every record of an import is in one place: pending, charged or excluded."""

from decimal import Decimal
from typing import Any

import pytest

from billing.queries.completeness import Share, UsageBalance, import_balance
from catalog.models import Product
from customers.models import Customer
from tests.factories import PendingUsageFactory, UsageChargeFactory, UsageImportFactory
from tests.runs import FEBRUARY, bill, customer_at, use
from usage.models import PendingUsage, UsageDataRecord, UsageImport

pytestmark = pytest.mark.django_db


@pytest.fixture
def usage_import() -> UsageImport:
    return UsageImportFactory()


@pytest.fixture
def party() -> tuple[Customer, Product]:
    return customer_at("1")


def imported(
    usage_import: UsageImport, party: tuple[Customer, Product], quantity: str, **fields: Any
) -> UsageDataRecord:
    return use(*party, quantity, usage_import=usage_import, **fields)


def test_it_follows_the_records_from_the_inbox_to_the_invoice(
    usage_import: UsageImport, party: tuple[Customer, Product]
) -> None:
    imported(usage_import, party, "1.5")
    imported(usage_import, party, "2", on="2026-02-10")
    imported(usage_import, party, "4", billing_directive="NOT_TO_BE_BILLED")
    imported(usage_import, party, "8", life_cycle_state="CANCELLED")
    use(*party, "16")
    excluded = Share(2, Decimal(12))
    total = Share(4, Decimal("15.5"))
    seen = [import_balance(usage_import.id)]
    for month in ({}, FEBRUARY):
        bill(**month)
        seen.append(import_balance(usage_import.id))
    nothing = Share(0, Decimal(0))
    assert seen == [
        UsageBalance(total, pending, charged, excluded, misplaced_count=0)
        for pending, charged in (
            (Share(2, Decimal("3.5")), nothing),
            (Share(1, Decimal(2)), Share(1, Decimal("1.5"))),
            (nothing, Share(2, Decimal("3.5"))),
        )
    ]
    assert all(balance.balances for balance in seen)


def test_an_import_without_records_balances(usage_import: UsageImport) -> None:
    nothing = Share(0, Decimal(0))
    assert import_balance(usage_import.id) == UsageBalance(nothing, nothing, nothing, nothing, misplaced_count=0)
    assert import_balance(usage_import.id).balances


def test_a_charged_record_that_is_pending_too_does_not_balance(
    usage_import: UsageImport, party: tuple[Customer, Product]
) -> None:
    record = imported(usage_import, party, "5")
    UsageChargeFactory(line__invoice__customer=party[0], record=record)
    assert not import_balance(usage_import.id).balances


def test_a_lost_record_does_not_balance(usage_import: UsageImport, party: tuple[Customer, Product]) -> None:
    imported(usage_import, party, "5", pending=False)
    imported(usage_import, party, "6")
    assert not import_balance(usage_import.id).balances


def test_a_lost_record_is_not_made_up_for_by_one_that_is_in_two_places(
    usage_import: UsageImport, party: tuple[Customer, Product]
) -> None:
    imported(usage_import, party, "5", pending=False)
    twice = imported(usage_import, party, "5")
    UsageChargeFactory(line__invoice__customer=party[0], record=twice)
    balance = import_balance(usage_import.id)
    # By count and quantity nothing is missing: 2 = 1 pending + 1 charged, 10 = 5 + 5.
    assert (balance.total, balance.pending, balance.charged) == (
        Share(2, Decimal(10)),
        Share(1, Decimal(5)),
        Share(1, Decimal(5)),
    )
    assert (balance.misplaced_count, balance.balances) == (2, False)


def test_an_excluded_record_in_the_inbox_does_not_balance(
    usage_import: UsageImport, party: tuple[Customer, Product]
) -> None:
    record = imported(usage_import, party, "5", billing_directive="NOT_TO_BE_BILLED")
    assert import_balance(usage_import.id).balances
    PendingUsageFactory(record=record)
    assert not import_balance(usage_import.id).balances


def test_quantities_of_more_than_28_digits_balance(usage_import: UsageImport, party: tuple[Customer, Product]) -> None:
    # Python's usual arithmetic would round their sum.
    imported(usage_import, party, "12345678901234567890.123456789012345678")
    imported(usage_import, party, "0.000000000000000001")
    PendingUsage.objects.filter(record__usage_amount__lt=1).delete()
    UsageDataRecord.objects.filter(usage_amount__lt=1).update(billing_directive="NOT_TO_BE_BILLED")
    assert import_balance(usage_import.id).balances
