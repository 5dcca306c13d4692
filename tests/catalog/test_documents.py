from dataclasses import replace
from datetime import date
from decimal import Decimal

from catalog.engine.documents import Charge, Document, Line, Terms, make_document
from catalog.engine.rates import Rate

PEAK = Rate(
    id=1, card_id=1, card_name="Retail", product="CALL", unit_price=Decimal("0.02"), start_date=date(2026, 1, 1)
)
CHEAP = replace(PEAK, id=2, unit_price=Decimal("0.01"))
CALL = Charge(
    product_code="CALL",
    region="EU",
    usage_type="Call",
    rate=PEAK,
    late_period=None,
    quantity=Decimal(1),
    amount=Decimal("0.02"),
)
TERMS = Terms(tax_percent=Decimal(19), minor_units=2, minimum_amount=Decimal("0.01"))


def test_charges_are_grouped_into_lines_that_add_up() -> None:
    charges = [
        replace(CALL, quantity=Decimal("50.2"), amount=Decimal("1.004")),
        replace(CALL, product_code="DATA", usage_type="Data", rate=None, amount=Decimal("0.004")),
        replace(CALL, quantity=Decimal("0.2"), amount=Decimal("0.004")),
    ]
    # Lines 1.008 and 0.004, together 1.012: net 1.01. Rounded down 1.00 and 0.00; the cent goes to the remainder 0.008.
    # Tax: 1.01 x 19 % = 0.1919, so 0.19.
    call = Line("CALL", "EU", "Call", PEAK, None, Decimal("50.4"), Decimal("1.008"), Decimal("1.01"), 2)
    data = Line("DATA", "EU", "Data", None, None, Decimal(1), Decimal("0.004"), Decimal("0.00"), 1)
    document = make_document(charges, TERMS)
    assert document == Document(
        lines=(call, data),
        exact_amount=Decimal("1.012"),
        net_amount=Decimal("1.01"),
        tax_amount=Decimal("0.19"),
        total_amount=Decimal("1.20"),
    )
    assert document is not None
    assert not document.is_credit_note


def test_lines_are_sorted_and_what_is_missing_comes_last() -> None:
    ordered = [
        CALL,
        replace(CALL, product_code="SMS", region=""),
        replace(CALL, product_code="SMS", region="EU", usage_type="Message", rate=CHEAP, late_period=date(2025, 11, 1)),
        replace(CALL, product_code="SMS", region="EU", usage_type="Message", rate=CHEAP, late_period=date(2025, 12, 1)),
        replace(CALL, product_code="SMS", region="EU", usage_type="Message", rate=CHEAP),
        replace(CALL, product_code="SMS", region="EU", usage_type="Message"),
        replace(CALL, product_code="SMS", region="EU", usage_type="Message", rate=None),
        replace(CALL, product_code="sms", region="EU"),
    ]
    document = make_document(reversed(ordered), TERMS)
    assert document is not None
    assert [
        (line.product_code, line.region, line.usage_type, line.rate, line.late_period) for line in document.lines
    ] == [
        (charge.product_code, charge.region, charge.usage_type, charge.rate, charge.late_period) for charge in ordered
    ]


def test_two_versions_with_the_same_price_are_two_lines() -> None:
    charges = [CALL, replace(CALL, rate=replace(PEAK, id=3))]
    document = make_document(charges, TERMS)
    assert document is not None
    assert [line.rate.id for line in document.lines if line.rate] == [1, 3]


def test_below_the_minimum_nothing_is_billed() -> None:
    assert make_document([replace(CALL, amount=Decimal("0.0049"))], TERMS) is None
    assert make_document([replace(CALL, amount=Decimal("4.994"))], replace(TERMS, minimum_amount=Decimal(5))) is None
    # 4.995 rounds to 5.00, which reaches it.
    assert (
        make_document([replace(CALL, amount=Decimal("4.995"))], replace(TERMS, minimum_amount=Decimal(5))) is not None
    )


def test_a_credit_below_the_minimum_waits_too() -> None:
    assert make_document([replace(CALL, amount=Decimal("-4.99"))], replace(TERMS, minimum_amount=Decimal(5))) is None


def test_without_charges_nothing_is_billed_even_where_zero_invoices_are() -> None:
    zero = replace(TERMS, minimum_amount=Decimal(0))
    assert make_document([], zero) is None
    assert make_document([replace(CALL, amount=Decimal(0))], zero) is not None


def test_a_net_below_zero_is_a_credit_note() -> None:
    document = make_document([replace(CALL, amount=Decimal("-2.50"))], TERMS)
    assert document is not None
    # -2.50 x 19 % = -0.475, half away from zero: -0.48.
    assert (document.net_amount, document.tax_amount, document.total_amount) == (
        Decimal("-2.50"),
        Decimal("-0.48"),
        Decimal("-2.98"),
    )
    assert document.is_credit_note


def test_a_currency_without_decimals() -> None:
    # 10.5 rounds to 11 yen; 10 % of it is 1.1, so 1.
    document = make_document([replace(CALL, amount=Decimal("10.5"))], Terms(Decimal(10), 0, Decimal(1)))
    assert document is not None
    assert (document.net_amount, document.tax_amount, document.total_amount) == (Decimal(11), Decimal(1), Decimal(12))
