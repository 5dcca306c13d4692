"""Files that are at fault as a whole: one sentence with file, line and reason, and nothing half-imported."""

import io
from itertools import chain, repeat

import pytest

from tests.usage.taking import AT, HEADER, ROW, counts, leftovers, lines, make_company, records, refusal, take
from tests.usage.test_csv_stream import Generated
from usage.models import QuarantinedLine, SourceSystem, UsageDataRecord, UsageImport

pytestmark = pytest.mark.django_db

NOT_CLOSED = "in the row that starts there a quoted field is not closed"
STRAY_QUOTE = "a quote stands inside a field. Put quotes around the whole field and double those in it"
CARRIAGE_RETURN = "a carriage return stands alone, outside quotes. Let lines end with LF or CRLF"


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def row(number: int) -> str:
    return ROW.replace("R1,", f"R{number},")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty: there is not even a header line"),
        (b"\n\n", "it is empty: there is not even a header line"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0", "line 3: there is a NUL byte, so it is not a text file"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "its gzip data is broken (it ends before it is complete)"),
        (lines(ROW).encode("utf-16"), "it is encoded in UTF-16. Save it as UTF-8"),
        (lines(ROW, row(2) + "\0").encode(), "line 3: there is a NUL byte, so it is not a text file"),
        (
            lines(ROW, row(2).replace("CALL", "Gespräch"), row(3)).encode("latin-1"),
            "line 3: it is not UTF-8. Save the file as UTF-8",
        ),
        (
            lines(ROW, header=HEADER.replace("number", "Rufnummer für")).encode("latin-1"),
            "line 1: byte 12 is not UTF-8. Save the file as UTF-8",
        ),
        (
            b"<!DOCTYPE html>\n<html>\n",
            (
                "line 1: there is no column “service” and no column “from_date” and no column “usage_amount”. "
                "The header has: <!DOCTYPE html>"
            ),
        ),
        (
            lines("R1,+49301,2026-01-15T12:00:00Z", header="number,service,from_date").encode(),
            "line 1: there is no column “usage_amount”. The header has: number,service,from_date".replace(",", ", "),
        ),
        (
            lines(ROW + ",x", header=HEADER + ",number").encode(),
            "line 1: the column “number” stands in the header twice",
        ),
        (lines(ROW, row(2), 'R3,"+49301,CALL', row(4)).encode(), f"line 4: {NOT_CLOSED} before the file ends"),
        (lines(ROW, 'R2,+49301,19" rack,x', row(3), 'R4,21" rack').encode(), f"line 3: {STRAY_QUOTE}"),
        (lines(ROW, "R2,+49301,CALL", row(3)).encode(), "line 3: it has 3 columns, the header 6"),
        (lines(ROW, row(2) + ",,", row(3)).encode(), "line 3: it has 8 columns, the header 6"),
        (lines(ROW, "", row(3)).encode(), "line 3: it is blank"),
        (lines(ROW, "R2", row(3)).encode(), "line 3: it has 1 column, the header 6"),
        (
            lines(ROW, 'R2,"a\nb\nc",CALL', row(3)).encode(),
            "line 3: the row that starts there and goes on to line 5 has 3 columns, the header 6",
        ),
        (lines(ROW).replace("\n", "\r").encode(), f"line 1: {CARRIAGE_RETURN}"),
        (f"{HEADER}\n{ROW}\r{row(2)}\r".encode(), f"line 2: {CARRIAGE_RETURN}"),
        (lines(ROW, row(2).replace("CALL", "CA\rLL")).encode(), f"line 3: {CARRIAGE_RETURN}"),
        (f"{HEADER}\r\n{ROW}\r\n{row(2)}\n".encode(), "line 3: it ends with LF, other than the lines before it"),
        (
            lines(ROW, "\\.", row(3)).encode(),
            "line 3: it holds nothing but “\\.”, which means the end of the data to PostgreSQL",
        ),
        (
            lines(ROW, header=",".join(f"c{n}" for n in range(600))).encode(),
            "line 1: the header has 600 columns, more than 500",
        ),
    ],
)
def test_a_file_at_fault_is_refused_in_one_sentence(content: bytes, sentence: str) -> None:
    assert refusal(content) == f"calls.csv: {sentence}."


@pytest.mark.parametrize("is_quoted", [False, True])
def test_a_fault_in_the_middle_of_a_large_file_is_found_in_its_line(is_quoted: bool) -> None:  # noqa: FBT001
    rows = [row(number) for number in range(2, 30_000)]
    if is_quoted:
        rows = ['"' + text.replace(",", '","') + '"' for text in rows]
    good = lines(*rows)
    assert len(good) > 6 * (1 << 18)

    def with_row(text: str) -> str:
        return good.replace(rows[9_998], text, 1)

    assert refusal(with_row('R10000,"+49301,CALL')) == f"calls.csv: line 10000: {NOT_CLOSED} within 1,048,576 bytes."
    assert refusal(with_row("R10000,+49301,CALL")) == "calls.csv: line 10000: it has 3 columns, the header 6."
    assert refusal(with_row("R10000,+\xe4,CALL,,,1").encode("latin-1")) == (
        "calls.csv: line 10000: it is not UTF-8. Save the file as UTF-8."
    )
    assert refusal(with_row("")) == "calls.csv: line 10000: it is blank."
    assert counts(take(good)) == {"accepted": 29_998}


@pytest.mark.parametrize(
    ("start", "endless", "sentence"),
    [
        ("x", b"x" * 65_536, "line 1: the row is longer than 1,048,576 bytes"),
        (lines(ROW), b"x" * 65_536, "line 3: the row is longer than 1,048,576 bytes"),
        (lines(ROW) + '"', b"\n" * 65_536, f"line 3: {NOT_CLOSED} within 1,048,576 bytes"),
        (lines(ROW), b"\n" * 65_536, "line 3: from there on 1,048,576 bytes are blank lines"),
        (lines(ROW), b"a row of prose\n" * 4_096, "line 3: it has 1 column, the header 6"),
    ],
)
def test_of_ten_gigabytes_at_fault_little_is_read(start: str, endless: bytes, sentence: str) -> None:
    file = Generated(chain([start.encode()], repeat(endless, 10 * (1 << 30) // len(endless))))
    assert refusal(io.BufferedReader(file)) == f"calls.csv: {sentence}."
    assert file.bytes_read < 2 << 20


def test_five_hundred_columns_are_taken_if_a_row_of_them_can_be_held() -> None:
    names = [*HEADER.split(","), *(f"c{n}" for n in range(494))]
    short = ROW + ",x" * 494
    assert counts(take(lines(short, short.replace(",60,", ",sixty,"), header=",".join(names)))) == {
        "accepted": 1,
        "quarantined": 1,
    }
    long = row(2) + ",twenty characters long" * 494
    sentence = refusal(lines(short, long, header=",".join(names)))
    assert sentence.startswith(
        "calls.csv: line 3: the texts of its 500 columns are too long to be held side by side (row is too big"
    )


def test_a_header_alone_is_an_import_of_nothing() -> None:
    first = take(HEADER + "\n")
    assert counts(first) == {}
    assert (first.received_count, first.finished_at) == (0, AT)
    assert take(HEADER + "\n").id == first.id


@pytest.mark.parametrize(
    "content",
    [
        lines(ROW).replace("\n", "\r\n"),
        "\ufeff" + lines(ROW),
        lines(ROW) + "\n\r\n\n",
        lines(ROW).removesuffix("\n"),
        lines(ROW).removesuffix("\n").replace("\n", "\r\n"),
        lines('"' + ROW.replace(",", '","') + '"', header='"' + HEADER.replace(",", '","') + '"'),
        lines(ROW).replace(",+49301,", ", +49301 ,"),
    ],
)
def test_the_same_row_in_the_ways_that_csv_is_written(content: str) -> None:
    assert counts(take(content)) == {"accepted": 1}
    assert records("number", "line_number", "subscription_service__identifier") == [("R1", 2, "+49301")]


def test_line_breaks_and_quotes_in_fields_are_text_and_lines_are_still_counted_as_an_editor_does() -> None:
    header = 'number,service,product,from_date,to_date,usage_amount,udf_string_1,"a\nnote"'
    taken = take(
        lines(
            f'{ROW},"He said ""no""",',
            f'{row(2)},"first\n\nthird",x',
            f"{row(3)},,",
            'bad,+49399,CALL,2026-01-15T12:00:00Z,,1,"a,\nb",',
            f"{row(4)},,",
            header=header,
        )
    )
    assert counts(taken) == {"accepted": 4, "quarantined": 1}
    assert records("number", "line_number", "udf_string_1") == [
        ("R1", 3, 'He said "no"'),
        ("R2", 4, "first\n\nthird"),
        ("R3", 7, None),
        ("R4", 10, None),
    ]
    line = QuarantinedLine.objects.get()
    assert (line.line_number, line.raw_text) == (8, 'bad,+49399,CALL,2026-01-15T12:00:00Z,,1,"a,\nb",')


def test_a_broken_read_is_a_failed_import_that_says_so() -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output error"):
        take(Breaking((lines(ROW) * 10).encode()))
    failed = UsageImport.objects.get()
    assert (failed.state, failed.error) == (
        "FAILED",
        "calls.csv: the import was interrupted, nothing was taken. Send the file again.",
    )
    assert (UsageDataRecord.objects.count(), leftovers()) == (0, [])


def test_a_file_name_of_bytes_that_are_no_text_is_kept_as_well_as_can_be() -> None:
    assert take(lines(ROW), name="Gespr\udce4che.csv").file_name == "Gespr?che.csv"
    assert refusal("", name="\udce4.csv") == "?.csv: it is empty: there is not even a header line."
    assert take(lines(row(2)), name="x" * 400).file_name == "x" * 300
