"""The figures of a run: accounts by outcome, amounts by currency, how far it is."""

from decimal import Decimal
from typing import Any

import pytest

from billing.operations.production import produce_next_chunk
from billing.operations.runs import commence_run
from billing.queries.runs import account_counts, commenced_run_ids, invoice_amounts, progress, waiting_chunk_count
from tests.factories import CustomerFactory, ProductFactory
from tests.runs import AT, bill, customer_at, new_run, use

pytestmark = pytest.mark.django_db


def test_accounts_are_counted_by_outcome_and_invoices_added_up_by_currency() -> None:
    for currency, prices in {"USD": ("1", "2", "-1"), "JPY": ("3",)}.items():
        for price in prices:
            customer, call = customer_at(price, currency=currency)
            use(customer, call, 10)
    CustomerFactory()
    held = CustomerFactory()
    use(held, ProductFactory(), 1)
    run = bill()
    assert account_counts(run.pk) == {"waiting": 0, "invoiced": 4, "nothingToBill": 1, "held": 1, "failed": 0}
    # With 20 % tax: 12 + 24 - 12 dollars, the last a credit note, and 36 yen.
    assert invoice_amounts(run.pk) == {"JPY": Decimal(36), "USD": Decimal(24)}


def test_a_run_that_has_not_begun_has_no_figures() -> None:
    run = new_run()
    assert account_counts(run.pk) == {"waiting": 0, "invoiced": 0, "nothingToBill": 0, "held": 0, "failed": 0}
    assert (invoice_amounts(run.pk), progress(run.pk), waiting_chunk_count(run.pk)) == ({}, Decimal(0), 0)


def test_progress_is_the_part_of_the_chunks_that_is_produced(settings: Any) -> None:
    settings.BILLING_CHUNK_RECORDS = 1
    for _ in range(3):
        CustomerFactory()
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    assert commenced_run_ids() == [run.pk]
    seen = [(progress(run.pk), waiting_chunk_count(run.pk))]
    while produce_next_chunk(run_id=run.pk, at=AT):
        seen.append((progress(run.pk), waiting_chunk_count(run.pk)))
    assert seen == [(Decimal(0), 3), (Decimal("0.3333"), 2), (Decimal("0.6667"), 1), (Decimal(1), 0)]
    assert commenced_run_ids() == []
