"""PDFs of posted documents: asked for by posting, made one by one, tried again, stored, and made again to the byte."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.base import ContentFile
from django.db import connection
from moto.server import ThreadedMotoServer

from config import env
from invoicing.adapters.layouts import layout_of
from invoicing.adapters.pdf import page_count
from invoicing.choices import RenderingState
from invoicing.models import Invoice, LegalEntity, RenderedInvoice
from invoicing.operations import rendering
from invoicing.operations.posting import post_invoices
from invoicing.operations.rendering import (
    RenderingFailed,
    await_rendering,
    make_again,
    pdf_of,
    pictures_of,
    render_again,
    render_next,
    waiting_renderings,
)
from tests.factories import InvoiceFactory, LegalEntityFactory, RenderedInvoiceFactory
from tests.invoicing.papers import paper
from tests.refusals import refused

pytestmark = pytest.mark.django_db
AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>'


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """The storage is a folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def posted(**fields: object) -> Invoice:
    invoice = paper(**fields)  # type: ignore[arg-type]  # fields of the document
    post_invoices(invoice_ids=[invoice.pk], at=AT)
    return rendering.document(invoice.pk)


def test_posting_has_a_pdf_made_of_each_document_once() -> None:
    invoices = [paper(), InvoiceFactory()]
    post_invoices(invoice_ids=[invoice.pk for invoice in invoices], at=AT)
    post_invoices(invoice_ids=[invoice.pk for invoice in invoices], at=AT)
    rows = RenderedInvoice.objects.order_by("invoice_id")
    assert [(row.invoice_id, row.state) for row in rows] == [(invoice.pk, "WAITING") for invoice in invoices]
    assert waiting_renderings(at=AT) == 2


def test_a_draft_waits_for_no_pdf() -> None:
    with connection.cursor() as cursor:
        await_rendering(cursor, [InvoiceFactory().pk])
    assert not RenderedInvoice.objects.exists()


def test_the_one_that_waits_longest_is_made_and_stored_with_its_digest(folder: Path) -> None:
    first, second = posted(), posted()
    assert render_next(now=at(AT + timedelta(minutes=1)))
    row = RenderedInvoice.objects.get(invoice=first)
    stored = (folder / str(row.file.name)).read_bytes()
    assert stored.startswith(b"%PDF")
    assert (row.state, row.attempt_count, row.error) == (RenderingState.DONE, 1, "")
    assert row.rendered_at == AT + timedelta(minutes=1)
    assert row.sha256 == hashlib.sha256(stored).hexdigest()
    assert (row.byte_count, row.page_count) == (len(stored), page_count(stored))
    assert RenderedInvoice.objects.get(invoice=second).state == RenderingState.WAITING
    assert pdf_of(first) == stored
    assert render_next(now=at(AT))
    assert not render_next(now=at(AT))


def test_what_a_worker_that_died_left_in_the_storage_is_replaced(folder: Path) -> None:
    invoice = posted()
    render_next(now=at(AT))
    row = RenderedInvoice.objects.get(invoice=invoice)
    whole = (folder / str(row.file.name)).read_bytes()
    # Killed while it wrote: half a file, and the row waits as before.
    (folder / str(row.file.name)).write_bytes(whole[:1000])
    RenderedInvoice.objects.update(state=RenderingState.WAITING, rendered_at=None)
    render_next(now=at(AT))
    assert RenderedInvoice.objects.get(invoice=invoice).file.name == row.file.name
    assert (folder / str(row.file.name)).read_bytes() == whole
    assert len(list((folder / "invoices").rglob("*.pdf"))) == 1


def test_what_fails_is_tried_again_later_and_later_and_then_has_failed() -> None:
    seller = LegalEntityFactory(template="#panic(1)", is_default=True)
    invoice = posted(legal_entity=seller)
    moment, row = AT, RenderedInvoice.objects.get(invoice=invoice)
    for count, minutes in enumerate((1, 5, 30, 120), start=1):
        assert render_next(now=at(moment))
        row.refresh_from_db()
        assert (row.state, row.attempt_count) == (RenderingState.WAITING, count)
        assert row.next_attempt_at == moment + timedelta(minutes=minutes)
        assert "panicked with: 1" in row.error
        assert not render_next(now=at(moment + timedelta(minutes=minutes, seconds=-1)))
        moment += timedelta(minutes=minutes)
    assert render_next(now=at(moment))
    row.refresh_from_db()
    assert (row.state, row.attempt_count, row.next_attempt_at) == (RenderingState.FAILED, 5, None)
    assert not render_next(now=at(moment + timedelta(days=1)))
    with pytest.raises(RenderingFailed, match="The layout cannot be set: panicked with: 1"):
        pdf_of(rendering.document(invoice.pk))
    LegalEntity.objects.update(template="")
    make_again(invoice_id=invoice.pk)
    assert render_next(now=at(moment))
    row.refresh_from_db()
    assert (row.state, row.attempt_count, row.error) == (RenderingState.DONE, 1, "")


def test_one_that_fails_keeps_no_other_waiting_and_its_invoice_is_posted_all_the_same() -> None:
    bad = posted(legal_entity=LegalEntityFactory(template="#panic(1)", is_default=True))
    LegalEntity.objects.update(is_default=False)
    good = posted()
    assert bad.number
    assert render_next(now=at(AT))
    assert render_next(now=at(AT))
    assert RenderedInvoice.objects.get(invoice=good).state == RenderingState.DONE


def test_a_storage_that_cannot_be_written_is_said_in_words(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    invoice = posted()
    render_next(now=at(AT))
    row = RenderedInvoice.objects.get(invoice=invoice)
    assert row.state == RenderingState.WAITING
    assert row.error.startswith("The PDF could not be made or stored: ")


def test_documents_from_before_get_a_pdf_when_asked() -> None:
    invoice = posted()
    RenderedInvoice.objects.all().delete()
    assert pdf_of(invoice).startswith(b"%PDF")
    assert not RenderedInvoice.objects.exists()
    make_again(invoice_id=invoice.pk)
    assert RenderedInvoice.objects.get(invoice=invoice).state == RenderingState.WAITING


def test_a_lost_file_is_made_again_to_the_byte_whatever_became_of_the_layout(folder: Path) -> None:
    seller = LegalEntityFactory(name="Before Ltd", phone="+49 40 1", is_default=True)
    seller.logo.save("logo.svg", ContentFile(SVG))
    invoice = posted(legal_entity=seller)
    render_next(now=at(AT))
    row = RenderedInvoice.objects.get(invoice=invoice)
    path = folder / str(row.file.name)
    stored = path.read_bytes()
    path.unlink()
    LegalEntity.objects.update(template="Another layout", phone="+49 40 2", logo="")
    assert pdf_of(rendering.document(invoice.pk)) == stored
    assert path.read_bytes() == stored
    path.write_bytes(b"changed")
    assert render_again(invoice_id=invoice.pk) == stored
    assert path.read_bytes() == stored
    assert pictures_of(rendering.document(invoice.pk))[0].startswith(b"\x89PNG")


def test_what_does_not_come_out_as_it_was_is_not_passed_off_as_it(folder: Path) -> None:
    invoice = posted()
    render_next(now=at(AT))
    row = RenderedInvoice.objects.get(invoice=invoice)
    (folder / str(row.file.name)).unlink()
    RenderedInvoice.objects.update(sha256="0" * 64)
    with pytest.raises(RenderingFailed, match="does not come out as it was: it was made with typst"):
        pdf_of(invoice)
    assert not (folder / str(row.file.name)).exists()
    (folder / "layouts" / f"{row.template_sha256}.json").unlink()
    with pytest.raises(RenderingFailed, match="is not in the storage any more: layouts/"):
        pdf_of(invoice)


def test_a_layout_that_was_changed_in_the_storage_is_not_used(folder: Path) -> None:
    invoice = posted()
    render_next(now=at(AT))
    row = RenderedInvoice.objects.get(invoice=invoice)
    (folder / str(row.file.name)).unlink()
    (folder / "layouts" / f"{row.template_sha256}.json").write_text("{}")
    with pytest.raises(RenderingFailed, match="is not what it was: layouts/"):
        pdf_of(invoice)


def test_a_logo_that_is_gone_is_said_in_words() -> None:
    seller = LegalEntityFactory(name="Nord", logo="logos/gone.png", is_default=True)
    invoice = posted(legal_entity=seller)
    with pytest.raises(RenderingFailed, match=r"The logo of Nord is not in the storage \(logos/gone.png\)"):
        pdf_of(invoice)


def test_a_preview_of_a_draft_is_stored_nowhere(folder: Path) -> None:
    assert pdf_of(rendering.document(paper().pk)).startswith(b"%PDF")
    assert not folder.exists()


def test_the_layout_is_known_by_all_that_it_is_made_of() -> None:
    seller = LegalEntityFactory()
    before = layout_of(seller, language="en").sha256
    assert layout_of(seller, language="en").sha256 == before
    assert layout_of(seller, language="de").sha256 != before
    seller.phone = "+49 40 1"
    assert layout_of(seller, language="en").sha256 != before


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 server of the test's own with an empty bucket, and the settings that the environment variables make."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "S3_BUCKET": "invoices",
        "S3_FOLDER": "tollbook",
        "S3_REGION": "us-east-1",
        "S3_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1").create_bucket(Bucket="invoices")
    settings.STORAGES = {**settings.STORAGES, "default": env.storage()}
    yield f"http://{host}:{port}"
    server.stop()


def test_a_bucket_takes_the_place_of_the_disk(bucket: str, folder: Path) -> None:
    invoice = posted()
    assert render_next(now=at(AT))
    row = RenderedInvoice.objects.get(invoice=invoice)
    assert row.error == ""
    client = boto3.client("s3", endpoint_url=bucket, region_name="us-east-1")
    names = sorted(each["Key"] for each in client.list_objects_v2(Bucket="invoices")["Contents"])
    assert names == [f"tollbook/{row.file.name}", f"tollbook/layouts/{row.template_sha256}.json"]
    stored = client.get_object(Bucket="invoices", Key=names[0])["Body"].read()
    assert hashlib.sha256(stored).hexdigest() == row.sha256
    assert pdf_of(invoice) == stored
    client.put_object(Bucket="invoices", Key=names[0], Body=b"changed")
    assert pdf_of(invoice) == stored
    client.delete_object(Bucket="invoices", Key=names[0])
    assert pdf_of(invoice) == stored
    assert client.get_object(Bucket="invoices", Key=names[0])["Body"].read() == stored
    assert not folder.exists()


def test_files_are_on_the_disk_unless_a_bucket_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S3_BUCKET", raising=False)
    assert env.storage() == {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    monkeypatch.setenv("S3_BUCKET", "invoices")
    monkeypatch.setenv("S3_ENDPOINT_URL", "s3.example.com")
    with pytest.raises(env.BadVariableError, match="S3_ENDPOINT_URL is no address"):
        env.storage()


def test_the_database_refuses_a_state_that_there_is_none_of() -> None:
    row = RenderedInvoiceFactory()
    with refused(by="rendered_invoice_state_known"):
        RenderedInvoice.objects.filter(pk=row.pk).update(state="LATER")


def test_the_database_refuses_a_pdf_that_is_made_without_its_file() -> None:
    row = RenderedInvoiceFactory()
    with refused(by="rendered_invoice_done_has_a_file"):
        RenderedInvoice.objects.filter(pk=row.pk).update(state="DONE", sha256="0" * 64, rendered_at=AT)
