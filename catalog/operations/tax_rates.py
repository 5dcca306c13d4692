"""Tax rates in time: a tax rate keeps its percent, so a new percent is a new tax rate that replaces the other."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from catalog.choices import TaxTreatment
from catalog.models import TaxRate
from catalog.operations.refusals import CatalogConflict, database_refusals


@transaction.atomic
def replace_tax_rate(
    *,
    tax_rate_id: int,
    name: str,
    percent: Decimal,
    start_date: date,
    treatment: str = TaxTreatment.STANDARD,
    note: str = "",
) -> TaxRate:
    """Make the tax rate that is taken in place of another one at tax points on or after a day.

    Raises CatalogRefused for impossible values; CatalogConflict where the other one is replaced already, or began to
    hold no earlier than that day; `TaxRate.DoesNotExist`.
    """
    replaced = TaxRate.objects.select_for_update().get(id=tax_rate_id)
    successor = TaxRate.objects.filter(predecessor=replaced).first()
    if successor is not None:
        raise CatalogConflict(
            f"The tax rate {replaced} is replaced by {successor} from {successor.start_date} on. Replace that one."
        )
    if replaced.start_date is not None and start_date <= replaced.start_date:
        raise CatalogConflict(
            f"The tax rate {replaced} holds from {replaced.start_date} on: another one replaces it on a later day."
        )
    made = TaxRate(
        name=name, percent=percent, treatment=treatment, note=note, predecessor=replaced, start_date=start_date
    )
    with database_refusals():
        made.save()
    return made
