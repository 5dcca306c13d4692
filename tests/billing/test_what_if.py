"""A past period rated again with another price list in place: revenue now and then, and nothing written."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from billing.operations import rated_again
from billing.operations.what_if import CustomerRevenue, WhatIf, WhatIfRefused, what_if
from catalog.models import Product, RateCard
from tests.billing.taken import cancel
from tests.factories import CustomerFactory, ProductFactory, RateCardFactory, RateFactory, RateTierFactory
from tests.runs import FEBRUARY, bill, customer_at, plain, post, rate_of, use

pytestmark = pytest.mark.django_db

JANUARY: dict[str, Any] = {"from_day": date(2026, 1, 1), "until_day": date(2026, 2, 1)}


def card_with(product: Product, unit_price: str, **rate: Any) -> RateCard:
    """A price list with one rate."""
    card: RateCard = RateCardFactory()
    RateFactory(rate_card=card, product=product, unit_price=Decimal(unit_price), **rate)
    return card


def sums(found: WhatIf) -> str:
    """Revenue now and then, and the difference."""
    return f"{plain(found.now)} -> {plain(found.then)} ({plain(found.difference)}) {found.currency}"


def by_customer(rows: tuple[CustomerRevenue, ...]) -> list[str]:
    return [f"{row.account_number}: {plain(row.now)} -> {plain(row.then)}" for row in rows]


def test_a_card_put_first_prices_what_it_has_and_leaves_the_rest() -> None:
    acme, call = customer_at("0.10", account_number="A")
    data = ProductFactory()
    RateFactory(rate_card=rate_of(call).rate_card, product=data, unit_price=Decimal(2))
    use(acme, call, 100)
    use(acme, data, 3)
    post(bill())
    found = what_if(**JANUARY, card_id=card_with(call, "0.07").pk)
    # Now 100 x 0.10 + 3 x 2 = 16, then 100 x 0.07 + 3 x 2 = 13.
    assert sums(found) == "16 -> 13 (-3) USD"
    # The product with the larger change first.
    assert [(row.code, plain(row.now), plain(row.then), row.record_count) for row in found.products] == [
        (call.code, "10", "7", 1),
        (data.code, "6", "6", 1),
    ]
    assert (by_customer(found.pays_less), found.pays_more, found.record_count) == (["A: 16 -> 13"], (), 2)


def test_a_card_takes_the_place_of_another_for_those_who_have_it() -> None:
    acme, call = customer_at("0.10", account_number="A")
    bell, ring = customer_at("0.20", account_number="B")
    use(acme, call, 100)
    use(bell, ring, 100)
    bill()
    old = rate_of(call).rate_card
    found = what_if(**JANUARY, card_id=card_with(call, "0.12").pk, replaced_card_id=old.pk)
    # Bell has another card: it is not asked about. Acme: 100 x 0.10 = 10, then 12.
    assert sums(found) == "10 -> 12 (2) USD"
    assert (found.customer_count, by_customer(found.pays_more)) == (1, ["A: 10 -> 12"])


def test_winners_and_losers_are_sorted_and_counted() -> None:
    card, call = RateCardFactory(), ProductFactory()
    RateFactory(rate_card=card, product=call, unit_price=Decimal(1), region="EU")
    RateFactory(rate_card=card, product=call, unit_price=Decimal(1))
    customers = [CustomerFactory(account_number=number, rate_cards=[card]) for number in "ABCDE"]
    # By the new card a unit in the EU costs 2, elsewhere 0.5.
    for customer, eu, elsewhere in zip(customers, (1, 0, 5, 0, 1), (0, 2, 0, 8, 2), strict=True):
        if eu:
            use(customer, call, eu, region="EU")
        if elsewhere:
            use(customer, call, elsewhere)
    bill()
    new = card_with(call, "0.5")
    RateFactory(rate_card=new, product=call, unit_price=Decimal(2), region="EU")
    told: list[CustomerRevenue] = []
    found = what_if(**JANUARY, card_id=new.pk, each_customer=told.append)
    # E: 1 + 2 = 3 now, 2 + 1 = 3 then.
    assert by_customer(found.pays_more) == ["C: 5 -> 10", "A: 1 -> 2"]
    assert by_customer(found.pays_less) == ["D: 8 -> 4", "B: 2 -> 1"]
    assert (found.pays_more_count, found.pays_less_count, found.pays_the_same_count) == (2, 2, 1)
    # 1 + 2 + 5 + 8 + 3 = 19; 2 + 1 + 10 + 4 + 3 = 20.
    assert sums(found) == "19 -> 20 (1) USD"
    assert [row.account_number for row in told] == ["C", "A", "E", "B", "D"]


def test_graduated_prices_are_counted_afresh_for_the_whole_month() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100, on="2026-01-10")
    use(acme, call, 100, on="2026-01-20")
    bill()
    new = RateCardFactory()
    with transaction.atomic():
        rate = RateFactory(rate_card=new, product=call, unit_price=Decimal("0.10"), pricing_model="graduated")
        RateTierFactory(rate=rate, from_quantity=150, unit_price=Decimal("0.04"))
    # 150 x 0.10 + 50 x 0.04 = 17.
    assert sums(what_if(**JANUARY, card_id=new.pk)) == "20 -> 17 (-3) USD"
    # From the 15th on: the second hundred alone, 50 x 0.10 + 50 x 0.04 = 7, for the first hundred came before it.
    since = what_if(from_day=date(2026, 1, 15), until_day=date(2026, 2, 1), card_id=new.pk)
    assert sums(since) == "10 -> 7 (-3) USD"


def test_the_longest_prefix_of_the_new_card_wins() -> None:
    acme, call = customer_at("0.10")
    for destination in ("+44207", "+447700", "+1212"):
        use(acme, call, 10, destination=destination)
    bill()
    new = card_with(call, "0.02", destination_prefix="44")
    RateFactory(rate_card=new, product=call, unit_price=Decimal("0.30"), destination_prefix="447")
    # 3 x 10 x 0.10 = 3; then 10 x 0.02 + 10 x 0.30 + 10 x 0.10 (the customer's own card) = 0.2 + 3 + 1 = 4.2.
    assert sums(what_if(**JANUARY, card_id=new.pk)) == "3 -> 4.2 (1.2) USD"


def test_days_are_those_of_the_customer_and_the_last_one_is_without() -> None:
    acme, call = customer_at("1", timezone="Pacific/Auckland")
    # 13 hours ahead: the first is on 1 January there, the second on 1 February.
    use(acme, call, 1, on="2025-12-31T11:00:00", billing_effective_date=date(2026, 1, 1))
    use(acme, call, 10, on="2026-01-31T11:00:00", billing_effective_date=date(2026, 1, 31))
    bill()
    assert what_if(**JANUARY, card_id=card_with(call, "3").pk).then == 3


def test_usage_taken_back_and_usage_that_waits_are_left_out() -> None:
    acme, call = customer_at("1")
    taken_back = use(acme, call, 10)
    use(acme, call, 1)
    post(bill())
    cancel(taken_back)
    use(acme, call, 100)
    assert sums(what_if(**JANUARY, card_id=card_with(call, "2").pk)) == "1 -> 2 (1) USD"


def test_what_nothing_would_price_is_counted() -> None:
    acme, call = customer_at("1")
    use(acme, call, 10, on="2026-01-02", number="R1")
    use(acme, call, 5, on="2026-01-03", number="R2")
    bill()
    old = rate_of(call).rate_card
    new = card_with(call, "2", start_date=date(2026, 1, 3))
    found = what_if(**JANUARY, card_id=new.pk, replaced_card_id=old.pk)
    # R1 is on 2 January, before the new card's price begins: its 10 are missing then.
    assert sums(found) == "15 -> 10 (-5) USD"
    assert [found.unpriced_count, found.unpriced_now] == [1, 10]
    assert found.first_unpriced is not None
    assert found.first_unpriced.number == "R1"


def test_customers_in_another_currency_are_left_out_and_counted() -> None:
    acme, call = customer_at("1")
    euro, ring = customer_at("1", currency="EUR")
    rate_card = rate_of(call).rate_card
    use(acme, call, 1)
    use(euro, ring, 1)
    bill()
    found = what_if(**JANUARY, card_id=card_with(call, "2").pk)
    assert (sums(found), found.customer_count, found.other_currency_count) == ("1 -> 2 (1) USD", 1, 1)
    # Of those who have usage of the days asked about; who has the list that is replaced is billed in its currency.
    until_14 = what_if(from_day=date(2026, 1, 1), until_day=date(2026, 1, 15), card_id=rate_card.pk)
    assert until_14.other_currency_count == 0
    replaced = what_if(**JANUARY, card_id=card_with(call, "2").pk, replaced_card_id=rate_card.pk)
    assert (replaced.customer_count, replaced.other_currency_count) == (1, 0)


def test_chosen_customers_only_and_records_of_the_period_only() -> None:
    acme, call = customer_at("1")
    bell = CustomerFactory(rate_cards=[rate_of(call).rate_card])
    for customer in (acme, bell):
        use(customer, call, 1)
    bill()
    use(acme, call, 50, on="2026-02-03")
    bill(**FEBRUARY)
    found = what_if(**JANUARY, card_id=card_with(call, "2").pk, customer_ids=[acme.pk])
    assert (sums(found), found.record_count) == ("1 -> 2 (1) USD", 1)


def test_some_customers_at_a_time_come_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    card, call = RateCardFactory(), ProductFactory()
    RateFactory(rate_card=card, product=call, unit_price=Decimal(1))
    for number in range(4):
        customer = CustomerFactory(rate_cards=[card])
        for quantity in (1, 2, 3):
            use(customer, call, quantity + number)
    bill()
    new = card_with(call, "3")
    at_once = what_if(**JANUARY, card_id=new.pk)
    monkeypatch.setattr(rated_again, "CHUNK_RECORDS", 2)
    assert what_if(**JANUARY, card_id=new.pk) == at_once
    # 6 + 9 + 12 + 15 = 42.
    assert sums(at_once) == "42 -> 126 (84) USD"


def test_a_period_without_usage_comes_to_nothing() -> None:
    found = what_if(**JANUARY, card_id=RateCardFactory().pk)
    assert (sums(found), found.customer_count, found.products) == ("0 -> 0 (0) USD", 0, ())


def everything() -> Iterator[tuple[str, int, str]]:
    """Each table with its number of rows and a hash of what they say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        for (table,) in cursor.fetchall():
            cursor.execute(
                "SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '')"
                f' FROM "{table}" t'
            )
            yield (table, *cursor.fetchone())


@pytest.mark.django_db(transaction=True)
def test_nothing_is_written() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    post(bill())
    new = card_with(call, "0.07")
    before = list(everything())
    assert what_if(**JANUARY, card_id=new.pk).then == 7
    assert list(everything()) == before
    assert {table: count for table, count, _ in before}["usage_charge"] == 1


@pytest.mark.parametrize(
    ("asked", "message", "field"),
    [
        ({"until_day": date(2026, 1, 1)}, "The period ends before it begins.", "until_day"),
        ({"until_day": date(2027, 1, 3)}, "The period has 367 days: ask for 366 at most.", "until_day"),
        ({"card_id": 999_999}, "There is no rate card with the id 999999.", "card_id"),
        ({"replaced_card_id": 999_999}, "There is no rate card with the id 999999.", "replaced_card_id"),
    ],
)
def test_it_refuses_in_words(asked: dict[str, Any], message: str, field: str) -> None:
    with pytest.raises(WhatIfRefused) as refused:
        what_if(**(JANUARY | {"card_id": RateCardFactory().pk} | asked))
    assert (str(refused.value), refused.value.field) == (message, field)


def test_a_card_does_not_take_its_own_place_nor_one_in_another_currency() -> None:
    dollars, euros = RateCardFactory(name="D"), RateCardFactory(name="E", currency__code="EUR")
    with pytest.raises(WhatIfRefused, match="D would take its own place: choose two rate cards"):
        what_if(**JANUARY, card_id=dollars.pk, replaced_card_id=dollars.pk)
    with pytest.raises(WhatIfRefused, match="E is in EUR and D in USD: one cannot take the other's place"):
        what_if(**JANUARY, card_id=dollars.pk, replaced_card_id=euros.pk)
