"""`usage_imports` of the usage API: files sent, and what became of their lines."""

import gzip
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import UnreadablePostError
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.api.caller import Caller, assert_error, parsed
from tests.factories.catalog import ProductFactory
from tests.factories.customers import SubscriptionServiceFactory
from tests.factories.usage import (
    QuarantinedLineFactory,
    SourceSystemFactory,
    UsageConflictFactory,
    UsageDataRecordFactory,
    UsageImportFactory,
)
from usage.api.upload import WholeStream
from usage.models import SourceSystem, UsageDataRecord, UsageImport

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


def sent(staff: Caller, body: bytes = CSV, query: str = "source_system=Switch%201", **headers: str) -> Any:
    return staff.send("POST", f"{PATH}?{query}", body, **({"content_type": "text/csv"} | headers))


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
        "state": "COMPLETED",
        "received": 3,
        "accepted": 2,
        "duplicates": 0,
        "conflicts": 0,
        "quarantined": 1,
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


@pytest.mark.parametrize(
    "query", ["source_system=SW1", "source_system=Switch 1&wait=true", "source_system=SW1&wait=false"]
)
def test_the_answer_is_the_finished_import_whether_it_was_waited_for_or_not(
    staff: Caller, source: SourceSystem, query: str
) -> None:
    response = sent(staff, query=query)
    assert (response.status_code, parsed(response)["state"]) == (202, "COMPLETED")


def test_the_same_file_again_is_its_first_import(staff: Caller, source: SourceSystem) -> None:
    first, second = sent(staff), sent(staff)
    assert (second.status_code, second.content) == (202, first.content)
    assert UsageImport.objects.count() == 1


@pytest.mark.parametrize(
    ("content_type", "content_encoding"),
    [("text/csv", "gzip"), ("text/csv; charset=utf-8", ""), ("application/gzip", ""), ("application/x-gzip", "")],
)
def test_gzip_is_taken_off(staff: Caller, source: SourceSystem, content_type: str, content_encoding: str) -> None:
    response = sent(staff, gzip.compress(CSV), content_type=content_type, content_encoding=content_encoding)
    assert (response.status_code, parsed(response)["received"]) == (202, 3)
    assert parsed(response)["sha256"] == parsed(sent(staff))["sha256"]


@pytest.mark.parametrize("is_gzipped", [False, True])
def test_a_form_with_a_file(staff_key: str, source: SourceSystem, is_gzipped: bool) -> None:  # noqa: FBT001
    file = SimpleUploadedFile("calls.csv", gzip.compress(CSV) if is_gzipped else CSV)
    response = Client().post(
        f"{PATH}?source_system=SW1", {"file": file}, headers={"Authorization": f"Bearer {staff_key}"}
    )
    assert response.status_code == 202
    assert (parsed(response)["file_name"], parsed(response)["received"]) == ("calls.csv", 3)


def test_a_form_without_a_file(staff_key: str, source: SourceSystem) -> None:
    response = Client().post(
        f"{PATH}?source_system=SW1", {"file": "no"}, headers={"Authorization": f"Bearer {staff_key}"}
    )
    assert_error(response, 400, "invalid", file=["The form has 0 files: send one."])


def test_the_name_of_the_file_may_be_given(staff: Caller, source: SourceSystem) -> None:
    assert parsed(sent(staff, query="source_system=SW1&file_name=monday.csv"))["file_name"] == "monday.csv"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is empty"),
        (b"a\x00b", "NUL"),
        (b"nonsense\n1\n", "there is no column"),
        (CSV + b'R4,"+49301', "not closed"),
        (gzip.compress(CSV)[:-9], "gzip data is broken"),
        (b"\x1f\x8bnonsense", "gzip data is broken"),
    ],
)
def test_a_file_at_fault_is_refused_whole(staff: Caller, source: SourceSystem, body: bytes, reason: str) -> None:
    response = sent(staff, body, query="source_system=SW1&file_name=monday.csv")
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


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/json", "text/plain", ""])
def test_another_type_is_a_415_that_says_what_is_taken(staff: Caller, source: SourceSystem, content_type: str) -> None:
    response = sent(staff, b"{}", content_type=content_type)
    assert_error(response, 415, "unsupported_media_type")
    assert "text/csv" in parsed(response)["detail"]


def test_a_body_that_breaks_off_is_not_a_shorter_file() -> None:
    assert WholeStream(BytesIO(b"12345"), 5).read() == b"12345"
    with pytest.raises(UnreadablePostError, match="ended after 5 of 6 bytes"):
        WholeStream(BytesIO(b"12345"), 6).read()


@pytest.mark.parametrize(("body", "states"), [(b"", set()), (CSV, {"FAILED"}), (gzip.compress(CSV), {"FAILED"})])
def test_a_request_that_breaks_off_takes_nothing(
    staff: Caller, source: SourceSystem, body: bytes, states: set[str]
) -> None:
    announced: dict[str, Any] = {
        "CONTENT_TYPE": "text/csv",
        "CONTENT_LENGTH": str(len(body) + 1),
        "wsgi.input": BytesIO(body),
    }
    response = staff.client.generic("POST", f"{PATH}?source_system=SW1", headers=staff.headers, **announced)
    assert_error(response, 400, "parse_error")
    assert not UsageDataRecord.objects.exists()
    assert {found.state for found in UsageImport.objects.all()} == states


def test_conflicts_name_the_record_that_stands(staff: Caller) -> None:
    record = UsageDataRecordFactory(number="R1")
    conflict = UsageConflictFactory(record=record, line_number=7)
    assert staff.ask(f"{PATH}/{conflict.usage_import_id}/conflicts") == {
        "data": [
            {
                "id": str(conflict.id),
                "line_number": 7,
                "record_id": str(record.id),
                "record_number": "R1",
                "differing_fields": ["usage_amount"],
                "raw_text": "R000001,61",
            }
        ],
        "meta": {"limit": 1, "next_cursor": ""},
    }


@pytest.mark.parametrize(
    ("name", "make"), [("quarantine", QuarantinedLineFactory), ("conflicts", UsageConflictFactory)]
)
def test_lines_are_paged_in_the_order_of_the_file(staff: Caller, name: str, make: Any) -> None:
    usage_import = UsageImportFactory()
    for line_number in (30, 10, 20):
        make(usage_import=usage_import, line_number=line_number)
    make()
    path = f"{PATH}/{usage_import.id}/{name}"
    with CaptureQueriesContext(connection) as few:
        first = staff.ask(f"{path}?limit=1")
    with CaptureQueriesContext(connection) as many:
        rest = staff.ask(f"{path}?cursor={first['meta']['next_cursor']}")
    assert [[row["line_number"] for row in page["data"]] for page in (first, rest)] == [[10], [20, 30]]
    assert rest["meta"]["next_cursor"] == ""
    assert len(few) == len(many)


def test_imports_are_listed_newest_first(staff: Caller) -> None:
    ids = [str(UsageImportFactory().id) for _ in range(3)]
    with CaptureQueriesContext(connection) as few:
        first = staff.ask(f"{PATH}?limit=1")
    with CaptureQueriesContext(connection) as many:
        rest = staff.ask(f"{PATH}?limit=2&cursor={first['meta']['next_cursor']}")
    assert [row["id"] for page in (first, rest) for row in page["data"]] == ids[::-1]
    assert len(few) == len(many)
