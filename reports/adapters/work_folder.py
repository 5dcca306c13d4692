"""Folders in which files are made before they are stored."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

PREFIX = "usage-reports-"
# Nothing takes so long: whoever had a folder that nothing was put into for longer is gone.
ABANDONED_AFTER = timedelta(days=1)


@contextmanager
def work_folder(*, at: datetime) -> Iterator[Path]:
    """A folder of one's own that goes with the block, and those with it that killed processes left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.stat().st_mtime < (at - ABANDONED_AFTER).timestamp():
                shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        yield Path(name)
