"""What a deck does to its card: one comparison, for the preview and once more before it is activated."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from catalog.choices import BandRule, DeckMode, DeckState
from catalog.models import RateCard, RateDeck, RateDeckLine
from catalog.operations.rate_decks.errors import DeckConflict
from catalog.operations.rate_decks.statements import (
    TERMS,
    compare_sql,
    differing_sql,
    given_terms,
    lines_again_sql,
    store_sql,
)

TABLES = ("deck_staging", "deck_parsed", "deck_card_rate", "deck_compared")


@transaction.atomic
def re_compare_deck(*, deck_id: int) -> RateDeck:
    """Compare a deck with its card as it is now, and show that. Raises `DeckConflict` for one that is decided."""
    deck = locked_deck(deck_id)
    with deck_tables() as cursor:
        compare_again(cursor, deck)
        RateDeckLine.objects.filter(deck_id=deck_id)._raw_delete(RateDeckLine.objects.db)  # noqa: SLF001
        store(cursor, deck)
    return deck


def locked_deck(deck_id: int) -> RateDeck:
    """The deck, with a lock on its card and on itself until the transaction ends. Raises `DeckConflict` by its state.

    Decks of one card follow each other, and while one is activated nobody adds a rate to the card.
    """
    found = RateDeck.objects.get(id=deck_id)
    RateCard.objects.select_for_update().get(id=found.rate_card_id)
    deck = RateDeck.objects.select_for_update(of=("self",)).select_related("rate_card").get(id=deck_id)
    if deck.state != DeckState.READY:
        raise DeckConflict(f"The deck {deck.name} is {deck.get_state_display().lower()}: nothing is left to decide.")
    return deck


@contextmanager
def deck_tables() -> Iterator[CursorWrapper]:
    """A cursor for the tables of one deck, which last as long as the work on it, or its transaction.

    From here on the transaction checks foreign keys as it writes. Checks of 100,000 rows that wait for its end would be
    walked through for each row that a trigger looks at, which reads its settings in a subtransaction: minutes.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
        yield cursor
        for table in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")


def compare(cursor: CursorWrapper, deck: RateDeck) -> None:
    """Make `deck_compared` of `deck_parsed`."""
    cursor.execute("ANALYZE deck_parsed")
    cursor.execute(compare_sql(_given(deck)), _parameters(deck))


def compare_again(cursor: CursorWrapper, deck: RateDeck) -> None:
    """Make `deck_compared` of the lines that the deck has."""
    cursor.execute(lines_again_sql(_given(deck)), _parameters(deck))
    compare(cursor, deck)


def store(cursor: CursorWrapper, deck: RateDeck) -> None:
    """Keep `deck_compared` as the lines of the deck."""
    cursor.execute(store_sql(), _parameters(deck))


def differing_lines(cursor: CursorWrapper, deck: RateDeck) -> int:
    """How many lines of `deck_compared` come out otherwise than they are kept."""
    cursor.execute("ANALYZE deck_compared")
    cursor.execute(differing_sql(), _parameters(deck))
    return max(int(count) for (count,) in cursor.fetchall())


def _given(deck: RateDeck) -> Collection[str]:
    """The terms that the deck says; an increase, which has no file, says all but when its prices end."""
    return given_terms(deck.column_mapping) if deck.columns else frozenset(TERMS) - {"end_date"}


def _parameters(deck: RateDeck) -> dict[str, Any]:
    return {
        "deck_id": deck.pk,
        "rate_card_id": deck.rate_card_id,
        "starts_on": deck.starts_on,
        "is_full": deck.mode == DeckMode.FULL,
        "is_split": deck.rate_card.band_rule == BandRule.SPLIT,
    }
