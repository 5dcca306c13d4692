"""Legal entities: who sells."""

from typing import TypedDict

from django.db import transaction

from catalog.operations.refusals import database_refusals
from invoicing.choices import InvoiceKind
from invoicing.models import LegalEntity, NumberSeries

PREFIXES = {InvoiceKind.INVOICE: "INV", InvoiceKind.CREDIT_NOTE: "CN"}


class LegalEntityValues(TypedDict, total=False):
    """What a legal entity says of itself; see `invoicing.models.LegalEntity`."""

    code: str
    name: str
    address: str
    country: str
    vat_number: str
    registration: str
    email: str
    phone: str
    website: str
    payment_details: str
    is_default: bool


@transaction.atomic
def create_legal_entity(*, values: LegalEntityValues) -> LegalEntity:
    """Make a legal entity with its number series. As the default one it takes the place of the one before.

    Raises CatalogRefused for impossible values, CatalogConflict for a code that there is already.
    """
    entity = LegalEntity(**values)
    _be_the_only_default(entity)
    with database_refusals():
        entity.save()
    add_number_series(legal_entity_id=entity.pk)
    return entity


@transaction.atomic
def update_legal_entity(*, legal_entity_id: int, changes: LegalEntityValues) -> LegalEntity:
    """Change a legal entity; what `changes` does not name stays, and so does what posted documents say of it.

    Raises as `create_legal_entity` does.
    """
    entity = LegalEntity.objects.select_for_update().get(id=legal_entity_id)
    for name, value in changes.items():
        setattr(entity, name, value)
    _be_the_only_default(entity)
    with database_refusals():
        entity.save()
    return entity


@transaction.atomic
def add_number_series(*, legal_entity_id: int) -> None:
    """Give a legal entity a number series of each kind that it has none of: INV-ACME-000001 for the code ACME."""
    entity = LegalEntity.objects.get(id=legal_entity_id)
    present = set(NumberSeries.objects.filter(legal_entity=entity).values_list("kind", flat=True))
    for kind, prefix in PREFIXES.items():
        if kind not in present:
            NumberSeries.objects.create(legal_entity=entity, kind=kind, prefix=f"{prefix}-{entity.code}-")


def _be_the_only_default(entity: LegalEntity) -> None:
    if entity.is_default:
        for other in LegalEntity.objects.select_for_update().filter(is_default=True).exclude(pk=entity.pk):
            other.is_default = False
            other.save(update_fields=["is_default"])
