"""A percent on the prices of a card: a deck of its own prices, raised, which is looked at and activated as any is."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import DataError, transaction

from catalog.choices import DeckMode
from catalog.models import RateCard, RateDeck
from catalog.operations.rate_decks.comparing import compare, deck_tables, store
from catalog.operations.rate_decks.errors import DeckRefused
from catalog.operations.rate_decks.statements import increase_sql

LEAST_PERCENT, MOST_PERCENT = Decimal(-100), Decimal(10_000)
MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class IncreaseSelection:
    """Which prices of a card: None and an empty prefix are all of them, the region '' those of every region."""

    product_id: int | None = None
    destination_prefix: str = ""
    region: str | None = None
    time_band_id: int | None = None


@transaction.atomic
def prepare_increase(
    *,
    rate_card_id: int,
    percent: Decimal,
    starts_on: date,
    selection: IncreaseSelection | None = None,
    round_to: int | None = None,
    user_id: int | None,
    at: datetime,
) -> RateDeck:
    """Make a deck of the prices that hold on `starts_on`, with `percent` on unit prices, connection fees and tiers.

    Rounded half away from zero to `round_to` decimals, else to 18. Minimum and maximum charges stay. A negative percent
    lowers. Raises `DeckRefused` for a percent that is none, where no price is selected, and where one becomes too long.
    """
    _check(percent, round_to)
    chosen = selection or IncreaseSelection()
    deck = RateDeck.objects.create(
        rate_card=RateCard.objects.get(id=rate_card_id),
        name=f"{percent.normalize():+f} %",
        mode=DeckMode.CHANGES,
        starts_on=starts_on,
        created_by_id=user_id,
        created_at=at,
    )
    with deck_tables() as cursor:
        cursor.execute(
            increase_sql(),
            {
                "rate_card_id": rate_card_id,
                "starts_on": starts_on,
                "factor": 1 + percent / 100,
                "digits": MOST_DIGITS if round_to is None else round_to,
                "product_id": chosen.product_id,
                "destination_prefix": chosen.destination_prefix,
                "region": chosen.region,
                "time_band_id": chosen.time_band_id,
            },
        )
        if not cursor.rowcount:
            raise DeckRefused(f"No price of the card that holds on {starts_on} is among those selected.")
        compare(cursor, deck)
        try:
            store(cursor, deck)
        except DataError as error:
            raise DeckRefused(f"By {deck.name} a price would have more than 20 digits before the point.") from error
    return deck


def _check(percent: Decimal, round_to: int | None) -> None:
    """Raise `DeckRefused` for a percent, or for decimals, that prices cannot have."""
    if not LEAST_PERCENT < percent <= MOST_PERCENT or not percent:
        raise DeckRefused(f"The percent is above {LEAST_PERCENT}, at most {MOST_PERCENT}, and not 0.")
    if round_to is not None and not 0 <= round_to <= MOST_DIGITS:
        raise DeckRefused(f"Prices are rounded to 0 to {MOST_DIGITS} decimals.")
