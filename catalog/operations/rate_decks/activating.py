"""A deck takes effect, all of it in one transaction, or is thrown away."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.utils import CursorWrapper

from catalog.choices import DeckLineOutcome, DeckState
from catalog.models import RateDeck, RateDeckLine
from catalog.operations.rate_decks.comparing import compare_again, deck_tables, differing_lines, locked_deck
from catalog.operations.rate_decks.errors import DeckConflict, DeckObjected, DeckStale
from catalog.operations.rate_decks.statements import activation_sql
from catalog.operations.refusals import refusal
from catalog.queries.activation import activation_objections
from catalog.queries.rate_decks import line_counts

# So many new rates that what was known of them is out of date.
MANY = 1_000
ENDS = (DeckLineOutcome.CHANGED, DeckLineOutcome.CLOSED)


@transaction.atomic
def activate_deck(
    *, deck_id: int, user_id: int | None, at: datetime, without_refused: bool = False, despite_objections: bool = False
) -> RateDeck:
    """Let the prices of a deck hold: end what they replace on the day from which it holds, and add them as versions.

    The comparison is made again here, with the card locked: raises `DeckStale` where a line comes out otherwise than it
    was shown (`re_compare_deck` shows it anew). Raises `DeckConflict` for a deck that is decided, that changes nothing,
    or that has refused lines, unless `without_refused` leaves those out; a whole price list that ends prices has to say
    of each refused line which price it is of. Raises `DeckObjected` where examples of the
    card would cost something else, or lines of the deck are at fault among the others, unless `despite_objections`.
    Billing runs that are commenced keep the prices that they froze.
    """
    deck = locked_deck(deck_id)
    parameters: dict[str, Any] = {"deck_id": deck.pk, "rate_card_id": deck.rate_card_id, "starts_on": deck.starts_on}
    counts = line_counts(deck_id)
    if refused := counts.get(DeckLineOutcome.REFUSED, 0):
        _check_refused(deck, refused, without_refused=without_refused, is_ending=bool(counts[DeckLineOutcome.CLOSED]))
    with deck_tables() as cursor:
        compare_again(cursor, deck)
        differing = differing_lines(cursor, deck)
        if differing:
            raise DeckStale(
                f"The rate card {deck.rate_card.name} has changed since the deck {deck.name} was compared with it: "
                f"{differing:,} line{' comes' if differing == 1 else 's come'} out otherwise now. Compare it again, "
                "and look at it before you activate it.",
                differing,
            )
        if not any(counts.get(outcome) for outcome in (*ENDS, DeckLineOutcome.NEW)):
            raise DeckConflict(f"The deck {deck.name} changes nothing: all of its prices hold already.")
        objections = [] if despite_objections else activation_objections(deck_id=deck_id)
        if objections:
            raise DeckObjected(deck.name, objections)
        _write(cursor, parameters, ended=sum(counts.get(outcome, 0) for outcome in ENDS))
    deck.state, deck.activated_at, deck.activated_by_id = DeckState.ACTIVATED, at, user_id
    deck.save(update_fields=["state", "activated_at", "activated_by"])
    return deck


def _write(cursor: CursorWrapper, parameters: dict[str, Any], *, ended: int) -> None:
    """End the versions that are replaced, as many as are given, and add the new ones with their tiers."""
    ends, adds, adds_tiers = activation_sql()
    cursor.execute(ends, parameters)
    if cursor.rowcount != ended:
        raise DeckStale("A rate was changed at the same moment. Compare the deck again.", 1)
    try:
        cursor.execute(adds, parameters)
        added = cursor.rowcount
        cursor.execute(adds_tiers, parameters)
    except IntegrityError as error:
        raise DeckConflict(refusal(error) or "The database refuses these prices.") from error
    if added >= MANY:
        # What looks at prices next should be planned for as many as there are now.
        cursor.execute("ANALYZE (SKIP_LOCKED) rate, rate_tier")


def _check_refused(deck: RateDeck, refused: int, *, without_refused: bool, is_ending: bool) -> None:
    """Raise `DeckConflict` unless refused lines may be left out, and none may mean a price that the deck ends."""
    if not without_refused:
        raise DeckConflict(
            f"{refused:,} line{'' if refused == 1 else 's'} of the deck {deck.name} "
            f"{'is' if refused == 1 else 'are'} refused. Mend the file and send it again, or activate it without them."
        )
    nameless = RateDeckLine.objects.filter(deck=deck, outcome=DeckLineOutcome.REFUSED, product__isnull=True).count()
    if nameless and is_ending:
        raise DeckConflict(
            f"The deck {deck.name} ends prices that it does not name, and of {nameless:,} refused "
            f"line{'' if nameless == 1 else 's'} it cannot be told which price is meant. Mend the file and send it "
            "again, or send it as one of changes."
        )


@transaction.atomic
def discard_deck(*, deck_id: int) -> RateDeck:
    """Throw a deck away; its lines go. Raises `DeckConflict` for one that is decided already."""
    deck = locked_deck(deck_id)
    lines = RateDeckLine.objects.filter(deck=deck)
    lines._raw_delete(lines.db)  # noqa: SLF001  nothing refers to lines
    deck.state = DeckState.DISCARDED
    deck.save(update_fields=["state"])
    return deck
