"""Says on the command line why a usage data record costs what it costs."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.queries.explain import explain_charge
from billing.queries.explained import as_text
from billing.queries.prices_now import explain_pending
from usage.models import UsageDataRecord
from usage.queries.imports import source_system_named


class Command(BaseCommand):
    """`explain_charge NUMBER [--source NAME]`: exits with 1 if the charge is not what it is explained to be."""

    help = "Explain the price of a usage data record: its charge, or what it would cost if it were billed now."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the record's number and its source system."""
        parser.add_argument("number", help="number of the usage data record")
        parser.add_argument("--source", default="", help="name or alternative code of its source system")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        """Print the explanation."""
        record = self._record(options["number"], options["source"])
        explanation = explain_charge(record_id=record.pk) or explain_pending(record_id=record.pk)
        if explanation is None:
            state, directive = record.get_life_cycle_state_display(), record.get_billing_directive_display()
            raise CommandError(
                f"Record {record.number} ({state.lower()}, {directive.lower()}) is neither charged nor pending: it has "
                "no price to explain."
            )
        self.stdout.write(as_text(explanation), ending="")
        if not explanation.is_equal:
            raise CommandError("The charge is not what it is explained to be.")

    def _record(self, number: str, source_name: str) -> UsageDataRecord:
        records = UsageDataRecord.objects.filter(number=number).select_related("source_system")
        if source_name:
            source = source_system_named(source_name)
            if source is None:
                raise CommandError(f"There is no source system “{source_name}”.")
            records = records.filter(source_system=source)
        found = list(records)
        if not found:
            where = f" from {source_name}" if source_name else ""
            raise CommandError(f"There is no usage data record with the number {number}{where}.")
        if len(found) > 1:
            names = ", ".join(sorted(record.source_system.name for record in found))
            raise CommandError(f"There are records with the number {number} from {names}: say which with --source.")
        return found[0]
