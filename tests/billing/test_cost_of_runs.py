"""A run reads what is new, each row once: not for each customer again."""

import pytest
from django.db import connection, transaction

from billing.operations.runs import commence_run
from tests.factories import CustomerFactory
from tests.runs import AT, FEBRUARY, bill, customer_at, new_run, post, rate_of, use

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMERS, RECORDS = 40, 500


def rows_read(table: str) -> int:
    """How many rows of a table this session has read so far, as a transaction sees it: by any kind of scan."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = %s", [table]
        )
        return int(cursor.fetchone()[0])


def test_commencing_reads_the_inbox_once() -> None:
    acme, call = customer_at("0.10")
    card = rate_of(call).rate_card
    for customer in [acme, *(CustomerFactory(rate_cards=[card]) for _ in range(CUSTOMERS - 1))]:
        use(customer, call, 10)
    post(bill())
    run = new_run(**FEBRUARY)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO pending_usage (record_id, customer_id, billing_effective_date)"
            " SELECT 1000000 + row_number() OVER (), id, '2026-02-14' FROM customer, generate_series(1, %s)",
            [RECORDS],
        )
        # Of so few customers the planner expects that one is in the run, and compares it with the others one by one.
        cursor.execute("ANALYZE")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_hashagg = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
        )
        before = rows_read("pending_usage")
        commence_run(run_id=run.pk, at=AT, without_preflight=True)
        assert rows_read("pending_usage") - before == CUSTOMERS * RECORDS
