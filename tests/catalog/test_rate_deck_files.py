"""Files of prices: what is read of them, and what is refused, in words."""

from decimal import Decimal

import pytest

from catalog.engine.deck_layout import DeckLayoutFault, column_mapping, sniffed_delimiter
from catalog.models import RateCard, RateDeck, RateDeckLine
from catalog.operations.rate_decks.errors import DeckRefused
from catalog.operations.rate_decks.preparing import map_deck
from tests import factories
from tests.catalog.decks import counts, prepare, refusals
from tests.gzipped import gzipped
from tests.refusals import refused
from tests.usage.workbooks import Cell, Value, workbook

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> RateCard:
    factories.ProductFactory(code="CALL")
    return factories.RateCardFactory()


def only(deck: RateDeck) -> RateDeckLine:
    return RateDeckLine.objects.get(deck=deck)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(card: RateCard, delimiter: str) -> None:
    content = "product,prefix,unit_price\nCALL,44,0.05\n".replace(",", delimiter)
    for sent in (content.encode(), b"\xef\xbb\xbf" + content.encode(), gzipped(content.encode())):
        deck = prepare(card, sent)
        assert (only(deck).destination_prefix, only(deck).unit_price) == ("44", Decimal("0.05"))


def test_a_comma_in_a_quoted_header_parts_nothing() -> None:
    assert sniffed_delimiter('"a,b,c,d";price;prefix') == ";"


def test_a_decimal_comma_is_read_where_semicolons_part_the_columns_or_where_it_is_said(card: RateCard) -> None:
    content = 'product;unit_price;tiers;pricing_model\nCALL;0,05;"100:0,04";volume\n'
    line = only(prepare(card, content))
    assert (line.unit_price, line.tiers) == (Decimal("0.05"), [["100", "0.04"]])
    # A point in a file of commas is none of its numbers: 1.000 may be a thousand.
    mixed = prepare(card, "product;unit_price\nCALL;0,05\nCALL;1.000\n")
    assert refusals(mixed) == [
        "Line 3: unit_price “1.000” is not a number with at most 20 digits before the comma and 18 after it."
    ]
    assert only(prepare(card, 'product,unit_price\nCALL,"0,05"\n', decimal_sign=",")).unit_price == Decimal("0.05")
    assert counts(prepare(card, 'product,unit_price\nCALL,"0,05"\n')) == {"REFUSED": 1}


def test_numbers_of_a_workbook_are_read_whatever_sign_its_texts_have(card: RateCard) -> None:
    rows: list[list[Value]] = [["product", "prefix", "unit_price"], ["CALL", 44, 0.05], ["CALL", 45, "0,06"]]
    deck = prepare(card, workbook(rows), name="prices.xlsx", decimal_sign=",")
    assert [line.unit_price for line in deck.lines.order_by("id")] == [Decimal("0.05"), Decimal("0.06")]


def test_rows_without_any_text_are_none(card: RateCard) -> None:
    rows: list[list[Value]] = [
        ["product", "prefix", "unit_price"],
        ["CALL", 44, 1],
        [None, None, None],
        ["CALL", 45, 1],
    ]
    for content in (workbook(rows), b"product,prefix,unit_price\nCALL,44,1\n,, \nCALL,45,1\n,,\n"):
        deck = prepare(card, content)
        assert [(line.line_number, line.outcome) for line in deck.lines.order_by("id")] == [(2, "NEW"), (4, "NEW")]
    with pytest.raises(DeckRefused, match="it has a header and no lines"):
        prepare(card, b"product,prefix,unit_price\n,,\n")


def test_a_workbook_is_read(card: RateCard) -> None:
    rows: list[list[Value]] = [
        ["Product", "Prefix", "Unit Price", "Increments", "End Date"],
        ["CALL", 44, 0.05, "60/6", Cell("46388", "date")],
    ]
    line = only(prepare(card, workbook(rows), name="prices.xlsx"))
    assert (line.destination_prefix, line.unit_price) == ("44", Decimal("0.05"))
    # Day 46388 of Excel is 1 January 2027.
    assert (line.first_increment, line.increment, str(line.end_date)) == (60, 6, "2027-01-01")


def test_a_default_product_is_that_of_lines_without_one(card: RateCard) -> None:
    other = factories.ProductFactory(code="SMS")
    deck = prepare(card, "product,unit_price\n,0.05\nCALL,0.06\n", default_product_id=other.pk)
    assert [line.product.code for line in deck.lines.order_by("id") if line.product] == ["SMS", "CALL"]
    assert counts(prepare(card, "prefix,unit_price\n44,0.05\n", default_product_id=other.pk)) == {"NEW": 1}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("product", "NOPE", "no product has the code “NOPE”."),
        ("product", "", "product is empty. Give the code of a product, or the deck a default product."),
        ("prefix", "44a", "destination_prefix “44a” is not at most 15 digits, with or without + before them."),
        ("prefix", "++44", "destination_prefix “++44” is not at most 15 digits, with or without + before them."),
        ("time_band", "Peak", "no time band has the name “Peak”."),
        ("unit_price", "", "unit_price is empty. Give a price, 0 for none."),
        (
            "unit_price",
            "1e99",
            "unit_price “1e99” is not a number with at most 20 digits before the point and 18 after",
        ),
        ("unit_size", "0", "unit_size “0” is not above 0."),
        ("connection_fee", "-1", "connection_fee “-1” is below 0."),
        ("increments", "60/x", "increments “60/x” is not two numbers with a stroke between, such as 60/60 or 30/6."),
        ("pricing_model", "flat", "pricing_model “flat” is none of perUnit, graduated, volume, package."),
        ("counted_per", "day", "counted_per “day” is none of customer, subscription, service."),
        ("rounding_mode", "odd", "rounding_mode “odd” is none of halfUp, halfEven, up, down."),
        ("rounding_digits", "19", "rounding_digits “19” is not a whole number from 0 to 18."),
        ("end_date", "31.12.2026", "end_date “31.12.2026” is not a date such as 2026-01-31."),
        ("end_date", "2026-03-01", "end_date “2026-03-01” is not after 2026-03-01, from when the deck holds."),
        ("tiers", "0:1", "tiers “0:1” is not steps such as 100:0.05;500:0.03, each quantity once and above 0."),
        ("tiers", "100:1", "tiers are for graduated and volume prices only, and pricing_model is perUnit."),
        ("destination_name", "x" * 201, "has more than 200 characters."),
        ("region", "x" * 101, "has more than 100 characters."),
    ],
)
def test_a_value_that_is_wrong_refuses_its_line_with_what_was_expected(
    card: RateCard, field: str, value: str, reason: str
) -> None:
    values = {"product": "CALL", "unit_price": "1"} | {field: value}
    deck = prepare(card, f"{','.join(values)}\n{','.join(values.values())}\n")
    (said,) = refusals(deck)
    assert said.startswith("Line 2: ")
    assert reason in said


def test_values_that_do_not_go_together_refuse_their_line(card: RateCard) -> None:
    deck = prepare(
        card,
        "product,prefix,unit_price,minimum_charge,maximum_charge,pricing_model\n"
        "CALL,1,1,3,2,perUnit\nCALL,2,1,3,,package\n",
    )
    assert refusals(deck) == [
        "Line 2: maximum_charge 2 is below minimum_charge 3.",
        (
            "Line 3: minimum_charge and maximum_charge are of single uses: they go with perUnit prices without an "
            "included_quantity only."
        ),
    ]


def test_prices_by_band_of_a_card_that_splits_are_per_unit() -> None:
    factories.ProductFactory(code="CALL")
    factories.TimeBandFactory(name="Peak")
    card = factories.RateCardFactory(band_rule="split")
    deck = prepare(card, "product,unit_price,time_band,pricing_model\nCALL,1,Peak,package\nCALL,1,,package\n")
    assert counts(deck) == {"REFUSED": 1, "NEW": 1}
    assert "the card splits uses at the borders of time bands" in refusals(deck)[0]


def test_the_same_price_twice_is_refused_and_both_lines_are_named(card: RateCard) -> None:
    deck = prepare(card, 'product,prefix,unit_price\nCALL,44,1\nCALL,45,"1"\nCALL,+44,2\n')
    assert [said[:53] for said in refusals(deck)] == [
        "Line 2: the same price stands in line 4 too: product,",
        "Line 4: the same price stands in line 2 too: product,",
    ]


def test_lines_are_numbered_as_the_file_has_them(card: RateCard) -> None:
    deck = prepare(card, 'product,destination_name,unit_price\nCALL,"two\nlines",1\nCALL,x,bad\n')
    assert refusals(deck)[0].startswith("Line 4: unit_price “bad”")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"product,unit_price\n", "it has a header and no lines"),
        (
            b"product,price\nCALL,1\n",
            "there is no column “unit_price”. Say which column it is. The header has: product, price",
        ),
        (b"prefix,unit_price\n1,1\n", "no column “product”. Say which column it is or give a default product"),
        (b"product,unit_price,Unit Price\nCALL,1,1\n", "the columns “unit_price” and “Unit Price” are both unit_price"),
        (b"product,unit_price,increments,increment\nCALL,1,60/60,60\n", "increments and first_increment or increment"),
        (b"product,unit_price\nCALL\n", "line 2: it has 1 column, the header 2"),
        (b"product,unit_price\nCALL,\xff\n", "line 2: it is not UTF-8"),
        (b'{"product": "CALL"}\n', "it is JSON lines"),
        (b"PK\x03\x04nonsense", "its ZIP data is broken"),
        (gzipped(b"x" * 500)[:-9], "its gzip data is broken"),
    ],
)
def test_a_file_at_fault_is_refused_whole(card: RateCard, content: bytes, reason: str) -> None:
    with pytest.raises(DeckRefused, match=r"^prices\.csv: ") as error:
        prepare(card, content)
    assert reason in str(error.value)
    assert not RateDeck.objects.exists()


def test_a_mapping_names_columns(card: RateCard) -> None:
    content = "Tariff,Dest,Cost per min\nCALL,44,0.05\n"
    mapping = {"product": "Tariff", "destination_prefix": "Dest", "unit_price": "Cost per min"}
    assert counts(prepare(card, content, mapping=mapping)) == {"NEW": 1}
    with pytest.raises(DeckRefused, match="the column “Nope”, which unit_price is to come from, stands not"):
        prepare(card, content, mapping=mapping | {"unit_price": "Nope"})
    with pytest.raises(DeckRefused, match="the mapping names no field of a rate: price"):
        prepare(card, content, mapping={"price": "Dest"})


def test_a_file_that_is_kept_unread_is_read_when_its_columns_are_known(card: RateCard) -> None:
    deck = prepare(card, "Tariff,Dest,Cost\nCALL,44,0.05\nCALL,45,x\n", is_kept_unread=True)
    assert refusals(deck)[0] == "Line 2: its columns are not known yet."
    with pytest.raises(DeckRefused, match="there is no column “unit_price” and no column “product”"):
        map_deck(deck_id=deck.pk, mapping={"destination_prefix": "Dest"})
    map_deck(deck_id=deck.pk, mapping={"product": "Tariff", "destination_prefix": "Dest", "unit_price": "Cost"})
    assert counts(deck) == {"NEW": 1, "REFUSED": 1}
    assert refusals(deck)[0].startswith("Line 3: unit_price “x”")


def test_names_of_columns_are_recognised_however_they_are_written() -> None:
    header = ["Product", "Destination Prefix", "unitPrice", "END-DATE"]
    assert column_mapping(header, {"end_date": ""}) == {
        "product": "Product",
        "destination_prefix": "Destination Prefix",
        "unit_price": "unitPrice",
    }
    with pytest.raises(DeckLayoutFault, match="something other than the name"):
        column_mapping(header, {"product": 1})  # type: ignore[dict-item]  # as JSON may have it


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("rate_deck_mode_known", {"mode": "some"}),
        ("rate_deck_state_known", {"state": "LOST"}),
        ("rate_deck_activated_at_once", {"state": "ACTIVATED"}),
    ],
)
def test_the_database_refuses_decks_that_cannot_be(constraint: str, values: dict[str, str]) -> None:
    with refused(by=constraint):
        factories.RateDeckFactory(**values)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("rate_deck_line_outcome_known", {"outcome": "LOST"}),
        ("rate_deck_line_complete", {"unit_price": None}),
        ("rate_deck_line_complete", {"detail": "It is refused."}),
    ],
)
def test_the_database_refuses_lines_that_cannot_be(constraint: str, values: dict[str, str | None]) -> None:
    with refused(by=constraint):
        factories.RateDeckLineFactory(**values)
