"""The same again: whole files, rows, and numbers that say something else the second time."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.db import connection, transaction

from billing.operations.usage_records import set_directive
from catalog.queries.keyset import estimated_rows
from tests.factories import SourceSystemFactory, SubscriptionServiceFactory, UsageTypeFactory, UserFactory
from tests.usage.taking import AT, HEADER, ROW, counts, held, lines, make_company, records, refusal, take
from usage.choices import BillingDirective
from usage.models import QuarantinedLine, SourceSystem, UsageConflict, UsageDataRecord, UsageImport
from usage.operations.imports import import_usage
from usage.operations.interrupted import recover_interrupted_imports

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def row(number: int, amount: str = "60") -> str:
    return ROW.replace("R1,", f"R{number},").replace(",60", f",{amount}")


def conflicts() -> list[tuple[int, str, dict[str, list[str | None]], str]]:
    found = UsageConflict.objects.order_by("usage_import_id", "line_number")
    return list(found.values_list("line_number", "record__number", "differences", "raw_text"))


def test_the_same_file_again_is_its_first_import_unchanged() -> None:
    content = lines(row(1), row(2, "x"), row(1, "61"))
    first = take(content)
    before = UsageImport.objects.values().get(), held()
    again = take(content, name="other.csv", at=AT + timedelta(days=1))
    assert (again.id, again.file_name, again.started_at) == (first.id, "calls.csv", AT)
    assert (UsageImport.objects.values().get(), held()) == before


def test_the_same_file_for_another_source_system_is_another_import(source: SourceSystem) -> None:
    other = SourceSystemFactory(name="Other switch")
    first, second = take(lines(row(1)), source=source), take(lines(row(1)), source=other)
    assert first.sha256 == second.sha256
    assert counts(first) == counts(second) == {"accepted": 1}
    assert records("source_system__name", "number") == [("Switch", "R1"), ("Other switch", "R1")]


def test_rows_that_were_there_before_are_counted_as_duplicates() -> None:
    take(lines(row(1), row(2), row(3)))
    second = take(lines(row(3), row(4), row(1), row(5, "x")))
    assert counts(second) == {"accepted": 1, "duplicates": 2, "quarantined": 1}
    assert records("number", "line_number") == [("R1", 2), ("R2", 3), ("R3", 4), ("R4", 3)]
    third = take(lines(row(3), row(4)))
    assert counts(third) == {"duplicates": 2}


def test_the_same_content_in_other_words_is_a_duplicate() -> None:
    take(lines(row(1)))
    same = "R1, +49301 ,CALL,2026-01-15 13:00:00+01:00,2026-01-15T12:01Z,6.0e1"
    assert counts(take(lines(same))) == {"duplicates": 1}
    assert counts(take(lines(f"{ROW},Call,TO_BE_BILLED,,", header=f"{HEADER},type,billing_directive,region,x"))) == {
        "duplicates": 1
    }


def test_a_number_with_other_content_is_a_conflict_and_the_record_stands() -> None:
    SubscriptionServiceFactory(identifier="+49302")
    take(lines(row(1)))
    before = UsageDataRecord.objects.values().get()
    other = "R1,+49302,CALL,2026-01-15T12:00:01Z,2026-01-15T12:01:00Z,61"
    second = take(lines(row(2), other, row(1)))
    assert counts(second) == {"accepted": 1, "duplicates": 1, "conflicts": 1}
    differences = {
        "service": ["+49301", "+49302"],
        "from_date": ["2026-01-15T12:00:00.000000Z", "2026-01-15T12:00:01.000000Z"],
        "usage_amount": ["60", "61"],
    }
    assert conflicts() == [(3, "R1", differences, other)]
    assert UsageDataRecord.objects.values().get(number="R1") == before


@pytest.mark.parametrize(
    ("field", "first", "second"),
    [
        ("type", "Call", "Text"),
        ("billing_directive", "TO_BE_BILLED", "NOT_TO_BE_BILLED"),
        ("billing_effective_date", "2026-01-15", "2026-01-16"),
        ("destination", "+49", ""),
        ("region", "", "EU"),
        ("total_amount", "", "0.01"),
        ("total_amount", "0.01", "0.010000000000000001"),
        ("udf_string_1", "a", "A"),
        ("udf_string_8", "", "a"),
        ("udf_float_2", "1", "1.5"),
        ("udf_date_3", "2026-01-01", ""),
    ],
)
def test_every_field_may_differ(field: str, first: str, second: str) -> None:
    header = f"{HEADER},{field}"
    UsageTypeFactory(name="Text")
    take(lines(f"{ROW},{first}", header=header))
    assert counts(take(lines(f"{ROW},{second}", header=header))) == {"conflicts": 1}
    # Nothing is spelt as it is kept: destination and region are empty texts.
    stands, came = ((text or None, text)[field in {"destination", "region"}] for text in (first, second))
    assert conflicts() == [(2, "R1", {field: [stands, came]}, f"{ROW},{second}")]
    assert counts(take(lines(f"{ROW},{first}", row(2) + ",", header=header))) == {"accepted": 1, "duplicates": 1}


def test_repeats_within_a_file_are_duplicates_and_conflicts_of_its_first_row() -> None:
    taken = take(lines(row(1), row(1), row(1, "61"), row(2), row(1, "x"), row(1)))
    assert counts(taken) == {"accepted": 2, "duplicates": 2, "conflicts": 1, "quarantined": 1}
    assert conflicts() == [(4, "R1", {"usage_amount": ["60", "61"]}, row(1, "61"))]
    assert records("number", "usage_amount", "line_number") == [("R1", Decimal(60), 2), ("R2", Decimal(60), 5)]


@pytest.mark.parametrize(
    "planner", [[], ["enable_hashjoin", "enable_nestloop"], ["enable_mergejoin", "enable_nestloop"]]
)
def test_of_one_number_the_first_row_of_the_file_is_taken_however_the_database_joins(planner: list[str]) -> None:
    for number in range(10, 60):
        SubscriptionServiceFactory(identifier=f"+490{number}")
    # Sorted by service, the last row of the file would come first.
    rows = [f"R1,+490{number},CALL,2026-01-15T12:00:00Z,,{number}" for number in range(59, 9, -1)]
    with connection.cursor() as cursor:
        for setting in planner:
            cursor.execute(f"SET LOCAL {setting} = off")
    taken = take(lines(*rows))
    assert counts(taken) == {"accepted": 1, "conflicts": 49}
    assert records("line_number", "usage_amount") == [(2, Decimal(59))]


def test_many_repeats_conflicts_and_faults_take_no_longer_than_as_many_records() -> None:
    def file(note: str, amounts: Sequence[str]) -> str:
        rows = (f'{row(n, amounts[n % len(amounts)])},"a\n{note}"' for n in range(9_000))
        return lines(*rows, f"{row(0)},", header=f"{HEADER},note")

    undone = transaction.savepoint()
    take(file("", ["60"]))
    transaction.savepoint_rollback(undone)
    with connection.cursor() as cursor:
        # As after an import that was undone: the planner takes a table of many pages for one without rows.
        cursor.execute("ANALYZE usage_data_record")
        # Each statement takes a fraction of a second; where its time grows with the square of the rows, many.
        cursor.execute("SET LOCAL statement_timeout = '4s'")
    assert counts(take(file("", ["60"]))) == {"accepted": 9_000, "duplicates": 1}
    second = take(file("b", ["60", "61", "sixty"]))
    assert counts(second) == {"duplicates": 3_001, "conflicts": 3_000, "quarantined": 3_000}
    # Rows are two lines each, from line 2 on.
    found = UsageConflict.objects.order_by("line_number").values_list("line_number", flat=True)
    assert list(found) == [2 + 2 * n for n in range(1, 9_000, 3)]


def test_numbers_that_were_made_for_rows_without_one_repeat_nothing() -> None:
    unnumbered = row(1).replace("R1,", ",")
    assert counts(take(lines(unnumbered, unnumbered))) == {"accepted": 2}
    assert counts(take(lines(unnumbered))) == {"accepted": 1}


def test_a_failed_import_may_be_tried_again() -> None:
    broken = lines(row(1), "R2")
    refusal(broken)
    refusal(broken)
    assert counts(take(lines(row(1), row(2)))) == {"accepted": 2}
    refusal(broken)
    states = UsageImport.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["FAILED", "FAILED", "COMPLETED", "FAILED"]


def test_a_file_that_failed_for_what_was_not_there_is_taken_when_it_is(source: SourceSystem) -> None:
    source.column_mapping = {"number": "{Id}"}
    source.save()
    refusal(lines(row(1)))
    source.column_mapping = {}
    source.save()
    assert counts(take(lines(row(1)))) == {"accepted": 1}


def test_quarantined_rows_may_come_again_and_go_in() -> None:
    first = take(lines(row(1), row(2).replace("+49301", "+49302")))
    assert counts(first) == {"accepted": 1, "quarantined": 1}
    SubscriptionServiceFactory(identifier="+49302")
    second = take(lines(row(2).replace("+49301", "+49302")))
    assert counts(second) == {"accepted": 1}
    assert QuarantinedLine.objects.count() == 1


def test_who_imported_what_and_when_is_kept(source: SourceSystem) -> None:
    clerk = UserFactory()
    taken = import_usage(
        source_system_id=source.id, file=BytesIO(lines(row(1)).encode()), file_name="a.csv", at=AT, user_id=clerk.id
    )
    stored = UsageImport.objects.get()
    assert stored == taken
    assert (stored.created_by, stored.started_at, stored.finished_at, stored.file_name) == (clerk, AT, AT, "a.csv")
    assert stored.byte_count == len(lines(row(1)))
    assert records("created_by") == [(clerk.id,)]


def test_only_an_import_that_has_had_a_minute_counts_as_interrupted(source: SourceSystem) -> None:
    running = UsageImport.objects.create(source_system=source, file_name="a.csv", started_at=AT)
    assert recover_interrupted_imports(at=AT + timedelta(seconds=60)) == 0
    assert recover_interrupted_imports(at=AT + timedelta(seconds=61)) == 1
    assert recover_interrupted_imports(at=AT + timedelta(seconds=62)) == 0
    running.refresh_from_db()
    assert (running.state, running.error, running.finished_at) == (
        "FAILED",
        "The import was interrupted, nothing was taken. Send the file again.",
        AT + timedelta(seconds=61),
    )


def test_what_people_directed_otherwise_is_a_duplicate_when_it_comes_as_it_came_first() -> None:
    header = f"{HEADER},billing_directive"
    take(lines(f"{ROW},", header=header))
    record = UsageDataRecord.objects.get()
    for directive in ("NOT_TO_BE_BILLED", "TO_BE_CREDITED"):
        set_directive(record_id=record.pk, directive=BillingDirective(directive), at=AT, user_id=None)
    assert counts(take(lines(f"{ROW},TO_BE_BILLED", header=header))) == {"duplicates": 1}
    # What was never sent is news; so is another amount beside the first directive.
    assert counts(take(lines(f"{ROW},NOT_TO_BE_BILLED", header=header))) == {"conflicts": 1}
    assert counts(take(lines(f"{ROW}0,TO_BE_BILLED", header=header))) == {"conflicts": 1}
    assert [found for *_, found, _ in conflicts()] == [
        {"billing_directive": ["TO_BE_CREDITED", "NOT_TO_BE_BILLED"]},
        {"usage_amount": ["60", "600"], "billing_directive": ["TO_BE_CREDITED", "TO_BE_BILLED"]},
    ]


def test_after_an_import_that_doubles_the_records_the_planner_knows_how_many_there_are() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE usage_data_record, pending_usage")
    assert estimated_rows("usage_data_record") == 0
    take(lines(*(row(n) for n in range(10_000))))
    assert [estimated_rows(table) for table in ("usage_data_record", "pending_usage")] == [10_000, 10_000]
