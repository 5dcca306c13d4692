"""PDFs and pictures of documents, by Typst in a process of its own.

A layout that somebody wrote is not trusted: it reads nothing but its own files, has no network, and so much memory and
time. Texts come to it as JSON, so that none is ever read as markup.
"""

import base64
import contextlib
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from invoicing.adapters.layouts import Layout

PROGRAM = Path(__file__).with_name("typesetting.py")
# Nothing answers there: what asks for a package from the network is refused at once.
NOWHERE = "http://127.0.0.1:9"
# How long a document may take: so many seconds, and one more for so many lines. Measured: 3,000 lines a second.
SECONDS = 20
LINES_A_SECOND = 100
# Long documents have no tags: they would be ten times as large with them.
TAGGED_LINES = 200
# Typst remembers how it laid out the last documents. After so many lines of long ones, and after so many documents, a
# new process takes its place, so that memory stays flat.
LONG_LINES = 200
LONG_LINES_KEPT = 3_000
DOCUMENTS_KEPT = 1_000
CHUNK_BYTES = 1 << 20
PAGES = re.compile(rb"/Type/Pages/Count (\d+)")


class LayoutRefused(Exception):
    """A layout and a document do not come to a PDF; the text is a sentence for people, with what Typst says."""


def make_pdf(layout: Layout, data: Mapping[str, Any], *, at: datetime) -> bytes:
    """The PDF of a document, dated `at`. The same layout, data and date make the same bytes. Raises LayoutRefused."""
    return _typesetter.ask(layout, data, at=at, format="pdf", tags=line_count(data) <= TAGGED_LINES)[0]


def make_pictures(layout: Layout, data: Mapping[str, Any], *, at: datetime, ppi: int) -> list[bytes]:
    """The pages as PNG, so many pixels to the inch. Raises LayoutRefused."""
    return _typesetter.ask(layout, data, at=at, format="png", ppi=ppi)


def page_count(pdf: bytes) -> int:
    """How many pages a PDF that was made here has."""
    found = PAGES.search(pdf)
    return int(found.group(1)) if found else 0


def line_count(data: Mapping[str, Any]) -> int:
    """How many lines a document has."""
    return sum(len(part["lines"]) for group in data["groups"] for part in group["parts"])


class Typesetter:
    """The process that typesets for this one: started when it is first needed, and anew where it was lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._long_lines = self._documents = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def ask(self, layout: Layout, data: Mapping[str, Any], *, at: datetime, **wanted: object) -> list[bytes]:
        """Have files made."""
        lines = line_count(data)
        seconds = SECONDS + lines // LINES_A_SECOND
        text = json.dumps(data, ensure_ascii=False)
        with self._lock:
            process = self._running()
            request = {"folder": self._folder_of(layout), "data": text, "at": int(at.timestamp()), **wanted}
            try:
                answer = _exchange(process, request, seconds=seconds)
            except BaseException:
                # What is left of an answer must not be taken for the next one.
                self._end()
                raise
            self._documents += 1
            self._long_lines += lines if lines > LONG_LINES else 0
            if self._long_lines > LONG_LINES_KEPT or self._documents >= DOCUMENTS_KEPT:
                self._end()
        if "error" in answer:
            raise LayoutRefused(f"The layout cannot be set: {answer['error']}")
        return [base64.b64decode(file) for file in answer["files"]]

    def end(self) -> None:
        """End the process, if one runs."""
        with self._lock:
            self._end()

    def _running(self) -> "subprocess.Popen[bytes]":
        # A forked process has the pipes of its parent: two would write into one.
        if self._process is None or self._process.poll() is not None or self._owner != os.getpid():
            if self._owner == os.getpid():
                self._end()
            self._folder = tempfile.TemporaryDirectory(prefix="tollbook-layouts-")
            self._owner = os.getpid()
            self._long_lines = self._documents = 0
            self._process = subprocess.Popen(  # noqa: S603  this interpreter and a file of the project
                [sys.executable, "-I", str(PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder.name,
                env={"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "ALL_PROXY": NOWHERE, "RAYON_NUM_THREADS": "1"},
            )
        return self._process

    def _folder_of(self, layout: Layout) -> str:
        assert self._folder is not None, "The process has a folder."  # noqa: S101
        folder = Path(self._folder.name) / layout.sha256
        if not folder.exists():
            folder.mkdir()
            for name, content in layout.files.items():
                (folder / Path(name).name).write_bytes(content)
        return str(folder)

    def _end(self) -> None:
        process, folder = self._process, self._folder
        self._process = self._folder = None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        if folder is not None:
            folder.cleanup()


def _exchange(process: "subprocess.Popen[bytes]", request: Mapping[str, object], *, seconds: int) -> dict[str, Any]:
    """Write a request and read its answer. Raises LayoutRefused where none comes in so many seconds, or ever."""
    assert process.stdin is not None, "The process has pipes."  # noqa: S101
    assert process.stdout is not None, "The process has pipes."  # noqa: S101
    try:
        process.stdin.write(json.dumps(request, ensure_ascii=False).encode() + b"\n")
        process.stdin.flush()
        line = _line_from(process.stdout, until=time.monotonic() + seconds)
    except (BrokenPipeError, EOFError) as error:
        raise LayoutRefused("The layout cannot be set: it broke Typst, or took too much memory.") from error
    except TimeoutError as error:
        raise LayoutRefused(f"The layout cannot be set: it took longer than {seconds} seconds.") from error
    found: dict[str, Any] = json.loads(line)
    return found


def _line_from(pipe: IO[bytes], *, until: float) -> bytes:
    parts = bytearray()
    while not parts.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], max(0, until - time.monotonic()))
        if not ready:
            raise TimeoutError
        part = os.read(pipe.fileno(), CHUNK_BYTES)
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


_typesetter = Typesetter()


def end_typesetting() -> None:
    """End the process, if one runs; the next document starts another."""
    _typesetter.end()
