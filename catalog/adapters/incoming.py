"""A file of any kind, as it comes in: what it is, its gzip taken off, and never more of it than is allowed."""

import io
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from catalog.adapters.csv_stream import UTF8_BOM, StreamFault
from catalog.choices import FileFormat

BUFFER_BYTES = 1 << 18
# What is looked at to tell what a file is.
HEAD_BYTES = 4_096
GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# Office files before 2007, and those of today that a password protects.
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
NDJSON_ENDINGS = (".ndjson", ".jsonl")
# Packed data that grows further than any usage does, once it is this much, is made to fill a disk.
UNSUSPECTED_BYTES = 64 << 20
MOST_GROWTH = 200
GZIP_WITH_HEADER = 31
NOT_TAKEN = {
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ\0": "compressed with xz",
    b"(\xb5/\xfd": "compressed with Zstandard",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
}


@dataclass(frozen=True, slots=True)
class Incoming:
    """The content of a file, unzipped, from its first byte on, and what it is."""

    stream: BinaryIO
    file_format: FileFormat


def opened(file: BinaryIO, *, file_name: str = "", largest_bytes: int) -> Incoming:
    """Find out what a file is by its first bytes, and by its name whether CSV is meant or JSON lines.

    `file` is read from where it stands; nothing but `read` is asked of it. Raises StreamFault for what is not taken;
    reading the stream raises it too: where gzip data is broken or cut, and past `largest_bytes` of content.
    """
    head, stream = _with_head(_LimitedStream(file, largest_bytes))
    if head.startswith(GZIP_MAGIC):
        head, stream = _with_head(UnzippedStream(stream, largest_bytes=largest_bytes))
        if head.startswith(GZIP_MAGIC):
            raise StreamFault("it is a gzip file in a gzip file. Unpack it once, then send it")
    for magic, kind in NOT_TAKEN.items():
        if head.startswith(magic):
            raise StreamFault(f"it is {kind}. Unpack it first; gzip is taken as it is")
    return Incoming(cast("BinaryIO", stream), _format_of(head, file_name))


class UnzippedStream(io.RawIOBase):
    """What is in a gzip stream, its members one after the other. What is wrong with it is a StreamFault.

    Holds one buffer, whatever is written in the headers of the data.
    """

    def __init__(self, zipped: io.BufferedIOBase, *, largest_bytes: int) -> None:
        super().__init__()
        self._zipped = zipped
        self._largest = largest_bytes
        self._member = zlib.decompressobj(GZIP_WITH_HEADER)
        self._waiting = b""
        self._bytes_in = self._bytes_out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._next(len(buffer))
        except zlib.error as error:
            raise StreamFault(f"its gzip data is broken ({error})") from error
        self._bytes_out += len(data)
        self._check_growth()
        buffer[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        """Up to so many bytes; none at the end of the last member."""
        while True:
            if self._member.eof and not self._starts_member():
                return b""
            if not self._waiting:
                self._waiting = self._read()
                if not self._waiting:
                    raise StreamFault("its gzip data is broken (it ends before it is complete)")
            data = self._member.decompress(self._waiting, size)
            self._waiting = self._member.unused_data or self._member.unconsumed_tail
            if data:
                return data

    def _starts_member(self) -> bool:
        """Whether another member follows the one that has ended; zeros between and after them are padding."""
        while not self._waiting.lstrip(b"\0"):
            self._waiting = self._read()
            if not self._waiting:
                return False
        self._waiting = self._waiting.lstrip(b"\0")
        self._member = zlib.decompressobj(GZIP_WITH_HEADER)
        return True

    def _read(self) -> bytes:
        block = self._zipped.read(BUFFER_BYTES)
        self._bytes_in += len(block)
        return block

    def _check_growth(self) -> None:
        if self._bytes_out > self._largest:
            raise StreamFault(f"unpacked, it is {_too_large(self._largest)}")
        if self._bytes_out > max(UNSUSPECTED_BYTES, MOST_GROWTH * self._bytes_in):
            raise StreamFault(
                f"its gzip data unpacks to more than {MOST_GROWTH} times its size. If it is in order, unpack it first"
            )


class _LimitedStream(io.RawIOBase):
    """Reads a file as it is, and refuses it once there is too much of it."""

    def __init__(self, file: BinaryIO, largest_bytes: int) -> None:
        super().__init__()
        self._file = file
        self._largest = largest_bytes
        self._byte_count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._file.read(len(buffer))
        self._byte_count += len(block)
        if self._byte_count > self._largest:
            raise StreamFault(f"it is {_too_large(self._largest)}")
        buffer[: len(block)] = block
        return len(block)


def _with_head(raw: io.RawIOBase) -> tuple[bytes, io.BufferedReader]:
    """The first HEAD_BYTES, fewer only where the file has no more, and a reader that still has them before it."""
    head = bytearray()
    while len(head) < HEAD_BYTES and (block := raw.read(HEAD_BYTES - len(head))):
        head += block
    return bytes(head), io.BufferedReader(_Rejoined(bytes(head), raw), BUFFER_BYTES)


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: io.RawIOBase) -> None:
        super().__init__()
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._head:
            return self._rest.readinto(buffer) or 0
        part, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _format_of(head: bytes, file_name: str) -> FileFormat:
    if head.startswith((*ZIP_MAGICS, OLE_MAGIC)):
        return FileFormat.XLSX
    text = head.removeprefix(UTF8_BOM).lstrip()
    if text.startswith(b"[") and text[1:].lstrip().startswith(b"{"):
        raise StreamFault("it is one JSON array. Send JSON lines: one object on each line, without brackets around all")
    if file_name.lower().removesuffix(".gz").endswith(NDJSON_ENDINGS) or text.startswith(b"{"):
        return FileFormat.NDJSON
    return FileFormat.CSV


def _too_large(largest_bytes: int) -> str:
    return f"larger than {largest_bytes:,} bytes, which is the most that is taken. Send it in parts"
