"""Rate decks and their lines, as they are looked at."""

import json
from typing import cast

from django.db.models import Count, QuerySet

from catalog.choices import DeckLineOutcome
from catalog.models import RateDeck, RateDeckLine


def line_counts(deck_id: int) -> dict[str, int]:
    """How many lines of a deck have each outcome; all outcomes are named."""
    found = RateDeckLine.objects.filter(deck_id=deck_id).values_list("outcome").annotate(count=Count("id")).order_by()
    return dict.fromkeys(DeckLineOutcome.values, 0) | dict(found)


def deck_lines(deck_id: int, *, outcome: str = "") -> QuerySet[RateDeckLine]:
    """The lines of a deck, of one outcome or all, with what is shown of them; by id they are in the file's order."""
    lines = RateDeckLine.objects.filter(deck_id=deck_id).select_related("rate", "product", "time_band")
    lines = lines.prefetch_related("rate__tiers")
    return lines.filter(outcome=outcome) if outcome else lines


def rate_decks() -> QuerySet[RateDeck]:
    """Decks with what is shown of them."""
    return RateDeck.objects.select_related("rate_card", "created_by", "activated_by", "default_product")


def raw_cells(line: RateDeckLine) -> list[str]:
    """The texts of a line as they came; none where it stands in no file."""
    return cast("list[str]", json.loads(line.raw_text)) if line.raw_text else []


def first_lines(deck_id: int, *, count: int) -> list[list[str]]:
    """The texts of the first lines of a deck's file."""
    lines = RateDeckLine.objects.filter(deck_id=deck_id, line_number__gt=0).order_by("id")[:count]
    return [raw_cells(line) for line in lines]
