"""What tests on committed data leave behind: an empty database with what migrations put there, whatever was posted."""

import pytest

from catalog.models import Currency
from invoicing.models import Invoice, NumberSeries
from tests.factories import UsageChargeFactory, post


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_a_posted_invoice_is_gone_after_a_test_and_currencies_and_series_are_not(time: str) -> None:
    assert not Invoice.objects.exists()
    assert Currency.objects.filter(code__in=["USD", "JPY"]).count() == 2
    assert sorted(NumberSeries.objects.values_list("kind", "next_number")) == [("CREDIT_NOTE", 1), ("INVOICE", 1)]
    assert post(UsageChargeFactory().line.invoice).number == "INV-000001"
