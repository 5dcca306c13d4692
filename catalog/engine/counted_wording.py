"""How explanations say what a use costs by what was used before it in the month."""

from decimal import Decimal

from catalog.engine.counted import Count, blocks, charged_quantity, steps, volume_price
from catalog.engine.money import exact_sum
from catalog.engine.rates import GRADUATED, PACKAGE, VOLUME, Rate
from catalog.engine.wording import plain, verb, with_unit

OF_WHOM = {"customer": "the customer", "subscription": "the subscription", "service": "the service"}


def count_sentences(rate: Rate, count: Count, after: Decimal, costs: list[Decimal], unit: str) -> list[str]:
    """Where the use stands in its month, which allowance and tiers it takes, and what it adds to the month's amount.

    `costs` is what the month costs before the use and after it.
    """
    month = f"{count.counted_month:%B %Y}" if count.counted_month else "the month"
    rounding = (
        ""
        if rate.rounding_digits is None
        else f", each rounded to {rate.rounding_digits} decimals ({rate.rounding_mode})"
    )
    quantities = f"{with_unit(count.before, unit)} before this, {with_unit(after, unit)} after it"
    amounts = f"{plain(costs[0])} before this and {plain(costs[1])} after it{rounding}"
    return [
        f"Counted for {OF_WHOM[rate.counted_per]} in {month}: {quantities}.",
        *_included(rate, count, after),
        *_by_model(rate, count, after),
        f"The month costs {amounts}: {plain(exact_sum([costs[1], costs[0].copy_negate()]))}.",
    ]


def fee_sentences(fee: Decimal, correction: Decimal) -> list[str]:
    """The connection fee, and what earlier charges of the month differ by; nothing where there is none."""
    return [
        *([f"Connection fee {plain(fee)}."] if fee else []),
        *([f"Correction of what earlier charges of the month came to: {plain(correction)}."] if correction else []),
    ]


def _included(rate: Rate, count: Count, after: Decimal) -> list[str]:
    """How much of what is included was used before, and what of this use is free."""
    if not rate.included_quantity:
        return []
    included = plain(count.included)
    sentences = []
    if count.included != rate.included_quantity:
        sentences.append(
            f"Of {plain(rate.included_quantity)} included {included} are for the days that the month had left."
        )
    if count.before < 0 or after < count.before:
        return [*sentences, f"Included in the month are {included}."]
    used = min(count.before, count.included)
    free = exact_sum([min(after, count.included), used.copy_negate()])
    billed = exact_sum([after, count.before.copy_negate(), free.copy_negate()])
    split = f"{plain(free)} {verb(free)} free, {plain(billed)} {verb(billed)} billed"
    return [*sentences, f"Before this {plain(used)} of {included} included {_were(used)} used: {split}."]


def _were(quantity: Decimal) -> str:
    return "was" if quantity == 1 else "were"


def _by_model(rate: Rate, count: Count, after: Decimal) -> list[str]:
    """What of the quantities after the included one is in which tier or block, before the use and after it."""
    per = "" if rate.unit_size == 1 else f" / {plain(rate.unit_size)}"
    before_and_after = [charged_quantity(quantity, count.included) for quantity in (count.before, after)]
    if rate.pricing_model == PACKAGE:
        begun = [blocks(rate, charged) for charged in before_and_after]
        size, price = plain(rate.unit_size), plain(rate.unit_price)
        return [f"Blocks of {size} begun: {begun[0]} before this, {begun[1]} after it, each {price}."]
    if rate.pricing_model == VOLUME:
        of_all = charged_quantity(count.total, count.included)
        return [f"By the total of {plain(of_all)} the unit price is {plain(volume_price(rate, of_all))}{per}."]
    if rate.pricing_model == GRADUATED:
        texts = [
            " + ".join(f"{plain(part)} x {plain(price)}" for part, price in steps(rate, charged)) or "0"
            for charged in before_and_after
        ]
        return [f"Tiers before this: {texts[0]}; after it: {texts[1]}{f'; each{per}' if per else ''}."]
    billed = exact_sum([before_and_after[1], before_and_after[0].copy_negate()])
    return [f"{plain(billed)} x {plain(rate.unit_price)}{per}."] if billed else []
