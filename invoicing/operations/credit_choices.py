"""What a person chose to credit of a posted invoice, and what of it can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.db import connection

from invoicing.models import Invoice, UsageCharge

SQL = Path(__file__).parent / "sql" / "credit"
NAMED = 5


class CreditConflict(Exception):
    """The invoice, or what is chosen of it, is in a state in which it cannot be credited; the message says which."""


class CreditRefused(Exception):
    """What was asked for is understood, but cannot be; the message says what to do, `field` what is wrong."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class CreditChoice:
    """What of an invoice is credited: all of it, these lines, or the charges of these records.

    `record_numbers` are those of records on the invoice. Of lines and records one is given, or none for the whole.
    """

    line_numbers: tuple[int, ...] | None = None
    record_numbers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """A line of an invoice with what is chosen of its charges, and what credit notes took of it before (negative)."""

    id: int
    line_number: int
    tax_rate_id: int
    charge_count: int
    quantity: Decimal
    exact_amount: Decimal
    amount: Decimal
    chosen_count: int
    chosen_quantity: Decimal
    chosen_amount: Decimal
    credited_lines: int
    credited_count: int
    credited_exact: Decimal
    credited_amount: Decimal

    @property
    def can_be_credited(self) -> bool:
        """Whether charges of it are chosen, or it has none and was not credited before."""
        return self.chosen_count > 0 if self.charge_count else self.credited_lines == 0


def find_chosen(invoice: Invoice, choice: CreditChoice) -> tuple[list[InvoicedLine], list[InvoicedLine]]:
    """All lines of a locked invoice, and those that are credited now; their charges are in `chosen_charge`.

    The temporary table is there until the transaction ends. Raises CreditRefused for a choice that there is not, and
    CreditConflict where it was taken back before.
    """
    record_ids = _record_ids(invoice, choice)
    parameters = {
        "invoice_id": invoice.pk,
        "line_numbers": None if choice.line_numbers is None else list(choice.line_numbers),
        "record_ids": record_ids,
    }
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS chosen_charge")
        cursor.execute((SQL / "chosen.sql").read_text(), parameters)
        cursor.execute((SQL / "lines.sql").read_text(), parameters)
        names = [column.name for column in cursor.description or ()]
        lines = [InvoicedLine(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
    if record_ids is not None:
        chosen = [line for line in lines if line.chosen_count]
        _check_records(invoice, record_ids, sum(line.chosen_count for line in chosen))
        return lines, chosen
    asked = _asked_lines(invoice, lines, choice.line_numbers)
    chosen = [line for line in asked if line.can_be_credited]
    if not chosen:
        raise CreditConflict(f"Invoice {invoice.number} has nothing left to credit: all of it was taken back before.")
    return lines, chosen


def _record_ids(invoice: Invoice, choice: CreditChoice) -> list[int] | None:
    if choice.line_numbers is not None and choice.record_numbers is not None:
        raise CreditRefused("Choose lines or records, not both.", "record_numbers")
    if choice.line_numbers == ():
        raise CreditRefused("Choose at least one line, or credit the whole invoice.", "line_numbers")
    if choice.record_numbers is None:
        return None
    if not choice.record_numbers:
        raise CreditRefused("Choose at least one record, or credit the whole invoice.", "record_numbers")
    charges = UsageCharge.objects.filter(record__number__in=choice.record_numbers, line__invoice=invoice)
    found = dict(charges.values_list("record_id", "record__number"))
    missing = sorted(set(choice.record_numbers) - set(found.values()))
    if missing:
        raise CreditRefused(f"Not on invoice {invoice.number}: {_named('record', missing)}.", "record_numbers")
    return sorted(found)


def _check_records(invoice: Invoice, record_ids: Sequence[int], chosen_count: int) -> None:
    """Raise CreditConflict where charges of the records were taken back before."""
    if chosen_count == len(record_ids):
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.number FROM usage_charge c JOIN usage_data_record r ON r.id = c.record_id"
            " WHERE c.record_id = ANY (%s) AND c.id NOT IN (SELECT charge_id FROM chosen_charge)"
            ' ORDER BY r.number COLLATE "C"',
            [list(record_ids)],
        )
        taken = [number for (number,) in cursor.fetchall()]
    raise CreditConflict(f"Of invoice {invoice.number} was taken back before: {_named('record', taken)}. Leave it out.")


def _asked_lines(
    invoice: Invoice, lines: Sequence[InvoicedLine], line_numbers: Sequence[int] | None
) -> Sequence[InvoicedLine]:
    if line_numbers is None:
        return lines
    by_number = {line.line_number: line for line in lines}
    missing = sorted(set(line_numbers) - set(by_number))
    if missing:
        raise CreditRefused(f"Invoice {invoice.number} has no {_named('line', missing)}.", "line_numbers")
    asked = [line for line in lines if line.line_number in set(line_numbers)]
    taken = [line.line_number for line in asked if not line.can_be_credited]
    if taken:
        raise CreditConflict(
            f"Of invoice {invoice.number} was taken back before: {_named('line', taken)}. Leave it out."
        )
    return asked


def _named(noun: str, names: Sequence[object]) -> str:
    more = len(names) - NAMED
    listed = ", ".join(str(name) for name in names[:NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{noun if len(names) == 1 else noun + 's'} {listed}"
