from datetime import date
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from catalog.engine.documents import Charge, Terms, make_document
from catalog.engine.money import exact_sum, round_half_up
from catalog.engine.rates import Rate

quantities = st.decimals(min_value=0, max_value=Decimal("1e12"), places=9)
rates = st.builds(
    Rate,
    id=st.just(1),
    card_id=st.just(1),
    card_name=st.just("C"),
    product=st.just("P"),
    unit_price=st.sampled_from([Decimal(1), Decimal(2)]),
    start_date=st.just(date(2026, 1, 1)),
)
charges = st.builds(
    Charge,
    product_code=st.sampled_from(["A", "B", "a"]),
    region=st.sampled_from(["", "EU"]),
    usage_type=st.sampled_from(["Call", "Data"]),
    rate=st.none() | rates,
    late_period=st.none() | st.just(date(2025, 12, 1)),
    quantity=quantities,
    amount=st.decimals(min_value=-10, max_value=10, places=18),
)


@given(st.lists(charges, max_size=25), st.sampled_from([0, 2, 3]), st.randoms())
def test_a_document_adds_up_and_does_not_depend_on_the_order_of_charges(
    charged: list[Charge], minor_units: int, random: Random
) -> None:
    terms = Terms(tax_percent=Decimal("19.6"), minor_units=minor_units, minimum_amount=Decimal(0))
    document = make_document(charged, terms)
    random.shuffle(charged)
    assert make_document(charged, terms) == document
    if not charged:
        assert document is None
        return
    assert document is not None
    assert document.exact_amount == exact_sum(charge.amount for charge in charged)
    assert document.net_amount == round_half_up(document.exact_amount, minor_units)
    assert exact_sum(line.amount for line in document.lines) == document.net_amount
    assert exact_sum(line.exact_amount for line in document.lines) == document.exact_amount
    assert sum(line.charge_count for line in document.lines) == len(charged)
    assert document.total_amount == exact_sum([document.net_amount, document.tax_amount])
