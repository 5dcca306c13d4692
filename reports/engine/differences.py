"""Where a report does not add up to its invoice, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.engine.money import exact_sum

SAID = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """A line of the invoice that a report does not add up to: what the line has, and what the report."""

    line_number: int
    product_name: str
    uses: tuple[int, int]
    charges: tuple[Decimal, Decimal]
    amounts: tuple[Decimal, Decimal]

    def __str__(self) -> str:
        line = f"line {self.line_number} ({self.product_name})"
        for word, (has, reported) in (("charges", self.charges), ("an amount", self.amounts)):
            if has != reported:
                apart = exact_sum((reported, has.copy_negate()))
                return f"{line} has {word} of {plain(has)}, the report {plain(reported)}, which is {plain(apart)} apart"
        return f"{line} has {self.uses[0]:,} uses, the report {self.uses[1]:,}"


def describe(differences: Sequence[Difference], *, title: str) -> str:
    """What is wrong with a report: the first lines of the invoice that it does not add up to."""
    said = "; ".join(str(difference) for difference in differences[:SAID])
    more = f"; and {len(differences) - SAID} more lines" if len(differences) > SAID else ""
    return f"The report “{title}” does not add up to the invoice, so it was not made: {said}{more}."


def plain(number: Decimal) -> str:
    """All digits, without zeros at the end."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
