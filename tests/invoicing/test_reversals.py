"""Opposite charges, drafts that give back what is on them, and charged usage that stays as it is."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from customers.models import BilledUntil, Customer
from invoicing.models import Invoice, Transaction, UsageCharge
from tests.factories import (
    CustomerFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    ProductFactory,
    TaxRateFactory,
    TransactionFactory,
    UsageChargeFactory,
    UsageDataRecordFactory,
    post,
)
from tests.refusals import refused
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db

EXACTLY = "A reversal is exactly what a charge on a posted invoice of the customer came to, taken back."


def posted_charge() -> UsageCharge:
    """A charge of 0.60 USD on a posted invoice."""
    charge: UsageCharge = UsageChargeFactory()
    post(charge.line.invoice)
    return charge


def reverse(charge: UsageCharge, **fields: Any) -> Transaction:
    """The reversal of a charge, or what these fields make of it."""
    values: dict[str, Any] = {
        "customer": charge.customer,
        "kind": "REVERSAL",
        "quantity": Decimal(-1),
        "unit_price": charge.amount,
        "reversed_charge": charge,
        "product": charge.line.product,
        "tax_rate": charge.line.tax_rate,
    }
    made: Transaction = TransactionFactory(**(values | fields))
    return made


def test_a_reversal_is_the_opposite_of_its_charge_once() -> None:
    charge = posted_charge()
    reversal = reverse(charge)
    reversal.refresh_from_db()
    assert (reversal.amount, charge.reversal) == (Decimal("-0.60"), reversal)
    with refused(by="transaction_reversed_charge"):
        reverse(charge)


@pytest.mark.parametrize(
    "unfit",
    [
        {"unit_price": Decimal("0.61")},
        {"quantity": Decimal(1)},
        {"quantity": Decimal(-2)},
        {"customer": CustomerFactory},
        {"product": ProductFactory},
        {"tax_rate": lambda: TaxRateFactory(percent=Decimal(3))},
        # That would be the customer's.
        {"tax_rate": None},
    ],
)
def test_a_reversal_takes_back_its_charge(unfit: dict[str, Any]) -> None:
    charge = posted_charge()
    with refused(by=EXACTLY):
        reverse(charge, **{name: value() if callable(value) else value for name, value in unfit.items()})
    with refused(by="transaction_reversal_has_its_charge"):
        reverse(charge, kind="MANUAL")


@pytest.mark.parametrize("change", [{"unit_price": Decimal("0.61")}, {"description": "Other"}, {"tax_rate": None}])
def test_a_reversal_stays_as_it_was_made(change: dict[str, Any]) -> None:
    reversal = reverse(posted_charge())
    with refused(by="Usage that was taken back stays taken back"):
        Transaction.objects.filter(pk=reversal.pk).update(**change)
    with refused(by="Usage that was taken back stays taken back"):
        reversal.delete()


def test_of_a_draft_nothing_is_reversed() -> None:
    with refused(by=EXACTLY):
        reverse(UsageChargeFactory())


def on_draft() -> Transaction:
    line = InvoiceLineFactory(kind="ONE_OFF", exact_amount=Decimal(25))
    made: Transaction = TransactionFactory(customer=line.invoice.customer, kind="ONE_OFF", invoice_line=line)
    return made


def created_in(transaction: Transaction) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT created_in::text FROM transaction WHERE id = %s", [transaction.pk])
        return str(cursor.fetchone()[0])


def test_a_draft_gives_its_transactions_back_as_they_were() -> None:
    fee = on_draft()
    before = created_in(fee)
    Transaction.objects.filter(pk=fee.pk).update(invoice_line=None)
    fee.refresh_from_db()
    assert (fee.invoice_line, fee.amount, created_in(fee)) == (None, Decimal(25), before)


def test_a_posted_invoice_gives_no_transaction_back() -> None:
    fee = on_draft()
    assert fee.invoice_line is not None
    post(fee.invoice_line.invoice)
    with refused(by="Invoice INV-000001 is posted: it does not change."):
        Transaction.objects.filter(pk=fee.pk).update(invoice_line=None)


CHANGES: list[Callable[[UsageDataRecord], int]] = [
    lambda record: UsageDataRecord.objects.filter(pk=record.pk).update(life_cycle_state="CANCELLED"),
    lambda record: UsageDataRecord.objects.filter(pk=record.pk).update(billing_directive="NOT_TO_BE_BILLED"),
    lambda record: UsageDataRecord.objects.filter(pk=record.pk).update(billing_directive="TO_BE_CREDITED"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_charged_usage_stays_as_it_is_billed(change: Callable[[UsageDataRecord], int]) -> None:
    """The trigger charged_usage_stays: off a draft first, or reversed."""
    drafted = UsageChargeFactory()
    with refused(by=f"Record {drafted.record.number} is charged on a draft invoice: its charge is taken back first."):
        change(drafted.record)
    charge = posted_charge()
    with refused(by=f"Record {charge.record.number} is charged on invoice INV-000001: its charge is taken back first."):
        change(charge.record)
    reverse(charge)
    assert change(charge.record) == 1
    assert change(UsageDataRecordFactory(pending=False)) == 1


def billed_until(customer: Customer) -> date | None:
    return BilledUntil.objects.filter(customer=customer).values_list("day", flat=True).first()


def test_the_day_until_which_a_customer_is_billed_is_kept() -> None:
    """The triggers keeps_billed_until_on_insert and keeps_billed_until_on_delete."""
    customer = CustomerFactory()
    assert billed_until(customer) is None
    january = InvoiceFactory(customer=customer, period_end=date(2026, 2, 1))
    march = InvoiceFactory(customer=customer, period_start=date(2026, 3, 1), period_end=date(2026, 4, 1))
    InvoiceFactory(customer=customer, period_end=date(2026, 1, 15))
    InvoiceFactory(period_end=date(2026, 12, 31))
    assert billed_until(customer) == date(2026, 4, 1)
    march.delete()
    assert billed_until(customer) == date(2026, 2, 1)
    post(january)
    Invoice.objects.filter(customer=customer, state="DRAFT").delete()
    assert billed_until(customer) == date(2026, 2, 1)


def test_without_documents_a_customer_is_billed_until_no_day() -> None:
    draft = InvoiceFactory()
    draft.delete()
    assert billed_until(draft.customer) is None
