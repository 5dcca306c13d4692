"""A billing run from its form to its posted invoices, in a browser: looked at, decided on, and never loaded again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import Locator, Page, expect

from billing.models import BillingRun, RunAccount
from billing.operations.production import produce_next_chunk
from billing.operations.workers import say_who_works
from customers.models import Customer
from invoicing.choices import InvoiceState
from invoicing.models import Invoice
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("Acme", "Blue", "Coal", "Dune")


@pytest.fixture
def customers(settings: Any) -> dict[str, Customer]:
    """Four customers by name, each with 1,000 x 0.01 + 20 % = 12.00 USD to pay, each in a chunk of its own."""
    settings.BILLING_CHUNK_RECORDS = 1
    card = factories.RateCardFactory(is_default=True)
    product = factories.ProductFactory()
    factories.RateFactory(rate_card=card, product=product, unit_price=Decimal("0.01"))
    made = {name: factories.CustomerFactory(name=name, account_number=name) for name in NAMES}
    for customer in made.values():
        service = factories.SubscriptionServiceFactory(customer=customer)
        factories.UsageDataRecordFactory(subscription_service=service, product=product, usage_amount=1000)
    return made


def outcome(page: Page, name: str) -> Locator:
    """The row of an outcome on the page of the run."""
    return page.locator("#run-progress .tb-outcomes tr").filter(has_text=name)


def create(page: Page) -> BillingRun:
    page.goto("/admin/billing/billingrun/add/")
    page.get_by_label("Name").fill("January 2026")
    for label, day in (("Cutoff date", "2026-02-01"), ("Invoice date", "2026-02-01"), ("Due date", "2026-03-03")):
        page.get_by_label(label, exact=False).first.fill(day)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator("#preflight")).to_be_visible()
    return BillingRun.objects.get(name="January 2026")


def commence(page: Page) -> None:
    page.get_by_label("State of the run").get_by_role("link", name="Commence").click()
    expect(page.get_by_text("Nothing stands in the way of January 2026.")).to_be_visible()
    page.get_by_role("button", name="Commence the run").click()
    expect(page.get_by_role("progressbar")).to_be_visible()


@contextmanager
def working_on(run: BillingRun, number: int) -> Iterator[None]:
    """A worker that is at a chunk and not done."""
    with transaction.atomic():
        say_who_works(run.chunks.select_for_update().get(number=number))
        yield


@contextmanager
def without_loading(page: Page) -> Iterator[None]:
    """What happens here, the page shows without being loaded again."""
    page.evaluate("window.isTheSamePage = true")
    yield
    assert page.evaluate("window.isTheSamePage === true")


def decide(page: Page, customer: Customer, verb: str, *, reason: str = "") -> None:
    """Decide on an account in the list of the run's accounts, and come back to the run."""
    page.get_by_role("link", name="All accounts of this run").click()
    page.get_by_role("row").filter(has_text=customer.name).get_by_role("checkbox").check()
    page.get_by_label("Select action to run").select_option(label=verb)
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#decided-accounts")).to_contain_text(customer.name)
    if reason:
        page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=verb).click()


def hold_and_release(page: Page, customer: Customer, address: str) -> None:
    """Hold one of four drafts of 12.00 USD, see what the run says, and release it."""
    decide(page, customer, "Hold", reason="The customer asked us to wait.")
    expect(page.get_by_text("1 account is held.")).to_be_visible()
    page.goto(address)
    expect(outcome(page, "Held by a person")).to_contain_text("1")
    expect(page.locator("#run-causes")).to_contain_text("The customer asked us to wait.")
    expect(outcome(page, "Invoices together")).to_contain_text("36.00 USD")
    expect(page.get_by_label("State of the run")).to_contain_text("Decide on the 1 held account")

    decide(page, customer, "Release")
    expect(page.get_by_text("1 account is released.")).to_be_visible()
    page.goto(address)
    expect(outcome(page, "Invoices together")).to_contain_text("48.00 USD")


def test_run_from_its_form_to_its_posted_invoices(customers: dict[str, Customer], now: datetime, page: Page) -> None:
    run = create(page)
    address = page.url
    commence(page)
    with without_loading(page):
        expect(outcome(page, "Waiting")).to_contain_text("4")
        expect(outcome(page, "All accounts")).to_contain_text("4")
        with working_on(run, number=1):
            expect(page.locator("#run-workers tbody tr")).to_have_count(1)
        assert produce_next_chunk(run_id=run.pk, at=now)
        expect(outcome(page, "Invoiced")).to_contain_text("1")
        # (1 record + 1 account) of (4 + 4)
        expect(page.get_by_text("25 % · 1 of 4 records · 1 of 4 accounts")).to_be_visible()
        expect(outcome(page, "All accounts")).to_contain_text("4")
        expect(page.locator("#run-slowest tbody tr")).to_have_count(1)

    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("January 2026 is paused.")).to_be_visible()
    assert not produce_next_chunk(run_id=run.pk, at=now)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("January 2026 goes on.")).to_be_visible()

    while produce_next_chunk(run_id=run.pk, at=now):
        pass
    expect(page.get_by_role("link", name="Approve and post")).to_be_visible()
    expect(outcome(page, "Invoiced")).to_contain_text("4")
    expect(outcome(page, "Invoices together")).to_contain_text("48.00 USD")

    hold_and_release(page, customers["Blue"], address)
    decide(page, customers["Acme"], "Approve and post")
    expect(page.get_by_text("1 account is posted.")).to_be_visible()
    page.goto(address)
    expect(page.get_by_label("State of the run")).to_contain_text("Invoices posted so far: 1.")
    page.get_by_role("link", name="Approve and post").click()
    page.get_by_role("button", name="Approve and post").click()
    expect(page.get_by_text("is approved: its invoices are posted")).to_be_visible()
    assert {invoice.state for invoice in Invoice.objects.all()} == {InvoiceState.POSTED}
    assert Invoice.objects.count() == RunAccount.objects.filter(run=run).count() == 4


def test_commenced_run_is_undone(customers: dict[str, Customer], now: datetime, page: Page) -> None:
    run = create(page)
    commence(page)
    assert produce_next_chunk(run_id=run.pk, at=now)
    page.get_by_role("link", name="Undo", exact=True).click()
    page.get_by_role("button", name="Undo the run").click()
    expect(page.get_by_text("January 2026 is undone")).to_be_visible()
    expect(page.locator("#preflight")).to_be_visible()
    assert not Invoice.objects.exists()


def test_account_is_split_off_into_a_run_of_its_own(customers: dict[str, Customer], now: datetime, page: Page) -> None:
    run = create(page)
    commence(page)
    while produce_next_chunk(run_id=run.pk, at=now):
        pass
    expect(page.get_by_role("link", name="Approve and post")).to_be_visible()
    decide(page, customers["Coal"], "Split off")
    expect(page.get_by_text("1 account is split off.")).to_be_visible()
    page.get_by_role("link", name="January 2026: Coal").first.click()
    expect(outcome(page, "All accounts")).to_contain_text("1")
    split = BillingRun.objects.get(split_from=run)
    assert produce_next_chunk(run_id=split.pk, at=now)
    expect(outcome(page, "Invoices together")).to_contain_text("12.00 USD")


def test_paused_run_stands_still_for_a_person_without_scripts(
    customers: dict[str, Customer], now: datetime, page: Page
) -> None:
    run = create(page)
    address = page.url
    commence(page)
    assert produce_next_chunk(run_id=run.pk, at=now)
    state = page.context.storage_state()
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(storage_state=state, java_script_enabled=False)
    try:
        plain = context.new_page()
        plain.goto(address)
        expect(outcome(plain, "Invoiced")).to_contain_text("1")
        assert "<noscript>Load the page again to see how far it is." in plain.content()
        plain.get_by_role("button", name="Pause").click()
        expect(plain.get_by_text("January 2026 is paused.")).to_be_visible()
        expect(outcome(plain, "Waiting")).to_contain_text("3")
    finally:
        context.close()
