"""Usage that nothing prices is never billed at zero."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.operations.rates import end_rate
from tests.factories import CustomerFactory, ProductFactory, RateFactory
from tests.runs import (
    FEBRUARY,
    account,
    bill,
    customer_at,
    invoice,
    lines,
    outcome,
    pending,
    rate_of,
    totals,
    use,
)

pytestmark = pytest.mark.django_db


def test_an_account_with_unpriced_usage_is_held_and_says_which() -> None:
    acme, call = customer_at("1")
    bell = CustomerFactory(rate_cards=[rate_of(call).rate_card])
    fax = ProductFactory(code="FAX")
    priced = use(acme, call, 5)
    first = use(acme, fax, 1, number="R-77", region="EU", on="2026-01-20")
    second = use(acme, fax, 1, number="R-78", on="2026-01-21")
    use(bell, call, 5)
    run = bill()
    assert outcome(run, acme) == (
        "held",
        (
            "2 records have no rate and wait. The first: R-77, product FAX, region EU, on 2026-01-20. "
            "Add a rate to a rate card of the customer."
        ),
    )
    # What is priced is said, but nothing is billed and nothing leaves the inbox.
    assert (account(run, acme).record_count, account(run, acme).exact_amount) == (1, Decimal(5))
    assert account(run, acme).invoice is None
    assert pending(acme) == {priced.id, first.id, second.id}
    # The neighbour does not wait for it.
    assert totals(invoice(run, bell)) == "5.00 + 1.00 = 6.00 USD"


def test_the_day_in_the_sentence_is_the_customers() -> None:
    acme, _ = customer_at("1", timezone="Pacific/Auckland")
    use(acme, ProductFactory(code="FAX"), 1, number="R-77", on="2026-01-20T11:00")
    assert outcome(bill(), acme)[1] == (
        "1 record has no rate and waits. The first: R-77, product FAX, on 2026-01-21. "
        "Add a rate to a rate card of the customer."
    )


def test_a_run_told_to_bill_the_rest_leaves_the_unpriced_waiting() -> None:
    acme, call = customer_at("1")
    fax = ProductFactory(code="FAX")
    use(acme, call, 5)
    unpriced = use(acme, fax, 1, number="R-77")
    run = bill(bill_unpriced=True)
    assert lines(invoice(run, acme)) == ["5 x 1 = 5 -> 5.00"]
    assert outcome(run, acme) == (
        "invoiced",
        (
            "1 record has no rate and waits. The first: R-77, product FAX, on 2026-01-15. "
            "Add a rate to a rate card of the customer."
        ),
    )
    assert pending(acme) == {unpriced.id}
    # With a rate the next run bills it, as usage of January that missed January's invoice.
    RateFactory(rate_card=rate_of(call).rate_card, product=fax, unit_price=Decimal(3))
    document = invoice(bill(**FEBRUARY), acme)
    assert lines(document) == ["1 x 3 = 3 -> 3.00"]
    assert document.lines.get().late_period == date(2026, 1, 1)
    assert pending(acme) == set()


def test_with_nothing_but_unpriced_usage_there_is_no_rest_to_bill() -> None:
    acme, _ = customer_at("1")
    use(acme, ProductFactory(), 1)
    assert outcome(bill(bill_unpriced=True), acme)[0] == "held"


def test_a_rest_below_the_minimum_waits_and_the_unpriced_are_named() -> None:
    acme, call = customer_at("0.001")
    use(acme, call, 1)
    use(acme, ProductFactory(code="FAX"), 1, number="R-77")
    assert outcome(bill(bill_unpriced=True), acme) == (
        "nothingToBill",
        (
            "It comes to 0.00 USD, less than the minimum of 0.01 USD. It waits until it adds up. "
            "1 record has no rate and waits. The first: R-77, product FAX, on 2026-01-15. "
            "Add a rate to a rate card of the customer."
        ),
    )


def test_an_expired_rate_prices_nothing() -> None:
    acme, call = customer_at("1")
    end_rate(rate_id=rate_of(call).id, end_date=date(2026, 1, 15))
    use(acme, call, 5, on="2026-01-15T00:00")
    assert outcome(bill(), acme)[0] == "held"


def test_a_rate_of_another_region_prices_nothing() -> None:
    acme, call = customer_at("1", rate__region="EU")
    use(acme, call, 5, region="US")
    use(acme, call, 5)
    assert outcome(bill(), acme)[0] == "held"


def test_without_a_tax_rate_the_account_is_held() -> None:
    acme, call = customer_at("1", tax_rate=None)
    use(acme, call, 5)
    run = bill()
    assert outcome(run, acme) == ("held", "The customer has no tax rate. Give it one.")
    assert len(pending(acme)) == 1
