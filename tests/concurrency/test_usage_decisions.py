"""Several people, or systems, at one record, one quarantined line or one conflict at the same time."""

import time
from collections.abc import Callable

import pytest

from tests.concurrency.sessions import LONGEST_SECONDS, at_once, meanwhile, sessions, transaction_open
from tests.factories import SubscriptionServiceFactory
from tests.usage.taking import AT, HEADER, ROW, counts, held, leftovers, lines, make_company, take
from usage.choices import ConflictDecision
from usage.models import PendingUsage, QuarantinedLine, SourceSystem, UsageConflict, UsageDataRecord, UsageImport
from usage.operations.conflicts import decide_conflict
from usage.operations.errors import ImportConflict, NumberConflict, RecordConflict
from usage.operations.reprocess import Reprocessed, correct_line, dismiss_line, reprocess_lines
from usage.operations.single import TakenRecord, take_in_record

pytestmark = pytest.mark.django_db(transaction=True)

# Keeps records from being written; not for ever, should what a test waits for not happen.
HOLD_UP = "SET LOCAL idle_in_transaction_session_timeout = '30s'; LOCK TABLE pending_usage IN SHARE MODE"
# Keeps whoever has written records from going on when they come to one with the number R2, which may be there or not.
HOLD_UP_AT_R2 = """
SET LOCAL idle_in_transaction_session_timeout = '30s';
INSERT INTO usage_data_record SELECT (jsonb_populate_record(r, '{"id": 0, "number": "R2"}')).* FROM usage_data_record r
"""
GOOD = dict(zip(HEADER.split(","), ROW.split(","), strict=True))


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def test_one_number_sent_several_times_at_once_is_one_record(source: SourceSystem) -> None:
    taken = at_once([lambda: take_in_record(source_system_id=source.pk, texts=GOOD, at=AT)] * 6)
    done = [one for one in taken if isinstance(one, TakenRecord)]
    record = UsageDataRecord.objects.get()
    assert [one.record_id for one in done] == [record.pk] * 6, taken
    assert sorted(one.is_new for one in done) == [False] * 5 + [True]
    assert PendingUsage.objects.count() == 1


def test_of_one_number_that_says_different_things_at_once_one_stands(source: SourceSystem) -> None:
    works = [
        lambda n=n: take_in_record(source_system_id=source.pk, texts={**GOOD, "usage_amount": str(n)}, at=AT)
        for n in range(4)
    ]
    taken = at_once(works)
    assert sorted(type(one).__name__ for one in taken) == ["NumberConflict"] * 3 + ["TakenRecord"], taken
    record = UsageDataRecord.objects.get()
    assert {one.record_id for one in taken if isinstance(one, NumberConflict | TakenRecord)} == {record.pk}


def test_a_single_record_waits_for_a_file_that_brings_its_number(source: SourceSystem) -> None:
    def take_one() -> TakenRecord:
        return take_in_record(source_system_id=source.pk, texts=GOOD, at=AT)

    take_in_record(source_system_id=source.pk, texts={**GOOD, "number": "R0"}, at=AT)
    with transaction_open() as other:
        other.execute(HOLD_UP_AT_R2)
        with meanwhile(lambda: take(lines(ROW, ROW.replace("R1", "R2")))) as file:
            wait_for_writing(1)
            with meanwhile(take_one, waiting=2) as single:
                wait_for_writing(2)
                assert not single.done()
                other.execute("ROLLBACK")
                assert counts(file.result(20)) == {"accepted": 2}
                assert single.result(20) == TakenRecord(UsageDataRecord.objects.get(number="R1").pk, is_new=False)


def wait_for_writing(count: int) -> None:
    """Wait until so many sessions wait for a lock while they write records."""
    deadline = time.monotonic() + LONGEST_SECONDS
    # By how the statement begins: no more of a long one is shown.
    while sessions("query LIKE '-- Good rows become records%' AND wait_event_type = 'Lock'") < count:
        assert time.monotonic() < deadline, "nobody waits while records are written"
        time.sleep(0.01)


def quarantined(count: int) -> UsageImport:
    """An import whose rows are all quarantined for a service that has come since."""
    rows = (ROW.replace("R1,", f"R{n},").replace("+49301", "+49302") for n in range(count))
    taken = take(lines(*rows))
    SubscriptionServiceFactory(identifier="+49302")
    return taken


def test_lines_that_two_people_try_at_once_go_in_once() -> None:
    taken = quarantined(50)
    done = at_once([lambda: reprocess_lines(import_id=taken.pk, at=AT, user_id=None)] * 3)
    assert sorted(one.accepted for one in done if isinstance(one, Reprocessed)) == [0, 0, 50], done
    taken.refresh_from_db()
    assert (taken.accepted_count, taken.duplicate_count, taken.quarantined_count) == (50, 0, 0)
    assert (held()[:2], leftovers()) == ([50, 50], [])


def test_one_line_that_two_people_try_at_once_goes_in_once() -> None:
    taken = quarantined(1)
    ids = [QuarantinedLine.objects.get().pk]
    done = at_once([lambda: reprocess_lines(import_id=taken.pk, at=AT, user_id=None, line_ids=ids)] * 2)
    assert sorted(type(one).__name__ for one in done) == ["ImportConflict", "Reprocessed"], done
    assert UsageDataRecord.objects.count() == 1


@pytest.mark.parametrize("is_named", [True, False])
def test_a_line_is_not_corrected_or_dismissed_while_it_is_tried(is_named: bool) -> None:  # noqa: FBT001
    taken = quarantined(1)
    line = QuarantinedLine.objects.get()

    def dismissal() -> str:
        return outcome(lambda: dismiss_line(line_id=line.pk, note="", at=AT, user_id=None))

    def correction() -> str:
        return outcome(lambda: correct_line(line_id=line.pk, values={"number": "X"}))

    with transaction_open() as other:
        # The trial has locked and read its lines when it comes to writing pending usage.
        other.execute(HOLD_UP)
        ids = [line.pk] if is_named else None
        with meanwhile(lambda: reprocess_lines(import_id=taken.pk, at=AT, user_id=None, line_ids=ids)):
            wait_for_writing(1)
            with meanwhile(dismissal, waiting=2) as dismissed, meanwhile(correction, waiting=3) as corrected:
                assert not dismissed.done()
                other.execute("ROLLBACK")
                sentence = "Line 2 is resolved: there is nothing to do."
                assert [dismissed.result(20), corrected.result(20)] == [sentence, sentence]
    line.refresh_from_db()
    assert (line.state, line.corrected_text) == ("RESOLVED", "")


def outcome(work: Callable[[], object]) -> str:
    try:
        work()
    except (ImportConflict, RecordConflict) as error:
        return str(error)
    return "done"


def test_a_file_and_lines_that_are_tried_take_turns() -> None:
    taken = quarantined(20)
    rows = [ROW.replace("R1,", f"R{n},").replace("+49301", "+49302") for n in range(10, 40)]
    tried, second = at_once(
        [lambda: reprocess_lines(import_id=taken.pk, at=AT, user_id=None), lambda: take(lines(*rows))]
    )
    assert isinstance(tried, Reprocessed), tried
    assert isinstance(second, UsageImport), second
    assert tried.accepted + second.accepted_count == UsageDataRecord.objects.count() == 40
    assert tried.duplicates + second.duplicate_count == 10


def test_a_conflict_that_several_people_decide_at_once_is_decided_once() -> None:
    take(lines(ROW))
    take(lines(ROW.replace(",60", ",61")))
    conflict = UsageConflict.objects.get()
    decisions = [ConflictDecision.REPLACED, ConflictDecision.KEPT, ConflictDecision.REPLACED]
    done = at_once(
        [
            lambda d=d: outcome(  # type: ignore[misc]
                lambda: decide_conflict(conflict_id=conflict.pk, decision=d, at=AT, user_id=None)
            )
            for d in decisions
        ]
    )
    assert done.count("done") == 1, done
    assert UsageDataRecord.objects.filter(life_cycle_state="POSTED").count() == 1
    assert PendingUsage.objects.count() == 1


def test_two_rows_that_replace_one_record_at_once_take_turns() -> None:
    take(lines(ROW))
    take(lines(ROW.replace(",60", ",61"), ROW.replace(",60", ",62")))
    done = at_once(
        [
            lambda pk=pk: outcome(  # type: ignore[misc]
                lambda: decide_conflict(conflict_id=pk, decision=ConflictDecision.REPLACED, at=AT, user_id=None)
            )
            for pk in UsageConflict.objects.values_list("pk", flat=True)
        ]
    )
    standing = UsageDataRecord.objects.get(life_cycle_state="POSTED")
    assert PendingUsage.objects.get().record_id == standing.pk
    if done.count("done") == 2:
        assert standing.number == "R1~3"
    else:
        assert standing.number == "R1~2"
        assert "Record R1 is cancelled and not pending: " in f"{done}"
