"""Takes files of usage in from the command line."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from usage.choices import Channel
from usage.engine.progress import ImportProgress, OnProgress
from usage.management.progress_bar import ProgressBar
from usage.models import SourceSystem, UsageImport
from usage.operations.errors import ImportRefused
from usage.operations.imports import import_usage
from usage.queries.imports import source_system_named

STANDARD_INPUT = "-"
# What the command ends with: 0 where all files went in.
SOME_REFUSED, NOTHING_TRIED, STOPPED = 1, 2, 130


class Command(BaseCommand):
    """`import_usage FILE... --source NAME`: a line for each file that went in, a progress bar on a terminal.

    Ends with 1 where a file was refused, which keeps the others from nothing, and with 2 where nothing was tried.
    """

    help = "Import files of usage data records: CSV, JSON lines or Excel workbooks, gzipped or not."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the files and the source system."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a path, or - for standard input")
        parser.add_argument("--source", required=True, help="name or alternative code of the source system")

    def handle(self, *args: object, **options: object) -> None:  # noqa: ARG002  Django's signature
        """Import one file after the other."""
        name = str(options["source"])
        source = source_system_named(name)
        if source is None:
            known = ", ".join(SourceSystem.objects.values_list("name", flat=True)) or "none yet; add it in the admin"
            raise CommandError(f"There is no source system “{name}”. There are: {known}.", returncode=NOTHING_TRIED)
        files: list[Path] = options["files"]  # type: ignore[assignment]
        refused = [message for file in files if (message := self._import(source, file))]
        if refused:
            raise CommandError("\n".join(refused), returncode=SOME_REFUSED)

    def _import(self, source: SourceSystem, file: Path) -> str:
        """Import a file; gives back why it was refused, or nothing."""
        name = str(file).encode(errors="replace").decode() if str(file) != STANDARD_INPUT else "standard input"
        began_at = timezone.now()
        try:
            with _opened(file) as stream, self._progress(name, stream) as on_progress:
                done = import_usage(
                    source_system_id=source.pk,
                    file=stream,
                    file_name=file.name if str(file) != STANDARD_INPUT else name,
                    at=began_at,
                    channel=Channel.COMMAND,
                    on_progress=on_progress,
                )
        except OSError as error:
            return f"{name}: cannot be read: {error.strerror}."
        except ImportRefused as error:
            return str(error)
        except (OperationalError, psycopg.OperationalError) as error:
            # A full disk, a lost connection: PostgreSQL's first line says which.
            reason, _, _ = str(error).partition("\n")
            return f"{name}: the import broke off, nothing was taken ({reason})."
        except KeyboardInterrupt:
            raise CommandError(f"{name}: stopped, nothing of it was taken.", returncode=STOPPED) from None
        before = " It was imported before, nothing was changed." if done.started_at < began_at else ""
        self.stdout.write(f"{_summary(name, done)}.{before}" if before else _summary(name, done))
        return ""

    @contextmanager
    def _progress(self, name: str, stream: BinaryIO) -> Iterator[OnProgress | None]:
        """What is to be told about progress: a bar, where standard error is a terminal."""
        if not self.stderr.isatty():
            yield None
            return
        size = os.fstat(stream.fileno()).st_size if stream.seekable() else None
        bar = ProgressBar(self._draw, name=name, size=size)

        def show(progress: ImportProgress) -> None:
            bar.show(progress, stream.tell() if size else None)

        try:
            yield show
        finally:
            bar.clear()

    def _draw(self, text: str) -> None:
        """Write to the terminal as it is: no line break, and not in the colour of errors."""
        self.stderr.write(text, str, ending="")
        self.stderr.flush()


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == STANDARD_INPUT:
        yield cast("BinaryIO", sys.stdin.buffer)
        return
    with file.open("rb") as stream:
        yield stream


def _summary(name: str, done: UsageImport) -> str:
    return (
        f"{name}: {done.received_count:,} rows received = {done.accepted_count:,} accepted"
        f" + {done.duplicate_count:,} duplicates + {done.conflict_count:,} conflicts"
        f" + {done.quarantined_count:,} quarantined (import {done.pk})"
    )
