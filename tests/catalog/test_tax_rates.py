"""Tax rates in time: one replaces another from a day on."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from catalog.models import TaxRate
from catalog.operations.refusals import CatalogConflict, CatalogRefused
from catalog.operations.tax_rates import replace_tax_rate
from tests.factories import TaxRateFactory
from tests.refusals import refused

pytestmark = pytest.mark.django_db

NEW_YEAR = date(2027, 1, 1)


def replaced(rate: TaxRate, name: str = "VAT 21 %", start: date = NEW_YEAR) -> TaxRate:
    return replace_tax_rate(tax_rate_id=rate.pk, name=name, percent=Decimal(21), start_date=start)


def test_a_new_percent_is_a_new_tax_rate_that_names_the_old_one() -> None:
    old = TaxRateFactory()
    new = replaced(old)
    new.refresh_from_db()
    assert (new.predecessor, new.start_date, new.percent, new.treatment) == (old, NEW_YEAR, Decimal(21), "standard")
    old.refresh_from_db()
    assert (old.percent, old.successor) == (Decimal(20), new)


def test_a_tax_rate_is_replaced_by_one() -> None:
    old = TaxRateFactory(name="VAT")
    replaced(old)
    with pytest.raises(
        CatalogConflict, match=r"^The tax rate VAT is replaced by VAT 21 % from 2027-01-01 on\. Replace that one\.$"
    ):
        replaced(old, "VAT 22 %")


@pytest.mark.parametrize("start", [date(2026, 12, 31), NEW_YEAR])
def test_the_next_one_starts_later(start: date) -> None:
    new = replaced(TaxRateFactory())
    with pytest.raises(CatalogConflict, match=r"^The tax rate VAT 21 % holds from 2027-01-01 on"):
        replaced(new, "VAT 22 %", start)
    with refused(by="A tax rate replaces one that began to hold on an earlier day."):
        TaxRateFactory(name="VAT 22 %", predecessor=new, start_date=start)
    replaced(new, "VAT 22 %", date(2027, 1, 2))


def test_a_name_that_is_taken_is_refused() -> None:
    old = TaxRateFactory(name="VAT")
    with pytest.raises(CatalogConflict):
        replaced(old, "VAT")
    with pytest.raises(CatalogRefused):
        replace_tax_rate(tax_rate_id=old.pk, name="More", percent=Decimal(101), start_date=NEW_YEAR)


@pytest.mark.parametrize(
    "change",
    [
        "percent = 22",
        "treatment = 'exempt', percent = 0",
        "predecessor_id = NULL, start_date = NULL",
        "start_date = '2027-02-01'",
    ],
)
def test_what_runs_go_by_stays(change: str) -> None:
    new = replaced(TaxRateFactory())
    TaxRate.objects.filter(pk=new.pk).update(note="As of 2027", name="VAT from 2027")
    with refused(by="Cannot update rows from tax_rate"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE tax_rate SET {change} WHERE id = %s", [new.pk])
