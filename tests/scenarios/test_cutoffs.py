"""What a run takes at its cutoff: usage by its effective date, transactions by theirs, neither by the other's rule."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from tests.factories import TransactionFactory
from tests.runs import bill, customer_at, invoice, lines, outcome, pending, use

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("transaction_cutoff", [None, "2025-12-31", "2026-01-31", "2026-12-31"])
def test_usage_is_before_the_cutoff_whatever_the_transaction_cutoff_is(transaction_cutoff: str | None) -> None:
    acme, call = customer_at("1")
    use(acme, call, 5, on="2026-01-31")
    later = use(acme, call, 7, on="2026-02-01")
    day = date.fromisoformat(transaction_cutoff) if transaction_cutoff else None
    assert lines(invoice(bill(transaction_cutoff_date=day), acme)) == ["5 x 1 = 5 -> 5.00"]
    assert pending(acme) == {later.pk}


def test_with_a_transaction_cutoff_before_the_cutoff_later_transactions_wait() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5, on="2026-01-31")
    for on in ("2026-01-15", "2026-01-16"):
        TransactionFactory(customer=acme, unit_price=Decimal(on[-2:]), transaction_date=date.fromisoformat(on))
    # 15 January is up to and on the transaction cutoff, 16 January is before the cutoff only.
    run = bill(transaction_cutoff_date=date(2026, 1, 15))
    assert lines(invoice(run, acme)) == ["5 x 1 = 5 -> 5.00", "1 x 15 = 15 -> 15.00"]


@pytest.mark.parametrize("state", ["DRAFT", "REJECTED", "CANCELLED"])
def test_a_row_in_the_inbox_bills_no_record_that_is_not_posted(state: str) -> None:
    acme, call = customer_at("1")
    record = use(acme, call, 5, life_cycle_state=state, pending=False)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO pending_usage (record_id, customer_id, billing_effective_date) VALUES (%s, %s, '2026-01-15')",
            [record.pk, acme.pk],
        )
    assert outcome(bill(), acme)[0] == "nothingToBill"


def test_of_the_directives_one_charges_one_credits_and_one_does_neither() -> None:
    acme, call = customer_at("1")
    use(acme, call, 50)
    use(acme, call, 20, billing_directive="TO_BE_CREDITED")
    use(acme, call, 10, billing_directive="NOT_TO_BE_BILLED")
    # 50 - 20 = 30.
    assert lines(invoice(bill(), acme)) == ["30 x 1 = 30 -> 30.00"]
