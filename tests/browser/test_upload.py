"""A file of usage from its upload to its last line, in a browser."""

from datetime import datetime
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.usage.taking import ROW, lines, make_company, take
from usage.models import SourceSystem, UsageDataRecord, UsageImport
from usage.operations.stored import take_in_stored

pytestmark = pytest.mark.django_db(transaction=True)

BAD = ROW.replace("R1", "R2").replace("60", "many")
# The record R9 is there already: once more the same, and once with another amount.
SAME = ROW.replace("R1", "R9")
OTHER = SAME.replace(",60", ",90")
FILE = lines(ROW, BAD, SAME, OTHER, ROW.replace("R1", "R4"))


@pytest.fixture
def source() -> SourceSystem:
    """A switch, and what it has sent before: the record R9."""
    made = make_company()
    take(lines(SAME), name="before.csv")
    return made


def upload(page: Page, name: str, content: str) -> None:
    page.goto("/admin/")
    page.get_by_role("link", name="Upload a file of usage").click()
    page.get_by_label("Source system").select_option(label="Switch")
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content.encode()})
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_text("Nothing of it is taken in yet.")).to_be_visible()


def expect_sums(page: Page, *sums: str) -> None:
    """Received, accepted, duplicates, conflicts, quarantined, as the page says them."""
    expect(page.get_by_label("What became of the rows").locator(".tb-figure")).to_have_text(list(sums))


def test_file_with_good_bad_and_repeated_rows_is_imported_and_mended(
    source: SourceSystem, now: datetime, page: Page
) -> None:
    upload(page, "calls.csv", FILE)
    expect(page.locator("#preview-rows .tb-badge")).to_have_text(
        ["Accepted", "Quarantined", "Duplicate", "Conflict", "Accepted"]
    )
    expect(page.locator("#preview-rows")).to_contain_text("usage_amount “many” is not a number")
    assert UsageDataRecord.objects.count() == 1

    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("The next worker that is free takes it in.").first).to_be_visible()
    uploaded = UsageImport.objects.get(file_name="calls.csv")
    # The worker's part; the page notices by itself.
    take_in_stored(import_id=uploaded.pk, at=now)
    expect(page.get_by_label("What became of the rows")).to_be_visible()
    expect_sums(page, "5", "2", "1", "1", "1")

    page.locator("#open-lines").get_by_role("link", name="3").click()
    page.get_by_label("usage_amount").fill("61")
    page.get_by_role("button", name="Save and try again").click()
    expect(page.get_by_text("1 line was tried again: 1 accepted.")).to_be_visible()
    assert UsageDataRecord.objects.get(number="R2").usage_amount == Decimal(61)

    page.get_by_role("link", name="calls.csv").click()
    expect_sums(page, "5", "3", "1", "1", "0")
    page.locator("#open-conflicts").get_by_role("link", name="5").click()
    expect(page.locator("#sides tr.tb-at-fault")).to_contain_text("usage_amount")
    page.get_by_label("Note").fill("The switch corrected itself.")
    page.get_by_role("button", name="Replace it").click()
    expect(page.get_by_text("is a record of its own in its place")).to_be_visible()
    assert UsageDataRecord.objects.filter(life_cycle_state="POSTED", usage_amount=90).count() == 1


def test_columns_are_mapped_while_the_rows_are_looked_at(source: SourceSystem, now: datetime, page: Page) -> None:
    content = "CallId,Caller,product,Start,Seconds\nC1,49301,CALL,2026-01-15T12:00:00Z,60\n"
    upload(page, "switch.csv", content)
    expect(page.get_by_role("alert")).to_contain_text("there is no column “service”")
    expect(page.locator("#preview-raw")).to_contain_text("49301")

    expect(page.get_by_label("service: text of columns")).to_be_hidden()
    page.get_by_label("service", exact=True).select_option(label="a text of columns…")
    page.get_by_label("service: text of columns").fill("+{Caller}")
    for field, column in (("from_date", "Start"), ("usage_amount", "Seconds"), ("number", "CallId")):
        page.get_by_label(field, exact=True).select_option(label=f"column {column}")
    page.get_by_label("service: text of columns").press("Enter")
    expect(page.locator("#preview-rows")).to_contain_text("+49301")
    source.refresh_from_db()
    assert source.column_mapping == {}

    page.get_by_role("button", name="Save mapping and import").first.click()
    expect(page.get_by_text("The mapping of Switch is saved.")).to_be_visible()
    take_in_stored(import_id=UsageImport.objects.get(file_name="switch.csv").pk, at=now)
    expect(page.get_by_label("What became of the rows")).to_be_visible()
    expect_sums(page, "1", "1", "0", "0", "0")
    source.refresh_from_db()
    assert source.column_mapping == {
        "service": "+{Caller}",
        "from_date": "{Start}",
        "usage_amount": "{Seconds}",
        "number": "{CallId}",
    }


def test_all_open_lines_are_tried_again_from_the_import(source: SourceSystem, page: Page) -> None:
    done = take(lines(ROW.replace("+49301", "+49302"), BAD.replace("R2", "R3")))
    factories.SubscriptionServiceFactory(identifier="+49302")
    page.goto(f"/admin/usage/usageimport/{done.pk}/change/")
    page.get_by_role("button", name="Try the open lines again").click()
    expect(page.get_by_text("2 lines were tried again: 1 accepted, 1 still quarantined.")).to_be_visible()
    expect_sums(page, "2", "1", "0", "0", "1")


def test_uploaded_file_is_discarded(source: SourceSystem, page: Page) -> None:
    upload(page, "calls.csv", FILE)
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("calls.csv is discarded. Nothing of it was taken.")).to_be_visible()
    assert UsageDataRecord.objects.count() == 1
