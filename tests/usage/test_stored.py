"""Files that are kept first and taken in by a worker: what was acknowledged is there, and is taken once."""

import io
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from catalog.choices import FileFormat
from tests.factories import SourceSystemFactory, UserFactory
from tests.gzipped import gzipped
from tests.usage.stored import LATER, block_count, receive, work_off
from tests.usage.taking import AT, HEADER, ROW, counts, held, leftovers, lines, make_company, records, refusal, take
from tests.usage.workbooks import workbook
from usage.adapters import stored_file
from usage.choices import Channel, ImportState
from usage.engine.progress import ImportProgress
from usage.models import SourceSystem, UsageImport, UsageImportBlock
from usage.operations.errors import ImportConflict, ImportRefused
from usage.operations.imports import import_usage
from usage.operations.interrupted import MOST_TRIES, recover_interrupted_imports
from usage.operations.stored import discard_import, queue_import, receive_file, reopen_import, take_in_stored
from usage.queries.imports import queued_import_ids

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def row(number: int, amount: str = "60") -> str:
    return ROW.replace("R1,", f"R{number},").replace(",60", f",{amount}")


def state(usage_import: UsageImport) -> tuple[str, str]:
    usage_import.refresh_from_db()
    return usage_import.state, usage_import.error


def test_what_is_received_is_kept_and_nothing_of_it_is_taken_yet() -> None:
    clerk, content = UserFactory(), lines(row(1))
    kept = receive(content, is_queued=False, user_id=clerk.pk, channel=Channel.ADMIN)
    stored = UsageImport.objects.get()
    assert stored == kept
    assert (stored.state, stored.file_name, stored.byte_count) == ("UPLOADED", "calls.csv", len(content))
    assert (stored.channel, stored.created_by, stored.started_at, stored.finished_at) == ("ADMIN", clerk, AT, None)
    assert (held(), block_count(), queued_import_ids()) == ([0, 0, 0, 0], 1, [])
    assert stored.sha256 == take(content).sha256


def test_a_file_waits_is_queued_and_taken_in() -> None:
    kept = receive(lines(row(1), row(2), row(2, "x"), row(1, "61"), row(1)), is_queued=False)
    assert work_off(kept).state == "UPLOADED"
    assert queue_import(import_id=kept.pk).state == "QUEUED"
    assert queued_import_ids() == [kept.pk]
    done = work_off(kept)
    assert counts(done) == {"accepted": 2, "duplicates": 1, "conflicts": 1, "quarantined": 1}
    assert (done.finished_at, done.try_count, done.columns) == (LATER, 1, HEADER.split(","))
    assert (block_count(), queued_import_ids(), leftovers()) == (0, [], [])


def test_a_queued_file_is_taken_in_once() -> None:
    kept = receive(lines(row(1)))
    done = take_in_stored(import_id=kept.pk, at=AT)
    assert done is not None
    assert done.state == "COMPLETED"
    assert take_in_stored(import_id=kept.pk, at=LATER) is None
    assert counts(kept) == {"accepted": 1}


def test_it_is_told_how_far_a_file_is() -> None:
    content = lines(*(row(n) for n in range(20)))
    heard: list[ImportProgress] = []
    take_in_stored(import_id=receive(content).pk, at=AT, on_progress=heard.append)
    assert (heard[0].phase, heard[0].received) == ("reading", 20)
    assert heard[-1] == ImportProgress("writing", byte_count=len(content), received=20, accepted=20)


def queue(pk: int) -> object:
    return queue_import(import_id=pk)


def discard(pk: int) -> object:
    return discard_import(import_id=pk, at=LATER)


# A file that failed and is still there is discarded, or opened again, but not started as it is.
@pytest.mark.parametrize(
    ("change", "verb", "before"),
    [
        *((queue, "started", state) for state in ImportState if state != ImportState.UPLOADED),
        *((discard, "discarded", state) for state in (ImportState.QUEUED, ImportState.RUNNING, ImportState.COMPLETED)),
    ],
)
def test_only_an_uploaded_file_is_queued_or_discarded(
    change: Callable[[int], object], verb: str, before: ImportState
) -> None:
    kept = receive(lines(row(1)))
    UsageImport.objects.filter(pk=kept.pk).update(state=before)
    with pytest.raises(ImportConflict) as caught:
        change(kept.pk)
    assert str(caught.value) == f"Import {kept.pk} is {before.label.lower()}: it cannot be {verb} any more."
    assert (state(kept)[0], block_count()) == (before, 1)


def test_a_discarded_file_is_gone_and_may_come_again() -> None:
    kept = receive(lines(row(1)), is_queued=False)
    discard_import(import_id=kept.pk, at=LATER)
    assert state(kept) == ("FAILED", "It was discarded before any of it was taken.")
    assert (kept.finished_at, block_count()) == (LATER, 0)
    assert work_off(kept).state == "FAILED"
    again = receive(lines(row(1)))
    assert again != kept
    assert counts(work_off(again)) == {"accepted": 1}


@pytest.mark.parametrize("is_queued", [True, False])
@pytest.mark.parametrize("before", [ImportState.QUEUED, ImportState.RUNNING, ImportState.COMPLETED])
def test_a_file_that_is_there_is_answered_with_its_first_import(before: ImportState, is_queued: bool) -> None:  # noqa: FBT001
    first = receive(lines(row(1)))
    UsageImport.objects.filter(pk=first.pk).update(state=before)
    again = receive(gzipped(lines(row(1)).encode()), name="again.csv.gz", is_queued=is_queued)
    assert (again.pk, again.file_name, again.state) == (first.pk, "calls.csv", before)
    assert (UsageImport.objects.count(), block_count()) == (1, 1)


def test_the_same_file_of_another_source_system_is_another() -> None:
    other = SourceSystemFactory(name="Other switch")
    first = receive(lines(row(1)), source_system_id=SourceSystem.objects.get(name="Switch").pk)
    assert receive(lines(row(1)), source_system_id=other.pk) != first


def test_of_one_file_uploaded_twice_one_can_be_started() -> None:
    first, second = (receive(lines(row(1)), is_queued=False) for _ in range(2))
    assert first != second
    queue_import(import_id=second.pk)
    with pytest.raises(ImportConflict) as caught:
        queue_import(import_id=first.pk)
    assert str(caught.value) == f"The same file is import {second.pk} already. Discard this one."
    discard_import(import_id=first.pk, at=LATER)
    assert counts(work_off(second)) == {"accepted": 1}


def test_a_file_that_came_directly_in_the_meantime_is_not_taken_twice() -> None:
    kept = receive(lines(row(1)))
    direct = take(lines(row(1)))
    work_off(kept)
    assert state(kept) == ("FAILED", f"The same file is import {direct.pk}: nothing was taken twice.")
    assert (held(), block_count()) == ([1, 1, 0, 0], 0)
    assert receive(lines(row(1))) == direct


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lines(row(1), "R2"), "calls.csv: line 3: it has 1 column, the header 6."),
        ("a,b\n1,2\n", "calls.csv: line 1: there is no column “service” and no column “from_date” and no column "),
        (lines(row(1)) + "\0", "calls.csv: line 3: there is a NUL byte, so it is not a text file."),
    ],
)
def test_a_faulty_file_fails_with_its_reason_and_is_kept_until_it_is_discarded(content: str, sentence: str) -> None:
    kept = receive(content)
    assert work_off(kept).finished_at == LATER
    found, error = state(kept)
    assert found == "FAILED"
    assert error.startswith(sentence)
    assert (held(), block_count(), leftovers(), kept.received_count) == ([0, 0, 0, 0], 1, [], 0)
    assert discard_import(import_id=kept.pk, at=LATER).error == f"{error} It was discarded before any of it was taken."
    assert block_count() == 0
    assert receive(content) != kept


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "calls.csv: it is empty."),
        (gzipped(b"number\n" * 999)[:-9], "calls.csv: its gzip data is broken (it ends before it is complete)."),
        (b'[{"number": 1}]', "calls.csv: it is one JSON array. Send JSON lines: "),
        (b"BZh91AY", "calls.csv: it is compressed with bzip2. Unpack it first; gzip is taken as it is."),
    ],
)
def test_what_cannot_be_read_to_its_end_is_not_acknowledged(content: bytes, sentence: str) -> None:
    with pytest.raises(ImportRefused) as caught:
        receive(content)
    assert str(caught.value).startswith(sentence)
    failed = UsageImport.objects.get()
    assert failed == caught.value.usage_import
    assert (failed.state, failed.error, failed.finished_at) == ("FAILED", str(caught.value), AT)
    assert block_count() == 0


def test_a_sender_who_goes_away_leaves_nothing() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise ConnectionResetError
            return super().read(10)

    with pytest.raises(ConnectionResetError):
        receive_file(
            source_system_id=SourceSystem.objects.get().pk,
            file=Broken(lines(row(1)).encode()),
            file_name="a.csv",
            at=AT,
            channel=Channel.API,
            is_queued=True,
        )
    assert (UsageImport.objects.count(), block_count()) == (0, 0)


def test_gzipped_lines_and_workbooks_are_kept_as_what_they_are() -> None:
    start = "2026-01-15T12:00:00Z"
    table = workbook(
        [["number", "service", "product", "from_date", "usage_amount"], ["R1", "+49301", "CALL", start, 1]]
    )
    ndjson = f'{{"number": "R2", "service": "+49301", "product": "CALL", "from_date": "{start}", "usage_amount": 2}}'
    files = {
        "calls.xlsx": (table, "XLSX", len(table)),
        "calls.csv.gz": (gzipped(lines(row(3)).encode()), "CSV", len(lines(row(3)))),
        "calls.ndjson.gz": (gzipped(ndjson.encode()), "NDJSON", len(ndjson)),
    }
    for name, (content, file_format, byte_count) in files.items():
        kept = receive(content, name=name)
        assert (kept.file_format, kept.byte_count) == (file_format, byte_count)
        done = work_off(kept)
        assert counts(done) == {"accepted": 1}, done.error
        assert (done.file_format, done.byte_count, done.sha256) == (file_format, byte_count, kept.sha256)
        assert take(content, name=name) == done
    assert records("number") == [("R1",), ("R3",), ("R2",)]


def test_a_format_that_is_said_is_the_one_that_is_read() -> None:
    ndjson = lines('{"service": 1}').encode()
    kept = receive(ndjson, file_format=FileFormat.NDJSON)
    assert kept.file_format == "NDJSON"
    assert counts(work_off(kept)) == {"quarantined": 2}


@pytest.mark.parametrize("size", [1, 7, 100])
def test_rows_lie_across_blocks(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.operations.stored.BLOCK_BYTES", size)
    content = lines(*(f'{row(n)},"ä\nö, ü"' for n in range(5)), header=f"{HEADER},udf_string_1")
    kept = receive(content)
    assert block_count() == -(-len(content.encode()) // size)
    assert counts(work_off(kept)) == {"accepted": 5}
    assert records("line_number", "udf_string_1") == [(2 + 2 * n, "ä\nö, ü") for n in range(5)]


def test_a_large_file_is_kept_in_packed_parts() -> None:
    chance = random.Random(1)
    content = lines(*(f"{row(n)},{chance.randbytes(300).hex()}" for n in range(4_000)), header=f"{HEADER},udf_string_1")
    kept = receive(content)
    assert block_count() == -(-len(content) // stored_file.BLOCK_BYTES) == 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(length(data)) < %s FROM usage_import_block", [stored_file.BLOCK_BYTES * 2 // 3])
        assert cursor.fetchone() == (True,)
    assert counts(work_off(kept)) == {"accepted": 4_000}
    assert block_count() == 0


def test_a_block_that_is_broken_fails_its_import() -> None:
    kept = receive(lines(row(1)))
    UsageImportBlock.objects.update(data=b"nothing of zlib's")
    work_off(kept)
    found, error = state(kept)
    assert found == "FAILED"
    assert error.startswith("calls.csv: block 1 of its stored content is broken (")


def test_a_worker_that_ended_is_followed_by_another_a_few_times_only() -> None:
    kept = receive(lines(row(1)))
    for turn in range(1, MOST_TRIES + 1):
        UsageImport.objects.filter(pk=kept.pk).update(state=ImportState.RUNNING, try_count=turn)
        assert recover_interrupted_imports(at=LATER) == 1
        assert state(kept)[0] == ("QUEUED" if turn < MOST_TRIES else "FAILED")
    assert state(kept) == (
        "FAILED",
        "Its worker ended 5 times before it was done. Look at the workers' log, then open it again here.",
    )
    # What was acknowledged stays, and goes in once someone says so.
    assert (kept.finished_at, block_count()) == (LATER, 1)
    assert recover_interrupted_imports(at=LATER) == 0
    reopen_import(import_id=kept.pk)
    queue_import(import_id=kept.pk)
    assert counts(work_off(kept)) == {"accepted": 1}
    assert block_count() == 0


def test_a_stored_file_at_fault_is_opened_again_when_the_mapping_is_mended(source: SourceSystem) -> None:
    kept = work_off(receive("id,service,product,started,usage_amount\nX,+49301,CALL,2026-01-15T12:00Z,60\n"))
    assert (kept.state, block_count()) == ("FAILED", 1)
    assert kept.error.startswith("calls.csv: line 1: there is no column “from_date”")
    source.column_mapping = {"number": "{id}", "from_date": "{started}"}
    source.save()
    opened = reopen_import(import_id=kept.pk)
    assert (opened.state, opened.error, opened.finished_at, opened.try_count) == ("UPLOADED", "", None, 0)
    queue_import(import_id=kept.pk)
    assert counts(work_off(kept)) == {"accepted": 1}
    with pytest.raises(ImportConflict, match=r"Import \d+ is completed: it cannot be opened again any more\."):
        reopen_import(import_id=kept.pk)


def test_a_file_that_is_not_kept_is_not_opened_again() -> None:
    with pytest.raises(ImportRefused) as caught:
        take("nothing\n")
    with pytest.raises(ImportConflict, match=r"The file of import \d+ is not kept here: send it again\."):
        reopen_import(import_id=caught.value.usage_import.pk)


def test_a_file_that_was_given_back_is_taken_in_by_the_next_worker() -> None:
    kept = receive(lines(row(1)))
    UsageImport.objects.filter(pk=kept.pk).update(state=ImportState.RUNNING, try_count=1)
    assert take_in_stored(import_id=kept.pk, at=LATER) is None
    recover_interrupted_imports(at=AT)  # without a grace: whoever is at it holds a lock from the first moment on
    done = work_off(kept)
    assert (counts(done), done.try_count) == ({"accepted": 1}, 2)


def test_waiting_files_are_no_interrupted_ones() -> None:
    waiting = [receive(lines(row(n)), is_queued=n == 1) for n in range(2)]
    assert recover_interrupted_imports(at=AT + timedelta(days=9)) == 0
    assert [state(one)[0] for one in waiting] == ["UPLOADED", "QUEUED"]
    # Nor are they in the way of a file that comes directly.
    assert counts(take(lines(row(5)), at=AT + timedelta(days=9))) == {"accepted": 1}


def test_the_source_systems_mapping_of_the_moment_is_the_one_that_counts(source: SourceSystem) -> None:
    kept = receive("id,service,product,from_date,usage_amount\nX,+49301,CALL,2026-01-15T12:00Z,60\n")
    source.column_mapping = {"number": "{id}"}
    source.save()
    assert counts(work_off(kept)) == {"accepted": 1}
    assert records("number") == [("X",)]


def test_a_file_that_changed_while_it_was_read_is_not_taken() -> None:
    seen: list[list[int]] = []

    def looked(*, is_unchanged: bool) -> bool:
        seen.append(held())
        return is_unchanged

    arguments: dict[str, Any] = {"source_system_id": SourceSystem.objects.get().pk, "file_name": "a.csv", "at": AT}
    content = lines(row(1), row(2, "x")).encode()
    with pytest.raises(ImportRefused) as caught:
        import_usage(**arguments, file=io.BytesIO(content), is_unchanged=lambda: looked(is_unchanged=False))
    assert str(caught.value) == "a.csv: it was changed while it was read. Nothing was taken."
    assert (UsageImport.objects.get().state, held(), leftovers()) == ("FAILED", [0, 0, 0, 0], [])
    done = import_usage(**arguments, file=io.BytesIO(content), is_unchanged=lambda: looked(is_unchanged=True))
    assert counts(done) == {"accepted": 1, "quarantined": 1}
    # It is asked when everything is done, and before anything is kept.
    assert seen == [[1, 1, 0, 1], [1, 1, 0, 1]]


def test_a_refused_file_leaves_what_was_kept_before() -> None:
    kept = receive(lines(row(1)))
    refusal(lines("R2"))
    assert counts(work_off(kept)) == {"accepted": 1}
