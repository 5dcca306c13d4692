"""What the database makes sure of where prices of posted charges are corrected."""

from datetime import date
from decimal import Decimal

import pytest

from invoicing.models import Transaction
from tests.factories import InvoiceFactory, InvoiceLineFactory, PriceCorrectionFactory, TransactionFactory
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_a_charge_is_corrected_once_at_a_turn() -> None:
    first = PriceCorrectionFactory()
    with refused(by="price_correction_once_per_turn"):
        PriceCorrectionFactory(charge=first.charge)
    PriceCorrectionFactory(charge=first.charge, turn=2)


def test_turns_begin_with_one() -> None:
    with refused(by="price_correction_turns_from_one"):
        PriceCorrectionFactory(turn=0)


def test_what_it_counts_for_is_said_in_full() -> None:
    with refused(by="price_correction_counted_in_full"):
        PriceCorrectionFactory(counted_month=date(2026, 1, 1))
    with refused(by="price_correction_counted_in_full"):
        PriceCorrectionFactory(counted_id=0)
    PriceCorrectionFactory(counted_month=date(2026, 1, 1), counted_id=0)


def test_another_amount_has_its_credit() -> None:
    with refused(by="price_correction_has_its_credit"):
        PriceCorrectionFactory(credit=None)
    with refused(by="price_correction_has_its_credit"):
        PriceCorrectionFactory(credit=None, amount=Decimal("0.60"), new_charge=TransactionFactory())
    # It comes to the 0.60 that were charged.
    PriceCorrectionFactory(credit=None, amount=Decimal("0.60"))


def test_it_is_neither_changed_nor_deleted() -> None:
    correction = PriceCorrectionFactory()
    with refused(by="Cannot update or delete rows"):
        type(correction).objects.update(amount=1)
    with refused(by="Cannot update or delete rows"):
        type(correction).objects.all().delete()


def test_its_transactions_stay_as_they_are_until_a_run_takes_them() -> None:
    correction = PriceCorrectionFactory()
    credit = correction.credit
    assert credit is not None
    for changes in ({"unit_price": 5}, {"description": "Gift"}, {"kind": "MANUAL"}):
        with refused(by="A price that was corrected stays corrected"):
            Transaction.objects.filter(pk=credit.pk).update(**changes)
    with refused(by="A price that was corrected stays corrected"):
        TransactionFactory(kind="CORRECTION").delete()
    line = InvoiceLineFactory(
        invoice=InvoiceFactory(customer=credit.customer),
        kind="CORRECTION",
        quantity=1,
        unit_price=Decimal("-0.10"),
        exact_amount=Decimal("-0.10"),
        amount=Decimal("-0.10"),
    )
    Transaction.objects.filter(pk=credit.pk).update(invoice_line=line)
    Transaction.objects.filter(pk=credit.pk).update(invoice_line=None)
