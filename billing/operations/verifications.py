"""Having a run verified by a worker: asked for, computed, and kept with what came of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from billing.choices import RunStatus
from billing.models import BillingRun, RunAccount, RunVerification
from billing.operations.errors import RunConflict
from billing.operations.production import is_passing
from billing.operations.verification import VerifiedRun, verify_run
from invoicing.choices import InvoiceState

# A question that no worker answered for so long is not answered any more.
ANSWERED_WITHIN = timedelta(hours=1)


@transaction.atomic
def ask_for_verification(*, run_id: int, at: datetime, user_id: int | None = None) -> RunVerification:
    """Have the posted invoices of a run computed again; where that waits already, it is what waits.

    The caller wakes a worker up afterwards (`billing.tasks.wake_verifier`); the sweeper does if it does not. Raises
    RunConflict where nothing is posted.
    """
    run = BillingRun.objects.select_for_update(no_key=True).get(pk=run_id)
    posted = RunAccount.objects.filter(run=run, invoice__state=InvoiceState.POSTED)
    if run.status != RunStatus.COMPLETED or not posted.exists():
        raise RunConflict(f"Run {run.pk} is {run.status} and has no posted invoices: there is nothing to verify yet.")
    waiting = RunVerification.objects.filter(run=run, finished_at__isnull=True).first()
    return waiting or RunVerification.objects.create(run=run, asked_at=at, asked_by_id=user_id)


def verify_as_asked(*, run_id: int, now: Callable[[], datetime]) -> bool:
    """Verify a run that waits for it and keep what comes of it; whether it was done here.

    Who holds the row's lock is at it, and dies with it. What the database refuses is kept in words; what passes (a lost
    connection, a deadlock) is raised, and the sweeper comes round.
    """
    with transaction.atomic():
        waiting = RunVerification.objects.select_for_update(skip_locked=True, of=("self",))
        verification = waiting.filter(run=run_id, finished_at__isnull=True).first()
        if verification is None:
            return False
        try:
            with transaction.atomic():
                verified = verify_run(run_id=run_id)
        except DatabaseError as error:
            if is_passing(error):
                raise
            verification.said = f"It could not be computed again: {str(error).splitlines()[0]}"
        else:
            verification.invoice_count = verified.invoice_count
            verification.identical_count = verified.identical_count
            verification.said = difference_in_words(verified)
        verification.finished_at = now()
        verification.save()
    return True


def give_up_verifications(*, at: datetime) -> int:
    """End what has waited too long, such as one that kills each worker; how many there were."""
    with transaction.atomic():
        waiting = RunVerification.objects.select_for_update(skip_locked=True, of=("self",))
        late = waiting.filter(finished_at__isnull=True, asked_at__lt=at - ANSWERED_WITHIN)
        for verification in late:
            verification.finished_at = at
            verification.said = (
                "No worker has done it within an hour. Ask again when workers run, or have it done by "
                f"manage.py verify_run {verification.run_id}."
            )
            verification.save()
        return len(late)


def difference_in_words(verified: VerifiedRun) -> str:
    """What is not as it was posted, as a sentence; empty where all is."""
    if verified.first is not None:
        return f"The first difference is on {verified.first}"
    if not verified.is_identical:
        return (
            f"The root of the run is {verified.root}, over its invoices it is {verified.recomputed_root}: invoices "
            "were added, or taken away."
        )
    return ""
