"""Public holidays: those of a country are taken from a calendar, single ones are added and taken away by hand."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from catalog.adapters.holidays import countries, known_years, public_holidays
from catalog.models import PublicHoliday, Rate
from catalog.operations.refusals import CatalogConflict, CatalogRefused, database_refusals

MOST_YEARS = 50


@dataclass(frozen=True, slots=True)
class HolidaysAdded:
    """How many days are new, and how many were there already, which stay as they are."""

    added_count: int
    known_count: int


@transaction.atomic
def add_public_holidays(*, country: str, years: range) -> HolidaysAdded:
    """Add the public holidays that a country has in these years, and is not said to have already.

    Raises `CatalogRefused` for a country or years that no calendar is known of.
    """
    if country not in countries():
        raise CatalogRefused(f"No calendar of the country “{country}” is known. Add its holidays one by one.")
    known = known_years(country)
    if not years or len(years) > MOST_YEARS:
        raise CatalogRefused(f"Ask for one to {MOST_YEARS} years, the first before the last.")
    if years[0] not in known or years[-1] not in known:
        raise CatalogRefused(f"Holidays of {countries()[country]} are known from {known[0]} to {known[-1]}.")
    found = public_holidays(country, years)
    there = set(
        PublicHoliday.objects.filter(country=country, day__in=[holiday.day for holiday in found]).values_list(
            "day", flat=True
        )
    )
    new = [
        PublicHoliday(country=country, day=holiday.day, name=holiday.name[:200])
        for holiday in found
        if holiday.day not in there
    ]
    # Another one may add the same days meanwhile.
    PublicHoliday.objects.bulk_create(new, ignore_conflicts=True)
    return HolidaysAdded(added_count=len(new), known_count=len(there))


def add_public_holiday(*, country: str, day: date, name: str) -> PublicHoliday:
    """Add one day. Raises `CatalogConflict` where the country has a holiday on it, `CatalogRefused` for no country."""
    with database_refusals():
        return PublicHoliday.objects.create(country=country, day=day, name=name)


def rename_public_holiday(*, holiday_id: int, name: str) -> PublicHoliday:
    """Call a holiday by another name; its country and its day stay."""
    holiday = PublicHoliday.objects.get(id=holiday_id)
    holiday.name = name
    holiday.save(update_fields=["name"])
    return holiday


@transaction.atomic
def delete_public_holiday(*, holiday_id: int, on: date) -> None:
    """Take a holiday away. `on` is today in UTC.

    Raises `CatalogConflict` where usage may have been priced by it: its day has come somewhere in the world, and a
    rate card with prices by time band goes by the holidays of its country.
    """
    holiday = PublicHoliday.objects.select_for_update().get(id=holiday_id)
    if holiday.day <= on + timedelta(days=1):
        rates = Rate.objects.filter(rate_card__holiday_country=holiday.country, time_band__isnull=False)
        used_by = rates.select_related("rate_card").first()
        if used_by is not None:
            raise CatalogConflict(
                f"{holiday.name} on {holiday.day} has come, and the rate card {used_by.rate_card.name} has prices that "
                f"go by the holidays of {holiday.country}: it stays."
            )
    holiday.delete()
