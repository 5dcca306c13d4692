"""A wrong price is found after January was posted and while February's draft waits: who pays what in the end."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import BillingRun
from billing.operations.price_corrections import draft_corrections
from billing.operations.price_differences import price_differences
from billing.operations.todays_prices import produce_with_todays_prices
from billing.queries.check_explanations import check_explanations
from catalog.models import Product
from catalog.operations.rates import add_rate_version
from customers.models import Customer
from invoicing.models import Invoice
from tests.billing.taken import THEN
from tests.factories import CustomerFactory
from tests.runs import FEBRUARY, account, bill, customer_at, invoice, lines, post, rate_of, taxes, totals, use

# Each step is committed: runs and re-rating see what was there before them.
pytestmark = pytest.mark.django_db(transaction=True)

MARCH = {"invoice_date": date(2026, 4, 1), "cutoff_date": date(2026, 4, 1), "due_date": date(2026, 4, 30)}


@dataclass(frozen=True, slots=True)
class Billed:
    """Acme and Bell, what they use, the draft run of February, and the seals of January's posted invoices."""

    acme: Customer
    bell: Customer
    call: Product
    february: BillingRun
    sealed: dict[int, str]


@pytest.fixture
def billed() -> Billed:
    acme, call = customer_at("0.20", account_number="ACME")
    bell = CustomerFactory(account_number="BELL", rate_cards=[rate_of(call).rate_card])
    # January, at 0.20 a minute: Acme 300, Bell 50 minutes.
    for customer, minutes in ((acme, 300), (bell, 50)):
        use(customer, call, minutes, on="2026-01-15")
    january = post(bill())
    assert totals(invoice(january, acme)) == "60.00 + 12.00 = 72.00 USD"
    assert totals(invoice(january, bell)) == "10.00 + 2.00 = 12.00 USD"
    sealed = {document.pk: document.content_sha256 for document in Invoice.objects.all()}

    # February: 100 minutes each, on drafts.
    for customer in (acme, bell):
        use(customer, call, 100, on="2026-02-10")
    february = bill(**FEBRUARY)
    assert totals(invoice(february, acme)) == "20.00 + 4.00 = 24.00 USD"
    return Billed(acme, bell, call, february, sealed)


def test_a_price_corrected_after_the_invoice(billed: Billed) -> None:
    acme, bell, call, february = billed.acme, billed.bell, billed.call, billed.february
    # It should have been 0.15 from the first of January on. March, not billed yet, will simply cost that.
    add_rate_version(rate_id=rate_of(call).pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.15")})
    use(acme, call, 10, on="2026-03-10")

    # The drafts keep their price until somebody has one made again.
    produce_with_todays_prices(account_id=account(february, acme).pk)
    # 100 x 0.15 = 15.00, and 3.00 tax.
    assert totals(invoice(february, acme)) == "15.00 + 3.00 = 18.00 USD"
    assert totals(invoice(february, bell)) == "20.00 + 4.00 = 24.00 USD"
    post(february)

    # Posted: Acme's January, 300 x 0.05 = 15 too much. Bell's January, 50 x 0.05 = 2.50, and February, 5.
    both: dict[str, Any] = {"from_day": date(2026, 1, 1), "until_day": date(2026, 3, 1)}
    found = price_differences(**both)
    assert [(one.account_number, one.invoice_count, one.difference) for one in found.customers] == [
        ("ACME", 1, Decimal("-15.00")),
        ("BELL", 2, Decimal("-7.50")),
    ]
    drafted = draft_corrections(**both, customer_ids=[acme.pk], reason="0.15 as agreed", at=THEN)
    # Credit and new charge of one invoice, one product, one tax rate.
    assert (drafted.transaction_count, drafted.record_count) == (2, 1)
    assert draft_corrections(**both, customer_ids=[acme.pk], at=THEN).transaction_count == 0

    # March: 10 x 0.15 = 1.50, and 45.00 in place of 60.00 for January: 13.50 back, with the tax of it, a credit note.
    march = post(bill(**MARCH))
    assert lines(invoice(march, acme)) == [
        "10 x 0.15 = 1.5 -> 1.50",
        "1 x 45 = 45 -> 45.00",
        "-1 x 60 = -60 -> -60.00",
    ]
    assert taxes(invoice(march, acme)) == ["20 % of -13.50 = -2.70"]
    assert totals(invoice(march, acme)) == "-13.50 + -2.70 = -16.20 USD"
    assert [one.account_number for one in price_differences(**both).customers] == ["BELL"]

    # In the end Acme has paid 410 minutes at 0.15 = 61.50: 60.00 + 15.00 - 13.50.
    paid = sum(document.net_amount for document in Invoice.objects.filter(customer=acme))
    assert paid == Decimal("61.50")
    # Nothing of January has changed, and every charge is what its explanation comes to.
    assert {one.pk: one.content_sha256 for one in Invoice.objects.filter(pk__in=billed.sealed)} == billed.sealed
    for document in Invoice.objects.all():
        assert [one.fault for one in check_explanations(invoice_id=document.pk).unequal] == []
