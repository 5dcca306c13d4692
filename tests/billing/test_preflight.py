"""What might be wrong with the usage of a run before it is commenced."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.choices import PreflightVerdict
from billing.models import BillingRun
from billing.operations.completeness import check_completeness
from billing.queries.preflight import preflight, verdict_of
from billing.queries.preflight_checks import PreflightCheck
from tests.billing.received import AT, DAY, file_of, noted, recorded, switch
from tests.factories import BillingRunFactory, CustomerFactory, UsageDataRecordFactory
from usage.choices import ConflictDecision, QuarantineState
from usage.models import QuarantinedLine, UsageConflict

pytestmark = pytest.mark.django_db

CODES = (
    *("open_quarantine", "open_conflicts", "number_holes"),
    *("silent_sources", "completeness", "imports_under_way"),
    *("wrong_examples", "expired_rates", "rate_card_findings"),
    *("unpriced_usage", "no_price_list", "no_default_card", "no_tax_rate", "closed_customers", "ended_services"),
    *("late_usage", "waiting_elsewhere", "same_dates", "expected_accounts", "expected_usage"),
)


@pytest.fixture
def run() -> BillingRun:
    return BillingRunFactory(cutoff_date=date(2026, 2, 4))


def check(run: BillingRun, code: str) -> PreflightCheck:
    checks = preflight(run=run, at=AT)
    assert tuple(each.code for each in checks) == CODES
    return next(each for each in checks if each.code == code)


def test_without_usage_all_checks_pass(run: BillingRun) -> None:
    CustomerFactory()
    checks = preflight(run=run, at=AT)
    assert {each.verdict for each in checks} == {PreflightVerdict.PASS}
    assert {each.code: each.count for each in checks if each.count} == {"expected_accounts": 1}
    assert verdict_of(checks) == PreflightVerdict.PASS


def test_open_quarantined_lines_are_counted_until_they_are_decided(run: BillingRun) -> None:
    file_of(quarantined=3)
    found = check(run, "open_quarantine")
    assert (found.verdict, found.count, found.model) == (PreflightVerdict.WARN, 3, "usage_quarantinedline")
    assert found.detail == "3 lines could not become records: no run bills them. Correct them and try again."
    first_two = QuarantinedLine.objects.order_by("pk").values("pk")[:2]
    QuarantinedLine.objects.filter(pk__in=first_two).update(state=QuarantineState.DISMISSED, decided_at=AT)
    assert check(run, "open_quarantine").detail == (
        "1 line could not become a record: no run bills it. Correct it and try again."
    )
    QuarantinedLine.objects.update(state=QuarantineState.DISMISSED, decided_at=AT)
    assert check(run, "open_quarantine").verdict == PreflightVerdict.PASS


def test_open_conflicts_are_counted_until_they_are_decided(run: BillingRun) -> None:
    file_of(1, conflicts=1)
    found = check(run, "open_conflicts")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 1)
    assert found.detail.startswith("1 row says something else than the record with its number.")
    UsageConflict.objects.update(decision=ConflictDecision.KEPT, decided_at=AT)
    assert check(run, "open_conflicts").verdict == PreflightVerdict.PASS


def test_holes_of_the_last_check_are_named(run: BillingRun) -> None:
    made = file_of(source_system=switch(has_consecutive_numbers=True))
    for number in ("R1", "R4", "R6"):
        recorded(made, number=number, created_at=made.started_at)
    check_completeness(from_day=DAY, to_day=DAY, at=AT)
    found = check(run, "number_holes")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 2)
    assert found.detail == "3 numbers are missing in 2 holes of Switch, as last checked. Ask for the records."


def test_silent_source_systems_are_named(run: BillingRun) -> None:
    hour = datetime(2026, 2, 2, 14, 0, tzinfo=UTC)
    for week in (1, 2, 3, 4):
        UsageDataRecordFactory(from_date=hour - timedelta(weeks=week))
    found = check(run, "silent_sources")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 1)
    assert found.detail == (
        "Switch sent no usage of 1 hour that had some in each of the four weeks before. Ask whether files are missing."
    )


def test_silence_after_the_cutoff_does_not_matter(run: BillingRun) -> None:
    hour = datetime(2026, 2, 2, 14, 0, tzinfo=UTC)
    for week in (1, 2, 3, 4):
        UsageDataRecordFactory(from_date=hour - timedelta(weeks=week))
    run.cutoff_date = date(2026, 2, 2)
    assert check(run, "silent_sources").verdict == PreflightVerdict.PASS
    run.cutoff_date = date(2026, 2, 3)
    assert check(run, "silent_sources").verdict == PreflightVerdict.WARN


def test_days_that_do_not_balance_are_named(run: BillingRun) -> None:
    file_of(1, started_at=AT)
    recorded(noted(2))
    unchecked = check(run, "completeness")
    assert unchecked.verdict == PreflightVerdict.WARN
    assert unchecked.detail.startswith("It was not checked yet whether all usage is accounted for.")
    check_completeness(from_day=DAY, to_day=AT.date(), at=AT)
    found = check(run, "completeness")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 1)
    assert found.detail == (
        "Usage received on 2026-02-01 is not all accounted for. Last checked at 2026-02-03 09:00 UTC."
    )


def test_usage_that_is_accounted_for_passes(run: BillingRun) -> None:
    file_of(1)
    check_completeness(from_day=DAY, to_day=DAY, at=AT)
    found = check(run, "completeness")
    assert (found.verdict, found.count) == (PreflightVerdict.PASS, 0)
    assert found.detail == (
        "All usage that was received in the last 35 days is accounted for. Last checked at 2026-02-03 09:00 UTC."
    )


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING"])
def test_imports_under_way_are_counted(run: BillingRun, state: str) -> None:
    file_of(state=state, sha256="", finished_at=None)
    file_of(state="FAILED", sha256="")
    found = check(run, "imports_under_way")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 1)


def test_the_checks_take_as_many_queries_for_much_as_for_little(run: BillingRun) -> None:
    file_of(1, conflicts=1, quarantined=1, source_system=switch(has_consecutive_numbers=True))
    with CaptureQueriesContext(connection) as for_little:
        preflight(run=run, at=AT)
    file_of(5, conflicts=3, quarantined=3)
    with CaptureQueriesContext(connection) as for_much:
        preflight(run=run, at=AT)
    assert len(for_much) == len(for_little)
