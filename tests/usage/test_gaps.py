"""Holes in record numbers, and hours in which a source system was silent against its own past weeks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import (
    QuarantinedLineFactory,
    SourceSystemFactory,
    SubscriptionServiceFactory,
    UsageDataRecordFactory,
    UsageImportFactory,
)
from usage.choices import QuarantineState
from usage.engine.gaps import NumberHole
from usage.models import QuarantinedLine, SourceSystem, UsageDataRecord, UsageImport
from usage.queries.gaps import SQL, number_holes, silent_hours

pytestmark = pytest.mark.django_db

# A Tuesday, twenty past ten.
AT = datetime(2026, 2, 3, 10, 20, tzinfo=UTC)
RECENT = datetime(2026, 2, 1, 3, 0, tzinfo=UTC)
LONG_AGO = AT - timedelta(days=36)


@pytest.fixture
def switch() -> SourceSystem:
    """A source system whose record numbers count up by one."""
    return SourceSystemFactory(has_consecutive_numbers=True)


@pytest.fixture
def came(switch: SourceSystem) -> Callable[..., UsageImport]:
    """Takes records with these numbers in, in a file."""

    def take(*numbers: str, at: datetime = RECENT, source: SourceSystem = switch, **fields: Any) -> UsageImport:
        count = len(numbers)
        made = UsageImportFactory(source_system=source, started_at=at, received_count=count, accepted_count=count)
        service = SubscriptionServiceFactory()
        for line, number in enumerate(numbers, start=2):
            UsageDataRecordFactory(
                subscription_service=service,
                source_system=source,
                usage_import=made,
                line_number=line,
                number=number,
                created_at=at,
                **fields,
            )
        return made

    return take


def holes() -> list[tuple[str, str, int]]:
    return [(hole.first, hole.last, hole.missing_count) for hole in number_holes(at=AT)]


def test_missing_numbers_are_given_as_ranges(came: Callable[..., UsageImport]) -> None:
    came("R7", "R8", "R10", "R11", "R15")
    assert holes() == [("R9", "R9", 1), ("R12", "R14", 3)]


def test_numbers_without_a_hole_have_none(came: Callable[..., UsageImport]) -> None:
    came("R98", "R99", "R100", "R101")
    came("X0098", "X0099", "X0100")
    assert holes() == []


def test_a_hole_reaches_over_a_width(came: Callable[..., UsageImport]) -> None:
    came("R97", "R103")
    assert holes() == [("R98", "R102", 5)]


def test_padded_numbers_keep_their_width(came: Callable[..., UsageImport]) -> None:
    came("C-0007", "C-0010", "C-1000", "C-1002")
    assert holes() == [("C-0008", "C-0009", 2), ("C-0011", "C-0999", 989), ("C-1001", "C-1001", 1)]


def test_prefixes_are_counted_apart(came: Callable[..., UsageImport]) -> None:
    came("A1", "A3", "B2", "20260131-5", "20260131-7", "7", "9")
    assert holes() == [("8", "8", 1), ("20260131-6", "20260131-6", 1), ("A2", "A2", 1)]


def test_a_number_of_more_than_18_digits_counts_by_its_last_ones(came: Callable[..., UsageImport]) -> None:
    came("99999999990000000000000000007", "99999999990000000000000000009")
    assert holes() == [("99999999990000000000000000008", "99999999990000000000000000008", 1)]


def test_numbers_without_digits_at_the_end_say_nothing(came: Callable[..., UsageImport]) -> None:
    came("5-a", "9-b", "urn:call")
    assert holes() == []


def test_a_number_that_came_before_the_window_is_no_hole(came: Callable[..., UsageImport]) -> None:
    came("R8", "R9", "R10", at=LONG_AGO)
    came("R7", "R12")
    assert holes() == [("R11", "R11", 1)]


def test_a_straggler_from_far_back_opens_no_hole_where_all_was_received(came: Callable[..., UsageImport]) -> None:
    came(*(f"R{number}" for number in range(95, 1010) if number != 500), at=LONG_AGO)
    came("R94", "R1010")
    assert holes() == [("R500", "R500", 1)]


def test_what_came_before_the_window_is_not_looked_at(came: Callable[..., UsageImport]) -> None:
    came("R1", "R5", at=LONG_AGO)
    came("R6", "R7")
    assert holes() == []


def test_a_record_that_was_sent_by_itself_fills_its_number(came: Callable[..., UsageImport]) -> None:
    made = came("R1", "R3", "R5")
    UsageDataRecordFactory(source_system=made.source_system, number="R2", created_at=RECENT)
    UsageDataRecordFactory(source_system=made.source_system, number="R4", created_at=LONG_AGO)
    assert holes() == []


def test_a_cancelled_record_fills_its_number(came: Callable[..., UsageImport]) -> None:
    came("R1", "R3")
    came("R2", life_cycle_state="CANCELLED")
    assert holes() == []


def test_numbers_that_were_made_up_and_those_of_successors_count_nothing(
    came: Callable[..., UsageImport], switch: SourceSystem
) -> None:
    made = UsageImportFactory(source_system=switch, started_at=RECENT)
    for line in (2, 5):
        UsageDataRecordFactory(
            source_system=switch, usage_import=made, line_number=line, number=f"I{made.pk}-{line}", created_at=RECENT
        )
    came("R1", life_cycle_state="CANCELLED")
    first = UsageDataRecord.objects.get(number="R1")
    for number, state in (("R1~2", "CANCELLED"), ("R1~4", "POSTED")):
        UsageDataRecordFactory(
            source_system=switch, number=number, original=first, life_cycle_state=state, created_at=RECENT
        )
    assert holes() == []


def test_only_source_systems_that_count_up_are_looked_at(came: Callable[..., UsageImport]) -> None:
    came("R1", "R3", source=SourceSystemFactory(name="Other"))
    assert holes() == []


def test_the_same_numbers_of_another_source_system_fill_nothing(came: Callable[..., UsageImport]) -> None:
    came("R1", "R3")
    came("R2", source=SourceSystemFactory(name="Other", has_consecutive_numbers=True))
    assert holes() == [("R2", "R2", 1)]


def test_a_hundred_holes_of_a_source_system_are_given(came: Callable[..., UsageImport]) -> None:
    came(*(f"R{2 * number}" for number in range(150)))
    assert holes()[-1] == ("R199", "R199", 1)
    assert len(holes()) == 100


@pytest.mark.parametrize(
    ("fields", "raw_text"),
    [
        ({"columns": ["number", "usage_amount"]}, "R2,twelve"),
        ({"columns": ["number", "usage_amount"], "delimiter": ";"}, '"R2";twelve'),
        ({"file_format": "NDJSON"}, '{"usage_amount": "twelve", "number": "R2"}'),
    ],
)
def test_a_number_in_an_open_quarantined_line_is_told(
    came: Callable[..., UsageImport], fields: dict[str, Any], raw_text: str
) -> None:
    made = came("R1", "R5")
    UsageImport.objects.filter(pk=made.pk).update(**fields)
    service = {"service", "from_date"}
    if "columns" in fields:
        UsageImport.objects.filter(pk=made.pk).update(columns=[*fields["columns"], *sorted(service)])
    QuarantinedLineFactory(usage_import=made, raw_text=raw_text)
    (hole,) = number_holes(at=AT)
    assert (hole.first, hole.last, hole.missing_count, hole.quarantined_count) == ("R2", "R4", 3, 1)


def test_a_mapped_number_is_told_and_a_dismissed_line_is_not(came: Callable[..., UsageImport]) -> None:
    made = came("R1", "R4")
    SourceSystem.objects.update(column_mapping={"number": "R{Id}", "service": "{Who}", "from_date": "{When}"})
    UsageImport.objects.update(columns=["Id", "Who", "When", "usage_amount"])
    QuarantinedLineFactory(usage_import=made, raw_text="3,+4930,yesterday,1")
    QuarantinedLineFactory(usage_import=made, raw_text="2,+4930,yesterday,1", state="DISMISSED", decided_at=AT)
    (hole,) = number_holes(at=AT)
    assert (hole.missing_count, hole.quarantined_count) == (2, 1)
    QuarantinedLine.objects.filter(state=QuarantineState.OPEN).update(corrected_text="9,+4930,2026-01-01,1")
    (hole,) = number_holes(at=AT)
    assert hole.quarantined_count == 0


@pytest.mark.parametrize("raw_text", ["", "R2", '"R2', "[1]", "null", "{", "[" * 100_000])
@pytest.mark.parametrize("file_format", ["CSV", "NDJSON"])
def test_a_line_that_is_no_row_is_passed_over(
    came: Callable[..., UsageImport], raw_text: str, file_format: str
) -> None:
    made = came("R1", "R3")
    UsageImport.objects.update(file_format=file_format, columns=["usage_amount", "service", "from_date", "number"])
    QuarantinedLineFactory(usage_import=made, raw_text=raw_text)
    assert [hole.quarantined_count for hole in number_holes(at=AT)] == [0]


def test_holes_take_as_many_queries_for_many_as_for_one(came: Callable[..., UsageImport]) -> None:
    made = came("R1", "R3")
    QuarantinedLineFactory(usage_import=made)
    with CaptureQueriesContext(connection) as for_one:
        number_holes(at=AT)
    came("S1", "S3", "S5", "S7")
    QuarantinedLineFactory.create_batch(3, usage_import=made)
    with CaptureQueriesContext(connection) as for_many:
        assert len(number_holes(at=AT)) == 4
    assert len(for_many) == len(for_one) == 4


def test_without_source_systems_that_count_up_nothing_is_read() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert number_holes(at=AT) == []
    assert len(captured) == 1


def test_a_hole_knows_its_numbers() -> None:
    hole = NumberHole(1, "C-", 4, 8, 10)
    assert [
        number for number in ("C-0007", "C-0008", "C-0010", "C-10", "C-8", "D-0009", "C-00x9") if hole.has(number)
    ] == [
        "C-0008",
        "C-0010",
    ]


@pytest.fixture
def sent() -> Callable[..., None]:
    """Usage of the switch that started at these times."""
    source = SourceSystemFactory()
    service = SubscriptionServiceFactory()

    def send(*times: datetime) -> None:
        for at in times:
            UsageDataRecordFactory(subscription_service=service, source_system=source, from_date=at)

    return send


def weeks_before(at: datetime, *numbers: int) -> list[datetime]:
    return [at - timedelta(weeks=number) for number in numbers]


def silence() -> list[tuple[str, str, int]]:
    return [(f"{each.starts_at:%a %H:%M}", f"{each.ends_at:%a %H:%M}", each.hour_count) for each in silent_hours(at=AT)]


def test_an_hour_that_had_usage_in_each_of_four_weeks_is_silent(sent: Callable[..., None]) -> None:
    sent(*weeks_before(datetime(2026, 2, 2, 14, 30, tzinfo=UTC), 1, 2, 3, 4))
    assert silence() == [("Mon 14:00", "Mon 15:00", 1)]


def test_an_hour_without_usage_in_one_of_the_four_weeks_is_not(sent: Callable[..., None]) -> None:
    sent(*weeks_before(datetime(2026, 2, 2, 14, 30, tzinfo=UTC), 1, 2, 4, 5))
    assert silence() == []


def test_an_hour_with_usage_is_not_silent(sent: Callable[..., None]) -> None:
    hour = datetime(2026, 2, 2, 14, 0, tzinfo=UTC)
    sent(*weeks_before(hour, 1, 2, 3, 4), hour + timedelta(minutes=59, seconds=59))
    assert silence() == []


def test_the_edges_of_an_hour_belong_to_one_hour_only(sent: Callable[..., None]) -> None:
    hour = datetime(2026, 2, 2, 14, 0, tzinfo=UTC)
    sent(*weeks_before(hour, 1, 2, 3, 4), hour - timedelta(microseconds=1), hour + timedelta(hours=1))
    assert silence() == [("Mon 14:00", "Mon 15:00", 1)]


def test_silent_hours_that_follow_each_other_are_one(sent: Callable[..., None]) -> None:
    for hour in (14, 15, 16, 18):
        sent(*weeks_before(datetime(2026, 2, 2, hour, 5, tzinfo=UTC), 1, 2, 3, 4))
    assert silence() == [("Mon 14:00", "Mon 17:00", 3), ("Mon 18:00", "Mon 19:00", 1)]


def test_the_last_two_hours_may_still_come_and_48_are_looked_at(sent: Callable[..., None]) -> None:
    # At 10:20 the hours from Sunday 08:00 to Tuesday 08:00 are looked at.
    for at in ("2026-02-01T07:30", "2026-02-01T08:30", "2026-02-03T07:30", "2026-02-03T08:30"):
        sent(*weeks_before(datetime.fromisoformat(at).replace(tzinfo=UTC), 1, 2, 3, 4))
    assert silence() == [("Sun 08:00", "Sun 09:00", 1), ("Tue 07:00", "Tue 08:00", 1)]


def test_another_source_system_does_not_speak_for_it(sent: Callable[..., None]) -> None:
    hour = datetime(2026, 2, 2, 14, 30, tzinfo=UTC)
    sent(*weeks_before(hour, 1, 2, 3, 4))
    UsageDataRecordFactory(source_system=SourceSystemFactory(name="Other"), from_date=hour)
    assert silence() == [("Mon 14:00", "Mon 15:00", 1)]


def test_the_same_hour_of_a_week_before_is_that_of_the_sources_own_clock(sent: Callable[..., None]) -> None:
    # Calls each weekday at 16:30 in Berlin: 15:30 UTC in winter, and 14:30 from Sunday 29 March 2026 on.
    berlin = ZoneInfo("Europe/Berlin")
    SourceSystem.objects.filter(pk=SourceSystemFactory().pk).update(timezone="Europe/Berlin")
    monday = datetime(2026, 3, 30, 16, 30, tzinfo=berlin)
    sent(*(monday - timedelta(weeks=number) for number in range(5)))
    assert silent_hours(at=datetime(2026, 3, 31, 10, 20, tzinfo=UTC)) == []
    # A day later the same call is missing at 14:30 UTC, not at 15:30.
    tuesday = monday + timedelta(days=1)
    sent(*(tuesday - timedelta(weeks=number) for number in range(1, 5)))
    (found,) = silent_hours(at=datetime(2026, 4, 1, 10, 20, tzinfo=UTC))
    assert (found.starts_at, found.hour_count) == (datetime(2026, 3, 31, 14, 0, tzinfo=UTC), 1)


def test_silence_is_asked_of_the_index_hour_by_hour(sent: Callable[..., None]) -> None:
    sent(AT)
    UsageDataRecordFactory(source_system=SourceSystemFactory(name="Other"), from_date=AT)
    with connection.cursor() as cursor:
        # Two source systems with a record each two minutes of four weeks: the planner has something to choose for.
        cursor.execute(
            """
            INSERT INTO usage_data_record (
              customer_id, subscription_service_id, product_id, usage_type_id, source_system_id, number, is_late,
              life_cycle_state, billing_directive, billing_effective_date, from_date, to_date, usage_amount,
              destination, region, rating_type
            )
            SELECT
              customer_id, subscription_service_id, product_id, usage_type_id, source_system_id, 'N' || n, false,
              'POSTED', 'NOT_TO_BE_BILLED', '2026-01-01', from_date - n * interval '2 minutes', from_date, 1,
              '', '', 'POSTRATED'
            FROM usage_data_record, generate_series(1, 20000) n
            """
        )
        cursor.execute("ANALYZE usage_data_record")
        cursor.execute(f"EXPLAIN {(SQL / 'silent_hours.sql').read_text()}", {"first": RECENT, "last": AT})
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert plan.count("using usage_data_record_source") == 5, plan
    assert plan.count("Index Cond: ((ROW(source_system_id, from_date) >=") == 5, plan
    assert "Sort" not in plan.split("SubPlan 1")[1]
