"""Prices in words, for staff: in a line of a list, or term by term."""

from collections.abc import Iterable

from catalog.admin.figures import exact
from catalog.choices import PricingModel, RoundingMode
from catalog.models import RateTier
from catalog.models.price_terms import PriceTerms

SHOWN_TIERS = 2
TIER_HINTS = {
    PricingModel.GRADUATED.value: "each tier's price for the part of the month's quantity that lies in it",
    PricingModel.VOLUME.value: "the price of the tier that the month's quantity reaches, for all of it",
}
MODES = {mode.value: mode.label.split(" (", maxsplit=1)[0].lower() for mode in RoundingMode}


def price_in_words(terms: PriceTerms, *, currency: str, tiers: Iterable[RateTier] = ()) -> str:
    """A line such as "0.12 EUR per 60, 60/60, fee 0.05"."""
    parts = [_unit_price(terms, currency), *_tiers(list(tiers))]
    if terms.pricing_model != PricingModel.PER_UNIT:
        parts[0] = f"{terms.get_pricing_model_display().lower()} {parts[0]}"
    if terms.minimum_quantity:
        parts.append(f"at least {exact(terms.minimum_quantity)}")
    if steps := steps_in_words(terms):
        parts.append(steps)
    if terms.connection_fee:
        parts.append(f"fee {exact(terms.connection_fee)}")
    if terms.minimum_charge is not None:
        parts.append(f"from {exact(terms.minimum_charge)}")
    if terms.maximum_charge is not None:
        parts.append(f"up to {exact(terms.maximum_charge)}")
    if terms.included_quantity:
        parts.append(f"{exact(terms.included_quantity)} free")
    return ", ".join(parts)


def steps_in_words(terms: PriceTerms) -> str:
    """How quantities are raised, such as "30/6": to the first step, then by the second. Empty: not at all."""
    if terms.increment is None:
        return "" if terms.first_increment is None else f"{exact(terms.first_increment)}/exact"
    first = terms.increment if terms.first_increment is None else terms.first_increment
    return f"{exact(first)}/{exact(terms.increment)}"


def terms_in_words(terms: PriceTerms, *, currency: str, tiers: Iterable[RateTier] = ()) -> list[tuple[str, str]]:
    """Every term with its name, for a page of its own."""
    model = terms.get_pricing_model_display()
    return [
        ("Price", f"{_unit_price(terms, currency)}, {model.lower()}"),
        *_tier_rows(terms, list(tiers), currency),
        ("Billed quantity", _billed_quantity(terms)),
        ("Connection fee", f"{exact(terms.connection_fee)} {currency} a use" if terms.connection_fee else "none"),
        ("A use costs", _limits(terms, currency)),
        ("Free in a month", exact(terms.included_quantity) if terms.included_quantity else "nothing"),
        ("Counted per", _counted(terms)),
        ("Rounding", _rounding(terms)),
    ]


def _unit_price(terms: PriceTerms, currency: str) -> str:
    if terms.unit_price is None:
        return "no price"
    per = "" if terms.unit_size == 1 else f" per {exact(terms.unit_size)}"
    return f"{exact(terms.unit_price)} {currency}{per}"


def _tiers(tiers: list[RateTier]) -> list[str]:
    shown = [f"above {exact(tier.from_quantity)}: {exact(tier.unit_price)}" for tier in tiers[:SHOWN_TIERS]]
    more = len(tiers) - SHOWN_TIERS
    return [*shown, f"{more} more tier{'' if more == 1 else 's'}"] if more > 0 else shown


def _tier_rows(terms: PriceTerms, tiers: list[RateTier], currency: str) -> list[tuple[str, str]]:
    hint = TIER_HINTS.get(terms.pricing_model)
    if hint is None:
        return []
    rows = [(f"Above {exact(tier.from_quantity)}", f"{_unit_price_of_tier(terms, tier, currency)}") for tier in tiers]
    return [("Tiers", hint if tiers else "none yet: one price for every quantity"), *rows]


def _unit_price_of_tier(terms: PriceTerms, tier: RateTier, currency: str) -> str:
    per = "" if terms.unit_size == 1 else f" per {exact(terms.unit_size)}"
    return f"{exact(tier.unit_price)} {currency}{per}"


def _billed_quantity(terms: PriceTerms) -> str:
    parts = [f"at least {exact(terms.minimum_quantity)}"] if terms.minimum_quantity else []
    first = terms.increment if terms.first_increment is None else terms.first_increment
    if first is not None:
        following = "exactly" if terms.increment is None else f"in steps of {exact(terms.increment)}"
        parts.append(f"the first {exact(first)} in one, then {following}")
    return "; ".join(parts) or "exactly what was used"


def _limits(terms: PriceTerms, currency: str) -> str:
    limits = (("at least", terms.minimum_charge), ("at most", terms.maximum_charge))
    said = [f"{words} {exact(limit)} {currency}" for words, limit in limits if limit is not None]
    return ", ".join(said) or "what its quantity and the fee come to"


def _counted(terms: PriceTerms) -> str:
    if terms.pricing_model == PricingModel.PER_UNIT and not terms.included_quantity:
        return "use: what was used before in the month makes no difference"
    return terms.get_counted_per_display().lower()


def _rounding(terms: PriceTerms) -> str:
    if terms.rounding_digits is None:
        return "none: only the document is rounded"
    return f"each use to {terms.rounding_digits} decimals, {MODES[terms.rounding_mode]}"
