"""`usage_imports` of the usage API: files sent, and what became of their lines."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import UnreadablePostError
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.api.upload import XLSX_TYPES, WholeStream
from tests.api.caller import Caller, assert_error, parsed
from tests.factories.catalog import ProductFactory
from tests.factories.customers import SubscriptionServiceFactory
from tests.factories.usage import (
    SourceSystemFactory,
    UsageImportFactory,
)
from tests.gzipped import gzipped
from tests.usage.workbooks import workbook
from usage.adapters.progress import report_progress
from usage.engine.progress import ImportProgress
from usage.models import SourceSystem, UsageDataRecord, UsageImport
from usage.operations.stored import take_in_stored

pytestmark = pytest.mark.django_db

PATH = "/usage/v1/usage_imports"
CSV = b"""number,service,product,from_date,to_date,usage_amount
R1,+49301,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,60
R2,+49301,CALL,2026-01-15T13:00:00Z,2026-01-15T13:01:00Z,0.0000001453
R3,+49399,CALL,2026-01-15T14:00:00Z,2026-01-15T14:01:00Z,60
"""


@pytest.fixture
def source() -> SourceSystem:
    SubscriptionServiceFactory(identifier="+49301")
    ProductFactory(code="CALL")
    return SourceSystemFactory(name="Switch 1", alternative_code="SW1", description="In Berlin")


def sent(staff: Caller, body: bytes = CSV, query: str = "source_system=SW1&wait=true", **headers: str) -> Any:
    return staff.send("POST", f"{PATH}?{query}", body, **({"content_type": "text/csv"} | headers))


def work_off(import_id: str) -> None:
    """Do the worker's part."""
    take_in_stored(import_id=int(import_id), at=datetime(2026, 2, 1, 9, 5, tzinfo=UTC))


def test_a_file_is_taken_and_its_import_shown(staff: Caller, source: SourceSystem) -> None:
    response = sent(staff)
    usage_import = UsageImport.objects.get()
    shown = parsed(response)

    assert response.status_code == 202
    assert shown == {
        "id": str(usage_import.id),
        "source_system": {
            "id": str(source.id),
            "name": "Switch 1",
            "alternative_code": "SW1",
            "description": "In Berlin",
        },
        "file_name": "upload.csv",
        "sha256": usage_import.sha256,
        "byte_count": len(CSV),
        "channel": "API",
        "file_format": "CSV",
        "state": "COMPLETED",
        "received": 3,
        "accepted": 2,
        "duplicates": 0,
        "conflicts": 0,
        "quarantined": 1,
        "late": 0,
        "progress": None,
        "error": "",
        "started_date": usage_import.started_at.isoformat().replace("+00:00", "Z"),
        "finished_date": shown["finished_date"],
        "created_by_user": "clerk",
    }
    assert staff.ask(f"{PATH}/{usage_import.id}") == shown
    assert staff.ask(PATH) == {"data": [shown], "meta": {"limit": 1, "next_cursor": ""}}
    assert UsageDataRecord.objects.count() == 2

    (line,) = staff.ask(f"{PATH}/{usage_import.id}/quarantine")["data"]
    assert (line["line_number"], line["reason"], line["field"]) == (4, "UNKNOWN_SERVICE", "service")
    assert "+49399" in line["detail"]
    assert line["raw_text"].startswith("R3,+49399")


@pytest.mark.parametrize("query", ["source_system=SW1", "source_system=Switch%201&wait=false"])
def test_without_waiting_the_file_is_kept_and_a_worker_takes_it_in(
    staff: Caller, source: SourceSystem, query: str
) -> None:
    response = sent(staff, query=query)
    shown = parsed(response)
    assert response.status_code == 202
    assert (shown["state"], shown["received"], shown["byte_count"], shown["finished_date"]) == (
        "QUEUED",
        0,
        len(CSV),
        None,
    )
    assert not UsageDataRecord.objects.exists()

    work_off(shown["id"])
    done = staff.ask(f"{PATH}/{shown['id']}")
    assert (done["state"], done["received"], done["accepted"], done["quarantined"]) == ("COMPLETED", 3, 2, 1)
    assert (done["sha256"], done["file_name"]) == (shown["sha256"], "upload.csv")


def test_a_worker_is_woken_up_when_the_file_is_kept(
    staff: Caller, source: SourceSystem, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[Any] = []
    monkeypatch.setattr("usage.tasks.take_in.apply_async", lambda **message: woken.append(message["kwargs"]))
    for wait in ("false", "true"):
        with django_capture_on_commit_callbacks(execute=True):
            sent(staff, CSV + wait.encode() + b",,,,,\n", query=f"source_system=SW1&wait={wait}")
    assert woken == [{"import_id": UsageImport.objects.earliest("id").id}]


def test_a_file_that_waits_already_is_its_first_import(staff: Caller, source: SourceSystem) -> None:
    first, second = (parsed(sent(staff, query="source_system=SW1")) for _ in range(2))
    assert first == second
    work_off(first["id"])
    third = parsed(sent(staff, query="source_system=SW1"))
    assert (third["id"], third["state"]) == (first["id"], "COMPLETED")
    assert UsageImport.objects.count() == 1


def test_an_import_that_runs_says_how_far_it_is(staff: Caller) -> None:
    usage_import = UsageImportFactory(state="RUNNING", finished_at=None)
    report_progress(usage_import.id, ImportProgress("writing", 4_096, 100, 90, 5, 3, 2))
    assert staff.ask(f"{PATH}/{usage_import.id}")["progress"] == {
        "phase": "writing",
        "byte_count": 4096,
        "received": 100,
        "accepted": 90,
        "duplicates": 5,
        "conflicts": 3,
        "quarantined": 2,
    }


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/jsonl", "application/ndjson"])
@pytest.mark.parametrize("is_gzipped", [False, True])
def test_json_lines(staff: Caller, source: SourceSystem, content_type: str, is_gzipped: bool) -> None:  # noqa: FBT001
    call = b'"service": "+49301", "product": "CALL", "from_date": "2026-01-15T12:00:00Z"'
    body = b'{"number": "R1", %s, "usage_amount": 60}\n{"number": "R2", %s, "usage_amount": 4.5e-7}\nnonsense\n' % (
        call,
        call,
    )
    response = sent(staff, gzipped(body) if is_gzipped else body, content_type=content_type)
    shown = parsed(response)
    assert (response.status_code, shown["file_format"], shown["file_name"]) == (202, "NDJSON", "upload.ndjson")
    assert (shown["received"], shown["accepted"], shown["quarantined"]) == (3, 2, 1)
    assert set(UsageDataRecord.objects.values_list("number", "usage_amount")) == {
        ("R1", Decimal(60)),
        ("R2", Decimal("0.00000045")),
    }


def test_a_workbook(staff: Caller, source: SourceSystem) -> None:
    rows = [line.split(",") for line in CSV.decode().splitlines()]
    response = sent(staff, workbook(rows), content_type=XLSX_TYPES[0])
    shown = parsed(response)
    assert (response.status_code, shown["file_format"], shown["file_name"]) == (202, "XLSX", "upload.xlsx")
    assert (shown["received"], shown["accepted"], shown["quarantined"]) == (3, 2, 1)


def test_the_same_file_again_is_its_first_import(staff: Caller, source: SourceSystem) -> None:
    first, second = sent(staff), sent(staff)
    assert (second.status_code, second.content) == (202, first.content)
    assert UsageImport.objects.count() == 1


@pytest.mark.parametrize(
    ("content_type", "content_encoding"),
    [("text/csv", "gzip"), ("text/csv; charset=utf-8", ""), ("application/gzip", ""), ("application/x-gzip", "")],
)
def test_gzip_is_taken_off(staff: Caller, source: SourceSystem, content_type: str, content_encoding: str) -> None:
    response = sent(staff, gzipped(CSV), content_type=content_type, content_encoding=content_encoding)
    assert (response.status_code, parsed(response)["received"]) == (202, 3)
    assert parsed(response)["sha256"] == parsed(sent(staff))["sha256"]


@pytest.mark.parametrize("is_gzipped", [False, True])
def test_a_form_with_a_file(staff_key: str, source: SourceSystem, is_gzipped: bool) -> None:  # noqa: FBT001
    file = SimpleUploadedFile("calls.csv", gzipped(CSV) if is_gzipped else CSV)
    response = Client().post(
        f"{PATH}?source_system=SW1&wait=true", {"file": file}, headers={"Authorization": f"Bearer {staff_key}"}
    )
    assert response.status_code == 202
    assert (parsed(response)["file_name"], parsed(response)["received"]) == ("calls.csv", 3)


def test_a_form_without_a_file(staff_key: str, source: SourceSystem) -> None:
    response = Client().post(
        f"{PATH}?source_system=SW1", {"file": "no"}, headers={"Authorization": f"Bearer {staff_key}"}
    )
    assert_error(response, 400, "invalid", file=["The form has 0 files: send one."])


def test_the_name_of_the_file_may_be_given(staff: Caller, source: SourceSystem) -> None:
    assert parsed(sent(staff, query="source_system=SW1&wait=true&file_name=monday.csv"))["file_name"] == "monday.csv"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is empty"),
        (b"a\x00b", "NUL"),
        (b"nonsense\n1\n", "there is no column"),
        (CSV + b'R4,"+49301', "not closed"),
        (gzipped(CSV)[:-9], "gzip data is broken"),
        (b"\x1f\x8bnonsense", "gzip data is broken"),
    ],
)
def test_a_file_at_fault_is_refused_whole(staff: Caller, source: SourceSystem, body: bytes, reason: str) -> None:
    response = sent(staff, body, query="source_system=SW1&wait=true&file_name=monday.csv")
    assert_error(response, 422, "import_refused")
    shown = parsed(response)
    assert shown["detail"].startswith("monday.csv: ")
    assert reason in shown["detail"]

    failed = staff.ask(f"{PATH}/{shown['id']}")
    assert (failed["state"], failed["error"], failed["received"]) == ("FAILED", shown["detail"], 0)
    assert not UsageDataRecord.objects.exists()


def test_an_unknown_source_system_is_named(staff: Caller) -> None:
    assert_error(
        sent(staff, query="source_system=Nope"), 400, "invalid", source_system=["There is no source system “Nope”."]
    )
    assert_error(sent(staff, query=""), 400, "invalid", source_system=["This field is required."])
    assert not UsageImport.objects.exists()


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream", ""])
def test_another_type_is_a_415_that_says_what_is_taken(staff: Caller, source: SourceSystem, content_type: str) -> None:
    response = sent(staff, b"{}", content_type=content_type)
    assert_error(response, 415, "unsupported_media_type")
    assert "text/csv" in parsed(response)["detail"]


def test_a_body_that_breaks_off_is_not_a_shorter_file() -> None:
    assert WholeStream(BytesIO(b"12345"), 5).read() == b"12345"
    with pytest.raises(UnreadablePostError, match="ended after 5 of 6 bytes"):
        WholeStream(BytesIO(b"12345"), 6).read()


@pytest.mark.parametrize(
    ("body", "wait", "states"),
    [
        (b"", "true", {"FAILED"}),
        (CSV, "true", {"FAILED"}),
        (gzipped(CSV), "true", {"FAILED"}),
        (b"", "false", set()),
        (CSV, "false", set()),
        (gzipped(CSV), "false", set()),
    ],
)
def test_a_request_that_breaks_off_takes_nothing(
    staff: Caller, source: SourceSystem, body: bytes, wait: str, states: set[str]
) -> None:
    announced: dict[str, Any] = {
        "CONTENT_TYPE": "text/csv",
        "CONTENT_LENGTH": str(len(body) + 1),
        "wsgi.input": BytesIO(body),
    }
    response = staff.client.generic("POST", f"{PATH}?source_system=SW1&wait={wait}", headers=staff.headers, **announced)
    assert_error(response, 400, "parse_error")
    assert not UsageDataRecord.objects.exists()
    assert {found.state for found in UsageImport.objects.all()} == states


def test_imports_are_listed_newest_first(staff: Caller) -> None:
    ids = [str(UsageImportFactory().id) for _ in range(3)]
    with CaptureQueriesContext(connection) as few:
        first = staff.ask(f"{PATH}?limit=1")
    with CaptureQueriesContext(connection) as many:
        rest = staff.ask(f"{PATH}?limit=2&cursor={first['meta']['next_cursor']}")
    assert [row["id"] for page in (first, rest) for row in page["data"]] == ids[::-1]
    assert len(few) == len(many)


@pytest.mark.parametrize("name", ["file", "upload"])
def test_a_form_has_nothing_but_the_file(staff_key: str, source: SourceSystem, name: str) -> None:
    form: dict[str, Any] = {name: SimpleUploadedFile("calls.csv", CSV)} | ({"wait": "true"} if name == "file" else {})
    response = Client(headers={"Authorization": f"Bearer {staff_key}"}).post(f"{PATH}?source_system=SW1", form)
    wrong = "wait" if name == "file" else "upload"
    assert_error(response, 400, "invalid", **{wrong: ["A form has one member, the file."]})
    assert not UsageImport.objects.exists()
