"""What staff decide on a run and on its accounts: buttons of the run, actions of the list, one account's page."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingRun, RunAccount
from billing.operations.production import produce_next_chunk
from billing.operations.runs import commence_run
from customers.models import Customer
from invoicing.choices import InvoiceState
from invoicing.models import Invoice
from tests import factories

# A run takes what was committed before it.
pytestmark = pytest.mark.django_db(transaction=True)

LIST = "admin:billing_runaccount_changelist"


def run_page(run: BillingRun, name: str = "change") -> str:
    return reverse(f"admin:billing_billingrun_{name}", args=[run.pk])


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def customers() -> list[Customer]:
    """Three customers with 1,000 seconds at 0.01 USD each: 10.00 net, 12.00 with the tax of 20 %."""
    card = factories.RateCardFactory(is_default=True)
    product = factories.ProductFactory()
    factories.RateFactory(rate_card=card, product=product, unit_price=Decimal("0.01"))
    made = [
        factories.CustomerFactory(account_number=number, name=f"Customer {number}") for number in ("A1", "A2", "A3")
    ]
    for customer in made:
        service = factories.SubscriptionServiceFactory(customer=customer)
        factories.UsageDataRecordFactory(subscription_service=service, product=product, usage_amount=1000)
    return made


@pytest.fixture
def commenced(customers: list[Customer], now: datetime) -> BillingRun:
    """A commenced run of three chunks."""
    run = factories.BillingRunFactory(name="January 2026")
    return commence_run(run_id=run.pk, at=now, chunk_records=1)


@pytest.fixture
def completed(commenced: BillingRun, now: datetime) -> BillingRun:
    """A completed run of three drafts."""
    while produce_next_chunk(run_id=commenced.pk, at=now):
        pass
    commenced.refresh_from_db()
    return commenced


def account(run: BillingRun, number: str) -> RunAccount:
    return RunAccount.objects.get(run=run, customer__account_number=number)


def outcomes(run: BillingRun) -> dict[str, str]:
    return dict(RunAccount.objects.filter(run=run).values_list("customer__account_number", "outcome"))


def decide(client: Client, name: str, accounts: list[RunAccount], **fields: str) -> Any:
    """Select accounts in the list, run an action, answer its page; what the page says then."""
    ids = [str(found.pk) for found in accounts]
    asked = client.post(reverse(LIST), {"action": name, "_selected_action": ids}, follow=True)
    assert asked.redirect_chain[-1][0].startswith(reverse("admin:billing_runaccount_decide", args=[name]))
    assert all(found.customer.account_number in asked.content.decode() for found in accounts)
    return messages_of(client.post(asked.redirect_chain[-1][0], fields, follow=True))


def test_paused_run_goes_on_when_it_is_resumed(admin_client: Client, commenced: BillingRun, now: datetime) -> None:
    said = messages_of(admin_client.post(run_page(commenced, "pause"), follow=True))
    assert said == ["January 2026 is paused. What workers had begun they finish."]
    assert not produce_next_chunk(run_id=commenced.pk, at=now)
    page = admin_client.get(run_page(commenced)).content.decode()
    assert "Resume it when it is to go on." in page
    assert 'hx-trigger="every 2s"' not in page

    said = messages_of(admin_client.post(run_page(commenced, "resume"), follow=True))
    assert said == ["January 2026 goes on."]
    assert produce_next_chunk(run_id=commenced.pk, at=now)


def test_run_whose_last_chunk_was_finished_while_it_was_paused_is_completed_when_it_is_resumed(
    admin_client: Client, commenced: BillingRun, now: datetime
) -> None:
    for _ in range(2):
        produce_next_chunk(run_id=commenced.pk, at=now)
    admin_client.post(run_page(commenced, "pause"))
    # A worker had begun the last chunk before.
    commenced.chunks.filter(produced_at__isnull=True).update(produced_at=now)
    admin_client.post(run_page(commenced, "resume"))
    commenced.refresh_from_db()
    assert commenced.status == RunStatus.COMPLETED


def test_page_that_shows_another_state_is_told_to_load_itself_again(
    admin_client: Client, commenced: BillingRun
) -> None:
    address = run_page(commenced, "progress")
    assert "HX-Refresh" not in admin_client.get(address, {"state": "Commenced"})
    assert admin_client.get(address, {"state": "Paused"})["HX-Refresh"] == "true"
    admin_client.post(run_page(commenced, "pause"))
    assert admin_client.get(address, {"state": "Commenced"})["HX-Refresh"] == "true"


def test_undo_asks_first_and_brings_back_what_was(admin_client: Client, completed: BillingRun) -> None:
    assert "waits again, as it was before" in admin_client.get(run_page(completed, "undo")).content.decode()
    assert Invoice.objects.count() == 3
    said = messages_of(admin_client.post(run_page(completed, "undo"), follow=True))
    assert said == ["January 2026 is undone: everything is as it was before it was commenced."]
    completed.refresh_from_db()
    assert (completed.status, Invoice.objects.count()) == (RunStatus.PENDING, 0)


def test_failed_accounts_are_tried_again(admin_client: Client, commenced: BillingRun, now: datetime) -> None:
    RunAccount.objects.filter(run=commenced, customer__account_number="A1").update(outcome="failed", reason="Refused.")
    while produce_next_chunk(run_id=commenced.pk, at=now):
        pass
    page = admin_client.get(run_page(commenced)).content.decode()
    assert "Decide on the 1 failed account" in page
    said = messages_of(admin_client.post(run_page(commenced, "retry"), follow=True))
    assert said == ["1 failed account is tried again."]
    page = admin_client.get(run_page(commenced)).content.decode()
    assert "Failed accounts are tried again." in page
    assert f'"{run_page(commenced, "approve")}"' not in page
    assert 'hx-trigger="every 2s"' in page
    assert produce_next_chunk(run_id=commenced.pk, at=now)
    assert outcomes(commenced) == {"A1": "invoiced", "A2": "invoiced", "A3": "invoiced"}
    assert f'"{run_page(commenced, "approve")}"' in admin_client.get(run_page(commenced)).content.decode()


def test_selected_accounts_are_held_and_released(admin_client: Client, completed: BillingRun) -> None:
    chosen = [account(completed, "A1"), account(completed, "A3")]
    assert decide(admin_client, "hold", chosen, reason="They asked us to wait.") == ["2 accounts are held."]
    assert outcomes(completed) == {"A1": "held", "A2": "invoiced", "A3": "held"}
    assert account(completed, "A1").reason == "They asked us to wait."

    page = admin_client.get(run_page(completed)).content.decode()
    assert "Decide on the 2 held accounts" in page
    assert "They asked us to wait." in page
    # What is not held is refused in words, the others are done.
    said = decide(admin_client, "release", [account(completed, "A1"), account(completed, "A2")])
    assert said[0].startswith("Customer A2 in completed run")
    assert said[1:] == ["1 account is released."]
    assert outcomes(completed) == {"A1": "invoiced", "A2": "invoiced", "A3": "held"}


def test_account_is_not_held_without_a_reason(admin_client: Client, completed: BillingRun) -> None:
    said = decide(admin_client, "hold", [account(completed, "A1")], reason=" ")
    assert said == ["Say why the account is held: whoever decides on it later reads it."]
    assert outcomes(completed)["A1"] == AccountOutcome.INVOICED


def test_account_is_split_off_into_a_run_that_the_page_links_to(admin_client: Client, completed: BillingRun) -> None:
    said = decide(admin_client, "split-off", [account(completed, "A2")])
    split = BillingRun.objects.get(split_from=completed)
    assert run_page(split) in said[0]
    assert said[1:] == ["1 account is split off."]
    assert (outcomes(completed), outcomes(split)) == ({"A1": "invoiced", "A3": "invoiced"}, {"A2": "waiting"})


def test_selected_accounts_are_posted_and_the_rest_later(admin_client: Client, completed: BillingRun) -> None:
    assert decide(admin_client, "approve", [account(completed, "A2")]) == ["1 account is posted."]
    states = dict(Invoice.objects.values_list("customer__account_number", "state"))
    assert states == {"A1": InvoiceState.DRAFT, "A2": InvoiceState.POSTED, "A3": InvoiceState.DRAFT}
    page = admin_client.get(run_page(completed)).content.decode()
    assert "Invoices posted so far: 1." in page
    assert f'"{run_page(completed, "undo")}"' not in page
    admin_client.post(run_page(completed, "approve"))
    assert set(Invoice.objects.values_list("state", flat=True)) == {InvoiceState.POSTED}
    assert f'"{run_page(completed, "approve")}"' not in admin_client.get(run_page(completed)).content.decode()


def test_page_of_an_account_offers_what_can_be_decided(admin_client: Client, completed: BillingRun) -> None:
    def offered(number: str) -> list[str]:
        page = admin_client.get(reverse("admin:billing_runaccount_change", args=[account(completed, number).pk]))
        return [verb for verb, _ in page.context["decisions"]]

    assert offered("A1") == ["Hold", "Split off", "Approve and post"]
    decide(admin_client, "hold", [account(completed, "A1")], reason="Wait.")
    assert offered("A1") == ["Release"]
    decide(admin_client, "approve", [account(completed, "A2")])
    assert offered("A2") == []


def test_who_may_only_look_decides_nothing(viewer_client: Client, completed: BillingRun) -> None:
    chosen = account(completed, "A1")
    assert "action" not in viewer_client.get(reverse(LIST)).context["cl"].list_display[0]
    address = reverse("admin:billing_runaccount_decide", args=["hold"])
    assert viewer_client.post(f"{address}?accounts={chosen.pk}", {"reason": "Mine."}).status_code == 403
    assert outcomes(completed)["A1"] == AccountOutcome.INVOICED
    page = viewer_client.get(run_page(completed)).content.decode()
    names = {"undo", "approve", "retry", "comparison"}
    assert {name for name in names if f'"{run_page(completed, name)}"' in page} == {"comparison"}


@pytest.mark.parametrize("accounts", ["", "0", "x", "1,x,99999999999", "9" * 30, "٣"])
def test_accounts_that_are_not_there_are_no_fault(admin_client: Client, db: None, accounts: str) -> None:
    address = reverse("admin:billing_runaccount_decide", args=["hold"])
    said = messages_of(admin_client.get(f"{address}?accounts={accounts}", follow=True))
    assert said == ["No account was selected, or it is not in its run any more."]


def test_page_of_a_run_takes_as_many_queries_however_many_accounts_there_are(
    admin_client: Client, completed: BillingRun
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            admin_client.get(run_page(completed))
        return len(captured)

    queries()
    before = queries()
    chunk = completed.chunks.get(number=1)
    for number in range(5):
        factories.RunAccountFactory(chunk=chunk, outcome="failed", reason=f"{chr(65 + number)} is wrong.")
    assert queries() == before
