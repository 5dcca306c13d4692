"""Usage reports are made after posting: all of an invoice's or none, the same again, and in words where they cannot."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError, connection

from customers.models import Site
from invoicing.models import Invoice
from reports.models import InvoiceUsageReportProfile, ReportProduction, UsageReport
from reports.operations import making, production
from reports.operations.production import ReportsConflict, await_reports, make_again, produce_next
from reports.queries.files import usage_report_files
from tests.factories import (
    CustomerReportProfileFactory,
    InvoiceFactory,
    InvoiceUsageReportProfileFactory,
    ReportProductionFactory,
)
from tests.refusals import refused
from tests.reports.reported import invoice_of_four_uses

AT = datetime(2026, 2, 1, 9, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _stored(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def profile(**fields: Any) -> InvoiceUsageReportProfile:
    chosen = {"customer_usage_reports": ["Summary"], "call_details": ["All"], "formats": ["csv", "jsonl"]}
    return InvoiceUsageReportProfileFactory(name="Standard", is_default=True, **(chosen | fields))


def awaited(**fields: Any) -> ReportProduction:
    """The reports of the posted invoice of four uses, which wait."""
    profile(**fields)
    invoice = invoice_of_four_uses()
    assert await_reports(invoice_ids=[invoice.pk]) == 1
    return ReportProduction.objects.get(invoice=invoice)


def made(invoice: Invoice) -> list[tuple[str, str, int]]:
    return list(invoice.usage_reports.order_by("id").values_list("title", "format", "row_count"))


@pytest.mark.django_db
def test_posted_invoices_wait_by_what_holds_then() -> None:
    waiting = awaited(include_call_columns=["Date"], threshold_amount=Decimal("0.50"))
    assert (waiting.state, waiting.profile_name) == ("WAITING", "Standard")
    assert waiting.terms == {
        "customer_usage_reports": ["Summary"],
        "site_usage_reports": [],
        "campaign_usage_reports": [],
        "number_usage_reports": [],
        "include_transaction_columns": [],
        "include_call_columns": ["Date"],
        "call_details": ["All"],
        "formats": ["csv", "jsonl"],
        "threshold_amount": "0.5",
        "splits_by": "",
        "timezone": "Europe/Berlin",
        "language": "en",
        "masks_numbers": False,
    }
    assert await_reports(invoice_ids=[waiting.invoice_id]) == 0


@pytest.mark.django_db
def test_drafts_and_invoices_without_a_profile_wait_for_nothing() -> None:
    invoice = invoice_of_four_uses()
    assert await_reports(invoice_ids=[invoice.pk]) == 0
    profile()
    assert await_reports(invoice_ids=[InvoiceFactory().pk]) == 0


@pytest.mark.django_db
def test_all_files_are_stored_with_their_size_and_digest() -> None:
    waiting = awaited()
    assert produce_next(at=AT)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error, waiting.produced_at) == ("DONE", "", AT)
    assert made(waiting.invoice) == [
        ("Customer: Summary", "csv", 2),
        ("Customer: Summary", "jsonl", 2),
        ("Usage: All", "csv", 4),
        ("Usage: All", "jsonl", 4),
    ]
    for report in waiting.invoice.usage_reports.all():
        with report.file.open("rb") as file:
            content = file.read()
        assert (report.byte_count, report.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    first = waiting.invoice.usage_reports.earliest("id")
    assert first.file.name == f"usage-reports/{waiting.invoice_id}/01-customer-summary.csv"
    assert not produce_next(at=AT)


@pytest.mark.django_db
def test_a_report_that_does_not_add_up_fails_and_says_where() -> None:
    waiting = awaited()
    with connection.cursor() as cursor:
        # The database refuses such a change of what is posted, so its triggers are passed over.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE usage_charge c SET amount = 0.26 FROM usage_data_record r"
            " WHERE r.id = c.record_id AND r.number = 'C2'"
        )
        cursor.execute("SET session_replication_role = origin")
    assert produce_next(at=AT)
    waiting.refresh_from_db()
    assert waiting.state == "FAILED"
    # 0.125 + 0.26 = 0.385
    assert waiting.error == (
        "The report “Customer: Summary” does not add up to the invoice, so it was not made: line 1 (Calls) has charges "
        "of 0.375, the report 0.385, which is 0.01 apart."
    )
    assert not UsageReport.objects.exists()
    assert not produce_next(at=AT)


@pytest.mark.django_db
def test_a_charge_that_is_missing_is_found_though_it_costs_nothing() -> None:
    waiting = awaited()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "DELETE FROM usage_charge c USING usage_data_record r WHERE r.id = c.record_id AND r.number = 'C4'"
        )
        cursor.execute("SET session_replication_role = origin")
    assert produce_next(at=AT)
    waiting.refresh_from_db()
    assert "line 3 (Messages) has 1 uses, the report 0." in waiting.error


def breaking(monkeypatch: pytest.MonkeyPatch, error: BaseException, *, after: int) -> None:
    """Let the making of files break off after so many."""
    whole: Callable[..., Iterator[Any]] = making.made_files

    def broken(**arguments: Any) -> Iterator[Any]:
        for number, file in enumerate(whole(**arguments), start=1):
            yield file
            if number == after:
                raise error

    monkeypatch.setattr(production, "made_files", broken)


@pytest.mark.django_db
def test_what_breaks_is_tried_again_later_and_at_last_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = awaited()
    breaking(monkeypatch, OSError("No space left on device"), after=2)
    at, pauses = AT, []
    for _ in range(6):
        assert produce_next(at=at)
        waiting.refresh_from_db()
        assert not UsageReport.objects.exists()
        if waiting.state == "WAITING":
            assert waiting.next_attempt_at is not None
            pauses.append(int((waiting.next_attempt_at - at).total_seconds()))
            assert not produce_next(at=at)
            at = waiting.next_attempt_at
    assert pauses == [60, 120, 240, 480, 960]
    assert (waiting.state, waiting.error) == (
        "FAILED",
        "The usage reports could not be made: No space left on device (tried 6 times)",
    )


@pytest.mark.django_db
def test_what_the_database_refuses_of_one_invoice_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    first = awaited()
    second = ReportProductionFactory(terms=first.terms)
    with monkeypatch.context() as patch:
        breaking(patch, OperationalError("temporary file size exceeds temp_file_limit"), after=1)
        assert produce_next(at=AT)
    assert produce_next(at=AT)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.attempt_count, second.state) == ("WAITING", 1, "DONE")
    assert first.error == "The usage reports could not be made: temporary file size exceeds temp_file_limit"


@pytest.mark.django_db
def test_a_worker_that_is_killed_in_the_middle_leaves_nothing_and_the_next_makes_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = awaited()
    with monkeypatch.context() as patch:
        breaking(patch, KeyboardInterrupt(), after=3)
        with pytest.raises(KeyboardInterrupt):
            produce_next(at=AT)
    waiting.refresh_from_db()
    assert (waiting.state, made(waiting.invoice)) == ("WAITING", [])
    assert produce_next(at=AT)
    assert len(made(waiting.invoice)) == 4
    _, stored = default_storage.listdir(f"usage-reports/{waiting.invoice_id}")
    assert len(stored) == 4


@pytest.mark.django_db
def test_made_again_they_have_the_same_bytes_whatever_became_of_the_profile() -> None:
    waiting = awaited()
    assert produce_next(at=AT)
    before = list(UsageReport.objects.order_by("id").values_list("id", "file", "sha256"))
    InvoiceUsageReportProfile.objects.update(customer_usage_reports=["By Day"])
    default_storage.delete(before[0][1])
    make_again(invoice_id=waiting.invoice_id)
    assert produce_next(at=AT + timedelta(days=30))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == ("DONE", "")
    assert list(UsageReport.objects.order_by("id").values_list("id", "file", "sha256")) == before
    with default_storage.open(before[0][1]) as file:
        assert hashlib.sha256(file.read()).hexdigest() == before[0][2]


@pytest.mark.django_db
def test_made_again_a_file_keeps_the_name_that_it_had() -> None:
    waiting = awaited(call_details=[], formats=["csv"])
    assert produce_next(at=AT)
    # An earlier release called it so, and it was lost.
    first = "usage-reports/first.csv"
    default_storage.delete(str(UsageReport.objects.get().file))
    UsageReport.objects.update(file=first)
    make_again(invoice_id=waiting.invoice_id)
    assert produce_next(at=AT)
    report = UsageReport.objects.get()
    assert (report.file.name, default_storage.exists(first)) == (first, True)
    assert default_storage.listdir(f"usage-reports/{waiting.invoice_id}")[1] == []


@pytest.mark.django_db
def test_attachments_have_the_same_media_types_on_every_server(settings: Any) -> None:
    formats = ["csv", "xlsx", "pdf", "jsonl", "parquet"]
    waiting = awaited(call_details=[], formats=formats)
    settings.REPORT_ZIPPED_ABOVE_BYTES = 200
    assert produce_next(at=AT)
    assert {file.name: file.content_type for file in usage_report_files(waiting.invoice_id)} == {
        "01-customer-summary.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "02-customer-summary.pdf": "application/pdf",
        "03-customer-summary.csv": "text/csv",
        "03-customer-summary.jsonl.zip": "application/zip",
        "03-customer-summary.parquet": "application/vnd.apache.parquet",
    }


@pytest.mark.django_db
def test_made_again_otherwise_the_first_files_stay_and_it_is_said() -> None:
    waiting = awaited(customer_usage_reports=["By Site"])
    assert produce_next(at=AT)
    before = list(UsageReport.objects.order_by("id").values_list("id", "file", "sha256"))
    Site.objects.update(name="Bonn")
    make_again(invoice_id=waiting.invoice_id)
    assert produce_next(at=AT + timedelta(days=30))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.produced_at) == ("DONE", AT)
    assert waiting.error.startswith("Made again, “Customer: By site” (csv) does not come out as it was")
    assert list(UsageReport.objects.order_by("id").values_list("id", "file", "sha256")) == before


@pytest.mark.django_db
def test_an_invoice_without_reports_has_none_to_make_again() -> None:
    with pytest.raises(ReportsConflict, match="has no usage reports to make"):
        make_again(invoice_id=InvoiceFactory().pk)


@pytest.mark.django_db
def test_the_invoices_language_and_its_customers_privacy_hold() -> None:
    waiting = awaited()
    waiting.delete()
    customer = waiting.invoice.customer
    customer.masks_numbers, customer.language = True, "de"
    customer.save()
    await_reports(invoice_ids=[waiting.invoice_id])
    terms = ReportProduction.objects.get().terms
    assert (terms["language"], terms["masks_numbers"]) == ("de", True)


@pytest.mark.django_db
def test_the_customers_own_profile_comes_before_the_default() -> None:
    invoice = invoice_of_four_uses()
    profile()
    CustomerReportProfileFactory(
        customer=invoice.customer, profile=InvoiceUsageReportProfileFactory(name="Calls", call_details=["All"])
    )
    await_reports(invoice_ids=[invoice.pk])
    assert ReportProduction.objects.get().profile_name == "Calls"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("report_production_state_known", {"state": "LOST"}),
        ("report_production_says_how_it_went", {"state": "DONE"}),
        ("report_production_says_how_it_went", {"state": "FAILED"}),
    ],
)
def test_a_production_says_how_it_went(constraint: str, fields: dict[str, Any]) -> None:
    with refused(by=constraint):
        ReportProductionFactory(**fields)
