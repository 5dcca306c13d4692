"""Reads a CSV file of any size in bounded memory and refuses what is not one, naming the line."""

import csv
import hashlib
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 1 << 18
LONGEST_ROW_BYTES = 1 << 20
MOST_COLUMNS = 500
UTF8_BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


class StreamFault(Exception):
    """What is wrong with the file as a whole, as a sentence; with the line where it is known."""


class CsvStream:
    """A header and, after it, the bytes of whole rows, block by block.

    Holds one block and one unfinished row (LONGEST_ROW_BYTES at the most). `sha256` and `byte_count` are of the file
    as it came, once all blocks are read. Lines count from 1, the header's; a row may span lines inside quotes.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Read the header. Raises StreamFault if there is none."""
        self._file = file
        self._digest = hashlib.sha256()
        self.byte_count = 0
        self.header_line_count = 0
        self._rest = self._start()
        self.header = self._header()

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read so far, in hexadecimal."""
        return self._digest.hexdigest()

    def blocks(self) -> Iterator[bytes]:
        """All rows after the header, in blocks that end at the end of a row; blank lines at the end are left out."""
        line = self.header_line_count + 1
        rest, blank = self._rest, b""
        while True:
            block = self._read()
            data = rest + block
            end = _end_of_last_row(data) if block else len(data)
            if not block:
                if data.count(b'"') % 2:
                    raise StreamFault(f"line {line}: a quoted field that starts there is not closed at the file's end")
            elif len(data) - end > LONGEST_ROW_BYTES:
                self._refuse_long_row(line + data.count(b"\n", 0, end), data[end:])
            rows, blank = _without_blank_end(blank + data[:end])
            if len(blank) > LONGEST_ROW_BYTES:
                raise StreamFault(f"line {line}: more than {LONGEST_ROW_BYTES:,} bytes of blank lines")
            line += data.count(b"\n", 0, end)
            if rows:
                yield rows
            if not block:
                return
            rest = data[end:]

    def _start(self) -> bytes:
        data = self._read()
        if data.startswith(UTF16_BOMS):
            raise StreamFault("it is encoded in UTF-16. Save it as UTF-8")
        data = data.removeprefix(UTF8_BOM)
        if not data.strip():
            raise StreamFault("it is empty: there is not even a header line")
        return data

    def _header(self) -> list[str]:
        data = self._rest
        while (end := _end_of_first_row(data)) < 0:
            if len(data) > LONGEST_ROW_BYTES:
                self._refuse_long_row(1, data)
            block = self._read()
            if not block:
                end = len(data)
                break
            data += block
        self.header_line_count = data.count(b"\n", 0, end)
        self._rest = data[end:]
        try:
            text = data[:end].decode()
        except UnicodeDecodeError as error:
            raise StreamFault(f"line 1: byte {error.start + 1} is not UTF-8. Save the file as UTF-8") from error
        try:
            header = next(csv.reader([text.rstrip("\r\n")], strict=True), [])
        except csv.Error as error:
            raise StreamFault(f"line 1: the header is not CSV ({error})") from error
        if len(header) > MOST_COLUMNS:
            raise StreamFault(f"line 1: the header has {len(header):,} columns, more than {MOST_COLUMNS}")
        return header

    def _read(self) -> bytes:
        block = self._file.read(BLOCK_BYTES)
        if b"\0" in block:
            raise StreamFault("it has NUL bytes, so it is not a text file")
        self._digest.update(block)
        self.byte_count += len(block)
        return block

    def _refuse_long_row(self, line: int, row: bytes) -> None:
        if row.count(b'"') % 2:
            raise StreamFault(
                f"line {line}: a quoted field that starts there is not closed within {LONGEST_ROW_BYTES:,} bytes"
            )
        raise StreamFault(f"line {line}: the row is longer than {LONGEST_ROW_BYTES:,} bytes")


def _end_of_first_row(data: bytes) -> int:
    """Position after the first line break outside quotes, or -1."""
    start = 0
    while (newline := data.find(b"\n", start)) >= 0:
        if data.count(b'"', 0, newline) % 2 == 0:
            return newline + 1
        start = newline + 1
    return -1


def _end_of_last_row(data: bytes) -> int:
    """Position after the last line break outside quotes, or 0. `data` starts at the start of a row."""
    newline = data.rfind(b"\n")
    quotes = data.count(b'"', 0, max(newline, 0))
    while newline >= 0 and quotes % 2:
        earlier = data.rfind(b"\n", 0, newline)
        quotes -= data.count(b'"', max(earlier, 0), newline)
        newline = earlier
    return newline + 1


def _without_blank_end(rows: bytes) -> tuple[bytes, bytes]:
    """Whole rows up to the last one that is not blank, and the blank lines after it, which at the end mean nothing."""
    kept = len(rows.rstrip(b"\r\n"))
    if kept:
        newline = rows.find(b"\n", kept)
        kept = len(rows) if newline < 0 else newline + 1
    return rows[:kept], rows[kept:]
