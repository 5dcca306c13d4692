"""A row contradicts a record: a person keeps it, lets the row replace it while it is pending, or dismisses the row."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from customers.models import Subscription
from tests.factories import (
    ProductFactory,
    SubscriptionActionFactory,
    SubscriptionServiceFactory,
    UsageChargeFactory,
    UserFactory,
)
from tests.usage.taking import HEADER, ROW, counts, lines, make_company, session_timezone, take
from usage.choices import ConflictDecision
from usage.models import PendingUsage, SourceSystem, UsageConflict, UsageDataRecord, UsageDataRecordChange
from usage.operations.conflicts import decide_conflict, differences_in_order, standing_record
from usage.operations.errors import RecordConflict, RecordRefused

pytestmark = pytest.mark.django_db

THEN = datetime(2026, 2, 2, 10, 0, tzinfo=UTC)
OTHER = ROW.replace(",60", ",61")


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def contradicted(second: str = OTHER, first: str = ROW, header: str = HEADER) -> UsageConflict:
    """The conflict of a record with a row of a second file."""
    take(lines(first, header=header))
    assert counts(take(lines(second, header=header))) == {"conflicts": 1}
    return UsageConflict.objects.get()


def decide(conflict: UsageConflict, decision: ConflictDecision, note: str = "") -> UsageConflict:
    decide_conflict(conflict_id=conflict.pk, decision=decision, at=THEN, user_id=None, note=note)
    return UsageConflict.objects.get(pk=conflict.pk)


def refusal(conflict: UsageConflict, decision: ConflictDecision = ConflictDecision.REPLACED) -> str:
    before = UsageDataRecord.objects.order_by("pk").values().count(), PendingUsage.objects.count()
    with pytest.raises(RecordConflict) as caught:
        decide(conflict, decision)
    assert (UsageDataRecord.objects.order_by("pk").values().count(), PendingUsage.objects.count()) == before
    return str(caught.value)


def stored() -> list[tuple[object, ...]]:
    fields = "number", "life_cycle_state", "usage_amount", "pending_usage"
    return [
        (number, state, amount, pending is not None)
        for number, state, amount, pending in UsageDataRecord.objects.order_by("pk").values_list(*fields)
    ]


@pytest.mark.parametrize("decision", [ConflictDecision.KEPT, ConflictDecision.DISMISSED])
def test_the_record_stands_where_it_is_kept_or_the_row_is_of_no_matter(decision: ConflictDecision) -> None:
    conflict, clerk = contradicted(), UserFactory()
    decide_conflict(conflict_id=conflict.pk, decision=decision, at=THEN, user_id=clerk.pk, note="Looked at both.")
    conflict.refresh_from_db()
    assert (conflict.decision, conflict.decided_at, conflict.decided_by, conflict.note, conflict.replacement) == (
        *(decision, THEN, clerk, "Looked at both."),
        None,
    )
    assert stored() == [("R1", "POSTED", Decimal(60), True)]
    assert not UsageDataRecordChange.objects.exists()


def test_the_row_replaces_a_pending_record_by_its_successor() -> None:
    SubscriptionServiceFactory(identifier="+49302")
    ProductFactory(code="FAX")
    header = f"{HEADER},region,destination,total_amount,udf_string_1,udf_float_1,udf_date_1"
    conflict = contradicted(
        "R1,+49302,FAX,2026-01-16T12:00:00Z,2026-01-16T12:00:30Z,61.5,,+44,0.5,,2.5,2026-02-01",
        f"{ROW},EU,,,note,1,",
        header=header,
    )
    first, clerk = UsageDataRecord.objects.get(), UserFactory()
    decide_conflict(conflict_id=conflict.pk, decision=ConflictDecision.REPLACED, at=THEN, user_id=clerk.pk)
    conflict.refresh_from_db()
    successor = conflict.replacement
    assert successor is not None
    assert (successor.number, successor.original, successor.usage_import, successor.created_by) == (
        *("R1~2", first, None),
        clerk,
    )
    assert stored() == [("R1", "CANCELLED", Decimal(60), False), ("R1~2", "POSTED", Decimal("61.5"), True)]
    change = UsageDataRecordChange.objects.get()
    assert (change.record, change.kind, change.at, change.user) == (first, "ADJUSTED", THEN, clerk)
    assert change.reason == f"Replaced by line 2 of import {conflict.usage_import_id}."
    assert change.changes == {
        "subscription_service": ["+49301", "+49302"],
        "product": ["CALL", "FAX"],
        "from_date": ["2026-01-15T12:00:00Z", "2026-01-16T12:00:00Z"],
        "to_date": ["2026-01-15T12:01:00Z", "2026-01-16T12:00:30Z"],
        "usage_amount": ["60", "61.5"],
        "total_amount": [None, "0.5"],
        "billing_effective_date": ["2026-01-15", "2026-01-16"],
        "destination": ["", "+44"],
        "region": ["EU", ""],
        "udf_string_1": ["note", None],
        "udf_float_1": ["1", "2.5"],
        "udf_date_1": [None, "2026-02-01"],
    }
    assert successor.customer == successor.subscription_service.customer
    assert session_timezone() == "UTC"


def test_both_the_original_and_what_replaced_it_are_duplicates_when_they_come_again() -> None:
    conflict = contradicted()
    decide(conflict, ConflictDecision.REPLACED)
    third = ROW.replace(",60", ",62")
    assert counts(take(lines(ROW, OTHER, third, ROW))) == {"duplicates": 3, "conflicts": 1}
    assert stored() == [("R1", "CANCELLED", Decimal(60), False), ("R1~2", "POSTED", Decimal(61), True)]
    # A conflict with a record that was replaced is one with what stands.
    last = UsageConflict.objects.get(decision="OPEN")
    assert standing_record(last).number == "R1~2"
    decide(last, ConflictDecision.REPLACED)
    assert stored()[1:] == [("R1~2", "CANCELLED", Decimal(61), False), ("R1~3", "POSTED", Decimal(62), True)]
    assert counts(take(lines(third, OTHER, ROW))) == {"duplicates": 3}


def test_what_the_file_says_nothing_of_stays() -> None:
    action = SubscriptionActionFactory(number="A1", subscription=Subscription.objects.get())
    header = f"{HEADER},subscription_action,udf_string_1"
    take(lines(f"{ROW},A1,note", header=header))
    assert counts(take(lines(OTHER))) == {"conflicts": 1}
    decide(UsageConflict.objects.get(), ConflictDecision.REPLACED)
    successor = UsageDataRecord.objects.get(number="R1~2")
    assert (successor.subscription_action, successor.udf_string_1, successor.usage_amount) == (
        action,
        "note",
        Decimal(61),
    )


def test_a_line_of_json_replaces_too() -> None:
    source = SourceSystem.objects.get()
    source.column_mapping = {"udf_string_1": "{note.text}"}
    source.save()
    good = {**dict(zip(HEADER.split(","), ROW.split(","), strict=True)), "note": {"text": "50% of %(x)s"}}
    take(json.dumps(good), name="a.ndjson")
    take(json.dumps({**good, "usage_amount": 61, "note": {"text": 'a, "b"'}}), name="b.ndjson")
    decide(UsageConflict.objects.get(), ConflictDecision.REPLACED)
    successor = UsageDataRecord.objects.get(number="R1~2")
    assert (successor.usage_amount, successor.udf_string_1) == (Decimal(61), 'a, "b"')


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_the_row_is_read_as_its_file_was_and_by_the_source_system_of_now(delimiter: str) -> None:
    SourceSystem.objects.update(delimiter=delimiter, timezone="Europe/Berlin", decimal_sign=",")
    header, first = f"{HEADER},udf_string_1", "R1,+49301,CALL,2026-01-15T12:00:00,2026-01-15T12:01:00,60,a"
    second = first.replace("60,a", '60|5,"two\nlines; 2"')
    conflict = contradicted(
        second.replace(",", delimiter).replace("|", ","),
        first.replace(",", delimiter),
        header=header.replace(",", delimiter),
    )
    SourceSystem.objects.update(delimiter="|")
    decide(conflict, ConflictDecision.REPLACED)
    successor = UsageDataRecord.objects.get(number="R1~2")
    assert (successor.usage_amount, successor.udf_string_1) == (Decimal("60.5"), "two\nlines; 2")
    assert successor.from_date == datetime(2026, 1, 15, 11, 0, tzinfo=UTC)


def test_what_is_on_an_invoice_is_not_replaced() -> None:
    conflict = contradicted()
    PendingUsage.objects.all().delete()
    UsageChargeFactory(record=UsageDataRecord.objects.get())
    assert refusal(conflict) == (
        "Record R1 is posted and not pending: a row replaces a record only before it is on an invoice. "
        "Adjust the record, or keep it."
    )
    assert decide(conflict, ConflictDecision.KEPT).decision == "KEPT"


def test_a_draft_is_not_replaced() -> None:
    header = f"{HEADER},life_cycle_state"
    conflict = contradicted(f"{OTHER},DRAFT", f"{ROW},DRAFT", header=header)
    assert refusal(conflict).startswith("Record R1 is a draft and not pending: ")


@pytest.mark.parametrize("first", [ConflictDecision.KEPT, ConflictDecision.REPLACED, ConflictDecision.DISMISSED])
def test_a_conflict_is_decided_once(first: ConflictDecision) -> None:
    conflict = decide(contradicted(), first)
    before = stored()
    for second in (ConflictDecision.KEPT, ConflictDecision.REPLACED, ConflictDecision.DISMISSED):
        assert refusal(conflict, second) == (f"The conflict was decided before, on 2026-02-02: {first.label.lower()}.")
    assert stored() == before


def test_a_row_that_says_what_stands_by_now_changes_nothing() -> None:
    conflict = contradicted()
    take(lines(OTHER, OTHER.replace("R1,", "R2,")))
    again = UsageConflict.objects.exclude(pk=conflict.pk).get()
    decide(conflict, ConflictDecision.REPLACED)
    with pytest.raises(RecordRefused, match=r"^Record R1~2 says all of that already: nothing would change\.$"):
        decide(again, ConflictDecision.REPLACED)
    assert decide(again, ConflictDecision.KEPT).decision == "KEPT"


def test_a_row_that_cannot_be_read_any_more_is_said() -> None:
    conflict = contradicted()
    SourceSystem.objects.update(column_mapping={"number": "{Id}"})
    assert refusal(conflict).startswith("The row cannot be read: line 1: there is no column “Id”, which ")
    SourceSystem.objects.update(column_mapping={"service": "+49399"})
    assert refusal(conflict) == "The row cannot be read any more: its service is at fault."
    assert session_timezone() == "UTC"


def test_a_row_with_a_text_too_long_to_be_parted_is_said() -> None:
    header = f"{HEADER},udf_string_1"
    conflict = contradicted(f"{ROW},{'y' * 200_000}", f"{ROW},x", header=header)
    assert refusal(conflict) == (
        "The row cannot be read by columns (field larger than field limit (131072)). Adjust the record by hand."
    )


def test_differences_are_shown_in_the_order_of_a_files_fields() -> None:
    conflict = contradicted(f"{OTHER},EU,b", f"{ROW},,a", header=f"{HEADER},region,udf_string_1")
    assert differences_in_order(conflict) == [
        ("usage_amount", "60", "61"),
        ("region", "", "EU"),
        ("udf_string_1", "a", "b"),
    ]
