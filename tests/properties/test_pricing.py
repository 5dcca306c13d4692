from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from catalog.engine.documents import Charge, Terms, make_document
from catalog.engine.money import exact_sum, round_half_up
from catalog.engine.pricing import TO_BE_CREDITED, Rate, Usage, price_usage, select_rate

START = date(2026, 1, 1)
quantities = st.decimals(min_value=0, max_value=Decimal("1e12"), places=9)
prices = st.decimals(min_value=Decimal(-1000), max_value=Decimal(1000), places=9)
sizes = st.sampled_from([Decimal(1), Decimal(7), Decimal(60), Decimal(1000), Decimal("0.5")])


def rate(
    unit_price: Decimal,
    unit_size: Decimal = Decimal(1),
    rounding_digits: int | None = None,
    rounding_mode: str = "halfUp",
) -> Rate:
    return Rate(
        id=1,
        card_id=1,
        card_name="C",
        product="P",
        unit_price=unit_price,
        start_date=START,
        unit_size=unit_size,
        rounding_digits=rounding_digits,
        rounding_mode=rounding_mode,
    )


@given(quantities, quantities, prices)
def test_what_is_split_costs_what_the_whole_costs(first: Decimal, second: Decimal, unit_price: Decimal) -> None:
    parts = [price_usage(Usage(part), rate(unit_price)).amount for part in (first, second)]
    whole = price_usage(Usage(exact_sum([first, second])), rate(unit_price)).amount
    # Nine and nine decimals make eighteen: nothing is rounded.
    assert exact_sum(parts) == whole


@given(quantities, prices, sizes, st.none() | st.integers(0, 6), st.sampled_from(["halfUp", "halfEven", "up", "down"]))
def test_a_credit_is_what_the_charge_was(
    quantity: Decimal, unit_price: Decimal, unit_size: Decimal, digits: int | None, mode: str
) -> None:
    priced_by = rate(unit_price, unit_size, rounding_digits=digits, rounding_mode=mode)
    charged = price_usage(Usage(quantity), priced_by)
    credited = price_usage(Usage(quantity, directive=TO_BE_CREDITED), priced_by)
    assert exact_sum([charged.amount, credited.amount]) == 0
    assert exact_sum([charged.quantity, credited.quantity]) == 0


@given(quantities, prices, sizes)
def test_the_amount_is_the_exact_quotient_to_half_of_its_last_decimal(
    quantity: Decimal, unit_price: Decimal, unit_size: Decimal
) -> None:
    exact = Fraction(quantity) * Fraction(unit_price) / Fraction(unit_size)
    amount = price_usage(Usage(quantity), rate(unit_price, unit_size)).amount
    assert abs(Fraction(amount) - exact) <= Fraction(1, 2 * 10**18)


rates = st.builds(
    Rate,
    id=st.integers(1, 9),
    card_id=st.integers(1, 3),
    card_name=st.just("C"),
    product=st.sampled_from(["P", "Q"]),
    region=st.sampled_from(["", "EU", "US"]),
    unit_price=st.just(Decimal(1)),
    start_date=st.integers(0, 5).map(lambda days: START + timedelta(days=days)),
    end_date=st.none() | st.integers(6, 9).map(lambda days: START + timedelta(days=days)),
)


@given(st.permutations([1, 2, 3]), st.lists(rates, max_size=12), st.integers(0, 10), st.randoms())
def test_the_rate_found_matches_and_no_better_one_exists(
    cards: list[int], offered: list[Rate], days: int, random: Random
) -> None:
    cards, on = cards[:2], START + timedelta(days=days)
    found = select_rate(cards, offered, "P", "EU", on)
    random.shuffle(offered)
    assert select_rate(cards, offered, "P", "EU", on) == found
    matching = [
        one
        for one in offered
        if one.card_id in cards and one.product == "P" and one.region in {"EU", ""} and one.holds(on)
    ]
    assert (found is None) == (not matching)
    if found:
        assert found in matching
        first_card = min(cards.index(one.card_id) for one in matching)
        assert cards.index(found.card_id) == first_card
        assert found.region == "EU" or not any(one.card_id == found.card_id and one.region == "EU" for one in matching)


charges = st.builds(
    Charge,
    product_code=st.sampled_from(["A", "B", "a"]),
    region=st.sampled_from(["", "EU"]),
    usage_type=st.sampled_from(["Call", "Data"]),
    rate=st.none() | st.builds(rate, st.sampled_from([Decimal(1), Decimal(2)])),
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
