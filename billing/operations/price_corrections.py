"""Corrects what posted invoices charged by wrong prices: a credit and a new charge wait for the next invoice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from billing.operations.price_differences import (
    CustomerDifference,
    asked_usage,
    customers_with_differences,
    find_differences,
    sql,
)
from catalog.engine.money import exact_sum
from customers.models import Customer
from invoicing.choices import TransactionKind
from invoicing.models import PriceCorrection, Transaction

NAMED_CUSTOMERS = 5
REASON_LENGTH = 120


class CorrectionRefused(Exception):
    """Nothing was drafted; the message says for which customers not, why, and what to do."""


@dataclass(frozen=True, slots=True)
class DraftedCorrections:
    """How much was drafted. `customers` are those with corrections, with what was credited and what is charged now."""

    customers: tuple[CustomerDifference, ...]
    transaction_count: int
    record_count: int


@transaction.atomic
def draft_corrections(
    *,
    from_day: date,
    until_day: date,
    customer_ids: Sequence[int],
    rate_card_id: int | None = None,
    reason: str = "",
    user_id: int | None = None,
    at: datetime,
) -> DraftedCorrections:
    """Settle the price differences (`price_differences`) of some customers: all of them, or none.

    For each invoice, product and tax rate a credit of what was charged and a new charge of what it comes to now; both
    wait for the customer's next invoice. What is settled is no difference any more: drafted twice, corrected once.
    Raises DifferencesRefused; CorrectionRefused where usage has no price any more, or a customer's currency changed.
    """
    usage = asked_usage(from_day, until_day, customer_ids, rate_card_id)
    # Two who correct the same customer, and who takes its usage back meanwhile, come one after the other.
    in_order = Customer.objects.select_for_update(no_key=True).filter(id__in=list(customer_ids)).order_by("id")
    currencies = {customer.pk: customer.currency_id for customer in in_order}
    with connection.cursor() as cursor:
        find_differences(cursor, usage, None)
        customers = customers_with_differences(cursor, limit=None)
        _check(customers, currencies)
        cursor.execute(
            sql("corrected"), {"at": at, "reason": f" ({reason[:REASON_LENGTH]})" if reason else "", "user_id": user_id}
        )
        _, transaction_count, record_count = cursor.fetchone()
        cursor.execute("DROP TABLE difference")
    return DraftedCorrections(customers, transaction_count, record_count)


def take_back_corrections(reversal: Transaction) -> None:
    """With usage that is taken back goes what its price was corrected by: the reversal is of the charge alone.

    The customer is locked by whoever made the reversal.
    """
    charge = reversal.reversed_charge
    last = PriceCorrection.objects.filter(charge=charge).order_by("-turn").first()
    if charge is None or last is None or last.amount == charge.amount:
        return
    credit = Transaction.objects.create(
        customer_id=reversal.customer_id,
        kind=TransactionKind.CORRECTION,
        product_id=reversal.product_id,
        description=f"Price correction of that usage taken back: {reversal.description}"[:300],
        quantity=reversal.quantity,
        unit_price=exact_sum([last.amount, charge.amount.copy_negate()]),
        currency_id=reversal.currency_id,
        tax_rate_id=reversal.tax_rate_id,
        transaction_date=reversal.transaction_date,
    )
    PriceCorrection.objects.create(
        customer_id=reversal.customer_id,
        charge=charge,
        turn=last.turn + 1,
        rate_id=charge.rate_id,
        billed_quantity=charge.quantity if charge.billed_quantity is None else charge.billed_quantity,
        counted_month=charge.counted_month,
        counted_id=charge.counted_id,
        amount_before=last.amount,
        amount=charge.amount,
        credit=credit,
    )


def _check(customers: Sequence[CustomerDifference], currencies: dict[int, str]) -> None:
    unpriced = [found for found in customers if found.unpriced_count]
    if unpriced:
        count = sum(found.unpriced_count for found in unpriced)
        raise CorrectionRefused(
            f"Nothing was drafted: {count} {'record has' if count == 1 else 'records have'} no price now, of "
            f"{_named(unpriced)}. Add a rate to a price list of theirs, or cancel the records."
        )
    moved = [found for found in customers if found.currency != currencies.get(found.customer_id)]
    if moved:
        raise CorrectionRefused(
            f"Nothing was drafted: {_named(moved)} {'is' if len(moved) == 1 else 'are'} billed in another currency now "
            "than on the invoices. Correct them with a credit note."
        )


def _named(customers: Sequence[CustomerDifference]) -> str:
    names = [f"{found.account_number} {found.name}" for found in customers]
    more = len(names) - NAMED_CUSTOMERS
    return ", ".join(names[:NAMED_CUSTOMERS]) + (f" and {more} more" if more > 0 else "")
