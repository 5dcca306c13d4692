"""`manage.py import_usage`: a line for each file, and an exit that says whether all went in."""

import io
import json
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.gzipped import gzipped
from tests.usage.taking import HEADER, ROW, held, lines, make_company
from tests.usage.workbooks import workbook
from usage.engine.progress import ImportProgress
from usage.management.progress_bar import ProgressBar
from usage.models import SourceSystem, UsageDataRecord, UsageImport

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def run(*files: Path, source: str = "Switch") -> tuple[str, str]:
    """What the command prints, and the sentences with which it fails."""
    output = io.StringIO()
    try:
        call_command("import_usage", *map(str, files), source=source, stdout=output)
    except CommandError as error:
        return output.getvalue(), str(error)
    return output.getvalue(), ""


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_a_file_that_goes_in_is_a_line_with_its_counts(tmp_path: Path) -> None:
    file = written(tmp_path, "calls.csv", lines(ROW, ROW, ROW.replace(",60", ",61"), "R2,+49399,CALL,,,"))
    printed, _ = run(file)
    first = UsageImport.objects.get()
    line = f"4 rows received = 1 accepted + 1 duplicates + 1 conflicts + 1 quarantined (import {first.id})"
    assert printed == f"{file}: {line}\n"
    assert run(file) == (f"{file}: {line}. It was imported before, nothing was changed.\n", "")
    assert UsageImport.objects.count() == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "calls.csv"
    assert run(missing) == ("", f"{missing}: cannot be read: No such file or directory.")
    assert run(tmp_path) == ("", f"{tmp_path}: cannot be read: Is a directory.")
    assert not UsageImport.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty: there is not even a header line"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0", "line 3: there is a NUL byte, so it is not a text file"),
        (lines(ROW).encode("utf-16"), "it is encoded in UTF-16. Save it as UTF-8"),
        (lines(ROW, ROW + ",ü").encode("latin-1"), "line 3: it is not UTF-8. Save the file as UTF-8"),
        (
            lines(ROW, 'R2,"+49301'),
            "line 3: in the row that starts there a quoted field is not closed before the file ends",
        ),
        (lines(ROW, "R2,+49301"), "line 3: it has 2 columns, the header 6"),
        (
            "number,service\n",
            ("line 1: there is no column “from_date” and no column “usage_amount”. The header has: number, service"),
        ),
    ],
)
def test_a_file_at_fault_is_one_sentence_and_nothing_of_it_is_taken(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    file = written(tmp_path, "calls.csv", content)
    assert run(file) == ("", f"calls.csv: {sentence}.")
    failed = UsageImport.objects.get()
    assert (failed.state, failed.error, held()) == ("FAILED", f"calls.csv: {sentence}.", [0, 0, 0, 0])


def test_the_other_files_go_in_where_one_is_at_fault(tmp_path: Path) -> None:
    bad = written(tmp_path, "bad.csv", "")
    good = written(tmp_path, "good.csv", lines(ROW))
    missing = tmp_path / "missing.csv"
    printed, sentences = run(bad, missing, good)
    assert printed.startswith(f"{good}: 1 rows received = 1 accepted")
    assert sentences == (
        f"bad.csv: it is empty: there is not even a header line.\n{missing}: cannot be read: No such file or directory."
    )
    assert UsageDataRecord.objects.count() == 1


def test_an_unknown_source_system_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    file = written(tmp_path, "calls.csv", lines(ROW))
    assert run(file, source="Swich") == ("", "There is no source system “Swich”. There are: Switch.")
    SourceSystem.objects.all().delete()
    assert run(file) == ("", "There is no source system “Switch”. There are: none yet; add it in the admin.")


def test_a_name_of_bytes_that_are_no_text_does_not_keep_a_file_out(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Gespr\xe4che.csv"))
    file.write_text(lines(ROW))
    printed, sentences = run(file)
    assert (printed.startswith(f"{tmp_path}/Gespr?che.csv: 1 rows received"), sentences) == (True, "")


def test_a_database_that_breaks_off_is_a_sentence(tmp_path: Path) -> None:
    file = written(tmp_path, "calls.csv", lines(ROW))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '300ms'")
        cursor.execute("CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(9); END'")
        cursor.execute("CREATE TRIGGER sleep BEFORE INSERT ON usage_data_record EXECUTE FUNCTION sleep()")
    assert run(file) == (
        "",
        f"{file}: the import broke off, nothing was taken (canceling statement due to statement timeout).",
    )
    failed = UsageImport.objects.get()
    assert (failed.state, failed.error) == (
        "FAILED",
        "calls.csv: the import was interrupted, nothing was taken. Send the file again.",
    )
    assert held() == [0, 0, 0, 0]


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_it_is_and_ends_with_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.management.progress_bar.REDRAW_SECONDS", 0)
    file = written(tmp_path, "calls.csv", lines(*(ROW.replace("R1,", f"R{number},") for number in range(9_000))))
    output, terminal = io.StringIO(), Terminal()
    call_command("import_usage", str(file), source="Switch", stdout=output, stderr=terminal)
    shown = terminal.getvalue().split("\r\x1b[K")
    assert (shown[0], shown[-1]) == ("", "")
    assert shown[1].startswith(f"{file}"[:79])
    assert output.getvalue().startswith(f"{file}: 9,000 rows received = 9,000 accepted")


def test_the_bar_is_half_full_when_the_file_is_read() -> None:
    drawn: list[str] = []
    bar = ProgressBar(drawn.append, name="calls.csv", size=4_000_000)
    bar.show(ImportProgress("reading", byte_count=4_000_000, received=50_000), 2_000_000)
    bar.show(ImportProgress("reading", byte_count=8_000_000, received=90_000), 4_000_000)
    bar.clear()
    assert len(drawn) == 2
    assert drawn[0].startswith("\r\x1b[Kcalls.csv [########......................]  25% 50,000 rows read, 4.0 MB, ")


def test_the_other_half_fills_as_rows_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.management.progress_bar.REDRAW_SECONDS", 0)
    drawn: list[str] = []
    bar = ProgressBar(drawn.append, name="calls.csv", size=4_000_000)
    bar.show(ImportProgress("reading", byte_count=8_000_000, received=90_000), 4_000_000)
    bar.show(ImportProgress("writing", 8_000_000, 45_000, accepted=40_000, duplicates=5_000), 4_000_000)
    assert drawn[1] == "\r\x1b[Kcalls.csv [######################........]  75% 45,000 of 90,000 rows written"


def test_nothing_but_the_line_is_written_where_there_is_no_terminal(tmp_path: Path) -> None:
    output, errors = io.StringIO(), io.StringIO()
    file = written(tmp_path, "calls.csv", lines(ROW))
    call_command("import_usage", str(file), source="Switch", stdout=output, stderr=errors)
    assert (output.getvalue().count("\n"), errors.getvalue()) == (1, "")


def test_files_of_all_kinds_go_in(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "calls.csv.gz": gzipped(lines(ROW).encode()),
        "calls.ndjson": json.dumps(dict(zip(HEADER.split(","), ROW.replace("R1", "R2").split(","), strict=True))),
        "calls.xlsx": workbook([HEADER.split(","), ROW.replace("R1", "R3").split(",")]),
    }
    for name, content in files.items():
        printed, sentences = run(written(tmp_path, name, content))
        assert (printed.split(": ")[1].startswith("1 rows received = 1 accepted"), sentences) == (True, ""), printed
    imports = UsageImport.objects.order_by("id").values_list("file_name", "file_format", "channel")
    assert list(imports) == [
        ("calls.csv.gz", "CSV", "COMMAND"),
        ("calls.ndjson", "NDJSON", "COMMAND"),
        ("calls.xlsx", "XLSX", "COMMAND"),
    ]


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines(ROW).encode())))
    printed, sentences = run(Path("-"))
    assert (printed.startswith("standard input: 1 rows received = 1 accepted"), sentences) == (True, "")


def test_a_source_system_goes_by_its_alternative_code_too(tmp_path: Path, source: SourceSystem) -> None:
    source.alternative_code = "SW1"
    source.save()
    printed, sentences = run(written(tmp_path, "calls.csv", lines(ROW)), source="SW1")
    assert (" 1 accepted" in printed, sentences) == (True, "")


@pytest.mark.parametrize(("source_name", "returncode"), [("Switch", 1), ("Swich", 2)])
def test_it_ends_with_what_happened(tmp_path: Path, source_name: str, returncode: int) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("import_usage", str(written(tmp_path, "calls.csv", "")), source=source_name)
    assert caught.value.returncode == returncode
