"""The rate cards and rates that a use is priced by: as a billing run saw them, or as they are now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from django.db import connection

from catalog.engine.rates import Card, Rate
from catalog.engine.selection import Use, digits_of, used_on
from catalog.models import Rate as StoredRate
from catalog.models import RateCard
from catalog.queries.pricing import engine_cards, engine_rates
from customers.models import Customer, CustomerRateCard, GroupRateCard

SQL = Path(__file__).parent / "sql"
NEIGHBOURS = 2
# An invoice may have calls to a million destinations: so many are kept at a time.
KEPT_DESTINATIONS = 5_000


@dataclass(slots=True)
class PriceLists:
    """Rate cards in the order in which they are tried, and their rates, which are kept for the next use like it.

    `snapshot` is that of the run whose prices they are; empty for those of now.
    """

    cards: tuple[Card, ...]
    snapshot: str = ""
    _rates: dict[tuple[int, str, str], list[Rate]] = field(default_factory=dict)

    def rates_for(self, use: Use, *, product_id: int) -> list[Rate]:
        """All versions of the rates for the product, region and destination of a use, whenever they hold."""
        key = (product_id, digits_of(use.destination), use.region)
        if key not in self._rates:
            if len(self._rates) >= KEPT_DESTINATIONS:
                self._rates.clear()
            found = engine_rates(
                [card.id for card in self.cards], product_id=product_id, digits=key[1], region=use.region, on=None
            )
            self._rates[key] = _as_seen(found, self.snapshot) if self.snapshot else list(found)
        return self._rates[key]


def price_lists(card_ids: Sequence[int], *, years: Iterable[int], snapshot: str = "") -> PriceLists:
    """These cards as the snapshot's run saw them, with the public holidays of those years and the ones beside them."""
    # Local time of the card and UTC are a day apart at most.
    wanted = sorted({near for year in years for near in (year - 1, year, year + 1)})
    # A card that never had a rate may be gone since the run.
    there = set(RateCard.objects.filter(id__in=list(card_ids)).values_list("id", flat=True))
    present = [card_id for card_id in card_ids if card_id in there]
    return PriceLists(tuple(engine_cards(present, years=wanted, snapshot=snapshot)) if present else (), snapshot)


def rate_card_ids_of(customer: Customer) -> list[int]:
    """The cards that price a customer now, in order: its own, its groups', the default one; those in its currency."""
    in_currency = {"rate_card__currency_id": customer.currency_id}
    own = CustomerRateCard.objects.filter(customer=customer, **in_currency).order_by("position")
    groups = GroupRateCard.objects.filter(group__customers=customer, **in_currency).order_by("position", "group_id")
    default = RateCard.objects.filter(is_default=True, currency_id=customer.currency_id)
    ids = [*own.values_list("rate_card_id", flat=True), *groups.values_list("rate_card_id", flat=True)]
    return list(dict.fromkeys([*ids, *default.values_list("id", flat=True)]))


def why_unpriced(lists: PriceLists, use: Use, *, product_id: int, customer: Customer) -> str:
    """Why no rate prices a use: what was looked for, and what of that there is, in sentences for people."""
    if not lists.cards:
        return (
            f"{customer} has no rate card in {customer.currency_id}: give it or one of its groups a card, or make one "
            f"the default of {customer.currency_id}."
        )
    cards = ", ".join(card.name for card in lists.cards)
    to = f" to {use.destination}" if use.destination else ""
    region = f" in {use.region}" if use.region else ""
    sentence = f"No rate for {use.product}{to}{region} holds on {used_on(use)} (looked in {cards})."
    of_product = StoredRate.objects.filter(rate_card_id__in=[card.id for card in lists.cards], product_id=product_id)
    if not of_product.exists():
        return f"{sentence} None of these cards has any rate for {use.product}."
    nearest = _nearest_prefixes([card.id for card in lists.cards], product_id, digits_of(use.destination))
    return f"{sentence} The nearest prefixes with a rate are {', '.join(nearest)}." if nearest else sentence


def _nearest_prefixes(card_ids: list[int], product_id: int, digits: str) -> list[str]:
    """The prefixes before and after the digits in the order of the telephone book that begin as they do."""
    prefixes = (
        StoredRate.objects.filter(
            rate_card_id__in=card_ids, product_id=product_id, destination_prefix__startswith=digits[:1]
        )
        .exclude(destination_prefix="")
        .order_by("destination_prefix")
        .values_list("destination_prefix", flat=True)
        .distinct()
    )
    before = list(prefixes.filter(destination_prefix__lt=digits).reverse()[:NEIGHBOURS])
    return [*reversed(before), *prefixes.filter(destination_prefix__gt=digits)[:NEIGHBOURS]]


def _as_seen(rates: Iterable[Rate], snapshot: str) -> list[Rate]:
    """Those of the rates that the run with the snapshot saw, each with the end that it had then."""
    by_id = {rate.id: rate for rate in rates}
    with connection.cursor() as cursor:
        cursor.execute((SQL / "rates_seen.sql").read_text(), {"rate_ids": list(by_id), "snapshot": snapshot})
        ends: dict[int, date | None] = dict(cursor.fetchall())
    return [replace(rate, end_date=ends[rate.id]) for rate in by_id.values() if rate.id in ends]
