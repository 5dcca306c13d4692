"""Usage that is cancelled while it waits, while it is on a draft, and after its invoice was posted."""

from datetime import date
from decimal import Decimal

import pytest

from invoicing.models import Invoice, UsageCharge
from tests.billing.taken import cancel, reversals, state
from tests.factories import CustomerFactory, ProductFactory, TaxRateFactory, TransactionFactory
from tests.runs import (
    FEBRUARY,
    account,
    bill,
    customer_at,
    invoice,
    lines,
    outcome,
    pending,
    post,
    rate_of,
    taxes,
    totals,
    use,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_cancelled_while_it_waits_it_is_never_billed() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    wrong = use(acme, call, 40)
    cancel(wrong)
    assert state(wrong) == "CANCELLED"
    # 100 x 0.10 = 10.00; the 40 are gone.
    assert lines(invoice(bill(), acme)) == ["100 x 0.1 = 10 -> 10.00"]
    assert reversals() == []


def test_cancelled_on_a_draft_the_draft_is_made_anew_without_it() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    wrong = use(acme, call, 40)
    fee = TransactionFactory(customer=acme, unit_price=Decimal(5), transaction_date=date(2026, 1, 10))
    run = bill()
    # 140 x 0.10 = 14.00 and the fee of 5.00: 19.00; 20 % of it 3.80.
    assert totals(invoice(run, acme)) == "19.00 + 3.80 = 22.80 USD"
    cancel(wrong)
    document = invoice(run, acme)
    assert lines(document) == ["100 x 0.1 = 10 -> 10.00", "1 x 5 = 5 -> 5.00"]
    assert totals(document) == "15.00 + 3.00 = 18.00 USD"
    fee.refresh_from_db()
    assert fee.invoice_line == document.lines.get(kind="MANUAL")
    assert (account(run, acme).record_count, account(run, acme).exact_amount) == (1, Decimal(10))
    assert pending(acme) == set()
    assert reversals() == []
    post(run)
    # The number that the first draft would have had.
    assert invoice(run, acme).number == "INV-000001"
    assert Invoice.objects.count() == 1


def test_with_all_of_its_usage_cancelled_a_draft_is_gone() -> None:
    acme, call = customer_at("0.10")
    wrong = use(acme, call, 100)
    run = bill()
    cancel(wrong)
    assert outcome(run, acme) == ("nothingToBill", "No usage and no transactions before the cutoff.")
    assert not Invoice.objects.exists()
    assert pending(acme) == set()


def test_what_is_left_of_a_draft_below_the_minimum_waits_for_the_next_run() -> None:
    acme, call = customer_at("0.10", minimum_invoice_amount=Decimal(5))
    left, wrong = use(acme, call, 20), use(acme, call, 40)
    january = bill()
    cancel(wrong)
    # 2.00 of the 6.00 are left.
    assert outcome(january, acme) == (
        "nothingToBill",
        "It comes to 2.00 USD, less than the minimum of 5 USD. It waits until it adds up.",
    )
    assert pending(acme) == {left.pk}
    use(acme, call, 30, on="2026-02-10")
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["50 x 0.1 = 5 -> 5.00"]


def test_without_what_was_left_out_of_a_draft_as_unpriced_the_draft_is_the_same() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    wrong = use(acme, call, 40)
    unpriced = use(acme, ProductFactory(), 7)
    run = bill(bill_unpriced=True)
    cancel(wrong)
    assert lines(invoice(run, acme)) == ["100 x 0.1 = 10 -> 10.00"]
    assert "1 record has no rate and waits" in outcome(run, acme)[1]
    assert pending(acme) == {unpriced.pk}


def test_others_in_the_run_keep_their_drafts() -> None:
    acme, call = customer_at("0.10")
    bell = CustomerFactory(rate_cards=[rate_of(call).rate_card])
    wrong = use(acme, call, 40)
    use(bell, call, 50)
    run = bill()
    before = invoice(run, bell)
    cancel(wrong)
    assert invoice(run, bell) == before
    assert lines(before) == ["50 x 0.1 = 5 -> 5.00"]


def test_cancelled_on_a_posted_invoice_the_next_one_has_the_opposite_line() -> None:
    acme, call = customer_at("0.10", tax_rate=TaxRateFactory(percent=Decimal(19)))
    use(acme, call, 100)
    wrong = use(acme, call, "40.5", number="R123")
    january = post(bill())
    # 140.5 x 0.10 = 14.05; 19 % of it 2.6695, so 2.67.
    assert totals(invoice(january, acme)) == "14.05 + 2.67 = 16.72 USD"
    cancel(wrong)
    assert state(wrong) == "CANCELLED"
    assert reversals() == ["Usage R123 of 2026-01-15 taken back (invoice INV-000001): -4.05 USD, waits"]
    # The posted invoice is as it was.
    assert totals(invoice(january, acme)) == "14.05 + 2.67 = 16.72 USD"
    assert UsageCharge.objects.get(record=wrong).reversal.amount == Decimal("-4.05")
    # The tax rate of the customer is another one by February: what is taken back has the one that it was charged with.
    acme.tax_rate = TaxRateFactory(percent=Decimal(7))
    acme.save()
    use(acme, call, 200, on="2026-02-10")
    document = invoice(bill(**FEBRUARY), acme)
    # 200 x 0.10 = 20.00 less 4.05. Tax: 19 % of -4.05 = -0.7695, so -0.77; 7 % of 20.00 = 1.40.
    assert lines(document) == ["200 x 0.1 = 20 -> 20.00", "-1 x 4.05 = -4.05 -> -4.05"]
    assert taxes(document) == ["19 % of -4.05 = -0.77", "7 % of 20.00 = 1.40"]
    assert totals(document) == "15.95 + 0.63 = 16.58 USD"
    last = document.lines.get(kind="REVERSAL")
    assert (last.product_code, last.description) == (
        call.code,
        "Usage R123 of 2026-01-15 taken back (invoice INV-000001)",
    )
    assert reversals() == ["Usage R123 of 2026-01-15 taken back (invoice INV-000001): -4.05 USD, billed"]


def test_what_is_taken_back_alone_makes_a_credit_note() -> None:
    acme, call = customer_at("0.10")
    wrong = use(acme, call, 100)
    post(bill())
    cancel(wrong)
    february = post(bill(**FEBRUARY))
    assert totals(invoice(february, acme)) == "-10.00 + -2.00 = -12.00 USD"
    assert invoice(february, acme).number == "CN-000001"


def test_it_is_on_the_next_invoice_whatever_the_dates_of_its_run() -> None:
    acme, call = customer_at("0.10")
    wrong = use(acme, call, 100)
    post(bill())
    # Cancelled on 5 February; another run of January follows.
    cancel(wrong)
    again = bill(name="January again", transaction_cutoff_date=date(2026, 1, 31))
    assert totals(invoice(again, acme)) == "-10.00 + -2.00 = -12.00 USD"


def test_a_credit_that_is_cancelled_is_charged() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    credit = use(acme, call, 30, number="R7", billing_directive="TO_BE_CREDITED")
    post(bill())
    cancel(credit)
    assert reversals() == ["Usage R7 of 2026-01-15 taken back (invoice INV-000001): 3 USD, waits"]
    assert totals(invoice(bill(**FEBRUARY), acme)) == "3.00 + 0.60 = 3.60 USD"


def test_a_record_with_its_own_amount_is_taken_back_with_that() -> None:
    acme, call = customer_at("0.10")
    own = use(acme, call, 30, number="R8", rating_type="PRERATED", total_amount=Decimal("2.345"))
    post(bill())
    cancel(own)
    # 2.345 was rounded on its invoice only, to 2.35; what is taken back is exact and rounded on its own.
    assert reversals() == ["Usage R8 of 2026-01-15 taken back (invoice INV-000001): -2.345 USD, waits"]
    assert totals(invoice(bill(**FEBRUARY), acme)) == "-2.35 + -0.47 = -2.82 USD"


def test_usage_that_is_not_to_be_billed_is_cancelled_without_a_trace_on_invoices() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    free = use(acme, call, 40, billing_directive="NOT_TO_BE_BILLED")
    post(bill())
    cancel(free)
    assert (state(free), reversals()) == ("CANCELLED", [])


def test_the_day_in_the_text_is_the_customers() -> None:
    acme, call = customer_at("0.10", timezone="Pacific/Auckland")
    # Half past eleven in the evening in UTC is past noon of the next day there.
    wrong = use(acme, call, 100, number="R9", on="2026-01-14T23:30")
    post(bill())
    cancel(wrong)
    assert reversals() == ["Usage R9 of 2026-01-15 taken back (invoice INV-000001): -10 USD, waits"]
