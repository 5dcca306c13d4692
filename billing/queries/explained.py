"""Why a use costs what it costs: what an explanation consists of, and how it reads as text."""

from dataclasses import dataclass
from decimal import Decimal

from catalog.engine.rates import Rate
from catalog.engine.selection import Candidate, Selection, Use
from catalog.engine.wording import plain, with_unit
from invoicing.models import PriceCorrection, Transaction, UsageCharge
from usage.models import UsageDataRecord

# Of a record that brings its own amount.
NO_RATE = Selection(rate=None, card=None, candidates=(), explanation=())


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the pricing engine makes of a use, a step a sentence; amounts are exact, in `currency`.

    Of a charge it is made from what the run that wrote it saw: `is_equal` says whether the stored amount, quantity and
    rate are the same, and `fault` what is not, in sentences. Without a `charge` it is what the use would cost now; then
    `fault` is why nothing prices it. `candidates` are the rates that were looked at, the one that won among them.
    `corrections` say what the charge's price was corrected to since, a sentence each, in order.
    """

    use: Use
    currency: str
    steps: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    quantity: Decimal | None = None
    billed_quantity: Decimal | None = None
    amount: Decimal | None = None
    rate: Rate | None = None
    is_equal: bool = True
    fault: str = ""
    record: UsageDataRecord | None = None
    charge: UsageCharge | None = None
    corrections: tuple[str, ...] = ()

    @property
    def losers(self) -> tuple[Candidate, ...]:
        """The rates that were looked at and not taken."""
        return tuple(candidate for candidate in self.candidates if not candidate.is_chosen)

    @property
    def shown_amount(self) -> Decimal | None:
        """What the use costs: as it is charged, else as it would be."""
        return self.amount if self.charge is None else self.charge.amount

    @property
    def headline(self) -> str:
        """What costs how much, in a line."""
        what = with_unit(self.use.quantity, self.use.unit) if self.record is None else f"Record {self.record.number}"
        if self.charge is not None:
            return f"{what} costs {plain(self.charge.amount)} {self.currency} on {_document(self.charge)}."
        if self.amount is None:
            return f"{what} has no price."
        return f"{what} would cost {plain(self.amount)} {self.currency} now."

    @property
    def aftermath(self) -> str:
        """What became of the charge later, or nothing."""
        reversal = None if self.charge is None else getattr(self.charge, "reversal", None)
        if reversal is None:
            return ""
        return f"Taken back: an opposite charge of {plain(reversal.amount)} {self.currency} {_place(reversal)}."


def as_text(explanation: Explanation, *, with_losers: bool = True) -> str:
    """The explanation as lines for people, each step numbered."""
    lines = [explanation.headline]
    if explanation.fault:
        lines += [f"FAULT: {explanation.fault}" if explanation.charge else explanation.fault]
    lines += [f"{number:>3}. {step}" for number, step in enumerate(explanation.steps, start=1)]
    lines += explanation.corrections
    if explanation.aftermath:
        lines.append(explanation.aftermath)
    if with_losers and explanation.losers:
        lines += ["", "Rates that were looked at and not taken:"]
        lines += [f"  - {candidate.verdict}" for candidate in explanation.losers]
    return "\n".join(lines) + "\n"


def correction_sentence(correction: PriceCorrection, currency: str) -> str:
    """What a correction of a charge's price made of it, and where the money is."""
    amount, before = plain(correction.amount), plain(correction.amount_before)
    credit = correction.credit
    if credit is None:
        return f"Price corrected: the same amount, by rate {correction.rate_id}."
    if correction.new_charge_id is None:
        return f"Price correction taken back: {plain(credit.amount)} {currency} {_place(credit)}."
    on = credit.transaction_date
    return (
        f"Price corrected on {on}: {amount} {currency} in place of {before}, by rate {correction.rate_id}. "
        f"The credit {_place(credit)}."
    )


def _place(transaction: Transaction) -> str:
    line = transaction.invoice_line
    return "waits for the customer's next invoice" if line is None else f"is on {_named(line.invoice)}"


def _document(charge: UsageCharge) -> str:
    return f"{_named(charge.line.invoice)}, line {charge.line.line_number}"


def _named(invoice: object) -> str:
    number = getattr(invoice, "number", None)
    return f"invoice {number}" if number else "a draft invoice"
