"""A price list of 100,000 prefixes from its file to its prices, in a browser."""

from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from catalog.models import Rate, RateCard
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

PREFIXES = 100_000
PATIENCE_MS = 120_000


@pytest.fixture
def card() -> RateCard:
    """Two prices: 10000000 at 0.05, and 99 at 1, which the list does not name."""
    made = factories.RateCardFactory(name="Wholesale")
    product = factories.ProductFactory(code="CALL")
    factories.RateFactory(rate_card=made, product=product, destination_prefix="10000000", unit_price=Decimal("0.05"))
    factories.RateFactory(rate_card=made, product=product, destination_prefix="99", unit_price=1)
    return made


def fill_upload(page: Page, card: RateCard, path: Path) -> None:
    page.goto(f"/admin/catalog/ratecard/{card.pk}/change/")
    page.get_by_role("link", name="Import a price list").click()
    page.locator("input[type=file]").set_input_files(str(path))
    page.get_by_label("Holds from").fill("2030-01-01")


def test_a_price_list_of_many_prefixes_is_looked_at_and_activated(card: RateCard, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    lines = (f"CALL,{10_000_000 + n},0.{n % 997 + 1:04},60,60/6" for n in range(PREFIXES))
    path.write_text("product,prefix,unit_price,unit_size,increments\n" + "\n".join(lines) + "\nCALL,98,cheap,60,\n")
    page.set_default_timeout(PATIENCE_MS)
    fill_upload(page, card, path)
    page.get_by_label("Prices that it does not name").select_option(label="They end: the deck is the whole price list")
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.locator("#outcomes .tb-figure")).to_have_text(["1", "1", "99,999", "1", "0"], timeout=PATIENCE_MS)
    expect(page.locator("#deck-lines")).to_contain_text("unit_price “cheap” is not a number")

    page.locator("#outcomes").get_by_role("link", name="changed", exact=True).click()
    expect(page.locator("#deck-lines tbody")).to_contain_text("0.05")
    page.locator("#outcomes").get_by_role("link", name="new", exact=True).click()
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page.locator("#deck-lines tbody tr")).to_have_count(50)
    assert Rate.objects.count() == 2

    page.get_by_role("link", name="Activate without the refused").click()
    page.get_by_role("button", name="Activate without the refused lines").click()
    expect(page.get_by_text("hold from 2030-01-01 on.").first).to_be_visible(timeout=PATIENCE_MS)
    assert Rate.objects.filter(start_date="2030-01-01").count() == PREFIXES
    assert Rate.objects.filter(end_date="2030-01-01").count() == 2


def test_columns_that_are_not_recognised_are_chosen(card: RateCard, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "tariff.csv"
    path.write_text("Code;Land;Preis\n44;UK;0,05\n45;DK;0,06\n")
    fill_upload(page, card, path)
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.locator("#first-lines")).to_contain_text("0,05")
    page.get_by_label("Default product").select_option(label="CALL Product CALL")
    for field, name in (("destination_prefix", "Code"), ("destination_name", "Land"), ("unit_price", "Preis")):
        page.get_by_label(field, exact=True).select_option(label=f"column {name}")
    page.get_by_role("button", name="Read the lines").click()
    expect(page.locator("#outcomes .tb-figure")).to_have_text(["0", "0", "2", "0", "0"])
    page.get_by_role("link", name="Discard").click()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("tariff.csv is discarded. Nothing of it was taken.")).to_be_visible()


def test_a_percent_increase_is_looked_at(card: RateCard, page: Page) -> None:
    page.goto(f"/admin/catalog/ratecard/{card.pk}/change/")
    page.get_by_role("link", name="Percent increase").click()
    page.get_by_label("Percent").fill("10")
    page.get_by_label("Holds from").fill("2030-01-01")
    page.get_by_label("Destinations that begin with").fill("1000")
    page.get_by_role("button", name="Show the new prices").click()
    expect(page.locator("#deck-lines tbody tr")).to_have_count(1)
    # 0.05 x 1.1 = 0.055.
    expect(page.locator("#deck-lines tbody")).to_contain_text("0.055")
    expect(page.locator("#deck-lines tbody")).to_contain_text("+10.00 %")
