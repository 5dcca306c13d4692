"""Currencies without decimals and with three: lines, credits, minimum and tax in their own minor units."""

from decimal import Decimal

import pytest

from tests.credits import amounts, left
from tests.factories import AccountCreditFactory, TaxRateFactory
from tests.runs import bill, customer_at, invoice, taxes, totals, use

pytestmark = pytest.mark.django_db


def test_yen_have_no_decimals() -> None:
    acme, call = customer_at("0.7", currency="JPY", tax_rate=TaxRateFactory(percent=Decimal(10)))
    use(acme, call, 1501)
    AccountCreditFactory(customer=acme, code="TEN", percent=Decimal(10))
    gift = AccountCreditFactory(customer=acme, code="GIFT", amount=Decimal("300.9"))
    document = invoice(bill(), acme)
    # 1501 x 0.7 = 1050.7; less 10 %, 105.07, is 945.63, rounded 946; less 300 is 646. Lines: floors are 1050, -106 and
    # -300, together 644; of the two yen left the larger remainder, -105.07's .93, takes one, 1050.7's .7 the other.
    assert amounts(document) == [
        "USAGE 1050.7 -> 1051 at 10 %",
        "CREDIT TEN -105.07 -> -105 at 10 %",
        "CREDIT GIFT -300 -> -300 at 10 %",
    ]
    # 646 x 10 % = 64.6.
    assert (taxes(document), totals(document)) == (["10 % of 646 = 65"], "646 + 65 = 711 JPY")
    assert left(gift) == Decimal("0.9")


def test_a_dinar_has_three_decimals() -> None:
    acme, call = customer_at("0.0333", currency="KWD", tax_rate=TaxRateFactory(percent=Decimal(5)))
    use(acme, call, 101)
    gift = AccountCreditFactory(customer=acme, code="GIFT", amount=Decimal("1.2345"))
    document = invoice(bill(), acme)
    # 101 x 0.0333 = 3.3633, rounded 3.363; 1.234 of the 1.2345 are whole fils: 2.129; 5 % of it is 0.10645.
    assert amounts(document) == ["USAGE 3.3633 -> 3.363 at 5 %", "CREDIT GIFT -1.234 -> -1.234 at 5 %"]
    assert totals(document) == "2.129 + 0.106 = 2.235 KWD"
    assert left(gift) == Decimal("0.0005")


@pytest.mark.parametrize(
    ("currency", "price", "said"),
    [
        # 7 x 0.7 = 4.9, rounded 5: 95 more.
        ("JPY", "0.7", ["USAGE 4.9 -> 5 at 20 %", "MINIMUM 95 -> 95 at 20 %"]),
        # 7 x 0.0333 = 0.2331, rounded 0.233: 99.767 more.
        ("KWD", "0.0333", ["USAGE 0.2331 -> 0.233 at 20 %", "MINIMUM 99.767 -> 99.767 at 20 %"]),
    ],
)
def test_the_minimum_is_met_to_the_minor_unit(currency: str, price: str, said: list[str]) -> None:
    acme, call = customer_at(price, currency=currency, minimum_invoice_amount=Decimal(100), minimum_rule="pad")
    use(acme, call, 7)
    document = invoice(bill(), acme)
    assert (amounts(document), document.net_amount) == (said, Decimal(100))
