"""What the first rows of a file would become, found out by taking them in and keeping nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from tests.factories import SubscriptionServiceFactory
from tests.usage.stored import receive
from tests.usage.taking import HEADER, ROW, leftovers, lines, make_company, session_timezone, take
from tests.usage.workbooks import Value, workbook
from usage.models import SourceSystem, UsageImport
from usage.operations.preview import PreviewRow, preview_import

pytestmark = pytest.mark.django_db

DUPLICATE = "A record with this number and content is there already."


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def row(number: int, amount: str = "60") -> str:
    return ROW.replace("R1,", f"R{number},").replace(",60", f",{amount}")


def contents() -> dict[str, list[Any]]:
    """All rows of all tables of usage and customers."""
    models = [*apps.get_app_config("usage").get_models(), *apps.get_app_config("customers").get_models()]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


@contextmanager
def nothing_kept() -> Iterator[None]:
    before = contents()
    yield
    assert contents() == before
    assert leftovers() == []
    assert session_timezone() == "UTC"
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def preview(content: str | bytes, name: str = "calls.csv", **more: Any) -> tuple[tuple[PreviewRow, ...], str]:
    """The rows and the fault of a file's preview."""
    kept = receive(content, is_queued=False, name=name)
    with nothing_kept():
        shown = preview_import(import_id=kept.pk, **more)
    return shown.rows, shown.fault


def outcomes(rows: tuple[PreviewRow, ...]) -> list[tuple[int, str, str]]:
    return [(row.line_number, row.outcome, row.detail) for row in rows]


def test_each_outcome_is_shown_with_its_reason(source: SourceSystem) -> None:
    take(lines(row(1), row(2)))
    source.timezone = "Asia/Tokyo"
    source.save()
    rows, fault = preview(lines(row(1), row(2, "61"), row(3), row(4, "x"), row(3), row(3, "0")))
    assert fault == ""
    assert outcomes(rows) == [
        (2, "duplicate", DUPLICATE),
        (3, "conflict", "Record R2 is there already and says something else: usage_amount."),
        (4, "accepted", ""),
        (5, "quarantined", "usage_amount “x” is not a number with at most 20 digits before the point and 18 after it."),
        (6, "duplicate", DUPLICATE),
        (7, "conflict", "Record R3 is there already and says something else: usage_amount."),
    ]
    assert [row.raw for row in rows][2:4] == [tuple(row(3).split(",")), tuple(row(4, "x").split(","))]


def test_what_would_be_stored_is_shown_as_histories_show_it(source: SourceSystem) -> None:
    source.timezone = "Europe/Berlin"
    source.save()
    header = f"{HEADER},region,udf_float_1,udf_date_1,total_amount"
    rows, _ = preview(lines("R1,+49301,CALL,2026-01-15 13:00:00,,1e-18,,0,2026-01-31,100", header=header))
    assert [row.values for row in rows] == [
        {
            "service": "+49301",
            "from_date": "2026-01-15T12:00:00Z",
            "usage_amount": "0.000000000000000001",
            "number": "R1",
            "type": "Call",
            "product": "CALL",
            "to_date": "2026-01-15T12:00:00Z",
            "billing_directive": "TO_BE_BILLED",
            "billing_effective_date": "2026-01-15",
            "total_amount": "100",
            "life_cycle_state": "POSTED",
            "udf_float_1": "0",
            "udf_date_1": "2026-01-31",
        }
    ]


def test_only_the_first_rows_are_looked_at() -> None:
    content = lines(*(row(n) for n in range(50)))
    rows, _ = preview(content)
    assert [row.line_number for row in rows] == list(range(2, 12))
    rows, _ = preview(content + "R,,\n" * 9, row_count=3)
    assert [row.line_number for row in rows] == [2, 3, 4]


def test_rows_that_span_lines_are_whole() -> None:
    header = f"{HEADER},udf_string_1"
    rows, _ = preview(lines(*(f'{row(n)},"a\n\n{n}"' for n in range(4)), header=header), row_count=2)
    assert [(row.line_number, row.raw[6], row.values["udf_string_1"]) for row in rows] == [
        (2, "a\n\n0", "a\n\n0"),
        (5, "a\n\n1", "a\n\n1"),
    ]


def test_another_mapping_is_tried_and_not_kept(source: SourceSystem) -> None:
    content = lines("X,+49301,CALL,2026-01-15T12:00:00Z,,60", header="id,line,product,from_date,to_date,usage_amount")
    rows, fault = preview(content)
    assert [(row.outcome, row.raw[0]) for row in rows] == [("unread", "X")]
    assert fault.startswith("line 1: there is no column “service”. The header has: id, line, product")
    rows, fault = preview(content, mapping={"number": "A-{id}", "service": "{line}"})
    assert (outcomes(rows), fault) == ([(2, "accepted", "")], "")
    assert rows[0].values["number"] == "A-X"
    source.refresh_from_db()
    assert source.column_mapping == {}


@pytest.mark.parametrize(
    ("mapping", "fault"),
    [
        ({"service": "{line}"}, "line 1: there is no column “line”, which the source system's column mapping names. "),
        ({"nonsense": "x"}, "the column mapping of the source system names no field of a record: nonsense."),
        ({"service": 1}, "the column mapping of the source system gives “service” something other than a text."),
    ],
)
def test_a_mapping_that_is_at_fault_is_said(mapping: dict[str, str], fault: str) -> None:
    rows, said = preview(lines(row(1)), mapping=mapping)
    assert said.startswith(fault)
    assert [(row.line_number, row.outcome, row.raw) for row in rows] == [(2, "unread", tuple(row_cells(1)))]


def row_cells(number: int) -> list[str]:
    return row(number).split(",")


@pytest.mark.parametrize(
    ("content", "fault", "row_count"),
    [
        (lines(row(1), "R2"), "line 3: it has 1 column, the header 6.", 2),
        (lines(row(1), 'R2,"'), "line 3: in the row that starts there a quoted field is not closed", 0),
        ("number,number\n1,2\n", "line 1: the column “number” stands in the header twice.", 1),
    ],
)
def test_a_file_that_is_at_fault_is_said(content: str, fault: str, row_count: int) -> None:
    rows, said = preview(content)
    assert said.startswith(fault)
    assert [row.outcome for row in rows] == ["unread"] * row_count


def test_a_file_of_nothing_but_a_header_shows_nothing() -> None:
    assert preview(lines()) == ((), "")


def test_lines_of_json_are_shown_whole() -> None:
    good = {"number": "R1", "service": "+49301", "product": "CALL", "from_date": "2026-01-15T12:00Z", "usage_amount": 0}
    content = [json.dumps({**good, "note": 'a\u2028b, "c"'}, ensure_ascii=False), "", "nonsense"]
    rows, fault = preview("\n".join(content), name="a.ndjson")
    assert fault == ""
    assert [(row.line_number, row.raw, row.outcome) for row in rows] == [
        (1, (content[0],), "accepted"),
        (3, ("nonsense",), "quarantined"),
    ]
    assert rows[0].values["usage_amount"] == "0"
    rows, fault = preview("\n".join(content), name="a.ndjson", mapping={"service": ""})
    assert fault.startswith("line 1: there is no column “service”.")
    assert [(row.line_number, row.raw, row.outcome) for row in rows] == [
        (1, (content[0],), "unread"),
        (2, ("",), "unread"),
        (3, ("nonsense",), "unread"),
    ]


def test_a_workbook_is_shown_by_its_cells() -> None:
    table: list[list[Value]] = [[*HEADER.split(",")], ["R1", "+49301", "CALL", "2026-01-15T12:00:00Z", None, 1.5]]
    rows, fault = preview(workbook(table), name="calls.xlsx")
    assert fault == ""
    assert [(row.raw, row.outcome) for row in rows] == [
        (("R1", "+49301", "CALL", "2026-01-15T12:00:00Z", "", "1.5"), "accepted")
    ]


def test_what_is_not_stored_any_more_has_nothing_to_show() -> None:
    done = take(lines(row(1)))
    shown = preview_import(import_id=done.pk)
    assert (shown.rows, shown.fault) == ((), "it is empty: there is not even a header line.")


def test_the_preview_says_what_the_import_does() -> None:
    SubscriptionServiceFactory(identifier="+49302")
    content = lines(row(1), row(1), row(2, "x"), row(1, "61"), row(3).replace("+49301", "+49302"), row(4))
    rows, _ = preview(content)
    take(content)
    done = UsageImport.objects.get(state="COMPLETED")
    found: dict[int | None, str] = dict.fromkeys(range(2, 8), "duplicate")
    found |= dict.fromkeys(done.usage_data_records.values_list("line_number", flat=True), "accepted")
    found |= dict.fromkeys(done.conflicts.values_list("line_number", flat=True), "conflict")
    found |= dict.fromkeys(done.quarantined_lines.values_list("line_number", flat=True), "quarantined")
    assert {row.line_number: row.outcome for row in rows} == found
