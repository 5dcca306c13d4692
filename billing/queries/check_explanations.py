"""Whether the charges of an invoice are what they are explained to be."""

from dataclasses import dataclass

from billing.queries.explain import charges, explanations
from billing.queries.explained import Explanation
from invoicing.models import Invoice

NAMED = 100


@dataclass(frozen=True, slots=True)
class CheckedInvoice:
    """How many charges an invoice has, how many of them were explained, and those that are not equal.

    `unequal` are the first `NAMED` of the `unequal_count`.
    """

    invoice: Invoice
    charge_count: int
    explained_count: int
    unequal_count: int
    unequal: tuple[Explanation, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every charge was explained."""
        return self.explained_count == self.charge_count


def check_explanations(*, invoice_id: int, limit: int | None = None) -> CheckedInvoice:
    """Explain all charges of an invoice, or the first `limit`, and name those that are not what they ought to be.

    One query for every destination called, and one for every few hundred charges. Raises Invoice.DoesNotExist.
    """
    invoice = Invoice.objects.get(id=invoice_id)
    explained_count = unequal_count = 0
    unequal: list[Explanation] = []
    for explanation in explanations(invoice, limit=limit):
        explained_count += 1
        if not explanation.is_equal:
            unequal_count += 1
            unequal += [explanation] if len(unequal) < NAMED else []
    charge_count = explained_count
    if limit is not None and explained_count == limit:
        charge_count = charges().filter(line__in=invoice.lines.values("id")).count()
    return CheckedInvoice(invoice, charge_count, explained_count, unequal_count, tuple(unequal))
