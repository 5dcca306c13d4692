"""Imports at the same time, and imports whose process or connection is gone: what is seen is a whole import or none."""

import fcntl
import io
import os
import random
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import psycopg
import pytest
from django.db import DataError, OperationalError, connection
from django.utils import timezone

from config.env import BASE_DIR
from customers.models import Customer
from tests.concurrency.sessions import at_once, sessions, transaction_open
from tests.concurrency.worker import database_url
from tests.factories import SourceSystemFactory
from tests.usage.taking import HEADER, counts, held, leftovers, lines, make_company, records, session_timezone, take
from usage.models import SourceSystem, UsageDataRecord, UsageImport
from usage.operations.interrupted import recover_interrupted_imports

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST_SECONDS = 20
INTERRUPTED = "The import was interrupted, nothing was taken. Send the file again."


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def row(number: int) -> str:
    return f"R{number:06},+49301,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,{number % 997}"


def shuffled(numbers: range) -> str:
    rows = [row(number) for number in numbers]
    random.Random(numbers.start).shuffle(rows)
    return lines(*rows)


def wait_until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


def test_overlapping_files_at_the_same_time_end_in_the_records_of_one_clean_import() -> None:
    files = [shuffled(numbers) for numbers in (range(400), range(200, 600), range(100, 500), range(600))]
    imports = at_once([lambda content=content: take(content) for content in files])  # type: ignore[misc]
    done = [one for one in imports if isinstance(one, UsageImport)]
    assert len(done) == 4, imports
    assert sum(counts(one).get("accepted", 0) for one in done) == 600
    assert sum(counts(one).get("duplicates", 0) for one in done) == 400 + 400 + 400 + 600 - 600
    assert held() == [600, 600, 0, 0]
    found = UsageDataRecord.objects.values_list("number", "usage_amount")
    assert dict(found) == {f"R{number:06}": number % 997 for number in range(600)}


def test_of_rows_that_contradict_each_other_at_the_same_time_one_stands() -> None:
    files = [lines(*(row(n).rpartition(",")[0] + f",{amount}" for n in range(200))) for amount in (1, 2, 3)]
    imports = at_once([lambda content=content: take(content) for content in files])  # type: ignore[misc]
    done = [counts(one) for one in imports if isinstance(one, UsageImport)]
    assert sorted(done, key=str) == [{"accepted": 200}, {"conflicts": 200}, {"conflicts": 200}], imports
    assert len({amount for (amount,) in records("usage_amount")}) == 1


def test_one_file_sent_several_times_at_once_is_one_import() -> None:
    content = shuffled(range(300))
    imports = at_once([lambda: take(content)] * 4)
    (done,) = UsageImport.objects.all()
    assert [one.pk for one in imports if isinstance(one, UsageImport)] == [done.pk] * 4, imports
    assert counts(done) == {"accepted": 300}
    assert held() == [300, 300, 0, 0]


def test_a_file_that_comes_slowly_holds_up_no_other() -> None:
    other = SourceSystemFactory(name="Other switch")

    class Slow(io.BytesIO):
        taken: list[dict[str, int]] = []

        def read(self, size: int | None = -1) -> bytes:
            if self.tell() and not self.taken:
                in_between = at_once(
                    [
                        lambda: counts(take(lines(row(1)), source=SourceSystem.objects.get(name="Switch"))),
                        lambda: counts(take(lines(row(1)), source=other)),
                    ]
                )
                self.taken += [one for one in in_between if isinstance(one, dict)]
            return super().read(size)

    slow = Slow(shuffled(range(6_000)).encode())
    done = take(slow, source=SourceSystem.objects.get(name="Switch"))
    assert slow.taken == [{"accepted": 1}, {"accepted": 1}]
    assert counts(done) == {"accepted": 5_999, "duplicates": 1}


def unread(pipe: BinaryIO) -> int:
    """How many bytes are in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@contextmanager
def importing(folder: Path, content: str, *, has_end: bool) -> Iterator[subprocess.Popen[bytes]]:
    """A process that imports from a pipe, into which all of the content has gone, and its end; or it waits for that."""
    pipe = folder / "calls.csv"
    os.mkfifo(pipe)
    environment = {"DATABASE_URL": database_url(str(connection.settings_dict["NAME"]))}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_usage", str(pipe), "--source", "Switch"],
        cwd=BASE_DIR,
        env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "config.settings.dev"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # As in a terminal, also where the tests run with it ignored, as a shell has it for what it runs beside itself.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509  no threads here
    )
    try:
        with pipe.open("wb") as file:
            file.write(content.encode())
            if has_end:
                file.close()
            else:
                file.flush()
                wait_until(lambda: unread(file) == 0, "the reading of what there is")
            yield process
    finally:
        process.kill()
        process.wait()


COPYING = "query LIKE 'COPY usage_staging%' AND state = 'idle in transaction'"
WRITING = "query LIKE '%INSERT INTO usage_data_record%'"


def test_an_import_killed_while_it_copies_leaves_nothing_and_the_next_takes_everything(tmp_path: Path) -> None:
    content = shuffled(range(10_000))
    with importing(tmp_path, content, has_end=False) as process:
        wait_until(lambda: sessions(COPYING) == 1, "the copying of the first blocks")
        running = UsageImport.objects.get()
        later = timezone.now() + timedelta(days=1)
        # However long it takes: an import whose process lives is not taken for an interrupted one.
        assert recover_interrupted_imports(at=later) == 0
        process.send_signal(signal.SIGKILL)
        wait_until(lambda: sessions(COPYING) == 0, "the end of the session")
    assert (held(), leftovers()) == ([0, 0, 0, 0], [])
    running.refresh_from_db()
    assert running.state == "RUNNING"

    done = take(content, at=later)
    assert counts(done) == {"accepted": 10_000}
    assert held() == [10_000, 10_000, 0, 0]
    running.refresh_from_db()
    assert (running.state, running.error, running.finished_at) == ("FAILED", INTERRUPTED, later)
    assert UsageImport.objects.count() == 2


def test_an_import_killed_while_it_writes_records_leaves_nothing(tmp_path: Path) -> None:
    content = shuffled(range(2_000))
    with transaction_open() as other:
        # Keeps the statement that writes records and pending usage from ending before the process is killed.
        other.execute("LOCK TABLE pending_usage IN SHARE MODE")
        with importing(tmp_path, content, has_end=True) as process:
            wait_until(lambda: sessions(f"{WRITING} AND wait_event_type = 'Lock'") == 1, "the writing of records")
            process.send_signal(signal.SIGKILL)
            process.wait(LONGEST_SECONDS)
        other.execute("ROLLBACK")
    wait_until(lambda: sessions(WRITING) == 0, "the end of the session")
    assert (held(), leftovers()) == ([0, 0, 0, 0], [])
    done = take(content, at=timezone.now() + timedelta(days=1))
    assert counts(done) == {"accepted": 2_000}
    assert list(UsageImport.objects.values_list("state", flat=True)) == ["COMPLETED", "FAILED"]


def test_an_import_that_is_broken_off_by_hand_says_so_at_once(tmp_path: Path) -> None:
    with importing(tmp_path, shuffled(range(10_000)), has_end=False) as process:
        wait_until(lambda: sessions(COPYING) == 1, "the copying of the first blocks")
        process.send_signal(signal.SIGINT)
        assert process.wait(LONGEST_SECONDS) != 0
    failed = UsageImport.objects.get()
    assert (failed.state, failed.error) == (
        "FAILED",
        "calls.csv: the import was interrupted, nothing was taken. Send the file again.",
    )
    assert (held(), leftovers()) == ([0, 0, 0, 0], [])


def test_an_import_whose_connection_is_lost_fails_and_may_be_sent_again() -> None:
    content = shuffled(range(10_000)).encode()

    class Losing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                with connection.cursor() as cursor, transaction_open() as other:
                    cursor.execute("SELECT pg_backend_pid()")
                    other.execute("SELECT pg_terminate_backend(%s, 5000)", cursor.fetchone())
            return super().read(size)

    with pytest.raises((OperationalError, psycopg.OperationalError)):
        take(Losing(content))
    failed = UsageImport.objects.get()
    assert (failed.state, failed.error) == (
        "FAILED",
        "calls.csv: the import was interrupted, nothing was taken. Send the file again.",
    )
    assert (held(), leftovers()) == ([0, 0, 0, 0], [])
    assert counts(take(content)) == {"accepted": 10_000}


def test_the_sessions_time_zone_is_its_own_again_after_an_import_that_went_in_or_not(source: SourceSystem) -> None:
    source.timezone = "Pacific/Auckland"
    source.save()
    take(lines(row(1)))
    assert session_timezone() == "UTC"
    Customer.objects.update(timezone="Mars/Olympus")
    with pytest.raises(DataError, match="Mars/Olympus"):
        take(lines(row(2)))
    assert session_timezone() == "UTC"
    assert (held(), leftovers()) == ([1, 1, 0, 0], [])


STATUS = Path("/proc/self/status")
# The most that the process itself has had: what `getrusage` gives begins with what its parent has.
MEASURE = """
import re, sys
from pathlib import Path
import django
django.setup()
from django.utils import timezone
from usage.models import SourceSystem
from usage.operations.imports import import_usage
source = SourceSystem.objects.get()
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        done = import_usage(source_system_id=source.pk, file=file, file_name="calls.csv", at=timezone.now())
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
    print(done.accepted_count, done.quarantined_count, peak)
"""


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux says what the most was that a process had")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    files = []
    for number, count in enumerate((2_000, 200_000), start=1):
        files.append(tmp_path / f"{count}.csv")
        with files[-1].open("w") as file:
            file.write(f"{HEADER},udf_string_1\n")
            # Quotes and a fault now and then, so that no way through is left out.
            file.writelines(f'{number}{row(n)}{"x" * (n % 100 == 0)},"a, b"\n' for n in range(count))
    environment = {"DATABASE_URL": database_url(str(connection.settings_dict["NAME"]))}
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, files)],
        cwd=BASE_DIR,
        env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "config.settings.dev"},
        capture_output=True,
        text=True,
        check=True,
    )
    small, large = ([int(word) for word in line.split()] for line in measured.stdout.splitlines())
    assert (small[:2], large[:2]) == ([1_980, 20], [198_000, 2_000])
    # In KiB. The large file is 16 MB.
    assert large[2] - small[2] < 12 * 1_024
