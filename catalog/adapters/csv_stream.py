"""Reads a CSV file of any size in bounded memory and refuses what is not one, naming the line."""

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

BLOCK_BYTES = 1 << 18
LONGEST_ROW_BYTES = 1 << 20
MOST_COLUMNS = 500
UTF8_BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
# PostgreSQL before 18 takes such a line for the end of the data, and would pass over all that follows without a word.
END_OF_DATA = re.compile(rb"^\\\.\r?$", re.MULTILINE)
NOT_UTF8 = "is not UTF-8. Save the file as UTF-8"
STRAY_QUOTE = "a quote stands inside a field. Put quotes around the whole field and double those in it"
NOT_CLOSED = "in the row that starts there a quoted field is not closed"
LONE_CARRIAGE_RETURN = "a carriage return stands alone, outside quotes. Let lines end with LF or CRLF"


class StreamFault(Exception):
    """What is wrong with the file as a whole, as a sentence; with the line where it is known."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows, and the line of the file that the first of them starts in."""

    first_line: int
    rows: bytes
    delimiter: bytes = b","

    @property
    def line_count(self) -> int:
        """Lines of the file, the last one with or without its line break."""
        return self.rows.count(b"\n") + (not self.rows.endswith(b"\n"))

    def fault(self, column_count: int) -> str | None:
        """What is wrong with the first row that is no row of a CSV file with so many columns, and where."""
        has_crlf = self.rows[: _end_of_first_row(self.rows)].endswith(b"\r\n")
        faults = (
            _fault_of_row(row, line, column_count, delimiter=self.delimiter, has_crlf=has_crlf)
            for line, row in self.numbered_rows()
        )
        return next(filter(None, faults), None)

    def widest_row_line(self) -> int:
        """The line of the row that takes the most room in a table, where texts of up to 24 bytes lie side by side."""
        rows = self.numbered_rows()
        widths = ((sum(min(len(text), 24) for text in row.split(self.delimiter)), line) for line, row in rows)
        return max(widths)[1]

    def numbered_rows(self) -> Iterator[tuple[int, bytes]]:
        """Each row with the line that it starts in. Slow: to say where something is wrong, once it is."""
        line, rest = self.first_line, self.rows
        while rest:
            end = _end_of_first_row(rest)
            row, rest = (rest[:end], rest[end:]) if end > 0 else (rest, b"")
            yield line, row
            line += row.count(b"\n")


class CsvStream:
    """A header and, after it, whole rows, block by block.

    Holds one block and one unfinished row (LONGEST_ROW_BYTES at the most). `sha256` and `byte_count` are of the file
    as it came, once all blocks are read. Lines count from 1, the header's; a row may span lines inside quotes.
    """

    def __init__(self, file: BinaryIO, *, delimiter: str = ",") -> None:
        """Read the header. Raises StreamFault if there is none."""
        self._file = file
        self._delimiter = delimiter.encode()
        self._digest = hashlib.sha256()
        self._lines_read = 0
        self.byte_count = 0
        self.header_line_count = 0
        self._rest = self._start()
        self.header = self._header()

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read so far, in hexadecimal."""
        return self._digest.hexdigest()

    def blocks(self) -> Iterator[Block]:
        """All rows after the header, in blocks that end at the end of a row; blank lines at the end are left out."""
        line, held = self.header_line_count + 1, self._rest
        while True:
            block = self._read()
            data = held + block
            end = _end_of_last_row(data)
            open_line = line + data.count(b"\n", 0, end)
            if block and len(data) - end > LONGEST_ROW_BYTES:
                raise StreamFault(f"line {open_line}: {_why_so_long(data[end:])}")
            if not block:
                if data.count(b'"', end) % 2:
                    raise StreamFault(f"line {open_line}: {NOT_CLOSED} before the file ends")
                end = len(data)
            kept = _end_without_blank_lines(data, end)
            if end - kept > LONGEST_ROW_BYTES:
                blank_line = line + data.count(b"\n", 0, kept)
                raise StreamFault(f"line {blank_line}: from there on {LONGEST_ROW_BYTES:,} bytes are blank lines")
            if kept:
                yield _checked(Block(line, data[:kept], self._delimiter))
            if not block:
                return
            line += data.count(b"\n", 0, kept)
            held = data[kept:]

    def _start(self) -> bytes:
        data = self._read().removeprefix(UTF8_BOM)
        if not data.strip():
            raise StreamFault("it is empty: there is not even a header line")
        return data

    def _header(self) -> list[str]:
        data = self._rest
        while (end := _end_of_first_row(data)) < 0:
            if len(data) > LONGEST_ROW_BYTES:
                raise StreamFault(f"line 1: {_why_so_long(data)}")
            block = self._read()
            if not block:
                end = len(data)
                break
            data += block
        self.header_line_count = data.count(b"\n", 0, end)
        self._rest = data[end:]
        row = data[:end].removesuffix(b"\n").removesuffix(b"\r")
        try:
            text = row.decode()
        except UnicodeDecodeError as error:
            raise StreamFault(f"line 1: byte {error.start + 1} {NOT_UTF8}") from error
        if row.count(b'"') % 2:
            raise StreamFault(f"line 1: {NOT_CLOSED} before the file ends")
        if _has_lone_carriage_return(row):
            raise StreamFault(f"line 1: {LONE_CARRIAGE_RETURN}")
        try:
            header = next(csv.reader([text], strict=True, delimiter=self._delimiter.decode()), [])
        except csv.Error as error:
            raise StreamFault(f"line 1: the header is not CSV ({error})") from error
        if len(header) > MOST_COLUMNS:
            raise StreamFault(f"line 1: the header has {len(header):,} columns, more than {MOST_COLUMNS}")
        return header

    def _read(self) -> bytes:
        """The next BLOCK_BYTES, fewer only at the end of the file: pipes and sockets give what they have."""
        parts: list[bytes] = []
        missing = BLOCK_BYTES
        while missing > 0 and (part := self._file.read(missing)):
            parts.append(part)
            missing -= len(part)
        block = b"".join(parts)
        if not self.byte_count and block.startswith(UTF16_BOMS):
            raise StreamFault("it is encoded in UTF-16. Save it as UTF-8")
        nul = block.find(b"\0")
        if nul >= 0:
            line = 1 + self._lines_read + block.count(b"\n", 0, nul)
            raise StreamFault(f"line {line}: there is a NUL byte, so it is not a text file")
        self._digest.update(block)
        self._lines_read += block.count(b"\n")
        self.byte_count += len(block)
        return block


def _checked(block: Block) -> Block:
    """The block itself, if PostgreSQL reads out of it what is written there. Raises StreamFault."""
    has_stray_quote = partial(_has_stray_quote, delimiter=block.delimiter)
    for is_found, fault in ((has_stray_quote, STRAY_QUOTE), (_has_lone_carriage_return, LONE_CARRIAGE_RETURN)):
        if is_found(block.rows):
            line = next(line for line, row in block.numbered_rows() if is_found(row))
            raise StreamFault(f"line {line}: {fault}")
    if b"\\." in block.rows and (found := END_OF_DATA.search(block.rows)):
        line = block.first_line + block.rows.count(b"\n", 0, found.start())
        raise StreamFault(f"line {line}: it holds nothing but “\\.”, which means the end of the data to PostgreSQL")
    return block


def _fault_of_row(row: bytes, line: int, column_count: int, *, delimiter: bytes, has_crlf: bool) -> str | None:
    try:
        row.decode()
    except UnicodeDecodeError as error:
        breaks = row.count(b"\n", 0, error.start)
        return f"line {line + breaks}: it {NOT_UTF8}"
    content = row.removesuffix(b"\n").removesuffix(b"\r")
    if row.endswith(b"\n") and row.endswith(b"\r\n") != has_crlf:
        return f"line {line}: it ends with {'LF' if has_crlf else 'CRLF'}, other than the lines before it"
    if not content and column_count > 1:
        return f"line {line}: it is blank"
    return _fault_of_columns(content, line, column_count, delimiter)


def _fault_of_columns(content: bytes, line: int, column_count: int, delimiter: bytes) -> str | None:
    given = _outside_quotes(content).count(delimiter) + 1
    if given == column_count:
        return None
    columns = f"{given:,} column{'' if given == 1 else 's'}, the header {column_count:,}"
    breaks = content.count(b"\n")
    if breaks:
        return f"line {line}: the row that starts there and goes on to line {line + breaks} has {columns}"
    return f"line {line}: it has {columns}"


def _why_so_long(row: bytes) -> str:
    """Why a row that goes on for longer than LONGEST_ROW_BYTES does so."""
    if b"\n" in row or row.count(b'"') % 2:
        return f"{NOT_CLOSED} within {LONGEST_ROW_BYTES:,} bytes"
    if _has_lone_carriage_return(row[:-1]):
        return LONE_CARRIAGE_RETURN
    return f"the row is longer than {LONGEST_ROW_BYTES:,} bytes"


def _outside_quotes(row: bytes) -> bytes:
    return b"".join(row.split(b'"')[::2]) if b'"' in row else row


def _has_stray_quote(rows: bytes, *, delimiter: bytes) -> bool:
    """Whether a quote opens behind, or closes before, something other than a delimiter or a line break.

    PostgreSQL leaves such quotes out, and takes the line breaks between two of them for text: rows would vanish.
    """
    if b'"' not in rows:
        return False
    # Without doubled quotes, and each quoted text put down to one mark.
    marked = b'"'.join(rows.replace(b'""', b"").split(b'"')[::2])
    marks = marked.count(b'"')
    opened = marked.startswith(b'"') + marked.count(delimiter + b'"') + marked.count(b'\n"')
    closed = marked.endswith(b'"') + marked.count(b'"' + delimiter) + marked.count(b'"\n') + marked.count(b'"\r')
    return not opened == closed == marks


def _has_lone_carriage_return(rows: bytes) -> bool:
    """Whether one ends no line outside quotes. PostgreSQL takes it for a line's end, or not, by the lines before it."""
    if rows.count(b"\r") == rows.count(b"\r\n"):
        return False
    outside = _outside_quotes(rows)
    return outside.count(b"\r") != outside.count(b"\r\n")


def _end_of_first_row(data: bytes) -> int:
    """Position after the first line break outside quotes, or -1."""
    start = 0
    while True:
        quote = data.find(b'"', start)
        newline = data.find(b"\n", start, quote if quote >= 0 else len(data))
        if newline >= 0:
            return newline + 1
        closing = data.find(b'"', quote + 1) if quote >= 0 else -1
        if closing < 0:
            return -1
        start = closing + 1


def _end_of_last_row(data: bytes) -> int:
    """Position after the last line break outside quotes, or 0. `data` starts at the start of a row."""
    end, is_quoted = len(data), data.count(b'"') % 2 == 1
    while True:
        quote = data.rfind(b'"', 0, end)
        newline = -1 if is_quoted else data.rfind(b"\n", quote + 1, end)
        if newline >= 0 or quote < 0:
            return newline + 1
        end, is_quoted = quote, not is_quoted


def _end_without_blank_lines(data: bytes, end: int) -> int:
    """Position after the last row before `end`, itself the end of a row, that is not a blank line."""
    content = len(data[:end].rstrip(b"\r\n"))
    if not content:
        return 0
    newline = data.find(b"\n", content, end)
    return end if newline < 0 else newline + 1
