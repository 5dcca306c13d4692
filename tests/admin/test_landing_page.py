"""The landing page says what waits for a person."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.admin.dashboard import Card
from billing.choices import AccountOutcome
from invoicing.choices import DeliveryState
from invoicing.models import RenderedInvoice
from reports.models import ReportProduction
from tests import factories
from tests.admin.pictures import client_who_may
from tests.factories import post
from usage.choices import ConflictDecision, QuarantineState

pytestmark = pytest.mark.django_db

INDEX = "admin:index"


def card(response: object, title: str) -> Card:
    cards: list[Card] = response.context["cards"]  # type: ignore[attr-defined]
    return next(card for card in cards if card.title == title)


def test_new_installation_is_shown_its_first_steps(admin_client: Client) -> None:
    response = admin_client.get(reverse(INDEX))
    assert [step.title for step in response.context["first_steps"]] == [
        "Add a source system",
        "Add customers",
        "Add prices",
        "Upload usage",
        "Add a billing run",
    ]
    assert not any(card.is_urgent for card in response.context["cards"])


def test_run_that_waits_for_approval_is_linked(admin_client: Client) -> None:
    run = factories.BillingRunFactory(completed=True, name="January 2026")
    response = admin_client.get(reverse(INDEX))
    waiting = card(response, "Runs waiting for approval")
    assert (waiting.count, waiting.is_urgent) == ("1", True)
    assert [(item.title, item.url) for item in waiting.items] == [
        ("January 2026", reverse("admin:billing_billingrun_change", args=[run.pk]))
    ]
    assert "January 2026" in response.content.decode()


def test_held_accounts_are_linked_by_run_and_outcome(admin_client: Client) -> None:
    run = factories.BillingRunFactory(completed=True)
    chunk = factories.RunChunkFactory(run=run)
    factories.RunAccountFactory(chunk=chunk, outcome=AccountOutcome.HELD, reason="No tax rate.", held_for="tax")
    held = card(admin_client.get(reverse(INDEX)), "Accounts held or failed")
    assert [(item.detail, item.url) for item in held.items] == [
        ("1 held", f"{reverse('admin:billing_runaccount_changelist')}?run__id__exact={run.pk}&outcome__exact=held")
    ]
    assert admin_client.get(held.items[0].url).context["cl"].result_count == 1


def test_open_quarantined_lines_are_linked(admin_client: Client) -> None:
    line = factories.QuarantinedLineFactory(line_number=3, detail="usage_amount “many” is not a number.")
    factories.QuarantinedLineFactory(state=QuarantineState.DISMISSED, decided_at=datetime(2026, 2, 1, tzinfo=UTC))
    waiting = card(admin_client.get(reverse(INDEX)), "Open quarantine")
    assert (waiting.count, waiting.is_urgent) == ("1", True)
    assert [(item.title, item.detail, item.url) for item in waiting.items] == [
        (
            "Line 3 of calls.csv",
            "usage_amount “many” is not a number.",
            reverse("admin:usage_quarantinedline_change", args=[line.pk]),
        )
    ]
    assert admin_client.get(waiting.url).context["cl"].result_count == 1


def test_open_conflicts_are_linked(admin_client: Client) -> None:
    conflict = factories.UsageConflictFactory(line_number=4, record__number="R1")
    factories.UsageConflictFactory(decision=ConflictDecision.KEPT, decided_at=datetime(2026, 2, 1, tzinfo=UTC))
    waiting = card(admin_client.get(reverse(INDEX)), "Open conflicts")
    assert (waiting.count, waiting.is_urgent) == ("1", True)
    assert [(item.title, item.detail, item.url) for item in waiting.items] == [
        (
            "Line 4 of calls.csv",
            "Record R1 says otherwise of usage_amount.",
            reverse("admin:usage_usageconflict_change", args=[conflict.pk]),
        )
    ]
    assert admin_client.get(waiting.url).context["cl"].result_count == 1


def test_documents_that_were_not_delivered_are_linked(admin_client: Client) -> None:
    invoice = post(factories.InvoiceFactory())
    bounced = factories.InvoiceDeliveryFactory(
        invoice=invoice, state=DeliveryState.BOUNCED, recipient="a@b.example", error="No such mailbox."
    )
    again = factories.InvoiceDeliveryFactory(invoice=invoice, state=DeliveryState.REFUSED)
    factories.InvoiceDeliveryFactory(invoice=invoice, replaces=again)  # sent
    waiting = card(admin_client.get(reverse(INDEX)), "Documents not delivered")
    assert (waiting.count, waiting.is_urgent) == ("1", True)
    assert [(item.title, item.detail, item.url) for item in waiting.items] == [
        (
            f"{invoice}: came back",
            "a@b.example: No such mailbox.",
            reverse("admin:invoicing_invoicedelivery_change", args=[bounced.pk]),
        )
    ]
    assert list(admin_client.get(waiting.url).context["cl"].result_list) == [bounced]


@pytest.mark.parametrize(
    ("title", "make"),
    [
        ("PDFs that failed", factories.RenderedInvoiceFactory),
        ("Usage reports that failed", factories.ReportProductionFactory),
    ],
)
def test_files_that_failed_are_linked_with_their_document(
    admin_client: Client, title: str, make: Callable[..., RenderedInvoice | ReportProduction]
) -> None:
    failed = make(state="FAILED", error="The disk is full.")
    make(invoice=post(factories.InvoiceFactory()))  # waits
    waiting = card(admin_client.get(reverse(INDEX)), title)
    assert (waiting.count, waiting.is_urgent) == ("1", True)
    assert [(item.title, item.detail, item.url) for item in waiting.items] == [
        (
            str(failed.invoice),
            "The disk is full.",
            reverse("admin:invoicing_invoice_change", args=[failed.invoice_id]),
        )
    ]
    assert list(admin_client.get(waiting.url).context["cl"].result_list) == [failed]


def test_what_failed_is_for_those_who_may_see_it() -> None:
    factories.InvoiceDeliveryFactory(state=DeliveryState.REFUSED)
    factories.RenderedInvoiceFactory(state="FAILED", error="The disk is full.")
    factories.ReportProductionFactory(state="FAILED", error="The disk is full.")
    titles = {
        "view_invoicedelivery": ["Documents not delivered"],
        "view_renderedinvoice": ["PDFs that failed"],
        "view_reportproduction": ["Usage reports that failed"],
        "view_invoice": [],
    }
    for codename, expected in titles.items():
        cards = client_who_may(codename).get(reverse(INDEX)).context["cards"]
        assert [card.title for card in cards] == expected, codename


def test_where_nothing_is_quarantined_and_nothing_conflicts_there_are_no_cards_for_it(admin_client: Client) -> None:
    titles = {card.title for card in admin_client.get(reverse(INDEX)).context["cards"]}
    assert "Pending usage" in titles
    assert not titles & {"Open quarantine", "Open conflicts", "Documents not delivered", "Usage reports that failed"}


def test_pending_usage_is_counted(admin_client: Client) -> None:
    factories.UsageDataRecordFactory.create_batch(3)
    assert card(admin_client.get(reverse(INDEX)), "Pending usage").count == "3"


def test_customer_without_a_tax_rate_is_linked(admin_client: Client) -> None:
    customer = factories.CustomerFactory(tax_rate=None)
    factories.CustomerFactory()
    without = card(admin_client.get(reverse(INDEX)), "Customers without a tax rate")
    assert [item.title for item in without.items] == [customer.name]
    assert list(admin_client.get(without.url).context["cl"].result_list) == [customer]


def test_landing_page_takes_as_many_queries_for_three_runs_as_for_one(admin_client: Client) -> None:
    factories.BillingRunFactory(completed=True)
    admin_client.get(reverse(INDEX))
    with CaptureQueriesContext(connection) as for_one:
        admin_client.get(reverse(INDEX))
    factories.BillingRunFactory.create_batch(2, completed=True)
    with CaptureQueriesContext(connection) as for_three:
        admin_client.get(reverse(INDEX))
    assert len(for_three) == len(for_one)


def test_who_may_see_nothing_is_told_so() -> None:
    client = Client()
    client.force_login(factories.UserFactory())
    response = client.get(reverse(INDEX))
    assert response.context["cards"] == []
    assert "may not see anything yet" in response.content.decode()


def test_who_may_only_look_is_offered_nothing_to_do(viewer_client: Client) -> None:
    page = viewer_client.get(reverse(INDEX)).content.decode()
    assert reverse("admin:usage_usageimport_upload") not in page
    assert reverse("admin:billing_billingrun_add") not in page
    assert "Runs waiting for approval" in page


def test_sidebar_shows_only_what_may_be_seen() -> None:
    client = Client()
    client.force_login(factories.UserFactory())
    assert reverse("admin:invoicing_invoice_changelist") not in client.get(reverse(INDEX)).content.decode()


def test_every_page_of_the_sidebar_opens(admin_client: Client) -> None:
    groups = admin_client.get(reverse(INDEX)).context["sidebar_navigation"]
    links = [item["link"] for group in groups for item in group["items"]]
    assert len(links) == len(set(links)) > 30
    assert {admin_client.get(link).status_code for link in links} == {200}
