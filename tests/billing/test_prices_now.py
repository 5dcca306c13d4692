"""What a use would cost now: counted on from what is charged, nothing stored, and why nothing prices it."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from billing.queries.explained import Explanation, as_text
from billing.queries.price_lists import rate_card_ids_of
from billing.queries.prices_now import Question, explain_pending, price_of
from catalog.models import Product, Rate
from customers.models import Customer, SubscriptionService
from invoicing.models import UsageCharge
from tests.billing.taken import cancel
from tests.factories import (
    CustomerFactory,
    CustomerGroupFactory,
    GroupRateCardFactory,
    ProductFactory,
    PublicHolidayFactory,
    RateCardFactory,
    RateFactory,
    RateTierFactory,
    SubscriptionFactory,
    SubscriptionServiceFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
)
from tests.runs import FEBRUARY, bill, customer_at, day, post, rate_of, use
from usage.models import PendingUsage, UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)


def now(record: UsageDataRecord) -> Explanation:
    found = explain_pending(record_id=record.pk)
    assert found is not None
    return found


def ask(
    customer: Customer, product: Product, quantity: int | str, *, on: str = "2026-01-15", **more: Any
) -> Explanation:
    started_at: datetime = day(on)
    return price_of(
        Question(customer=customer, product=product, quantity=Decimal(quantity), started_at=started_at, **more)
    )


def test_a_pending_record_has_the_price_that_the_run_then_gives_it() -> None:
    acme, call = customer_at("0.003", rate__connection_fee=Decimal("0.05"))
    record = use(acme, call, 40, number="R1")
    # 40 x 0.003 + 0.05 = 0.17.
    assert now(record).amount == Decimal("0.17")
    assert as_text(now(record)).splitlines()[0] == "Record R1 would cost 0.17 USD now."
    assert PendingUsage.objects.filter(record=record).exists()
    bill()
    assert UsageCharge.objects.get(record=record).amount == Decimal("0.17")
    assert explain_pending(record_id=record.pk) is None


def test_own_amounts_and_credits_of_pending_records() -> None:
    acme, call = customer_at("0.10")
    own = use(acme, call, 40, rating_type="PRERATED", total_amount=Decimal("1.5"), billing_directive="TO_BE_CREDITED")
    credited = use(acme, call, 20, billing_directive="TO_BE_CREDITED")
    assert now(own).amount == Decimal("-1.5")
    # 20 x 0.10 = 2.00, with the opposite sign.
    assert (now(credited).quantity, now(credited).amount) == (Decimal(-20), Decimal("-2.00"))


def test_a_record_that_is_not_billed_has_no_price() -> None:
    acme, call = customer_at("0.10")
    assert explain_pending(record_id=use(acme, call, 40, life_cycle_state="DRAFT").pk) is None
    assert explain_pending(record_id=use(acme, call, 40, billing_directive="NOT_TO_BE_BILLED").pk) is None


@pytest.mark.parametrize("model", ["graduated", "volume"])
def test_a_month_goes_on_from_its_charges(model: str) -> None:
    with transaction.atomic():
        acme, call = customer_at("0.10", rate__pricing_model=model, rate__connection_fee=Decimal("0.5"))
        RateTierFactory(rate=rate_of(call), from_quantity=100, unit_price=Decimal("0.05"))
    first = use(acme, call, 80, on="2026-01-10")
    post(bill())
    late = use(acme, call, 60, on="2026-01-20")
    # Graduated: 20 x 0.10 + 40 x 0.05 + 0.50 = 4.50.
    # Volume: 60 x 0.05 + 0.50 and, of the earlier 80, 80 x 0.05 - 80 x 0.10 = -4.00: -0.50.
    expected = {"graduated": Decimal("4.50"), "volume": Decimal("-0.50")}[model]
    assert now(late).amount == expected
    assert ask(acme, call, 60, on="2026-01-20").amount == expected
    bill(**FEBRUARY)
    assert UsageCharge.objects.get(record=late).amount == expected
    assert UsageCharge.objects.get(record=first).quantity_before == 0


def test_what_was_taken_back_does_not_count() -> None:
    acme, call = customer_at("0.10", rate__included_quantity=100)
    first = use(acme, call, 150)
    post(bill())
    # Nothing is left free: 60 x 0.10 = 6.00.
    assert ask(acme, call, 60).amount == Decimal("6.00")
    cancel(first)
    assert ask(acme, call, 60).amount == 0


def test_what_was_used_before_may_be_given() -> None:
    with transaction.atomic():
        acme, call = customer_at("0.10", rate__pricing_model="volume")
        RateTierFactory(rate=rate_of(call), from_quantity=100, unit_price=Decimal("0.05"))
    # 140 x 0.05 - 80 x 0.10 = 7.00 - 8.00 = -1.00.
    found = ask(acme, call, 60, used_before=Decimal(80))
    assert found.amount == Decimal("-1.00")
    assert found.steps[-1] == "Counted on from 80, as given."
    assert ask(acme, call, 60).steps[-1] == (
        "Counted on from what is charged so far: other usage of the month that waits is not counted."
    )


def test_an_allowance_is_the_services_or_the_subscriptions_and_prorated_in_its_first_month() -> None:
    acme, call = customer_at("0.10", rate__included_quantity=310, rate__counted_per="subscription")
    Product.objects.filter(pk=call.pk).update(is_prorated=True)
    call.refresh_from_db()
    subscription = SubscriptionFactory(customer=acme, start_date=date(2026, 1, 17))
    service = SubscriptionServiceFactory(customer=acme, subscription=subscription, start_date=date(2026, 1, 20))
    # 15 of 31 days are left: 310 x 15 / 31 = 150 are free; 50 x 0.10 = 5.00.
    assert ask(acme, call, 200, on="2026-01-20", service=service).amount == Decimal("5.00")
    # The month after has all of them.
    assert ask(acme, call, 320, on="2026-02-20", service=service).amount == Decimal("1.00")
    assert ask(acme, call, 320, on="2026-02-20").steps[-1] == (
        "It counts per subscription, and no service is given: as if nothing was used before."
    )


def test_bands_and_holidays_are_those_of_the_card() -> None:
    card = RateCardFactory(timezone="Europe/Berlin", holiday_country="DE")
    call, band = ProductFactory(), TimeBandFactory(name="Peak")
    TimeBandHoursFactory(time_band=band, start_time=time(8), end_time=time(18))
    RateFactory(rate_card=card, product=call, unit_price=Decimal("0.02"), time_band=band)
    RateFactory(rate_card=card, product=call, unit_price=Decimal("0.01"))
    acme = CustomerFactory(rate_cards=[card])
    PublicHolidayFactory(country="DE", day=date(2026, 1, 1))
    # Thursday 12:00 in UTC is 13:00 in Berlin; New Year's Day is a Thursday too.
    assert ask(acme, call, 100, on="2026-01-15").amount == Decimal("2.00")
    assert ask(acme, call, 100, on="2026-01-01").amount == Decimal("1.00")


def test_cards_are_the_customers_then_its_groups_then_the_default() -> None:
    own, of_group, default = RateCardFactory(), RateCardFactory(), RateCardFactory(is_default=True)
    other = RateCardFactory(currency__code="EUR")
    group = CustomerGroupFactory()
    GroupRateCardFactory(group=group, rate_card=of_group)
    acme = CustomerFactory(rate_cards=[other, own], groups=[group])
    assert rate_card_ids_of(acme) == [own.pk, of_group.pk, default.pk]


def test_without_a_card_it_says_what_to_do() -> None:
    acme = CustomerFactory(account_number="A1", name="Acme")
    found = ask(acme, ProductFactory(), 1)
    assert (found.amount, found.fault) == (
        None,
        "A1 Acme has no rate card in USD: give it or one of its groups a card, or make one the default of USD.",
    )


def test_without_a_rate_it_says_what_was_looked_for_and_what_is_near() -> None:
    acme, call = customer_at("0.10", rate__destination_prefix="44")
    card = rate_of(call).rate_card
    for prefix in ("33", "4420", "49", "4930"):
        RateFactory(rate_card=card, product=call, destination_prefix=prefix)
    found = ask(acme, call, 1, destination="+4612345")
    assert found.fault == (
        f"No rate for {call.code} to +4612345 holds on 2026-01-15 (looked in {card.name}). "
        "The nearest prefixes with a rate are 44, 4420, 49, 4930."
    )
    assert ask(acme, ProductFactory(code="DATA"), 1).fault == (
        f"No rate for DATA holds on 2026-01-15 (looked in {card.name}). None of these cards has any rate for DATA."
    )


def test_a_rate_of_another_time_is_named_with_its_reason() -> None:
    acme, call = customer_at("0.10", rate__start_date=date(2026, 3, 1))
    found = ask(acme, call, 1)
    assert found.amount is None
    assert [candidate.verdict for candidate in found.losers] == [
        f"Rate {rate_of(call).pk} holds from 2026-03-01 on only, the use is of 2026-01-15."
    ]
    record = use(acme, call, 1, number="R1")
    assert as_text(now(record)).splitlines()[0] == "Record R1 has no price."


def test_nothing_is_stored() -> None:
    acme, call = customer_at("0.10", rate__included_quantity=10)
    ask(acme, call, 100)
    assert not UsageCharge.objects.exists()
    assert not UsageDataRecord.objects.exists()
    assert not SubscriptionService.objects.exists()
    assert Rate.objects.count() == 1
