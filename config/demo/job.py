"""The demo's job, step by step: each step looks at what is there, so that it goes on where it was left."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

from billing.choices import RunStatus
from billing.models import BillingRun
from billing.operations.runs import approve_run, commence_run, create_run
from billing.queries.runs import progress
from billing.tasks import wake_workers
from config import checkout
from config.demo.load import FILE
from config.env import BASE_DIR
from usage.choices import ImportState
from usage.models import SourceSystem, UsageImport
from usage.operations.imports import import_usage

RUN_NAME = "FOCUS sample, September 2024"
LONGEST_SECONDS = 120
Say = Callable[[str], object]


class DemoFailed(Exception):
    """A step did not come to its end; the message says which and what to do."""


def take_usage_in(source: SourceSystem, *, at: datetime, say: Say) -> UsageImport:
    """Import the sample through the bulk path, unless it was."""
    taken = UsageImport.objects.filter(source_system=source, state=ImportState.COMPLETED).order_by("id").first()
    if taken is None:
        say(f"Importing {FILE.name} ({FILE.stat().st_size:,} bytes) ...")
        with FILE.open("rb") as file:
            taken = import_usage(source_system_id=source.pk, file=file, file_name=FILE.name, at=at)
    return taken


def bill(*, clock: Callable[[], datetime], say: Say) -> BillingRun:
    """Commence the run, have a Celery worker process produce it, approve it; what is done already is left alone."""
    run = BillingRun.objects.filter(name=RUN_NAME).order_by("id").first()
    if run is None:
        run = create_run(
            name=RUN_NAME, invoice_date=date(2024, 10, 1), cutoff_date=date(2024, 10, 1), due_date=date(2024, 10, 31)
        )
    if run.status == RunStatus.PENDING:
        say(f"Commencing billing run {run.pk} ...")
        run = commence_run(run_id=run.pk, at=clock(), without_preflight=True)
    if run.status == RunStatus.COMMENCED:
        say("Starting a Celery worker ...")
        with _worker() as worker:
            wake_workers(run_id=run.pk)
            run = _wait_for(run, worker, say)
    if run.status == RunStatus.COMPLETED and run.approved_at is None:
        say("Approving the run: invoices get their numbers and are posted ...")
        run = approve_run(run_id=run.pk, at=clock())
    return run


@contextmanager
def _worker() -> Iterator[subprocess.Popen[bytes]]:
    """A real worker process, for as long as the run needs it."""
    log = BASE_DIR / ".local" / "demo-worker.log"
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "2", "--loglevel", "info"]
    with log.open("wb") as output:
        worker = subprocess.Popen(  # noqa: S603  our own command
            [*command, "--hostname", "demo@%h", "--without-mingle", "--without-gossip"],
            cwd=BASE_DIR,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        pid_file = checkout.here().pid_file("demo-worker")
        pid_file.write_text(f"{worker.pid}\n")
        try:
            yield worker
        finally:
            pid_file.unlink(missing_ok=True)
            worker.terminate()
            try:
                worker.wait(timeout=15)
            except subprocess.TimeoutExpired:
                worker.kill()


def _wait_for(run: BillingRun, worker: subprocess.Popen[bytes], say: Say) -> BillingRun:
    shown = ""
    deadline = time.monotonic() + LONGEST_SECONDS
    while run.status == RunStatus.COMMENCED:
        if worker.poll() is not None:
            raise DemoFailed("The Celery worker ended before the run did. Its words are in .local/demo-worker.log.")
        if time.monotonic() > deadline:
            raise DemoFailed(f"The run did not complete in {LONGEST_SECONDS} seconds. See .local/demo-worker.log.")
        time.sleep(0.1)
        run.refresh_from_db()
        if (now := f"Producing invoices: {progress(run.pk):.0%}") != shown:
            say(now)
            shown = now
    return run
