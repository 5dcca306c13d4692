"""Drop folders: a file at rest is taken once, and lies in done or failed afterwards; all else is left alone."""

import logging
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import override_settings

from tests.factories import SourceSystemFactory
from tests.usage.taking import ROW, held, lines, make_company
from usage.adapters.drop_folder import opened_if_quiet
from usage.models import SourceSystem, UsageDataRecord, UsageImport
from usage.operations.drop_folder import take_in_dropped_files
from usage.tasks import watch_drop_folders

pytestmark = pytest.mark.django_db

CHANGED_AT = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 2, 1, 8, 0, 30, tzinfo=UTC)


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


def watch(root: Path, *, at: datetime = LATER) -> list[UsageImport]:
    return take_in_dropped_files(root=root, quiet_seconds=30, now=lambda: at)


def drop(folder: Path, name: str, content: str, *, changed_at: datetime = CHANGED_AT) -> Path:
    """Put a file into a folder, last changed then."""
    file = folder / name
    file.write_text(content)
    os.utime(file, (changed_at.timestamp(), changed_at.timestamp()))
    return file


def row(number: int) -> str:
    return ROW.replace("R1,", f"R{number},")


def tree(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def test_folders_are_made_for_sources_that_have_one(tmp_path: Path) -> None:
    SourceSystemFactory(name="Without")
    SourceSystemFactory(name="Mobile", drop_folder="mobile calls")
    assert watch(tmp_path / "deep" / "drop") == []
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "deep",
        "deep/drop",
        *(f"deep/drop/mobile calls{below}" for below in ("", "/done", "/failed", "/working")),
        *(f"deep/drop/switch{below}" for below in ("", "/done", "/failed", "/working")),
    ]


def test_a_file_at_rest_is_taken_in_and_done(folder: Path) -> None:
    drop(folder, "calls.csv", lines(ROW, row(2)))
    (done,) = watch(folder.parent)
    assert (done.state, done.channel, done.file_name, done.accepted_count) == (
        *("COMPLETED", "DROP_FOLDER", "calls.csv", 2),
    )
    assert tree(folder) == [f"done/{done.pk}-calls.csv"]
    assert watch(folder.parent) == []


def test_a_file_that_was_changed_a_moment_ago_is_left_alone(folder: Path) -> None:
    drop(folder, "calls.csv", lines(ROW), changed_at=datetime(2026, 2, 1, 8, 0, 1, tzinfo=UTC))
    assert (watch(folder.parent), tree(folder)) == ([], ["calls.csv"])
    assert len(watch(folder.parent, at=datetime(2026, 2, 1, 8, 0, 31, tzinfo=UTC))) == 1


def test_a_file_with_a_date_far_in_the_future_does_not_wait_for_it(folder: Path) -> None:
    drop(folder, "soon.csv", lines(ROW), changed_at=datetime(2026, 2, 1, 9, 0, tzinfo=UTC))
    drop(folder, "never.csv", lines(row(2)), changed_at=datetime(2036, 2, 1, tzinfo=UTC))
    assert [done.file_name for done in watch(folder.parent)] == ["never.csv"]


def test_the_oldest_file_comes_first(folder: Path) -> None:
    drop(folder, "a.csv", lines(row(2)), changed_at=datetime(2026, 1, 3, tzinfo=UTC))
    drop(folder, "b.csv", lines(row(3)), changed_at=datetime(2026, 1, 1, tzinfo=UTC))
    drop(folder, "c.csv", lines(row(4)), changed_at=datetime(2026, 1, 2, tzinfo=UTC))
    assert [done.file_name for done in watch(folder.parent)] == ["b.csv", "c.csv", "a.csv"]


def test_a_refused_file_lies_in_failed_with_the_reason_beside_it(folder: Path) -> None:
    drop(folder, "calls.csv", "number,service\n")
    assert watch(folder.parent) == []
    failed = UsageImport.objects.get()
    reason = (
        "calls.csv: line 1: there is no column “from_date” and no column “usage_amount”. "
        "The header has: number, service."
    )
    assert tree(folder) == [f"failed/{failed.pk}-calls.csv", f"failed/{failed.pk}-calls.csv.txt"]
    assert (folder / "failed" / f"{failed.pk}-calls.csv.txt").read_text() == f"{reason}\n"
    assert (failed.state, failed.channel, failed.error) == (
        *("FAILED", "DROP_FOLDER"),
        f"{reason} The file is in the drop folder: switch/failed/{failed.pk}-calls.csv",
    )
    assert held() == [0, 0, 0, 0]


def test_the_same_file_again_is_done_beside_the_first(folder: Path) -> None:
    drop(folder, "calls.csv", lines(ROW))
    (first,) = watch(folder.parent)
    for _ in range(2):
        drop(folder, "calls.csv", lines(ROW))
        assert watch(folder.parent) == [first]
    assert tree(folder) == [f"done/{first.pk}-{name}" for name in ("2-calls.csv", "3-calls.csv", "calls.csv")]
    assert UsageImport.objects.count() == 1


def test_files_of_one_name_follow_each_other(folder: Path) -> None:
    taken = []
    for number in range(1, 4):
        drop(folder, "calls.csv", lines(row(number)))
        taken += watch(folder.parent)
    assert tree(folder) == sorted(f"done/{done.pk}-calls.csv" for done in taken)
    assert UsageDataRecord.objects.count() == 3


def names(folder: Path) -> list[bytes]:
    """The names in a folder, as they are on disk."""
    return sorted(os.fsencode(path.name) for path in folder.iterdir())


@pytest.mark.parametrize(
    "name", [".calls.csv", "calls.csv.part", "calls.csv.tmp", "calls.csv.filepart", "CALLS.CSV.PART"]
)
def test_hidden_and_unfinished_files_are_left_alone(folder: Path, name: str) -> None:
    drop(folder, name, lines(ROW))
    assert (watch(folder.parent), tree(folder)) == ([], [name])


def test_links_folders_and_pipes_are_left_alone(folder: Path, tmp_path: Path) -> None:
    target = drop(tmp_path, "secret.csv", lines(ROW))
    (folder / "link.csv").symlink_to(target)
    (folder / "done.csv").mkdir()
    drop(folder / "done.csv", "inside.csv", lines(ROW))
    os.mkfifo(folder / "pipe.csv")
    assert watch(tmp_path) == []
    assert tree(folder) == ["done.csv/inside.csv", "link.csv", "pipe.csv"]
    assert not UsageImport.objects.exists()


def test_a_link_or_pipe_that_was_put_in_a_files_place_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(drop(tmp_path, "secret.csv", lines(ROW)))
    with (
        pytest.raises(OSError, match="symbolic link"),
        opened_if_quiet(tmp_path / "link.csv", quiet_seconds=0, at=LATER),
    ):
        pass
    os.mkfifo(tmp_path / "pipe.csv")
    with opened_if_quiet(tmp_path / "pipe.csv", quiet_seconds=0, at=LATER) as found:
        assert found is None


@pytest.mark.parametrize(
    ("name", "shown", "kept"),
    [
        (b"Gespr\xe4che.csv", "Gespr?che.csv", b"Gespr\xe4che.csv"),
        (b"two\nlines.csv", "two\nlines.csv", b"two\nlines.csv"),
        (b"-rf *;'\".csv", "-rf *;'\".csv", b"-rf *;'\".csv"),
        (b"no ending", "no ending", b"no ending"),
        (b"x" * 251 + b".csv", "x" * 251 + ".csv", None),
        ("ü".encode() * 125 + b".csv", "ü" * 125 + ".csv", None),
    ],
)
def test_odd_names_are_taken(folder: Path, name: bytes, shown: str, kept: bytes | None) -> None:
    for number, content in enumerate((lines(ROW), "number\n")):
        drop(folder, os.fsdecode(name), content)
        assert len(watch(folder.parent)) == 1 - number
    done, failed = UsageImport.objects.order_by("id")
    assert (done.state, failed.state, done.file_name, failed.file_name) == ("COMPLETED", "FAILED", shown, shown)
    (done_name,) = names(folder / "done")
    failed_name, reason_name = names(folder / "failed")
    assert reason_name == failed_name + b".txt"
    assert len(reason_name) <= 255
    assert done_name.startswith(f"{done.pk}-".encode())
    assert done_name.endswith(name[-40:])
    if kept is not None:
        assert (done_name, failed_name) == (f"{done.pk}-".encode() + kept, f"{failed.pk}-".encode() + kept)


def test_a_file_that_changes_while_it_is_read_waits_until_it_is_at_rest(folder: Path) -> None:
    file = drop(folder, "calls.csv", lines(ROW))
    with opened_if_quiet(file, quiet_seconds=30, at=LATER) as found:
        assert found is not None
        assert found.is_unchanged()
        with file.open("a") as writer:
            writer.write(lines(row(2), header=""))
        assert not found.is_unchanged()


def test_a_file_that_is_written_to_during_its_import_is_not_taken(folder: Path) -> None:
    path = drop(folder, "calls.csv", lines(ROW))
    times = [LATER, LATER, LATER]

    def now() -> datetime:
        """The clock is read for the last time when the import starts: then someone writes on."""
        at = times.pop()
        if not times:
            with (path.parent / "working" / "calls.csv").open("a") as writer:
                writer.write(row(2) + "\n")
        return at

    assert take_in_dropped_files(root=folder.parent, quiet_seconds=30, now=now) == []
    refused = UsageImport.objects.get()
    assert (refused.state, refused.error) == (
        *("FAILED", "calls.csv: it was changed while it was read. Nothing was taken."),
    )
    assert tree(folder) == ["working/calls.csv"]
    assert held() == [0, 0, 0, 0]
    at_rest = datetime.fromtimestamp(time.time() + 31, tz=UTC)
    assert [done.accepted_count for done in watch(folder.parent, at=at_rest)] == [2]


def test_a_file_that_a_killed_worker_left_is_taken_up_again(folder: Path) -> None:
    drop(folder / "working", "calls.csv", lines(ROW))
    drop(folder, "calls.csv", lines(row(2)))
    first, second = watch(folder.parent)
    assert tree(folder) == [f"done/{first.pk}-calls.csv", f"done/{second.pk}-calls.csv"]
    assert list(UsageDataRecord.objects.order_by("usage_import_id").values_list("number", flat=True)) == ["R1", "R2"]


def test_a_folder_at_fault_does_not_keep_others_from_being_watched(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    SourceSystemFactory(name="A", drop_folder="a").save()
    SourceSystemFactory(name="B", drop_folder="b").save()
    (tmp_path / "a").write_text("a file where a folder should be")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "done").symlink_to(tmp_path)
    drop(folder, "calls.csv", lines(ROW))
    with caplog.at_level(logging.WARNING):
        assert len(watch(tmp_path)) == 1
    assert [message.split(": ")[0] for message in caplog.messages] == [
        f"The drop folder {tmp_path}/a cannot be read",
        f"The drop folder {tmp_path}/b cannot be read",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_stays_and_is_said(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    drop(folder, "secret.csv", lines(ROW)).chmod(0)
    drop(folder, "calls.csv", lines(row(2)))
    with caplog.at_level(logging.WARNING):
        assert len(watch(folder.parent)) == 1
    assert caplog.messages == ["'secret.csv' in the drop folder of Switch cannot be taken: Permission denied."]
    assert "secret.csv" in tree(folder)


def test_a_full_disk_is_said_and_the_file_is_done_later(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(folder, "calls.csv", lines(ROW))
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr("usage.operations.drop_folder.put_away", no_space)
        assert watch(folder.parent) == []
    assert caplog.messages == ["'calls.csv' in the drop folder of Switch cannot be taken: No space left on device."]
    assert tree(folder) == ["working/calls.csv"]
    (done,) = watch(folder.parent)
    assert tree(folder) == [f"done/{done.pk}-calls.csv"]
    assert UsageImport.objects.count() == UsageDataRecord.objects.count() == 1


def no_space(*args: object, **kwargs: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_whose_import_breaks_off_is_tried_again_but_not_for_ever(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(folder, "calls.csv", lines(ROW))
    now = datetime.fromtimestamp(time.time() + 100, tz=UTC)
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr("usage.operations.imports.merge", broken_off)
        for _ in range(5):
            assert watch(folder.parent, at=now) == []
            assert tree(folder) == ["working/calls.csv"]
    assert watch(folder.parent, at=now) == []
    last = UsageImport.objects.order_by("-id")[0]
    assert tree(folder) == [f"failed/{last.pk}-calls.csv", f"failed/{last.pk}-calls.csv.txt"]
    assert last.error.startswith("Its import was interrupted 5 times. The log of the workers says why.")
    drop(folder, "calls.csv", lines(ROW))
    assert len(watch(folder.parent, at=datetime.fromtimestamp(time.time() + 200, tz=UTC))) == 1


def broken_off(*args: object, **kwargs: object) -> None:
    raise OperationalError("the server closed the connection unexpectedly")


def test_beat_watches_where_there_is_a_drop_folder(folder: Path) -> None:
    drop(folder, "calls.csv", lines(ROW))
    with override_settings(USAGE_DROP_FOLDER=""):
        watch_drop_folders()
    assert not UsageImport.objects.exists()
    with override_settings(USAGE_DROP_FOLDER=str(folder.parent)):
        watch_drop_folders()
    assert UsageImport.objects.get().state == "COMPLETED"
