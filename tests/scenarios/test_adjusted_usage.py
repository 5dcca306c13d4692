"""Usage that is adjusted: the record is cancelled and a successor says what is right, wherever the record was."""

from datetime import date
from decimal import Decimal

import pytest

from billing.operations.runs import commence_run
from invoicing.models import UsageCharge
from tests.billing.taken import adjust, history, reversals, state
from tests.factories import ProductFactory, RateFactory, SubscriptionServiceFactory
from tests.runs import (
    AT,
    FEBRUARY,
    bill,
    customer_at,
    day,
    invoice,
    lines,
    new_run,
    pending,
    post,
    produce,
    rate_of,
    totals,
    use,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_adjusted_while_it_waits_the_successor_is_billed() -> None:
    acme, call = customer_at("0.10")
    wrong = use(acme, call, 600, number="R123")
    right = adjust(wrong, usage_amount=Decimal(60))
    assert (state(wrong), right.number, right.life_cycle_state, right.original) == (
        "CANCELLED",
        "R123~2",
        "POSTED",
        wrong,
    )
    assert history(wrong) == [("ADJUSTED", {"usage_amount": ["600", "60"]})]
    assert pending(acme) == {right.pk}
    # 60 x 0.10 = 6.00.
    assert lines(invoice(bill(), acme)) == ["60 x 0.1 = 6 -> 6.00"]
    assert reversals() == []


def test_adjusted_on_a_draft_the_draft_is_made_anew_with_the_successor() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    wrong = use(acme, call, 600)
    run = bill()
    right = adjust(wrong, usage_amount=Decimal(60), region="EU")
    # 100 x 0.10 = 10.00 and 60 x 0.10 = 6.00 in another region.
    assert lines(invoice(run, acme)) == ["100 x 0.1 = 10 -> 10.00", "60 x 0.1 = 6 -> 6.00"]
    assert UsageCharge.objects.filter(record=right).exists()
    assert pending(acme) == set()
    assert reversals() == []


def test_adjusted_on_a_draft_to_a_date_after_its_cutoff_the_successor_waits() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    wrong = use(acme, call, 600)
    run = bill()
    right = adjust(wrong, from_date=day("2026-02-02"), to_date=day("2026-02-02"))
    assert right.billing_effective_date == date(2026, 2, 2)
    assert lines(invoice(run, acme)) == ["100 x 0.1 = 10 -> 10.00"]
    assert pending(acme) == {right.pk}
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["600 x 0.1 = 60 -> 60.00"]


def test_adjusted_on_a_posted_invoice_the_next_one_has_both() -> None:
    acme, call = customer_at("0.10")
    wrong = use(acme, call, 600, number="R123")
    january = post(bill())
    right = adjust(wrong, usage_amount=Decimal(60))
    assert (state(wrong), right.is_late) == ("CANCELLED", True)
    assert reversals() == ["Usage R123 of 2026-01-15 taken back (invoice INV-000001): -60 USD, waits"]
    assert totals(invoice(january, acme)) == "60.00 + 12.00 = 72.00 USD"
    use(acme, call, 100, on="2026-02-10")
    document = invoice(bill(**FEBRUARY), acme)
    # 100 x 0.10 = 10.00 of February, 60 x 0.10 = 6.00 late of January, and 60.00 back: -44.00; 20 % of it -8.80.
    assert lines(document) == [
        "60 x 0.1 = 6 -> 6.00",
        "100 x 0.1 = 10 -> 10.00",
        "-1 x 60 = -60 -> -60.00",
    ]
    assert [line.late_period for line in document.lines.filter(kind="USAGE")] == [date(2026, 1, 1), None]
    assert totals(document) == "-44.00 + -8.80 = -52.80 USD"


def test_adjusted_again_and_again_one_successor_stands() -> None:
    acme, call = customer_at("0.10")
    first = use(acme, call, 600, number="R1")
    second = adjust(first, usage_amount=Decimal(60))
    third = adjust(second, usage_amount=Decimal(66))
    assert [(one.number, one.original, state(one)) for one in (first, second, third)] == [
        ("R1", None, "CANCELLED"),
        ("R1~2", first, "CANCELLED"),
        ("R1~3", first, "POSTED"),
    ]
    assert lines(invoice(post(bill()), acme)) == ["66 x 0.1 = 6.6 -> 6.60"]
    fourth = adjust(third, usage_amount=Decimal(70))
    assert (fourth.number, reversals()) == (
        "R1~4",
        ["Usage R1~3 of 2026-01-15 taken back (invoice INV-000001): -6.6 USD, waits"],
    )


def test_a_number_that_the_source_has_given_itself_is_passed_over() -> None:
    acme, call = customer_at("0.10")
    wrong = use(acme, call, 600, number="R1")
    use(acme, call, 1, number="R1~2")
    assert adjust(wrong, usage_amount=Decimal(60)).number == "R1~3"


def test_the_new_price_is_that_of_the_run() -> None:
    acme, call = customer_at("0.10")
    dear = ProductFactory()
    RateFactory(rate_card=rate_of(call).rate_card, product=dear, unit_price=Decimal(2))
    cheap = ProductFactory()
    wrong = use(acme, call, 600)
    run = bill()
    # A rate that came after the run was commenced does not count in it.
    RateFactory(rate_card=rate_of(call).rate_card, product=cheap, unit_price=Decimal("0.01"))
    right = adjust(wrong, product=dear)
    assert lines(invoice(run, acme)) == ["600 x 2 = 1200 -> 1200.00"]
    late = adjust(right, product=cheap)
    assert pending(acme) == {late.pk}


def test_usage_of_another_customer_moves_there() -> None:
    acme, call = customer_at("0.10")
    bell, _ = customer_at("0.10")
    wrong = use(acme, call, 600, number="R1")
    january = post(bill())
    service = SubscriptionServiceFactory(customer=bell, identifier="+49 30 2")
    right = adjust(wrong, subscription_service=service)
    assert (right.customer, pending(acme), pending(bell)) == (bell, set(), {right.pk})
    (kind, changes), *_ = history(wrong)
    assert (kind, changes["subscription_service"][1]) == ("ADJUSTED", "+49 30 2")
    assert totals(invoice(january, acme)) == "60.00 + 12.00 = 72.00 USD"
    february = bill(**FEBRUARY)
    assert lines(invoice(february, acme)) == ["-1 x 60 = -60 -> -60.00"]


def test_what_moves_to_another_customer_off_a_draft_is_not_in_a_run_that_was_commenced_before() -> None:
    acme, call = customer_at("0.10", account_number="A")
    bell, other = customer_at("0.10", account_number="B")
    RateFactory(rate_card=rate_of(other).rate_card, product=call, unit_price=Decimal("0.10"))
    service = SubscriptionServiceFactory(customer=bell)
    wrong = use(acme, call, 600)
    use(bell, other, 10)
    run = bill()
    right = adjust(wrong, subscription_service=service)
    assert lines(invoice(run, bell)) == ["10 x 0.1 = 1 -> 1.00"]
    assert pending(bell) == {right.pk}


def test_what_is_adjusted_while_a_run_has_not_come_to_it_waits_for_the_next() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    wrong = use(acme, call, 600)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    right = adjust(wrong, usage_amount=Decimal(60))
    produce(run)
    # The run is frozen: what was written after it was commenced is not in it, and what is wrong is not either.
    assert lines(invoice(run, acme)) == ["100 x 0.1 = 10 -> 10.00"]
    assert pending(acme) == {right.pk}


def test_an_amount_of_its_own_comes_and_goes() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 600)
    own = adjust(record, total_amount=Decimal("7.50"))
    assert (own.rating_type, own.total_amount) == ("PRERATED", Decimal("7.50"))
    run = bill()
    assert lines(invoice(run, acme)) == ["600 x - = 7.5 -> 7.50"]
    priced = adjust(own, total_amount=None)
    assert (priced.rating_type, priced.total_amount) == ("POSTRATED", None)
    assert lines(invoice(run, acme)) == ["600 x 0.1 = 60 -> 60.00"]


def test_a_charge_becomes_a_credit() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 600, number="R1")
    post(bill())
    credit = adjust(record, billing_directive="TO_BE_CREDITED")
    assert credit.billing_directive == "TO_BE_CREDITED"
    # 60.00 back and 60.00 to the customer's credit.
    assert totals(invoice(bill(**FEBRUARY), acme)) == "-120.00 + -24.00 = -144.00 USD"
