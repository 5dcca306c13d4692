"""A file that becomes a ZIP archive once it is too large: it is packed while it is written, and never there twice."""

import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

OWNER_WRITES_ALL_READ = 0o644 << 16


class ZippedAbove:
    """Takes the bytes of a file: they stand in `path` as they are, or in an archive beside it, with one entry.

    At most `limit` bytes are held in memory. `path` is where the file is, once it is closed. The time of the entry is
    `at`, so that the same bytes give the same archive.
    """

    def __init__(self, path: Path, *, limit: int, at: datetime) -> None:
        self.path = path
        self.is_zipped = False
        self._limit = limit
        self._at = at
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._archive: zipfile.ZipFile | None = None
        self._entry: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._entry is not None and self._archive is not None:
            self._entry.close()
            self._archive.close()
        elif kind is None:
            with self.path.open("wb") as file:
                file.writelines(self._held)
        self._held = []

    def write(self, block: bytes) -> None:
        if self._entry is not None:
            self._entry.write(block)
            return
        self._held.append(block)
        self._held_bytes += len(block)
        if self._held_bytes > self._limit:
            self._pack()

    def writelines(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            self.write(block)

    def _pack(self) -> None:
        entry = zipfile.ZipInfo(self.path.name, self._at.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = OWNER_WRITES_ALL_READ
        self.path = self.path.with_name(f"{self.path.name}.zip")
        self._archive = zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED)
        self._entry = self._archive.open(entry, "w", force_zip64=True)
        self._entry.write(b"".join(self._held))
        self._held = []
        self.is_zipped = True
