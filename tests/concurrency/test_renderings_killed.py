"""Workers killed while they make PDFs: others make what was left, each once, to the same byte."""

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from celery import current_app
from django.db import connection

from invoicing.models import RenderedInvoice
from invoicing.operations.posting import post_invoices
from invoicing.operations.rendering import document, pdf_of, render_next
from invoicing.tasks import sweep_renderings
from tests.concurrency.conftest import StartBroker
from tests.concurrency.disturbed import wait_until
from tests.concurrency.sessions import at_once
from tests.concurrency.worker import Worker
from tests.factories import TaxRateFactory
from tests.invoicing.papers import many_lines, paper

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
DOCUMENTS = 40


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process and the workers store files."""
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setenv("MEDIA_ROOT", str(tmp_path / "media"))
    return tmp_path / "media"


def post_documents(count: int) -> list[int]:
    rate = TaxRateFactory()
    ids = [paper(lines=many_lines(20), tax_rate=rate).pk for _ in range(count)]
    post_invoices(invoice_ids=ids, at=AT)
    return ids


def made() -> int:
    return RenderedInvoice.objects.filter(state="DONE").count()


def typesetters() -> set[int]:
    """Processes that typeset, of any worker of this test's folder."""
    found = set()
    for process in psutil.process_iter(["cmdline"]):
        if any(part.endswith("typesetting.py") for part in process.info["cmdline"] or []):
            found.add(process.pid)
    return found


def test_what_a_killed_worker_left_is_made_once_and_to_the_same_byte(
    start_broker: StartBroker, tmp_path: Path, folder: Path
) -> None:
    before = typesetters()
    ids = post_documents(DOCUMENTS)
    name, broker = str(connection.settings_dict["NAME"]), start_broker()
    with Worker(database=name, broker=broker, log=tmp_path / "worker.log") as worker:
        wait_until(lambda: made() >= 5, worker, broker, "5 PDFs", sweep_renderings)
        worker.kill()
    left = DOCUMENTS - made()
    assert 0 < left < DOCUMENTS
    # Killed with nothing put in order: nobody is locked out, and no process goes on for nobody.
    assert RenderedInvoice.objects.filter(state="WAITING", attempt_count=0).count() == left
    deadline = time.monotonic() + 10
    while typesetters() - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert typesetters() <= before
    with Worker(database=name, broker=broker, log=tmp_path / "worker.log") as worker:
        wait_until(lambda: made() == DOCUMENTS, worker, broker, "all PDFs", sweep_renderings)
    rows = RenderedInvoice.objects.order_by("invoice_id")
    assert [(row.invoice_id, row.attempt_count) for row in rows] == [(pk, 1) for pk in ids]
    stored = {str(row.file.name): row.sha256 for row in rows}
    assert sorted(str(path.relative_to(folder)) for path in (folder / "invoices").rglob("*.pdf")) == sorted(stored)
    assert all(hashlib.sha256((folder / path).read_bytes()).hexdigest() == sha for path, sha in stored.items())
    # Made here, undisturbed, they are the same.
    RenderedInvoice.objects.all().delete()
    assert hashlib.sha256(pdf_of(document(ids[-1]))).hexdigest() == list(stored.values())[-1]


def test_two_that_work_at_once_never_make_the_same_one() -> None:
    ids = post_documents(2)
    assert at_once([lambda: render_next(now=lambda: AT)] * 2) == [True, True]
    assert (
        sorted(RenderedInvoice.objects.filter(state="DONE", attempt_count=1).values_list("invoice", flat=True)) == ids
    )


def test_pdfs_are_asked_for_in_a_queue_of_their_own() -> None:
    assert current_app.amqp.router.route({}, "invoicing.render")["queue"].name == "documents"
    assert current_app.amqp.router.route({}, "billing.sweep_runs")["queue"].name == "celery"
    assert set(current_app.amqp.queues) == {"celery", "documents", "reports"}
