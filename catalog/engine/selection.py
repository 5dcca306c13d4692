"""Which rate prices a use: the first card with a matching rate, and in it the most specific one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from catalog.engine import wording
from catalog.engine.bands import band_holds, day_of, zone_of
from catalog.engine.rates import HOLIDAY, Card, Rate

# The values of usage.choices.BillingDirective.
TO_BE_BILLED = "TO_BE_BILLED"
TO_BE_CREDITED = "TO_BE_CREDITED"


@dataclass(frozen=True, slots=True)
class Use:
    """What of a record its price depends on. `started_at` and `ended_at` are instants, `timezone` is the customer's.

    `own_amount` is there for a record that brings its own amount. `unit` is what explanations write behind quantities.
    """

    product: str
    started_at: datetime
    timezone: str
    quantity: Decimal
    region: str = ""
    destination: str = ""
    ended_at: datetime | None = None
    directive: str = TO_BE_BILLED
    own_amount: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rate for the product, region and destination of a use; `verdict` is a sentence why it lost, or empty."""

    rate: Rate
    card: Card
    verdict: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """The rate that prices a use, None where none does; what else was looked at, best first; and why, in sentences."""

    rate: Rate | None
    card: Card | None
    candidates: tuple[Candidate, ...]
    explanation: tuple[str, ...]


def digits_of(destination: str) -> str:
    """What prefixes are compared with: the destination without one leading "+"."""
    return destination.removeprefix("+")


def used_on(use: Use) -> date:
    """The day that decides on the version of a rate: the start's, in the customer's time zone."""
    return use.started_at.astimezone(ZoneInfo(use.timezone)).date()


def counted_month(use: Use) -> date:
    """The first day of the month that a use is counted in."""
    return used_on(use).replace(day=1)


def select_rate(cards: Sequence[Card], rates: Iterable[Rate], use: Use, at: datetime | None = None) -> Selection:
    """The rate that prices a use that starts at `at`, by default at its own start; and what lost against it, and why.

    `cards` are the customer's in order. The first one that has a matching rate wins, however general that rate is. A
    rate matches by product, region, prefix of the destination, the day of the use's start in the customer's time zone,
    and the time band at the moment. Within a card the exact region wins over every region; then the longest prefix;
    then a time band over none; then the version that started last, then the higher id.
    """
    in_order, moment = list(dict.fromkeys(cards)), at or use.started_at
    offered = _offered(rates, use)
    for card in in_order:
        chosen = _best(card, offered.get(card.id, []), use, moment)
        if chosen:
            return _selected(chosen, card, in_order, offered, use, moment)
    missed = tuple(
        Candidate(rate, card, _miss(rate, card, use, moment), is_chosen=False)
        for card in in_order
        for rate in sorted(offered.get(card.id, []), key=_rank)
    )
    return Selection(None, None, missed, (_no_rate(in_order, use), *(candidate.verdict for candidate in missed)))


def best_rate(card: Card, rates: Iterable[Rate], use: Use, at: datetime) -> Rate | None:
    """The rate of one card that would price the use if it started at `at`; without the reasons."""
    return _best(card, _offered(rates, use).get(card.id, []), use, at)


def _offered(rates: Iterable[Rate], use: Use) -> dict[int, list[Rate]]:
    """The rates for the product, region and destination of the use, by card."""
    digits, regions = digits_of(use.destination), {use.region, ""}
    found: dict[int, list[Rate]] = {}
    for rate in rates:
        if rate.product == use.product and rate.region in regions and digits.startswith(rate.destination_prefix):
            found.setdefault(rate.card_id, []).append(rate)
    return found


def _best(card: Card, offered: list[Rate], use: Use, at: datetime) -> Rate | None:
    on = used_on(use)
    return min(
        (
            rate
            for rate in offered
            if rate.holds(on) and (rate.band is None or band_holds(rate.band, card, use.timezone, at))
        ),
        key=_rank,
        default=None,
    )


def _rank(rate: Rate) -> tuple[bool, int, bool, int, int]:
    """The most specific first, of rates that are all for the region of a use or for every one."""
    return (
        rate.region == "",
        -len(rate.destination_prefix),
        rate.band is None,
        -rate.start_date.toordinal(),
        -rate.id,
    )


def _selected(
    chosen: Rate, card: Card, cards: list[Card], offered: dict[int, list[Rate]], use: Use, at: datetime
) -> Selection:
    candidates = []
    for other in cards:
        for rate in sorted(offered.get(other.id, []), key=_rank):
            verdict = _miss(rate, other, use, at)
            if rate != chosen and not verdict:
                verdict = (
                    _why_beaten(rate, chosen) if other == card else f"The card {card.name} comes before {other.name}."
                )
            candidates.append(Candidate(rate, other, verdict, is_chosen=rate == chosen))
    reasons = [
        candidate.verdict
        for candidate in candidates
        if candidate.card == card
        and candidate.verdict
        # Of rates that do not match only those of the day that would have stood against it, were they for these hours.
        and candidate.rate.holds(used_on(use))
        and (_rank(candidate.rate)[:3] <= _rank(chosen)[:3] or not _miss(candidate.rate, card, use, at))
    ]
    sentences = [wording.card_sentence(card, cards), f"Rate {chosen.id}: {wording.rule(chosen)}."]
    if chosen.band:
        sentences.append(f"{chosen.band.name} holds on {_moment(card, use, at)}.")
    return Selection(chosen, card, tuple(candidates), (*sentences, *reasons))


def _miss(rate: Rate, card: Card, use: Use, at: datetime) -> str:
    """Why a rate for the product, region and destination does not match; empty where it does."""
    on = used_on(use)
    if on < rate.start_date:
        return f"Rate {rate.id} holds from {rate.start_date} on only, the use is of {on}."
    if not rate.holds(on):
        return f"Rate {rate.id} holds before {rate.end_date} only, the use is of {on}."
    if rate.band and not band_holds(rate.band, card, use.timezone, at):
        return f"Rate {rate.id} is for {rate.band.name}, which does not hold on {_moment(card, use, at)}."
    return ""


def _why_beaten(rate: Rate, chosen: Rate) -> str:
    """Why a rate that matches lost against another of its card."""
    if rate.region != chosen.region:
        return f"The exact region {chosen.region} wins over every region (rate {rate.id})."
    if rate.destination_prefix != chosen.destination_prefix:
        shorter = rate.destination_prefix or "every destination"
        return f"The longer prefix {chosen.destination_prefix} wins over {shorter} (rate {rate.id})."
    if chosen.band and not rate.band:
        return f"The time band {chosen.band.name} wins over every hour (rate {rate.id})."
    if rate.start_date != chosen.start_date:
        return f"The later start {chosen.start_date} wins over {rate.start_date} (rate {rate.id})."
    return f"The rate that was written later wins over rate {rate.id}."


def _moment(card: Card, use: Use, at: datetime) -> str:
    zone = zone_of(card, use.timezone)
    local = at.astimezone(zone)
    return f"{wording.moment(local, is_holiday=day_of(card, local) == HOLIDAY)} ({zone.key})"


def _no_rate(cards: Sequence[Card], use: Use) -> str:
    what = use.product + (f" to {use.destination}" if use.destination else "")
    where = f"in {use.region}" if use.region else "without a region"
    names = ", ".join(card.name for card in cards)
    return f"No rate for {what}, {where}, on {used_on(use)} in " + (
        f"the rate cards {names}." if cards else "no rate card."
    )
