"""Says on the command line how far a billing run is, once or until it is completed."""

import argparse
import shutil
import time
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.choices import AccountOutcome, HoldCause, RunStatus
from billing.models import BillingRun
from billing.queries.cockpit import Cockpit, cockpit

ENDED = {RunStatus.COMPLETED, RunStatus.CANCELLED}
BAR_WIDTH = 40
LONGEST_INTERVAL = 3_600
# To the top left, and from there clear what is below: one screen that is written over, not a roll of them.
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
CLEAR_SCREEN = "\x1b[2J"


class Command(BaseCommand):
    """`run_status ID [--watch] [--interval SECONDS]`: exits with 1 if the run was cancelled or an account failed."""

    help = (
        "Say how far a billing run is. With --watch until it is completed: one screen, or a line each time in a pipe."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the run, and whether and how often to look again."""
        parser.add_argument("run_id", type=int, help="the run's id")
        parser.add_argument("--watch", action="store_true", help="look again and again until the run is completed")
        parser.add_argument("--interval", type=_seconds, default=2, help="seconds between two looks (2)")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        """Print what the cockpit shows."""
        run, seen = self._look(options["run_id"])
        if options["watch"]:
            run, seen = self._watch(run, seen, options["interval"])
        else:
            self.stdout.write("\n".join(screen(run, seen, timezone.now())))
        if run.status == RunStatus.CANCELLED:
            raise CommandError(f"Run {run.pk} ({run.name}) was cancelled. Nothing was produced.")
        failed = seen.account_counts[AccountOutcome.FAILED]
        if failed:
            raise CommandError(f"{failed:,} of {seen.account_count:,} accounts of run {run.pk} ({run.name}) failed.")

    def _watch(self, run: BillingRun, seen: Cockpit, interval: int) -> tuple[BillingRun, Cockpit]:
        show = self._show_screen if self.stdout.isatty() else self._show_line
        if show == self._show_screen:
            self.stdout.write(CLEAR_SCREEN, ending="")
        try:
            while True:
                show(run, seen)
                self.stdout.flush()
                if run.status in ENDED:
                    return run, seen
                time.sleep(interval)
                run, seen = self._look(run.pk)
        except KeyboardInterrupt:
            raise CommandError(f"Stopped looking. Run {run.pk} ({run.name}) goes on.") from None

    def _show_screen(self, run: BillingRun, seen: Cockpit) -> None:
        room = shutil.get_terminal_size()
        lines = screen(run, seen, timezone.now())[: room.lines - 1]
        self.stdout.write(
            HOME + "".join(f"{line[: room.columns]}{CLEAR_LINE}\n" for line in lines) + CLEAR_BELOW, ending=""
        )

    def _show_line(self, run: BillingRun, seen: Cockpit) -> None:
        self.stdout.write(f"{timezone.now():%H:%M:%S} {one_line(run, seen)}")

    def _look(self, run_id: int) -> tuple[BillingRun, Cockpit]:
        run = BillingRun.objects.filter(pk=run_id).first()
        if run is None:
            latest = ", ".join(f"{found.pk} ({found.name})" for found in BillingRun.objects.order_by("-id")[:5])
            raise CommandError(f"There is no billing run {run_id}. The latest: {latest or 'none yet'}.")
        return run, cockpit(run=run, at=timezone.now())


def one_line(run: BillingRun, seen: Cockpit) -> str:
    """The run in a line: `commenced 40 %, 1,200 of 3,000 accounts, 950 records/s, 0:00:30 left, 2 failed`."""
    parts = [f"{_state(run)} {seen.percent} %", f"{seen.done_count:,} of {seen.account_count:,} accounts", *_pace(seen)]
    parts += [
        f"{seen.account_counts[outcome]:,} {outcome.label.lower()}"
        for outcome in (AccountOutcome.HELD, AccountOutcome.FAILED)
        if seen.account_counts[outcome]
    ]
    return ", ".join(parts)


def screen(run: BillingRun, seen: Cockpit, at: datetime) -> list[str]:
    """The run on a screen, line by line."""
    done = BAR_WIDTH * seen.percent // 100
    speed = seen.speed
    lines = [
        f"Run {run.pk}  {run.name}  {_state(run)}",
        f"[{'#' * done}{'.' * (BAR_WIDTH - done)}] {seen.percent} %  {', '.join(_pace(seen))}".rstrip(),
        f"Records   {speed.produced_record_count:>12,} of {speed.record_count:,}",
        f"Chunks    {speed.produced_chunk_count:>12,} of {speed.chunk_count:,}",
        "",
        *(f"{outcome.label:<16}{seen.account_counts[outcome]:>12,}" for outcome in AccountOutcome),
        f"{'Accounts':<16}{seen.account_count:>12,}",
    ]
    held = [f"{cause.label}: {seen.held_counts[cause]:,}" for cause in HoldCause if seen.held_counts[cause]]
    if held:
        lines += ["", "Held for  " + ", ".join(held)]
    if seen.workers:
        lines += ["", "At work"]
        lines += [
            f"  {worker.worker}  chunk {worker.chunk_number}, {worker.record_count:,} records, for "
            f"{_rounded(at - worker.since)}{', waiting for a lock' if worker.is_waiting else ''}"
            for worker in seen.workers
        ]
    elif run.status == RunStatus.COMMENCED:
        lines += ["", "At work   nobody"]
    if seen.causes:
        lines += ["", "Held and failed, by cause"]
        lines += [f"  {cause.account_count:>8,}  {cause.outcome}: {cause.cause}" for cause in seen.causes]
    return lines


def _state(run: BillingRun) -> str:
    if run.paused_at is not None:
        return "paused"
    return "posted" if run.approved_at is not None else str(run.status)


def _pace(seen: Cockpit) -> list[str]:
    """Speed and time left of a run that is produced, where they are known."""
    speed = seen.speed
    if seen.status != RunStatus.COMMENCED or speed.records_per_second is None or speed.time_left is None:
        return []
    return [f"{speed.records_per_second:,} records/s", f"{speed.time_left} left"]


def _rounded(time_: timedelta) -> timedelta:
    return timedelta(seconds=max(0, time_ // timedelta(seconds=1)))


def _seconds(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= LONGEST_INTERVAL:
        raise argparse.ArgumentTypeError(f"“{text}” is no number of seconds from 1 to {LONGEST_INTERVAL}")
    return int(text)
