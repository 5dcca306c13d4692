"""Quarantined lines, corrected or not, are tried again: they go in, or say what is wrong with them now."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from customers.models import Customer
from tests.factories import InvoiceFactory, QuarantinedLineFactory, SubscriptionServiceFactory, UserFactory
from tests.usage.stored import receive
from tests.usage.taking import AT, HEADER, ROW, counts, leftovers, lines, make_company, records, session_timezone, take
from usage.models import PendingUsage, QuarantinedLine, SourceSystem, UsageConflict, UsageDataRecord, UsageImport
from usage.operations.errors import ImportConflict, LineRefused
from usage.operations.reprocess import Reprocessed, cells_of, correct_line, dismiss_line, reprocess_lines

pytestmark = pytest.mark.django_db

THEN = datetime(2026, 2, 2, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def row(number: int, amount: str = "60") -> str:
    return ROW.replace("R1,", f"R{number},").replace(",60", f",{amount}")


def line(number: int) -> QuarantinedLine:
    """The quarantined line with this line number."""
    return QuarantinedLine.objects.select_related("usage_import").get(line_number=number)


def again(usage_import: UsageImport, *numbers: int, user_id: int | None = None) -> Reprocessed:
    """Try those lines again, or all; the counts of the import add up afterwards."""
    ids = [line(number).pk for number in numbers] if numbers else None
    done = reprocess_lines(import_id=usage_import.pk, at=THEN, user_id=user_id, line_ids=ids)
    assert done.tried == done.accepted + done.duplicates + done.conflicts + done.quarantined
    assert (leftovers(), session_timezone()) == ([], "UTC")
    stored = UsageImport.objects.get(pk=usage_import.pk)
    assert UsageDataRecord.objects.filter(usage_import=stored).count() == stored.accepted_count
    assert UsageConflict.objects.filter(usage_import=stored).count() == stored.conflict_count
    standing = QuarantinedLine.objects.filter(usage_import=stored).exclude(state="RESOLVED")
    assert standing.count() == stored.quarantined_count
    assert stored.received_count == (
        stored.accepted_count + stored.duplicate_count + stored.conflict_count + stored.quarantined_count
    )
    return done


def states() -> list[tuple[object, ...]]:
    return list(QuarantinedLine.objects.order_by("line_number").values_list("line_number", "state", "reason"))


def test_a_line_that_was_corrected_by_columns_goes_in() -> None:
    taken = take(lines(row(1), row(2, "sixty"), row(3, "x")))
    correct_line(line_id=line(3).pk, values={"usage_amount": "61", "product": "CALL"})
    assert line(3).corrected_text == row(2, "61")
    assert line(3).raw_text == row(2, "sixty")
    clerk = UserFactory()
    assert again(taken, 3, user_id=clerk.pk) == Reprocessed(1, accepted=1, duplicates=0, conflicts=0, quarantined=0)
    record = UsageDataRecord.objects.get(number="R2")
    assert (record.usage_amount, record.usage_import, record.line_number) == (Decimal(61), taken, 3)
    assert record.created_by == clerk
    assert PendingUsage.objects.filter(record=record).exists()
    resolved = line(3)
    assert (resolved.state, resolved.decided_at, resolved.decided_by, resolved.raw_text) == (
        *("RESOLVED", THEN, clerk),
        row(2, "sixty"),
    )
    assert states() == [(3, "RESOLVED", "BAD_NUMBER"), (4, "OPEN", "BAD_NUMBER")]
    taken.refresh_from_db()
    assert (taken.received_count, taken.accepted_count, taken.quarantined_count) == (3, 2, 1)


def test_a_line_may_be_written_anew_as_a_whole() -> None:
    taken = take(lines(row(2, "sixty")))
    correct_line(line_id=line(2).pk, text='"R9", +49301,CALL,2026-01-15T12:00Z,"",1\r\n')
    assert line(2).corrected_text == "R9, +49301,CALL,2026-01-15T12:00Z,,1"
    assert again(taken).accepted == 1
    assert records("number", "usage_amount") == [("R9", Decimal(1))]


def test_a_correction_may_be_corrected() -> None:
    taken = take(lines(row(2, "sixty")))
    correct_line(line_id=line(2).pk, values={"usage_amount": "x", "number": "R7"})
    assert again(taken).quarantined == 1
    correct_line(line_id=line(2).pk, values={"usage_amount": "7"})
    assert line(2).corrected_text == row(7, "7")
    assert again(taken).accepted == 1


def test_lines_that_are_tried_become_all_that_rows_become() -> None:
    take(lines(row(1)))
    taken = take(lines(*(row(n, "x") for n in range(1, 6)), header=HEADER))
    for number, texts in {
        2: {"usage_amount": "60"},  # says what R1 says
        3: {"usage_amount": "61", "number": "R1"},  # says something else
        4: {"usage_amount": "62"},
        5: {"usage_amount": "62", "number": "R3"},  # what the line before it says
        6: {"usage_amount": "60", "service": "+49399"},
    }.items():
        correct_line(line_id=line(number).pk, values=texts)
    assert again(taken) == Reprocessed(5, accepted=1, duplicates=2, conflicts=1, quarantined=1)
    assert states() == [
        (2, "RESOLVED", "BAD_NUMBER"),
        (3, "RESOLVED", "BAD_NUMBER"),
        (4, "RESOLVED", "BAD_NUMBER"),
        (5, "RESOLVED", "BAD_NUMBER"),
        (6, "OPEN", "UNKNOWN_SERVICE"),
    ]
    faulty = line(6)
    assert (faulty.field, faulty.detail) == ("service", "No service has the identifier “+49399” at that time.")
    assert (faulty.decided_at, faulty.raw_text, faulty.corrected_text) == (
        *(None, row(5, "x")),
        "R5,+49399,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,60",
    )
    conflict = UsageConflict.objects.get()
    assert (conflict.line_number, conflict.differences, conflict.raw_text) == (
        *(3, {"usage_amount": ["60", "61"]}),
        row(1, "61"),
    )


def test_a_service_that_was_missing_is_found_when_it_is_there() -> None:
    taken = take(lines(row(1), row(2).replace("+49301", "+49302"), row(3).replace("+49301", "+49303")))
    assert again(taken) == Reprocessed(2, accepted=0, duplicates=0, conflicts=0, quarantined=2)
    SubscriptionServiceFactory(identifier="+49302")
    assert again(taken) == Reprocessed(2, accepted=1, duplicates=0, conflicts=0, quarantined=1)
    assert records("number", "line_number") == [("R1", 2), ("R2", 3)]
    assert states() == [(3, "RESOLVED", "UNKNOWN_SERVICE"), (4, "OPEN", "UNKNOWN_SERVICE")]


def test_lines_are_read_with_the_mapping_of_now(source: SourceSystem) -> None:
    header = "id,line,product,from_date,to_date,usage_amount"
    SourceSystem.objects.update(column_mapping={"number": "{id}", "service": "{product}"}, delimiter=";")
    taken = take(lines("X,+49301,CALL,2026-01-15T12:00:00Z,,1".replace(",", ";"), header=header.replace(",", ";")))
    assert counts(taken) == {"quarantined": 1}
    # What parts the file's columns is kept with it.
    SourceSystem.objects.update(column_mapping={"number": "A-{id}", "service": "{line}"}, delimiter="|")
    assert again(taken).accepted == 1
    assert records("number", "subscription_service__identifier") == [("A-X", "+49301")]
    assert line(2).raw_text == "X;+49301;CALL;2026-01-15T12:00:00Z;;1"


def test_a_mapping_that_does_not_fit_the_file_any_more_is_said(source: SourceSystem) -> None:
    taken = take(lines(row(1, "x")))
    for fields, sentence in (
        ({"column_mapping": {"number": "{Id}"}}, "The lines cannot be read: line 1: there is no column “Id”, which "),
        ({"column_mapping": {}, "date_format": "DD"}, "The lines cannot be read: the date format “DD” lacks YYYY and "),
    ):
        SourceSystem.objects.update(**fields)
        with pytest.raises(ImportConflict) as caught:
            again(taken)
        assert str(caught.value).startswith(sentence)
    assert states() == [(2, "OPEN", "BAD_NUMBER")]


def test_lines_of_json_are_corrected_as_texts() -> None:
    good = {"number": "R1", "service": "+49301", "product": "CALL", "from_date": "2026-01-15T12:00Z", "usage_amount": 1}
    bad = [
        json.dumps({**good, "usage_amount": "x", "note": 'a"b\\, ü'}),
        "nonsense",
        json.dumps({**good, "service": ""}),
    ]
    taken = take("\n".join(bad), name="a.ndjson")
    assert counts(taken) == {"quarantined": 3}
    assert [cells_of(line(n)) for n in (1, 2)] == [(bad[0],), ("nonsense",)]
    correct_line(line_id=line(2).pk, text='{"number": "R2",\r\n' + json.dumps(good)[1:].replace('"R1"', '"R\\u00fc"'))
    assert again(taken) == Reprocessed(3, accepted=1, duplicates=0, conflicts=0, quarantined=2)
    assert records("number", "line_number") == [("Rü", 2)]
    correct_line(line_id=line(1).pk, text=json.dumps({**good, "region": "a\u2028b%s"}, ensure_ascii=False))
    correct_line(line_id=line(3).pk, text='{"region": "\\u0000"}')
    assert again(taken) == Reprocessed(2, accepted=1, duplicates=0, conflicts=0, quarantined=1)
    assert states() == [
        (1, "RESOLVED", "BAD_NUMBER"),
        (2, "RESOLVED", "NOT_JSON"),
        (3, "OPEN", "NOT_JSON"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_cells_that_span_lines_or_need_quotes_stay_what_they_are(delimiter: str) -> None:
    SourceSystem.objects.update(delimiter=delimiter)
    texts = ["two\r\nlines", 'say "hello"', f"a{delimiter}b", " \\. ", "\\."]
    quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
    header = delimiter.join([HEADER, *(f"udf_string_{n}" for n in range(1, 6))]).replace(",", delimiter)
    content = lines(
        *(row(n, "x").replace(",", delimiter) + "".join(delimiter + q for q in quoted) for n in (1, 2)), header=header
    )
    taken = take(content)
    assert counts(taken) == {"quarantined": 2}
    assert [one.line_number for one in QuarantinedLine.objects.order_by("id")] == [2, 4]
    assert cells_of(line(4))[6:] == tuple(texts)
    for number in (2, 4):
        correct_line(line_id=line(number).pk, values={"usage_amount": "60"})
    assert again(taken).accepted == 2
    assert (
        records(*(f"udf_string_{n}" for n in range(1, 6)))
        == [("two\r\nlines", 'say "hello"', f"a{delimiter}b", "\\.", "\\.")] * 2
    )


def test_a_row_of_nothing_is_shown_and_tried(source: SourceSystem) -> None:
    source.column_mapping = {"from_date": "2026-01-15T12:00Z", "usage_amount": "1", "product": "CALL"}
    source.save()
    taken = take('service\n""\n')
    assert counts(taken) == {"quarantined": 1}
    assert cells_of(line(2)) == ("",)
    assert again(taken).quarantined == 1
    correct_line(line_id=line(2).pk, values={"service": "+49301"})
    assert again(taken).accepted == 1


def test_a_line_that_is_tried_may_turn_out_late() -> None:
    taken = take(lines(row(1, "x"), row(2, "x")))
    InvoiceFactory(customer=Customer.objects.get(), period_end=date(2026, 1, 16))
    correct_line(line_id=line(2).pk, values={"usage_amount": "1"})
    again(taken, 2)
    taken.refresh_from_db()
    assert (taken.late_count, UsageDataRecord.objects.get().is_late) == (1, True)


def test_a_row_without_a_number_keeps_the_one_of_its_line() -> None:
    taken = take(lines(row(1).replace("R1,", ","), row(2, "x").replace("R2,", ",")))
    correct_line(line_id=line(3).pk, values={"usage_amount": "1"})
    assert again(taken).accepted == 1
    assert records("number") == [(f"I{taken.pk}-2",), (f"I{taken.pk}-3",)]


def test_many_lines_are_tried_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.operations.reprocess.LINES_AT_ONCE", 3)
    taken = take(lines(*(row(n).replace("+49301", "+49302") for n in range(10)), row(10)))
    SubscriptionServiceFactory(identifier="+49302")
    assert again(taken) == Reprocessed(10, accepted=10, duplicates=0, conflicts=0, quarantined=0)
    assert again(taken) == Reprocessed(0, accepted=0, duplicates=0, conflicts=0, quarantined=0)
    assert {(number, at) for number, at in records("number", "line_number")} == {(f"R{n}", n + 2) for n in range(11)}


def test_a_dismissed_line_stays_dismissed() -> None:
    clerk = UserFactory()
    taken = take(lines(row(1).replace("+49301", "+49302"), row(2, "x")))
    dismissed = dismiss_line(line_id=line(2).pk, note="A test call.", at=THEN, user_id=clerk.pk)
    assert (dismissed.state, dismissed.note, dismissed.decided_at, dismissed.decided_by_id) == (
        *("DISMISSED", "A test call.", THEN),
        clerk.pk,
    )
    SubscriptionServiceFactory(identifier="+49302")
    assert again(taken) == Reprocessed(1, accepted=0, duplicates=0, conflicts=0, quarantined=1)
    assert states() == [(2, "DISMISSED", "UNKNOWN_SERVICE"), (3, "OPEN", "BAD_NUMBER")]
    assert not UsageDataRecord.objects.exists()
    taken.refresh_from_db()
    assert taken.quarantined_count == 2


def test_only_open_lines_are_corrected_dismissed_or_tried() -> None:
    taken = take(lines(row(1, "x"), row(2, "x")))
    correct_line(line_id=line(2).pk, values={"usage_amount": "1"})
    again(taken, 2)
    dismiss_line(line_id=line(3).pk, note="", at=THEN, user_id=None)
    for number, label in ((2, "resolved"), (3, "dismissed")):
        sentence = f"Line {number} is {label}: there is nothing to do."
        with pytest.raises(ImportConflict, match=f"^{sentence}$"):
            correct_line(line_id=line(number).pk, values={})
        with pytest.raises(ImportConflict, match=f"^{sentence}$"):
            dismiss_line(line_id=line(number).pk, note="", at=THEN, user_id=None)
        with pytest.raises(ImportConflict) as caught:
            again(taken, number)
        assert str(caught.value) == (f"Import {taken.pk} has no open quarantined line with the id {line(number).pk}.")


def test_a_line_of_another_import_is_not_tried_and_nothing_else_is() -> None:
    first, second = take(lines(row(1).replace("+49301", "+49302"))), take(lines(row(2), row(3, "x")))
    SubscriptionServiceFactory(identifier="+49302")
    with pytest.raises(ImportConflict) as caught:
        again(first, 2, 3)
    assert str(caught.value) == f"Import {first.pk} has no open quarantined line with the id {line(3).pk}."
    assert second.pk != first.pk
    assert [state for _, state, _ in states()] == ["OPEN", "OPEN"]
    assert again(first, 2).accepted == 1


@pytest.mark.parametrize("state", ["UPLOADED", "QUEUED", "RUNNING", "FAILED"])
def test_only_a_completed_import_has_lines_to_try(state: str) -> None:
    kept = receive(lines(row(1)))
    UsageImport.objects.update(state=state)
    with pytest.raises(ImportConflict) as caught:
        reprocess_lines(import_id=kept.pk, at=AT, user_id=None)
    label = UsageImport(state=state).get_state_display().lower()
    assert str(caught.value) == f"Import {kept.pk} is {label}: only a completed one has lines to try."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("R1,+49301", "The line has 2 columns; it is one row of 6 columns."),
        ("", "The line has 0 rows; it is one row of 6 columns."),
        ("a,b,c,d,e,f\na,b,c,d,e,f", "The line has 2 rows; it is one row of 6 columns."),
        ('a,b,c,d,e,"f', "The line is not CSV (unexpected end of data)."),
        ('a,b,c,d,e,"f"g', "The line is not CSV (',' expected after '\"')."),
        ("a,b,c,d,e,f\0", "The line holds a character that no text can hold."),
        ("a,b,c,d,e,\ud800", "The line holds a character that no text can hold."),
        ("a,b,c,d,e," + "ü" * 524_288, "The line is longer than 1,048,576 bytes."),
        ("a,b,c,d,e," + "f" * 200_000, "The line is not CSV (field larger than field limit (131072))."),
    ],
)
def test_what_is_no_row_of_the_file_is_refused(text: str, sentence: str) -> None:
    take(lines(row(1, "x")))
    with pytest.raises(LineRefused) as caught:
        correct_line(line_id=line(2).pk, text=text)
    assert str(caught.value) == sentence
    assert line(2).corrected_text == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1]", "The line is not a JSON object: { ... }."),
        ('{"a": "\x01"}', "The line is not JSON (Invalid control character at: line 1 column 8 (char 7))."),
        ("{} {}", "The line is not JSON (Extra data: line 1 column 4 (char 3))."),
        ("", "The line is not JSON (Expecting value: line 1 column 1 (char 0))."),
        ("[" * 100_000, "The line is not JSON ("),
    ],
)
def test_what_is_no_object_is_refused(text: str, sentence: str) -> None:
    take("nonsense", name="a.ndjson")
    with pytest.raises(LineRefused) as caught:
        correct_line(line_id=line(1).pk, text=text)
    assert str(caught.value).startswith(sentence)


def test_a_column_that_the_file_does_not_have_is_refused() -> None:
    take(lines(row(1, "x")))
    with pytest.raises(LineRefused) as caught:
        correct_line(line_id=line(2).pk, values={"amount": "1"})
    assert str(caught.value) == f"The file has no column “amount”. It has: {HEADER.replace(',', ', ')}."
    take("nonsense", name="a.ndjson")
    with pytest.raises(LineRefused, match=r"^A line of JSON is corrected as a whole: give its text\.$"):
        correct_line(line_id=line(1).pk, values={"number": "1"})


def test_a_line_too_long_to_be_shown_by_columns_may_be_tried_as_it_is() -> None:
    header = f"{HEADER},udf_string_1"
    taken = take(lines(row(1).replace("+49301", "+49302") + "," + "x" * 200_000, header=header))
    with pytest.raises(LineRefused, match="cannot be shown by columns"):
        cells_of(line(2))
    SubscriptionServiceFactory(identifier="+49302")
    assert again(taken).accepted == 1


def test_a_line_that_was_there_before_imports_kept_their_columns_cannot_be_read_and_says_so() -> None:
    old = QuarantinedLineFactory()
    sentence = "the header of this file was not kept when it was taken in; upload the rows once more"
    with pytest.raises(ImportConflict, match=f"^The lines cannot be read: {sentence}"):
        reprocess_lines(import_id=old.usage_import_id, at=THEN, user_id=None)
    for correction in ({"values": {"number": "1"}}, {"text": ROW}):
        with pytest.raises(LineRefused, match=f"^The line cannot be corrected: {sentence}"):
            correct_line(line_id=old.pk, **correction)
