"""How the texts of a source system are spelt: delimiters, decimal signs, dates, zones, types."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.factories import SubscriptionActionFactory, SubscriptionServiceFactory, UsageTypeFactory
from tests.usage.taking import HEADER, ROW, counts, lines, make_company, records, refusal, take
from usage.models import PendingUsage, QuarantinedLine, SourceSystem, UsageDataRecord

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def source() -> SourceSystem:
    return make_company()


def spelt(source: SourceSystem, **fields: object) -> None:
    SourceSystem.objects.filter(pk=source.pk).update(**fields)


def call(number: int, start: str, *more: str) -> str:
    return ",".join((f"R{number}", "+49301", "CALL", start, "", "60", *more))


def faults() -> list[tuple[object, ...]]:
    return list(QuarantinedLine.objects.order_by("line_number").values_list("line_number", "reason", "detail"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_are_parted_by_the_source_systems_sign(source: SourceSystem, delimiter: str) -> None:
    spelt(source, delimiter=delimiter)
    header = f"{HEADER},region,udf_string_1".replace(",", delimiter)
    region = f'"a{delimiter}b"'
    rows = [
        delimiter.join(["R1", "+49301", "CALL", "2026-01-15T12:00:00Z", "", "60", region, '"two\nlines"']),
        delimiter.join(["R2", "+49301", "CALL", "2026-01-15T12:00:00Z", "", "sixty", region, '"say ""hello"""']),
        delimiter.join(
            ["R3", "+49301", "CALL", "2026-01-15T12:00:00Z", "", "x", "a\\b", ",;\t|".replace(delimiter, "")]
        ),
    ]
    taken = take(lines(*rows, header=header))
    assert (taken.delimiter, taken.columns) == (delimiter, [*HEADER.split(","), "region", "udf_string_1"])
    assert counts(taken) == {"accepted": 1, "quarantined": 2}
    assert records("region", "udf_string_1", "line_number") == [(f"a{delimiter}b", "two\nlines", 2)]
    # As it came: quoted where it has to be, and only there.
    assert list(QuarantinedLine.objects.order_by("id").values_list("line_number", "raw_text")) == [
        (4, rows[1]),
        (5, rows[2]),
    ]


def test_a_file_that_is_parted_otherwise_is_refused(source: SourceSystem) -> None:
    spelt(source, delimiter=";")
    assert refusal(lines(ROW)) == (
        "calls.csv: line 1: there is no column “service” and no column “from_date” and no column “usage_amount”. "
        f"The header has: {HEADER}."
    )


def test_a_decimal_comma_is_the_only_sign_of_a_source_that_writes_it(source: SourceSystem) -> None:
    spelt(source, delimiter=";", decimal_sign=",")
    header = f"{HEADER},total_amount,udf_float_1".replace(",", ";")

    def row(number: int, amount: str, total: str = "", udf: str = "") -> str:
        return f"R{number};+49301;CALL;2026-01-15T12:00:00Z;;{amount};{total};{udf}"

    numbers = [
        ("0,0000001453", "1,5", "-2,25"),
        ("1,453e-7", "", "7"),
        (",5", "", ""),
        ("1.234", "", ""),
        ("1.234,5", "", ""),
        ("1,234,5", "", ""),
        ("1", "0.5", ""),
    ]
    taken = take(lines(*(row(n, *texts) for n, texts in enumerate(numbers, 1)), header=header))
    assert counts(taken) == {"accepted": 3, "quarantined": 4}
    assert records("usage_amount", "total_amount", "udf_float_1") == [
        (Decimal("0.0000001453"), Decimal("1.5"), Decimal("-2.25")),
        (Decimal("0.0000001453"), None, Decimal(7)),
        (Decimal("0.5"), None, None),
    ]
    told = "is not a number with at most 20 digits before the point and 18 after it."
    assert faults() == [
        (5, "BAD_NUMBER", f"usage_amount “1.234” {told}"),
        (6, "BAD_NUMBER", f"usage_amount “1.234,5” {told}"),
        (7, "BAD_NUMBER", f"usage_amount “1,234,5” {told}"),
        (8, "BAD_NUMBER", f"total_amount “0.5” {told}"),
    ]


def test_dates_are_read_by_the_source_systems_pattern_in_its_time_zone(source: SourceSystem) -> None:
    spelt(source, date_format="DD.MM.YYYY hh:mm", timezone="Europe/Berlin")
    header = f"{HEADER},billing_effective_date,udf_date_1"
    taken = take(
        lines(
            call(1, "15.01.2026 13:00", "31.01.2026", "01.02.2026"),
            call(2, "15.01.2026 13:00+00:00", "", ""),
            call(3, "15.07.2026 13:00", "", ""),
            call(4, "15.01.2026 13:00Z", "", ""),
            call(5, "31.02.2026 13:00", "", ""),
            call(6, "15.01.2026", "", ""),
            call(7, "15.01.2026 13:00", "30.02.2026", ""),
            call(8, "15.01.2026 13:00", "", "32.01.2026"),
            header=header,
        )
    )
    assert counts(taken) == {"accepted": 4, "quarantined": 4}
    assert records("number", "from_date", "billing_effective_date", "udf_date_1") == [
        ("R1", NOON, date(2026, 1, 31), date(2026, 2, 1)),
        ("R2", NOON.replace(hour=13), date(2026, 1, 15), None),
        ("R3", datetime(2026, 7, 15, 11, 0, tzinfo=UTC), date(2026, 7, 15), None),
        ("R4", NOON.replace(hour=13), date(2026, 1, 15), None),
    ]
    so = "its source system writes them (DD.MM.YYYY hh:mm)."
    assert faults() == [
        (6, "BAD_DATE", f"from_date “31.02.2026 13:00” is not a date and time such as {so}"),
        (7, "BAD_DATE", f"from_date “15.01.2026” is not a date and time such as {so}"),
        (8, "BAD_DATE", f"billing_effective_date “30.02.2026” is not a date such as {so}"),
        (9, "BAD_DATE", f"udf_date_1 “32.01.2026” is not a date such as {so}"),
    ]


@pytest.mark.parametrize(
    ("pattern", "texts", "faulty"),
    [
        ("epoch", ["1768478400", "1768478400.5", "1768478400.123456"], ["-1", "1768478400000", "17684784e2", "x"]),
        ("epoch_ms", ["1768478400000", "1768478400500", "1768478400123.456"], ["-1", "17684784000000", "1e12", "x"]),
    ],
)
def test_instants_are_counted_from_1970(
    source: SourceSystem, pattern: str, texts: list[str], faulty: list[str]
) -> None:
    # Of no zone: not the source system's either.
    spelt(source, date_format=pattern, timezone="America/New_York")
    header = f"{HEADER},billing_effective_date"
    taken = take(lines(*(call(n, text, "2026-01-31") for n, text in enumerate([*texts, *faulty])), header=header))
    assert counts(taken) == {"accepted": 3, "quarantined": 4}
    assert records("from_date", "to_date", "billing_effective_date") == [
        (at, at, date(2026, 1, 31))
        for at in (NOON, NOON.replace(microsecond=500_000), NOON.replace(microsecond=123_456))
    ]
    assert faults()[0] == (
        *(5, "BAD_DATE"),
        f"from_date “-1” is not a date and time such as its source system writes them ({pattern}).",
    )


@pytest.mark.parametrize(("date_format", "start"), [("YYYY-DD-MM hh:mm", "2026-15-01 12:00"), ("epoch", "1768478400")])
def test_what_is_not_in_the_pattern_is_no_date_though_it_looks_like_iso(
    source: SourceSystem, date_format: str, start: str
) -> None:
    spelt(source, date_format=date_format)
    assert counts(take(lines(call(1, start), call(2, "2026-01-02T10:00:00Z")))) == {"accepted": 1, "quarantined": 1}
    assert records("number", "from_date") == [("R1", NOON)]
    sentence = "from_date “2026-01-02T10:00:00Z” is not a date and time such as its source system writes them"
    assert faults() == [(3, "BAD_DATE", f"{sentence} ({date_format}).")]


def test_a_pattern_that_is_none_refuses_the_file(source: SourceSystem) -> None:
    spelt(source, date_format="DD.MM")
    assert refusal(lines(ROW)) == "calls.csv: the date format “DD.MM” lacks YYYY."


def test_types_go_by_name_then_by_code_then_by_the_source_systems_own(source: SourceSystem) -> None:
    UsageTypeFactory(name="Message", alternative_code="SMS")
    UsageTypeFactory(name="Data", alternative_code="Message")
    start = "2026-01-15T12:00:00Z"
    named = [call(n, start, name) for n, name in enumerate(["", "Message", "SMS", "Data", "sms"])]
    taken = take(lines(*named, header=f"{HEADER},type"))
    assert counts(taken) == {"accepted": 4, "quarantined": 1}
    assert records("usage_type__name") == [("Call",), ("Message",), ("Message",), ("Data",)]
    assert faults() == [(6, "UNKNOWN_TYPE", "No usage type has the name or code “sms”.")]


def test_without_a_type_of_its_own_a_source_must_say_it_in_each_row(source: SourceSystem) -> None:
    spelt(source, default_usage_type=None)
    start = "2026-01-15T12:00:00Z"
    taken = take(lines(call(1, start, "Call"), call(2, start, ""), header=f"{HEADER},type"))
    assert counts(taken) == {"accepted": 1, "quarantined": 1}
    assert faults() == [(3, "MISSING_VALUE", "type is empty, and the source system has no default usage type.")]


def test_a_row_may_come_as_a_draft_which_is_not_billed_yet(source: SourceSystem) -> None:
    start = "2026-01-15T12:00:00Z"
    states = ["DRAFT", "POSTED", "", "CANCELLED", "draft"]
    taken = take(lines(*(call(n, start, s) for n, s in enumerate(states)), header=f"{HEADER},life_cycle_state"))
    assert counts(taken) == {"accepted": 3, "quarantined": 2}
    assert records("number", "life_cycle_state") == [("R0", "DRAFT"), ("R1", "POSTED"), ("R2", "POSTED")]
    pending = PendingUsage.objects.order_by("record__number").values_list("record__number", flat=True)
    assert list(pending) == ["R1", "R2"]
    assert faults() == [
        (5, "BAD_CHOICE", "life_cycle_state “CANCELLED” is not DRAFT or POSTED."),
        (6, "BAD_CHOICE", "life_cycle_state “draft” is not DRAFT or POSTED."),
    ]


def test_a_row_may_name_an_action_of_its_own_subscription(source: SourceSystem) -> None:
    service = SubscriptionServiceFactory(identifier="+49302")
    SubscriptionActionFactory(number="A1", subscription=service.subscription)
    SubscriptionActionFactory(number="A2")
    rows = [f"R{n},+49302,CALL,2026-01-15T12:00:00Z,,60,{action}" for n, action in enumerate(["A1", "", "A2", "A3"])]
    taken = take(lines(*rows, header=f"{HEADER},subscription_action"))
    assert counts(taken) == {"accepted": 2, "quarantined": 2}
    assert records("subscription_action__number") == [("A1",), (None,)]
    assert faults() == [
        (4, "UNKNOWN_ACTION", "The service's subscription has no action with the number “A2”."),
        (5, "UNKNOWN_ACTION", "The service's subscription has no action with the number “A3”."),
    ]
    again = take(lines(rows[0].replace("A1", ""), rows[1], header=f"{HEADER},subscription_action"))
    assert counts(again) == {"duplicates": 1, "conflicts": 1}
    # A file that does not have the column says nothing of actions.
    assert counts(take(lines(rows[0].removesuffix(",A1")))) == {"duplicates": 1}


def test_what_is_spelt_otherwise_says_the_same(source: SourceSystem) -> None:
    take(lines(call(1, "2026-01-15T12:00:00Z")))
    spelt(source, delimiter=";", decimal_sign=",", date_format="DD.MM.YYYY hh:mm:ss", timezone="Europe/Berlin")
    again = take(lines("R1;+49301;CALL;15.01.2026 13:00:00;;60,000", header=HEADER.replace(",", ";")))
    assert counts(again) == {"duplicates": 1}
    assert UsageDataRecord.objects.get().from_date == NOON
