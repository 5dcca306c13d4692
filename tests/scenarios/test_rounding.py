"""Documents round once per tax rate, not per record and not per line."""

from datetime import date
from decimal import Decimal

import pytest

from tests.factories import ProductFactory, RateFactory, TaxRateFactory, TransactionFactory
from tests.runs import bill, customer_at, invoice, lines, rate_of, taxes, totals, use

pytestmark = pytest.mark.django_db


def test_a_hundred_records_of_0_004_are_0_40_and_not_nothing() -> None:
    acme, message = customer_at("0.004")
    for _ in range(100):
        use(acme, message, 1)
    # 100 x 0.004 = 0.400. Each rounded by itself would be 0.00.
    assert lines(invoice(bill(), acme)) == ["100 x 0.004 = 0.4 -> 0.40"]


def test_a_hundred_lines_of_0_004_are_0_40_and_not_nothing() -> None:
    acme, _ = customer_at("0.004")
    card = acme.customer_rate_cards.get().rate_card
    for n in range(100):
        product = ProductFactory(code=f"SKU-{n:03}")
        RateFactory(rate_card=card, product=product, unit_price=Decimal("0.004"))
        use(acme, product, 1)
    document = invoice(bill(), acme)
    # 100 lines of 0.004, together 0.40: forty of them get a cent, the first ones as all remainders are equal.
    assert lines(document) == ["1 x 0.004 = 0.004 -> 0.01"] * 40 + ["1 x 0.004 = 0.004 -> 0.00"] * 60
    assert totals(document) == "0.40 + 0.08 = 0.48 USD"


def test_two_lines_with_half_cents() -> None:
    acme, first = customer_at("0.125")
    second = ProductFactory()
    RateFactory(rate_card=rate_of(first).rate_card, product=second, unit_price=Decimal("0.125"))
    use(acme, first, 1)
    use(acme, second, 1)
    document = invoice(bill(), acme)
    # 0.125 + 0.125 = 0.25. Each rounded by itself would be 0.13 + 0.13 = 0.26: a cent too much.
    assert lines(document) == ["1 x 0.125 = 0.125 -> 0.13", "1 x 0.125 = 0.125 -> 0.12"]
    assert totals(document) == "0.25 + 0.05 = 0.30 USD"


def test_the_missing_cent_goes_to_the_largest_remainder() -> None:
    acme, first = customer_at("0.013")
    second = ProductFactory()
    RateFactory(rate_card=rate_of(first).rate_card, product=second, unit_price=Decimal("0.018"))
    use(acme, first, 1)
    use(acme, second, 1)
    # 0.013 + 0.018 = 0.031, so 0.03. Rounded down 0.01 + 0.01; the third cent goes to 0.018, whose rest is larger.
    assert lines(invoice(bill(), acme)) == ["1 x 0.013 = 0.013 -> 0.01", "1 x 0.018 = 0.018 -> 0.02"]


def test_yen_have_no_decimals() -> None:
    acme, call = customer_at("0.5", currency="JPY")
    use(acme, call, 3)
    # 3 x 0.5 = 1.5 yen, half up: 2. Tax: 20 % of 2 = 0.4, so 0.
    document = invoice(bill(), acme)
    assert lines(document) == ["3 x 0.5 = 1.5 -> 2"]
    assert totals(document) == "2 + 0 = 2 JPY"


def test_dinars_have_three_decimals() -> None:
    acme, call = customer_at("0.0125", currency="BHD")
    use(acme, call, 1)
    # 0.0125 dinars, half up: 0.013. Tax: 20 % of 0.013 = 0.0026, so 0.003.
    document = invoice(bill(), acme)
    assert lines(document) == ["1 x 0.0125 = 0.0125 -> 0.013"]
    assert totals(document) == "0.013 + 0.003 = 0.016 BHD"


def test_each_tax_rate_rounds_its_own_sum() -> None:
    acme, call = customer_at("0.006")
    use(acme, call, 1)
    TransactionFactory(
        customer=acme,
        unit_price=Decimal("0.006"),
        tax_rate=TaxRateFactory(percent=Decimal(7)),
        transaction_date=date(2026, 1, 10),
    )
    document = invoice(bill(), acme)
    # Usage at 20 %: 0.006 -> 0.01. The fee at 7 %: 0.006 -> 0.01. Together 0.02, though both are 0.012.
    assert lines(document) == ["1 x 0.006 = 0.006 -> 0.01", "1 x 0.006 = 0.006 -> 0.01"]
    assert taxes(document) == ["20 % of 0.01 = 0.00", "7 % of 0.01 = 0.00"]
    assert totals(document) == "0.02 + 0.00 = 0.02 USD"


def test_what_is_left_of_one_tax_rate_does_not_raise_a_line_of_another() -> None:
    acme, call = customer_at("0.006")
    use(acme, call, 1)
    TransactionFactory(
        customer=acme,
        unit_price=Decimal("0.004"),
        tax_rate=TaxRateFactory(percent=Decimal(7)),
        transaction_date=date(2026, 1, 10),
    )
    # Usage at 20 %: 0.006 -> 0.01. The fee at 7 %: 0.004 -> 0.00.
    assert lines(invoice(bill(), acme)) == ["1 x 0.006 = 0.006 -> 0.01", "1 x 0.004 = 0.004 -> 0.00"]


def test_the_price_of_one_unit_need_not_be_a_decimal_fraction() -> None:
    acme, data = customer_at("1", rate__unit_size=Decimal(7))
    for _ in range(7):
        use(acme, data, 1)
    # 1 / 7 = 0.142857142857142857, to 18 decimals; seven of them are 0.999999999999999999, so 1.00.
    assert lines(invoice(bill(), acme)) == ["7 x 1 / 7 = 0.999999999999999999 -> 1.00"]
