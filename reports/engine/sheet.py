"""A report as it is written: its columns, what it comes to, and whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from catalog.engine.money import exact_sum
from reports.engine.columns import Column
from reports.engine.terms import TRANSACTIONS, Report
from reports.engine.wording import word


@dataclass(frozen=True, slots=True)
class Sums:
    """What some of a report's uses come to. Quantities are None where their units differ."""

    uses: int = 0
    duration: Decimal = Decimal(0)
    charges: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    quantity: Decimal | None = None
    billed_quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Footer:
    """A row below the others: its label stands in the first column, values by the keys of their columns.

    `is_rounded` tells amounts in minor units from exact ones.
    """

    label: str
    values: Mapping[str, Decimal | int | str | None]
    is_rounded: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One report as it is written, but for its rows. `part` is the site or number that it is for, else empty.

    `made_at` stands in files that want a time of writing: the invoice's posting, so that the bytes can be made again.
    `totals` are of all uses, `left_out` of those that no row shows. `has_subtotals` says that uses are listed by what
    stands in the first column, and people want a sum of each.
    """

    name: str
    columns: tuple[Column, ...]
    headers: tuple[str, ...]
    footers: tuple[Footer, ...]
    language: str
    currency: str
    minor_units: int
    made_at: datetime
    part: str = ""
    customer: str = ""
    invoice: str = ""
    period: tuple[date, date] | None = None
    totals: Sums = field(default_factory=Sums)
    left_out: Sums = field(default_factory=Sums)
    has_subtotals: bool = False

    @property
    def title(self) -> str:
        """The name of the report, and of the part that it is for."""
        return ", ".join(filter(None, (self.name, self.part)))

    def footer_values(self, footer: Footer) -> list[Decimal | int | str | None]:
        """The cells of a footer, one for each column, without its label."""
        return [footer.values.get(column.key) for column in self.columns]


@dataclass(frozen=True, slots=True)
class Document:
    """Sheets of one invoice that stand in one file: one at least, all for the same part.

    `elsewhere` are the titles of those that are too long for it, and so have files of their own.
    """

    sheets: tuple[Sheet, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def first(self) -> Sheet:
        """What all of its sheets have in common, such as the customer, stands in each."""
        return self.sheets[0]

    @property
    def title(self) -> str:
        """That of its only sheet, else “Usage report” and the part that it is for."""
        if len(self.sheets) == 1 and not self.elsewhere:
            return self.first.title
        return ", ".join(filter(None, (word("Usage report", self.first.language), self.first.part)))


def headers(columns: tuple[Column, ...], *, language: str, currency: str) -> tuple[str, ...]:
    """What stands above the columns."""
    return tuple(
        f"{word(column.label, language)} ({currency})" if column.in_currency else word(column.label, language)
        for column in columns
    )


def footers(report: Report, *, listed: Sums, left_out: Sums, language: str) -> tuple[Footer, ...]:
    """The totals of a report: exactly, and as the invoice has them; of a list also what it leaves out."""
    total = added(listed, left_out)
    said = f"{word('Total', language)} ({total.uses})"
    if report.about == TRANSACTIONS:
        return (Footer(said, {"amount": total.amount}, is_rounded=True),)
    measured = {
        "duration": total.duration,
        "quantity": total.quantity,
        "billed_quantity": total.billed_quantity,
        "unit": total.unit if total.quantity is not None else None,
    }
    if not report.lists_uses:
        values = {"uses": total.uses, **measured, "charges": total.charges, "amount": total.amount}
        return (Footer(word("Total", language), values),)
    rest = Footer(f"{word('Others', language)} ({left_out.uses})", {"amount": left_out.charges})
    invoiced = Footer(word("Invoiced", language), {"amount": total.amount}, is_rounded=True)
    exact = Footer(said, {"duration": total.duration, "amount": total.charges})
    return (*([rest] if left_out.uses else []), exact, invoiced)


def added(one: Sums, other: Sums) -> Sums:
    """What both come to; quantities where both have the same unit, or one of them is of nothing."""
    if not (one.uses and other.uses):
        return one if one.uses else other
    same = one.unit == other.unit and one.quantity is not None and other.quantity is not None
    return Sums(
        one.uses + other.uses,
        exact_sum((one.duration, other.duration)),
        exact_sum((one.charges, other.charges)),
        exact_sum((one.amount, other.amount)),
        exact_sum((one.quantity or Decimal(0), other.quantity or Decimal(0))) if same else None,
        exact_sum((one.billed_quantity or Decimal(0), other.billed_quantity or Decimal(0))) if same else None,
        one.unit if same else "",
    )
