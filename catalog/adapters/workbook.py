"""Reads an Excel workbook as if it were a CSV file, in bounded memory, whatever is in it."""

import hashlib
import io
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO

from catalog.adapters.csv_stream import StreamFault

READER = "catalog.adapters.worksheet"
ROOT = Path(__file__).resolve().parents[2]
BLOCK_BYTES = 1 << 18
MOST_BYTES = 100 << 20
# What the reader ends with where the workbook is at fault, and says so.
REFUSED = 3
# What Python ends with where something went wrong that nobody thought of.
BROKE_OFF = 1
LONGEST_SENTENCE = 2_000


class WorkbookStream(io.RawIOBase):
    """The rows of a workbook's first visible worksheet as CSV: UTF-8, lines that end with LF, quotes where needed.

    Dates and times are ISO 8601 without a zone, durations are in seconds, numbers have the source's decimal sign and
    no digits that Excel does not show. `sha256` and `byte_count` are of the workbook itself.

    The workbook is unpacked and read by a process of its own, whose memory and time are bounded.
    """

    def __init__(
        self, file: BinaryIO, *, delimiter: str = ",", decimal_sign: str = ".", instant_columns: Sequence[str] = ()
    ) -> None:
        """Read the whole workbook and start its reader. Raises StreamFault for one of more than MOST_BYTES.

        `instant_columns` are the names, in small letters, of columns whose dates have a time even where all of them
        are at midnight.
        """
        super().__init__()
        self._reader: subprocess.Popen[bytes] | None = None
        self.byte_count = 0
        self.sha256 = ""
        with tempfile.TemporaryFile() as copy:
            self._keep(file, copy)
            self._reader = subprocess.Popen(  # noqa: S603  a fixed command
                [sys.executable, "-B", "-m", READER, delimiter, decimal_sign, ",".join(instant_columns)],
                cwd=ROOT,
                stdin=copy,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._reader is None or self._reader.stdout is None or self._reader.stdout.closed:
            return 0
        block = self._reader.stdout.read(len(buffer))
        if not block:
            self._check_end(self._reader)
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """End the reader, read to its end or not."""
        if self._reader is not None:
            self._reader.kill()
            self._reader.communicate()
            self._reader = None
        super().close()

    def _keep(self, file: BinaryIO, copy: IO[bytes]) -> None:
        digest = hashlib.sha256()
        while block := file.read(BLOCK_BYTES):
            self.byte_count += len(block)
            if self.byte_count > MOST_BYTES:
                raise StreamFault(f"the workbook is larger than {MOST_BYTES:,} bytes. Save what is in it as CSV")
            digest.update(block)
            copy.write(block)
        copy.flush()
        copy.seek(0)
        self.sha256 = digest.hexdigest()

    def _check_end(self, reader: "subprocess.Popen[bytes]") -> None:
        """Whether the rows ended because there are no more. Raises StreamFault."""
        _, said = reader.communicate()
        if reader.returncode == REFUSED:
            raise StreamFault(said[:LONGEST_SENTENCE].decode(errors="replace"))
        if reader.returncode == BROKE_OFF:
            raise StreamFault("it cannot be read as an Excel workbook. Save it anew with Excel, or as CSV")
        if reader.returncode:
            raise StreamFault(
                "the workbook takes more memory or time to read than is given to one. Clear what stands far below or "
                "to the right of the table, or save it as CSV"
            )
