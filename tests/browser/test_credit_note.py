"""An invoice is credited and billed anew, and another one made of transactions, in a browser."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from invoicing.models import Invoice
from tests.factories import CustomerFactory, ProductFactory, RateCardFactory, RateFactory, TransactionFactory
from tests.runs import bill, invoice, pending, post, use

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def billed() -> Invoice:
    """A posted invoice of Acme: R1 and R2, 10.00 + 5.00, and a fee of 25.00; 20 % tax: 48.00."""
    card = RateCardFactory(name="List 2026")
    call = ProductFactory(code="CALL", name="Calls")
    RateFactory(rate_card=card, product=call, unit_price=Decimal("0.10"))
    acme = CustomerFactory(account_number="ACME-1", name="Acme", rate_cards=[card])
    use(acme, call, 100, number="R1"), use(acme, call, 50, number="R2")
    TransactionFactory(customer=acme, description="Set-up")
    return invoice(post(bill()), acme)


def test_credits_a_record_and_gives_it_back(billed: Invoice, page: Page) -> None:
    page.goto(f"/admin/invoicing/invoice/{billed.pk}/change/")
    page.get_by_role("link", name="Credit this invoice").click()
    page.get_by_label("Credit", exact=True).select_option(label="These records")
    page.get_by_label("Records", exact=True).fill("R2")
    page.get_by_label("Reason").fill("The call was never made.")
    page.get_by_label("Give usage back").check()
    page.get_by_role("button", name="Show what comes out").click()
    # 50 x 0.10 = 5.00 and 20 %.
    expect(page.locator("#preview")).to_contain_text("-6.00 USD")
    page.get_by_role("button", name="Make this credit note").click()
    expect(page.locator("#main, body").first).to_contain_text("Credit note CN-000001 is posted.")
    expect(page.get_by_role("article")).to_contain_text("The call was never made.")
    assert len(pending(billed.customer)) == 1
    page.goto(f"/admin/invoicing/invoice/{billed.pk}/change/")
    expect(page.get_by_role("article")).to_contain_text("Credited by CN-000001 (-6.00 USD)")
    page.goto(f"/admin/customers/accountsreceivable/{billed.accounts_receivable_id}/change/")
    # 48.00 less 6.00.
    expect(page.locator("#balance")).to_contain_text("42.00 USD")


def test_makes_an_invoice_of_transactions(page: Page) -> None:
    acme = CustomerFactory(account_number="ACME-1", name="Acme")
    for number in (1, 2):
        TransactionFactory(customer=acme, description=f"Visit {number}")
    page.goto("/admin/invoicing/transaction/")
    for box in page.locator("input.action-select").all():
        box.check()
    page.locator("select[name=action]").select_option(label="New invoice from transactions")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Invoice date").fill("2026-02-05")
    page.get_by_role("button", name="Make the invoice").click()
    # Twice 25.00 and 20 %.
    expect(page.get_by_role("article")).to_contain_text("60.00 USD")
    page.get_by_role("link", name="Post").click()
    page.get_by_role("button", name="Post").click()
    expect(page.get_by_role("article")).to_contain_text("INV-000001")
