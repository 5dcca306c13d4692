"""Files made to do harm: refused in words, in bounded memory and time, and nothing of them is left behind."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
from django.db import connection

from config.env import BASE_DIR
from tests.concurrency.worker import database_url
from tests.usage.taking import held, leftovers, make_company
from usage.models import QuarantinedLine, UsageImport

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTE = 1 << 20
MOST_GROWTH_BYTES = 64 * MEGABYTE
MOST_SECONDS = 10
# Files are made while they are read, by the process whose memory is measured: nobody ever has one whole.
TAKE = """
import io, json, resource, sys, time, zipfile, zlib
from itertools import chain, repeat
import django
django.setup()
from django.utils import timezone
from tests.usage.taking import HEADER, ROW
from tests.usage.test_csv_stream import Generated
from tests.usage.workbooks import parts, sheet, workbook, zipped
from usage.models import SourceSystem
from usage.operations.errors import ImportRefused
from usage.operations.imports import import_usage

MEGABYTE = 1 << 20
head = (HEADER + "\\n").encode()
rows = (ROW + "\\n").encode() * 20_000
json_rows = (json.dumps(dict(zip(HEADER.split(","), ROW.split(",")))) + "\\n").encode() * 10_000

def gzipped(parts):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield from filter(None, map(packer.compress, parts))
    yield packer.flush()

def stuffed(megabytes):
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts({"Sheet1": sheet([["a"]])}).items():
            archive.writestr(name, content)
        with archive.open("big.bin", "w") as big:
            big.writelines(repeat(bytes(MEGABYTE), megabytes))
    output.seek(0)
    return output

def take(parts, name="calls.csv"):
    file = parts if isinstance(parts, io.BytesIO) else io.BufferedReader(Generated(iter(parts)))
    source = SourceSystem.objects.get()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    try:
        done = import_usage(source_system_id=source.pk, file=file, file_name=name, at=timezone.now())
        said = f"{done.state}: {done.accepted_count} accepted, {done.quarantined_count} quarantined"
    except ImportRefused as refused:
        said = str(refused)
    seconds = time.monotonic() - started
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    print(json.dumps({"said": said, "seconds": seconds, "growth_bytes": growth}))

take(io.BytesIO(head + (ROW + '\\n').encode()))  # what Python loads once is loaded before memory is measured
exec(sys.argv[1])
"""
GROWTH = "its gzip data unpacks to more than 200 times its size. If it is in order, unpack it first."
NUL = "there is a NUL byte, so it is not a text file."
LONG = "the row is longer than 1,048,576 bytes."
HARM = "It is made to fill a disk, or no ordinary workbook. Save what is in it as CSV."


@dataclass(frozen=True)
class Taken:
    """What became of a file, and what it took."""

    said: str
    seconds: float
    growth_bytes: int


def take(making: str) -> Taken:
    """Import the file that a line of Python makes, in a process of its own."""
    environment = {"DATABASE_URL": database_url(str(connection.settings_dict["NAME"])), "PYTHONPATH": str(BASE_DIR)}
    ended = subprocess.run(
        [sys.executable, "-c", TAKE, making],
        cwd=BASE_DIR,
        env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "config.settings.dev"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr[-3_000:]
    return Taken(**json.loads(ended.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("making", "sentence"),
    [
        pytest.param("take(gzipped(repeat(bytes(MEGABYTE), 1024)))", f"line 1: {NUL}", id="1 GB of zeros, gzipped"),
        pytest.param(
            "take(gzipped(chain([head], repeat(b'\\n' * MEGABYTE, 1024))))",
            "line 2: from there on 1,048,576 bytes are blank lines.",
            id="1 GB of line breaks, gzipped",
        ),
        pytest.param("take(gzipped(chain([head], repeat(rows, 800))))", GROWTH, id="1 GB of one row, gzipped"),
        pytest.param(
            "take(gzipped(repeat(json_rows, 1000)), 'calls.ndjson')",
            GROWTH,
            id="1 GB of JSON, gzipped",
        ),
        pytest.param(
            "take(gzipped(gzipped([head, rows])))",
            "it is a gzip file in a gzip file. Unpack it once, then send it.",
            id="gzip in gzip",
        ),
        pytest.param(
            "take([b''.join(gzipped([head, rows]))[:-20]])",
            "its gzip data is broken (it ends before it is complete).",
            id="cut gzip",
        ),
        pytest.param("take(chain([head, rows], [b'R2,\\0'], repeat(rows, 800)))", f"line 20002: {NUL}", id="NUL byte"),
        pytest.param("take(chain([head, b'R1,'], repeat(b'x' * MEGABYTE, 1024)))", f"line 2: {LONG}", id="1 GB line"),
        pytest.param("take(repeat(b'x' * MEGABYTE, 1024))", f"line 1: {LONG}", id="1 GB header"),
        pytest.param(
            "take(chain([b'{\"number\": \"'], repeat(b'x' * MEGABYTE, 1024)))",
            "line 1: the line is longer than 1,048,576 bytes.",
            id="1 GB line of JSON",
        ),
        pytest.param(
            "take(chain([head, b'R1,\"'], repeat(b'x\\n' * MEGABYTE, 1024)))",
            "line 2: in the row that starts there a quoted field is not closed within 1,048,576 bytes.",
            id="1 GB in one quote",
        ),
        pytest.param("take([b','.join([b'c'] * 1_000_000), b'\\n'])", f"line 1: {LONG}", id="a million columns"),
        pytest.param(
            "take([b',' * 1_000_000, b'\\n'])",
            "line 1: the header has 1,000,001 columns, more than 500.",
            id="a million columns without names",
        ),
        pytest.param(
            "take(chain([head, b',' * 1_000_000, b'\\n']))",
            "line 2: it has 1,000,001 columns, the header 6.",
            id="a row of a million columns",
        ),
        pytest.param(
            "take(stuffed(1024), 'calls.xlsx')",
            f"the workbook unpacks to more than 1,073,741,824 bytes. {HARM}",
            id="workbook that unpacks to 1 GB",
        ),
        pytest.param(
            "take(io.BytesIO(workbook([['a']], **{f'{n}': b'' for n in range(20_000)})), 'calls.xlsx')",
            f"there are 20,006 files in the workbook. {HARM}",
            id="workbook of many files",
        ),
        pytest.param(
            "take(chain([b'PK\\x03\\x04'], repeat(bytes(MEGABYTE), 1024)), 'calls.xlsx')",
            "the workbook is larger than 104,857,600 bytes. Save what is in it as CSV.",
            id="1 GB workbook",
        ),
    ],
)
def test_it_is_refused_in_bounded_memory_and_time_and_leaves_nothing_behind(making: str, sentence: str) -> None:
    make_company()
    taken = take(making)
    assert taken.said.endswith(sentence)
    assert taken.growth_bytes < MOST_GROWTH_BYTES
    assert taken.seconds < MOST_SECONDS
    assert (held(), leftovers()) == ([1, 1, 0, 0], [])
    assert list(UsageImport.objects.order_by("id").values_list("state", flat=True)) == ["COMPLETED", "FAILED"]


@pytest.mark.parametrize(
    "line",
    ["'[' * 1_000_000", "'{\"a\":' * 150_000", "'{\"number\": ' + '[' * 100_000 + ']' * 100_000 + '}'"],
    ids=["brackets", "objects", "in a field"],
)
def test_deep_json_costs_its_line_only(line: str) -> None:
    make_company()
    taken = take(f"take([({line}).encode(), b'\\n{{}}\\n'], 'calls.ndjson')")
    assert taken.said == "COMPLETED: 0 accepted, 2 quarantined"
    assert taken.growth_bytes < MOST_GROWTH_BYTES
    assert taken.seconds < MOST_SECONDS
    assert leftovers() == []


def test_json_numbers_of_thousands_of_digits_are_not_written_out() -> None:
    make_company()
    members = "','.join(f'\"udf_string_{n}\": 1e131071' for n in range(1, 9))"
    taken = take(f"take([('{{' + {members} + '}}\\n').encode() * 2_000], 'calls.ndjson')")
    assert taken.said == "COMPLETED: 0 accepted, 2000 quarantined"
    assert taken.seconds < MOST_SECONDS
    assert set(QuarantinedLine.objects.values_list("reason", flat=True)) == {"NOT_JSON"}


def test_an_exponent_in_a_text_is_a_text() -> None:
    make_company()
    taken = take("take([json_rows.splitlines()[0].replace(b'R1', b'5e1234')], 'calls.ndjson')")
    assert taken.said == "COMPLETED: 1 accepted, 0 quarantined"
