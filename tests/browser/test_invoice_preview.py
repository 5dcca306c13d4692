"""A draft looked at before it is approved: its pages as pictures, and its PDF."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from catalog.admin.base import change_url
from tests.invoicing.papers import paper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def test_the_pages_of_a_draft_are_seen_on_its_page_and_its_pdf_opens(page: Page) -> None:
    draft = paper(customer_name='<script>alert("x")</script> #panic("x")')
    page.goto(change_url(draft))
    page.get_by_role("link", name="Show its pages").click()
    picture = page.get_by_role("img", name="Page 1 of ")
    expect(picture.first).to_be_visible()
    # A4 at 96 pixels to the inch: 210 mm x 96 / 25.4 = 794 pixels
    assert picture.first.evaluate("image => image.naturalWidth") == 794
    address = page.get_by_role("link", name="Preview as PDF").get_attribute("href")
    assert address is not None
    assert page.request.get(address).body().startswith(b"%PDF-")
