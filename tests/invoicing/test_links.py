"""The links in invoice mails: whoever has one fetches the document, for a time, and nobody else learns anything."""

import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from invoicing.adapters.links import invoice_link
from invoicing.models import Invoice, RenderedInvoice
from tests.away import take_bucket_away, take_disk_away
from tests.factories import InvoiceFactory, UsageReportFactory
from tests.invoicing.mail_server import PDF, posted

pytestmark = pytest.mark.django_db

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def site(settings: Any, tmp_path: Path) -> None:
    settings.SITE_URL = ""
    settings.MEDIA_ROOT = tmp_path
    settings.INVOICE_LINK_DAYS = 90


@pytest.fixture
def invoice(settings: Any) -> Invoice:
    """A posted invoice with its PDF and a usage report."""
    made = posted(customer_name="Acme <Ltd>", seller_name="Muster Netz")
    UsageReportFactory(invoice=made, title="By day", file="usage-reports/by-day.csv", byte_count=7)
    Path(settings.MEDIA_ROOT, "usage-reports").mkdir()
    Path(settings.MEDIA_ROOT, "usage-reports", "by-day.csv").write_text("a,b\n1,2")
    return made


def test_the_page_shows_the_document_and_its_files_without_a_login(client: Client, invoice: Invoice) -> None:
    response = client.get(invoice_link(invoice.pk))
    page = response.content.decode()
    for shown in ("Invoice INV-000001", "Muster Netz", "Acme &lt;Ltd&gt;", "USD\N{NO-BREAK SPACE}12.00", "by-day.csv"):
        assert shown in page
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_the_pdf_and_the_usage_reports_are_fetched(client: Client, invoice: Invoice) -> None:
    link = invoice_link(invoice.pk)
    pdf, report = client.get(f"{link}document.pdf"), client.get(f"{link}files/0/")
    assert (pdf.status_code, b"".join(pdf), pdf.headers["Content-Type"]) == (200, PDF, "application/pdf")
    assert pdf.headers["Content-Disposition"] == 'inline; filename="INV-000001.pdf"'
    assert (b"".join(report), report.headers["Content-Type"]) == (b"a,b\n1,2", "text/csv")
    assert report.headers["Content-Disposition"] == 'attachment; filename="by-day.csv"'
    assert client.get(f"{link}files/1/").status_code == 404


def test_the_page_is_in_the_language_of_the_document(client: Client) -> None:
    invoice = posted(language="de")
    UsageReportFactory(invoice=invoice, file="usage-reports/by-day.csv", byte_count=70_000)
    page = client.get(invoice_link(invoice.pk)).content.decode()
    # 70,000 / 1,024 = 68.36
    for shown in ("Rechnung INV-000001", "PDF öffnen", "68,4 KB"):
        assert shown in page


def test_an_expired_link_says_so(client: Client, invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    link = invoice_link(invoice.pk)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 90 * DAY - 60)
    assert client.get(link).status_code == 200
    monkeypatch.setattr(time, "time", lambda: now + 90 * DAY + 60)
    for address in (link, f"{link}document.pdf", f"{link}files/0/"):
        response = client.get(address)
        assert response.status_code == 410
        assert "This link has expired" in response.content.decode()


def test_an_expired_link_says_so_in_the_language_of_its_document(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = invoice_link(posted(language="de-AT").pk)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 90 * DAY + 60)
    page = client.get(link).content.decode()
    assert '<html lang="de">' in page
    assert "<title>Dieser Link ist abgelaufen</title>" in page
    assert "expired" not in page


def test_a_wrong_link_says_so_in_every_language(client: Client) -> None:
    page = client.get("/invoices/x/").content.decode()
    assert '<html lang="en">' in page
    assert page.index("This link leads nowhere") < page.index("Dieser Link führt ins Leere")


@pytest.mark.parametrize("is_bucket", [False, True], ids=["disk", "bucket"])
def test_with_the_storage_away_the_page_says_to_try_again(
    client: Client, invoice: Invoice, settings: Any, monkeypatch: pytest.MonkeyPatch, *, is_bucket: bool
) -> None:
    link = invoice_link(invoice.pk)
    take_bucket_away(settings, monkeypatch) if is_bucket else take_disk_away(settings)
    for address in (f"{link}document.pdf", f"{link}files/0/"):
        response = client.get(address)
        assert response.status_code == 503
        assert "The document cannot be fetched now" in response.content.decode()
    assert client.get(link).status_code == 200


def test_what_nobody_signed_does_not_say_whether_there_is_an_invoice(client: Client, invoice: Invoice) -> None:
    link = invoice_link(invoice.pk)
    token = link.strip("/").removeprefix("invoices/")
    of_another = token.replace(f"{invoice.pk}.", f"{invoice.pk + 1}.", 1)
    wrong = [
        of_another,
        f"{invoice.pk}",
        f"{token}x",
        token[:-1],
        "x",
        invoice_link(4711).strip("/").removeprefix("invoices/"),
    ]
    answers = {client.get(f"/invoices/{each}/").content for each in wrong}
    assert [client.get(f"/invoices/{each}/").status_code for each in wrong] == [404] * 6
    assert len(answers) == 1
    assert "This link leads nowhere" in answers.pop().decode()


def test_a_draft_is_never_shown(client: Client) -> None:
    assert client.get(invoice_link(InvoiceFactory().pk)).status_code == 404


def test_a_pdf_that_is_still_being_made_is_worth_another_try(client: Client, invoice: Invoice) -> None:
    RenderedInvoice.objects.update(state="WAITING")
    response = client.get(invoice_link(invoice.pk))
    assert response.status_code == 503
    assert "The document is being made" in response.content.decode()


def test_nothing_is_sent_to_it(client: Client, invoice: Invoice) -> None:
    assert client.post(invoice_link(invoice.pk)).status_code == 405


def test_a_file_that_is_gone_from_the_storage_is_worth_another_try(
    client: Client, invoice: Invoice, settings: Any
) -> None:
    Path(settings.MEDIA_ROOT, "usage-reports", "by-day.csv").unlink()
    assert client.get(f"{invoice_link(invoice.pk)}files/0/").status_code == 503
