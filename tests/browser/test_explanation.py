"""Why a charge costs what it costs, and what a use would cost, in a browser."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer
from invoicing.models import UsageCharge
from tests.billing.received import behind_its_back
from tests.factories import ProductFactory, RateCardFactory, RateFactory
from tests.factories.customers import CustomerFactory, SubscriptionServiceFactory
from tests.runs import bill, invoice, use

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme() -> Customer:
    """A customer in Berlin with calls to the UK: 0.10 a minute to 44, 0.25 to 447 by 30/6 with a fee of 0.05."""
    card, product = RateCardFactory(name="Acme's prices"), ProductFactory(code="CALL", name="Calls")
    RateFactory(rate_card=card, product=product, destination_prefix="44", unit_price=Decimal("0.10"), unit_size=60)
    RateFactory(
        rate_card=card,
        product=product,
        destination_prefix="447",
        destination_name="UK mobile",
        unit_price=Decimal("0.25"),
        unit_size=60,
        first_increment=30,
        increment=6,
        connection_fee=Decimal("0.05"),
    )
    customer = CustomerFactory(account_number="ACME-1", name="Acme", timezone="Europe/Berlin", rate_cards=[card])
    SubscriptionServiceFactory(customer=customer, identifier="+49301", product=product)
    use(customer, product, 31, number="R1", destination="+447700900123")
    use(customer, product, 600, number="R2", destination="+44207")
    return customer


def test_opens_the_explanation_of_a_charge_and_finds_the_rate_that_lost(acme: Customer, page: Page) -> None:
    document = invoice(bill(), acme)
    page.goto(f"/admin/invoicing/invoice/{document.pk}/change/")
    page.get_by_role("row").filter(has_text="0.25 per 60").get_by_role("link", name="1", exact=True).click()
    page.get_by_role("link", name="why", exact=True).click()
    explanation = page.get_by_role("region", name="Explanation")
    # 31 s by 30/6 are 36 s: 36 x 0.25 / 60 + 0.05 = 0.20.
    expect(explanation.get_by_role("heading")).to_have_text("Why it costs 0.2 USD")
    expect(explanation).to_contain_text("36 second x 0.25 / 60 = 0.15.")
    expect(explanation).to_contain_text("it comes to what is stored, to the last digit")
    lost = explanation.get_by_role("row").filter(has_text="The longer prefix 447 wins over 44")
    expect(lost).to_be_hidden()
    explanation.get_by_text("1 other rate was looked at").click()
    expect(lost).to_be_visible()


def test_explains_all_charges_of_an_invoice_and_sees_the_one_that_is_wrong(acme: Customer, page: Page) -> None:
    document = invoice(bill(), acme)
    page.goto(f"/admin/invoicing/invoice/{document.pk}/change/")
    page.get_by_role("link", name="Explain all charges").click()
    expect(page.get_by_role("region", name="What was found")).to_contain_text("Every charge of the document, 2 in all")
    with behind_its_back():
        UsageCharge.objects.filter(record__number="R2").update(amount=Decimal("1.1"))
    page.reload()
    # 600 x 0.10 / 60 = 1.00.
    expect(page.locator("#unequal")).to_contain_text("The explanation comes to 1, the charge says 1.1.")
    page.get_by_role("link", name="R2").click()
    expect(page.get_by_role("alert")).to_have_text("Fault. The explanation comes to 1, the charge says 1.1.")


def test_asks_the_price_tool(acme: Customer, page: Page) -> None:
    page.goto("/admin/price-tool/")
    form = page.get_by_role("form", name="What is asked")
    form.get_by_role("combobox").first.click()
    page.locator(".select2-search__field").fill("ACME")
    page.get_by_role("option", name="ACME-1 Acme").click()
    form.get_by_role("combobox").nth(1).click()
    page.locator(".select2-search__field").fill("+493")
    page.get_by_role("option", name="+49301").click()
    form.get_by_label("Destination").fill("+447700900123")
    form.get_by_label("Starts at").fill("2026-01-15 09:00")
    form.get_by_label("Quantity").fill("31")
    form.get_by_role("button", name="Show the price").click()
    answer = page.get_by_role("region", name="Price")
    expect(answer.locator(".tb-figure")).to_have_text("0.2 USD")
    expect(answer).to_contain_text("Thursday 2026-01-15 09:00:00 (Europe/Berlin)")
    expect(answer).to_contain_text("Connection fee 0.05")

    form.get_by_label("Destination").fill("+45123")
    form.get_by_role("button", name="Show the price").click()
    expect(answer.get_by_role("alert")).to_contain_text("The nearest prefixes with a rate are 44, 447.")
    assert not UsageCharge.objects.exists()
