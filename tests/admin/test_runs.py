"""A billing run in the admin, from its form to its posted invoices."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingRun, RunAccount
from billing.operations.production import produce_next_chunk
from billing.operations.runs import commence_run, complete_run
from customers.models import Customer
from invoicing.choices import InvoiceState
from invoicing.models import Invoice
from tests import factories

pytestmark = pytest.mark.django_db
# A run takes what was committed before it: these tests commit.
commits = pytest.mark.django_db(transaction=True)


def run_page(run: BillingRun, name: str = "change") -> str:
    return reverse(f"admin:billing_billingrun_{name}", args=[run.pk])


def messages_of(response: object) -> list[str]:
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


@pytest.fixture
def run() -> BillingRun:
    """A pending run of January 2026."""
    return factories.BillingRunFactory(name="January 2026")


@pytest.fixture
def customer() -> Customer:
    """A customer with 1,000 seconds of usage in January at 0.01 USD, so 10.00 net and 12.00 with its tax of 20 %."""
    card = factories.RateCardFactory(currency=factories.CurrencyFactory())
    customer: Customer = factories.CustomerFactory(rate_cards=[card])
    service = factories.SubscriptionServiceFactory(customer=customer)
    product = factories.ProductFactory()
    factories.RateFactory(rate_card=card, product=product, unit_price=Decimal("0.01"))
    factories.UsageDataRecordFactory(subscription_service=service, product=product, usage_amount=1000)
    return customer


def produce(run: BillingRun, now: datetime) -> BillingRun:
    """Commence the run and do the workers' part."""
    commence_run(run_id=run.pk, at=now, without_preflight=True)
    while produce_next_chunk(run_id=run.pk, at=now):
        pass
    complete_run(run_id=run.pk, at=now)
    run.refresh_from_db()
    return run


def test_form_makes_a_pending_run(admin_client: Client) -> None:
    response = admin_client.post(
        reverse("admin:billing_billingrun_add"),
        {
            "name": "March 2026",
            "subrun": "",
            "cutoff_date": "2026-04-01",
            "transaction_cutoff_date": "",
            "invoice_date": "2026-04-01",
            "due_date": "2026-05-01",
            "invoice_message": "",
        },
        follow=True,
    )
    made = BillingRun.objects.get(name="March 2026")
    assert (made.status, made.cutoff_date, made.due_date) == (RunStatus.PENDING, date(2026, 4, 1), date(2026, 5, 1))
    assert "was added successfully" in messages_of(response)[0]


def test_form_says_why_dates_are_refused_and_keeps_what_was_filled_in(admin_client: Client) -> None:
    response = admin_client.post(
        reverse("admin:billing_billingrun_add"),
        {"name": "March 2026", "cutoff_date": "2026-04-01", "invoice_date": "2026-04-01", "due_date": "2026-03-01"},
    )
    assert response.status_code == 200
    assert "due" in response.content.decode().lower()
    assert 'value="March 2026"' in response.content.decode()
    assert not BillingRun.objects.exists()


def test_dates_of_a_pending_run_can_be_changed(admin_client: Client, run: BillingRun) -> None:
    fields = {"name": run.name, "cutoff_date": "2026-01-31", "invoice_date": "2026-02-01", "due_date": "2026-03-15"}
    admin_client.post(run_page(run), fields)
    run.refresh_from_db()
    assert (run.cutoff_date, run.due_date) == (date(2026, 1, 31), date(2026, 3, 15))


def test_dates_are_locked_once_commenced_but_the_name_is_not(
    admin_client: Client, run: BillingRun, customer: Customer, now: datetime
) -> None:
    commence_run(run_id=run.pk, at=now, without_preflight=True)
    admin_client.post(run_page(run), {"name": "January", "cutoff_date": "2026-01-31", "due_date": "2026-12-31"})
    run.refresh_from_db()
    assert (run.name, run.cutoff_date, run.due_date) == ("January", date(2026, 2, 1), date(2026, 3, 3))


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("pending", {"preview", "commence", "cancel"}),
        ("commenced", {"pause", "undo"}),
        ("paused", {"resume", "undo"}),
        ("completed", {"approve", "comparison", "undo"}),
        ("approved", {"comparison"}),
        ("cancelled", set()),
    ],
)
def test_buttons_are_those_of_the_state(admin_client: Client, now: datetime, status: str, offered: set[str]) -> None:
    made: dict[str, dict[str, object]] = {
        "pending": {},
        "commenced": {"commenced": True},
        "paused": {"commenced": True, "paused_at": now},
        "completed": {"completed": True},
        "approved": {"completed": True, "approved_at": now},
        "cancelled": {"status": RunStatus.CANCELLED},
    }
    run = factories.BillingRunFactory(**made[status])
    page = admin_client.get(run_page(run)).content.decode()
    names = {"preview", "commence", "cancel", "pause", "resume", "undo", "retry", "comparison", "approve"}
    assert {name for name in names if f'"{run_page(run, name)}"' in page} == offered
    assert (run_page(run, "progress") in page) == (status == "commenced")


@commits
def test_preview_shows_what_the_run_would_bill_and_keeps_nothing(
    admin_client: Client, run: BillingRun, customer: Customer
) -> None:
    page = admin_client.get(run_page(run, "preview")).content.decode()
    assert customer.account_number in page
    assert "12.00 USD" in page
    assert not Invoice.objects.exists()
    run.refresh_from_db()
    assert run.status == RunStatus.PENDING


@commits
def test_commence_approve_and_post(admin_client: Client, run: BillingRun, customer: Customer, now: datetime) -> None:
    response = admin_client.post(run_page(run, "commence"), follow=True)
    assert messages_of(response) == ["January 2026 is commenced. Its invoices are being produced."]
    while produce_next_chunk(run_id=run.pk, at=now):
        pass
    complete_run(run_id=run.pk, at=now)
    question = admin_client.get(run_page(run, "approve")).content.decode()
    assert "never change again" in question
    assert "12.00 USD" in question
    assert Invoice.objects.get().state == InvoiceState.DRAFT

    response = admin_client.post(run_page(run, "approve"), follow=True)
    assert messages_of(response) == ["January 2026 is approved: its invoices are posted."]
    invoice = Invoice.objects.get()
    assert (invoice.state, invoice.total_amount) == (InvoiceState.POSTED, Decimal("12.00"))
    assert invoice.number is not None
    assert invoice.number in response.content.decode()


@commits
def test_page_shows_outcomes_with_reasons(
    admin_client: Client, run: BillingRun, customer: Customer, now: datetime
) -> None:
    untaxed = factories.CustomerFactory(tax_rate=None)
    service = factories.SubscriptionServiceFactory(customer=untaxed)
    factories.UsageDataRecordFactory(subscription_service=service)
    produce(run, now)
    held = RunAccount.objects.get(customer=untaxed)
    assert held.outcome == AccountOutcome.HELD
    page = admin_client.get(run_page(run)).content.decode()
    assert f"outcome__exact={AccountOutcome.HELD.value}" in page
    assert held.reason.split("“", maxsplit=1)[0].split("'", maxsplit=1)[0] in page
    accounts = page.split('id="run-accounts"')[1]
    assert accounts.index(untaxed.account_number) < accounts.index(customer.account_number)


def test_a_button_of_an_earlier_state_gives_a_message(
    admin_client: Client, run: BillingRun, customer: Customer, now: datetime
) -> None:
    produce(run, now)
    response = admin_client.post(run_page(run, "cancel"), follow=True)
    assert messages_of(response) == [f"Run {run.pk} is completed: only a pending run can be cancelled."]


def test_cancel_asks_first(admin_client: Client, run: BillingRun) -> None:
    assert "stays cancelled" in admin_client.get(run_page(run, "cancel")).content.decode()
    run.refresh_from_db()
    assert run.status == RunStatus.PENDING
    admin_client.post(run_page(run, "cancel"))
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


@pytest.mark.parametrize("name", ["commence", "cancel", "pause", "resume", "undo", "retry", "approve"])
def test_who_may_only_look_changes_nothing(viewer_client: Client, run: BillingRun, name: str) -> None:
    assert viewer_client.post(run_page(run, name)).status_code == 302
    run.refresh_from_db()
    assert run.status == RunStatus.PENDING


@pytest.mark.parametrize(
    "name", ["commence", "cancel", "pause", "resume", "undo", "retry", "approve", "preview", "progress"]
)
def test_who_is_not_staff_is_sent_to_the_login(client: Client, run: BillingRun, name: str) -> None:
    response = client.post(run_page(run, name))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


def test_commence_by_a_link_does_nothing(admin_client: Client, run: BillingRun, customer: Customer) -> None:
    admin_client.get(run_page(run, "commence"))
    run.refresh_from_db()
    assert run.status == RunStatus.PENDING


def test_progress_asks_again_while_the_run_goes_on(
    admin_client: Client, run: BillingRun, customer: Customer, now: datetime
) -> None:
    commence_run(run_id=run.pk, at=now, without_preflight=True)
    going_on = admin_client.get(run_page(run, "progress"))
    assert 'hx-trigger="every 2s"' in going_on.content.decode()
    assert "HX-Refresh" not in going_on
    while produce_next_chunk(run_id=run.pk, at=now):
        pass
    complete_run(run_id=run.pk, at=now)
    assert admin_client.get(run_page(run, "progress"))["HX-Refresh"] == "true"
