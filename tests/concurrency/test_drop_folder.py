"""Drop folders with several watchers at once, and with watchers that are killed: each file is taken once."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from config.env import BASE_DIR
from tests.concurrency.sessions import at_once, transaction_open
from tests.concurrency.worker import database_url
from tests.usage.taking import held, leftovers, lines, make_company
from usage.models import SourceSystem, UsageDataRecord, UsageImport
from usage.operations.drop_folder import FILE_LOCK, lock_key, take_in_dropped_files
from usage.operations.interrupted import recover_interrupted_imports

pytestmark = pytest.mark.django_db(transaction=True)

CHANGED_AT = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)
WATCH = """
import os, signal, sys
from pathlib import Path
import django
django.setup()
from django.utils import timezone
from usage.adapters.drop_folder import DroppedFile
from usage.operations import drop_folder

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

target = {"drop": drop_folder, "file": DroppedFile}[sys.argv[2]]
setattr(target, sys.argv[3], die)
drop_folder.take_in_dropped_files(root=Path(sys.argv[1]), quiet_seconds=30, now=timezone.now)
"""


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    source = make_company()
    source.drop_folder = "switch"
    source.save()
    return source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The drop folder of the one source system."""
    watch(tmp_path)
    return tmp_path / "switch"


def watch(root: Path) -> list[UsageImport]:
    return take_in_dropped_files(root=root, quiet_seconds=30, now=timezone.now)


def watch_until_taken(root: Path) -> list[UsageImport]:
    """The server takes a moment to notice that a client is dead, and to give its locks back."""
    deadline = time.monotonic() + 20
    while not (taken := watch(root)):
        assert time.monotonic() < deadline, "the file was never taken"
        time.sleep(0.1)
    return taken


def drop(folder: Path, name: str, content: str) -> None:
    """Put a file into a folder that nobody has written to for long."""
    (folder / name).write_text(content)
    os.utime(folder / name, (CHANGED_AT.timestamp(), CHANGED_AT.timestamp()))


def row(number: int) -> str:
    return f"R{number:06},+49301,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,{number % 997}"


def tree(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_several_watchers_at_once_take_each_file_once(folder: Path) -> None:
    for number in range(12):
        drop(folder, f"{number}.csv", lines(*(row(number * 50 + n) for n in range(50))))
    drop(folder, "bad.csv", "number\n")
    rounds = at_once([lambda: watch(folder.parent)] * 4)
    assert [error for error in rounds if isinstance(error, Exception)] == []
    taken = [done.pk for done in [done for one in rounds if isinstance(one, list) for done in one]]
    (failed,) = UsageImport.objects.filter(state="FAILED")
    imports = dict(UsageImport.objects.filter(state="COMPLETED").values_list("id", "file_name"))
    assert sorted(taken) == sorted(imports)
    assert sorted(imports.values()) == sorted(f"{number}.csv" for number in range(12))
    assert tree(folder) == sorted(
        [f"done/{key}-{name}" for key, name in imports.items()]
        + [f"failed/{failed.pk}-bad.csv", f"failed/{failed.pk}-bad.csv.txt"]
    )
    assert held() == [600, 600, 0, 0]


def test_a_file_that_another_watcher_is_at_is_left_to_it(folder: Path, source: SourceSystem) -> None:
    drop(folder, "calls.csv", lines(row(1)))
    drop(folder / "working", "left.csv", lines(row(2)))
    with transaction_open() as other:
        for name in ("calls.csv", "left.csv"):
            other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [FILE_LOCK, lock_key(source, name)])
        assert watch(folder.parent) == []
        assert tree(folder) == ["calls.csv", "working/left.csv"]
        other.execute("ROLLBACK")
    assert [done.file_name for done in watch(folder.parent)] == ["left.csv", "calls.csv"]


@pytest.mark.parametrize(
    ("killed_at", "lies_in", "interrupted"),
    [
        (("drop", "claim"), "calls.csv", 0),
        (("drop", "import_usage"), "working/calls.csv", 0),
        (("file", "is_unchanged"), "working/calls.csv", 1),
        (("drop", "put_away"), "working/calls.csv", 0),
    ],
    ids=["before it is claimed", "before its import", "during its import", "after its import"],
)
def test_a_killed_watcher_ends_in_one_import_and_the_file_in_done(
    folder: Path, killed_at: tuple[str, str], lies_in: str, interrupted: int
) -> None:
    drop(folder, "calls.csv", lines(*(row(number) for number in range(2_000))))
    environment = {"DATABASE_URL": database_url(str(connection.settings_dict["NAME"]))}
    killed = subprocess.run(
        [sys.executable, "-c", WATCH, str(folder.parent), *killed_at],
        cwd=BASE_DIR,
        env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "config.settings.dev"},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert tree(folder) == [lies_in]
    (done,) = watch_until_taken(folder.parent)
    assert (done.state, done.accepted_count, tree(folder)) == ("COMPLETED", 2_000, [f"done/{done.pk}-calls.csv"])
    assert UsageDataRecord.objects.filter(usage_import=done).count() == 2_000
    assert held() == [2_000, 2_000, 0, 0]
    assert leftovers() == []
    assert recover_interrupted_imports(at=timezone.now() + timedelta(minutes=2)) == interrupted
    assert sorted(UsageImport.objects.values_list("state", flat=True)) == ["COMPLETED"] + ["FAILED"] * interrupted
    assert watch(folder.parent) == []
