"""Lines of an import that became no record: quarantine and conflicts, looked at and worked off."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.operations.api_keys import create_api_key
from tests.api.caller import Caller, assert_error, parsed
from tests.factories.customers import SubscriptionServiceFactory, UserFactory
from tests.factories.usage import (
    QuarantinedLineFactory,
    UsageConflictFactory,
    UsageDataRecordFactory,
    UsageImportFactory,
)
from tests.usage.taking import lines, make_company, take
from usage.models import PendingUsage, QuarantinedLine, UsageConflict, UsageDataRecord, UsageImport

pytestmark = pytest.mark.django_db

PATH = "/usage/v1/usage_imports"
GOOD = "R1,+49301,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,60"
UNKNOWN = "R2,+49399,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,60"
NO_NUMBER = "R3,+49301,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,sixty"
OTHER = "R1,+49301,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,61"


@pytest.fixture
def usage_import(db: None) -> UsageImport:
    """One record, two lines in quarantine (3 and 4), one conflict (5)."""
    make_company()
    return take(lines(GOOD, UNKNOWN, NO_NUMBER, OTHER))


@pytest.fixture
def path(usage_import: UsageImport) -> str:
    return f"{PATH}/{usage_import.id}"


def line_path(path: str, line_number: int) -> str:
    return f"{path}/quarantine/{QuarantinedLine.objects.get(line_number=line_number).id}"


def counts(shown: Any) -> tuple[int, ...]:
    return tuple(shown[name] for name in ("received", "accepted", "duplicates", "conflicts", "quarantined"))


def test_quarantine_gives_the_reasons(staff: Caller, path: str) -> None:
    unknown, no_number = QuarantinedLine.objects.order_by("line_number")
    assert staff.ask(f"{path}/quarantine") == {
        "data": [
            {
                "id": str(unknown.id),
                "line_number": 3,
                "reason": "UNKNOWN_SERVICE",
                "field": "service",
                "detail": "No service has the identifier “+49399” at that time.",
                "raw_text": UNKNOWN,
                "corrected_text": "",
                "state": "OPEN",
                "note": "",
                "decided_date": None,
                "decided_by_user": None,
            },
            {
                "id": str(no_number.id),
                "line_number": 4,
                "reason": "BAD_NUMBER",
                "field": "usage_amount",
                "detail": "usage_amount “sixty” is not a number with at most 20 digits before the point and 18 after "
                "it.",
                "raw_text": NO_NUMBER,
                "corrected_text": "",
                "state": "OPEN",
                "note": "",
                "decided_date": None,
                "decided_by_user": None,
            },
        ],
        "meta": {"limit": 2, "next_cursor": ""},
    }
    assert staff.ask(line_path(path, 3))["detail"] == "No service has the identifier “+49399” at that time."


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=OPEN", [3, 4]),
        ("state=RESOLVED", []),
        ("reason=BAD_NUMBER", [4]),
        ("reason=BAD_NUMBER&state=OPEN", [4]),
        ("reason=BAD_NUMBER&state=DISMISSED", []),
        ("reason=nonsense", None),
        ("state=", None),
    ],
)
def test_quarantine_is_filtered(staff: Caller, path: str, query: str, found: list[int] | None) -> None:
    if found is None:
        assert_error(staff.get(f"{path}/quarantine?{query}"), 400, "invalid")
    else:
        assert [line["line_number"] for line in staff.ask(f"{path}/quarantine?{query}")["data"]] == found


def test_conflicts_give_both_sides(staff: Caller, path: str) -> None:
    record, conflict = UsageDataRecord.objects.get(), UsageConflict.objects.get()
    assert staff.ask(f"{path}/conflicts") == {
        "data": [
            {
                "id": str(conflict.id),
                "line_number": 5,
                "record_id": str(record.id),
                "record_number": "R1",
                "differences": {"usage_amount": {"record": "60", "sent": "61"}},
                "raw_text": OTHER,
                "decision": "OPEN",
                "note": "",
                "decided_date": None,
                "decided_by_user": None,
                "replacement_id": None,
            }
        ],
        "meta": {"limit": 1, "next_cursor": ""},
    }
    assert [len(staff.ask(f"{path}/conflicts?decision={name}")["data"]) for name in ("OPEN", "KEPT")] == [1, 0]
    assert_error(staff.get(f"{path}/conflicts?decision=x"), 400, "invalid")


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


def test_a_line_is_corrected_and_goes_in(staff: Caller, path: str) -> None:
    line = line_path(path, 4)
    corrected = parsed(staff.send("PATCH", line, {"values": {"usage_amount": "60"}}))
    assert (corrected["raw_text"], corrected["corrected_text"]) == (NO_NUMBER, NO_NUMBER.replace("sixty", "60"))
    assert (corrected["state"], corrected["reason"]) == ("OPEN", "BAD_NUMBER")

    response = staff.send("POST", f"{line}/reprocess")
    tried = parsed(response)
    assert response.status_code == 200
    assert {name: value for name, value in tried.items() if name != "line"} == {
        "tried": 1,
        "accepted": 1,
        "duplicates": 0,
        "conflicts": 0,
        "quarantined": 0,
    }
    assert (tried["line"]["state"], tried["line"]["decided_by_user"]) == ("RESOLVED", "clerk")
    assert counts(staff.ask(path)) == (4, 2, 0, 1, 1)
    assert UsageDataRecord.objects.get(number="R3").usage_amount == 60
    assert PendingUsage.objects.count() == 2


def test_a_line_is_corrected_as_a_whole(staff: Caller, path: str) -> None:
    line = line_path(path, 3)
    text = UNKNOWN.replace("+49399", "+49301")
    assert parsed(staff.send("PATCH", line, {"text": text}))["corrected_text"] == text
    assert parsed(staff.send("POST", f"{line}/reprocess"))["line"]["state"] == "RESOLVED"


def test_a_line_that_is_still_wrong_says_what(staff: Caller, path: str) -> None:
    line = line_path(path, 4)
    staff.send("PATCH", line, {"values": {"usage_amount": "60", "product": "NOPE"}})
    tried = parsed(staff.send("POST", f"{line}/reprocess"))
    assert (tried["tried"], tried["quarantined"]) == (1, 1)
    assert (tried["line"]["state"], tried["line"]["reason"]) == ("OPEN", "UNKNOWN_PRODUCT")
    assert tried["line"]["detail"] == "No usage product has the code “NOPE”."
    assert counts(staff.ask(path)) == (4, 1, 0, 1, 2)


def test_all_open_lines_are_tried_again(staff: Caller, path: str) -> None:
    SubscriptionServiceFactory(identifier="+49399")
    response = staff.send("POST", f"{path}/reprocess")
    assert response.status_code == 200
    assert parsed(response) == {"tried": 2, "accepted": 1, "duplicates": 0, "conflicts": 0, "quarantined": 1}
    assert counts(staff.ask(path)) == (4, 2, 0, 1, 1)
    assert parsed(staff.send("POST", f"{path}/reprocess"))["tried"] == 1


def test_a_line_is_dismissed_for_good(staff: Caller, path: str) -> None:
    line = line_path(path, 3)
    response = staff.send("POST", f"{line}/dismiss", {"note": "Test number"})
    shown = parsed(response)
    assert response.status_code == 200
    assert (shown["state"], shown["note"], shown["decided_by_user"]) == ("DISMISSED", "Test number", "clerk")
    assert shown["decided_date"] is not None
    assert staff.ask(line) == shown

    for method, name, body in (
        ("POST", "/dismiss", {"note": "Again"}),
        ("PATCH", "", {"text": UNKNOWN}),
        ("POST", "/reprocess", None),
    ):
        assert_error(staff.send(method, f"{line}{name}", body), 409, "wrong_state")
    assert parsed(staff.send("POST", f"{path}/reprocess"))["tried"] == 1
    assert counts(staff.ask(path)) == (4, 1, 0, 1, 2)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"values": {"nope": "1"}}, "The file has no column “nope”."),
        ({"text": "a,b"}, "The line has 2 columns; it is one row of 6 columns."),
        ({"text": f"{GOOD}\n{GOOD}"}, "The line has 2 rows; it is one row of 6 columns."),
        ({"text": '"'}, "The line is not CSV"),
    ],
)
def test_what_is_no_row_of_the_file_is_a_422(staff: Caller, path: str, body: Any, sentence: str) -> None:
    response = staff.send("PATCH", line_path(path, 3), body)
    assert_error(response, 422, "refused")
    assert parsed(response)["detail"].startswith(sentence)
    assert QuarantinedLine.objects.get(line_number=3).corrected_text == ""


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": GOOD, "values": {}},
        {"text": ""},
        {"text": 7},
        {"text": None},
        {"text": "\0"},
        {"text": "\ud800"},
        {"values": []},
        {"values": None},
        {"values": {"usage_amount": 60}},
        {"values": {"usage_amount": "\0"}},
        {"values": {"\ud800": "x"}},
        {"values": {f"c{n}": "" for n in range(501)}},
        {"state": "RESOLVED"},
        [],
        7,
    ],
)
def test_an_odd_correction_is_a_400(staff: Caller, path: str, body: Any) -> None:
    assert_error(staff.send("PATCH", line_path(path, 3), body), 400, "invalid")


@pytest.mark.parametrize("body", [None, {}, {"note": ""}, {"note": " "}, {"note": None}, {"note": 7}, {"why": "x"}])
def test_dismissing_needs_a_note(staff: Caller, path: str, body: Any) -> None:
    assert_error(staff.send("POST", f"{line_path(path, 3)}/dismiss", body), 400, "invalid")
    assert QuarantinedLine.objects.get(line_number=3).state == "OPEN"


@pytest.mark.parametrize("decision", ["KEPT", "DISMISSED"])
def test_a_conflict_is_decided_and_the_record_stands(staff: Caller, path: str, decision: str) -> None:
    conflict = UsageConflict.objects.get()
    response = staff.send(
        "POST", f"{path}/conflicts/{conflict.id}/decide", {"decision": decision, "note": "The first is right"}
    )
    shown = parsed(response)
    assert response.status_code == 200
    assert (shown["decision"], shown["note"], shown["decided_by_user"]) == (decision, "The first is right", "clerk")
    assert (shown["decided_date"] is not None, shown["replacement_id"]) == (True, None)
    assert staff.ask(f"{path}/conflicts")["data"] == [shown]
    assert [record.number for record in UsageDataRecord.objects.all()] == ["R1"]
    again = staff.send("POST", f"{path}/conflicts/{conflict.id}/decide", {"decision": "KEPT"})
    assert_error(again, 409, "wrong_state")


def test_a_line_takes_the_place_of_the_record(staff: Caller, path: str) -> None:
    conflict = UsageConflict.objects.get()
    shown = parsed(staff.send("POST", f"{path}/conflicts/{conflict.id}/decide", {"decision": "REPLACED"}))
    successor = UsageDataRecord.objects.get(number="R1~2")
    assert (shown["decision"], shown["replacement_id"]) == ("REPLACED", str(successor.id))
    record = staff.ask(f"/usage/v1/usage_data_records/{successor.id}")
    assert (record["usage_amount"], record["original"]["number"]) == (61, "R1")
    assert PendingUsage.objects.get().record == successor


def test_only_a_pending_record_is_replaced(staff: Caller, path: str) -> None:
    PendingUsage.objects.all().delete()
    conflict = UsageConflict.objects.get()
    response = staff.send("POST", f"{path}/conflicts/{conflict.id}/decide", {"decision": "REPLACED"})
    assert_error(response, 409, "wrong_state")
    assert "not pending" in parsed(response)["detail"]
    assert UsageConflict.objects.get().decision == "OPEN"


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"decision": "OPEN"},
        {"decision": 7},
        {"decision": "KEPT", "note": 7},
        {"decision": "KEPT", "x": 1},
    ],
)
def test_an_odd_decision_is_a_400(staff: Caller, path: str, body: Any) -> None:
    conflict = UsageConflict.objects.get()
    assert_error(staff.send("POST", f"{path}/conflicts/{conflict.id}/decide", body), 400, "invalid")
    assert UsageConflict.objects.get().decision == "OPEN"


@pytest.mark.parametrize("slash", ["", "/"])
def test_lines_of_another_import_are_not_found(staff: Caller, path: str, slash: str) -> None:
    line, conflict = QuarantinedLineFactory(), UsageConflictFactory(record=UsageDataRecordFactory())
    body = {"note": "x"}
    for line_id in (line.id, 999_999, "x", 0):
        assert_error(staff.get(f"{path}/quarantine/{line_id}{slash}"), 404, "not_found")
        assert_error(staff.send("PATCH", f"{path}/quarantine/{line_id}{slash}", body), 404, "not_found")
        assert_error(staff.send("POST", f"{path}/quarantine/{line_id}/dismiss{slash}", body), 404, "not_found")
        assert_error(staff.send("POST", f"{path}/quarantine/{line_id}/reprocess{slash}"), 404, "not_found")
    for conflict_id in (conflict.id, 999_999, "x"):
        assert_error(staff.send("POST", f"{path}/conflicts/{conflict_id}/decide{slash}", body), 404, "not_found")
    assert_error(staff.send("POST", f"{PATH}/999999/reprocess{slash}"), 404, "not_found")


def test_an_import_that_is_not_done_has_no_lines_to_try(staff: Caller) -> None:
    usage_import = UsageImportFactory(state="QUEUED", finished_at=None)
    response = staff.send("POST", f"{PATH}/{usage_import.id}/reprocess")
    assert_error(response, 409, "wrong_state")
    assert "waiting for a worker" in parsed(response)["detail"]


@pytest.mark.parametrize(
    ("method", "name", "permission"),
    [
        ("PATCH", "quarantine/1", "change_quarantinedline"),
        ("POST", "quarantine/1/dismiss", "change_quarantinedline"),
        ("POST", "quarantine/1/reprocess", "change_quarantinedline"),
        ("POST", "reprocess", "change_quarantinedline"),
        ("POST", "conflicts/1/decide", "change_usageconflict"),
    ],
)
def test_working_them_off_needs_scope_and_permission(db: None, method: str, name: str, permission: str) -> None:
    user = UserFactory(username="reader")
    path = f"{PATH}/1/{name}"
    without = Caller(create_api_key(scopes=["read", "write", "billing:run"], user_id=user.id)[1])
    assert_error(without.send(method, path), 403, "scope_missing")
    caller = Caller(create_api_key(scopes=["usage:write"], user_id=user.id)[1])
    response = caller.send(method, path)
    assert_error(response, 403, "permission_denied")
    assert parsed(response)["detail"] == f"The user reader lacks the permission usage.{permission}."
    user.user_permissions.add(Permission.objects.get(codename=permission))
    assert_error(caller.send(method, path), 404, "not_found")


def test_a_step_that_is_sent_twice_is_done_once(staff: Caller, path: str) -> None:
    staff.send("PATCH", line_path(path, 4), {"values": {"usage_amount": "60"}})
    first, second = (staff.send("POST", f"{path}/reprocess", idempotency_key="k1") for _ in range(2))
    assert parsed(first)["tried"] == 2
    assert second.content == first.content
