"""A draft produced again by the prices of now, for one account."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import RunAccount
from billing.operations.errors import RunConflict
from billing.operations.runs import approve_run, commence_run
from billing.operations.todays_prices import produce_with_todays_prices
from billing.queries.check_explanations import check_explanations
from catalog.models import Rate
from catalog.operations.rates import add_rate_version
from customers.models import Customer
from invoicing.models import Transaction
from tests.billing.taken import cancel
from tests.factories import CustomerFactory, RateCardFactory, RateFactory
from tests.runs import (
    AT,
    FEBRUARY,
    account,
    bill,
    customer_at,
    invoice,
    lines,
    new_run,
    outcome,
    pending,
    post,
    produce,
    rate_of,
    totals,
    use,
)

# Prices are those that were committed.
pytestmark = pytest.mark.django_db(transaction=True)


def correct(rate: Rate, unit_price: str) -> None:
    add_rate_version(rate_id=rate.pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal(unit_price)})


def test_the_draft_takes_the_new_price_and_the_others_keep_theirs() -> None:
    acme, call = customer_at("0.10")
    bell = CustomerFactory(rate_cards=[rate_of(call).rate_card])
    for customer in (acme, bell):
        use(customer, call, 100)
    run = bill()
    correct(rate_of(call), "0.08")
    # Usage that came after the run was commenced is not in it, whatever the prices.
    late = use(acme, call, 7)
    produce_with_todays_prices(account_id=account(run, acme).pk)
    assert lines(invoice(run, acme)) == ["100 x 0.08 = 8 -> 8.00"]
    assert totals(invoice(run, acme)) == "8.00 + 1.60 = 9.60 USD"
    assert lines(invoice(run, bell)) == ["100 x 0.1 = 10 -> 10.00"]
    assert pending(acme) == {late.pk}
    post(run)


def test_it_is_explained_and_made_again_by_these_prices() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    record = use(acme, call, 1)
    run = bill()
    correct(rate_of(call), "0.08")
    produce_with_todays_prices(account_id=account(run, acme).pk)
    checked = check_explanations(invoice_id=invoice(run, acme).pk)
    assert ([found.fault for found in checked.unequal], checked.explained_count) == ([], 2)
    add_rate_version(
        rate_id=Rate.objects.get(product=call, end_date=None).pk,
        start_date=date(2026, 1, 2),
        terms={"unit_price": Decimal(9)},
    )
    cancel(record)
    assert lines(invoice(run, acme)) == ["100 x 0.08 = 8 -> 8.00"]


def test_an_account_that_was_held_gets_another_chance() -> None:
    acme, call = customer_at("0.10", rate__region="EU")
    use(acme, call, 100)
    run = bill()
    assert outcome(run, acme)[0] == "held"
    RateFactory(rate_card=rate_of(call).rate_card, product=call, unit_price=Decimal("0.05"))
    produce_with_todays_prices(account_id=account(run, acme).pk)
    assert lines(invoice(run, acme)) == ["100 x 0.05 = 5 -> 5.00"]


def test_a_price_list_that_the_customer_has_since_counts() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    run = bill()
    other = RateCardFactory()
    RateFactory(rate_card=other, product=call, unit_price=Decimal("0.03"))
    acme.customer_rate_cards.update(rate_card=other)
    produced = produce_with_todays_prices(account_id=account(run, acme).pk)
    assert produced.rate_card_ids == [other.pk]
    assert lines(invoice(run, acme)) == ["100 x 0.03 = 3 -> 3.00"]


def test_its_transactions_stay_on_it() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    Transaction.objects.create(
        customer=acme, description="Set-up", unit_price=5, currency_id="USD", transaction_date=date(2026, 1, 5)
    )
    run = bill()
    correct(rate_of(call), "0.08")
    produce_with_todays_prices(account_id=account(run, acme).pk)
    assert lines(invoice(run, acme)) == ["100 x 0.08 = 8 -> 8.00", "1 x 5 = 5 -> 5.00"]


def test_posted_invoices_are_refused() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    run = post(bill())
    with pytest.raises(RunConflict) as refused:
        produce_with_todays_prices(account_id=account(run, acme).pk)
    assert str(refused.value) == (
        f"Run {run.pk} is approved and its invoices are posted: they do not change. "
        f"Correct {acme} by price differences."
    )


def test_an_account_that_is_yet_to_be_produced_is_refused() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with pytest.raises(RunConflict, match="is still to be produced"):
        produce_with_todays_prices(account_id=account(run, acme).pk)
    produce(run)


def test_a_customer_that_waits_in_another_run_is_waited_for() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    january = bill()
    february = commence_run(run_id=new_run(**FEBRUARY).pk, at=AT, without_preflight=True)
    with pytest.raises(RunConflict, match=f"waits in run {february.pk}"):
        produce_with_todays_prices(account_id=account(january, acme).pk)
    assert lines(invoice(january, acme)) == ["100 x 0.1 = 10 -> 10.00"]


def test_a_customer_that_changed_its_currency_is_refused() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    run = bill()
    RateCardFactory(currency__code="EUR")
    Customer.objects.filter(pk=acme.pk).update(currency="EUR")
    with pytest.raises(RunConflict, match="is billed in EUR now, and in USD in run"):
        produce_with_todays_prices(account_id=account(run, acme).pk)
    assert RunAccount.objects.get().outcome == "invoiced"


def test_an_invoice_that_is_posted_stays_also_where_the_rest_of_its_run_is_not() -> None:
    acme, call = customer_at("0.10", account_number="A")
    bell = CustomerFactory(account_number="B", rate_cards=[rate_of(call).rate_card])
    for customer in (acme, bell):
        use(customer, call, 100)
    run = bill()
    approve_run(run_id=run.pk, at=AT, account_ids=[account(run, acme).pk])
    correct(rate_of(call), "0.20")
    with pytest.raises(RunConflict) as caught:
        produce_with_todays_prices(account_id=account(run, acme).pk)
    assert str(caught.value) == (
        f"Invoice INV-000001 of {acme} in run {run.pk} is posted: it does not change. Correct {acme} by price "
        "differences."
    )
    produce_with_todays_prices(account_id=account(run, bell).pk)
    # 100 x 0.10 and 100 x 0.20, and 20 % tax.
    assert [totals(invoice(run, one)) for one in (acme, bell)] == [
        "10.00 + 2.00 = 12.00 USD",
        "20.00 + 4.00 = 24.00 USD",
    ]
