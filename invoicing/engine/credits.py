"""What a credit note comes to: all credit notes of an invoice together are rounded as one.

So an invoice that is credited in pieces, whatever they are, ends at exactly 0.00 in net and tax, and no piece takes it
below: of what is credited by now, the net is rounded once for each tax rate, and so is its tax; a note has what that is
more than the notes before it had.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.engine.money import exact_product, exact_sum, round_half_up

HUNDREDTH = Decimal("0.01")


class MoreThanInvoiced(Exception):
    """What is asked for comes to more than an invoice has left at a tax rate: nothing below 0 is credited."""

    def __init__(self, tax_rate_id: int, left: Decimal) -> None:
        super().__init__(tax_rate_id, left)
        self.tax_rate_id = tax_rate_id
        self.left = left


@dataclass(frozen=True, slots=True)
class ChosenLine:
    """What is taken of one line of an invoice, in the invoice's signs.

    `left` is what notes have left of its amount, in minor units; `exact` is what is taken, exactly. `is_rest`: nothing
    of the line remains then, so that all that is left is taken.
    """

    line_number: int
    left: Decimal
    exact: Decimal
    is_rest: bool


@dataclass(frozen=True, slots=True)
class TaxedPart:
    """An invoice's amounts at one tax rate, what notes have taken of them so far, and what is taken now.

    All in the invoice's signs. `exact_credited` is what the notes so far took, exactly; `percent` is of the tax.
    """

    tax_rate_id: int
    percent: Decimal
    net: Decimal
    tax: Decimal
    net_credited: Decimal
    tax_credited: Decimal
    exact_credited: Decimal
    lines: tuple[ChosenLine, ...]


@dataclass(frozen=True, slots=True)
class CreditedPart:
    """What a note takes back at one tax rate, in the invoice's signs; `amounts` by the invoice's line numbers."""

    tax_rate_id: int
    net: Decimal
    tax: Decimal
    amounts: dict[int, Decimal]


def credited_part(part: TaxedPart, minor_units: int) -> CreditedPart:
    """What is taken of the lines, in minor units, and the tax on it.

    Lines share out the net by largest remainder, each between nothing and what is left of it; one of which nothing
    remains gives all that it has left. Raises MoreThanInvoiced where the invoice would be below 0 at the tax rate.
    """
    exact = exact_sum(line.exact for line in part.lines)
    wanted = exact_sum([round_half_up(exact_sum([part.exact_credited, exact]), minor_units), _minus(part.net_credited)])
    amounts = _shared_out(part.lines, wanted, minor_units)
    net = exact_sum(amounts.values())
    net_after = exact_sum([part.net_credited, net])
    if not _lies_within(net_after, part.net):
        raise MoreThanInvoiced(part.tax_rate_id, exact_sum([part.net, _minus(part.net_credited)]))
    tax_after = part.tax if net_after == part.net else _tax(net_after, part, minor_units)
    return CreditedPart(part.tax_rate_id, net, exact_sum([tax_after, _minus(part.tax_credited)]), amounts)


def _tax(net: Decimal, part: TaxedPart, minor_units: int) -> Decimal:
    tax = round_half_up(exact_product(net, part.percent, HUNDREDTH), minor_units)
    # The invoice's own tax may have been rounded to less.
    return min(tax, part.tax) if part.net >= 0 else max(tax, part.tax)


def _shared_out(lines: Sequence[ChosenLine], wanted: Decimal, minor_units: int) -> dict[int, Decimal]:
    unit = Decimal(1).scaleb(-minor_units)
    lowest, highest = zip(*(_bounds(line) for line in lines), strict=True)
    wanted = max(exact_sum(lowest), min(exact_sum(highest), wanted))
    taken = [
        max(low, min(high, round_half_up(line.exact, minor_units)))
        for line, low, high in zip(lines, lowest, highest, strict=True)
    ]
    missing = exact_sum([wanted, _minus(exact_sum(taken))])
    step = unit if missing > 0 else _minus(unit)
    # First the lines that are furthest behind (or ahead of) what they come to exactly; of equal ones the first.
    while missing != 0:
        room = [
            place for place in range(len(lines)) if lowest[place] <= exact_sum([taken[place], step]) <= highest[place]
        ]
        sign = Decimal(1) if missing > 0 else Decimal(-1)
        room.sort(
            key=lambda place: (
                exact_product(sign, exact_sum([taken[place], _minus(lines[place].exact)])),
                lines[place].line_number,
            )
        )
        for place in room[: int(abs(missing) / unit)]:
            taken[place] = exact_sum([taken[place], step])
            missing = exact_sum([missing, _minus(step)])
    return {line.line_number: amount for line, amount in zip(lines, taken, strict=True)}


def _bounds(line: ChosenLine) -> tuple[Decimal, Decimal]:
    if line.is_rest:
        return line.left, line.left
    return min(line.left, Decimal(0)), max(line.left, Decimal(0))


def _lies_within(amount: Decimal, whole: Decimal) -> bool:
    return amount <= whole if whole >= 0 else amount >= whole


def _minus(amount: Decimal) -> Decimal:
    return amount.copy_negate() if not amount.is_zero() else amount
