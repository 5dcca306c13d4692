"""Invoices far from what the customer's invoices come to are held, with their draft."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import BillingRun
from billing.operations.preview import preview_run
from billing.operations.run_accounts import release_account
from billing.operations.runs import commence_run
from billing.operations.todays_prices import produce_with_todays_prices
from billing.operations.usage_records import cancel_record
from catalog.models import Product
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import InvoiceFactory, ProductFactory
from tests.factories.invoicing import post as post_by_sql
from tests.runs import (
    AT,
    account,
    bill,
    customer_at,
    invoice,
    new_run,
    outcome,
    pending,
    plain,
    post,
    produce,
    totals,
    use,
)

pytestmark = pytest.mark.django_db


def billed_before(customer: Customer, amounts: Sequence[str | int], **fields: Any) -> None:
    """Posted invoices of these net amounts, one a month, the last of December 2025."""
    for back, amount in enumerate(reversed(amounts)):
        net, month = Decimal(amount), 2025 * 12 + 11 - back
        period = {
            "period_start": date(month // 12, month % 12 + 1, 1),
            "period_end": date((month + 1) // 12, (month + 1) % 12 + 1, 1),
        }
        kind = "CREDIT_NOTE" if net < 0 else "INVOICE"
        draft = InvoiceFactory(
            customer=customer, kind=kind, net_amount=net, tax_amount=net * Decimal("0.2"), **(period | fields)
        )
        post_by_sql(draft, at=AT)


def customer_with(history: Sequence[str | int], **fields: Any) -> tuple[Customer, Product]:
    """A customer at 1.00 a unit that was billed these net amounts before."""
    customer, call = customer_at("1", **fields)
    billed_before(customer, history)
    return customer, call


def billed(customer: Customer, call: Product, net: str | int, **thresholds: Decimal | None) -> BillingRun:
    use(customer, call, net)
    run = new_run()
    if thresholds:
        BillingRun.objects.filter(pk=run.pk).update(**thresholds)
    return produce(commence_run(run_id=run.pk, at=AT, without_preflight=True))


def test_an_invoice_outside_the_band_is_held_with_its_draft_and_says_why() -> None:
    acme, call = customer_with([90, 100, 110, 95, 105])
    run = billed(acme, call, 250)
    # Median of 90, 95, 100, 105, 110: 100. Deviations 10, 5, 0, 5, 10: median 5. 3 x 1.4826 x 5 = 22.239. 150 % more.
    reason = (
        "It comes to 250.00 USD before tax, 150 % more than usual: the customer's last 5 invoices come to 100.00 "
        "(median), usually between 77.76 and 122.24. Release it, or correct what is wrong."
    )
    assert outcome(run, acme) == ("held", reason)
    assert account(run, acme).held_for == "unusual"
    assert totals(invoice(run, acme)) == "250.00 + 50.00 = 300.00 USD"
    assert pending(acme) == set()


def test_what_comes_to_less_is_held_as_well() -> None:
    acme, call = customer_with([900, 1000, 1100])
    run = billed(acme, call, 400)
    # Median 1000, deviations 100, 0, 100: median 100. 3 x 1.4826 x 100 = 444.78. 600 below, 60 % of 1000.
    reason = (
        "It comes to 400.00 USD before tax, 60 % less than usual: the customer's last 3 invoices come to 1000.00 "
        "(median), usually between 555.22 and 1444.78. Release it, or correct what is wrong."
    )
    assert outcome(run, acme) == ("held", reason)


@pytest.mark.parametrize(
    ("history", "net", "becomes"),
    [
        # Median 100 of 90, 100, 110, deviations 10, 0, 10: band up to 100 + 44.478.
        ([90, 100, 110], "144.47", "invoiced"),
        ([90, 100, 110], "144.48", "held"),
        # An even number: median (100 + 110) / 2 = 105, deviations 15, 5, 5, 15: median 10; up to 105 + 44.478.
        ([90, 100, 110, 120], "149.47", "invoiced"),
        ([90, 100, 110, 120], "149.49", "held"),
        # The same every time: no band at all.
        ([100, 100, 100], "100", "invoiced"),
        ([100, 100, 100], "100.01", "held"),
        # One of old does not widen it: median 100, deviations 0, 0, 0, 900.
        ([1000, 100, 100, 100], "100.01", "held"),
        # Two are no history.
        ([100, 100], "9000", "invoiced"),
    ],
)
def test_the_band_is_the_median_and_three_deviations(history: list[int], net: str, becomes: str) -> None:
    acme, call = customer_with(history)
    run = billed(acme, call, net, **no_thresholds())
    assert outcome(run, acme)[0] == becomes


def no_thresholds() -> dict[str, Any]:
    return {"unusual_percent": Decimal(0), "unusual_amount": Decimal(0)}


@pytest.mark.parametrize(
    ("percent", "amount", "becomes"),
    [
        # 250 is 150 more than 100, which is 150 %. Both thresholds have to be passed.
        ("149.99", "149.99", "held"),
        ("150", "149.99", "invoiced"),
        ("149.99", "150", "invoiced"),
        (None, "0", "invoiced"),
        ("0", None, "invoiced"),
    ],
)
def test_both_thresholds_have_to_be_passed(percent: str | None, amount: str | None, becomes: str) -> None:
    acme, call = customer_with([100, 100, 100])
    thresholds = {
        "unusual_percent": None if percent is None else Decimal(percent),
        "unusual_amount": None if amount is None else Decimal(amount),
    }
    run = billed(acme, call, 250, **thresholds)
    assert outcome(run, acme)[0] == becomes


def test_only_the_last_twelve_count() -> None:
    # Without the oldest, the median of six 100 and six 300 is 200: deviations all 100, up to 200 + 444.78.
    acme, call = customer_with([100, *[100] * 6, *[300] * 6])
    run = billed(acme, call, 640, **no_thresholds())
    assert outcome(run, acme)[0] == "invoiced"


def test_credit_notes_count_as_less_than_nothing() -> None:
    acme, call = customer_with([-100, 100, 100, -100, -100])
    run = billed(acme, call, 101)
    # Median of -100, -100, -100, 100, 100: -100; deviations 0, 0, 0, 200, 200: 0. 201 more, 201 % of 100.
    assert "201 % more than usual: the customer's last 5 invoices come to -100.00" in outcome(run, acme)[1]


def test_of_nothing_there_is_no_percent() -> None:
    acme, call = customer_with([0, 0, 0])
    run = billed(acme, call, 101)
    assert outcome(run, acme)[1].startswith("It comes to 101.00 USD before tax, more than usual: ")


def test_drafts_and_invoices_in_other_currencies_are_no_history() -> None:
    acme, call = customer_with([100, 100])
    InvoiceFactory(customer=acme, net_amount=Decimal(100), period_start=date(2025, 1, 1), period_end=date(2025, 2, 1))
    euro, _ = customer_at("1", currency="EUR")
    billed_before(acme, [100], currency=euro.currency, period_start=date(2025, 2, 1), period_end=date(2025, 3, 1))
    run = billed(acme, call, 9000)
    assert outcome(run, acme)[0] == "invoiced"


def test_the_rest_goes_and_a_preview_says_the_same() -> None:
    acme, call = customer_with([100, 100, 100])
    bell, ring = customer_with([100, 100, 100])
    use(acme, call, 250)
    use(bell, ring, 120)
    run = new_run()
    seen = [(one.outcome, one.total_amount) for one in preview_run(run_id=run.pk, at=AT).accounts]
    # 250 + 50 tax, 120 + 24 tax.
    assert seen == [("held", Decimal(300)), ("invoiced", Decimal(144))]


def test_taken_back_usage_makes_the_held_draft_anew() -> None:
    acme, call = customer_with([100, 100, 100])
    use(acme, call, 100)
    excess = use(acme, call, 150)
    run = bill()
    assert outcome(run, acme)[0] == "held"
    cancel_record(record_id=excess.pk, at=AT, user_id=None)
    assert (outcome(run, acme), totals(invoice(run, acme))) == (("invoiced", ""), "100.00 + 20.00 = 120.00 USD")


def test_a_held_draft_is_produced_again_with_todays_prices_and_stays_held() -> None:
    acme, call = customer_with([100, 100, 100])
    run = billed(acme, call, 250)
    before = invoice(run, acme).pk
    produce_with_todays_prices(account_id=account(run, acme).pk)
    found = account(run, acme)
    assert (found.outcome, found.held_for, plain(invoice(run, acme).net_amount)) == ("held", "unusual", "250")
    assert not Invoice.objects.filter(pk=before).exists()


def test_a_held_draft_is_not_posted_with_the_run() -> None:
    acme, call = customer_with([100, 100, 100])
    bell, ring = customer_at("1")
    use(bell, ring, 5)
    run = post(billed(acme, call, 250))
    assert (invoice(run, acme).state, invoice(run, bell).state) == ("DRAFT", "POSTED")


def test_released_it_still_says_which_usage_waits_for_a_price() -> None:
    acme, call = customer_with([100, 100, 100])
    use(acme, call, 900)
    use(acme, ProductFactory(code="TEXT"), 3, number="R9")
    run = bill(bill_unpriced=True)
    waits = (
        "1 record has no rate and waits. The first: R9, product TEXT, on 2026-01-15. Add a rate to a rate card of the "
        "customer."
    )
    assert outcome(run, acme)[0] == "held"
    assert outcome(run, acme)[1].endswith(f"Release it, or correct what is wrong. {waits}")
    release_account(account_id=account(run, acme).pk)
    assert outcome(run, acme) == ("invoiced", waits)


def test_released_and_produced_again_it_is_judged_anew() -> None:
    acme, call = customer_with([100, 100, 100])
    use(acme, call, 850)
    taken_back = use(acme, call, 150)
    run = bill()
    release_account(account_id=account(run, acme).pk)
    assert outcome(run, acme) == ("invoiced", "")
    # Whoever released 1,000 has not seen 850.
    cancel_record(record_id=taken_back.pk, at=AT, user_id=None)
    assert outcome(run, acme)[0] == "held"
    assert outcome(run, acme)[1].startswith("It comes to 850.00 USD before tax, 750 % more than usual")


def test_what_is_posted_after_the_run_was_commenced_is_no_history() -> None:
    acme, call = customer_at("1")
    use(acme, call, 900)
    run = commence_run(run_id=new_run().pk, at=AT - timedelta(hours=1), without_preflight=True)
    # At nine; the run was commenced at eight, and comes to the same whenever workers are at it.
    billed_before(acme, [100, 100, 100])
    assert outcome(produce(run), acme) == ("invoiced", "")
