"""Workers killed while they make usage reports: others make what was left, each once, to the same byte."""

import hashlib
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction

from invoicing.models import Invoice
from reports.engine.terms import Terms
from reports.models import ReportProduction, UsageReport
from reports.operations.making import made_files
from reports.operations.production import ReportsConflict, await_reports, make_again, produce_next
from reports.tasks import sweep
from tests.concurrency.conftest import StartBroker
from tests.concurrency.disturbed import wait_until
from tests.concurrency.sessions import at_once, transaction_open
from tests.concurrency.worker import Worker
from tests.factories import (
    CustomerFactory,
    InvoiceFactory,
    InvoiceUsageReportProfileFactory,
    SubscriptionServiceFactory,
    TaxRateFactory,
    post,
)
from tests.reports.reported import line, use

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
INVOICES = 30
FORMATS = ["csv", "xlsx", "pdf", "jsonl", "parquet"]
# The summary and the list of uses: one workbook, one PDF, and in each other format a file of each.
FILES = 2 + 3 * 2


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process and the workers store files."""
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setenv("MEDIA_ROOT", str(tmp_path / "media"))
    return tmp_path / "media"


def posted(count: int) -> list[Invoice]:
    """Posted invoices with two uses each, whose reports wait."""
    InvoiceUsageReportProfileFactory(
        is_default=True, customer_usage_reports=["Summary"], call_details=["All"], formats=FORMATS
    )
    rate, invoices = TaxRateFactory(), []
    for number in range(count):
        invoice = InvoiceFactory(
            customer=CustomerFactory(tax_rate=rate),
            net_amount=1,
            tax_amount=Decimal("0.20"),
            total_amount=Decimal("1.2"),
        )
        charged = line(invoice, "1", "1.00", charge_count=2)
        service = SubscriptionServiceFactory(customer=invoice.customer)
        use(charged, service, "2026-01-10T08:00", "0.25", destination=f"4420794{number:05}")
        use(charged, service, "2026-01-11T08:00", "0.75", destination="33140000003")
        invoices.append(post(invoice))
    assert await_reports(invoice_ids=[invoice.pk for invoice in invoices]) == count
    return invoices


def made() -> int:
    return ReportProduction.objects.filter(state="DONE").count()


def test_what_a_killed_worker_left_is_made_once_and_to_the_same_byte(
    start_broker: StartBroker, tmp_path: Path, folder: Path
) -> None:
    invoices = posted(INVOICES)
    name, broker = str(connection.settings_dict["NAME"]), start_broker()
    with Worker(database=name, broker=broker, log=tmp_path / "worker.log") as worker:
        wait_until(lambda: made() >= 3, worker, broker, "reports of 3 invoices", sweep)
        worker.kill()
    left = INVOICES - made()
    assert 0 < left < INVOICES
    # Nobody is locked out, no try is lost, and of an invoice there are all files or none.
    assert ReportProduction.objects.filter(state="WAITING", attempt_count=0).count() == left
    assert UsageReport.objects.count() == (INVOICES - left) * FILES
    with Worker(database=name, broker=broker, log=tmp_path / "worker.log") as worker:
        wait_until(lambda: made() == INVOICES, worker, broker, "all reports", sweep)
    assert set(ReportProduction.objects.values_list("state", "attempt_count", "error")) == {("DONE", 0, "")}
    stored = dict(UsageReport.objects.values_list("file", "sha256"))
    assert len(stored) == UsageReport.objects.count() == INVOICES * FILES
    found = {str(path.relative_to(folder)): path for path in (folder / "usage-reports").rglob("*") if path.is_file()}
    assert {path: hashlib.sha256(file.read_bytes()).hexdigest() for path, file in found.items()} == stored
    # Made here, undisturbed, they are the same.
    last = invoices[-1]
    terms = Terms.from_json(ReportProduction.objects.get(invoice=last).terms)
    with transaction.atomic(), tempfile.TemporaryDirectory() as other:
        undisturbed = [each.sha256 for each in made_files(invoice=last, terms=terms, folder=Path(other))]
    assert undisturbed == list(last.usage_reports.order_by("id").values_list("sha256", flat=True))


def test_two_that_work_at_once_never_make_those_of_the_same_invoice() -> None:
    posted(2)
    assert at_once([lambda: produce_next(at=AT)] * 2) == [True, True]
    assert made() == 2
    assert UsageReport.objects.count() == 2 * FILES


def test_who_wants_reports_again_does_not_wait_for_the_worker_that_makes_them() -> None:
    (invoice,) = posted(1)
    with transaction_open() as worker:
        worker.execute("SELECT id FROM report_production FOR UPDATE")
        with pytest.raises(ReportsConflict, match=f"of invoice {invoice.pk} are being made right now"):
            make_again(invoice_id=invoice.pk)
        worker.execute("COMMIT")
    assert make_again(invoice_id=invoice.pk).state == "WAITING"


def test_reports_are_asked_for_in_a_queue_of_their_own() -> None:
    assert current_app.amqp.router.route({}, "reports.produce")["queue"].name == "reports"
    assert current_app.amqp.router.route({}, "reports.sweep")["queue"].name == "celery"
