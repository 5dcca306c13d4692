"""A commenced run stands still for a while: no worker takes a chunk of it."""

from datetime import datetime

from django.db import transaction

from billing.choices import RunStatus
from billing.models import BillingRun
from billing.operations.errors import RunConflict
from billing.operations.run_locks import locked_run


@transaction.atomic
def pause_run(*, run_id: int, at: datetime) -> BillingRun:
    """Let no worker take a chunk of a commenced run any more; what one is at, it finishes. Paused, it stays as it is.

    A paused run is not completed either before it goes on. Raises RunConflict in every other state.
    """
    run = locked_run(run_id)
    _require_commenced(run, "paused")
    if run.paused_at is None:
        run.paused_at = at
        run.save(update_fields=["paused_at"])
        run.refresh_from_db()
    return run


@transaction.atomic
def resume_run(*, run_id: int) -> BillingRun:
    """Let a paused run go on; one that is not paused does already. Raises RunConflict if it is not commenced.

    The caller wakes the workers up afterwards; the sweeper does if it does not, and completes what was done meanwhile.
    """
    run = locked_run(run_id)
    _require_commenced(run, "resumed")
    if run.paused_at is not None:
        run.paused_at = None
        run.save(update_fields=["paused_at"])
        run.refresh_from_db()
    return run


def _require_commenced(run: BillingRun, verb: str) -> None:
    if run.status != RunStatus.COMMENCED:
        raise RunConflict(f"Run {run.pk} is {run.status}: only a commenced run can be {verb}.")
