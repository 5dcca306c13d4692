"""The document of one customer: lines, net, tax and total of its charges. The SQL of a run must give the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from catalog.engine.money import allocate_largest_remainder, exact_sum, round_half_up, round_quotient
from catalog.engine.rates import Rate


@dataclass(frozen=True, slots=True)
class Charge:
    """A priced record as documents see it: what it is grouped by, and what is added up.

    `late_period` is the first day of the earlier month that late usage belongs to; None where it is not late. `rate` is
    None for records that brought their own amount. `quantity` is what is billed, after minimum and increments.
    """

    product_code: str
    region: str
    usage_type: str
    rate: Rate | None
    late_period: date | None
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """How a customer is billed: tax in percent, decimals of the currency, and what an invoice comes to at least."""

    tax_percent: Decimal
    minor_units: int
    minimum_amount: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """The charges of one product, region, usage type, rate and late period. `amount` is in minor units."""

    product_code: str
    region: str
    usage_type: str
    rate: Rate | None
    late_period: date | None
    quantity: Decimal
    exact_amount: Decimal
    amount: Decimal
    charge_count: int


@dataclass(frozen=True, slots=True)
class Document:
    """Lines that add up to `net_amount`, which is the exact sum of all charges rounded once; total = net + tax.

    It is a credit note where the total is below zero.
    """

    lines: tuple[Line, ...]
    exact_amount: Decimal
    net_amount: Decimal
    tax_amount: Decimal
    total_amount: Decimal

    @property
    def is_credit_note(self) -> bool:
        return self.net_amount + self.tax_amount < 0


def line_order(charge: Charge) -> tuple[str, str, str, bool, Decimal, date, int]:
    """What lines are grouped and sorted by, and by which equal remainders are broken, as in the SQL of a run.

    Product code, region, usage type, unit price, late period, rate: texts by code point (COLLATE "C" in PostgreSQL),
    missing values last.
    """
    return (
        charge.product_code,
        charge.region,
        charge.usage_type,
        charge.rate is None,
        charge.rate.unit_price if charge.rate else Decimal(0),
        charge.late_period or date.max,
        charge.rate.id if charge.rate else 0,
    )


def make_document(charges: Iterable[Charge], terms: Terms) -> Document | None:
    """The document of a customer's charges; None where there is nothing to bill yet.

    Nothing is billed without charges, and while the net, be it a debt or a credit, is below the customer's minimum. Tax
    is the net x percent / 100, rounded once.
    """
    groups = [list(group) for _, group in groupby(sorted(charges, key=line_order), key=line_order)]
    exact_amounts = [exact_sum(charge.amount for charge in group) for group in groups]
    exact_amount = exact_sum(exact_amounts)
    net = round_half_up(exact_amount, terms.minor_units)
    if not groups or abs(net) < terms.minimum_amount:
        return None
    tax = round_quotient(Fraction(net) * Fraction(terms.tax_percent) / 100, terms.minor_units)
    amounts = allocate_largest_remainder(exact_amounts, terms.minor_units)
    return Document(
        lines=tuple(map(_line, groups, exact_amounts, amounts)),
        exact_amount=exact_amount,
        net_amount=net,
        tax_amount=tax,
        total_amount=exact_sum([net, tax]),
    )


def _line(group: list[Charge], exact_amount: Decimal, amount: Decimal) -> Line:
    first = group[0]
    return Line(
        product_code=first.product_code,
        region=first.region,
        usage_type=first.usage_type,
        rate=first.rate,
        late_period=first.late_period,
        quantity=exact_sum(charge.quantity for charge in group),
        exact_amount=exact_amount,
        amount=amount,
        charge_count=len(group),
    )
