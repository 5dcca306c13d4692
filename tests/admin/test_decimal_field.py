"""Forms show decimals as people write them, whatever the scale of the column."""

from decimal import Decimal

import pytest
from django.test import Client

from catalog.admin.decimal_field import PlainDecimalField
from tests.factories import InvoiceUsageReportProfileFactory


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (Decimal("0E-18"), "0"),
        (Decimal("0.005000000000000000"), "0.005"),
        (Decimal(100), "100"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-2.50"), "-2.5"),
        (Decimal("NaN"), Decimal("NaN")),
        ("1.50", "1.50"),
        (None, None),
    ],
)
def test_a_decimal_has_no_zeros_that_only_its_column_adds(stored: object, shown: object) -> None:
    assert str(PlainDecimalField().prepare_value(stored)) == str(shown)


@pytest.mark.django_db
def test_a_page_shows_plain_decimals(admin_client: Client) -> None:
    profile = InvoiceUsageReportProfileFactory(threshold_amount=Decimal("0.05"))
    page = admin_client.get(f"/admin/reports/invoiceusagereportprofile/{profile.pk}/change/").content.decode()
    assert 'name="threshold_amount" value="0.05"' in page
