"""Pictures of usage (by day, and what no invoice has yet) and of billing runs over time."""

from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from billing.admin.accounts import accounts_url
from billing.admin.pictures import BLUE, ORANGE, RED, TEAL, Picture, Row, Series, lying, upright
from billing.admin.revenue_pictures import Asked, by_day, days
from billing.choices import AccountOutcome
from billing.queries.dashboards import SHOWN_RUNS, RunOverTime, runs_over_time
from catalog.admin.base import list_url
from catalog.admin.figures import EMPTY, exact
from catalog.queries.keyset import TookTooLong, time_limit
from reports.queries.dashboards import (
    TOP,
    Age,
    UnbilledUsage,
    unbilled_usage,
    unbilled_usage_as_counted,
    usage_by_day,
)

# Beyond this many milliseconds an inbox is too large to be counted while somebody waits.
UNBILLED_TIMEOUT_MS = 500
OF_ALL = " The lists behind the bars are of all customers, not of the group only."
TOO_MUCH = "So much usage is pending that counting it takes too long: narrow it down to a group, or look at the list."


def usage_days(asked: Asked, *, has_amounts: bool) -> Picture:
    """Charged usage by day of use."""
    return by_day(
        asked,
        usage_by_day(asked.scope),
        key="usage-by-day",
        title="Charged usage",
        hint="Usage on posted invoices by the day of its use, at what it was charged before credits and tax. "
        "What was taken back since is counted off.",
        counted="Records",
        empty="No usage of these days is on a posted document, in this currency and group.",
        url=lambda first, after: asked.kept("usageday", **days(first, after, "day")),
        has_amounts=has_amounts,
    )


def unbilled(*, on: date, group_id: int | None, timeout_ms: int = UNBILLED_TIMEOUT_MS) -> UnbilledUsage | None:
    """Pending usage; where counting it takes too long, as it was when it was last counted, None if it never was."""
    try:
        with time_limit(timeout_ms):
            return unbilled_usage(on=on, group_id=group_id)
    except TookTooLong:
        return unbilled_usage_as_counted(group_id=group_id)


def counted_before(found: UnbilledUsage | None) -> str:
    """What is said of figures that are not of this moment."""
    if found is None or found.counted_at is None:
        return ""
    counted = f"{timezone.localtime(found.counted_at):%Y-%m-%d %H:%M} {settings.TIME_ZONE}"
    return f" So much is pending that it is shown as it was counted at {counted}; the lists behind are of now."


def unbilled_ages(found: UnbilledUsage | None, *, on: date, of_group: bool = False) -> Picture:
    """Pending usage by age, of a group where that was asked for."""
    if found is not None and found.counted_at is not None:
        on = timezone.localdate(found.counted_at)
    ages = found.ages if found is not None and found.record_count else ()
    urls = [pending_url(age, on) for age in ages]
    return Picture(
        key="unbilled-by-age",
        title="Unbilled usage by age",
        hint=f"Posted usage that no invoice has, by the days from its billing effective date to {on}; all currencies."
        + counted_before(found)
        + (OF_ALL if of_group else ""),
        columns=("Customers", "Records"),
        rows=tuple(
            Row(in_words(age), url if age.record_count else "", (exact(age.customer_count), exact(age.record_count)))
            for age, url in zip(ages, urls, strict=True)
        ),
        chart=upright(
            [in_short(age) for age in ages], Series("Records", ORANGE, [age.record_count for age in ages], urls)
        )
        if ages
        else None,
        empty=TOO_MUCH if found is None else "No usage waits: all that is to be billed is on an invoice.",
        link=list_url("usage_pendingusage"),
        link_text="All pending usage",
    )


def in_words(age: Age) -> str:
    """The days of an age."""
    if age.from_days is None:
        return f"up to {age.to_days} days"
    return f"over {age.from_days - 1} days" if age.to_days is None else f"{age.from_days} to {age.to_days} days"


def in_short(age: Age) -> str:
    """The days of an age below its bar."""
    if age.from_days is None:
        return f"to {age.to_days}"
    return f"over {age.from_days - 1}" if age.to_days is None else f"{age.from_days}-{age.to_days}"


def pending_url(age: Age, on: date) -> str:
    """Address of the pending usage of an age."""
    query: dict[str, object] = {}
    if age.to_days is not None:
        query["billing_effective_date__gte"] = (on - timedelta(days=age.to_days)).isoformat()
    if age.from_days is not None:
        query["billing_effective_date__lte"] = (on - timedelta(days=age.from_days)).isoformat()
    return list_url("usage_pendingusage", **query)


def unbilled_customers(found: UnbilledUsage) -> Picture:
    """The customers whose usage waits longest."""
    urls = [list_url("usage_pendingusage", customer__id__exact=one.customer_id) for one in found.customers]
    return Picture(
        key="waiting-longest",
        title="Whose usage waits longest",
        hint=f"The {TOP} customers with the oldest unbilled usage, and how many records of each wait."
        + counted_before(found),
        columns=("Records", "Oldest"),
        rows=tuple(
            Row(one.name, url, (exact(one.record_count), f"{one.oldest}"), one.account_number)
            for one, url in zip(found.customers, urls, strict=True)
        ),
        chart=lying(
            [one.name for one in found.customers],
            Series("Records", ORANGE, [one.record_count for one in found.customers], urls),
        )
        if found.customers
        else None,
        empty="No customer's usage waits.",
    )


def run_pictures(asked: Asked, *, has_amounts: bool) -> list[Picture]:
    """Runs over time: the net of their invoices, how many, how long they took, and what was held or failed."""
    runs = runs_over_time(asked.scope)
    pictures = [run_invoices(runs), run_durations(runs), run_troubles(asked, runs)]
    if has_amounts:
        pictures.insert(0, run_amounts(asked, runs))
    return pictures


def run_troubles_of(asked: Asked) -> Picture:
    """What was held or failed, of the latest runs of the scope."""
    return run_troubles(asked, runs_over_time(asked.scope))


def run_url(run: RunOverTime) -> str:
    """Address of a run's page."""
    return reverse("admin:billing_billingrun_change", args=[run.run_id])


def run_amounts(asked: Asked, runs: list[RunOverTime]) -> Picture:
    """The net of runs' invoices."""
    name = f"Net ({asked.scope.currency})"
    return _of_runs(
        runs,
        key="run-amounts",
        title=f"Amount of runs, {asked.scope.currency}",
        hint=f"Net of the invoices of each run, drafts too; the latest {SHOWN_RUNS} runs by invoice date.",
        columns=(name,),
        cells=[(asked.money(run.amount),) for run in runs],
        series=[Series(name, BLUE, [asked.rounded(run.amount) for run in runs], [run_url(run) for run in runs])],
    )


def run_invoices(runs: list[RunOverTime]) -> Picture:
    """How many invoices runs made."""
    return _of_runs(
        runs,
        key="run-invoices",
        title="Invoices of runs",
        hint="Accounts that were invoiced, in all currencies.",
        columns=("Invoices",),
        cells=[(exact(run.invoiced),) for run in runs],
        series=[Series("Invoices", TEAL, [run.invoiced for run in runs], [run_url(run) for run in runs])],
    )


def run_durations(runs: list[RunOverTime]) -> Picture:
    """How long runs took."""
    return _of_runs(
        runs,
        key="run-durations",
        title="Duration of runs",
        hint="Minutes from commenced to completed, with pauses.",
        columns=("Hours, minutes, seconds",),
        cells=[
            (EMPTY if run.duration is None else str(run.duration - run.duration % timedelta(seconds=1)),)
            for run in runs
        ],
        series=[Series("Minutes", BLUE, [minutes(run.duration) for run in runs], [run_url(run) for run in runs])],
    )


def minutes(duration: timedelta | None) -> Decimal:
    """A duration in minutes, to two decimals; 0 while it goes on."""
    if duration is None:
        return Decimal(0)
    return (Decimal(duration // timedelta(seconds=1)) / 60).quantize(Decimal("0.01"))


def run_troubles(asked: Asked, runs: list[RunOverTime]) -> Picture:
    """Accounts that runs held or that failed."""

    def urls(outcome: AccountOutcome) -> list[str]:
        may = asked.request.user.has_perm("billing.view_runaccount")
        return [accounts_url(run__id__exact=run.run_id, outcome__exact=outcome.value) if may else "" for run in runs]

    held, failed = urls(AccountOutcome.HELD), urls(AccountOutcome.FAILED)
    return _of_runs(
        runs,
        key="run-troubles",
        title="Held and failed accounts",
        hint="What each run could not bill, or holds until somebody looks at it."
        + (OF_ALL if asked.scope.group_id is not None else ""),
        columns=("Held", "Failed"),
        cells=[(exact(run.held), exact(run.failed)) for run in runs],
        series=[
            Series("Held", ORANGE, [run.held for run in runs], held),
            Series("Failed", RED, [run.failed for run in runs], failed),
        ],
        cell_urls=list(zip(held, failed, strict=True)),
        is_stacked=True,
    )


def _of_runs(
    runs: list[RunOverTime],
    *,
    key: str,
    title: str,
    hint: str,
    columns: tuple[str, ...],
    cells: list[tuple[str, ...]],
    series: list[Series],
    cell_urls: list[tuple[str, ...]] | None = None,
    is_stacked: bool = False,
) -> Picture:
    return Picture(
        key=key,
        title=title,
        hint=hint,
        columns=columns,
        rows=tuple(
            Row(run.name, run_url(run), of_run, str(run.invoice_date), urls)
            for run, of_run, urls in zip(runs, cells, cell_urls or [()] * len(runs), strict=True)
        ),
        chart=upright([str(run.invoice_date) for run in runs], *series, is_stacked=is_stacked) if runs else None,
        empty="No run with an invoice date in these days was commenced.",
        link=list_url("billing_billingrun"),
        link_text="All billing runs",
    )
