"""Which columns of a file become which fields of a record."""

import pytest

from usage.engine.layout import FIELDS, Column, Layout, LayoutFault, parse_layout

NEEDED = ["service", "from_date", "usage_amount"]


def fault(header: list[str], mapping: object) -> str:
    with pytest.raises(LayoutFault) as caught:
        parse_layout(header, mapping)
    return str(caught.value)


def test_a_column_of_a_fields_name_is_that_field_and_others_are_passed_over() -> None:
    assert parse_layout(["cost", " service ", "usage_amount", "from_date"], {}) == Layout(
        column_count=4,
        fields={"service": (Column((1,)),), "from_date": (Column((3,)),), "usage_amount": (Column((2,)),)},
    )


def test_every_field_may_stand_in_the_file() -> None:
    layout = parse_layout(FIELDS, {})
    assert layout.fields == {field: (Column((position,)),) for position, field in enumerate(FIELDS)}
    assert set(FIELDS) >= {"udf_string_8", "udf_float_4", "udf_date_4", "billing_directive", "total_amount"}


def test_a_template_joins_texts_and_the_first_column_that_is_given() -> None:
    header = ["Id", "From", "Resource", "Account", "Unit"]
    mapping = {
        "number": "{Id}",
        "service": "{ Resource | Account }",
        "product": "P-{Id}/{Unit}!",
        "type": "Call",
        "from_date": "{From}",
        "usage_amount": "1",
        "region": "}{",
    }
    assert parse_layout(header, mapping).fields == {
        "number": (Column((0,)),),
        "service": (Column((2, 3)),),
        "product": ("P-", Column((0,)), "/", Column((4,)), "!"),
        "type": ("Call",),
        "from_date": (Column((1,)),),
        "usage_amount": ("1",),
        "region": ("}{",),
    }


def test_an_empty_template_takes_a_column_out() -> None:
    assert "region" in parse_layout([*NEEDED, "region"], {}).fields
    assert "region" not in parse_layout([*NEEDED, "region"], {"region": ""}).fields


def test_columns_without_a_name_are_passed_over() -> None:
    assert parse_layout(["", *NEEDED, "", " "], {}).column_count == 6


@pytest.mark.parametrize(
    ("header", "mapping", "sentence"),
    [
        (["service", "from_date"], {}, "line 1: there is no column “usage_amount”. The header has: service, from_date"),
        (
            ["number;service;from_date"],
            {},
            (
                "line 1: there is no column “service” and no column “from_date” and no column “usage_amount”. "
                "The header has: number;service;from_date"
            ),
        ),
        ([*NEEDED, "x", "x"], {}, "line 1: the column “x” stands in the header twice"),
        ([*NEEDED, " service"], {}, "line 1: the column “service” stands in the header twice"),
        (
            NEEDED,
            {"number": "{Id}"},
            (
                "line 1: there is no column “Id”, which the source system's column mapping names. "
                "The header has: service, from_date, usage_amount"
            ),
        ),
        (
            NEEDED,
            {"number": "{service|Id}"},
            (
                "line 1: there is no column “Id”, which the source system's column mapping names. "
                "The header has: service, from_date, usage_amount"
            ),
        ),
        (
            ["", *NEEDED],
            {"number": "{}"},
            (
                "line 1: there is no column “”, which the source system's column mapping names. "
                "The header has: service, from_date, usage_amount"
            ),
        ),
        (
            NEEDED,
            {"usage_amount": ""},
            "line 1: there is no column “usage_amount”. The header has: service, from_date, usage_amount",
        ),
        (
            NEEDED,
            {"Menge": "{x}", "Datum": "{y}"},
            "the column mapping of the source system names no field of a record: Datum, Menge",
        ),
        (NEEDED, ["number"], "the column mapping of the source system is not a JSON object"),
        (NEEDED, {"number": 5}, "the column mapping of the source system gives “number” something other than a text"),
    ],
)
def test_what_does_not_make_a_record_is_named(header: list[str], mapping: object, sentence: str) -> None:
    assert fault(header, mapping) == sentence


def test_a_message_shows_only_the_start_of_a_header_of_a_megabyte() -> None:
    long = "x" * 1_000_000
    assert len(fault([long], {})) < 700
    assert len(fault([long, long], {})) < 700
    assert len(fault([*NEEDED, long], {"number": "{y}"})) < 700
