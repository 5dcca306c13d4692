"""Price lists as files: what they would do to a card, and what they do to it."""

from datetime import date
from decimal import Decimal
from time import monotonic

import pytest

from catalog.models import Rate, RateCard, RateDeckLine, RateTier
from catalog.operations.rate_decks.activating import discard_deck
from catalog.operations.rate_decks.comparing import re_compare_deck
from catalog.operations.rate_decks.errors import DeckConflict, DeckRefused, DeckStale
from catalog.operations.rate_decks.increasing import IncreaseSelection, prepare_increase
from catalog.operations.rates import end_rate
from catalog.queries.rate_export import rate_export
from tests import factories
from tests.catalog.decks import AT, MARCH, activate, counts, prepare, refusals, versions

pytestmark = pytest.mark.django_db

STARTS_THAT_DAY = (
    "Line 2: the card has another version of this price from 2026-03-01 on already, which is the day of the deck. Let "
    "the deck hold from a later day."
)
LONGEST_SECONDS = 120
HEADER = "product,prefix,unit_price\n"


@pytest.fixture
def card() -> RateCard:
    """44 at 0.05 and 4477 at 0.10, per minute by 60/6, from 2020 on."""
    made = factories.RateCardFactory(name="Calls")
    product = factories.ProductFactory(code="CALL")
    for prefix, price in (("44", "0.05"), ("4477", "0.10")):
        factories.RateFactory(
            rate_card=made,
            product=product,
            destination_prefix=prefix,
            unit_price=Decimal(price),
            unit_size=60,
            first_increment=60,
            increment=6,
        )
    return made


def test_new_changed_same_and_refused_lines_are_shown_and_nothing_holds(card: RateCard) -> None:
    deck = prepare(card, HEADER + "CALL,+44,0.05\nCALL,4477,0.12\nCALL,4478,0.2\nCALL,x,1\n")
    assert counts(deck) == {"SAME": 1, "CHANGED": 1, "NEW": 1, "REFUSED": 1}
    changed = RateDeckLine.objects.get(deck=deck, outcome="CHANGED")
    assert changed.rate is not None
    assert (changed.line_number, changed.rate.unit_price, changed.unit_price) == (3, Decimal("0.1"), Decimal("0.12"))
    assert refusals(deck) == ["Line 5: destination_prefix “x” is not at most 15 digits, with or without + before them."]
    assert versions(card) == [("44", "0.05", "2020-01-01", None), ("4477", "0.1", "2020-01-01", None)]


def test_activation_ends_what_is_replaced_and_adds_the_new_versions(card: RateCard) -> None:
    activate(prepare(card, HEADER + "CALL,44,0.05\nCALL,4477,0.12\nCALL,4478,0.2\n"))
    assert versions(card) == [
        ("44", "0.05", "2020-01-01", None),
        ("4477", "0.1", "2020-01-01", "2026-03-01"),
        ("4477", "0.12", "2026-03-01", None),
        ("4478", "0.2", "2026-03-01", None),
    ]
    # What the file does not say stays where there was a price, and is what is usual where there was none.
    steps = Rate.objects.filter(start_date=MARCH).order_by("destination_prefix")
    assert [(r.unit_size, r.first_increment, r.increment) for r in steps] == [(60, 60, 6), (1, None, None)]


def test_a_whole_price_list_ends_what_it_does_not_name(card: RateCard) -> None:
    deck = prepare(card, HEADER + "CALL,44,0.05\n", mode="full")
    assert counts(deck) == {"SAME": 1, "CLOSED": 1}
    activate(deck)
    assert versions(card) == [("44", "0.05", "2020-01-01", None), ("4477", "0.1", "2020-01-01", "2026-03-01")]


def test_a_refused_line_names_its_price_so_that_it_is_not_closed(card: RateCard) -> None:
    deck = prepare(card, HEADER + "CALL,44,0.06\nCALL,4477,cheap\n", mode="full")
    assert counts(deck) == {"CHANGED": 1, "REFUSED": 1}
    activate(deck, without_refused=True)
    assert versions(card)[-1] == ("4477", "0.1", "2020-01-01", None)


def test_a_whole_list_ends_nothing_while_a_refused_line_does_not_say_which_price_it_is_of(card: RateCard) -> None:
    content = HEADER + "CALL,44,0.06\nCAL,4477,0.11\n"
    deck = prepare(card, content, mode="full")
    assert counts(deck) == {"CHANGED": 1, "REFUSED": 1, "CLOSED": 1}
    with pytest.raises(DeckConflict, match="of 1 refused line it cannot be told which price is meant"):
        activate(deck, without_refused=True)
    activate(prepare(card, content), without_refused=True)
    assert versions(card)[-1] == ("4477", "0.1", "2020-01-01", None)


def test_what_starts_on_the_day_or_later_is_not_closed(card: RateCard) -> None:
    later = factories.RateFactory(rate_card=card, product=Rate.objects.all()[0].product, start_date=date(2026, 5, 1))
    deck = prepare(card, HEADER + "CALL,44,0.05\nCALL,4477,0.1\n", mode="full")
    assert counts(deck) == {"SAME": 2, "REFUSED": 1}
    assert "its version starts on 2026-05-01" in refusals(deck)[0]
    assert RateDeckLine.objects.get(deck=deck, outcome="REFUSED").rate == later


def test_a_version_that_starts_on_the_day_or_later_stands_in_the_way(card: RateCard) -> None:
    activate(prepare(card, HEADER + "CALL,44,0.06\n"))
    assert refusals(prepare(card, HEADER + "CALL,44,0.07\n")) == [STARTS_THAT_DAY]
    activate(prepare(card, HEADER + "CALL,99,1\n", starts_on=date(2026, 6, 1)))
    early = prepare(card, HEADER + "CALL,99,2\n", starts_on=date(2026, 4, 1))
    assert "a later version of this price, from 2026-06-01 on" in refusals(early)[0]
    ends = prepare(card, "product,prefix,unit_price,end_date\nCALL,99,2,2026-06-01\n", starts_on=date(2026, 4, 1))
    assert counts(ends) == {"NEW": 1}
    activate(ends)
    assert versions(card)[-2:] == [("99", "2", "2026-04-01", "2026-06-01"), ("99", "1", "2026-06-01", None)]


def test_a_new_version_ends_when_the_old_one_would_have_unless_the_file_says_when(card: RateCard) -> None:
    rate = Rate.objects.get(destination_prefix="44")
    end_rate(rate_id=rate.pk, end_date=date(2026, 9, 1))
    assert RateDeckLine.objects.get(deck=prepare(card, HEADER + "CALL,44,0.06\n")).end_date == date(2026, 9, 1)
    said = prepare(card, "product,prefix,unit_price,end_date\nCALL,44,0.06,\n")
    assert RateDeckLine.objects.get(deck=said).end_date is None


def test_refused_lines_block_the_activation_unless_they_are_left_out(card: RateCard) -> None:
    deck = prepare(card, HEADER + "CALL,44,0.06\nNOPE,1,1\n")
    with pytest.raises(DeckConflict, match=r"1 line of the deck prices.csv is refused"):
        activate(deck)
    activate(deck, without_refused=True)
    assert ("44", "0.06", "2026-03-01", None) in versions(card)


def test_a_deck_is_decided_once(card: RateCard) -> None:
    deck = prepare(card, HEADER + "CALL,44,0.06\n")
    discarded = prepare(card, HEADER + "CALL,44,0.07\n")
    activate(deck)
    discard_deck(deck_id=discarded.pk)
    assert not discarded.lines.exists()
    for decided, state in ((deck, "activated"), (discarded, "discarded")):
        for decide in (
            activate,
            lambda d: discard_deck(deck_id=d.pk),
            lambda d: re_compare_deck(deck_id=d.pk),
        ):
            with pytest.raises(DeckConflict, match=f"is {state}: nothing is left to decide"):
                decide(decided)


def test_a_deck_that_changes_nothing_is_not_activated(card: RateCard) -> None:
    with pytest.raises(DeckConflict, match="changes nothing"):
        activate(prepare(card, HEADER + "CALL,44,0.05\n"))


def test_activation_refuses_what_the_card_has_made_stale(card: RateCard) -> None:
    first, second = (prepare(card, HEADER + f"CALL,44,{price}\nCALL,4477,0.1\n") for price in ("0.06", "0.07"))
    activate(first)
    with pytest.raises(DeckStale, match=r"1 line comes out otherwise now"):
        activate(second)
    assert counts(second) == {"CHANGED": 1, "SAME": 1}
    re_compare_deck(deck_id=second.pk)
    assert counts(second) == {"REFUSED": 1, "SAME": 1}


def test_what_is_inherited_is_compared_again_too(card: RateCard) -> None:
    deck = prepare(card, HEADER + "CALL,44,0.06\n")
    end_rate(rate_id=Rate.objects.get(destination_prefix="44").pk, end_date=date(2026, 9, 1))
    with pytest.raises(DeckStale):
        activate(deck)
    re_compare_deck(deck_id=deck.pk)
    activate(deck)
    assert ("44", "0.06", "2026-03-01", "2026-09-01") in versions(card)


@pytest.mark.parametrize("moved_to", [date(2026, 6, 1), None])
def test_an_end_that_was_taken_over_and_has_moved_since_is_not_kept(card: RateCard, moved_to: date | None) -> None:
    rate = Rate.objects.get(destination_prefix="44")
    end_rate(rate_id=rate.pk, end_date=date(2026, 9, 1))
    raised = prepare_increase(rate_card_id=card.pk, percent=Decimal(20), starts_on=MARCH, user_id=None, at=AT)
    sent = prepare(card, HEADER + "CALL,44,0.06\n")
    end_rate(rate_id=rate.pk, end_date=moved_to)
    for deck in (raised, sent):
        with pytest.raises(DeckStale, match=r"1 line comes out otherwise now"):
            activate(deck)
        re_compare_deck(deck_id=deck.pk)
    activate(sent)
    assert ("44", "0.06", "2026-03-01", str(moved_to) if moved_to else None) in versions(card)


def test_tiers_come_with_their_rate(card: RateCard) -> None:
    deck = prepare(card, 'product,pricing_model,unit_price,tiers\nCALL,graduated,0.1,"500:0.03; 100:0.05"\n')
    activate(deck)
    assert list(RateTier.objects.values_list("from_quantity", "unit_price")) == [
        (Decimal(100), Decimal("0.05")),
        (Decimal(500), Decimal("0.03")),
    ]
    again = prepare(card, "product,pricing_model,unit_price,tiers\nCALL,graduated,0.1,100:0.05;500:0.03\n")
    assert counts(again) == {"SAME": 1}
    # Without the columns of the model and the tiers they stay.
    assert counts(prepare(card, "product,unit_price\nCALL,0.1\n")) == {"SAME": 1}
    assert counts(prepare(card, "product,pricing_model,unit_price,tiers\nCALL,graduated,0.1,100:0.04\n")) == {
        "REFUSED": 1
    }


def test_an_export_comes_back_the_same(card: RateCard) -> None:
    factories.TimeBandFactory(name='Peak, "busy"')
    activate(
        prepare(
            card,
            "product,prefix,destination_name,region,time_band,pricing_model,unit_price,unit_size,connection_fee,"
            "minimum_quantity,increments,minimum_charge,maximum_charge,included_quantity,counted_per,tiers,"
            "rounding_digits,rounding_mode,end_date\n"
            'CALL,1,"Café, ""USA""",EU,"Peak, ""busy""",perUnit,0.000000000000000001,60,0.1,'
            "5,30/6,0.01,2,0,customer,,4,halfEven,2026-12-31\n"
            "CALL,2,,,,volume,0.1,1,0,0,,,,100,service,100:0.05;500.5:0.03,,,\n",
        ),
        despite_objections=True,
    )
    with rate_export(rate_card_id=card.pk, on=MARCH) as file:
        content = file.read()
    assert content.decode().splitlines()[0] == (
        "product,destination_prefix,destination_name,region,time_band,pricing_model,unit_price,unit_size,"
        "connection_fee,minimum_quantity,first_increment,increment,minimum_charge,maximum_charge,included_quantity,"
        "counted_per,tiers,rounding_digits,rounding_mode,end_date"
    )
    for mode in ("changes", "full"):
        assert counts(prepare(card, content, mode=mode)) == {"SAME": 4}
    with rate_export(rate_card_id=card.pk, on=date(2019, 1, 1)) as file:
        assert len(file.read().splitlines()) == 1


def test_a_percent_increase_is_a_deck_of_the_cards_own_prices(card: RateCard) -> None:
    activate(
        prepare(
            card, "product,prefix,pricing_model,unit_price,tiers\nCALL,5,volume,1,10:0.5\n", starts_on=date(2026, 2, 1)
        )
    )
    deck = prepare_increase(
        rate_card_id=card.pk, percent=Decimal("2.5"), starts_on=MARCH, round_to=3, user_id=None, at=AT
    )
    assert (deck.name, counts(deck)) == ("+2.5 %", {"CHANGED": 3})
    activate(deck)
    # 0.05 x 1.025 = 0.05125, 0.1 x 1.025 = 0.1025 -> 0.103 (half up), 1 x 1.025, its tier 0.5 x 1.025 = 0.5125.
    assert [row for row in versions(card) if row[2] == "2026-03-01"] == [
        ("44", "0.051", "2026-03-01", None),
        ("4477", "0.103", "2026-03-01", None),
        ("5", "1.025", "2026-03-01", None),
    ]
    assert RateTier.objects.get(rate__start_date=MARCH).unit_price == Decimal("0.513")
    assert Rate.objects.get(destination_prefix="44", start_date=MARCH).increment == 6


def test_a_percent_increase_of_a_selection(card: RateCard) -> None:
    def chosen(percent: Decimal = Decimal(-10), **selection: object) -> dict[str, int]:
        made = prepare_increase(
            rate_card_id=card.pk,
            percent=percent,
            starts_on=MARCH,
            selection=IncreaseSelection(**selection),  # type: ignore[arg-type]  # of any test
            user_id=None,
            at=AT,
        )
        return counts(made)

    assert chosen(destination_prefix="447") == {"CHANGED": 1}
    assert chosen(region="") == {"CHANGED": 2}
    with pytest.raises(DeckRefused, match="No price of the card"):
        chosen(region="EU")
    factories.RateFactory(rate_card=card, region="EU", unit_price=Decimal(10) ** 20 - 1)
    with pytest.raises(DeckRefused, match="more than 20 digits before the point"):
        chosen(region="EU", percent=Decimal(1))
    for percent in (Decimal(0), Decimal(-100)):
        with pytest.raises(DeckRefused, match="The percent is above"):
            prepare_increase(rate_card_id=card.pk, percent=percent, starts_on=MARCH, user_id=None, at=AT)


def test_a_hundred_thousand_prefixes_take_seconds(card: RateCard) -> None:
    # Measured on two cores: 4 s to read and compare, 12 s to replace them all. A plan gone quadratic takes minutes.
    for price, least in ((1, "NEW"), (2, "CHANGED")):
        began = monotonic()
        deck = prepare(
            card,
            HEADER + "".join(f"CALL,{10_000_000 + n},{price}\n" for n in range(100_000)),
            starts_on=date(2026, 2 + price, 1),
        )
        assert counts(deck) == {least: 100_000}
        activate(deck)
        assert monotonic() - began < LONGEST_SECONDS
    assert len(versions(card)) == 200_002
