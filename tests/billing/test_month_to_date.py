"""The month so far: what waits to be billed, priced now, and what is on drafts; nothing is kept."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from billing.operations.month_to_date import MonthToDate, month_to_date
from customers.models import Customer
from tests.factories.billing import BillingCycleFactory, CustomerBillingFactory
from tests.factories.catalog import ProductFactory, TaxRateFactory
from tests.factories.invoicing import RecurringChargeFactory, TransactionFactory
from tests.runs import FEBRUARY, bill, customer_at, invoice, plain, post, use

pytestmark = pytest.mark.django_db

# In the evening of 20 February in UTC.
NOW = datetime(2026, 2, 20, 20, 0, tzinfo=UTC)
EIGHTH: dict[str, Any] = {
    "invoice_date": date(2026, 2, 8),
    "cutoff_date": date(2026, 2, 8),
    "due_date": date(2026, 3, 8),
}


def so_far(customer: Customer, at: datetime = NOW) -> MonthToDate:
    return month_to_date(customer=Customer.objects.get(pk=customer.pk), at=at)


def lines(month: MonthToDate) -> list[str]:
    """Quantity x unit price -> amount"""
    return [f"{plain(line.quantity)} x {plain(line.unit_price)} -> {plain(line.amount)}" for line in month.lines]


def amounts(month: MonthToDate) -> tuple[str, str, str]:
    return plain(month.net_amount), plain(month.tax_amount), plain(month.total_amount)


def rows() -> dict[str, int]:
    """How many rows each table has."""
    tables = connection.introspection.table_names()
    models = [model for model in apps.get_models() if model._meta.db_table in tables]
    return {model._meta.db_table: model._base_manager.count() for model in models}


def test_usage_of_the_month_is_priced_up_to_today() -> None:
    acme, call = customer_at("0.10", tax_rate=TaxRateFactory(percent=Decimal(20)))
    use(acme, call, 100, on="2026-02-01")
    use(acme, call, 5, on="2026-02-20")
    use(acme, call, 7, on="2026-02-21")  # tomorrow
    month = so_far(acme)
    # 105 x 0.10 = 10.50, 20 % of it 2.10
    assert lines(month) == ["105 x 0.1 -> 10.5"]
    assert amounts(month) == ("10.5", "2.1", "12.6")
    assert (month.account_number, month.currency, month.minor_units) == (acme.account_number, "USD", 2)
    assert (month.period_start, month.last_day) == (date(2026, 2, 1), date(2026, 2, 20))


def test_today_is_where_the_customer_is() -> None:
    acme, call = customer_at("0.10", timezone="Asia/Tokyo")
    use(acme, call, 5, on="2026-02-20T16:00")  # on the 21st there
    month = so_far(acme)  # 5 in the morning of the 21st
    assert (lines(month), month.last_day) == (["5 x 0.1 -> 0.5"], date(2026, 2, 21))


def test_nothing_is_kept() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100, on="2026-02-03")
    RecurringChargeFactory(customer=acme, start_date=date(2026, 2, 1))
    before = rows()
    assert lines(so_far(acme)) == ["100 x 0.1 -> 10", "1 x 10 -> 10"]
    assert rows() == before
    with connection.cursor() as cursor:
        for table in ("price_list", "price_page", "price_terms", "price_window"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table


def test_asked_again_it_is_the_same_and_a_run_bills_it() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100, on="2026-02-03")
    RecurringChargeFactory(customer=acme, start_date=date(2026, 2, 1))
    first = so_far(acme)
    assert so_far(acme) == first
    document = invoice(bill(**FEBRUARY), acme)
    assert (document.net_amount, document.tax_amount) == (first.net_amount, first.tax_amount)


def test_what_the_month_before_has_yet_to_bill_is_not_this_months() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100, on="2026-01-31")
    use(acme, call, 1, on="2026-02-01")
    TransactionFactory(customer=acme, transaction_date=date(2026, 1, 31))
    assert lines(so_far(acme)) == ["1 x 0.1 -> 0.1"]


def test_what_missed_the_bill_of_the_month_before_is_this_months() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100, on="2026-01-31")
    post(bill())
    use(acme, call, 30, on="2026-01-30")  # arrived late
    use(acme, call, 1, on="2026-02-01")
    assert lines(so_far(acme)) == ["30 x 0.1 -> 3", "1 x 0.1 -> 0.1"]


def test_what_was_too_little_for_a_bill_waits_for_this_months() -> None:
    acme, call = customer_at("0.10", minimum_invoice_amount=Decimal(25))
    use(acme, call, 100, on="2026-01-31")  # 10.00
    bill()
    use(acme, call, 1, on="2026-02-01")
    assert lines(so_far(acme)) == ["101 x 0.1 -> 10.1"]


def test_usage_on_a_draft_of_the_month_is_on_it() -> None:
    acme, call = customer_at("0.10", tax_rate=TaxRateFactory(percent=Decimal(20)))
    use(acme, call, 100, on="2026-02-03")
    bill(**EIGHTH)
    use(acme, call, 50, on="2026-02-10")
    month = so_far(acme)
    assert lines(month) == ["100 x 0.1 -> 10", "50 x 0.1 -> 5"]
    assert amounts(month) == ("15", "3", "18")
    assert month.period_start == date(2026, 2, 1)


def test_usage_on_a_draft_of_the_month_before_is_not() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100, on="2026-01-03")
    bill()
    month = so_far(acme)
    assert month.lines == ()
    assert month.net_amount == 0


def test_what_is_posted_is_a_bill_of_its_own() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100, on="2026-02-03")
    post(bill(**EIGHTH))
    use(acme, call, 50, on="2026-02-10")
    month = so_far(acme)
    assert lines(month) == ["50 x 0.1 -> 5"]
    assert (month.period_start, month.last_day) == (date(2026, 2, 8), date(2026, 2, 20))


def test_a_counted_price_goes_on_from_what_is_billed_of_the_month() -> None:
    # 100 are free in a month.
    acme, call = customer_at("0.10", rate__included_quantity=Decimal(100))
    use(acme, call, 80, on="2026-02-03")
    post(bill(**EIGHTH))
    use(acme, call, 50, on="2026-02-10")
    month = so_far(acme)
    # 130 - 100 = 30 are paid: 3.00, 20 % of it 0.60
    assert amounts(month) == ("3", "0.6", "3.6")


def test_charges_and_credits_are_on_it_as_they_fall_due() -> None:
    acme, _ = customer_at("0.10")
    TransactionFactory(customer=acme, transaction_date=date(2026, 2, 10), unit_price=Decimal(25))
    TransactionFactory(customer=acme, transaction_date=date(2026, 2, 10), bill_date=date(2026, 3, 1))
    RecurringChargeFactory(customer=acme, start_date=date(2026, 2, 1), unit_price=Decimal(10))
    RecurringChargeFactory(customer=acme, start_date=date(2026, 2, 1), timing="arrears")  # on the 28th
    assert lines(so_far(acme)) == ["1 x 10 -> 10", "1 x 25 -> 25"]


def test_recurring_charges_of_the_month_before_are_not() -> None:
    acme, _ = customer_at("0.10")
    RecurringChargeFactory(customer=acme, start_date=date(2026, 1, 1), unit_price=Decimal(10))
    (line,) = so_far(acme).lines
    assert line.description == "Line rental (2026-02-01 to 2026-02-28)"


def test_neither_minimum_nor_usage_without_a_price_keeps_it_back() -> None:
    acme, call = customer_at("0.10", minimum_invoice_amount=Decimal(25))
    use(acme, call, 1, on="2026-02-03")
    use(acme, ProductFactory(), 1, on="2026-02-03")
    assert lines(so_far(acme)) == ["1 x 0.1 -> 0.1"]


def test_a_customer_of_any_cycle_has_one() -> None:
    acme, call = customer_at("0.10")
    cycle = BillingCycleFactory(months=3, subrun="quarterly")
    CustomerBillingFactory(customer=acme, billing_cycle=cycle)
    use(acme, call, 100, on="2026-02-03")
    assert lines(so_far(acme)) == ["100 x 0.1 -> 10"]


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "33"), ("USD", "33.37"), ("KWD", "33.366")])
def test_amounts_are_in_the_currencys_minor_units(currency: str, amount: str) -> None:
    # 100.1 x 0.33333 = 33.366333
    acme, call = customer_at("0.33333", currency=currency)
    use(acme, call, "100.1", on="2026-02-03")
    assert amounts(so_far(acme))[0] == amount
