"""What a run would take, held against the runs before it, and against those that are not done yet."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import median_low

from billing.choices import PreflightVerdict, RunStatus
from billing.models import BillingRun
from billing.queries.preflight_checks import PreflightCheck, counted, either, listed, warn_of
from billing.queries.preflight_usage import RunUsage
from catalog.engine.money import round_quotient

# The runs before that say what is usual, and from which difference on, in percent, a run is not.
LOOKED_AT = 3
UNUSUAL_PERCENT = 25


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """What was on an earlier run; `totals` are exact amounts and records by currency."""

    run_id: int
    account_count: int
    record_count: int
    totals: dict[str, tuple[Decimal, int, int]]


def run_checks(run: BillingRun, usage: RunUsage) -> tuple[PreflightCheck, ...]:
    """The checks of a run beside other runs."""
    earlier = _earlier(usage)
    return (
        _customers_waiting(usage),
        _same_dates(run),
        _expected_accounts(run, usage, earlier),
        _expected_usage(usage, earlier),
    )


def _customers_waiting(usage: RunUsage) -> PreflightCheck:
    others = usage.rows("waiting_elsewhere")
    count = sum(customers for _, _, customers, _ in others)
    return PreflightCheck(
        code="waiting_elsewhere",
        title="Customers that wait in another run",
        verdict=PreflightVerdict.BLOCK if others else PreflightVerdict.PASS,
        count=count,
        detail=f"{counted(count, 'customer', 'customers')} (the first: {others[0][3]}) still "
        f"{either(count, 'waits', 'wait')} in {listed([f'run {run_id} ({name})' for run_id, name, *_ in others])}: "
        "nothing is billed in two runs at once. Wait until that is completed."
        if others
        else "No customer of the run waits in another one.",
        model="billing_runaccount",
        query=(("run__id__exact", str(others[0][0])), ("outcome__exact", "waiting")) if others else (),
    )


def _same_dates(run: BillingRun) -> PreflightCheck:
    going = BillingRun.objects.filter(
        status__in=[RunStatus.PENDING, RunStatus.COMMENCED], subrun=run.subrun, cutoff_date=run.cutoff_date
    )
    others = list(going.filter(split_from=None).exclude(pk=run.pk).order_by("id"))
    return PreflightCheck(
        code="same_dates",
        title="Other runs for the date",
        verdict=warn_of(len(others)),
        count=len(others),
        detail=f"{listed([f'Run {other.pk} ({other.name}, {other.status})' for other in others])} of the same subrun "
        "and cutoff date: what the one bills the other does not find any more. Cancel the one that is too much."
        if others
        else "No other run of the subrun for this cutoff date is pending or commenced.",
        model="billing_billingrun",
        query=(("q", others[0].name),) if others else (),
    )


def _expected_accounts(run: BillingRun, usage: RunUsage, earlier: list[EarlierRun]) -> PreflightCheck:
    count, with_usage = usage.of("on_the_run").count, usage.of("with_usage").count
    if not count:
        return PreflightCheck(
            code="expected_accounts",
            title="Customers on the run",
            verdict=PreflightVerdict.BLOCK,
            count=0,
            detail=f"The run has no customers: none is active, or none is on a cycle of its subrun "
            f"({run.subrun or 'none'}), or none of those is due.",
            model="billing_billingcycle",
        )
    usual = median_low([before.account_count for before in earlier]) if earlier else None
    return PreflightCheck(
        code="expected_accounts",
        title="Customers on the run",
        verdict=_unless_usual(count, usual),
        count=count,
        detail=f"{counted(count, 'customer', 'customers')}, {with_usage:,} with usage. "
        + _usual_in_words(usual, earlier),
        model="customers_customer",
    )


def _expected_usage(usage: RunUsage, earlier: list[EarlierRun]) -> PreflightCheck:
    count = usage.of("on_the_run").record_count
    usual = median_low([before.record_count for before in earlier]) if earlier else None
    detail = f"{counted(count, 'record waits', 'records wait')}. {_usual_in_words(usual, earlier)}"
    if earlier:
        ((silent,),) = usage.rows("fell_silent", last_run_id=earlier[0].run_id)
        if silent:
            detail += f" {counted(silent, 'customer has', 'customers have')} none now and had some in the last run."
        if about := _about(usage, earlier[0]):
            detail += f" At what a record came to in the last run that is about {about}, without tax."
    return PreflightCheck(
        code="expected_usage",
        title="Usage on the run",
        verdict=_unless_usual(count, usual),
        count=count,
        detail=detail,
        model="usage_pendingusage",
    )


def _earlier(usage: RunUsage) -> list[EarlierRun]:
    """The runs before, the last one first."""
    rows: dict[int, list[tuple[str, int, int, Decimal, int]]] = defaultdict(list)
    for run_id, currency, accounts, _, records, amount, minor_units in usage.rows("usual", looked_at=LOOKED_AT):
        rows[run_id].append((currency, accounts, records, amount, minor_units))
    return [
        EarlierRun(
            run_id=run_id,
            account_count=sum(accounts for _, accounts, *_ in by_currency),
            record_count=sum(records for _, _, records, *_ in by_currency),
            totals={currency: (amount, records, digits) for currency, _, records, amount, digits in by_currency},
        )
        for run_id, by_currency in rows.items()
    ]


def _unless_usual(count: int, usual: int | None) -> PreflightVerdict:
    is_usual = usual is None or abs(count - usual) * 100 <= usual * UNUSUAL_PERCENT
    return PreflightVerdict.PASS if is_usual else PreflightVerdict.WARN


def _usual_in_words(usual: int | None, earlier: list[EarlierRun]) -> str:
    if usual is None:
        return "No earlier run of the subrun says how many are usual."
    runs = "the last run" if len(earlier) == 1 else f"the last {len(earlier)} runs (median)"
    return f"In {runs} there were {usual:,}."


def _about(usage: RunUsage, last: EarlierRun) -> str:
    """What the records of each currency would come to, if they cost what those of the last run did on average."""
    amounts = []
    for currency, records in usage.rows("records_by_currency"):
        amount, charged, digits = last.totals.get(currency, (Decimal(0), 0, 0))
        if charged and records:
            about = round_quotient(Fraction(amount) * records / charged, digits)
            amounts.append(f"{about:,.{digits}f} {currency}")
    return listed(amounts)
