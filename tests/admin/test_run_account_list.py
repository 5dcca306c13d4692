"""The list of run accounts over many runs: what needs a decision is found by an index, page by page."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from billing.models import RunAccount
from customers.models import Customer
from tests.factories import BillingRunFactory, CurrencyFactory, RunChunkFactory
from tests.page_costs import BITMAP, INDEXED, cost_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("many")]

LIST = "admin:billing_runaccount_changelist"
CUSTOMERS, RUNS = 1_000, 20
# In the oldest run the accounts of the first 120 customers are held, those of the first 60 by a person.
HELD, BY_PERSON = 120, 60
PAGE_BLOCKS = 130
ROWS = """
INSERT INTO run_account (
  run_id, chunk_id, customer_id, outcome, reason, held_for, record_count, exact_amount, currency_id, minor_units,
  timezone, minimum_amount, rate_card_ids, period_start, message
)
SELECT
  c.run_id, c.id, k.id, o.outcome, 'Why.',
  CASE WHEN o.outcome <> 'held' THEN '' WHEN substr(k.account_number, 2)::integer <= %(by_person)s THEN 'person'
    ELSE 'tax' END,
  0, 0, 'USD', 2, 'UTC', 0, '{}', '2026-01-01', ''
FROM run_chunk c
CROSS JOIN customer k
CROSS JOIN LATERAL (
  SELECT CASE WHEN c.run_id = %(oldest)s AND substr(k.account_number, 2)::integer <= %(held)s THEN 'held'
    ELSE 'nothingToBill' END AS outcome
) o
WHERE k.account_number LIKE 'L%%'
ORDER BY c.run_id, k.id;
"""


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """20,000 accounts of 20 runs, for the tests of this module; after it they are gone."""
    with django_db_blocker.unblock(), transaction.atomic():
        currency = CurrencyFactory()
        Customer.objects.bulk_create(
            Customer(account_number=f"L{number}", name=f"Many {number}", currency=currency)
            for number in range(1, CUSTOMERS + 1)
        )
        runs = [BillingRunFactory(completed=True) for _ in range(RUNS)]
        for run in runs:
            RunChunkFactory(run=run)
        with connection.cursor() as cursor:
            parameters = {"oldest": runs[0].pk, "held": HELD, "by_person": BY_PERSON}
            cursor.execute(ROWS, parameters)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ANALYZE run_account, customer, billing_run")
        yield
        transaction.set_rollback(True)


def oldest() -> int:
    return int(RunAccount.objects.order_by("id").values_list("run_id", flat=True)[0])


def page(client: Client, **query: Any) -> list[RunAccount]:
    return list(client.get(reverse(LIST), query).context["cl"].result_list)


@pytest.mark.parametrize(
    ("query", "index", "found"),
    [
        ({}, "run_account_pkey", 50),
        ({"outcome__exact": "held"}, "run_account_to_decide", 50),
        ({"outcome__exact": "failed"}, "run_account_to_decide", 0),
        ({"held_for": "person"}, "run_account_to_decide", 50),
        ({"held_for": "unusual"}, "run_account_to_decide", 0),
    ],
)
def test_filter_of_all_runs_is_served_by_an_index(
    admin_client: Client, query: dict[str, str], index: str, found: int
) -> None:
    assert len(page(admin_client, **query)) == found
    cost = cost_of(lambda: page(admin_client, **query), table="run_account", scans=INDEXED | BITMAP)
    assert cost.indexes == {index}
    assert cost.removed_rows <= HELD
    assert cost.block_count < PAGE_BLOCKS


@pytest.mark.parametrize(("query", "found"), [({"outcome__exact": "held"}, 50), ({"held_for": "tax"}, 50)])
def test_filter_of_one_run_is_served_by_an_index(admin_client: Client, query: dict[str, str], found: int) -> None:
    run_id = str(oldest())

    def ask() -> list[RunAccount]:
        return page(admin_client, run__id__exact=run_id, **query)

    assert len(ask()) == found
    cost = cost_of(ask, table="run_account", scans=INDEXED | BITMAP)
    assert cost.indexes <= {"run_account_by_outcome", "run_account_to_decide"}
    assert cost.removed_rows <= HELD
    assert cost.block_count < PAGE_BLOCKS


def test_held_accounts_are_walked_through_by_key(admin_client: Client) -> None:
    seen: list[int] = []
    address = "?held_for=person"
    while address:
        shown = admin_client.get(reverse(LIST) + address).context["cl"]
        seen += [account.pk for account in shown.result_list]
        address = next((url for label, url in shown.page_links if label == "Next" and url), "")
    assert len(seen) == BY_PERSON == len(set(seen))
    assert seen == sorted(seen, reverse=True)
