"""What a file is, its gzip taken off, and what is refused before it is read to the end."""

import io
import zlib
from collections.abc import Iterator
from itertools import repeat
from typing import BinaryIO, cast

import pytest

from catalog.adapters.csv_stream import StreamFault
from catalog.adapters.incoming import opened
from tests.gzipped import gzipped
from tests.usage.test_csv_stream import Generated, InPieces

CSV = b"number,service\nR1,+49301\n"
MOST = 1_000_000


def read(content: bytes | BinaryIO, *, file_name: str = "", largest_bytes: int = MOST) -> tuple[str, bytes]:
    """The format that is found, and the content."""
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    incoming = opened(file, file_name=file_name, largest_bytes=largest_bytes)
    return incoming.file_format.value, incoming.stream.read()


def fault(content: bytes | BinaryIO, *, file_name: str = "", largest_bytes: int = MOST) -> str:
    with pytest.raises(StreamFault) as caught:
        read(content, file_name=file_name, largest_bytes=largest_bytes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "file_name", "file_format"),
    [
        (CSV, "calls.csv", "CSV"),
        (CSV, "", "CSV"),
        (b"", "calls.csv", "CSV"),
        (b"\n \n", "", "CSV"),
        (b"[number],service\n", "", "CSV"),
        (CSV, "calls.xlsx", "CSV"),
        (b'{"number": "R1"}\n', "calls.csv", "NDJSON"),
        (b'\xef\xbb\xbf \n{"number": "R1"}\n', "", "NDJSON"),
        (b"not json\n", "CALLS.NDJSON", "NDJSON"),
        (b"not json\n", "calls.jsonl", "NDJSON"),
        (b"not json\n", "calls.jsonl.gz", "NDJSON"),
        (b"PK\x03\x04 and more", "calls.csv", "XLSX"),
        (b"PK\x05\x06 and more", "calls.ndjson", "XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more", "calls.xls", "XLSX"),
    ],
)
def test_what_a_file_is_stands_at_its_start_and_in_its_name(content: bytes, file_name: str, file_format: str) -> None:
    assert read(content, file_name=file_name) == (file_format, content)
    assert read(gzipped(content), file_name=file_name) == (file_format, content)


def test_a_file_that_comes_in_pieces_is_the_same() -> None:
    content = CSV * 2_000
    assert read(cast("BinaryIO", InPieces(content, 7))) == ("CSV", content)
    assert read(cast("BinaryIO", InPieces(gzipped(content), 7))) == ("CSV", content)


def test_members_of_a_gzip_file_follow_each_other_and_zeros_pad_it() -> None:
    members = gzipped(CSV) + gzipped(b"") + gzipped(b"R2,+49301\n")
    assert read(members) == ("CSV", CSV + b"R2,+49301\n")
    assert read(members + b"\0" * 700_000) == ("CSV", CSV + b"R2,+49301\n")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzipped(CSV)[:-9], "its gzip data is broken (it ends before it is complete)"),
        (gzipped(CSV)[:-1], "its gzip data is broken (it ends before it is complete)"),
        (gzipped(CSV)[:5], "its gzip data is broken (it ends before it is complete)"),
        (b"\x1f\x8b", "its gzip data is broken (it ends before it is complete)"),
        (gzipped(CSV)[:-8] + b"\0" * 8, "its gzip data is broken (Error -3 while decompressing data:"),
        (b"\x1f\x8bnonsense", "its gzip data is broken (Error -3 while decompressing data:"),
        (gzipped(CSV) + b"and more", "its gzip data is broken (Error -3 while decompressing data:"),
        (gzipped(gzipped(CSV)), "it is a gzip file in a gzip file. Unpack it once, then send it"),
        (b"BZh91AY&SY", "it is compressed with bzip2. Unpack it first; gzip is taken as it is"),
        (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive. Unpack it first; gzip is taken as it is"),
        (b' [\n {"number": "R1"}]', "it is one JSON array. Send JSON lines: one object on each line, without brackets"),
    ],
)
def test_what_cannot_be_taken_is_said(content: bytes, sentence: str) -> None:
    assert fault(content).startswith(sentence)


def test_the_largest_size_is_of_the_content() -> None:
    most = "larger than 1,000,000 bytes, which is the most that is taken. Send it in parts"
    assert read(b"x" * 1_000_000) == ("CSV", b"x" * 1_000_000)
    assert fault(b"x" * 1_000_001) == f"it is {most}"
    assert read(gzipped(b"x" * 1_000_000)) == ("CSV", b"x" * 1_000_000)
    assert fault(gzipped(b"x" * 1_000_001)) == f"unpacked, it is {most}"


def test_what_packs_well_is_taken_while_it_is_small() -> None:
    assert read(gzipped(b"x" * (60 << 20)), largest_bytes=1 << 30)[1] == b"x" * (60 << 20)


def test_a_bomb_is_refused_long_before_it_is_unpacked() -> None:
    block = b"R1,+49301\n" * 100_000
    packed = zlib.compressobj(wbits=31)
    bomb = Generated(filter(None, (packed.compress(block) for _ in range(10_000))))
    assert fault(cast("BinaryIO", bomb), largest_bytes=1 << 40) == (
        "its gzip data unpacks to more than 200 times its size. If it is in order, unpack it first"
    )
    assert bomb.bytes_read < 1_000_000


def test_a_name_in_the_gzip_header_that_never_ends_is_not_held() -> None:
    header = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"
    endless = Generated(parts_of(header, b"n" * 65_536))
    assert fault(cast("BinaryIO", endless), largest_bytes=50_000_000) == (
        "it is larger than 50,000,000 bytes, which is the most that is taken. Send it in parts"
    )


def parts_of(first: bytes, rest: bytes) -> Iterator[bytes]:
    yield first
    yield from repeat(rest)
