"""Recurring charges: their terms may change for periods to come, never their periods once one of them was charged."""

from datetime import date
from decimal import Decimal
from typing import TypedDict

from django.db import transaction

from catalog.operations.refusals import CatalogConflict, CatalogRefused, database_refusals
from customers.models import Subscription, SubscriptionService
from invoicing.models import RecurringCharge


class RecurringChargeValues(TypedDict, total=False):
    """What a charge says of itself; see `invoicing.models.RecurringCharge`. `unit_price` in the customer's currency."""

    subscription_id: int
    service_id: int | None
    product_id: int | None
    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate_id: int | None
    months: int
    timing: str
    alignment: str
    is_prorated: bool
    start_date: date
    end_date: date | None
    minimum_months: int


@transaction.atomic
def create_recurring_charge(*, values: RecurringChargeValues) -> RecurringCharge:
    """Make a charge, of the customer of its subscription and in its currency.

    Raises CatalogRefused for impossible values and for a service of another subscription.
    """
    charge = RecurringCharge(**values)
    _belong(charge)
    with database_refusals():
        charge.save()
    return charge


@transaction.atomic
def update_recurring_charge(*, recurring_charge_id: int, changes: RecurringChargeValues) -> RecurringCharge:
    """Change what a charge says of itself; what `changes` does not name stays. What was charged stays in any case.

    Raises CatalogRefused for impossible values and for a service of another subscription, CatalogConflict for another
    subscription, start, timing, alignment or length of periods once one was charged.
    """
    charge = RecurringCharge.objects.select_for_update().get(id=recurring_charge_id)
    for name, value in changes.items():
        setattr(charge, name, value)
    _belong(charge)
    with database_refusals():
        charge.save()
    return charge


@transaction.atomic
def delete_recurring_charge(*, recurring_charge_id: int) -> None:
    """Delete a charge that was never charged. Raises CatalogConflict where one of its periods was."""
    charge = RecurringCharge.objects.select_for_update().get(id=recurring_charge_id)
    if charge.transactions.exists():
        raise CatalogConflict(f"The recurring charge {charge} was charged before: it stays. Give it an end date.")
    charge.delete()


def _belong(charge: RecurringCharge) -> None:
    """Give a charge the customer of its subscription and that customer's currency. Raises CatalogRefused."""
    subscription = Subscription.objects.select_related("customer").get(pk=charge.subscription_id)
    charge.customer_id = subscription.customer_id
    charge.currency_id = subscription.customer.currency_id
    if charge.service_id is None:
        return
    service = SubscriptionService.objects.get(pk=charge.service_id)
    if service.subscription_id != charge.subscription_id:
        raise CatalogRefused(
            f"The service {service} is of another subscription than {subscription}. Name one of this subscription."
        )
