"""What the page of a rate deck shows: how its lines come out, and the lines of one outcome, page by page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from catalog.admin.base import change_url
from catalog.admin.figures import exact
from catalog.admin.keyset import AFTER_VAR, BEFORE_VAR, BIGINT_MAX, END
from catalog.choices import DeckLineOutcome, DeckState, PricingModel, RoundingMode
from catalog.models import Rate, RateDeck, RateDeckLine
from catalog.queries.keyset import KeyOrder, KeyPage, first_page, last_page, page_after, page_before
from catalog.queries.rate_decks import deck_lines, line_counts, raw_cells

PAGE_SIZE = 50
OUTCOMES = {
    DeckLineOutcome.REFUSED: "danger",
    DeckLineOutcome.CHANGED: "warning",
    DeckLineOutcome.NEW: "success",
    DeckLineOutcome.CLOSED: "warning",
    DeckLineOutcome.SAME: "neutral",
}
STATE_LABELS = {"Ready": "info", "Activated": "success", "Discarded": "neutral"}
NEXT_STEPS = {
    DeckState.READY: "Nothing of it holds yet. Look at what it would do, then activate it or discard it.",
    DeckState.ACTIVATED: "Its prices are in the card.",
    DeckState.DISCARDED: "Nothing of it was taken.",
}
ORDER = KeyOrder(("pk",))


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line: what it is for, its price and the one that it replaces, other terms where they change, and why not."""

    line: RateDeckLine
    price: str
    old_price: str
    percent: str
    terms: str
    old_terms: str
    raw: str


def is_read(deck: RateDeck) -> bool:
    """Whether it is known which columns of the file the prices come from; an increase has no file."""
    has_product = "product" in deck.column_mapping or deck.default_product_id is not None
    return not deck.columns or ("unit_price" in deck.column_mapping and has_product)


def may_decide(request: HttpRequest) -> bool:
    """Whether the user may activate and discard decks."""
    return request.user.has_perm("catalog.change_ratedeck")


def may_add(request: HttpRequest) -> bool:
    """Whether the user may make decks."""
    return request.user.has_perm("catalog.add_ratedeck")


def deck_page(request: HttpRequest, deck: RateDeck) -> dict[str, Any]:
    """The counts by outcome, one page of the lines of one of them, and the buttons that the user has."""
    counts = line_counts(deck.pk)
    asked = request.GET.get("outcome", "")
    # What is to be looked at first: refused, then changed.
    shown = asked if asked in OUTCOMES else next((str(outcome) for outcome in OUTCOMES if counts[outcome]), "NEW")
    page = _page(request, deck, shown)
    address = reverse("admin:catalog_ratedeck_change", args=[deck.pk])
    is_ready = deck.state == DeckState.READY
    changes = sum(counts[outcome] for outcome in ("NEW", "CHANGED", "CLOSED"))
    is_unread = not is_read(deck)
    return {
        "deck": deck,
        "card_url": change_url(deck.rate_card),
        "state_badge": STATE_LABELS[deck.get_state_display()],
        "next_step": NEXT_STEPS[DeckState(deck.state)],
        "outcomes": [
            (DeckLineOutcome(name).label, name, badge, counts[name], f"{address}?outcome={name}")
            for name, badge in OUTCOMES.items()
        ],
        "shown_outcome": shown,
        "shown_label": DeckLineOutcome(shown).label,
        "lines": [shown_line(line) for line in page.rows],
        "page_links": _links(f"{address}?outcome={shown}", page),
        "may_activate": is_ready and may_decide(request) and bool(changes) and not is_unread,
        "may_discard": is_ready and may_decide(request),
        "may_map": is_ready and may_add(request) and bool(deck.columns),
        "may_compare": is_ready and may_add(request) and not is_unread,
        "refused_count": counts["REFUSED"],
    }


def shown_line(line: RateDeckLine) -> ShownLine:
    """A line in figures and words."""
    rate = line.rate if line.outcome in {DeckLineOutcome.CHANGED, DeckLineOutcome.REFUSED} else None
    percent = ""
    if rate is not None and line.unit_price is not None and rate.unit_price and rate.unit_size == line.unit_size:
        change = (line.unit_price / rate.unit_price - 1) * 100
        percent = f"{change.quantize(Decimal('0.01'), rounding=ROUND_HALF_UP):+f} %"
    terms = terms_text(line, line.tiers) if line.unit_price is not None else ""
    old_terms = ""
    if rate is not None and line.outcome == DeckLineOutcome.CHANGED:
        old_terms = terms_text(rate, [(tier.from_quantity, tier.unit_price) for tier in rate.tiers.all()]) or "none"
    return ShownLine(
        line=line,
        price=price_text(line) if line.unit_price is not None else "",
        old_price=price_text(rate) if rate is not None else "",
        percent=percent,
        terms=terms,
        old_terms=old_terms if old_terms != (terms or "none") else "",
        raw=" | ".join(raw_cells(line))[:300],
    )


def price_text(terms: Any) -> str:
    """A price per its unit: 0.05 per 60."""
    per = "" if terms.unit_size == 1 else f" per {exact(terms.unit_size)}"
    return f"{exact(terms.unit_price)}{per}"


def terms_text(price: RateDeckLine | Rate, tiers: Iterable[Sequence[Any]]) -> str:
    """What else a line or a rate says, where that is not what is usual."""
    first = price.first_increment or price.increment
    steps = ", ".join(f"above {exact(Decimal(quantity))} {exact(Decimal(each))}" for quantity, each in tiers)
    is_counted = price.pricing_model != PricingModel.PER_UNIT or price.included_quantity
    is_rounded = price.rounding_digits is not None
    mode = "" if price.rounding_mode == RoundingMode.HALF_UP else f", {price.get_rounding_mode_display().lower()}"
    parts = [
        (price.pricing_model != PricingModel.PER_UNIT, price.get_pricing_model_display().lower()),
        (steps, steps),
        (price.connection_fee, f"fee {exact(price.connection_fee)}"),
        (price.minimum_quantity, f"at least {exact(price.minimum_quantity)}"),
        (first, f"{exact(first)}/{exact(price.increment)}" if price.increment else f"first {exact(first)}"),
        (price.minimum_charge is not None, f"minimum {exact(price.minimum_charge)}"),
        (price.maximum_charge is not None, f"maximum {exact(price.maximum_charge)}"),
        (price.included_quantity, f"{exact(price.included_quantity)} included"),
        (is_counted, f"counted per {price.counted_per}"),
        (is_rounded, f"rounded to {price.rounding_digits} decimals{mode}"),
        (price.end_date, f"before {price.end_date}"),
    ]
    return ", ".join(text for is_said, text in parts if is_said)


def _page(request: HttpRequest, deck: RateDeck, outcome: str) -> KeyPage[RateDeckLine]:
    rows = deck_lines(deck.pk, outcome=outcome)
    after, before = (_place(request.GET.get(name, "")) for name in (AFTER_VAR, BEFORE_VAR))
    if request.GET.get(BEFORE_VAR) == END:
        return last_page(rows, ORDER, PAGE_SIZE)
    if after is not None and (found := page_after(rows, ORDER, [after], PAGE_SIZE)).rows:
        return found
    if before is not None and (found := page_before(rows, ORDER, [before], PAGE_SIZE)).has_previous:
        return found
    return first_page(rows, ORDER, PAGE_SIZE)


def _place(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text[:20]) <= BIGINT_MAX else None


def _links(address: str, page: KeyPage[RateDeckLine]) -> list[tuple[str, str | None]]:
    if not (page.has_previous or page.has_next):
        return []
    return [
        ("First", address if page.has_previous else None),
        ("Previous", f"{address}&{BEFORE_VAR}={page.rows[0].pk}" if page.has_previous else None),
        ("Next", f"{address}&{AFTER_VAR}={page.rows[-1].pk}" if page.has_next else None),
        ("Last", f"{address}&{BEFORE_VAR}={END}" if page.has_next else None),
    ]
