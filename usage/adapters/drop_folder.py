"""The folders that files of usage are put into: what has arrived there, and where it goes. Names are never trusted.

Below a source system's folder are `working/`, `done/` and `failed/`. A name of a file is text with whatever bytes the
file system has (PEP 383).
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

WORKING, DONE, FAILED = "working", "done", "failed"
# What programs that copy call a file that is not whole yet.
UNFINISHED_ENDINGS = (".part", ".tmp", ".filepart")
REASON_ENDING = ".txt"
LONGEST_NAME_BYTES = 255
# A file that claims to be from this far in the future has a wrong date: it would never become old.
WRONG_CLOCK_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """An open file, and what it looked like when it was opened."""

    path: Path
    file: BinaryIO
    seen: tuple[int, int]
    claimed_at: float

    def is_unchanged(self) -> bool:
        """Whether nobody wrote to it since it was opened."""
        return _looks(os.fstat(self.file.fileno())) == self.seen


def make_folders(folder: Path) -> None:
    """Make a drop folder with all that belongs to it. Raises OSError, also where something else stands there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (WORKING, DONE, FAILED):
        below = folder / name
        below.mkdir(exist_ok=True)
        if below.is_symlink():
            raise NotADirectoryError(f"{below} is a link. Put a folder in its place")


def files_in(folder: Path) -> list[str]:
    """The files that may be taken, the longest unchanged first. No links, folders, hidden or unfinished files."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED_ENDINGS):
                continue
            if entry.is_file(follow_symlinks=False):
                found.append((entry.stat(follow_symlinks=False).st_mtime, entry.name))
    return [name for _, name in sorted(found)]


@contextmanager
def opened_if_quiet(path: Path, *, quiet_seconds: int, at: datetime) -> Iterator[DroppedFile | None]:
    """A file that nobody has written to for so long; None for one that is not at rest, gone, or no plain file.

    Raises OSError for one that may not be read.
    """
    try:
        # A link or a pipe that was put in the file's place in the meantime is not followed, nor waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        age = at.timestamp() - found.st_mtime
        is_quiet = age >= quiet_seconds or age < -WRONG_CLOCK_SECONDS
        yield (
            DroppedFile(path, file, _looks(found), found.st_ctime) if stat.S_ISREG(found.st_mode) and is_quiet else None
        )


def claim(dropped: DroppedFile) -> DroppedFile | None:
    """Take a file out of the folder that it was put in, into `working/`; None where it is gone by now.

    The caller holds the lock of its name, so that nothing of that name comes to stand there at the same time.
    """
    target = dropped.path.parent / WORKING / dropped.path.name
    if os.path.lexists(target):
        return None
    try:
        dropped.path.rename(target)
        found = target.lstat()
    except FileNotFoundError:
        return None
    mine = os.fstat(dropped.file.fileno())
    if not os.path.samestat(found, mine):
        # Another file of that name was put in its place: it has its turn from there.
        return None
    return DroppedFile(target, dropped.file, dropped.seen, mine.st_ctime)


def put_away(dropped: DroppedFile, *, folder: str, import_id: int, reason: str = "") -> Path:
    """Move a file from `working/` to `done/` or `failed/`, with its import's id before its name, and say why there.

    Gives back its new path. Nothing that stands there is overwritten. Raises OSError.
    """
    target = _free_path(dropped.path.parent.parent / folder, dropped.path.name, import_id)
    dropped.path.rename(target)
    if reason:
        target.with_name(target.name + REASON_ENDING).write_text(reason + "\n", encoding="utf-8")
    return target


def _free_path(folder: Path, name: str, import_id: int) -> Path:
    number = 1
    while True:
        start = f"{import_id}-" if number == 1 else f"{import_id}-{number}-"
        shortened = name
        while len(os.fsencode(start + shortened + REASON_ENDING)) > LONGEST_NAME_BYTES:
            shortened = shortened[1:]
        path = folder / (start + shortened)
        if not os.path.lexists(path):
            return path
        number += 1


def _looks(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns
