"""What another price list would have come to, and a price corrected after the invoice, in a browser."""

from datetime import date
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from catalog.models import Product, RateCard
from catalog.operations.rates import add_rate_version
from customers.models import Customer
from invoicing.models import Transaction
from tests.factories import CustomerFactory, ProductFactory, RateCardFactory, RateFactory
from tests.runs import account, bill, post, rate_of, use

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def card() -> RateCard:
    """Of Acme (3,000 minutes) and Bell (40): calls at 0.10, data at 2."""
    card: RateCard = RateCardFactory(name="List 2026")
    call, data = ProductFactory(code="CALL", name="Calls"), ProductFactory(code="DATA", name="Data")
    RateFactory(rate_card=card, product=call, unit_price=Decimal("0.10"))
    RateFactory(rate_card=card, product=data, unit_price=Decimal(2))
    acme = CustomerFactory(account_number="ACME-1", name="Acme", rate_cards=[card])
    bell = CustomerFactory(account_number="BELL-1", name="Bell", rate_cards=[card])
    use(acme, call, 3000, number="R1")
    use(bell, call, 40, number="R2")
    use(bell, data, 7, number="R3")
    return card


def fill_january(page: Page) -> None:
    page.get_by_label("Used from").fill("2026-01-01")
    page.get_by_label("To, this day included").fill("2026-01-31")


def choose(page: Page, label: str, text: str) -> None:
    """Find something by typing in a field that looks it up."""
    field = page.locator(".tb-field").filter(has_text=label)
    field.locator(".select2-selection").click()
    page.locator(".select2-search__field").last.fill(text)
    page.get_by_role("option", name=text).click()


def test_asks_what_if_and_sees_who_pays_more(card: RateCard, page: Page) -> None:
    post(bill())
    offer = RateCardFactory(name="Offer")
    RateFactory(rate_card=offer, product=Product.objects.get(code="CALL"), unit_price=Decimal("0.08"))
    RateFactory(rate_card=offer, product=Product.objects.get(code="DATA"), unit_price=Decimal("2.50"))
    page.goto("/admin/what-if/")
    fill_january(page)
    choose(page, "With the rate card", "Offer")
    page.get_by_role("button", name="Rate it again").click()
    # 3,040 x 0.10 + 7 x 2 = 318; 3,040 x 0.08 + 7 x 2.5 = 260.70.
    answer = page.get_by_role("region", name="Revenue")
    expect(answer).to_contain_text("318.00 USD")
    expect(answer).to_contain_text("260.70 USD")
    # Bell: 4 + 14 = 18 now, 3.20 + 17.50 = 20.70 then.
    expect(page.locator("#pays-more")).to_contain_text("2.7")
    expect(page.locator("#pays-less")).to_contain_text("-60")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all customers (CSV)").click()
    assert download.value.path().read_text().splitlines()[0].startswith("account_number,name")


def test_drafts_credit_and_charge_for_the_customer_ticked(card: RateCard, page: Page) -> None:
    post(bill())
    call = Product.objects.get(code="CALL")
    add_rate_version(rate_id=rate_of(call).pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.09")})
    page.goto(f"/admin/catalog/ratecard/{card.pk}/change/")
    page.get_by_role("navigation", name="Of this rate card").get_by_role("link", name="Price differences").click()
    fill_january(page)
    page.get_by_role("button", name="Show differences").click()
    # Acme: 3,000 x 0.01 = 30 too much; Bell: 0.40.
    expect(page.locator("#customers")).to_contain_text("-30.00 USD")
    page.get_by_label("Correct ACME-1").check()
    page.get_by_label("Reason").fill("typing error")
    page.get_by_role("button", name="Draft credit and charge").click()
    expect(page.get_by_text("2 transactions for 1 customer wait for the next invoice.")).to_be_visible()
    expect(page.locator("#customers")).not_to_contain_text("ACME-1")
    assert [one.amount for one in Transaction.objects.order_by("id")] == [-300, 270]
    page.get_by_role("link", name="Corrections so far").click()
    expect(page.locator("#result_list")).to_contain_text("270 USD")


def test_has_a_draft_produced_again(card: RateCard, page: Page) -> None:
    run = bill()
    call = Product.objects.get(code="CALL")
    add_rate_version(rate_id=rate_of(call).pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.09")})
    acme = Customer.objects.get(account_number="ACME-1")
    page.goto(f"/admin/billing/runaccount/{account(run, acme).pk}/change/")
    page.get_by_role("link", name="Produce again with today's prices").click()
    page.get_by_role("button", name="Produce again").click()
    expect(page.get_by_text("is produced again with today's prices: invoiced.")).to_be_visible()
    # 3,000 x 0.09.
    expect(page.get_by_text("270 USD").first).to_be_visible()
