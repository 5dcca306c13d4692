"""Prices are laid out for a run while accounts of it wait to be produced, and not longer."""

from typing import Any

import pytest

from billing.operations.production import lay_prices_out
from billing.operations.run_accounts import hold_account, release_account, retry_failed
from customers.models import Customer
from tests.billing.run_states import contents
from tests.factories import CustomerFactory
from tests.runs import account, bill, customer_at, outcome, produce, rate_of, use

pytestmark = pytest.mark.django_db(transaction=True)


def held_and_faulty() -> tuple[Customer, Customer]:
    """Two customers who used 5 at 1 USD; the second one also what is too much for a document."""
    acme, call = customer_at("1")
    bell = CustomerFactory(rate_cards=[rate_of(call).rate_card])
    for customer in (acme, bell):
        use(customer, call, 5)
    use(bell, call, "1e17")
    return acme, bell


def test_an_account_that_is_released_in_a_completed_run_leaves_none_behind() -> None:
    acme, _ = held_and_faulty()
    run = bill()
    hold_account(account_id=account(run, acme).pk, reason="Disputed.")
    release_account(account_id=account(run, acme).pk)
    assert outcome(run, acme)[0] == "invoiced"
    assert contents()["price_window"] == []


def test_one_that_is_released_while_another_chunk_is_tried_again_leaves_that_its_prices(settings: Any) -> None:
    settings.BILLING_CHUNK_RECORDS = 1
    acme, _ = held_and_faulty()
    run = bill()
    hold_account(account_id=account(run, acme).pk, reason="Disputed.")
    retry_failed(run_id=run.pk)
    lay_prices_out(run.pk)
    assert release_account(account_id=account(run, acme).pk).outcome == "invoiced"
    # A worker may be at the chunk, and looking into them.
    assert len(contents()["price_window"]) == 1
    produce(run)
    assert contents()["price_window"] == []
