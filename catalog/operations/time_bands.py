"""Time bands: hours by name. Once a rate is for a band, its hours stay."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import ProtectedError

from catalog.engine.rates import Hours
from catalog.models import TimeBand, TimeBandHours
from catalog.operations.refusals import CatalogConflict, CatalogRefused, database_refusals


def create_time_band(*, name: str, hours: Iterable[Hours]) -> TimeBand:
    """Make a band with its hours. Raises `CatalogConflict` for a name that is taken, `CatalogRefused` for bad hours."""
    with database_refusals():
        band = TimeBand.objects.create(name=name)
        _add_hours(band, hours)
        return band


@transaction.atomic
def update_time_band(*, time_band_id: int, name: str | None = None, hours: Iterable[Hours] | None = None) -> TimeBand:
    """Change the name, or put other hours in the place of the band's. None leaves what there is.

    Raises `CatalogConflict` for a name that is taken, and for other hours where rates are for the band.
    """
    band = TimeBand.objects.select_for_update().get(id=time_band_id)
    with database_refusals():
        if name is not None and name != band.name:
            band.name = name
            band.save(update_fields=["name"])
        if hours is not None:
            asked = list(hours)
            if (
                set(asked) != {Hours(frozenset(row.days), row.start_time, row.end_time) for row in band.hours.all()}
                or len(asked) != band.hours.count()
            ):
                band.hours.all().delete()
                _add_hours(band, asked)
                band.save(update_fields=["name"])
    return band


@transaction.atomic
def delete_time_band(*, time_band_id: int) -> None:
    """Delete a band that nothing is for. Raises `CatalogConflict` where rates or rate decks are."""
    band = TimeBand.objects.select_for_update().get(id=time_band_id)
    if band.rates.exists():
        raise CatalogConflict(f"Rates are for the time band {band.name}: it stays.")
    try:
        band.delete()
    except ProtectedError as error:
        raise CatalogConflict(f"Rate decks are for the time band {band.name}: it stays.") from error


def _add_hours(band: TimeBand, hours: Iterable[Hours]) -> None:
    rows = [
        TimeBandHours(time_band=band, days=sorted(row.days), start_time=row.start, end_time=row.end) for row in hours
    ]
    if not rows:
        raise CatalogRefused("A time band has hours: without them it would never hold.")
    TimeBandHours.objects.bulk_create(rows)
