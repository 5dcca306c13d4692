"""Reading a CSV file block by block: what is handed over, what is refused and in which line, and how little is read."""

import csv
import hashlib
import io
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.adapters import csv_stream
from catalog.adapters.csv_stream import Block, CsvStream, StreamFault

HEADER = b"number,service,usage_amount\n"
MEGABYTE = 1 << 20


class Generated(io.RawIOBase):
    """A file that makes its bytes when they are read, and counts them."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts = parts
        self._left = b""
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size and (part := next(self._parts, b"")):
            self._left += part
        given, self._left = self._left[:size], self._left[size:]
        self.bytes_read += len(given)
        return given


class InPieces(io.BytesIO):
    """A file that gives at most so many bytes at once, as pipes and sockets do."""

    def __init__(self, content: bytes, piece: int) -> None:
        super().__init__(content)
        self._piece = piece

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._piece if size is None or size < 0 else min(size, self._piece))


def generated(*start: bytes, endless: bytes) -> Generated:
    """A file of ten gigabytes: a start, and then the same again and again."""
    return Generated(chain(start, repeat(endless, 10 * (1 << 30) // len(endless))))


def stream(content: bytes) -> CsvStream:
    return CsvStream(io.BytesIO(content))


def rows(content: bytes) -> bytes:
    return b"".join(block.rows for block in stream(content).blocks())


def fault(file: bytes | Generated) -> str:
    with pytest.raises(StreamFault) as caught:
        list(CsvStream(io.BytesIO(file) if isinstance(file, bytes) else cast("BinaryIO", file)).blocks())
    return str(caught.value)


def test_a_file_is_its_header_and_its_rows() -> None:
    content = b'number,"serv""ice"\r\nR1,"a\r\nb"\r\nR2,c'
    read = stream(content)
    assert read.header == ["number", 'serv"ice']
    assert list(read.blocks()) == [Block(2, b'R1,"a\r\nb"\r\nR2,c')]
    assert read.byte_count == len(content)
    assert read.sha256 == hashlib.sha256(content).hexdigest()


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    content = b"\xef\xbb\xbf" + HEADER + b"R1,a,1\n"
    read = stream(content)
    assert read.header == ["number", "service", "usage_amount"]
    assert [block.rows for block in read.blocks()] == [b"R1,a,1\n"]
    assert read.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n\n", b"\r\n\r\n"])
def test_blank_lines_at_the_end_are_left_out(end: bytes) -> None:
    assert rows(HEADER + b"R1,a,1" + end).rstrip() == b"R1,a,1"
    assert rows(HEADER + b"R1,a,1" + end).count(b"\n") <= 1


def test_blank_lines_in_the_middle_stay() -> None:
    assert rows(HEADER + b"R1,a,1\n\n\nR2,a,1\n\n") == b"R1,a,1\n\n\nR2,a,1\n"


@pytest.mark.parametrize("content", [HEADER, HEADER[:-1], HEADER + b"\n\r\n"])
def test_a_header_alone_has_no_rows(content: bytes) -> None:
    assert list(stream(content).blocks()) == []
    assert stream(content).header == ["number", "service", "usage_amount"]


def test_blocks_end_at_rows_and_say_where_they_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_stream, "BLOCK_BYTES", 4)
    content = b'a,b\n"1\n1",1\n2,2\n"3\n\n3","3"\n4,4\n\n\n5,5\n\n'
    assert list(stream(content).blocks()) == [
        Block(2, b'"1\n1",1\n'),
        Block(4, b"2,2\n"),
        Block(5, b'"3\n\n3","3"\n'),
        Block(8, b"4,4\n"),
        Block(9, b"\n\n5,5\n"),
    ]


cells = st.text(alphabet='ab ,"\n;é\\.', max_size=6) | st.just("a\r\nb")


@given(
    st.lists(st.lists(cells, min_size=2, max_size=2), max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_however_the_bytes_come_the_rows_are_the_same(
    table: list[list[str]], line_end: str, quoting: int, block_bytes: int, piece: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end, quoting=quoting).writerows([["first", "second"], *table])  # type: ignore[arg-type]
    content = text.getvalue().encode()
    if csv_stream.END_OF_DATA.search(content):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_stream, "BLOCK_BYTES", block_bytes)
        read = CsvStream(InPieces(content, piece))
        blocks = list(read.blocks())
    found = b"".join(block.rows for block in blocks)
    assert list(csv.reader(io.StringIO(found.decode(), newline=""), strict=True)) == table
    lines_before = content.count(b"\n", 0, len(content) - len(found))
    assert [block.first_line for block in blocks] == [
        1 + lines_before + sum(earlier.rows.count(b"\n") for earlier in blocks[:position])
        for position in range(len(blocks))
    ]
    assert [block.fault(2) for block in blocks] == [None] * len(blocks)
    assert read.byte_count == len(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty: there is not even a header line"),
        (b"\n\n \r\n", "it is empty: there is not even a header line"),
        (b"\xef\xbb\xbf\n", "it is empty: there is not even a header line"),
        ("number,service\n".encode("utf-16"), "it is encoded in UTF-16. Save it as UTF-8"),
        (b"\xfe\xff" + "number,service\n".encode("utf-16-be"), "it is encoded in UTF-16. Save it as UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "line 1: there is a NUL byte, so it is not a text file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "line 3: there is a NUL byte, so it is not a text file"),
        (b"a,b\n1,2\n3,\0\n", "line 3: there is a NUL byte, so it is not a text file"),
        ("né,b\n".encode("latin-1"), "line 1: byte 2 is not UTF-8. Save the file as UTF-8"),
        (
            b'a,"b\n1,2\n3,4\n',
            "line 1: in the row that starts there a quoted field is not closed before the file ends",
        ),
        (b'"a"x,b\n1,2\n', "line 1: the header is not CSV (',' expected after '\"')"),
        (
            b"a,b\r1,2\r3,4\r",
            "line 1: a carriage return stands alone, outside quotes. Let lines end with LF or CRLF",
        ),
        (b",".join([b"c"] * 600) + b"\n", "line 1: the header has 600 columns, more than 500"),
        (
            b'a,b\n1,2\n3,4\n5,"6\n7,8\n',
            "line 4: in the row that starts there a quoted field is not closed before the file ends",
        ),
        (
            b'"a","b"\n"1","2"\n"3","4\n"5","6"\n',
            "line 3: in the row that starts there a quoted field is not closed before the file ends",
        ),
        (
            b'a,b\n1,"x\ny"\n3,"4\n5,6\n',
            "line 4: in the row that starts there a quoted field is not closed before the file ends",
        ),
        (b"a,b\n1,2\n\\.\n3,4\n", "line 3: it holds nothing but “\\.”, which means the end of the data to PostgreSQL"),
        (b"a,b\r\n\\.\r\n", "line 2: it holds nothing but “\\.”, which means the end of the data to PostgreSQL"),
    ],
)
def test_what_is_no_csv_file_is_refused_with_the_line(content: bytes, sentence: str) -> None:
    assert fault(content) == sentence


def test_a_nul_byte_far_down_is_found_in_its_line() -> None:
    content = HEADER + b"R1,a,1\n" * 100_000 + b"R2,a,\0\n"
    assert fault(content) == "line 100002: there is a NUL byte, so it is not a text file"


@pytest.mark.parametrize("quoted", [b"R%d,a,1\n", b'"R%d","a","1"\n'])
def test_a_broken_quote_in_the_middle_of_a_large_file_is_found_in_its_line(quoted: bytes) -> None:
    whole = [quoted % number for number in range(2, 300_000)]
    whole[199_998] = b'R200000,"a,1\n'
    content = HEADER + b"".join(whole)
    assert len(content) > 8 * csv_stream.BLOCK_BYTES
    assert fault(content) == (
        "line 200000: in the row that starts there a quoted field is not closed within 1,048,576 bytes"
    )


def test_ten_gigabytes_of_one_line_are_refused_after_the_first_megabytes() -> None:
    header = generated(endless=b"x" * 65_536)
    assert fault(header) == "line 1: the row is longer than 1,048,576 bytes"
    assert header.bytes_read < 2 * MEGABYTE
    row = generated(HEADER, b"R1,a,1\n", endless=b"x" * 65_536)
    assert fault(row) == "line 3: the row is longer than 1,048,576 bytes"
    assert row.bytes_read < 2 * MEGABYTE


def test_gigabytes_in_one_pair_of_quotes_are_refused_after_the_first_megabytes() -> None:
    # Each of the line breaks might end a row, were it not for the quote: looking at them must not take forever.
    header = generated(b'"', endless=b"\n" * 65_536)
    assert fault(header) == ("line 1: in the row that starts there a quoted field is not closed within 1,048,576 bytes")
    row = generated(HEADER, b'R1,"', endless=b"\n" * 65_536)
    assert fault(row) == "line 2: in the row that starts there a quoted field is not closed within 1,048,576 bytes"
    pairs = generated(HEADER, endless=b'""' * 32_768)
    assert fault(pairs) == "line 2: the row is longer than 1,048,576 bytes"
    assert max(file.bytes_read for file in (header, row, pairs)) < 2 * MEGABYTE


def test_gigabytes_of_blank_lines_are_refused_after_the_first_megabytes() -> None:
    blank = generated(HEADER, b"R1,a,1\n", endless=b"\r\n" * 32_768)
    assert fault(blank) == "line 3: from there on 1,048,576 bytes are blank lines"
    assert blank.bytes_read < 2 * MEGABYTE
    from_the_start = generated(endless=b"\n" * 65_536)
    assert fault(from_the_start) == "it is empty: there is not even a header line"
    assert from_the_start.bytes_read < MEGABYTE


def test_lone_carriage_returns_are_named_however_many() -> None:
    sentence = "a carriage return stands alone, outside quotes. Let lines end with LF or CRLF"
    assert fault(generated(endless=b"a,b\r" * 16_384)) == f"line 1: {sentence}"
    assert fault(generated(HEADER, endless=b"a,b\r" * 16_384)) == f"line 2: {sentence}"
    assert fault(b"a,b\n1,2\r3,4\r") == f"line 2: {sentence}"
    assert fault(b'a,b\r\n1,"\r"\r\n3,4\r\n5,\r6\r\n') == f"line 4: {sentence}"
    assert fault(b"a,b\n1,2\n3,\r4\n") == f"line 3: {sentence}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"1,2\n3,4\n", None),
        (b'1,"2,\n2"\n3,4', None),
        (b"1,2\n3\n", "line 11: it has 1 column, the header 2"),
        (b"1,2\n3,4,5,6\n", "line 11: it has 4 columns, the header 2"),
        (b'1,"2\n2"\n3,4,5\n', "line 12: it has 3 columns, the header 2"),
        (
            b'1,2\n"3\n","4\n4",5\n',
            "line 11: the row that starts there and goes on to line 13 has 3 columns, the header 2",
        ),
        (b"1,2\n\n3,4\n", "line 11: it is blank"),
        (b"1,2\r\n\r\n3,4\r\n", "line 11: it is blank"),
        (b"1,2\n3,\xe4\n", "line 11: it is not UTF-8. Save the file as UTF-8"),
        (b'1,2\n3,"\n\n\xe4"\n', "line 13: it is not UTF-8. Save the file as UTF-8"),
        (b"1,2\n3,4\r\n", "line 11: it ends with CRLF, other than the lines before it"),
        (b"1,2\r\n3,4\n", "line 11: it ends with LF, other than the lines before it"),
        (b"1,2\r\n3,4", None),
    ],
)
def test_the_first_row_that_does_not_fit_is_named(content: bytes, sentence: str | None) -> None:
    assert Block(10, content).fault(2) == sentence


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'a,b\n1,2\n3,19" rack\n5,6\n7,21" rack\n', 3),
        (b'a,b\n1,"2" 3\n', 2),
        (b'a,b\n1, "2"\n', 2),
        (b'a,b\n1,"2"\n"3\n","4"5,"6"\n', 3),
        (b'a,b\r\n1,"2"\r\n3,4"5"\r\n', 3),
    ],
)
def test_a_quote_inside_a_field_is_refused_for_rows_would_vanish_in_it(content: bytes, line: int) -> None:
    sentence = "a quote stands inside a field. Put quotes around the whole field and double those in it"
    assert fault(content) == f"line {line}: {sentence}"


@pytest.mark.parametrize(
    "table",
    [b'""\n', b'"","""","a""b"\n', b'"""\n""",2\r\n', b'1,"2"', b'"1","2,"\n\n"3","4"\n', b'"",""\r\n"","\r"\r\n'],
)
def test_quotes_around_fields_are_taken(table: bytes) -> None:
    assert rows(HEADER + table) == table


def test_a_blank_line_is_a_row_of_one_column() -> None:
    assert Block(2, b"1\n\n3\n").fault(1) is None
