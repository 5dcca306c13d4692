"""Nobody takes back more than was invoiced: the database refuses, whoever asks and however."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from invoicing.choices import InvoiceKind
from invoicing.models import CreditedCharge, Invoice, InvoiceLine, InvoiceTax, UsageCharge
from tests.factories import (
    CreditedChargeFactory,
    CustomerFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    InvoiceTaxFactory,
    LegalEntityFactory,
    PriceCorrectionFactory,
    ProductFactory,
    TaxRateFactory,
    TransactionFactory,
    UsageChargeFactory,
    post,
)
from tests.factories.credit_notes import draft_note, note_line
from tests.invoicing.test_reversals import reverse
from tests.refusals import refused

pytestmark = pytest.mark.django_db

ONLY_FOR = "A credit note is for a posted invoice of its customer, currency and legal entity"
MORE_THAN_ONCE = "Line 1 of the invoice would be taken back more than once"
NOT_ITS_LINE = "Line 1 does not fit what it takes back"
MORE_THAN_INVOICED = "More would be taken back than was invoiced, or by another percent"


def line_of_two() -> list[UsageCharge]:
    """Two charges of 0.60 and 0.40 on one line of 1.00, not posted yet."""
    line = InvoiceLineFactory(charge_count=2, exact_amount=Decimal(1), amount=Decimal("1.00"))
    return [UsageChargeFactory(line=line, amount=Decimal(amount)) for amount in ("0.60", "0.40")]


def fee(**fields: Any) -> InvoiceLine:
    """A line of 5.00 without charges on an invoice of its own."""
    made: InvoiceLine = InvoiceLineFactory(
        **({"kind": "MANUAL", "exact_amount": Decimal(5), "amount": Decimal("5.00"), "quantity": Decimal(1)} | fields)
    )
    return made


def fee_taken_back(line: InvoiceLine, **fields: Any) -> InvoiceLine:
    values = {
        "kind": "MANUAL",
        "tax_rate": line.tax_rate,
        "credited_line": line,
        "quantity": Decimal(-1),
        "exact_amount": Decimal(-5),
        "amount": Decimal("-5.00"),
    }
    made: InvoiceLine = InvoiceLineFactory(**(values | fields))
    return made


def test_a_charge_is_taken_back_by_its_line_and_the_draft_may_go_again() -> None:
    credited = CreditedChargeFactory()
    connection.check_constraints()
    note = credited.line.invoice
    assert (str(credited), note.credited_invoice) == (f"charge {credited.pk}", credited.charge.line.invoice)
    CreditedCharge.objects.all().delete()
    note.delete()
    assert list(Invoice.objects.values_list("kind", flat=True)) == ["INVOICE"]


@pytest.mark.parametrize("how", ["draft", "credit note", "customer", "currency", "legal entity"])
def test_a_credit_note_is_for_a_posted_invoice_of_its_own(how: str) -> None:
    invoice = InvoiceFactory()
    if how == "draft":
        with refused(by=ONLY_FOR):
            InvoiceFactory(
                customer=invoice.customer,
                kind=InvoiceKind.CREDIT_NOTE,
                credited_invoice=invoice,
                reason="x",
                net_amount=Decimal(-1),
            )
        return
    note = draft_note(invoice)
    other = CustomerFactory(currency__code="EUR")
    unfit: dict[str, dict[str, Any]] = {
        "credit note": {},
        "customer": {"customer": CustomerFactory(currency=invoice.currency)},
        "currency": {"currency": other.currency},
        "legal entity": {"legal_entity": LegalEntityFactory()},
    }
    with refused(by=ONLY_FOR):
        draft_note(post(note) if how == "credit note" else invoice, **unfit[how])


def test_what_a_credit_note_is_for_stays() -> None:
    invoice, other = InvoiceFactory(), post(InvoiceFactory())
    note = draft_note(invoice)
    for changed in (other.pk, None):
        with refused(by="Cannot update rows from invoice table"):
            Invoice.objects.filter(pk=note.pk).update(credited_invoice=changed)
    with refused(by=ONLY_FOR):
        Invoice.objects.filter(pk=note.pk).update(customer=other.customer)


def test_a_credit_note_says_why() -> None:
    with refused(by="invoice_credited_by_a_note_that_says_why"):
        draft_note(InvoiceFactory(), reason="")


@pytest.mark.parametrize(
    "unfit",
    [
        {"credited_line": 0},
        {"kind": "MANUAL"},
        {"product": ProductFactory},
        {"tax_rate": lambda: TaxRateFactory(percent=Decimal(3))},
        {"credited_line": lambda: post_line(fee())},
    ],
)
def test_a_line_takes_back_one_like_it_of_the_invoice(unfit: dict[str, Any]) -> None:
    charge = UsageChargeFactory(line__charge_count=1, line__amount=Decimal("0.60"), line__exact_amount=Decimal("0.60"))
    note = draft_note(charge.line.invoice)
    values = {name: value() if callable(value) else value for name, value in unfit.items()}
    if values.get("credited_line") == 0:
        values = {"credited_line_id": 10**12}
        with refused(by=NOT_ITS_LINE):
            InvoiceLineFactory(invoice=note, tax_rate=charge.line.tax_rate, **values)
        return
    with refused(by=NOT_ITS_LINE):
        note_line(charge, invoice=note, **values)


def post_line(line: InvoiceLine) -> InvoiceLine:
    post(line.invoice)
    return line


def test_a_line_without_charges_is_taken_back_whole_and_once() -> None:
    line = fee()
    note = draft_note(line.invoice)
    with refused(by=MORE_THAN_ONCE):
        fee_taken_back(line, invoice=note, amount=Decimal("-4.99"))
    with refused(by="Line 1 of the credit note is not what the charges that it takes back come to"):
        fee_taken_back(line, invoice=note, exact_amount=Decimal(-4))
    fee_taken_back(line, invoice=note)
    connection.check_constraints()
    with refused(by=MORE_THAN_ONCE):
        fee_taken_back(line, invoice=draft_note(line.invoice))


def test_parts_of_a_line_of_usage_are_at_most_the_line() -> None:
    first, second = line_of_two()
    one = note_line(first, amount=Decimal("-0.60"))
    CreditedChargeFactory(charge=first, line=one)
    with refused(by=MORE_THAN_ONCE):
        note_line(second, amount=Decimal("-0.41"))
    with refused(by=MORE_THAN_ONCE):
        note_line(second, amount=Decimal("0.61"))
    CreditedChargeFactory(charge=second, line=note_line(second, amount=Decimal("-0.40")))
    connection.check_constraints()


def test_a_line_of_usage_says_what_its_charges_come_to() -> None:
    first, second = line_of_two()
    with refused(by="is not what the charges that it takes back come to"):
        # Of no charge.
        note_line(first, amount=Decimal("-0.60"))
    with refused(by="is not what the charges that it takes back come to"):
        CreditedChargeFactory(charge=first, line=note_line(first, amount=Decimal("-0.60"), charge_count=2))
    with refused(by="is not what the charges that it takes back come to"):
        CreditedChargeFactory(charge=first, line=note_line(first, amount=Decimal("-0.60"), exact_amount=Decimal(-1)))
    with refused(by="is not of the line that is credited, or was taken back before"):
        CreditedChargeFactory(charge=second, line=fee())


def test_a_charge_is_taken_back_once() -> None:
    credited = CreditedChargeFactory()
    with refused(by="credited_charge_pkey"):
        CreditedCharge.objects.create(charge=credited.charge, line=credited.line)
    with refused(by="A credit note has taken the charge back already"):
        reverse(credited.charge)


def test_a_charge_that_was_reversed_is_not_credited() -> None:
    charge, _ = line_of_two()
    post(charge.line.invoice)
    reverse(charge)
    with refused(by="is not of the line that is credited, or was taken back before"):
        CreditedChargeFactory(charge=charge, line=note_line(charge, amount=Decimal("-0.60")))


def test_the_price_of_a_credited_charge_is_corrected_no_more() -> None:
    credited = CreditedChargeFactory()
    with refused(by="has taken charge .* back: its price is not corrected any more"):
        PriceCorrectionFactory(charge=credited.charge)


def test_a_credit_note_is_not_posted_without_the_corrections_of_what_it_takes_back() -> None:
    charge = UsageChargeFactory(line__charge_count=1, line__amount=Decimal("0.60"), line__exact_amount=Decimal("0.60"))
    PriceCorrectionFactory(charge=charge)
    credited = CreditedChargeFactory(charge=charge)
    note = credited.line.invoice
    with refused(by="takes back charges whose prices were corrected, and not the corrections"):
        post(note)
    # The 0.10 that the correction took off are charged again: it comes to 0.60 as before.
    back = TransactionFactory(customer=charge.customer, kind="CORRECTION", unit_price=Decimal("0.10"))
    PriceCorrectionFactory(charge=charge, turn=2, amount_before=Decimal("0.50"), amount=Decimal("0.60"), credit=back)
    assert post(note).number == "CN-000001"


def test_net_and_tax_are_taken_back_at_most_once_for_each_tax_rate() -> None:
    invoice = InvoiceFactory()
    # 10.00 net and 2.00 tax at 20 %.
    tax = InvoiceTaxFactory(invoice=invoice)
    note = draft_note(invoice)
    for unfit in (
        {"net_amount": Decimal("-10.01"), "tax_amount": Decimal("-2.00")},
        {"net_amount": Decimal("-10.00"), "tax_amount": Decimal("-2.01")},
        {"net_amount": Decimal(-1), "tax_amount": Decimal(0), "percent": Decimal(7)},
        {"net_amount": Decimal(-1), "tax_amount": Decimal(0), "tax_rate": TaxRateFactory(percent=Decimal(7))},
    ):
        with refused(by=MORE_THAN_INVOICED):
            InvoiceTaxFactory(**({"invoice": note, "tax_rate": tax.tax_rate} | unfit))
    InvoiceTaxFactory(invoice=note, tax_rate=tax.tax_rate, net_amount=Decimal(-6), tax_amount=Decimal("-1.20"))
    with refused(by=MORE_THAN_INVOICED):
        InvoiceTaxFactory(
            invoice=draft_note(invoice), tax_rate=tax.tax_rate, net_amount=Decimal("-4.01"), tax_amount=Decimal("-0.80")
        )


def test_what_a_posted_credit_note_took_back_stays() -> None:
    credited = CreditedChargeFactory()
    post(credited.line.invoice)
    with refused(by="Invoice CN-000001 is posted: it does not change"):
        CreditedCharge.objects.all().delete()
    with refused(by="Cannot update rows from credited_charge table"):
        CreditedCharge.objects.update(line=credited.line)
    connection.check_constraints()
    with refused(by="Invoice .* is posted"), connection.cursor() as cursor:
        cursor.execute("TRUNCATE credited_charge")
    with refused(by="Invoice CN-000001 is posted: it does not change"):
        InvoiceTax.objects.create(
            invoice=credited.line.invoice,
            tax_rate=credited.line.tax_rate,
            name="x",
            percent=0,
            net_amount=0,
            tax_amount=0,
        )


def test_the_database_refuses_notes_of_more_than_their_invoice() -> None:
    invoice = InvoiceFactory()
    half = {"net_amount": Decimal("-5.00"), "tax_amount": Decimal("-1.00")}
    draft_note(invoice, **half)
    # 12.00 less 6.00 are 6.00.
    with refused(by="More would be taken back than was invoiced in all"):
        draft_note(invoice, net_amount=Decimal("-5.01"), tax_amount=Decimal("-1.00"))
    draft_note(invoice, **half)
