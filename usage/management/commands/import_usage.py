"""Takes files of usage in from the command line."""

import argparse
from pathlib import Path

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from usage.models import SourceSystem
from usage.operations.errors import ImportRefused
from usage.operations.imports import import_usage


class Command(BaseCommand):
    """`import_usage FILE... --source NAME`: prints a line for each file; non-zero if one was refused."""

    help = "Import CSV files of usage data records."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the files and the source system."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--source", required=True, help="name of the source system")

    def handle(self, *args: object, **options: object) -> None:  # noqa: ARG002  Django's signature
        """Import one file after the other."""
        name = str(options["source"])
        source = SourceSystem.objects.filter(name=name).first()
        if source is None:
            known = ", ".join(SourceSystem.objects.values_list("name", flat=True)) or "none yet; add it in the admin"
            raise CommandError(f"There is no source system “{name}”. There are: {known}.")
        files: list[Path] = options["files"]  # type: ignore[assignment]
        refused = [message for file in files if (message := self._import(source, file))]
        if refused:
            raise CommandError("\n".join(refused))

    def _import(self, source: SourceSystem, file: Path) -> str:
        """Import a file; gives back why it was refused, or nothing."""
        name = str(file).encode(errors="replace").decode()
        try:
            with file.open("rb") as stream:
                done = import_usage(source_system_id=source.pk, file=stream, file_name=file.name, at=timezone.now())
        except OSError as error:
            return f"{name}: cannot be read: {error.strerror}."
        except ImportRefused as error:
            return str(error)
        except (OperationalError, psycopg.OperationalError) as error:
            # A full disk, a lost connection: PostgreSQL's first line says which.
            reason, _, _ = str(error).partition("\n")
            return f"{name}: the import broke off, nothing was taken ({reason})."
        self.stdout.write(
            f"{name}: {done.received_count:,} rows received = {done.accepted_count:,} accepted"
            f" + {done.duplicate_count:,} duplicates + {done.conflict_count:,} conflicts"
            f" + {done.quarantined_count:,} quarantined (import {done.pk})"
        )
        return ""
