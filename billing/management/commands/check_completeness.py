"""Says on the command line whether all usage is accounted for."""

import argparse
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.engine.completeness import DayFigures
from billing.queries.completeness import day_figures, scope_of_days
from billing.queries.shown_completeness import source_systems
from billing.tasks import CHECKED_DAYS
from usage.models import SourceSystem
from usage.queries.imports import source_system_named

COLUMNS = ("received", "duplicates", "conflicts", "quarantined", "accepted", "pending", "charged", "excluded")


class Command(BaseCommand):
    """`check_completeness [--from DAY] [--to DAY] [--source NAME]`: exits with 1 if a day does not balance."""

    help = "Count whether all usage that was received is accounted for. Days are of UTC and of receipt."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the days and the source system."""
        parser.add_argument(
            "--from", dest="from_day", type=_day, help="first day, YYYY-MM-DD (34 days before the last)"
        )
        parser.add_argument("--to", dest="to_day", type=_day, help="last day, YYYY-MM-DD (today)")
        parser.add_argument("--source", default="", help="name or alternative code of one source system (all)")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        """Print a line for each day and source system, and what does not add up."""
        now = timezone.now()
        to_day: date = options["to_day"] or now.date()
        from_day: date = options["from_day"] or to_day - timedelta(days=CHECKED_DAYS - 1)
        if to_day < from_day:
            raise CommandError(f"The last day, {to_day}, is before the first, {from_day}.")
        source = self._source(options["source"])
        names = {found.pk: found.name for found in source_systems().values()}
        width = max((len(name) for name in names.values()), default=0)
        self.stdout.write("day         " + "source".ljust(width) + "".join(f"{title:>13}" for title in COLUMNS))
        checked = unbalanced = 0
        for number in range(from_day.toordinal(), to_day.toordinal() + 1):
            day = date.fromordinal(number)
            scope = scope_of_days(from_day=day, to_day=day, source_system_id=source.pk if source else None)
            for figures in day_figures(scope, at=now):
                checked += 1
                unbalanced += not figures.balances
                self._write(figures, names[figures.source_system_id].ljust(width))
        if unbalanced:
            raise CommandError(f"{unbalanced:,} of {checked:,} lines do not balance.")
        self.stdout.write(f"All {checked:,} lines balance." if checked else "Nothing was received on these days.")

    def _source(self, name: str) -> SourceSystem | None:
        if not name:
            return None
        source = source_system_named(name)
        if source is None:
            known = ", ".join(found.name for found in source_systems().values()) or "none yet"
            raise CommandError(f"There is no source system “{name}”. There are: {known}.")
        return source

    def _write(self, figures: DayFigures, name: str) -> None:
        counts = (
            *(figures.received_count, figures.duplicate_count, figures.conflict_count, figures.quarantined_count),
            *(figures.accepted_count, figures.pending_count, figures.charged_count, figures.excluded_count),
        )
        self.stdout.write(f"{figures.day}  {name}" + "".join(f"{count:>13,}" for count in counts))
        for sentence in figures.differences:
            self.stdout.write(f"            {sentence}")
        for record in figures.misplaced:
            self.stdout.write(f"            {record.number}: {record.detail}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"“{text}” is not a date such as 2026-01-31") from error
