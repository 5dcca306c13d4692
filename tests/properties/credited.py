"""What documents come to by the rules for credits and the minimum, worked out in Python with fractions."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import floor


@dataclass(frozen=True)
class DrawnCredit:
    percent: Decimal | None
    amount: Decimal | None
    position: int


@dataclass(frozen=True)
class DrawnDocument:
    """What a customer is charged, by tax rate (0, 1, 2; the customer's is 0), and the terms that it has."""

    charges: list[tuple[int, Decimal]]
    credits: list[DrawnCredit]
    rule: str
    minimum: Decimal | None
    fee: Decimal
    wants_zero: bool


@dataclass
class Line:
    kind: str
    rate: int
    exact: Fraction
    # Which credit, by its place in the drawing.
    credit: int | None = None
    units: int = 0


@dataclass
class Expected:
    """The lines of a document in order, with whole minor units; `net` and `tax` by tax rate in minor units."""

    lines: list[Line]
    is_invoiced: bool
    net: dict[int, int] = field(default_factory=dict)
    tax: dict[int, int] = field(default_factory=dict)


def half_away(number: Fraction) -> int:
    """Rounded to a whole number, halves away from zero."""
    return floor(number + Fraction(1, 2)) if number >= 0 else -floor(-number + Fraction(1, 2))


def expected_document(drawn: DrawnDocument, percents: list[Decimal], minor_units: int) -> Expected:
    """The document of a customer. Everything is reckoned in minor units."""
    scale = 10**minor_units
    least = Fraction(1) if drawn.minimum is None else Fraction(drawn.minimum) * scale
    lines = [Line("MANUAL", rate, Fraction(amount) * scale) for rate, amount in drawn.charges]
    charged = net_of(lines)
    lines += percent_lines(drawn, lines, scale)
    lines += amount_lines(drawn, lines, scale)
    net = net_of(lines)
    is_below = 0 <= net < least and drawn.rule != "skip"
    if is_below:
        lines.append(added(drawn, lines, least, scale))
    share_out(lines)
    net = net_of(lines)
    if net == 0 and drawn.wants_zero:
        is_invoiced = True
    elif not lines:
        is_invoiced = False
    else:
        is_invoiced = is_below or (net >= 0 and charged >= least) or abs(net) >= least
    nets = {rate: half_away(exact) for rate, exact in sums(lines).items()}
    taxes = {rate: half_away(amount * Fraction(percents[rate]) / 100) for rate, amount in nets.items()}
    return Expected(lines, is_invoiced, nets, taxes)


def sums(lines: list[Line]) -> dict[int, Fraction]:
    """The exact sum at each tax rate."""
    found: dict[int, Fraction] = {}
    for line in lines:
        found[line.rate] = found.get(line.rate, Fraction(0)) + line.exact
    return dict(sorted(found.items()))


def net_of(lines: list[Line]) -> int:
    return sum(half_away(exact) for exact in sums(lines).values())


def percent_lines(drawn: DrawnDocument, lines: list[Line], scale: int) -> list[Line]:
    """Percents in their order, of each tax rate's sum, together at most 100."""
    if net_of(lines) <= 0:
        return []
    left, made = Fraction(100), []
    for number in in_order(drawn):
        percent = drawn.credits[number].percent
        if percent is None:
            continue
        counted = min(Fraction(percent), left)
        left -= counted
        for rate, exact in sums(lines).items():
            # As stored: 18 decimals of the currency.
            off = Fraction(half_away(exact / scale * counted / 100 * 10**18), 10**18) * scale
            if counted and exact:
                made.append(Line("CREDIT", rate, -off, number))
    return made if net_of(lines + made) >= 0 else []


def amount_lines(drawn: DrawnDocument, lines: list[Line], scale: int) -> list[Line]:
    """Amounts in their order, unit by unit over the tax rates, of which each has the share that is due to it."""
    if net_of([line for line in lines if line.kind != "CREDIT"]) <= 0:
        return []
    exact = sums(lines)
    open_units = {rate: max(half_away(amount), 0) for rate, amount in exact.items()}
    purses = [
        [number, floor(Fraction(drawn.credits[number].amount or 0) * scale)]
        for number in in_order(drawn)
        if drawn.credits[number].amount is not None
    ]
    used = max(0, min(sum(units for _, units in purses), net_of(lines)))
    if not used:
        return []
    made: list[Line] = []
    for rate, share in shares(used, open_units).items():
        first = len(made)
        missing = share
        while missing:
            purse = next(purse for purse in purses if purse[1])
            taken = min(missing, purse[1])
            purse[1] -= taken
            missing -= taken
            made.append(Line("CREDIT", rate, Fraction(-taken), purse[0]))
        if share and half_away(exact[rate] - share) != open_units[rate] - share:
            made[-1].exact += Fraction(1, 2)
        assert len(made) > first or not share
    return sorted(made, key=lambda line: in_order(drawn).index(line.credit or 0))


def shares(used: int, open_units: dict[int, int]) -> dict[int, int]:
    """So many units in proportion, by largest remainder."""
    total = sum(open_units.values())
    exact = {rate: Fraction(used * units, total) for rate, units in open_units.items()}
    whole = {rate: floor(share) for rate, share in exact.items()}
    for rate in sorted(exact, key=lambda rate: (whole[rate] - exact[rate], rate))[: used - sum(whole.values())]:
        whole[rate] += 1
    return whole


def added(drawn: DrawnDocument, lines: list[Line], least: Fraction, scale: int) -> Line:
    """The line that fills a document up to the minimum, or the fee, at the customer's tax rate."""
    if drawn.rule == "fee":
        return Line("FEE", 0, Fraction(drawn.fee) * scale)
    missing = Fraction(-floor(-least) - net_of(lines))
    own = sums(lines).get(0, Fraction(0))
    if half_away(own + missing) != half_away(own) + missing:
        missing -= Fraction(1, 2)
    return Line("MINIMUM", 0, missing)


def share_out(lines: list[Line]) -> None:
    """Whole units to lines, by largest remainder within each tax rate, those above first."""
    for rate, exact in sums(lines).items():
        of_rate = [line for line in lines if line.rate == rate]
        for line in of_rate:
            line.units = floor(line.exact)
        over = half_away(exact) - sum(line.units for line in of_rate)
        for line in sorted(of_rate, key=lambda line: line.units - line.exact)[:over]:
            line.units += 1


def in_order(drawn: DrawnDocument) -> list[int]:
    """Credits by position, then as they came."""
    return sorted(range(len(drawn.credits)), key=lambda number: (drawn.credits[number].position, number))
