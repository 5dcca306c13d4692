"""Lists of large tables: counted no further than needed, searched by what an index serves, stopped when slow."""

import factory
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.admin import base, paginator
from catalog.admin.paginator import CappedPaginator
from tests import factories
from usage.models import QuarantinedLine, UsageDataRecord

pytestmark = pytest.mark.django_db

RECORDS = "admin:usage_usagedatarecord_changelist"


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count to 2 and reach 4 rows deep, so that few rows are many."""
    monkeypatch.setattr(paginator, "COUNT_LIMIT", 2)
    monkeypatch.setattr(paginator, "DEEPEST_ROW", 4)


def numbers(response: object) -> list[str]:
    return [record.number for record in response.context["cl"].result_list]  # type: ignore[attr-defined]


def test_few_rows_are_counted() -> None:
    usage_import = factories.UsageImportFactory(received_count=3, quarantined_count=3)
    factories.QuarantinedLineFactory.create_batch(3, usage_import=usage_import)
    pages = CappedPaginator(QuarantinedLine.objects.all(), 2)
    assert (pages.total, pages.count, pages.num_pages, pages.is_exact) == (3, 3, 2, True)


def test_many_rows_are_estimated(small_limits: None) -> None:
    usage_import = factories.UsageImportFactory(received_count=6, quarantined_count=6)
    factories.QuarantinedLineFactory.create_batch(6, usage_import=usage_import)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE quarantined_line")
    pages = CappedPaginator(QuarantinedLine.objects.all(), 2)
    assert (pages.total, pages.is_exact, pages.is_filtered) == (6, False, False)
    assert (pages.count, pages.num_pages) == (4, 2)


def test_many_filtered_rows_are_counted_to_the_limit(small_limits: None) -> None:
    usage_import = factories.UsageImportFactory(received_count=6, quarantined_count=6)
    factories.QuarantinedLineFactory.create_batch(6, usage_import=usage_import)
    pages = CappedPaginator(QuarantinedLine.objects.filter(usage_import=usage_import), 2)
    assert (pages.total, pages.count, pages.is_exact, pages.is_filtered) == (2, 2, False, True)


def test_numbered_list_says_that_it_reaches_some_only(small_limits: None, admin_client: Client) -> None:
    factories.ProductFactory.create_batch(6, code=factory.Sequence(lambda n: f"P-{n}"))
    page = admin_client.get(reverse("admin:catalog_product_changelist")).content.decode()
    assert "about" in page
    assert "search or filter for others" in page


def test_no_large_table_is_counted_to_its_end(admin_client: Client) -> None:
    factories.UsageDataRecordFactory()
    with CaptureQueriesContext(connection) as asked:
        admin_client.get(reverse(RECORDS))
    counts = [query["sql"] for query in asked.captured_queries if "COUNT(" in query["sql"]]
    assert all("LIMIT" in sql for sql in counts), counts


def test_newest_comes_first(admin_client: Client) -> None:
    for number in ("first", "second", "third"):
        factories.UsageDataRecordFactory(number=number)
    assert numbers(admin_client.get(reverse(RECORDS))) == ["third", "second", "first"]


def test_records_are_found_by_their_whole_number(admin_client: Client) -> None:
    factories.UsageDataRecordFactory(number="CALL-1")
    factories.UsageDataRecordFactory(number="CALL-10")
    assert numbers(admin_client.get(reverse(RECORDS), {"q": " CALL-1 "})) == ["CALL-1"]


def test_records_are_found_by_the_identifier_of_their_service(admin_client: Client) -> None:
    service = factories.SubscriptionServiceFactory(identifier="+4930123456")
    factories.UsageDataRecordFactory(subscription_service=service, number="hers")
    factories.UsageDataRecordFactory(number="another's")
    assert numbers(admin_client.get(reverse(RECORDS), {"q": "+4930123456"})) == ["hers"]


def test_pending_usage_and_charges_are_found_by_the_records_number(admin_client: Client) -> None:
    factories.UsageDataRecordFactory(number="waits")
    charge = factories.UsageChargeFactory()
    pending = admin_client.get(reverse("admin:usage_pendingusage_changelist"), {"q": "waits"})
    assert [row.record.number for row in pending.context["cl"].result_list] == ["waits"]
    charged = admin_client.get(reverse("admin:invoicing_usagecharge_changelist"), {"q": charge.record.number})
    assert list(charged.context["cl"].result_list) == [charge]


def test_invoices_are_found_by_number_and_by_the_customers_account(admin_client: Client) -> None:
    address = reverse("admin:invoicing_invoice_changelist")
    mine = factories.post(factories.InvoiceFactory())
    factories.post(factories.InvoiceFactory())
    for term in (str(mine.number), mine.customer.account_number):
        assert list(admin_client.get(address, {"q": term}).context["cl"].result_list) == [mine]


def test_slow_list_is_stopped_with_a_message(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.UsageDataRecordFactory()
    monkeypatch.setattr(base, "LIST_TIMEOUT_MS", 1)
    slow = UsageDataRecord.objects.extra(where=["pg_sleep(0.1) IS NOT NULL"])
    monkeypatch.setattr("usage.admin.records.UsageDataRecordAdmin.get_queryset", lambda self, request: slow)
    response = admin_client.get(reverse(RECORDS), {"life_cycle_state__exact": "POSTED"})
    assert response.status_code == 302
    assert response["Location"] == reverse(RECORDS)


@pytest.mark.parametrize("query", ["state=%00", "q=a%00b", "reason=%00", "%00=1"])
def test_what_no_text_holds_is_in_no_filter(admin_client: Client, query: str) -> None:
    for model in ("usage_quarantinedline", "usage_usageconflict", "usage_usagedatarecord", "usage_sourcesystem"):
        address = reverse(f"admin:{model}_changelist")
        response = admin_client.get(f"{address}?{query}")
        assert (response.status_code, response["Location"]) == (302, address)
