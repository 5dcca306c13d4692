"""What might be wrong with a run before it is commenced.

A block stops it, a warning is confirmed by whoever commences it (`billing.operations.commencing`).
"""

from datetime import UTC, date, datetime, time

from django.db.models import Max

from billing.choices import GapKind, PreflightVerdict
from billing.models import BillingRun, CompletenessDay, UsageGap
from billing.queries.preflight_checks import PreflightCheck, counted, either, listed, warn_of
from billing.queries.preflight_customers import customer_checks
from billing.queries.preflight_prices import price_checks
from billing.queries.preflight_runs import run_checks
from billing.queries.preflight_usage import run_usage
from billing.queries.shown_completeness import found_silence, source_systems, stored_gaps
from usage.choices import ConflictDecision, ImportState, QuarantineState
from usage.models import QuarantinedLine, UsageConflict, UsageImport
from usage.queries.gaps import GRACE, WINDOW


def preflight(*, run: BillingRun, at: datetime) -> tuple[PreflightCheck, ...]:
    """The checks of a pending run as things stand at `at`, always all of them, in the same order."""
    with run_usage(run) as usage:
        of_usage = (*customer_checks(run, usage), *run_checks(run, usage))
    return (
        _open_quarantine(),
        _open_conflicts(),
        _number_holes(),
        _silent_sources(run, at),
        _completeness(at),
        _imports_under_way(),
        *price_checks(run),
        *of_usage,
    )


def verdict_of(checks: tuple[PreflightCheck, ...]) -> PreflightVerdict:
    """The worst of them."""
    found = {check.verdict for check in checks}
    worst_first = (PreflightVerdict.BLOCK, PreflightVerdict.WARN)
    return next((verdict for verdict in worst_first if verdict in found), PreflightVerdict.PASS)


def _open_quarantine() -> PreflightCheck:
    count = QuarantinedLine.objects.filter(state=QuarantineState.OPEN).count()
    return PreflightCheck(
        code="open_quarantine",
        title="Quarantined lines",
        verdict=warn_of(count),
        count=count,
        detail=counted(
            count,
            "line could not become a record: no run bills it. Correct it and try again.",
            "lines could not become records: no run bills them. Correct them and try again.",
        )
        if count
        else "Every line that was received became a record, or was decided on.",
        model="usage_quarantinedline",
    )


def _open_conflicts() -> PreflightCheck:
    count = UsageConflict.objects.filter(decision=ConflictDecision.OPEN).count()
    return PreflightCheck(
        code="open_conflicts",
        title="Conflicts",
        verdict=warn_of(count),
        count=count,
        detail=counted(
            count,
            "row says something else than the record with its number. The record is billed as it is; decide before.",
            "rows say something else than the records with their numbers. The records are billed as they are; "
            "decide before.",
        )
        if count
        else "No row waits that says something else than its record.",
        model="usage_usageconflict",
    )


def _number_holes() -> PreflightCheck:
    holes = list(stored_gaps().filter(kind=GapKind.NUMBERS))
    missing = sum(hole.missing_count for hole in holes)
    return PreflightCheck(
        code="number_holes",
        title="Missing record numbers",
        verdict=warn_of(len(holes)),
        count=len(holes),
        detail=f"{counted(missing, 'number is', 'numbers are')} missing in {counted(len(holes), 'hole', 'holes')}"
        f" of {_names(holes)}, as last checked. Ask for {either(missing, 'the record', 'the records')}."
        if holes
        else f"No hole was found in the numbers of the last {WINDOW.days} days, where source systems count up.",
        model="billing_completenessday",
    )


def _silent_sources(run: BillingRun, at: datetime) -> PreflightCheck:
    # What a source sends after the cutoff is not this run's: of a run of the past, the hours before its cutoff count.
    cutoff = datetime.combine(run.cutoff_date, time(), tzinfo=UTC) + GRACE
    silences = found_silence(at=min(at, cutoff))
    hours = sum(silence.missing_count for silence in silences)
    return PreflightCheck(
        code="silent_sources",
        title="Silent source systems",
        verdict=warn_of(len(silences)),
        count=len(silences),
        detail=f"{_names(silences)} sent no usage of {counted(hours, 'hour', 'hours')} that had some in each of the "
        "four weeks before. Ask whether files are missing."
        if silences
        else "No source system fell silent in the last 48 hours before the cutoff date, or before now.",
        model="billing_completenessday",
    )


def _completeness(at: datetime) -> PreflightCheck:
    since = at.date() - WINDOW
    checked = CompletenessDay.objects.filter(day__gte=since)
    as_of = checked.aggregate(as_of=Max("checked_at"))["as_of"]
    days = list(checked.filter(balances=False).order_by("day").values_list("day", flat=True))
    is_unchecked = as_of is None and UsageImport.objects.filter(received_count__gt=0).exists()
    return PreflightCheck(
        code="completeness",
        title="Completeness",
        verdict=PreflightVerdict.WARN if days or is_unchecked else PreflightVerdict.PASS,
        count=len(days),
        detail=_completeness_in_words(days, as_of, is_unchecked=is_unchecked),
        model="billing_completenessday",
        query=(("from_day", str(since)), ("to_day", str(at.date()))),
    )


def _completeness_in_words(days: list[date], as_of: datetime | None, *, is_unchecked: bool) -> str:
    if is_unchecked:
        return "It was not checked yet whether all usage is accounted for. The check runs every hour."
    if as_of is None:
        return "Nothing was received that could be missing."
    checked = f"Last checked at {as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
    if not days:
        return f"All usage that was received in the last {WINDOW.days} days is accounted for. {checked}"
    return f"Usage received on {listed([str(day) for day in dict.fromkeys(days)])} is not all accounted for. {checked}"


def _imports_under_way() -> PreflightCheck:
    count = UsageImport.objects.filter(state__in=[ImportState.QUEUED, ImportState.RUNNING]).count()
    return PreflightCheck(
        code="imports_under_way",
        title="Imports under way",
        verdict=warn_of(count),
        count=count,
        detail=f"{counted(count, 'file is', 'files are')} being taken in. "
        f"A run that is commenced now does not see {either(count, 'its', 'their')} usage."
        if count
        else "No file waits to be taken in.",
        model="usage_usageimport",
    )


def _names(gaps: list[UsageGap]) -> str:
    sources = source_systems()
    return listed(sorted({sources[gap.source_system_id].name for gap in gaps}))
