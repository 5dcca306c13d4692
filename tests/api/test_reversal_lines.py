"""Usage that was taken back, as `/billing/v3/invoices` shows it."""

from decimal import Decimal

import pytest

from tests.api.caller import Caller
from tests.billing.taken import cancel
from tests.runs import FEBRUARY, bill, customer_at, invoice, post, use

pytestmark = pytest.mark.django_db


def test_an_opposite_line_has_its_product_its_text_and_an_amount_of_rate_times_units(staff: Caller) -> None:
    acme, call = customer_at("0.003")
    record = use(acme, call, 40, number="R1")
    post(bill())
    cancel(record)
    document = invoice(post(bill(**FEBRUARY)), acme)
    (line,) = staff.ask(f"/billing/v3/invoices/{document.pk}")["transaction_line_items"]
    assert (line["ProductName"], line["description"]) == (
        call.name,
        "Usage R1 of 2026-01-15 taken back (invoice INV-000001)",
    )
    assert (line["units"], line["rate"], line["amount"]) == (Decimal(-1), Decimal("0.12"), Decimal("-0.12"))
    assert (line["Region"], line["UsageType"], line["credit_coupon_code"]) == ("", "", "")
