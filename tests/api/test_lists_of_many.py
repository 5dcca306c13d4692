"""The lists of usage data records over 200,000 of them, in the API and in the admin.

Every filter is served by an index, and no page costs more than the first. Looked at is what the requests really ask
PostgreSQL for.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from catalog.admin import paginator
from catalog.admin.keyset import place_text
from catalog.models import Product
from customers.api.fields import cursor
from customers.models import Customer, SubscriptionService
from tests import many_records
from tests.api.caller import Caller, assert_error, parsed
from tests.page_costs import Cost
from tests.page_costs import cost_of as page_cost
from usage.api import record_pages
from usage.api.record_pages import as_text, fingerprint
from usage.api.serializers import RECORDS as RECORDS_LIST
from usage.api.serializers import UsageDataRecordQuery
from usage.models import SourceSystem, UsageDataRecord, UsageImport, UsageType
from usage.queries.record_lists import RecordFilters, record_list

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("many")]

RECORDS, CUSTOMERS = 200_000, 100
PATH = "/usage/v1/usage_data_records"
KEY = "usage_data_record_pkey"
# Blocks that a page may touch: it has at most 101 rows, each in its own block, and the way there through the index.
PAGE_BLOCKS = 150
MORE_BLOCKS = 30


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The records, for the tests of this module. After it they are gone, and PostgreSQL has counted anew."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            many_records.add_company(customers=CUSTOMERS)
            many_records.add_records(RECORDS, customers=CUSTOMERS)
            many_records.analyze()
            yield
            transaction.set_rollback(True)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) usage_data_record")
        many_records.analyze()


def cost_of(ask: Callable[[], Any]) -> Cost:
    return page_cost(ask, table="usage_data_record")


def name_of(index: str) -> str:
    return KEY if index == "pkey" else f"usage_data_record_{index}"


DAYS = {"from_date_after": "2025-06-01T00:00:00Z", "from_date_before": "2025-06-02T00:00:00Z"}
EFFECTIVE = {"billing_effective_date_after": "2025-06-01", "billing_effective_date_before": "2025-06-02"}


@pytest.mark.parametrize(
    ("filters", "index", "row_count"),
    [
        ({}, "pkey", 100),
        ({"accounts_receivable": "AR-A0"}, "customer", 30),
        ({"accounts_receivable": "AR-A1"}, "customer", 100),
        ({"subscription_service": "+49SA01"}, "service", 30),
        ({"subscription": "SA0"}, "service", 30),
        ({"subscription": "SA1"}, "service", 100),
        ({"product": "P0"}, "product", 30),
        ({"type": "Type 0"}, "type", 30),
        ({"type": "T1"}, "type", 100),
        ({"source_system": "Source 0"}, "source", 30),
        ({"source_system": "X1"}, "source", 100),
        ({"source_system": "X1"} | DAYS, "source", 100),
        ({"usage_import": "rare"}, "import", 30),
        ({"life_cycle_state": "CANCELLED"}, "state", 30),
        ({"life_cycle_state": "DRAFT"}, "state", 0),
        ({"life_cycle_state": "POSTED"}, "pkey", 100),
        ({"billing_directive": "TO_BE_CREDITED"}, "directive", 30),
        ({"billing_directive": "TO_BE_BILLED"}, "pkey", 100),
        ({"is_late": "true"}, "late", 30),
        ({"is_late": "false"}, "pkey", 100),
        (DAYS, "from", 100),
        ({"from_date_after": "2025-12-31T23:00:00Z"}, "from", 22),
        (EFFECTIVE, "effective", 100),
        ({"billing_effective_date_before": "2024-01-01"}, "effective", 0),
    ],
    ids=lambda value: urlencode(value) if isinstance(value, dict) else None,
)
def test_each_filter_of_the_api_is_served_by_an_index(
    staff: Caller, filters: dict[str, str], index: str, row_count: int
) -> None:
    if filters.get("usage_import"):
        filters = {"usage_import": str(UsageImport.objects.earliest("id").id)}
    address = f"{PATH}?{urlencode(filters)}"
    assert len(staff.ask(address)["data"]) == row_count
    cost = cost_of(lambda: staff.ask(address))
    assert cost.indexes == {name_of(index)}
    assert cost.removed_rows <= many_records.RARE
    # A subscription here has five services, of each of which a page is merged.
    assert cost.block_count < PAGE_BLOCKS * (5 if "subscription" in filters else 1)


@pytest.mark.parametrize(
    ("filters", "index", "row_count"),
    [
        ({}, "pkey", 50),
        ({"customer__id__exact": Customer}, "customer", 30),
        ({"subscription_service__id__exact": SubscriptionService}, "service", 30),
        ({"product__id__exact": Product}, "product", 30),
        ({"usage_type__id__exact": UsageType}, "type", 30),
        ({"source_system__id__exact": SourceSystem}, "source", 30),
        ({"usage_import__id__exact": UsageImport}, "import", 30),
        ({"life_cycle_state__exact": "CANCELLED"}, "state", 30),
        ({"life_cycle_state__exact": "POSTED"}, "pkey", 50),
        ({"billing_directive__exact": "TO_BE_CREDITED"}, "directive", 30),
        ({"is_late__exact": "1"}, "late", 30),
        ({"is_late__exact": "0"}, "pkey", 50),
        ({"from_date_from": "2025-06-01", "from_date_to": "2025-06-01"}, "from", 50),
        ({"from_date_to": "2024-12-31"}, "from", 0),
        ({"billing_effective_date_from": "2025-06-01", "billing_effective_date_to": "2025-06-02"}, "effective", 50),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else None,
)
def test_each_filter_of_the_admin_is_served_by_an_index(
    admin_client: Client, filters: dict[str, Any], index: str, row_count: int
) -> None:
    # Given a model, the filter is for its rare object, which is the first one.
    query = {
        name: value if isinstance(value, str) else value.objects.earliest("id").pk for name, value in filters.items()
    }
    address = reverse("admin:usage_usagedatarecord_changelist")
    assert len(admin_client.get(address, query).context["cl"].result_list) == row_count
    cost = cost_of(lambda: admin_client.get(address, query))
    assert cost.indexes == {name_of(index)}
    assert cost.removed_rows <= many_records.RARE
    assert cost.block_count < PAGE_BLOCKS


def checked_filters(filters: dict[str, str]) -> RecordFilters:
    """The filters as a request's are, once checked."""
    query = UsageDataRecordQuery(data=filters)
    query.is_valid(raise_exception=True)
    given = {name: value for name, value in query.validated_data.items() if name in filters}
    return cast("RecordFilters", given)


def record_at(place: int) -> UsageDataRecord:
    """The record that came after so many others."""
    return UsageDataRecord.objects.get(number=f"CALL-{place}")


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"accounts_receivable": "AR-A1"},
        {"subscription": "SA1"},
        {"product": "P4"},
        {"type": "T1"},
        {"source_system": "X1"},
        {"from_date_after": "2025-01-02T00:00:00Z"},
        {"billing_effective_date_after": "2025-01-02"},
        {"billing_directive": "TO_BE_BILLED"},
    ],
    ids=",".join,
)
def test_a_deep_page_of_the_api_costs_what_the_first_does(staff: Caller, filters: dict[str, str]) -> None:
    first = staff.ask(f"{PATH}?{urlencode(filters)}")
    deep = record_at(190_000)
    asked = checked_filters(filters)
    listed = record_list(asked)
    place = [as_text(value) for value in listed.order.place(deep)]
    query = urlencode({**filters, "cursor": cursor(of=RECORDS_LIST, after=[fingerprint(dict(asked), None), *place])})
    page = staff.ask(f"{PATH}?{query}")
    assert (len(first["data"]), len(page["data"])) == (100, 100)
    assert min(int(row["id"]) for row in page["data"]) > deep.id
    cost = cost_of(lambda: staff.ask(f"{PATH}?{query}"))
    assert cost.block_count <= cost_of(lambda: staff.ask(f"{PATH}?{urlencode(filters)}")).block_count + MORE_BLOCKS


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"is_late__exact": "0"},
        {"source_system__id__exact": "X1"},
        {"from_date_to": "2025-12-30"},
        {"from_date_from": "2025-01-02", "from_date_to": "2025-12-30"},
        {"billing_effective_date_to": "2025-12-30"},
    ],
    ids=",".join,
)
def test_a_deep_page_of_the_admin_costs_what_the_first_does(admin_client: Client, filters: dict[str, str]) -> None:
    if "source_system__id__exact" in filters:
        filters = {"source_system__id__exact": str(SourceSystem.objects.get(alternative_code="X1").id)}

    def page(**place: str) -> Any:
        return admin_client.get(reverse("admin:usage_usagedatarecord_changelist"), {**filters, **place})

    deep = record_at(10_000)
    place = place_text(page().context["cl"].order.place(deep))
    shown = [row.number for row in page(after=place).context["cl"].result_list]
    step = 2 if "source_system__id__exact" in filters else 1
    assert shown == [f"CALL-{number}" for number in range(10_000 - step, 10_000 - 51 * step, -step)]
    first = cost_of(page).block_count
    for where in ({"after": place}, {"before": place}, {"before": "end"}):
        assert cost_of(lambda where=where: page(**where)).block_count <= first + MORE_BLOCKS  # type: ignore[misc]


def test_a_large_list_is_not_counted(admin_client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        cl = admin_client.get(reverse("admin:usage_usagedatarecord_changelist")).context["cl"]
    assert [query["sql"] for query in asked.captured_queries if "COUNT(" in query["sql"]] == []
    assert cl.paginator.total == pytest.approx(RECORDS, rel=0.1)
    assert (cl.paginator.is_exact, cl.paginator.is_filtered) == (False, False)


def test_many_filtered_rows_are_counted_to_a_limit(admin_client: Client) -> None:
    address = reverse("admin:usage_usagedatarecord_changelist")
    with CaptureQueriesContext(connection) as asked:
        response = admin_client.get(address, {"usage_type__id__exact": UsageType.objects.get(name="Type 1").id})
    counts = [query["sql"] for query in asked.captured_queries if "COUNT(" in query["sql"]]
    assert len(counts) == 1
    assert "LIMIT 10001" in counts[0]
    assert "more than\n    10,000\n    usage data records" in response.content.decode()


def test_a_count_that_takes_long_is_left_out(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paginator, "COUNT_TIMEOUT_MS", 1)
    response = admin_client.get(
        reverse("admin:usage_usagedatarecord_changelist"), {"destination__contains": "9", "region": ""}
    )
    assert len(response.context["cl"].result_list) == 50
    assert "more than\n    50\n    usage data records" in response.content.decode()


def test_a_list_that_takes_too_long_is_refused_in_words(staff: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_pages, "LIST_TIMEOUT_MS", 1)
    # Half of all records are the customer's, and half of this type, but none is both.
    answer = staff.get(f"{PATH}?accounts_receivable=AR-A1&type=T2")
    assert_error(answer, 422, "refused")
    assert "Narrow the list down" in parsed(answer)["detail"]
