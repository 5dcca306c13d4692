"""One step of the product, in a process of its own: prints its seconds and its peak memory as JSON.

`python -m bench.product ingest FILE` or `python -m bench.product run`.
"""

import json
import os
import resource
import sys
import time
from datetime import date
from pathlib import Path

LONGEST_SECONDS = 1_800


def ingest(path: Path) -> dict[str, object]:
    """Import a file through the bulk path."""
    from django.utils import timezone

    from usage.models import SourceSystem
    from usage.operations.imports import import_usage

    source = SourceSystem.objects.get(name="Switch")
    started = time.perf_counter()
    with path.open("rb") as file:
        done = import_usage(source_system_id=source.pk, file=file, file_name=path.name, at=timezone.now())
    return {"seconds": time.perf_counter() - started, "records": done.accepted_count}


def run() -> dict[str, object]:
    """Commence a run and wait until the workers, which are up, have completed it; then approve it."""
    from django.utils import timezone

    from billing.choices import RunStatus
    from billing.models import RunAccount
    from billing.operations.runs import approve_run, commence_run, create_run
    from billing.tasks import wake_workers

    # After the last hour of September in every time zone.
    day = date(2026, 10, 2)
    new = create_run(name="Bench", invoice_date=day, cutoff_date=day, due_date=day)
    started = time.perf_counter()
    commenced = commence_run(run_id=new.pk, at=timezone.now())
    wake_workers(run_id=commenced.pk)
    while commenced.status == RunStatus.COMMENCED:
        if time.perf_counter() - started > LONGEST_SECONDS:
            raise TimeoutError(f"The run did not complete in {LONGEST_SECONDS} seconds.")
        time.sleep(0.02)
        commenced.refresh_from_db()
    produced = time.perf_counter()
    approve_run(run_id=commenced.pk, at=timezone.now())
    outcomes = RunAccount.objects.filter(run=commenced)
    return {
        "seconds": produced - started,
        "posting_seconds": time.perf_counter() - produced,
        "records": sum(outcomes.filter(outcome="invoiced").values_list("record_count", flat=True)),
        "invoices": outcomes.filter(outcome="invoiced").count(),
    }


def peak_kib() -> int:
    """The most memory that this process had, in KiB.

    From /proc where there is one: `ru_maxrss` starts with what the parent process had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peaks = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(peaks[0].split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(arguments: list[str]) -> None:
    """Do the step that is asked for."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    result = ingest(Path(arguments[1])) if arguments[0] == "ingest" else run()
    result["peak_kib"] = peak_kib()
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
