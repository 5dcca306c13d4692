"""What lists of runs and of their accounts show: figures of many runs in one query, accounts by keyset."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingCycle, BillingRun, RunAccount


@dataclass(frozen=True, slots=True)
class CurrencyAmount:
    """An amount in a currency, with the decimals that the currency has."""

    currency: str
    minor_units: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RunFigures:
    """A run's accounts by outcome, and the total of its invoices in each currency, by the currency's code."""

    account_counts: dict[str, int]
    invoice_amounts: tuple[CurrencyAmount, ...]
    is_completed: bool

    @property
    def progress(self) -> Decimal:
        """The part of the accounts that wait no longer, from 0 to 1, to four decimals."""
        total = sum(self.account_counts.values())
        waiting = self.account_counts[AccountOutcome.WAITING]
        # In a completed run failed accounts may be tried again.
        if not total or (self.is_completed and not waiting):
            return Decimal(1 if self.is_completed else 0)
        done = total - waiting
        return (Decimal(done) / total).quantize(Decimal("0.0001"))


def figures_of_runs(runs: Iterable[BillingRun]) -> dict[int, RunFigures]:
    """The figures of each run by its id, in one query for all."""
    by_id = {run.id: run for run in runs}
    counts: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(AccountOutcome.values, 0))
    amounts: dict[int, dict[str, CurrencyAmount]] = defaultdict(dict)
    groups = (
        RunAccount.objects.filter(run_id__in=by_id)
        .order_by()
        .values("run_id", "outcome", "currency_id", "currency__minor_units")
        .annotate(account_count=Count("id"), total=Sum("invoice__total_amount"))
    )
    for group in groups:
        counts[group["run_id"]][group["outcome"]] += group["account_count"]
        # A draft that is held as unusual is none of the run's invoices before somebody releases it.
        if group["outcome"] == AccountOutcome.INVOICED and group["total"] is not None:
            code = group["currency_id"]
            amounts[group["run_id"]][code] = CurrencyAmount(code, group["currency__minor_units"], group["total"])
    return {
        run_id: RunFigures(
            account_counts=counts[run_id],
            invoice_amounts=tuple(amounts[run_id][code] for code in sorted(amounts[run_id])),
            is_completed=run.status == RunStatus.COMPLETED,
        )
        for run_id, run in by_id.items()
    }


def accounts_of_run(run_id: int) -> QuerySet[RunAccount]:
    """The run's accounts with what is shown of them; `made_at` and `changed_at` are the run's and the chunk's times."""
    return (
        RunAccount.objects.filter(run_id=run_id)
        .select_related("customer", "currency", "invoice")
        .annotate(made_at=Coalesce("run__commenced_at", "run__created_at"))
        .annotate(changed_at=Coalesce("chunk__produced_at", "made_at"))
    )


def subruns() -> list[str]:
    """The subruns that customers can be in: those of the billing cycles."""
    return list(BillingCycle.objects.exclude(subrun="").order_by("subrun").values_list("subrun", flat=True).distinct())
