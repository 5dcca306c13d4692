"""Lists of the backend API: runs and their accounts, by id, cut and counted."""

from datetime import UTC, datetime

import pgtrigger
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillingRun
from tests.api.billed import invoiced
from tests.api.caller import Caller, assert_error, parsed
from tests.factories.billing import BillingRunFactory, InvoiceMessageFactory, RunAccountFactory, RunChunkFactory

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/billingRuns"


def test_accounts_are_paged_and_know_their_times(staff: Caller) -> None:
    run = BillingRunFactory(commenced=True)
    chunk = RunChunkFactory(run=run, produced_at=datetime(2026, 2, 1, 9, 5, tzinfo=UTC))
    ids = [str(RunAccountFactory(chunk=chunk).id), str(RunAccountFactory(chunk=RunChunkFactory(run=run)).id)]
    path = f"{PATH}/{run.id}/accounts"

    def found(query: str) -> list[str]:
        return [row["id"] for row in staff.ask(f"{path}?{query}")]

    assert found("limit=1") == ids[:1]
    assert found(f"idAfter={ids[0]}") == ids[1:]
    assert found("createdSince=2026-02-01T09:00:00Z") == ids
    assert found("createdSince=2026-02-01T09:00:01Z") == []
    assert found("updatedSince=2026-02-01T09:01:00Z") == ids[:1]


@pytest.fixture
def three() -> list[str]:
    return [str(BillingRunFactory().id) for _ in range(3)]


@pytest.mark.parametrize(
    ("query", "found", "total"),
    [
        ("", [0, 1, 2], 3),
        ("limit=2", [0, 1], 3),
        ("limit=2&offset=1", [1, 2], 3),
        ("offset=3", [], 3),
        ("offset=9223372036854775807", [], 3),
        ("idAfter={1}", [2], 3),
        ("idAfter={2}", [], 3),
        ("idAfter=0", [0, 1, 2], 3),
        ("createdSince=2020-01-01T00:00:00Z", [0, 1, 2], 3),
        ("createdSince=2020-01-01", [0, 1, 2], 3),
        ("createdSince=2999-01-01T00:00:00%2B01:00", [], 0),
        ("updatedSince=2999-01-01T00:00:00Z", [], 0),
    ],
)
def test_lists_are_ordered_by_id_and_cut(
    staff: Caller, three: list[str], query: str, found: list[int], total: int
) -> None:
    response = staff.get(f"{PATH}?{query.format(*three)}")
    assert [run["id"] for run in parsed(response)] == [three[position] for position in found]
    assert response.headers["X-Total-Count"] == str(total)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "idAfter=x", "idAfter=-1", "updatedSince=x"]
)
def test_a_bad_list_parameter_is_a_400(staff: Caller, query: str) -> None:
    response = staff.get(f"{PATH}?{query}")
    assert_error(response, 400, "invalid")
    assert list(parsed(response)["errors"]) == [query.partition("=")[0]]


def test_updated_since_finds_what_changed(staff: Caller, three: list[str]) -> None:
    with pgtrigger.ignore("billing.BillingRun:touch_updated_at"):
        BillingRun.objects.filter(id=three[0]).update(updated_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert [run["id"] for run in staff.ask(f"{PATH}?updatedSince=2026-01-01T00:00:01Z")] == three[1:]
    assert len(staff.ask(f"{PATH}?updatedSince=2026-01-01T00:00:00Z")) == 3


def test_the_link_leads_through_all_pages(staff: Caller, three: list[str]) -> None:
    response = staff.get(f"{PATH}?limit=2&createdSince=2020-01-01T00:00:00%2B00:00")
    link = response.headers["Link"]
    assert link == (
        f"<http://testserver{PATH}?limit=2&createdSince=2020-01-01T00%3A00%3A00%2B00%3A00&idAfter={three[1]}>; "
        'rel="next"'
    )
    last = staff.get(link[1:].partition(">")[0].removeprefix("http://testserver"))
    assert [run["id"] for run in parsed(last)] == three[2:]
    assert "Link" not in last.headers


def test_one_run_and_three_take_the_same_queries(staff: Caller) -> None:
    counts = []
    for runs in (1, 2):
        for _ in range(runs):
            run = BillingRunFactory(completed=True, invoice_message=InvoiceMessageFactory())
            invoiced(run, "12.00")
        with CaptureQueriesContext(connection) as queries:
            assert staff.ask(PATH)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_one_account_and_three_take_the_same_queries(staff: Caller) -> None:
    run = BillingRunFactory(completed=True)
    counts = []
    for accounts in (1, 2):
        for _ in range(accounts):
            invoiced(run, "12.00")
        with CaptureQueriesContext(connection) as queries:
            assert staff.ask(f"{PATH}/{run.id}/accounts")
        counts.append(len(queries))
    assert counts[0] == counts[1]
