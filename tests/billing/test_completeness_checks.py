"""The check that beat starts: what it notes, what pages show of it, and the command."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.choices import GapKind
from billing.models import CompletenessDay, UsageGap
from billing.operations.completeness import check_completeness
from billing.queries import shown_completeness as shown
from billing.tasks import check_completeness as check_task
from tests.billing.received import AT, DAY, behind_its_back, figures, file_of, noted, recorded, single, switch
from tests.factories import CompletenessDayFactory, UsageDataRecordFactory, UsageGapFactory
from tests.refusals import refused
from usage.models import SourceSystem

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=1)


def check(at: datetime = AT, *, from_day: date = DAY, to_day: date = DAY) -> int:
    return check_completeness(from_day=from_day, to_day=to_day, at=at)


def holes_of(source: SourceSystem) -> None:
    """R2 and R3 of the source are missing."""
    made = file_of(source_system=source)
    for number in ("R1", "R4"):
        recorded(made, number=number, created_at=made.started_at)


def test_a_check_notes_each_day_and_gives_back_how_many_do_not_balance() -> None:
    file_of(2)
    file_of(1, source_system=switch("Other"))
    recorded(noted(1), number="R-LOST", pending=False)
    assert check(from_day=DAY - timedelta(days=1), to_day=DAY + timedelta(days=1)) == 1
    first, other = CompletenessDay.objects.order_by("source_system_id")
    assert (first.day, first.received_count, first.balances, first.checked_at) == (DAY, 3, False, AT)
    assert [record["number"] for record in first.misplaced] == ["R-LOST"]
    assert [record["fault"] for record in first.misplaced] == ["NOWHERE"]
    assert (other.received_count, other.balances, other.misplaced) == (1, True, [])


def test_a_check_again_replaces_what_was_noted() -> None:
    file_of(2)
    check()
    with behind_its_back() as cursor:
        cursor.execute("DELETE FROM pending_usage")
    assert check(LATER) == 1
    noted_day = CompletenessDay.objects.get()
    assert (noted_day.pending_count, noted_day.misplaced_count, noted_day.checked_at) == (0, 2, LATER)


def test_a_day_of_which_nothing_is_left_is_forgotten() -> None:
    draft = single(life_cycle_state="DRAFT")
    check()
    assert CompletenessDay.objects.get().draft_count == 1
    draft.delete()
    check(LATER)
    assert not CompletenessDay.objects.exists()


def test_a_check_notes_gaps_in_place_of_those_of_the_last() -> None:
    source = switch(has_consecutive_numbers=True)
    holes_of(source)
    hour = datetime(2026, 2, 2, 14, 0, tzinfo=UTC)
    for week in (1, 2, 3, 4):
        UsageDataRecordFactory(source_system=source, from_date=hour - timedelta(weeks=week), number=f"W{week}")
    for _ in range(2):
        check()
    hole, silence = UsageGap.objects.order_by("kind")
    assert (hole.kind, hole.first_number, hole.last_number, hole.missing_count) == (GapKind.NUMBERS, "R2", "R3", 2)
    assert (silence.kind, silence.starts_at, silence.ends_at) == (GapKind.SILENT_HOURS, hour, hour + timedelta(hours=1))
    assert {hole.found_at, silence.found_at} == {AT}


def test_the_task_checks_the_last_35_days_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[timedelta, timedelta]] = []

    def note(*, from_day: date, to_day: date, at: datetime) -> int:
        asked.append((to_day - from_day, at.date() - to_day))
        return 0

    monkeypatch.setattr("billing.tasks.check_completeness_of_days", note)
    check_task()
    check_task(from_day="2026-01-01", to_day="2026-01-03")
    assert asked[0] == (timedelta(days=34), timedelta(0))
    assert asked[1][0] == timedelta(days=2)


def test_beat_starts_it_every_hour() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["check-completeness"]
    assert (entry["task"], entry["schedule"]) == (check_task.name, 3_600.0)


def ask(**fields: Any) -> shown.Completeness:
    return shown.shown_completeness(**({"from_day": DAY, "to_day": DAY, "at": LATER} | fields))


def test_little_is_counted_now() -> None:
    file_of(2)
    found = ask()
    assert (found.is_live, found.as_of, found.balances, found.unchecked) == (True, LATER, True, ())
    assert [day.received_count for day in found.days] == [2]


def test_much_is_shown_as_it_was_last_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "LIVE_RECORDS", 2)
    recorded(noted(1), number="R-LOST", pending=False)
    check()
    live = tuple(figures())
    file_of(2)
    found = ask()
    assert (found.is_live, found.as_of, found.balances, found.unchecked) == (False, AT, False, ())
    assert found.days == live


def test_what_was_never_checked_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "LIVE_RECORDS", 0)
    file_of(1)
    file_of(1, started_at=AT)
    file_of(state="FAILED", sha256="")
    check()
    found = ask(to_day=AT.date())
    assert [day.day for day in found.days] == [DAY]
    assert found.unchecked == (AT.date(),)
    assert ask(from_day=AT.date(), to_day=AT.date()).as_of is None


def test_what_takes_too_long_is_shown_as_it_was_last_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    file_of(1)
    check()

    def slow(*_: object, **__: object) -> tuple[()]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return ()

    monkeypatch.setattr(shown, "LIVE_TIMEOUT_MS", 50)
    monkeypatch.setattr(shown, "day_figures", slow)
    found = ask()
    assert (found.is_live, [day.received_count for day in found.days]) == (False, [1])
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("0",)


def test_days_are_given_newest_first_and_by_name_of_their_source() -> None:
    for name in ("Zebra", "Ant"):
        source = switch(name)
        file_of(1, source_system=source)
        file_of(1, source_system=source, started_at=AT)
    names = {source.pk: source.name for source in SourceSystem.objects.all()}
    found = ask(to_day=AT.date())
    assert [(names[day.source_system_id], day.day.day) for day in found.days] == [
        ("Ant", 3),
        ("Zebra", 3),
        ("Ant", 1),
        ("Zebra", 1),
    ]


def test_gaps_are_looked_for_now_or_taken_from_the_last_check(monkeypatch: pytest.MonkeyPatch) -> None:
    source = switch(has_consecutive_numbers=True)
    holes_of(source)
    live = shown.shown_gaps(at=LATER)
    assert (live.is_live, [gap.first_number for gap in live.found]) == (True, ["R2"])
    check()
    recorded(file_of(1, source_system=source), number="R3", created_at=AT)
    monkeypatch.setattr(shown, "LIVE_RECORDS", 0)
    stored = shown.shown_gaps(at=LATER)
    assert (stored.is_live, stored.as_of, [gap.last_number for gap in stored.found]) == (False, AT, ["R3"])
    assert shown.shown_gaps(at=LATER, source_system_id=switch("Other").pk).found == ()


def test_a_check_takes_as_many_queries_for_many_records_as_for_one() -> None:
    file_of(1)
    check()
    with CaptureQueriesContext(connection) as for_one:
        check()
    for number in range(3):
        file_of(3, conflicts=1, quarantined=2, source_system=switch(f"Source {number}"))
    with CaptureQueriesContext(connection) as for_many:
        check()
    assert len(for_many) == len(for_one)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "LOST"},
        {"last_number": ""},
        {"starts_at": AT},
        {"kind": GapKind.SILENT_HOURS, "first_number": "", "starts_at": AT},
        {"kind": GapKind.SILENT_HOURS, "starts_at": AT, "ends_at": LATER},
    ],
)
def test_a_gap_says_what_is_missing(fields: dict[str, Any]) -> None:
    with refused(by="usage_gap_says_what_is_missing"):
        UsageGapFactory(**fields)


def test_a_day_is_noted_once_for_a_source() -> None:
    noted_day = CompletenessDayFactory()
    with refused(by="completeness_day_once_per_source"):
        CompletenessDayFactory(source_system=noted_day.source_system)


def run_command(*arguments: str) -> str:
    out = StringIO()
    call_command("check_completeness", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_a_line_a_day_and_source() -> None:
    file_of(5, duplicates=3, conflicts=2, quarantined=1)
    printed = run_command("--from", "2026-02-01", "--to", "2026-02-02")
    header, line, end = printed.splitlines()
    assert header.split() == [
        *("day", "source", "received", "duplicates", "conflicts", "quarantined"),
        *("accepted", "pending", "charged", "excluded"),
    ]
    assert line.split() == ["2026-02-01", "Switch", "11", "3", "2", "1", "5", "5", "0", "0"]
    assert end == "All 1 lines balance."
    assert not CompletenessDay.objects.exists()


def test_the_command_fails_where_something_does_not_balance() -> None:
    file_of(1, started_at=AT)
    recorded(noted(2), number="R-LOST", pending=False)
    out = StringIO()
    with pytest.raises(CommandError, match=r"^1 of 2 lines do not balance\.$") as caught:
        call_command("check_completeness", "--from=2026-02-01", "--to=2026-02-03", stdout=out)
    assert caught.value.returncode == 1
    assert "1 record is missing: 2 accepted, 1 there." in out.getvalue()
    assert "R-LOST: It is to be billed, but it is neither pending nor charged: no run would bill it." in out.getvalue()


def test_the_command_looks_at_one_source_only() -> None:
    other = switch("Other", alternative_code="OT")
    file_of(1, source_system=other)
    recorded(noted(1), pending=False)
    assert "All 1 lines balance." in run_command("--from=2026-02-01", "--to=2026-02-01", "--source=OT")


def test_the_command_says_where_nothing_was_received() -> None:
    assert run_command().splitlines()[-1] == "Nothing was received on these days."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--source", "None such"], "There is no source system “None such”. There are: Switch."),
        (["--from", "2026-02-02", "--to", "2026-02-01"], "The last day, 2026-02-01, is before the first, 2026-02-02."),
        (["--from", "soon"], "“soon” is not a date such as 2026-01-31"),
    ],
)
def test_the_command_says_what_is_wrong_with_what_was_asked(arguments: list[str], sentence: str) -> None:
    switch()
    with pytest.raises(CommandError, match=sentence.replace(".", r"\.")):
        run_command(*arguments)
