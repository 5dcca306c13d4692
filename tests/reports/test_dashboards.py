"""What dashboards show of revenue and usage, in figures worked out by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reports.operations.figures import count_figures, count_pending
from reports.queries.dashboards import (
    Age,
    Day,
    Mover,
    Part,
    Scope,
    WaitingCustomer,
    kept_figures,
    revenue_by_customer,
    revenue_by_day,
    revenue_by_destination,
    revenue_by_product,
    top_movers,
    unbilled_usage,
    unbilled_usage_as_counted,
    usage_by_day,
)
from tests.factories import (
    CustomerFactory,
    CustomerGroupFactory,
    InvoiceFactory,
    ProductFactory,
    RateFactory,
    SubscriptionServiceFactory,
    UsageDataRecordFactory,
)
from tests.pictured import billed, charged

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
FEBRUARY = Scope(date(2026, 2, 1), date(2026, 3, 1), "USD")
YEAR = Scope(date(2026, 1, 1), date(2027, 1, 1), "USD", by_month=True)


def test_revenue_is_the_net_of_posted_documents_by_invoice_date() -> None:
    customer = CustomerFactory()
    billed(customer, "10.00", on="2026-02-01")
    billed(customer, "2.50", on="2026-02-01")
    billed(customer, "-1.00", on="2026-02-28")
    billed(customer, "100.00", on="2026-01-31")
    billed(customer, "100.00", on="2026-03-01")
    billed(CustomerFactory(currency__code="EUR"), "100.00")
    InvoiceFactory(customer=customer)  # a draft
    assert revenue_by_day(FEBRUARY) == [
        Day(date(2026, 2, 1), 2, Decimal("12.50")),
        Day(date(2026, 2, 28), 1, Decimal("-1.00")),
    ]
    # February: 12.50 - 1.00.
    assert revenue_by_day(YEAR) == [
        Day(date(2026, 1, 1), 1, Decimal("100.00")),
        Day(date(2026, 2, 1), 3, Decimal("11.50")),
        Day(date(2026, 3, 1), 1, Decimal("100.00")),
    ]


def test_a_group_has_the_revenue_of_its_customers() -> None:
    group = CustomerGroupFactory()
    billed(CustomerFactory(groups=[group]), "10.00")
    billed(CustomerFactory(), "5.00")
    scope = Scope(FEBRUARY.first, FEBRUARY.until, "USD", group.pk)
    assert revenue_by_day(scope) == [Day(date(2026, 2, 1), 1, Decimal("10.00"))]
    assert [(part.part_count, part.amount) for part in revenue_by_customer(scope)] == [(1, Decimal("10.00"))]
    assert [mover.after for mover in top_movers(scope, before_first=date(2026, 1, 1))] == [Decimal("10.00")]


def test_products_are_ordered_by_revenue_and_the_small_ones_are_one() -> None:
    customer = CustomerFactory()
    products = [ProductFactory(name=f"Product {number:02}") for number in range(12)]
    for number, product in enumerate(products):
        billed(customer, f"{number + 1}.00", product=product)
    billed(customer, "50.00", kind="FEE", charge_count=0)
    count_figures(at=AT)
    found = revenue_by_product(FEBRUARY)
    assert found[0] == Part(name="", part_count=1, record_count=0, amount=Decimal("50.00"), kind="FEE")
    assert found[1] == Part("Product 11", 1, 3, Decimal("12.00"), products[11].pk)
    assert [part.amount for part in found[1:10]] == [Decimal(amount) for amount in range(12, 3, -1)]
    # Products 00 to 02: 1.00 + 2.00 + 3.00 of 3 records each.
    assert found[10:] == [Part(None, 3, 9, Decimal("6.00"))]


def test_destinations_are_those_of_usage() -> None:
    customer, calls = CustomerFactory(), ProductFactory()
    france = RateFactory(product=calls, destination_prefix="33", destination_name="France")
    billed(customer, "10.00", product=calls, rate=france)
    billed(customer, "2.00", product=calls)
    billed(customer, "50.00", kind="FEE", charge_count=0)
    count_figures(at=AT)
    assert revenue_by_destination(FEBRUARY) == [
        Part("France", 1, 3, Decimal("10.00")),
        Part("", 1, 3, Decimal("2.00")),
    ]


def test_customers_are_ordered_by_revenue_with_their_records() -> None:
    small = [CustomerFactory() for _ in range(11)]
    for customer in small:
        billed(customer, "1.00")
    large = CustomerFactory(name="Large", account_number="L1")
    billed(large, "30.00", on="2026-02-01")
    billed(large, "-10.00", on="2026-02-02", charge_count=0)
    found = revenue_by_customer(FEBRUARY)
    assert found[0] == Part("Large", 1, 3, Decimal("20.00"), large.pk, account_number="L1")
    assert len(found) == 11
    # Two of the eleven small ones.
    assert found[10] == Part(None, 2, None, Decimal("2.00"))


def test_usage_is_shown_by_its_day() -> None:
    charged(CustomerFactory(), "0.60", "0.015", used="2026-02-03")
    charged(CustomerFactory(), "1.00", used="2026-03-03")
    count_figures(at=AT)
    assert usage_by_day(FEBRUARY) == [Day(date(2026, 2, 3), 2, Decimal("0.615"))]
    assert usage_by_day(YEAR) == [
        Day(date(2026, 2, 1), 2, Decimal("0.615")),
        Day(date(2026, 3, 1), 1, Decimal("1.00")),
    ]


def test_movers_are_those_whose_revenue_changed_most() -> None:
    lost, won, same, new = (
        CustomerFactory(name=name, account_number=name[0]) for name in ("Lost", "Won", "Same", "New")
    )
    for customer, before, after in ((lost, "50.00", "20.00"), (won, "10.00", "25.00"), (same, "9.00", "9.00")):
        billed(customer, before, on="2026-01-31")
        billed(customer, after, on="2026-02-28")
    billed(new, "16.00", on="2026-02-01")
    billed(won, "500.00", on="2025-12-31")
    assert top_movers(FEBRUARY, before_first=date(2026, 1, 1)) == [
        Mover(lost.pk, "L", "Lost", Decimal("50.00"), Decimal("20.00")),
        Mover(new.pk, "N", "New", Decimal(0), Decimal("16.00")),
        Mover(won.pk, "W", "Won", Decimal("10.00"), Decimal("25.00")),
    ]


def test_unbilled_usage_is_told_by_its_age() -> None:
    service = SubscriptionServiceFactory(customer__name="Waits", customer__account_number="W1")
    other = SubscriptionServiceFactory(customer__name="Waits less", customer__account_number="W2")
    # Ages on 1 July: -1, 0, 30 | 31, 60 | 61 | 181 days.
    for day in ("2026-07-02", "2026-07-01", "2026-06-01", "2026-05-31", "2026-05-02", "2026-05-01", "2026-01-01"):
        UsageDataRecordFactory(subscription_service=service, billing_effective_date=date.fromisoformat(day))
    UsageDataRecordFactory(subscription_service=other, billing_effective_date=date(2026, 6, 30))
    found = unbilled_usage(on=date(2026, 7, 1))
    assert found.ages == (
        Age(None, 30, 2, 4),
        Age(31, 60, 1, 2),
        Age(61, 90, 1, 1),
        Age(91, 180, 0, 0),
        Age(181, None, 1, 1),
    )
    assert found.record_count == 8
    assert found.customers == (
        WaitingCustomer(service.customer_id, "W1", "Waits", 7, date(2026, 1, 1)),
        WaitingCustomer(other.customer_id, "W2", "Waits less", 1, date(2026, 6, 30)),
    )


def test_unbilled_usage_of_a_group() -> None:
    group = CustomerGroupFactory()
    inside = SubscriptionServiceFactory(customer=CustomerFactory(groups=[group]))
    UsageDataRecordFactory(subscription_service=inside)
    UsageDataRecordFactory()
    assert unbilled_usage(on=date(2026, 2, 1), group_id=group.pk).record_count == 1
    assert unbilled_usage(on=date(2026, 2, 1)).record_count == 2


def test_unbilled_usage_as_it_was_counted_is_the_same_until_it_is_counted_again() -> None:
    group = CustomerGroupFactory()
    inside = SubscriptionServiceFactory(customer=CustomerFactory(groups=[group]))
    for day in (date(2026, 7, 2), date(2026, 5, 31), date(2025, 7, 1)):
        UsageDataRecordFactory(subscription_service=inside, billing_effective_date=day)
    UsageDataRecordFactory(billing_effective_date=date(2026, 6, 30))
    assert unbilled_usage_as_counted() is None
    count_pending(at=AT, on=date(2026, 7, 1))
    for group_id, count in ((None, 4), (group.pk, 3)):
        found = unbilled_usage_as_counted(group_id=group_id)
        assert found == replace(unbilled_usage(on=date(2026, 7, 1), group_id=group_id), counted_at=AT)
        assert found is not None
        assert found.record_count == count
    UsageDataRecordFactory(billing_effective_date=date(2026, 6, 30))
    again = unbilled_usage_as_counted()
    assert again is not None
    assert (again.record_count, unbilled_usage(on=date(2026, 7, 1)).record_count) == (4, 5)


def test_where_nothing_waits_every_age_is_0() -> None:
    found = unbilled_usage(on=date(2026, 2, 1))
    assert (found.record_count, found.customers, len(found.ages)) == (0, (), 5)


def test_documents_that_are_not_counted_yet_are_known() -> None:
    billed(CustomerFactory(), "1.00")
    assert (kept_figures().uncounted, kept_figures().counted_at) == (1, None)
    count_figures(at=AT)
    assert (kept_figures().uncounted, kept_figures().counted_at) == (0, AT)


def test_each_picture_is_one_query() -> None:
    billed(CustomerFactory(), "1.00")
    with CaptureQueriesContext(connection) as asked:
        for ask in (revenue_by_day, revenue_by_product, revenue_by_destination, revenue_by_customer, usage_by_day):
            ask(FEBRUARY)
        top_movers(FEBRUARY, before_first=date(2026, 1, 1))
        unbilled_usage(on=date(2026, 2, 1))
    assert len(asked) == 7
