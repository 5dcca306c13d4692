"""Pages of large tables by key: first, previous, next and last, from wherever one is, whatever stands in the URL."""

from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import RunAccount
from catalog.admin.base import LargeTableAdmin
from catalog.admin.keyset import KeyChangeList
from invoicing.models import UsageCharge
from tests import factories
from usage.models import PendingUsage, QuarantinedLine, UsageConflict, UsageDataRecord

pytestmark = pytest.mark.django_db

ADDRESS = "admin:usage_usagedatarecord_changelist"


@pytest.fixture(autouse=True)
def _two_rows_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LargeTableAdmin, "list_per_page", 2)


def opened(client: Client, query: str = "", address: str = ADDRESS) -> Any:
    response = client.get(reverse(address) + query)
    assert response.status_code == 200, response.get("Location")
    return response


def numbers(response: Any) -> str:
    return "".join(record.number for record in response.context["cl"].result_list)


def links(response: Any) -> dict[str, str]:
    """The addresses of the page's buttons; each is in the page as it was written."""
    found = {label: address for label, address in response.context["cl"].page_links if address is not None}
    assert all(address in unescape(response.content.decode()) for address in found.values())
    return found


def add(letters: str, **values: Any) -> None:
    for letter in letters:
        factories.UsageDataRecordFactory(number=letter, **values)


def test_one_walks_to_the_end_and_back(admin_client: Client) -> None:
    add("ABCDE")
    page = opened(admin_client)
    walked = [(numbers(page), set(links(page)))]
    for step in ("Next", "Next", "Previous", "Previous", "Last", "First"):
        page = opened(admin_client, links(page)[step])
        walked.append((numbers(page), set(links(page))))
    first, middle, last = {"Next", "Last"}, {"First", "Previous", "Next", "Last"}, {"First", "Previous"}
    assert walked == [
        ("ED", first),
        ("CB", middle),
        ("A", last),
        ("CB", middle),
        ("ED", first),
        ("BA", last),  # the last page is a full one
        ("ED", first),
    ]


def test_all_on_one_page_needs_no_buttons(admin_client: Client) -> None:
    add("AB")
    page = opened(admin_client)
    assert (numbers(page), page.context["cl"].page_links) == ("BA", [])
    assert "2\n    usage data records" in page.content.decode()


def test_near_the_start_the_page_before_is_the_first_one(admin_client: Client) -> None:
    add("ABCDE")
    fourth = UsageDataRecord.objects.get(number="D").id
    assert numbers(opened(admin_client, f"?before={fourth}")) == "ED"


@pytest.mark.parametrize(
    "query",
    [
        *("?after=", "?after=x", "?after=1,2", "?after=-1", "?after=9223372036854775808", "?before="),
        *("?after=2026-01-15T12:00:00,1&from_date_from=2026-01-01", "?after=,1&from_date_from=2026-01-01"),
        *("?after=x,1&from_date_from=2026-01-01", "?before=1,1&source_system__id__exact=", "?p=9&all=&o=1"),
    ],
)
def test_what_is_no_place_leads_to_the_first_page(admin_client: Client, query: str) -> None:
    add("ABCDE")
    assert numbers(opened(admin_client, query)) == "ED"


def test_behind_the_end_is_the_last_page(admin_client: Client) -> None:
    assert numbers(opened(admin_client, "?after=1")) == ""
    add("ABC")
    assert numbers(opened(admin_client, "?after=0")) == "BA"
    assert numbers(opened(admin_client, f"?before={UsageDataRecord.objects.latest('id').id}")) == "CB"


def test_filters_and_the_search_go_along_and_a_new_filter_starts_anew(admin_client: Client) -> None:
    add("ABCDE", billing_directive="NOT_TO_BE_BILLED")
    add("F")
    page = opened(admin_client, "?billing_directive__exact=NOT_TO_BE_BILLED")
    assert numbers(page) == "ED"
    page = opened(admin_client, links(page)["Next"])
    assert numbers(page) == "CB"
    html = page.content.decode()
    # The forms of the search and of the filters carry on what is asked for, but not the page.
    assert 'name="billing_directive__exact"' in html
    assert 'name="after"' not in html
    # The pages of records lead back to this page of the list.
    record = UsageDataRecord.objects.get(number="C")
    assert f"{record.pk}/change/?_changelist_filters=after%3D" in html


def test_filtered_by_days_the_newest_usage_comes_first(admin_client: Client) -> None:
    for letter, day in (("C", 17), ("A", 15), ("D", 18), ("B", 16), ("b", 16)):
        add(letter, from_date=datetime(2026, 1, day, 23, 59, tzinfo=UTC))
    page = opened(admin_client, "?from_date_from=2026-01-15&from_date_to=2026-01-17")
    assert numbers(page) == "Cb"
    page = opened(admin_client, links(page)["Next"])
    assert (numbers(page), set(links(page))) == ("BA", {"First", "Previous"})
    assert numbers(opened(admin_client, links(page)["Previous"])) == "Cb"


def test_a_source_and_an_effective_date_order_the_list_too(admin_client: Client) -> None:
    for letter, day in (("B", 16), ("A", 15), ("C", 17)):
        add(letter, from_date=datetime(2026, 1, day, tzinfo=UTC))
    source = UsageDataRecord.objects.latest("id").source_system_id
    for query in (f"?source_system__id__exact={source}", "?billing_effective_date_from=2026-01-01"):
        page = opened(admin_client, query)
        assert numbers(page) == "CB"
        assert numbers(opened(admin_client, links(page)["Next"])) == "A"


def test_waiting_usage_of_a_customer_comes_by_its_effective_date(admin_client: Client) -> None:
    service = factories.SubscriptionServiceFactory()
    for letter, day in (("B", 16), ("A", 15), ("D", 17), ("C", 17)):
        add(letter, subscription_service=service, billing_effective_date=date(2026, 1, day))
    add("X")
    address = "admin:usage_pendingusage_changelist"
    page = opened(admin_client, f"?customer__id__exact={service.customer_id}", address)
    assert [row.record.number for row in page.context["cl"].result_list] == ["C", "D"]
    page = opened(admin_client, links(page)["Next"], address)
    assert [row.record.number for row in page.context["cl"].result_list] == ["B", "A"]
    page = opened(admin_client, links(page)["Previous"], address)
    assert [row.record.number for row in page.context["cl"].result_list] == ["C", "D"]


def test_quarantined_lines_of_an_import_come_in_the_order_of_the_file(admin_client: Client) -> None:
    usage_import = factories.UsageImportFactory(received_count=3, quarantined_count=3)
    for line in (7, 9, 8):
        factories.QuarantinedLineFactory(usage_import=usage_import, line_number=line)
    address = "admin:usage_quarantinedline_changelist"
    page = opened(admin_client, f"?usage_import__id__exact={usage_import.id}", address)
    assert [row.line_number for row in page.context["cl"].result_list] == [9, 8]
    page = opened(admin_client, links(page)["Next"], address)
    assert [row.line_number for row in page.context["cl"].result_list] == [7]
    opened(admin_client, f"?usage_import__id__exact={usage_import.id}&after=9223372036854775808,1", address)


def test_what_is_no_date_is_said(admin_client: Client) -> None:
    add("A")
    response = admin_client.get(reverse(ADDRESS), {"from_date_from": "yesterday"}, follow=True)
    assert "“yesterday” is no date" in response.content.decode()
    assert numbers(response) == "A"


def test_no_row_is_left_out_or_repeated_while_others_come_and_go(admin_client: Client) -> None:
    add("ABCDE")
    address = "admin:usage_pendingusage_changelist"
    page = opened(admin_client, "", address)
    seen = [row.record.number for row in page.context["cl"].result_list]
    while "Next" in links(page):
        # A newer one comes, and the last one that was seen is billed and gone.
        factories.UsageDataRecordFactory()
        PendingUsage.objects.filter(record__number=seen[-1]).delete()
        page = opened(admin_client, links(page)["Next"], address)
        seen += [row.record.number for row in page.context["cl"].result_list]
    assert seen == ["E", "D", "C", "B", "A"]


def test_a_full_page_takes_as_many_queries_as_any_other(admin_client: Client) -> None:
    add("ABCDEFG")
    page = opened(admin_client, "?life_cycle_state__exact=POSTED")
    counts = set()
    for step in ("Next", "Next", "Previous", "First", "Next"):
        with CaptureQueriesContext(connection) as queries:
            page = opened(admin_client, links(page)[step])
        counts.add(len(queries))
    assert max(counts) - min(counts) <= 1  # near the start the page before is the first one


def test_late_records_wear_a_badge(admin_client: Client) -> None:
    add("A", is_late=True)
    add("B")
    rows = [row.split("</tr>")[0] for row in opened(admin_client).content.decode().split("data-row ")[1:]]
    assert [">Late<" in "".join(row.split()) for row in rows] == [False, True]


@pytest.mark.parametrize(
    "model", [UsageDataRecord, PendingUsage, QuarantinedLine, UsageConflict, UsageCharge, RunAccount]
)
def test_large_tables_have_pages_by_key(model: type[Model], rf: RequestFactory) -> None:
    assert issubclass(admin.site._registry[model].get_changelist(rf.get("/")), KeyChangeList)
