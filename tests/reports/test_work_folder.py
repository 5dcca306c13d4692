"""Folders in which reports are made: they go with the work, and what killed processes left goes with later work."""

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reports.adapters.work_folder import work_folder

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)


def left_behind(folder: Path, name: str, *, age: timedelta) -> Path:
    """A folder with a file in it, into which something was put last so long ago."""
    made = folder / name
    made.mkdir()
    (made / "01-usage-all.csv").write_text("half of it")
    moment = (AT - age).timestamp()
    os.utime(made, (moment, moment))
    return made


def test_a_folder_goes_with_its_work_and_abandoned_ones_go_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    abandoned = left_behind(tmp_path, "usage-reports-abandoned", age=timedelta(hours=25))
    at_work = left_behind(tmp_path, "usage-reports-at-work", age=timedelta(hours=23))
    of_others = left_behind(tmp_path, "letters", age=timedelta(days=300))
    with work_folder(at=AT) as own:
        assert own.parent == tmp_path
        assert own.is_dir()
        assert not abandoned.exists()
    assert sorted(tmp_path.iterdir()) == sorted([at_work, of_others])


def test_a_folder_goes_when_the_work_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(OSError, match="No space left"), work_folder(at=AT):
        raise OSError("No space left on device")
    assert list(tmp_path.iterdir()) == []
