"""Uploading a file of usage, and what its page says about it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from customers.models import SubscriptionService
from tests import factories
from usage.models import SourceSystem, UsageDataRecord, UsageImport

# An import commits by itself, step by step.
pytestmark = pytest.mark.django_db(transaction=True)

UPLOAD = "admin:usage_usageimport_upload"
HEADER = "number,service,product,from_date,to_date,usage_amount"


@pytest.fixture
def source() -> SourceSystem:
    return factories.SourceSystemFactory()


@pytest.fixture
def service() -> SubscriptionService:
    return factories.SubscriptionServiceFactory(identifier="+4930123456", product=factories.ProductFactory(code="CALL"))


def file_of(*rows: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("calls.csv", "\n".join([HEADER, *rows, ""]).encode(), content_type="text/csv")


def call(number: str, amount: str = "60") -> str:
    return f"{number},+4930123456,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,{amount}"


def test_upload_shows_what_became_of_the_rows(
    admin_client: Client, source: SourceSystem, service: SubscriptionService
) -> None:
    file = file_of(call("1"), call("2"), call("3", "twelve"))
    response = admin_client.post(reverse(UPLOAD), {"source_system": source.pk, "file": file}, follow=True)
    done = UsageImport.objects.get()
    assert (done.received_count, done.accepted_count, done.quarantined_count) == (3, 2, 1)
    assert done.created_by is not None
    page = response.content.decode()
    assert f"{reverse('admin:usage_quarantinedline_changelist')}?usage_import__id__exact={done.pk}" in page
    assert done.quarantined_lines.get().detail.split("“", maxsplit=1)[0] in page
    assert UsageDataRecord.objects.count() == 2


def test_the_same_file_again_leads_to_the_first_import(
    admin_client: Client, source: SourceSystem, service: SubscriptionService
) -> None:
    admin_client.post(reverse(UPLOAD), {"source_system": source.pk, "file": file_of(call("1"))})
    response = admin_client.post(reverse(UPLOAD), {"source_system": source.pk, "file": file_of(call("1"))}, follow=True)
    assert UsageImport.objects.count() == 1
    assert [str(message) for message in response.context["messages"]] == [
        "This file was imported before. Nothing changed; this is that import."
    ]


def test_file_that_is_refused_says_why_on_the_form(admin_client: Client, source: SourceSystem) -> None:
    file = SimpleUploadedFile("calls.csv", b"this,is,not\nwhat,was,agreed\n")
    response = admin_client.post(reverse(UPLOAD), {"source_system": source.pk, "file": file})
    assert response.status_code == 200
    (sentence,) = response.context["form"].errors["file"]
    assert sentence.startswith("calls.csv: ")
    assert not UsageDataRecord.objects.exists()


def test_upload_without_a_file_says_so(admin_client: Client, source: SourceSystem) -> None:
    response = admin_client.post(reverse(UPLOAD), {"source_system": source.pk})
    assert response.status_code == 200
    assert "file" in response.context["form"].errors


def test_upload_starts_with_the_source_system_that_it_was_called_from(
    admin_client: Client, source: SourceSystem
) -> None:
    page = admin_client.get(reverse(UPLOAD), {"source_system": source.pk}).content.decode()
    assert f'<option value="{source.pk}" selected>' in page


def test_without_a_source_system_the_page_says_to_add_one(admin_client: Client) -> None:
    assert "Add a source system" in admin_client.get(reverse(UPLOAD)).content.decode()


def test_who_may_only_look_does_not_upload(viewer_client: Client, source: SourceSystem) -> None:
    assert viewer_client.get(reverse(UPLOAD)).status_code == 403
    assert reverse(UPLOAD) not in viewer_client.get(reverse("admin:usage_usageimport_changelist")).content.decode()


def test_who_is_not_staff_is_sent_to_the_login(client: Client) -> None:
    assert client.get(reverse(UPLOAD))["Location"].startswith(reverse("admin:login"))


def test_page_of_a_record_says_where_it_stands(
    admin_client: Client, source: SourceSystem, service: SubscriptionService
) -> None:
    admin_client.post(reverse(UPLOAD), {"source_system": source.pk, "file": file_of(call("1"))})
    pending = UsageDataRecord.objects.get()
    page = admin_client.get(reverse("admin:usage_usagedatarecord_change", args=[pending.pk])).content.decode()
    assert "Pending: it waits for the customer" in page
    assert "calls.csv, line 2" in page
    charged = factories.UsageChargeFactory().record
    page = admin_client.get(reverse("admin:usage_usagedatarecord_change", args=[charged.pk])).content.decode()
    assert f"record__id__exact={charged.pk}" in page
