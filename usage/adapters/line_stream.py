"""Reads a file of JSON lines of any size in bounded memory. What a line says is the database's to judge."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from catalog.adapters.csv_stream import (
    BLOCK_BYTES,
    END_OF_DATA,
    LONGEST_ROW_BYTES,
    NOT_UTF8,
    UTF8_BOM,
    UTF16_BOMS,
    Block,
    StreamFault,
)

# What parts and quotes texts while they are copied: no JSON text holds either of them, so both become a third one.
DELIMITER, QUOTE = "\x01", "\x02"
WITHOUT_MARKS = bytes.maketrans(b"\x01\x02", b"\x03\x03")


@dataclass(frozen=True, slots=True)
class LineBlock(Block):
    """Whole lines: quotes and delimiters in them mean nothing here."""

    def fault(self, column_count: int) -> str | None:  # noqa: ARG002  a line has no columns yet
        """The first line that is no text, and where."""
        for line, row in self.numbered_rows():
            try:
                row.decode()
            except UnicodeDecodeError:
                return f"line {line}: it {NOT_UTF8}"
        return None

    def numbered_rows(self) -> Iterator[tuple[int, bytes]]:
        """Each line with its number."""
        return enumerate(self.rows.splitlines(keepends=True), self.first_line)


class LineStream:
    """Whole lines, block by block, each ended by a line feed; `sha256` and `byte_count` are of the file as it came."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._lines_read = 0
        self.byte_count = 0

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read so far, in hexadecimal."""
        return self._digest.hexdigest()

    def blocks(self) -> Iterator[Block]:
        """All lines. Raises StreamFault for a line of more than LONGEST_ROW_BYTES, NUL bytes, UTF-16, and no line."""
        line, held = 1, b""
        while block := self._read():
            data = held + block
            end = data.rfind(b"\n") + 1
            if len(data) - end > LONGEST_ROW_BYTES:
                long_line = line + data.count(b"\n", 0, end)
                raise StreamFault(f"line {long_line}: the line is longer than {LONGEST_ROW_BYTES:,} bytes")
            if end:
                yield _block(line, data[:end])
            line += data.count(b"\n", 0, end)
            held = data[end:]
        if held.strip():
            yield _block(line, held + b"\n")
        if not self.byte_count:
            raise StreamFault("it is empty: there is not even one line")

    def _read(self) -> bytes:
        block = self._file.read(BLOCK_BYTES)
        if not self.byte_count:
            if block.startswith(UTF16_BOMS):
                raise StreamFault("it is encoded in UTF-16. Save it as UTF-8")
            shown = block.removeprefix(UTF8_BOM)
        else:
            shown = block
        nul = block.find(b"\0")
        if nul >= 0:
            line = 1 + self._lines_read + block.count(b"\n", 0, nul)
            raise StreamFault(f"line {line}: there is a NUL byte, so it is not a text file")
        self._digest.update(block)
        self._lines_read += block.count(b"\n")
        self.byte_count += len(block)
        return shown


def _block(first_line: int, lines: bytes) -> LineBlock:
    """The lines as they can be copied. Raises StreamFault where the database would take one for the end of the data."""
    if b"\\." in lines and (found := END_OF_DATA.search(lines)):
        line = first_line + lines.count(b"\n", 0, found.start())
        raise StreamFault(f"line {line}: it holds nothing but “\\.”, which is no JSON")
    return LineBlock(first_line, _clean(lines))


def _clean(lines: bytes) -> bytes:
    """Lines as they can be copied: a carriage return is white space to JSON, and the end of a line to the database."""
    return lines.replace(b"\r\n", b"\n").replace(b"\r", b" ").translate(WITHOUT_MARKS)
