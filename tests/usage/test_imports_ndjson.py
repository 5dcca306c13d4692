"""Files of JSON lines: their members, their numbers, and lines that are none."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from customers.models import Customer
from tests.factories import InvoiceFactory
from tests.gzipped import gzipped
from tests.usage.taking import counts, make_company, records, refusal, take
from usage.models import QuarantinedLine, SourceSystem, UsageImport

pytestmark = pytest.mark.django_db

GOOD = {
    "number": "R1",
    "service": "+49301",
    "product": "CALL",
    "from_date": "2026-01-15T12:00:00Z",
    "usage_amount": 60,
}
NOT_JSON = "The line is not a JSON object."


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def line(**members: Any) -> str:
    return json.dumps({**GOOD, **members}, ensure_ascii=False)


def take_lines(*rows: str | bytes, ending: bytes = b"\n") -> UsageImport:
    content = b"".join((row if isinstance(row, bytes) else row.encode()) + ending for row in rows)
    return take(content, name="calls.ndjson")


def faults() -> list[tuple[object, ...]]:
    return list(QuarantinedLine.objects.order_by("line_number").values_list("line_number", "reason", "raw_text"))


def test_each_line_is_a_record_in_its_line() -> None:
    taken = take_lines(line(), line(number="R2", usage_amount="1.5", region="EU", note="passed over"))
    assert counts(taken) == {"accepted": 2}
    assert taken.file_format == "NDJSON"
    assert records("number", "line_number", "usage_amount", "region") == [
        ("R1", 1, Decimal(60), ""),
        ("R2", 2, Decimal("1.5"), "EU"),
    ]


def test_lines_are_taken_gzipped_and_by_what_they_are() -> None:
    taken = take(gzipped(line().encode()), name="usage.gz")
    assert (counts(taken), taken.file_format) == ({"accepted": 1}, "NDJSON")


@pytest.mark.parametrize(
    ("literal", "amount"),
    [
        ("0.0000001453", "0.0000001453"),
        ("1e-7", "0.0000001"),
        ("1E+3", "1000"),
        ("123456789012345678.123456789012345678", "123456789012345678.123456789012345678"),
        ("0.1", "0.1"),
        ("-0", "0"),
        ("-17.50", "-17.5"),
        ('"6.0e1"', "60"),
    ],
)
def test_numbers_are_exact(literal: str, amount: str) -> None:
    taken = take_lines(line().replace("60", literal))
    assert counts(taken) == {"accepted": 1}
    assert records("usage_amount") == [(Decimal(amount),)]


@pytest.mark.parametrize("literal", ["1e-19", "1e20", "1e131071", "true", "[60]", '{"a": 60}', '"1,5"', '"1 "" 2"'])
def test_what_is_no_number_is_quarantined_with_its_line(literal: str) -> None:
    bad = line().replace("60", literal)
    assert counts(take_lines(bad, line(number="R2"))) == {"accepted": 1, "quarantined": 1}
    reason = "NOT_JSON" if literal in {'"1 "" 2"', "1e131071"} else "BAD_NUMBER"
    assert faults() == [(1, reason, bad)]


def test_a_point_is_the_decimal_sign_of_json_whatever_the_source_systems_is(source: SourceSystem) -> None:
    SourceSystem.objects.filter(pk=source.pk).update(decimal_sign=",", delimiter=";")
    taken = take_lines(line(usage_amount=1.5))
    assert counts(taken) == {"accepted": 1}
    assert records("usage_amount") == [(Decimal("1.5"),)]


def test_null_an_empty_text_and_nothing_are_the_same() -> None:
    taken = take_lines(
        line(number="R1", region=None), line(number="R2", region=""), line(number="R3"), line(number="R4", product=None)
    )
    assert counts(taken) == {"accepted": 3, "quarantined": 1}
    detail = QuarantinedLine.objects.get().detail
    assert detail == "product is empty, and the service has no usage product of its own."


def test_members_inside_others_are_mapped_by_their_path(source: SourceSystem) -> None:
    source.column_mapping = {
        "number": "{meta.id}-{meta.part}",
        "service": "{resource.ids.1|resource.name}",
        "region": "{a.b}",
        "udf_string_1": "{100% of %(import_id)s}",
        "udf_string_2": '{it\'s "x"}',
        "udf_string_3": "{a}",
    }
    source.save()
    members = {name: value for name, value in GOOD.items() if name not in {"number", "service"}}
    odd = {"100% of %(import_id)s": "p", 'it\'s "x"': "q"}
    taken = take_lines(
        json.dumps({**members, **odd, "meta": {"id": "X", "part": 1}, "resource": {"ids": ["?", "+49301"]}}),
        json.dumps(
            {**members, "meta": {"id": "X", "part": 2}, "resource": {"name": "+49301"}, "a.b": "EU", "a": {"b": "US"}}
        ),
        json.dumps({**members, "meta": {"id": "X", "part": 3}, "resource": {"name": "+49301"}, "a": {"b": "US"}}),
        json.dumps({**members, "meta": "X", "resource": {"name": "+49301"}}),
    )
    assert counts(taken) == {"accepted": 4}
    assert records("number", "region", "udf_string_1", "udf_string_2", "udf_string_3") == [
        ("X-1", "", "p", "q", None),
        ("X-2", "EU", None, None, '{"b": "US"}'),
        ("X-3", "US", None, None, '{"b": "US"}'),
        (f"I{taken.id}-4", "", None, None, None),
    ]


def test_texts_are_any_that_a_database_holds() -> None:
    region = "Zürich 東京 🎉\u2028\u0085x"
    taken = take_lines(
        line(region=region),
        json.dumps({**GOOD, "number": "R2", "region": region}),  # escaped
        line(number="R3", region="a\tb\"c\\d/'%s;--"),
    )
    assert counts(taken) == {"accepted": 3}
    assert records("region") == [(region,), (region,), ("a\tb\"c\\d/'%s;--",)]


@pytest.mark.parametrize(
    "bad",
    [
        "\ufeff",  # the mark of UTF-8, in the middle of the file
        "60",
        '"text"',
        "null",
        "[1, 2]",
        "{",
        '{"number": "R1",}',
        "{'number': 'R1'}",
        '{"number": "R1"} {"number": "R2"}',
        "number,service",
        '{"region": "a\\u0000b"}',
        '{"region": "\\ud800"}',
        '{"usage_amount": NaN}',
        '{"a": 1e999999}',
        "\\",
        "[" * 30_000,
        '{"a":' * 30_000 + "1" + "}" * 30_000,
    ],
)
def test_a_line_that_is_no_object_is_quarantined_as_it_came(bad: str) -> None:
    taken = take_lines(line(), bad, line(number="R2"))
    assert counts(taken) == {"accepted": 2, "quarantined": 1}
    assert faults() == [(2, "NOT_JSON", bad)]
    assert QuarantinedLine.objects.get().detail == NOT_JSON


def test_control_characters_make_a_line_none_and_move_no_other() -> None:
    taken = take_lines(
        line(number="R1"), b'{"region": "a\x01b"}', b'{"a": \x02"x"}', b'\x02{"a": 1}\n\x01', line(number="R2")
    )
    assert counts(taken) == {"accepted": 2, "quarantined": 4}
    assert records("number", "line_number") == [("R1", 1), ("R2", 6)]
    # Both marks are kept as a third one: they are what lines are copied by.
    assert faults() == [
        (2, "NOT_JSON", '{"region": "a\x03b"}'),
        (3, "NOT_JSON", '{"a": \x03"x"}'),
        (4, "NOT_JSON", '\x03{"a": 1}'),
        (5, "NOT_JSON", "\x03"),
    ]


def test_blank_lines_are_passed_over_and_counted_as_lines() -> None:
    taken = take_lines("", line(), "", "   ", "\t \t", line(number="R2"), "nonsense", "")
    assert counts(taken) == {"accepted": 2, "quarantined": 1}
    assert records("number", "line_number") == [("R1", 2), ("R2", 6)]
    assert faults() == [(7, "NOT_JSON", "nonsense")]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("has_end", [True, False])
def test_lines_end_as_they_like(ending: bytes, has_end: bool) -> None:  # noqa: FBT001
    content = ending.join([line().encode(), b"x", line(number="R2", note="a\\rb").encode(), b""])
    taken = take(content if has_end else content.removesuffix(ending), name="a.jsonl")
    assert counts(taken) == {"accepted": 2, "quarantined": 1}
    assert records("number", "line_number") == [("R1", 1), ("R2", 3)]
    assert faults() == [(2, "NOT_JSON", "x")]


def test_a_file_may_begin_with_a_mark_of_utf_8() -> None:
    assert counts(take_lines(b"\xef\xbb\xbf" + line().encode())) == {"accepted": 1}


def test_of_a_member_that_stands_twice_the_last_counts() -> None:
    taken = take_lines(line()[:-1] + ', "usage_amount": 61}')
    assert counts(taken) == {"accepted": 1}
    assert records("usage_amount") == [(Decimal(61),)]


def test_a_line_of_nearly_a_megabyte_goes_in_and_a_longer_one_is_refused() -> None:
    note = "x" * 1_000_000
    taken = take_lines(line(), line(number="R2", note=note), line(number="R3", note=note, usage_amount="x"))
    assert counts(taken) == {"accepted": 2, "quarantined": 1}
    assert records("number", "line_number") == [("R1", 1), ("R2", 2)]
    assert len(QuarantinedLine.objects.get().raw_text) > 1_000_000
    refused = refusal((line(number="R4") + "\n" + line(note=note * 3)).encode(), name="a.ndjson")
    assert refused == "a.ndjson: line 2: the line is longer than 1,048,576 bytes."


@pytest.mark.parametrize("before", [1, 5_000])
@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (b'{"number": "R\xff"}\n', "it is not UTF-8. Save the file as UTF-8"),
        (b'{"number": "\0"}\n', "there is a NUL byte, so it is not a text file"),
        (b"\\.\n", "it holds nothing but “\\.”, which is no JSON"),
        (b"\\.", "it holds nothing but “\\.”, which is no JSON"),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(before: int, bad: bytes, sentence: str) -> None:
    # Quotes and commas that would mean something in CSV.
    rows = b"".join(line(number=f"R{n}", note='a"b,c').encode() + b"\n" for n in range(before))
    assert refusal(rows + bad, name="a.ndjson") == f"a.ndjson: line {before + 1}: {sentence}."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty: there is not even one line"),
        ('{"a": 1}'.encode("utf-16"), "it is encoded in UTF-16. Save it as UTF-8"),
        (
            b'[{"number": "R1"}]',
            "it is one JSON array. Send JSON lines: one object on each line, without brackets around all",
        ),
    ],
)
def test_what_is_no_file_of_lines_is_refused(content: bytes, sentence: str) -> None:
    assert refusal(content, name="a.ndjson") == f"a.ndjson: {sentence}."


def test_repeats_are_duplicates_and_conflicts_as_in_any_file() -> None:
    taken = take_lines(line(), line(), line(usage_amount=61), line(usage_amount="60.0", to_date=None))
    assert counts(taken) == {"accepted": 1, "duplicates": 2, "conflicts": 1}
    assert counts(take("number,service,product,from_date,usage_amount\nR1,+49301,CALL,2026-01-15T12:00Z,60\n")) == {
        "duplicates": 1
    }


def test_what_came_after_its_invoice_is_marked_as_late() -> None:
    take_lines(line(number="R0", from_date="2026-01-01T00:00:00Z"))
    assert records("is_late") == [(False,)]
    InvoiceFactory(customer=Customer.objects.get(), period_end=date(2026, 1, 16))
    taken = take_lines(
        line(number="R1", from_date="2026-01-15T23:59:59Z"),
        line(number="R2", from_date="2026-01-16T00:00:00Z"),
        line(number="R3", from_date="2026-01-15T12:00:00Z", billing_effective_date="2026-02-01"),
        line(number="R4", from_date="2026-01-20T12:00:00Z", billing_effective_date="2026-01-10"),
    )
    assert counts(taken) == {"accepted": 4}
    taken.refresh_from_db()
    assert taken.late_count == 2
    assert records("number", "is_late") == [("R0", False), ("R1", True), ("R2", False), ("R3", False), ("R4", True)]
