"""How the files of a source system are read: its columns, its word for nothing, its time zone."""

import zoneinfo
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.factories import (
    CustomerFactory,
    ProductFactory,
    SourceSystemFactory,
    SubscriptionServiceFactory,
    UsageTypeFactory,
)
from tests.usage.taking import HEADER, ROW, counts, lines, make_company, records, refusal, session_timezone, take
from usage.models import QuarantinedLine, SourceSystem, UsageDataRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> SourceSystem:
    return make_company()


def mapped(source: SourceSystem, mapping: object, null_text: str = "") -> None:
    source.column_mapping = mapping
    source.null_text = null_text
    source.save()


def test_templates_join_columns_and_texts_and_take_the_first_that_is_given(source: SourceSystem) -> None:
    ProductFactory(code="SKU-7 / GB")
    mapped(
        source,
        {
            "number": "{Id}",
            "service": "{Resource|Account}",
            "product": "SKU-{Sku} / {Unit}",
            "from_date": "{Day}T{Time}Z",
            "usage_amount": "{Quantity}",
            "region": "EU",
        },
        null_text="NULL",
    )
    header = "Id,Resource,Account,Sku,Unit,Day,Time,Quantity,region"
    taken = take(
        lines(
            "1,+49301,NULL,7,GB,2026-01-15,12:00:00,4e-07,US",
            "2,NULL,+49301,7,GB,2026-01-15,12:00:00,1,US",
            "3,,+49301,7,GB,2026-01-15,12:00:00,1,US",
            "4,NULL,NULL,7,GB,2026-01-15,12:00:00,1,US",
            "5,+49301,NULL,7,NULL,2026-01-15,12:00:00,1,US",
            "6,+49301,NULL,7,GB,NULL,12:00:00,1,US",
            header=header,
        )
    )
    assert counts(taken) == {"accepted": 3, "quarantined": 3}
    assert records("number", "product__code", "usage_amount", "region") == [
        ("1", "SKU-7 / GB", Decimal("0.0000004"), "EU"),
        ("2", "SKU-7 / GB", Decimal(1), "EU"),
        ("3", "SKU-7 / GB", Decimal(1), "EU"),
    ]
    lines_at_fault = QuarantinedLine.objects.order_by("line_number").values_list("line_number", "reason", "field")
    assert list(lines_at_fault) == [
        (5, "MISSING_VALUE", "service"),
        (6, "MISSING_VALUE", "product"),
        (7, "MISSING_VALUE", "from_date"),
    ]


def test_a_template_may_be_a_text_alone_or_nothing(source: SourceSystem) -> None:
    texts = {
        "service": "+49301",
        "product": "CALL",
        "type": "Call",
        "from_date": "2026-01-15T12:00:00Z",
        "usage_amount": "1",
        "billing_directive": "NOT_TO_BE_BILLED",
        "billing_effective_date": "2026-01-31",
        "total_amount": "0.5",
        "udf_string_1": "x",
        "udf_float_1": "1e-3",
        "udf_date_1": "2026-01-01",
    }
    mapped(source, {**texts, "region": ""})
    assert counts(take("number,region\n1,US\n2,EU\n")) == {"accepted": 2}
    assert records("number", "billing_effective_date", "total_amount", "udf_float_1", "region") == [
        ("1", date(2026, 1, 31), Decimal("0.5"), Decimal("0.001"), ""),
        ("2", date(2026, 1, 31), Decimal("0.5"), Decimal("0.001"), ""),
    ]


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE usage_import; --", "%s %(import_id)s 50% %%", "} { {{", "\\' \\", "NULL::text", "c0"]
)
def test_what_reads_as_sql_or_as_a_format_is_text(source: SourceSystem, text: str) -> None:
    mapped(source, {"udf_string_1": f"{text}{{Note}}{text}", "udf_string_2": text}, null_text=text[:20])
    content = lines(
        f'{ROW},"n","{text[:20]}"', header="number,service,product,from_date,to_date,usage_amount,Note,region"
    )
    assert counts(take(content)) == {"accepted": 1}
    assert records("udf_string_1", "udf_string_2", "region") == [(f"{text}n{text}", text, "")]


@pytest.mark.parametrize("name", ["x'); DROP TABLE usage_import; --", "%s %(import_id)s", 'a""b', "c0", "line_number"])
def test_names_of_columns_reach_no_sql(source: SourceSystem, name: str) -> None:
    plain = name.replace('""', '"')
    mapped(source, {"udf_string_1": f"{{{plain}}}"})
    content = lines(f"{ROW},value", header=f'{HEADER},"{name}"')
    assert counts(take(content)) == {"accepted": 1}
    assert records("udf_string_1") == [("value",)]


def test_a_column_that_the_mapping_names_and_the_file_has_not_is_named(source: SourceSystem) -> None:
    mapped(source, {"number": "{CallId}"})
    assert refusal(lines(ROW)) == (
        "calls.csv: line 1: there is no column “CallId”, which the source system's column mapping names. "
        "The header has: number, service, product, from_date, to_date, usage_amount."
    )


def test_a_mapping_that_is_none_is_said(source: SourceSystem) -> None:
    mapped(source, ["number"])
    assert refusal(lines(ROW)) == "calls.csv: the column mapping of the source system is not a JSON object."
    mapped(source, {"numero": "{number}"})
    assert refusal(lines(ROW)) == (
        "calls.csv: the column mapping of the source system names no field of a record: numero."
    )


def test_times_that_name_no_zone_are_the_source_systems(source: SourceSystem) -> None:
    source.timezone = "America/New_York"
    source.save()
    times = (
        "2026-01-15 12:00:00",  # winter: five hours behind
        "2026-07-15T12:00",  # summer: four
        "2026-01-15T12:00:00Z",
        "2026-01-15T12:00:00+01",
        "2026-11-01 01:30:00",  # comes twice that night: standard time is meant
    )
    take(lines(*(f"{n},+49301,CALL,{time},,1" for n, time in enumerate(times))))
    assert records("from_date") == [
        (datetime(2026, 1, 15, 17, 0, tzinfo=UTC),),
        (datetime(2026, 7, 15, 16, 0, tzinfo=UTC),),
        (datetime(2026, 1, 15, 12, 0, tzinfo=UTC),),
        (datetime(2026, 1, 15, 11, 0, tzinfo=UTC),),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC),),
    ]
    assert records("from_date", "to_date") == [(start, start) for (start,) in records("from_date")]
    assert session_timezone() == "UTC"


@pytest.mark.parametrize(
    ("timezone", "days"),
    [
        ("UTC", [date(2026, 1, 15), date(2026, 7, 15), date(2026, 1, 16)]),
        # One hour ahead, two in summer.
        ("Europe/Berlin", [date(2026, 1, 16), date(2026, 7, 16), date(2026, 1, 16)]),
        ("America/Los_Angeles", [date(2026, 1, 15), date(2026, 7, 15), date(2026, 1, 15)]),
    ],
)
def test_usage_is_effective_on_the_day_that_it_is_where_the_customer_is(timezone: str, days: list[date]) -> None:
    make_company(timezone=timezone)
    starts = ("2026-01-15T23:30:00Z", "2026-07-15T22:00:00Z", "2026-01-16T07:59:59Z")
    take(lines(*(f"{n},+49301,CALL,{start},,1" for n, start in enumerate(starts))))
    assert [day for (day,) in records("billing_effective_date")] == days
    assert [day for (day,) in records("pending_usage__billing_effective_date")] == days


def test_a_row_may_say_itself_when_it_is_effective() -> None:
    make_company(timezone="Europe/Berlin")
    call = "+49301,CALL,2026-01-15T23:30:00Z,,1"
    take(lines(f"1,{call},2026-03-01", f"2,{call},", header=f"{HEADER},billing_effective_date"))
    assert records("billing_effective_date") == [(date(2026, 3, 1),), (date(2026, 1, 16),)]


def test_a_number_that_changes_hands_between_time_zones_is_the_later_owners_while_both_have_it() -> None:
    UsageTypeFactory()
    SourceSystemFactory()
    ProductFactory(code="CALL")
    # The later owner was entered first. Its 15 January begins in Auckland when it is 11:00 of the 14th in UTC; the
    # earlier owner's ends in Los Angeles at 8:00 of the 15th in UTC.
    later = SubscriptionServiceFactory(
        identifier="+49301", start_date=date(2026, 1, 15), customer=CustomerFactory(timezone="Pacific/Auckland")
    )
    earlier = SubscriptionServiceFactory(
        identifier="+49301", end_date=date(2026, 1, 15), customer=CustomerFactory(timezone="America/Los_Angeles")
    )
    starts = ("2026-01-14T10:59:59Z", "2026-01-14T11:00:00Z", "2026-01-15T07:59:59Z", "2026-01-15T08:00:00Z")
    taken = take(lines(*(f"{n},+49301,CALL,{start},,1" for n, start in enumerate(starts))))
    assert counts(taken) == {"accepted": 4}
    assert records("subscription_service") == [(earlier.id,), (later.id,), (later.id,), (later.id,)]


def test_days_that_all_zones_agree_on_are_those_of_python(source: SourceSystem) -> None:
    zones = ("Asia/Kolkata", "America/St_Johns", "Pacific/Chatham", "Australia/Lord_Howe")
    for number, zone in enumerate(zones):
        SubscriptionServiceFactory(identifier=f"+4940{number}", customer=CustomerFactory(timezone=zone))
    hours = [datetime(2026, 3, 29, hour, 45, tzinfo=UTC) for hour in range(24)]
    take(lines(*(f"{n}-{at:%H},+4940{n},CALL,{at.isoformat()},,1" for n in range(len(zones)) for at in hours)))
    found = UsageDataRecord.objects.values_list("customer__timezone", "from_date", "billing_effective_date")
    assert len(found) == 96
    assert {(zone, at, at.astimezone(zoneinfo.ZoneInfo(zone)).date()) for zone, at, _ in found} == set(found)
