"""Rate decks in tests: a card with prices, files, and what came of them."""

import io
from datetime import UTC, date, datetime
from typing import Any

from catalog.models import Rate, RateCard, RateDeck, RateDeckLine
from catalog.operations.rate_decks.activating import activate_deck
from catalog.operations.rate_decks.preparing import prepare_deck
from catalog.queries.rate_decks import line_counts

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
MARCH = date(2026, 3, 1)


def prepare(card: RateCard, content: str | bytes, *, name: str = "prices.csv", **options: Any) -> RateDeck:
    """A deck of a file, from March 2026 on unless `starts_on` says otherwise."""
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    given = {"starts_on": MARCH, "user_id": None, "at": AT} | options
    return prepare_deck(rate_card_id=card.pk, file=file, file_name=name, **given)


def activate(deck: RateDeck, **options: Any) -> RateDeck:
    return activate_deck(deck_id=deck.pk, user_id=None, at=AT, **options)


def counts(deck: RateDeck) -> dict[str, int]:
    """Lines by outcome, those that there are."""
    return {outcome: count for outcome, count in line_counts(deck.pk).items() if count}


def refusals(deck: RateDeck) -> list[str]:
    lines = RateDeckLine.objects.filter(deck=deck, outcome="REFUSED").order_by("id")
    return [line.detail for line in lines]


def versions(card: RateCard) -> list[tuple[str, str, str, str | None]]:
    """Prefix, price, first day and end of each version of a card, in order."""
    rates = Rate.objects.filter(rate_card=card).order_by("destination_prefix", "start_date")
    return [
        (
            r.destination_prefix,
            f"{r.unit_price.normalize():f}",
            str(r.start_date),
            str(r.end_date) if r.end_date else None,
        )
        for r in rates
    ]
