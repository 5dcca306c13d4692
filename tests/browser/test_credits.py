"""A clerk grants a credit, redeems a coupon, replaces a tax rate and gives a customer its minimum."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page

from catalog.models import TaxRate
from invoicing.models import AccountCredit, LegalEntity, NumberSeries
from tests.factories import CouponFactory, CreditUseFactory, CustomerFactory, TaxRateFactory

pytestmark = pytest.mark.django_db(transaction=True)


def choose(page: Page, field: str, text: str) -> None:
    """Choose the row that begins so in a field that searches."""
    page.locator(f".field-{field} .select2-selection").first.click()
    page.locator(".select2-search__field").fill(text)
    page.locator(".select2-results__option", has_text=text).first.click()


def test_a_coupon_is_redeemed_and_a_credit_granted(page: Page) -> None:
    CouponFactory(code="SPRING", description="10 % off in spring")
    CustomerFactory(account_number="ACME", name="Acme")
    page.goto("/admin/invoicing/accountcredit/add/")
    choose(page, "customer", "ACME")
    choose(page, "coupon", "SPRING")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()
    redeemed = AccountCredit.objects.get()
    assert (redeemed.code, redeemed.percent, redeemed.description) == ("SPRING", Decimal(10), "10 % off in spring")
    page.goto("/admin/invoicing/accountcredit/add/")
    choose(page, "customer", "ACME")
    page.get_by_label("Code").fill("OUTAGE")
    page.get_by_label("Description").fill("Sorry for the outage")
    page.get_by_label("Amount").fill("25")
    page.get_by_label("Start date").fill("2026-01-01")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()
    granted = AccountCredit.objects.get(code="OUTAGE")
    assert (granted.amount, granted.currency_id, granted.position) == (Decimal(25), "USD", 2)
    used = CreditUseFactory(credit=granted, amount=Decimal("4.50")).credit
    page.goto("/admin/invoicing/accountcredit/")
    page.get_by_text("20.50 USD").wait_for()
    page.goto(f"/admin/invoicing/accountcredit/{used.pk}/change/")
    page.get_by_text("4.50 USD").wait_for()


def test_a_tax_rate_is_replaced_from_a_day_on(page: Page) -> None:
    TaxRateFactory(name="VAT 20 %")
    page.goto("/admin/catalog/taxrate/add/")
    page.get_by_label("Name").fill("VAT 21 %")
    page.get_by_label("Percent").fill("21")
    choose(page, "predecessor", "VAT 20 %")
    page.get_by_label("Start date").fill("2027-01-01")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()
    assert TaxRate.objects.get(name="VAT 21 %").predecessor == TaxRate.objects.get(name="VAT 20 %")


def test_a_legal_entity_gets_its_number_series(page: Page) -> None:
    page.goto("/admin/invoicing/legalentity/add/")
    page.locator("#id_code").fill("NORTH")
    page.locator("#id_name").fill("North Ltd")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()
    entity = LegalEntity.objects.get()
    assert set(NumberSeries.objects.filter(legal_entity=entity).values_list("prefix", flat=True)) == {
        "INV-NORTH-",
        "CN-NORTH-",
    }
