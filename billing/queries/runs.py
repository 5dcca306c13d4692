"""Reads on billing runs."""

from decimal import Decimal

from django.db.models import Count, Q, Sum

from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingRun, RunAccount, RunChunk


def commenced_run_ids() -> list[int]:
    """The runs that workers have something to do for, oldest first.

    Those commenced and not paused, and those completed in which failed accounts are tried again.
    """
    commenced = Q(status=RunStatus.COMMENCED, paused_at__isnull=True)
    waiting = RunChunk.objects.filter(produced_at__isnull=True).values("run_id")
    tried_again = Q(status=RunStatus.COMPLETED, id__in=waiting)
    return list(BillingRun.objects.filter(commenced | tried_again).order_by("id").values_list("id", flat=True))


def waiting_chunk_count(run_id: int) -> int:
    """How many chunks of a run are not produced yet, those included that a worker is at."""
    return RunChunk.objects.filter(run_id=run_id, produced_at__isnull=True).count()


def account_counts(run_id: int) -> dict[str, int]:
    """A run's customers by outcome; every outcome is there, with 0 where it has none."""
    counted = RunAccount.objects.filter(run_id=run_id).values_list("outcome").annotate(Count("id")).order_by()
    return dict.fromkeys(AccountOutcome.values, 0) | dict(counted)


def invoice_amounts(run_id: int) -> dict[str, Decimal]:
    """The totals of a run's invoices, by currency, each in its own."""
    invoiced = RunAccount.objects.filter(run_id=run_id, outcome=AccountOutcome.INVOICED)
    return dict(invoiced.values_list("currency").annotate(Sum("invoice__total_amount")).order_by("currency"))


def progress(run_id: int) -> Decimal:
    """The part of a run's chunks that is produced, 0 to 1 with 4 decimals; 0 before it is commenced."""
    found = RunChunk.objects.filter(run_id=run_id).aggregate(
        all=Count("id"), produced=Count("id", filter=Q(produced_at__isnull=False))
    )
    if not found["all"]:
        return Decimal(0)
    return (Decimal(found["produced"]) / Decimal(found["all"])).quantize(Decimal("0.0001"))
