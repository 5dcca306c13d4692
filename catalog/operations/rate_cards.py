"""Rate cards: price lists, whose currency stays, and whose rules for time bands stay once prices rest on them."""

from typing import TypedDict

from django.db import transaction

from catalog.models import RateCard
from catalog.operations.refusals import CatalogConflict, database_refusals


class RateCardValues(TypedDict, total=False):
    """What a card says of itself; see `catalog.models.RateCard`."""

    name: str
    currency_id: str
    is_default: bool
    timezone: str
    holiday_country: str
    band_rule: str
    description: str


def create_rate_card(*, values: RateCardValues) -> RateCard:
    """Make a card. Raises `CatalogConflict` for a name that is taken and for a second default of a currency."""
    with database_refusals():
        return RateCard.objects.create(**values)


@transaction.atomic
def update_rate_card(*, rate_card_id: int, changes: RateCardValues) -> RateCard:
    """Change what a card says of itself; what `changes` does not name stays.

    Raises `CatalogConflict` for another currency, for another zone, country or band rule of a card that has prices by
    time band, for a name that is taken and for a second default of a currency.
    """
    card = RateCard.objects.select_for_update().get(id=rate_card_id)
    if changes.get("currency_id", card.currency_id) != card.currency_id:
        raise CatalogConflict(
            f"The rate card {card.name} has prices in {card.currency_id}: it keeps its currency. Make another card."
        )
    if changes:
        for name, value in changes.items():
            setattr(card, name, value)
        with database_refusals():
            card.save(update_fields=list(changes))
    return card
