"""A price list is checked, an example is added, tried and corrected, in a browser."""

from datetime import date, time
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from catalog.models import RateCard
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def card() -> RateCard:
    """A card with one fault of several kinds; 60 s to 4477 cost 60 x 0.12 / 60 = 0.12."""
    card = factories.RateCardFactory(name="Retail", is_default=True)
    call = factories.ProductFactory(code="CALL", name="Calls")
    peak, evening = factories.TimeBandFactory(name="Peak"), factories.TimeBandFactory(name="Evening")
    factories.TimeBandHoursFactory(time_band=peak)
    factories.TimeBandHoursFactory(time_band=evening, start_time=time(17), end_time=None)

    def price(prefix: str, amount: str, **fields: object) -> None:
        given = {"rate_card": card, "product": call, "destination_prefix": prefix, "unit_size": 60}
        factories.RateFactory(**given, unit_price=Decimal(amount), **fields)

    price("44", "0.02")
    for prefix, amount in (("4474", "0.11"), ("4475", "0.12"), ("4477", "0.12"), ("4478", "1.2"), ("4479", "0")):
        price(prefix, amount)
    price("49", "0.03", time_band=peak)
    price("49", "0.02", time_band=evening)
    price("3312", "0.04")
    price("39", "0.04", end_date=date(2026, 1, 1))
    factories.CustomerFactory(account_number="E1", name="Euro", currency__code="EUR", rate_cards=[card])
    return card


def test_a_price_list_is_checked_from_its_page(card: RateCard, page: Page) -> None:
    page.goto(f"/admin/catalog/ratecard/{card.pk}/change/")
    page.get_by_role("link", name="Check this price list").click()
    findings = page.locator("#findings > tbody > tr")
    expect(findings.filter(has_text="Time bands that overlap")).to_contain_text("Error")
    for title, place in (
        ("Wrong currency", "E1 Euro is billed in EUR."),
        ("Hours without a time band", "CALL to 49: Monday to Friday 00:00 to 08:00"),
        ("Holes beside prefixes", "other numbers that begin with 331 have none."),
        ("Prices ten times off", "CALL to 4478 costs 1.2; the median of 447… beside it is 0.12."),
        ("Prices of nothing", "CALL to 4479 costs 0."),
        ("Prices that ended without a successor", "CALL to 39 held before 2026-01-01"),
    ):
        finding = findings.filter(has_text=title)
        expect(finding).to_contain_text(place)
    dear = findings.filter(has_text="Prices ten times off")
    dear.get_by_role("link", name="CALL to 4478").click()
    expect(page.get_by_text("4478").first).to_be_visible()
    expect(page).to_have_url(
        f"{page.url.split('/admin')[0]}/admin/catalog/rate/{card.rates.get(destination_prefix='4478').pk}/change/"
    )


def test_an_example_is_added_and_tried(card: RateCard, page: Page) -> None:
    page.goto(f"/admin/catalog/rateexample/check/{card.pk}/")
    expect(page.get_by_text("This price list has no examples.")).to_be_visible()
    page.get_by_role("link", name="Add an example").click()
    page.get_by_label("Quantity*").fill("60")
    page.locator(".field-product .select2-selection").click()
    page.get_by_role("option", name="CALL Calls").click()
    page.get_by_label("Destination", exact=True).fill("447700900123")
    page.get_by_label("Starts at*").fill("2026-01-05T09:00:00")
    page.get_by_label("Costs*").fill("0.13")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("60 of CALL to 447700900123 on Monday 2026-01-05 09:00 (UTC)").first).to_be_visible()
    assert card.examples.get().amount == Decimal("0.13")

    page.get_by_role("link", name="Retail (USD)").click()
    page.get_by_role("button", name="Run examples").click()
    examples = page.locator("#examples tbody tr")
    expect(examples).to_contain_text("Wrong")
    expect(examples).to_contain_text("0.12 USD")
    examples.get_by_text("Why").click()
    expect(examples).to_contain_text("60 x 0.12 / 60 = 0.12.")
    expect(page.locator("#findings")).to_contain_text("1 example does not cost what it is to cost.")

    examples.get_by_role("button", name="Accept 0.12 USD").click()
    expect(page.get_by_text("is to cost 0.12 USD from now on.")).to_be_visible()
    expect(examples).to_contain_text("Right")
    assert card.examples.get().amount == Decimal("0.12")
