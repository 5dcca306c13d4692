"""Recurring charges: each period once, when it falls due, the first and the last by their days."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import BillingRun
from billing.operations.preview import preview_run
from billing.operations.runs import commence_run
from customers.models import Customer
from invoicing.models import RecurringCharge, Transaction
from tests.factories import (
    BillingCycleFactory,
    CustomerBillingFactory,
    CustomerFactory,
    ProductFactory,
    RecurringChargeFactory,
    SubscriptionServiceFactory,
    TaxRateFactory,
)
from tests.runs import AT, FEBRUARY, bill, invoice, lines, new_run, outcome, plain, post, produce, taxes, totals

pytestmark = pytest.mark.django_db


def charge(customer: Customer, price: str, start: str, end: str | None = None, **fields: Any) -> RecurringCharge:
    made: RecurringCharge = RecurringChargeFactory(
        customer=customer,
        unit_price=Decimal(price),
        start_date=date.fromisoformat(start),
        end_date=date.fromisoformat(end) if end else None,
        **fields,
    )
    return made


def bill_before(cutoff: str, **fields: Any) -> BillingRun:
    """A completed run of what is due before a day, however few customers it takes this time."""
    day = date.fromisoformat(cutoff)
    run = new_run(invoice_date=day, cutoff_date=day, due_date=day, **fields)
    return produce(commence_run(run_id=run.pk, at=AT, without_preflight=True))


def charged(customer: Customer) -> list[str]:
    """Its transactions: first day, first day after it, amount."""
    rows = Transaction.objects.filter(customer=customer).order_by("recurring_charge_id", "period_start")
    return [f"{row.period_start} {row.period_end} {plain(row.amount)}" for row in rows]


def test_in_advance_a_period_is_on_the_run_of_its_first_day() -> None:
    acme = CustomerFactory()
    charge(acme, "10", "2026-01-01")
    # Cutoff 1 February: the first day of January is before it, that of February is not.
    document = invoice(bill(), acme)
    assert lines(document) == ["1 x 10 = 10 -> 10.00"]
    assert document.lines.get().description == "Line rental (2026-01-01 to 2026-01-31)"
    # 20 % of 10.00 = 2.00.
    assert totals(document) == "10.00 + 2.00 = 12.00 USD"
    assert charged(acme) == ["2026-01-01 2026-02-01 10"]
    # Cutoff 2 February: the first day of February is before it.
    bill_before("2026-02-02")
    assert charged(acme) == ["2026-01-01 2026-02-01 10", "2026-02-01 2026-03-01 10"]


def test_in_arrears_a_period_is_on_the_run_of_its_last_day() -> None:
    acme = CustomerFactory()
    charge(acme, "10", "2026-01-01", timing="arrears")
    assert outcome(bill_before("2026-01-31"), acme)[0] == "nothingToBill"
    # Its last day, 31 January, is before 1 February.
    run = bill_before("2026-02-01")
    assert charged(acme) == ["2026-01-01 2026-02-01 10"]
    assert Transaction.objects.get().transaction_date == date(2026, 1, 31)
    assert totals(invoice(run, acme)) == "10.00 + 2.00 = 12.00 USD"


def test_aligned_to_months_the_first_period_costs_its_days() -> None:
    acme = CustomerFactory()
    charge(acme, "31", "2026-01-18")
    document = invoice(bill_before("2026-02-02"), acme)
    # 18 to 31 January are 14 of 31 days: 31 x 14 / 31 = 14. February in full.
    assert charged(acme) == ["2026-01-18 2026-02-01 14", "2026-02-01 2026-03-01 31"]
    assert [line.description for line in document.lines.order_by("line_number")] == [
        "Line rental (2026-01-18 to 2026-01-31, 14 of 31 days)",
        "Line rental (2026-02-01 to 2026-02-28)",
    ]


def test_by_anniversary_the_first_period_is_whole() -> None:
    acme = CustomerFactory()
    charge(acme, "31", "2026-01-18", alignment="anniversary")
    bill_before("2026-02-18")
    assert charged(acme) == ["2026-01-18 2026-02-18 31"]
    bill_before("2026-02-19")
    assert charged(acme) == ["2026-01-18 2026-02-18 31", "2026-02-18 2026-03-18 31"]


@pytest.mark.parametrize(("timing", "last_cutoff"), [("advance", "2026-02-19"), ("arrears", "2026-02-25")])
def test_the_last_period_costs_its_days(timing: str, last_cutoff: str) -> None:
    acme = CustomerFactory()
    charge(acme, "56", "2026-01-18", "2026-02-25", alignment="anniversary", timing=timing)
    bill_before(last_cutoff)
    # 18 January to 17 February are 31 days; 18 to 24 February are 7 of 28 days (to 17 March): 56 x 7 / 28 = 14.
    assert charged(acme) == ["2026-01-18 2026-02-18 56", "2026-02-18 2026-02-25 14"]
    bill_before("2027-01-01")
    assert len(charged(acme)) == 2


def test_the_quotient_is_rounded_once_half_away_from_zero() -> None:
    acme = CustomerFactory()
    charge(acme, "10", "2026-01-21")
    charge(acme, "-10", "2026-01-21")
    charge(acme, "0.000000000000000001", "2026-02-15")
    bill_before("2026-02-20")
    # 10 x 11 / 31 = 3.548387096774193548 387...: down. Of the smallest price there is, 14 of 28 days are half: up.
    assert charged(acme) == [
        "2026-01-21 2026-02-01 3.548387096774193548",
        "2026-02-01 2026-03-01 10",
        "2026-01-21 2026-02-01 -3.548387096774193548",
        "2026-02-01 2026-03-01 -10",
        "2026-02-15 2026-03-01 0.000000000000000001",
    ]


def test_not_prorated_each_period_that_is_begun_costs_all() -> None:
    acme = CustomerFactory()
    made = charge(acme, "31", "2026-01-18", "2026-02-03", is_prorated=False)
    document = invoice(bill_before("2026-02-02"), acme)
    assert charged(acme) == ["2026-01-18 2026-02-01 31", "2026-02-01 2026-02-03 31"]
    assert not document.lines.filter(description__contains="days")
    # It comes to end later: the rest of February is paid for.
    RecurringCharge.objects.filter(pk=made.pk).update(end_date=date(2026, 3, 5))
    bill_before("2026-03-02")
    assert charged(acme)[2:] == ["2026-03-01 2026-03-05 31"]


def test_the_quantity_counts_with_fractions_too() -> None:
    acme = CustomerFactory()
    charge(acme, "31", "2026-01-18", quantity=Decimal(3))
    charge(acme, "10", "2026-01-01", "2026-01-11", quantity=Decimal("1.5"))
    # 3 x 14 = 42. 10 x 10 / 31 = 3.225806451612903226, x 1.5 = 4.838709677419354839: 46.84 together.
    assert lines(invoice(bill(), acme)) == [
        "1.5 x 3.225806451612903226 = 4.838709677419354839 -> 4.84",
        "3 x 14 = 42 -> 42.00",
    ]


def test_quantity_times_price_may_have_more_digits_than_an_amount() -> None:
    acme = CustomerFactory()
    charge(acme, "10", "2026-01-01", "2026-01-11", quantity=Decimal("0.25"))
    # 10 x 10 / 31 = 3.225806451612903226, a quarter of it 0.8064516129032258065: half of the 18th digit, so up.
    assert lines(invoice(bill(), acme)) == ["0.25 x 3.225806451612903226 = 0.806451612903225807 -> 0.81"]


def test_months_are_counted_from_the_anchor_and_end_where_they_end() -> None:
    acme = CustomerFactory()
    charge(acme, "10", "2026-01-31", alignment="anniversary")
    bill_before("2026-06-01")
    # 31 January, then the last of February, then the 31st again where there is one.
    assert [row.split()[0] for row in charged(acme)] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
    ]


def test_in_a_leap_year_february_has_29_days() -> None:
    acme = CustomerFactory()
    charge(acme, "29", "2028-02-20")
    charge(acme, "10", "2028-01-30", alignment="anniversary")
    bill_before("2028-03-01")
    # 20 to 29 February are 10 of 29 days: 29 x 10 / 29 = 10. A month after 30 January is 29 February.
    assert charged(acme) == ["2028-02-20 2028-03-01 10", "2028-01-30 2028-02-29 10", "2028-02-29 2028-03-30 10"]


def test_periods_of_several_months() -> None:
    acme = CustomerFactory()
    charge(acme, "89", "2026-02-10", months=3)
    charge(acme, "120", "2025-03-15", months=12, alignment="anniversary", timing="arrears")
    bill_before("2026-05-02")
    # The first from 1 February to 30 April has 28 + 31 + 30 = 89 days, of which 9 are before the 10th: 80.
    assert charged(acme) == [
        "2026-02-10 2026-05-01 80",
        "2026-05-01 2026-08-01 89",
        "2025-03-15 2026-03-15 120",
    ]


def test_ended_before_its_minimum_term_it_is_charged_to_the_end_of_that() -> None:
    acme = CustomerFactory()
    charge(acme, "10", "2026-01-01", "2026-02-01", minimum_months=3)
    charge(acme, "30", "2026-01-16", "2026-02-01", minimum_months=3)
    bill_before("2027-01-01")
    # The second until 16 April: 16 of 31 days of January, two months, 15 of 30 days of April.
    assert charged(acme) == [
        "2026-01-01 2026-02-01 10",
        "2026-02-01 2026-03-01 10",
        "2026-03-01 2026-04-01 10",
        "2026-01-16 2026-02-01 15.483870967741935484",
        "2026-02-01 2026-03-01 30",
        "2026-03-01 2026-04-01 30",
        "2026-04-01 2026-04-16 15",
    ]


def test_it_ends_with_its_subscription_and_its_service() -> None:
    acme = CustomerFactory()
    service = SubscriptionServiceFactory(customer=acme, end_date=date(2026, 2, 1))
    charge(acme, "10", "2026-01-01", subscription=service.subscription, service=service)
    charge(acme, "20", "2026-01-01", subscription__end_date=date(2026, 1, 11))
    bill_before("2026-06-01")
    # 10 of 31 days of 20: 6.451612903225806451 6..., so up.
    assert charged(acme) == ["2026-01-01 2026-02-01 10", "2026-01-01 2026-01-11 6.451612903225806452"]


def test_what_has_ended_without_a_date_is_charged_for_its_minimum_term_only() -> None:
    closed = CustomerFactory(status="CLOSED")
    charge(closed, "10", "2026-01-01")
    charge(closed, "20", "2026-01-01", minimum_months=1)
    acme = CustomerFactory()
    charge(acme, "10", "2026-01-01", subscription__life_cycle_state="ENDED")
    charge(acme, "10", "2026-01-01", subscription__life_cycle_state="DRAFT")
    bill_before("2026-06-01")
    assert (charged(closed), charged(acme)) == (["2026-01-01 2026-02-01 20"], [])


def test_with_a_transaction_cutoff_date_its_last_day_counts() -> None:
    acme = CustomerFactory()
    charge(acme, "10", "2026-01-01")
    charge(acme, "20", "2026-02-05", alignment="anniversary")
    charge(acme, "30", "2026-02-06", alignment="anniversary")
    run = bill(transaction_cutoff_date=date(2026, 2, 5))
    # Up to and on 5 February: January and February of the first, the first period of the second.
    assert lines(invoice(run, acme)) == ["1 x 10 = 10 -> 10.00", "1 x 10 = 10 -> 10.00", "1 x 20 = 20 -> 20.00"]
    early = CustomerFactory()
    charge(early, "10", "2026-02-01")
    bill_before("2026-03-01", transaction_cutoff_date=date(2026, 1, 31))
    assert charged(early) == []


def test_missed_periods_are_made_up_for() -> None:
    acme = CustomerFactory()
    charge(acme, "10", "2025-11-01")
    assert lines(invoice(bill(), acme)) == ["1 x 10 = 10 -> 10.00"] * 3
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["1 x 10 = 10 -> 10.00"]


def test_customers_of_another_subrun_or_whose_cycle_has_not_come_round_are_not_charged() -> None:
    odd = CustomerFactory()
    CustomerBillingFactory(customer=odd, billing_cycle=BillingCycleFactory(subrun="odd"))
    quarterly = CustomerFactory()
    CustomerBillingFactory(customer=quarterly, billing_cycle=BillingCycleFactory(months=3))
    plain_one = CustomerFactory()
    for customer in (odd, quarterly, plain_one):
        charge(customer, "10", "2026-01-01")
    bill()
    assert [len(charged(customer)) for customer in (odd, quarterly, plain_one)] == [0, 1, 1]
    # Billed to 1 February, it is billed again from 1 May on; the other months wait, and come together.
    for cutoff in ("2026-03-01", "2026-04-01"):
        bill_before(cutoff)
        assert [len(charged(customer)) for customer in (odd, quarterly)] == [0, 1]
    run = bill_before("2026-05-01")
    assert lines(invoice(run, quarterly)) == ["1 x 10 = 10 -> 10.00"] * 3
    assert invoice(run, quarterly).period_start == date(2026, 2, 1)
    bill_before("2026-02-01", subrun="odd")
    assert len(charged(odd)) == 1


def test_other_terms_change_nothing_that_was_charged() -> None:
    acme = CustomerFactory()
    made = charge(acme, "10", "2026-01-01")
    run = bill()
    RecurringCharge.objects.filter(pk=made.pk).update(
        unit_price=Decimal(12), quantity=Decimal(2), description="Line", end_date=date(2026, 1, 10)
    )
    post(run)
    assert charged(acme) == ["2026-01-01 2026-02-01 10"]
    # Ended in what was charged, it comes to end on 15 February: one day of it was not charged for.
    RecurringCharge.objects.filter(pk=made.pk).update(end_date=date(2026, 2, 15))
    # 14 of 28 days of 12 are 6, twice.
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["2 x 6 = 12 -> 12.00"]


def test_an_end_that_comes_later_goes_on_where_the_last_period_ended() -> None:
    acme = CustomerFactory()
    made = charge(acme, "31", "2026-01-01", "2026-01-15")
    bill()
    RecurringCharge.objects.filter(pk=made.pk).update(end_date=None)
    bill_before("2026-02-02")
    # 14 of 31 days, the other 17, then February.
    assert charged(acme) == ["2026-01-01 2026-01-15 14", "2026-01-15 2026-02-01 17", "2026-02-01 2026-03-01 31"]


def test_it_has_its_product_and_a_tax_rate_of_its_own() -> None:
    acme = CustomerFactory()
    charge(acme, "10", "2026-01-01", product=ProductFactory(code="LINE"), tax_rate=TaxRateFactory(percent=Decimal(7)))
    document = invoice(bill(), acme)
    # 10.00 x 7 % = 0.70.
    assert taxes(document) == ["7 % of 10.00 = 0.70"]
    assert (document.lines.get().product_code, document.lines.get().kind) == ("LINE", "RECURRING")


def test_what_it_comes_to_below_the_minimum_waits_and_is_not_charged_again() -> None:
    acme = CustomerFactory(minimum_invoice_amount=Decimal(15))
    charge(acme, "10", "2026-01-01")
    assert outcome(bill(), acme)[0] == "nothingToBill"
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["1 x 10 = 10 -> 10.00"] * 2


def test_a_preview_shows_it_and_keeps_nothing() -> None:
    acme = CustomerFactory()
    charge(acme, "10", "2026-01-01")
    run = new_run()
    (shown,) = preview_run(run_id=run.pk, at=AT).accounts
    assert (shown.outcome, shown.total_amount) == ("invoiced", Decimal("12.00"))
    assert charged(acme) == []
