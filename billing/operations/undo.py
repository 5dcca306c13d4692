"""A commenced or completed run is taken back as a whole, as long as nothing of it is posted."""

from pathlib import Path

from django.db import IntegrityError, connection, transaction

from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingRun, RunAccount
from billing.operations.errors import RunConflict
from billing.operations.production import prepare_session
from billing.operations.rating import forget_prices
from billing.operations.recurring import forget_recurring
from billing.operations.run_locks import lock_chunks, locked_run, waits_elsewhere
from billing.operations.take_back import give_back
from invoicing.choices import InvoiceState

SQL = Path(__file__).parent / "sql"
UNDOABLE = (RunStatus.COMMENCED, RunStatus.COMPLETED)


@transaction.atomic
def undo_run(*, run_id: int) -> BillingRun:
    """Take back all that a run has done: it is pending again, and everything is as it was before it was commenced.

    Usage waits in the inbox in the place that it had, transactions wait, those that the run made of recurring charges
    are gone, and so are drafts, accounts, chunks and the prices laid out. A run that was split off has nothing of its
    own to commence: it is cancelled, and its customer's usage waits for the next run. Workers that are at a chunk are
    waited for. A handful of statements, however many accounts there are.

    Raises RunConflict in every other state, once one of its invoices is posted, and while a customer that has a draft
    in it waits in another run, whose input that would change.
    """
    run = locked_run(run_id)
    _require_undoable(run)
    lock_chunks(run)
    _require_nothing_posted(run)
    prepare_session()
    invoice_ids = _detach_drafts(run)
    give_back(invoice_ids)
    with connection.cursor() as cursor:
        forget_recurring(cursor, run=run)
        forget_prices(cursor, run_id=run.pk)
        cursor.execute((SQL / "undo.sql").read_text(), {"run_id": run.pk})
    run.status, run.snapshot, run.confirmed_warnings = RunStatus.PENDING, "", []
    run.commenced_in = run.commenced_at = run.commenced_by = run.completed_at = run.paused_at = None
    run.save()
    if run.split_from_id is not None:
        run.status = RunStatus.CANCELLED
        run.save(update_fields=["status"])
    run.refresh_from_db()
    return run


def _require_undoable(run: BillingRun) -> None:
    if run.status not in UNDOABLE:
        raise RunConflict(f"Run {run.pk} is {run.status}: only a commenced or completed run can be undone.")
    if run.approved_at is not None:
        raise RunConflict(
            f"Run {run.pk} was approved on {run.approved_at:%Y-%m-%d at %H:%M} UTC: what is posted stands. Correct it "
            "with credit notes."
        )


def _require_nothing_posted(run: BillingRun) -> None:
    posted = RunAccount.objects.filter(run=run, invoice__state=InvoiceState.POSTED)
    number = posted.order_by("invoice__number").values_list("invoice__number", flat=True).first()
    if number is not None:
        raise RunConflict(
            f"Run {run.pk} is {run.status}, and invoice {number} of it is posted: only a run of which nothing is "
            "posted can be undone. Correct what is posted with credit notes, and hold what is not to be posted."
        )


def _detach_drafts(run: BillingRun) -> list[int]:
    """Take the drafts from their accounts; their ids.

    The accounts wait for a moment: so a run that is producing one of their customers refuses this, and one that is
    commenced now waits until it is over.
    """
    drafts = RunAccount.objects.filter(run=run, invoice__isnull=False)
    invoice_ids = [int(invoice_id) for invoice_id in drafts.values_list("invoice_id", flat=True)]
    try:
        with transaction.atomic():
            drafts.update(outcome=AccountOutcome.WAITING, reason="", held_for="", invoice=None)
    except IntegrityError as error:
        found = waits_elsewhere(list(drafts))
        where = "another run" if found is None else f"run {found[1].run_id} ({found[1].run.name})"
        who = "one of its customers" if found is None else f"customer {found[1].customer.account_number}"
        raise RunConflict(
            f"Run {run.pk} cannot be undone while {who} waits in {where}. Wait until that is completed, or undo it "
            "first."
        ) from error
    return invoice_ids
