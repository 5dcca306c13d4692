"""Rows that cannot become a record are quarantined with their reason; the rest of the file goes in."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.factories import ProductFactory, SubscriptionServiceFactory, UsageTypeFactory
from tests.usage.taking import HEADER, ROW, counts, lines, make_company, records, take
from usage.models import PendingUsage, QuarantinedLine, SourceSystem, UsageDataRecord

pytestmark = pytest.mark.django_db

NUMBER = "is not a number with at most 20 digits before the point and 18 after it."
INSTANT = "is not a date and time such as 2026-01-31T23:59:59Z."
DATE = "is not a date such as 2026-01-31."
FIELDS = HEADER.split(",")
GOOD = dict(zip(FIELDS, ROW.split(","), strict=True))


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def row(**changes: str) -> str:
    """The good row with other values; a field that it does not have is added at its end."""
    return ",".join({**GOOD, **changes}.values())


def header(*fields: str) -> str:
    return ",".join([*FIELDS, *(field for field in fields if field not in FIELDS)])


def faults() -> list[tuple[int, str, str, str]]:
    return list(QuarantinedLine.objects.order_by("line_number").values_list("line_number", "reason", "field", "detail"))


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"usage_amount": "twelve"}, "BAD_NUMBER", f"usage_amount “twelve” {NUMBER}"),
        ({"usage_amount": "1.2.3"}, "BAD_NUMBER", f"usage_amount “1.2.3” {NUMBER}"),
        ({"usage_amount": "NaN"}, "BAD_NUMBER", f"usage_amount “NaN” {NUMBER}"),
        ({"usage_amount": "Infinity"}, "BAD_NUMBER", f"usage_amount “Infinity” {NUMBER}"),
        ({"usage_amount": "0x1F"}, "BAD_NUMBER", f"usage_amount “0x1F” {NUMBER}"),
        ({"usage_amount": "1_000"}, "BAD_NUMBER", f"usage_amount “1_000” {NUMBER}"),
        ({"usage_amount": "."}, "BAD_NUMBER", f"usage_amount “.” {NUMBER}"),
        ({"usage_amount": "٣"}, "BAD_NUMBER", f"usage_amount “٣” {NUMBER}"),
        ({"usage_amount": "1" * 21}, "BAD_NUMBER", f"usage_amount “{'1' * 21}” {NUMBER}"),
        (
            {"usage_amount": "0.1234567890123456789"},
            "BAD_NUMBER",
            f"usage_amount “0.1234567890123456789” {NUMBER}",
        ),
        ({"usage_amount": "1e20"}, "BAD_NUMBER", f"usage_amount “1e20” {NUMBER}"),
        ({"usage_amount": "1e-19"}, "BAD_NUMBER", f"usage_amount “1e-19” {NUMBER}"),
        ({"usage_amount": "1e999999999"}, "BAD_NUMBER", f"usage_amount “1e999999999” {NUMBER}"),
        ({"usage_amount": ""}, "MISSING_VALUE", "usage_amount is empty."),
        ({"service": ""}, "MISSING_VALUE", "service is empty."),
        ({"from_date": " "}, "MISSING_VALUE", "from_date is empty."),
        ({"from_date": "2024-02-30T12:00:00Z"}, "BAD_DATE", f"from_date “2024-02-30T12:00:00Z” {INSTANT}"),
        ({"from_date": "2026-01-15T25:00:00Z"}, "BAD_DATE", f"from_date “2026-01-15T25:00:00Z” {INSTANT}"),
        ({"from_date": "2026-01-15"}, "BAD_DATE", f"from_date “2026-01-15” {INSTANT}"),
        ({"from_date": "15.01.2026 12:00"}, "BAD_DATE", f"from_date “15.01.2026 12:00” {INSTANT}"),
        ({"from_date": "1768478400"}, "BAD_DATE", f"from_date “1768478400” {INSTANT}"),
        ({"from_date": "now"}, "BAD_DATE", f"from_date “now” {INSTANT}"),
        ({"from_date": "infinity"}, "BAD_DATE", f"from_date “infinity” {INSTANT}"),
        ({"to_date": "tomorrow"}, "BAD_DATE", f"to_date “tomorrow” {INSTANT}"),
        ({"to_date": "-infinity"}, "BAD_DATE", f"to_date “-infinity” {INSTANT}"),
        ({"to_date": "2026-01-15T12:61:00Z"}, "BAD_DATE", f"to_date “2026-01-15T12:61:00Z” {INSTANT}"),
        ({"from_date": "2026-01-15T12:00 BC"}, "BAD_DATE", f"from_date “2026-01-15T12:00 BC” {INSTANT}"),
        ({"from_date": "0000-01-15T12:00Z"}, "BAD_DATE", f"from_date “0000-01-15T12:00Z” {INSTANT}"),
        ({"to_date": "9999-12-31T23:59:59-01"}, "BAD_DATE", f"to_date “9999-12-31T23:59:59-01” {INSTANT}"),
        ({"from_date": "2026-1--15T12:00Z"}, "BAD_DATE", f"from_date “2026-1--15T12:00Z” {INSTANT}"),
        # What PostgreSQL would read as midnight, as twelve minutes past it, and as an offset of -03:00.
        ({"from_date": "2026-01-15T  :00:00Z"}, "BAD_DATE", f"from_date “2026-01-15T  :00:00Z” {INSTANT}"),
        ({"from_date": "2026-01-15T-1:00:00Z"}, "BAD_DATE", f"from_date “2026-01-15T-1:00:00Z” {INSTANT}"),
        ({"to_date": "2026-01-15T12:9.0"}, "BAD_DATE", f"to_date “2026-01-15T12:9.0” {INSTANT}"),
        ({"to_date": "2026-01-15T12:00:00 UTC+3"}, "BAD_DATE", f"to_date “2026-01-15T12:00:00 UTC+3” {INSTANT}"),
        ({"to_date": "2026-01-15T12:00:00.5 GMT+1"}, "BAD_DATE", f"to_date “2026-01-15T12:00:00.5 GMT+1” {INSTANT}"),
        ({"to_date": "2026-01-15T12:00 EST5"}, "BAD_DATE", f"to_date “2026-01-15T12:00 EST5” {INSTANT}"),
        ({"from_date": "1899-12-31T23:59:59Z"}, "BAD_DATE", f"from_date “1899-12-31T23:59:59Z” {INSTANT}"),
        ({"from_date": "Jan2-26-AD 12:00"}, "BAD_DATE", f"from_date “Jan2-26-AD 12:00” {INSTANT}"),
        (
            {"to_date": "2026-01-15T11:59:59Z"},
            "BAD_PERIOD",
            "to_date “2026-01-15T11:59:59Z” is before from_date “2026-01-15T12:00:00Z”.",
        ),
        (
            {"service": "+49399"},
            "UNKNOWN_SERVICE",
            "No service has the identifier “+49399” at that time.",
        ),
        (
            {"from_date": "2019-12-31T23:59:59Z"},
            "UNKNOWN_SERVICE",
            "No service has the identifier “+49301” at that time.",
        ),
        ({"product": "FAX"}, "UNKNOWN_PRODUCT", "No usage product has the code “FAX”."),
        ({"product": "call"}, "UNKNOWN_PRODUCT", "No usage product has the code “call”."),
        ({"product": ""}, "MISSING_VALUE", "product is empty, and the service has no usage product of its own."),
        ({"type": "Telegram"}, "UNKNOWN_TYPE", "No usage type has the name or code “Telegram”."),
        (
            {"billing_directive": "MAYBE"},
            "BAD_CHOICE",
            "billing_directive “MAYBE” is not TO_BE_BILLED, TO_BE_CREDITED or NOT_TO_BE_BILLED.",
        ),
        ({"billing_effective_date": "2026-02-29"}, "BAD_DATE", f"billing_effective_date “2026-02-29” {DATE}"),
        ({"billing_effective_date": "today"}, "BAD_DATE", f"billing_effective_date “today” {DATE}"),
        ({"billing_effective_date": "Jan2-99-AD"}, "BAD_DATE", f"billing_effective_date “Jan2-99-AD” {DATE}"),
        ({"billing_effective_date": "0001-01-01"}, "BAD_DATE", f"billing_effective_date “0001-01-01” {DATE}"),
        ({"billing_effective_date": "9000-01-01"}, "BAD_DATE", f"billing_effective_date “9000-01-01” {DATE}"),
        ({"total_amount": "1 USD"}, "BAD_NUMBER", f"total_amount “1 USD” {NUMBER}"),
        ({"udf_float_4": "NaN"}, "BAD_NUMBER", f"udf_float_4 “NaN” {NUMBER}"),
        ({"udf_date_1": "infinity"}, "BAD_DATE", f"udf_date_1 “infinity” {DATE}"),
        ({"number": "N" * 201}, "TOO_LONG", "number has 201 characters, more than a record can hold."),
        ({"destination": "ü" * 101}, "TOO_LONG", "destination has 101 characters, more than a record can hold."),
        ({"region": "R" * 1_000}, "TOO_LONG", "region has 1000 characters, more than a record can hold."),
    ],
)
def test_a_faulty_row_is_quarantined_and_the_rest_goes_in(changes: dict[str, str], reason: str, detail: str) -> None:
    empty = dict.fromkeys(changes.keys() - GOOD.keys(), "")
    faulty = row(**({"number": "R2"} | changes))
    taken = take(lines(row(**empty), faulty, row(**({"number": "R3"} | empty)), header=header(*changes)))
    assert counts(taken) == {"accepted": 2, "quarantined": 1}
    assert records("number", "line_number") == [("R1", 2), ("R3", 4)]
    # Of a value and a service that is not there at that time the first is named; the field is the one that changed.
    field = "service" if reason == "UNKNOWN_SERVICE" else next(iter(changes))
    assert faults() == [(3, reason, field, detail)]
    assert QuarantinedLine.objects.get().raw_text == faulty


def test_the_oldest_service_takes_no_usage_that_no_record_can_hold() -> None:
    SubscriptionServiceFactory(identifier="+49302", start_date=date(1800, 1, 1))
    moments = ("1899-12-31T23:59:59Z", "1900-01-01T00:00:00Z")
    assert counts(take(lines(*(row(number=at, service="+49302", from_date=at) for at in moments)))) == {
        "accepted": 1,
        "quarantined": 1,
    }
    assert records("number") == [(moments[1],)]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-15T12:00Z", "12:00:00"),
        ("2026-01-15 12:00", "12:00:00"),
        ("2026-01-15T12:00:59.123456789Z", "12:00:59.123457"),
        ("2026-01-15T12:00:00+01:00", "11:00:00"),
        ("2026-01-15 12:00:00 +0530", "06:30:00"),
        ("2026-01-15T12:00:00.5-01", "13:00:00.500000"),
        ("2026-01-15T12:00 America/New_York", "17:00:00"),
        ("2026-01-15 12:00:00.25 CET", "11:00:00.250000"),
    ],
)
def test_times_are_read_with_or_without_seconds_fractions_and_zones(text: str, instant: str) -> None:
    take(lines(row(from_date=text, to_date="")))
    ((found,),) = records("from_date")
    assert found == datetime.fromisoformat(f"2026-01-15T{instant}+00:00")


def test_a_row_with_many_faults_names_the_first_that_a_reader_meets() -> None:
    bad = row(usage_amount="x", from_date="y", product="z")
    take(lines(bad, bad.replace(",y,", ",2026-01-15T12:00:00Z,"), bad.replace("+49301", "")))
    assert [(reason, field) for _, reason, field, _ in faults()] == [
        ("BAD_DATE", "from_date"),
        ("BAD_NUMBER", "usage_amount"),
        ("MISSING_VALUE", "service"),
    ]


def test_a_service_takes_usage_from_its_first_day_and_before_its_last() -> None:
    SubscriptionServiceFactory(identifier="+49302", start_date=date(2026, 1, 10), end_date=date(2026, 1, 20))
    hours = ("2026-01-09T23:59:59Z", "2026-01-10T00:00:00Z", "2026-01-19T23:59:59Z", "2026-01-20T00:00:00Z")
    take(lines(*(row(number=hour, service="+49302", from_date=hour, to_date=hour) for hour in hours)))
    assert records("number") == [(hours[1],), (hours[2],)]
    assert [(line, reason) for line, reason, _, _ in faults()] == [(2, "UNKNOWN_SERVICE"), (5, "UNKNOWN_SERVICE")]


def test_a_product_that_is_not_for_usage_is_none_whether_row_or_service_names_it() -> None:
    ProductFactory(code="FEE", kind="RECURRING")
    SubscriptionServiceFactory(identifier="+49302", product=ProductFactory(code="SIM", kind="ONE_OFF"))
    SubscriptionServiceFactory(identifier="+49303", product=ProductFactory(code="SMS"))
    take(
        lines(
            row(number="R1", product="FEE"),
            row(number="R2", service="+49302", product=""),
            row(number="R3", service="+49302", product="CALL"),
            row(number="R4", service="+49303", product=""),
            row(number="R5", service="+49303", product="FAX"),
        )
    )
    assert records("number", "product__code") == [("R3", "CALL"), ("R4", "SMS")]
    assert faults() == [
        (2, "UNKNOWN_PRODUCT", "product", "No usage product has the code “FEE”."),
        (3, "MISSING_VALUE", "product", "product is empty, and the service has no usage product of its own."),
        (6, "UNKNOWN_PRODUCT", "product", "No usage product has the code “FAX”."),
    ]


def test_a_type_is_the_rows_else_the_sources_else_missing(source: SourceSystem) -> None:
    UsageTypeFactory(name="Message")
    content = lines(row(type="Message"), row(number="R2", type=""), header=header("type"))
    take(content)
    assert records("number", "usage_type__name") == [("R1", "Message"), ("R2", "Call")]
    source.default_usage_type = None
    source.save()
    take(content.replace("R1,", "R3,").replace("R2,", "R4,"))
    assert records("number", "usage_type__name")[2:] == [("R3", "Message")]
    assert faults() == [(3, "MISSING_VALUE", "type", "type is empty, and the source system has no default usage type.")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4e-07", "0.0000004"),
        ("1.25E+3", "1250"),
        ("0.000000000000000001", "0.000000000000000001"),
        ("0.1234567890123456780000", "0.123456789012345678"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
        ("1e-18", "0.000000000000000001"),
        ("-5", "-5"),
        ("+5.", "5"),
        (".5", "0.5"),
        ("0.1453e-06", "0.0000001453"),
    ],
)
def test_numbers_are_taken_exactly(text: str, value: str) -> None:
    assert counts(take(lines(row(usage_amount=text)))) == {"accepted": 1}
    assert records("usage_amount") == [(Decimal(value),)]


def test_user_defined_fields_have_their_types() -> None:
    given = {
        "udf_string_1": "a, b",
        "udf_string_8": "0012",
        "udf_float_1": "4e-07",
        "udf_float_4": "-0.5",
        "udf_date_1": "2024-02-29",
        "udf_date_4": "9999-12-31",
    }
    quoted = {**given, "udf_string_1": '"a, b"'}
    take(lines(row(**quoted), row(number="R2", **dict.fromkeys(given, "")), header=header(*given)))
    assert records(*given) == [
        ("a, b", "0012", Decimal("0.0000004"), Decimal("-0.5"), date(2024, 2, 29), date(9999, 12, 31)),
        (None, None, None, None, None, None),
    ]


def test_a_value_of_a_megabyte_is_shown_in_part_and_kept_as_a_whole() -> None:
    for field, reason in (("service", "UNKNOWN_SERVICE"), ("usage_amount", "BAD_NUMBER"), ("region", "TOO_LONG")):
        faulty = row(number=field, **{field: "9" * 1_000_000})
        take(lines(faulty, header=header(field)))
        line = QuarantinedLine.objects.get(field=field)
        assert line.reason == reason
        assert len(line.detail) < 400
        assert line.raw_text == faulty


def test_what_reads_as_sql_or_as_a_format_is_text() -> None:
    texts = [
        "'; DROP TABLE usage_data_record; --",
        "%s %(import_id)s 100% %%",
        "{staging} {0} {{",
        "\\' \\n \\x41",
        '"quoted"',
        "$$ $1 ;",
    ]
    doubled = ['"' + text.replace('"', '""') + '"' for text in texts]
    names = [*(f"udf_string_{n}" for n in range(1, 6)), "destination"]
    take(
        lines(
            row(**dict(zip(names, doubled, strict=True))),
            *(row(number=f"R{2 + n}", service=text, **dict.fromkeys(names, "")) for n, text in enumerate(doubled)),
            header=header(*names),
        )
    )
    assert records(*names) == [tuple(texts)]
    assert [detail for *_, detail in faults()] == [
        f"No service has the identifier “{text}” at that time." for text in texts
    ]


def test_posted_and_pending_is_what_is_to_be_billed_or_credited() -> None:
    directives = ("TO_BE_BILLED", "TO_BE_CREDITED", "NOT_TO_BE_BILLED", "")
    take(
        lines(
            *(row(number=f"R{n}", billing_directive=directive) for n, directive in enumerate(directives)),
            header=header("billing_directive"),
        )
    )
    assert records("number", "billing_directive", "life_cycle_state") == [
        ("R0", "TO_BE_BILLED", "POSTED"),
        ("R1", "TO_BE_CREDITED", "POSTED"),
        ("R2", "NOT_TO_BE_BILLED", "POSTED"),
        ("R3", "TO_BE_BILLED", "POSTED"),
    ]
    pending = PendingUsage.objects.order_by("record__line_number")
    assert list(pending.values_list("record__number", "billing_effective_date")) == [
        ("R0", date(2026, 1, 15)),
        ("R1", date(2026, 1, 15)),
        ("R3", date(2026, 1, 15)),
    ]
    assert all(row.customer_id == row.record.customer_id for row in pending.select_related("record"))


def test_a_record_that_brings_its_own_amount_is_prerated() -> None:
    amounts = ("0.0194250768999525", "0", "-3", "")
    take(
        lines(
            *(row(number=f"R{n}", total_amount=amount) for n, amount in enumerate(amounts)),
            header=header("total_amount"),
        )
    )
    assert records("rating_type", "total_amount") == [
        ("PRERATED", Decimal("0.0194250768999525")),
        ("PRERATED", Decimal(0)),
        ("PRERATED", Decimal(-3)),
        ("POSTRATED", None),
    ]


def test_a_record_has_all_that_its_row_says(source: SourceSystem) -> None:
    taken = take(lines(row(destination="+4989123", region="Bayern"), header=header("destination", "region")))
    record = UsageDataRecord.objects.get()
    assert record.customer == record.subscription_service.customer
    assert (record.subscription_service.identifier, record.product.code, record.usage_type.name) == (
        "+49301",
        "CALL",
        "Call",
    )
    assert (record.source_system, record.usage_import, record.line_number) == (source, taken, 2)
    assert (record.number, record.destination, record.region) == ("R1", "+4989123", "Bayern")
    assert (record.from_date, record.to_date) == (
        datetime(2026, 1, 15, 12, 0, tzinfo=UTC),
        datetime(2026, 1, 15, 12, 1, tzinfo=UTC),
    )
    assert (record.usage_amount, record.billing_effective_date) == (Decimal(60), date(2026, 1, 15))


def test_a_row_without_a_number_or_an_end_is_given_them() -> None:
    taken = take(lines(row(number="", to_date=""), row(number="", usage_amount="61", to_date="")))
    assert records("number") == [(f"I{taken.id}-2",), (f"I{taken.id}-3",)]
    assert [end for (end,) in records("to_date")] == [datetime(2026, 1, 15, 12, 0, tzinfo=UTC)] * 2
