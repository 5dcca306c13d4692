"""Credit notes for posted invoices: drafts that take back all of one, some of its lines, or charges of some records.

Posting them, and what becomes of the usage, is `billing.operations.credit_and_rebill`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Sum

from catalog.engine.money import exact_sum
from customers.models import Customer
from invoicing.choices import InvoiceKind, InvoiceState
from invoicing.engine.credits import ChosenLine, CreditedPart, MoreThanInvoiced, TaxedPart, credited_part
from invoicing.models import Invoice, InvoiceLine, InvoiceTax
from invoicing.operations.credit_choices import (
    SQL,
    CreditChoice,
    CreditConflict,
    CreditRefused,
    InvoicedLine,
    find_chosen,
)

REASON_LENGTH = 1_000
# What a line of a credit note has in common with the line that it takes back.
COPIED_TO_LINES = (
    *("kind", "product_id", "product_code", "product_name", "product_group", "product_line", "region", "usage_type"),
    *("unit", "description", "late_period", "rate_id", "unit_price", "unit_size", "tax_rate_id", "coupon_code"),
)
COPIED = (
    *("customer_id", "accounts_receivable_id", "legal_entity_id", "currency_id", "period_start", "period_end"),
    *("customer_name", "customer_address", "customer_vat_number", "seller_name", "seller_address"),
    *("seller_vat_number", "seller_registration", "payment_details", "language", "tax_point", "is_manual"),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What notes took of an invoice at one tax rate so far; negative, as on the notes."""

    net: Decimal
    tax: Decimal


@transaction.atomic
def draft_credit_note(*, invoice_id: int, choice: CreditChoice, reason: str, on: date) -> Invoice:
    """Make a draft credit note for a posted invoice, dated `on`, and give it back.

    It has a negative line for each line that is chosen, wholly or in part, at the invoice's tax rates. What it takes
    back no other note does. Where the whole invoice or whole lines are chosen, what was taken back before is left out.
    Raises CreditConflict where the invoice is not posted or nothing of it is left; CreditRefused where the choice makes
    no sense, comes to nothing, or to more than the invoice has left at a tax rate or in all.
    """
    if not reason.strip():
        raise CreditRefused("Say why: the reason stands on the credit note.", "reason")
    if len(reason.strip()) > REASON_LENGTH:
        raise CreditRefused(f"Give the reason in at most {REASON_LENGTH:,} characters.", "reason")
    invoice = locked_invoice(invoice_id)
    lines, chosen = find_chosen(invoice, choice)
    parts = _parts(invoice, lines, chosen)
    net = exact_sum(part.net for part in parts).copy_negate()
    tax = exact_sum(part.tax for part in parts).copy_negate()
    total = exact_sum([net, tax])
    _require_within(invoice, total)
    note = Invoice.objects.create(
        **{name: getattr(invoice, name) for name in COPIED},
        kind=InvoiceKind.CREDIT_NOTE,
        credited_invoice=invoice,
        reason=reason.strip(),
        invoice_date=on,
        due_date=on,
        net_amount=net,
        tax_amount=tax,
        total_amount=total,
    )
    _write(note, invoice, chosen, parts)
    return note


@transaction.atomic
def discard_credit_note(*, note_id: int) -> None:
    """Delete a draft credit note for an invoice: what it was to take back stands. Raises CreditConflict."""
    locked_draft(note_id)
    with connection.cursor() as cursor:
        cursor.execute((SQL / "discard.sql").read_text(), {"note_id": note_id})


def locked_invoice(invoice_id: int) -> Invoice:
    """The posted invoice, its customer locked first: nobody takes back anything else of it until the transaction ends.

    Raises Invoice.DoesNotExist, CreditConflict if it is no posted invoice.
    """
    invoice = Invoice.objects.get(pk=invoice_id)
    # As who takes usage back or corrects its price does.
    Customer.objects.select_for_update(no_key=True).get(pk=invoice.customer_id)
    invoice = Invoice.objects.select_for_update(no_key=True, of=("self",)).select_related("currency").get(pk=invoice_id)
    if invoice.kind != InvoiceKind.INVOICE:
        raise CreditConflict(f"{invoice.number or 'The draft'} is a credit note: only an invoice is credited.")
    if invoice.state != InvoiceState.POSTED:
        raise CreditConflict(f"Invoice {invoice.pk} is a draft: only a posted one is credited. Change what it is of.")
    return invoice


def locked_draft(note_id: int) -> Invoice:
    """The draft credit note for an invoice, locked after its customer. Raises Invoice.DoesNotExist, CreditConflict."""
    found = Invoice.objects.get(pk=note_id)
    Customer.objects.select_for_update(no_key=True).get(pk=found.customer_id)
    note = Invoice.objects.select_for_update(of=("self",)).get(pk=note_id)
    if note.credited_invoice_id is None or note.state != InvoiceState.DRAFT:
        raise CreditConflict(f"{note.number or f'The draft {note.pk}'} is no draft of a credit note for an invoice.")
    return note


def _parts(invoice: Invoice, lines: Sequence[InvoicedLine], chosen: Sequence[InvoicedLine]) -> list[CreditedPart]:
    taken = _taken(invoice)
    by_rate: dict[int, list[InvoicedLine]] = defaultdict(list)
    for line in chosen:
        by_rate[line.tax_rate_id].append(line)
    taxes = {tax.tax_rate_id: tax for tax in InvoiceTax.objects.filter(invoice=invoice)}
    nothing = Taken(Decimal(0), Decimal(0))
    parts = []
    for tax_rate_id, of_rate in sorted(by_rate.items()):
        tax, before = taxes[tax_rate_id], taken.get(tax_rate_id, nothing)
        exact_credited = exact_sum(line.credited_exact for line in lines if line.tax_rate_id == tax_rate_id)
        part = TaxedPart(
            tax_rate_id=tax_rate_id,
            percent=tax.percent,
            net=tax.net_amount,
            tax=tax.tax_amount,
            net_credited=before.net.copy_negate(),
            tax_credited=before.tax.copy_negate(),
            exact_credited=exact_credited.copy_negate(),
            lines=tuple(_chosen_line(line) for line in of_rate),
        )
        try:
            parts.append(credited_part(part, invoice.currency.minor_units))
        except MoreThanInvoiced as error:
            raise CreditRefused(
                f"Invoice {invoice.number} has {_money(error.left, invoice)} left at the tax rate {tax.name}, and what "
                "is chosen comes to more: other lines, coupons or credits, are less than nothing. Choose them too.",
            ) from error
    return parts


def _require_within(invoice: Invoice, total: Decimal) -> None:
    """Raise CreditRefused where a note of this total, negative, takes nothing off, or more than is left in all."""
    if total >= 0 and invoice.total_amount == 0:
        raise CreditRefused(f"Invoice {invoice.number} comes to {_money(total, invoice)}: there is nothing to credit.")
    if total >= 0:
        raise CreditRefused(
            f"What is chosen of invoice {invoice.number} comes to {_money(total, invoice)}: a credit note takes "
            "something off. Choose more of the invoice, or all of it."
        )
    before = Invoice.objects.filter(credited_invoice=invoice).aggregate(total=Sum("total_amount"))["total"]
    left = exact_sum([invoice.total_amount, before or Decimal(0)])
    if left + total < 0:
        raise CreditRefused(
            f"Invoice {invoice.number} has {_money(left, invoice)} left, and what is chosen comes to more: lines at "
            "another tax rate are less than nothing. Choose them too."
        )


def _taken(invoice: Invoice) -> dict[int, Taken]:
    notes = InvoiceTax.objects.filter(invoice__credited_invoice=invoice).order_by()
    sums = notes.values("tax_rate_id").annotate(net=Sum("net_amount"), tax=Sum("tax_amount"))
    return {row["tax_rate_id"]: Taken(row["net"], row["tax"]) for row in sums}


def _chosen_line(line: InvoicedLine) -> ChosenLine:
    return ChosenLine(
        line_number=line.line_number,
        left=exact_sum([line.amount, line.credited_amount]),
        exact=line.chosen_amount if line.charge_count else line.exact_amount,
        is_rest=line.chosen_count + line.credited_count == line.charge_count,
    )


def _write(note: Invoice, invoice: Invoice, chosen: Sequence[InvoicedLine], parts: Sequence[CreditedPart]) -> None:
    amounts = {number: amount for part in parts for number, amount in part.amounts.items()}
    copied = {line.pk: line for line in InvoiceLine.objects.filter(pk__in=[line.id for line in chosen])}
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            **{name: getattr(copied[line.id], name) for name in COPIED_TO_LINES},
            invoice=note,
            line_number=number,
            credited_line_id=line.id,
            quantity=(line.chosen_quantity if line.charge_count else line.quantity).copy_negate(),
            exact_amount=(line.chosen_amount if line.charge_count else line.exact_amount).copy_negate(),
            amount=amounts[line.line_number].copy_negate(),
            charge_count=line.chosen_count,
        )
        for number, line in enumerate(chosen, start=1)
    )
    with connection.cursor() as cursor:
        cursor.execute((SQL / "charges.sql").read_text(), {"note_id": note.pk})
    taxes = {tax.tax_rate_id: tax for tax in InvoiceTax.objects.filter(invoice=invoice)}
    InvoiceTax.objects.bulk_create(
        InvoiceTax(
            invoice=note,
            tax_rate_id=part.tax_rate_id,
            name=taxes[part.tax_rate_id].name,
            percent=taxes[part.tax_rate_id].percent,
            note=taxes[part.tax_rate_id].note,
            net_amount=part.net.copy_negate(),
            tax_amount=part.tax.copy_negate(),
        )
        for part in parts
    )


def _money(amount: Decimal, invoice: Invoice) -> str:
    return f"{amount:.{invoice.currency.minor_units}f} {invoice.currency_id}"
