"""The PDF on a document's page, and legal entities, whose layout is tried before it is saved."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog.admin.base import change_url
from invoicing.adapters import pdf as adapter
from invoicing.models import Invoice, LegalEntity, RenderedInvoice
from invoicing.operations.posting import post_invoices
from invoicing.operations.rendering import render_next
from tests.away import take_bucket_away, take_disk_away
from tests.factories import LegalEntityFactory, UsageReportFactory, UserFactory
from tests.invoicing.papers import many_lines, paper

pytestmark = pytest.mark.django_db
AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>'


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def posted(**fields: Any) -> Invoice:
    invoice = paper(**fields)
    post_invoices(invoice_ids=[invoice.pk], at=AT)
    invoice.refresh_from_db()
    return invoice


def pdf_url(invoice: Invoice) -> str:
    return reverse("admin:invoicing_renderedinvoice_pdf", args=[invoice.pk])


def again_url(invoice: Invoice) -> str:
    return reverse("admin:invoicing_renderedinvoice_again", args=[invoice.pk])


def page(client: Client, invoice: Invoice, query: str = "") -> str:
    response = client.get(change_url(invoice) + query)
    assert response.status_code == 200
    return str(response.content.decode())


def test_a_draft_has_a_preview_as_pdf_and_as_pictures(admin_client: Client) -> None:
    draft = paper(lines=many_lines(60))
    shown = page(admin_client, draft)
    assert "Preview as PDF" in shown
    assert "data:image/png" not in shown
    assert page(admin_client, draft, "?pages=1").count('src="data:image/png;base64,iVBOR') == 2
    answer = admin_client.get(pdf_url(draft))
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'inline; filename="draft-{draft.pk}.pdf"'
    assert answer.content.startswith(b"%PDF")


def test_a_posted_document_gives_the_pdf_that_was_stored(admin_client: Client, folder: Path) -> None:
    invoice = posted()
    assert "It is made within a minute." in page(admin_client, invoice)
    render_next(now=lambda: AT)
    row = RenderedInvoice.objects.get()
    assert f"1 page, {row.byte_count:,} bytes." in page(admin_client, invoice)
    answer = admin_client.get(pdf_url(invoice))
    assert answer.content == (folder / str(row.file.name)).read_bytes()
    assert answer["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'
    assert "data:image/png" in page(admin_client, invoice, "?pages=1")


def test_with_the_storage_away_a_page_says_so(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = posted()
    render_next(now=lambda: AT)
    take_disk_away(settings)
    assert admin_client.get(pdf_url(invoice)).status_code == 503
    take_bucket_away(settings, monkeypatch)
    answer = admin_client.get(pdf_url(invoice))
    assert answer.status_code == 503
    for shown in ("The PDF of INV-000001 cannot be fetched now", "The storage of files does not answer."):
        assert shown in answer.content.decode()
    assert "The storage of files does not answer." in page(admin_client, invoice, "?pages=1")


def test_the_pdf_is_at_the_top_of_the_page_once_it_is_made(admin_client: Client) -> None:
    invoice = posted()

    def top() -> str:
        return page(admin_client, invoice).partition("<table")[0]

    assert "The PDF is being made." in top()
    RenderedInvoice.objects.update(state="FAILED", error="The layout cannot be set.")
    assert "The PDF could not be made." in top()
    assert pdf_url(invoice) not in top()
    RenderedInvoice.objects.update(state="WAITING", error="")
    render_next(now=lambda: AT)
    assert f'href="{pdf_url(invoice)}"' in top()
    assert f'href="{pdf_url(invoice)}?download=1"' in top()
    answer = admin_client.get(f"{pdf_url(invoice)}?download=1")
    assert answer["Content-Disposition"] == f'attachment; filename="{invoice.number}.pdf"'


def test_what_failed_is_said_on_the_page_and_made_again_from_there(admin_client: Client) -> None:
    seller = LegalEntityFactory(template="#panic(1)", is_default=True)
    invoice = posted(legal_entity=seller)
    RenderedInvoice.objects.update(state="FAILED", attempt_count=5, error="The layout cannot be set: panicked with: 1")
    shown = page(admin_client, invoice, "?pages=1")
    assert "The layout cannot be set: panicked with: 1" in shown
    assert "Make it again" in shown
    answer = admin_client.get(pdf_url(invoice), follow=True)
    assert answer.redirect_chain == [(change_url(invoice), 302)]
    assert "The layout cannot be set: panicked with: 1" in answer.content.decode()
    LegalEntity.objects.update(template="")
    assert "Make it again" not in page(admin_client, paper())
    assert "The PDF is made again." in admin_client.post(again_url(invoice), follow=True).content.decode()
    assert RenderedInvoice.objects.get().state == "WAITING"


def test_what_is_tried_again_says_when(admin_client: Client) -> None:
    invoice = posted()
    RenderedInvoice.objects.update(attempt_count=1, next_attempt_at=AT, error="The storage is full.")
    assert "Tried once; again at 2026-02-01 09:00 UTC." in page(admin_client, invoice)


def test_a_usage_report_that_is_gone_from_the_storage_is_said_on_its_page(admin_client: Client) -> None:
    report = UsageReportFactory(invoice=posted(), file="usage-reports/1/by-day.csv")
    address = reverse("admin:reports_usagereport_file", args=[report.pk])
    answer = admin_client.get(address, follow=True)
    assert answer.redirect_chain == [(change_url(report), 302)]
    assert "The file by-day.csv is not where it was stored." in answer.content.decode()


def test_a_document_from_before_has_its_pdf_made_from_its_page(admin_client: Client) -> None:
    invoice = posted()
    RenderedInvoice.objects.all().delete()
    assert "No PDF was asked for" in page(admin_client, invoice)
    admin_client.post(again_url(invoice))
    assert RenderedInvoice.objects.get().invoice == invoice


def test_a_look_at_the_address_changes_nothing(admin_client: Client) -> None:
    invoice = posted()
    RenderedInvoice.objects.update(state="FAILED")
    admin_client.get(again_url(invoice))
    assert RenderedInvoice.objects.get().state == "FAILED"


def test_only_who_may_see_documents_has_their_pdfs() -> None:
    invoice = posted()
    client = Client()
    client.force_login(UserFactory(is_staff=True))
    assert client.get(pdf_url(invoice)).status_code == 403
    assert client.post(again_url(invoice)).status_code == 403
    assert Client().get(pdf_url(invoice)).status_code == 302


def test_pictures_of_very_long_documents_are_not_made(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invoicing.admin.pdf_panel.PICTURED_LINES", 59)
    shown = page(admin_client, paper(lines=many_lines(60)), "?pages=1")
    assert "Pictures are made of documents of up to 59 lines." in shown
    assert "data:image/png" not in shown


def entity_form(**fields: Any) -> dict[str, Any]:
    return {"code": "NORD", "name": "Nord", "_save": "Save", **fields}


ADD = "admin:invoicing_legalentity_add"


def test_a_legal_entity_is_saved_with_a_logo_and_a_layout_that_can_be_set(admin_client: Client) -> None:
    template = '#import "pieces.typ": *\n#let data = json(bytes(sys.inputs.data))\n#image(data.seller.logo)'
    logo = SimpleUploadedFile("nord.svg", SVG)
    answer = admin_client.post(reverse(ADD), entity_form(template=template, logo=logo))
    assert answer.status_code == 302
    entity = LegalEntity.objects.get()
    assert entity.logo.read() == SVG
    entity.logo.close()
    series = {"number_series-TOTAL_FORMS": "0", "number_series-INITIAL_FORMS": "0"}
    answer = admin_client.post(change_url(entity), entity_form(template=template, phone="1", **series))
    assert answer.status_code == 302
    entity.refresh_from_db()
    assert (entity.phone, entity.template) == ("1", template)
    sample = admin_client.get(reverse("admin:invoicing_legalentity_sample", args=[entity.pk, "de"]))
    assert sample.content.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"template": "#panic(1)"}, "The layout cannot be set: panicked with: 1"),
        ({"template": "#let x = ("}, "unclosed delimiter"),
        ({"template": '#read("/etc/passwd")'}, "file not found"),
        ({"logo": SimpleUploadedFile("logo.png", b"no picture")}, "The layout cannot be set: failed to decode image"),
        ({"logo": SimpleUploadedFile("logo.exe", b"MZ")}, "A logo is a picture of one of these types"),
        ({"logo": SimpleUploadedFile("logo.svg", SVG + b" " * 1024**2)}, "A logo has at most 1,048,576 bytes"),
    ],
)
def test_what_cannot_be_set_is_said_at_the_form(admin_client: Client, fields: dict[str, Any], sentence: str) -> None:
    answer = admin_client.post(reverse(ADD), entity_form(**fields))
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not LegalEntity.objects.exists()


def test_a_layout_that_takes_for_ever_is_said_at_the_form(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "SECONDS", 2)
    endless = "#for i in range(100000) { for k in range(100000) { let x = i * k } }"
    answer = admin_client.post(reverse(ADD), entity_form(template=endless))
    assert "it took longer than 2 seconds" in answer.content.decode()


def test_the_sample_of_a_layout_that_cannot_be_set_leads_back_with_the_reason(admin_client: Client) -> None:
    entity = LegalEntityFactory(template="#panic(1)")
    address = reverse("admin:invoicing_legalentity_sample", args=[entity.pk, "en"])
    answer = admin_client.get(address, follow=True)
    assert answer.redirect_chain == [(change_url(entity), 302)]
    assert "panicked with: 1" in answer.content.decode()
