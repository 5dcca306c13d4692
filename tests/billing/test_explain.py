"""Explanations of charges: their sentences and amounts by hand, equal to what the run stored, or a fault in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.queries.explain import explain_charge
from billing.queries.explained import Explanation, as_text
from catalog.models import Product, Rate, RateCard
from customers.models import Customer, SubscriptionService
from invoicing.models import UsageCharge
from tests.billing.taken import cancel
from tests.factories import (
    CustomerFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    RateTierFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
    UsageChargeFactory,
)
from tests.runs import FEBRUARY, bill, customer_at, day, post, rate_of, use
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)


def of(record: UsageDataRecord) -> Explanation:
    """The explanation of the record's charge."""
    found = explain_charge(record_id=record.pk)
    assert found is not None
    return found


def equal(record: UsageDataRecord) -> Explanation:
    """The same, without a fault."""
    found = of(record)
    assert (found.is_equal, found.fault) == (True, "")
    assert found.charge is not None
    assert found.amount == found.charge.amount
    return found


def tamper(record: UsageDataRecord, **changes: Any) -> None:
    """Change the charge of the record past all triggers, as a broken disk or a superuser would."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        UsageCharge.objects.filter(record=record).update(**changes)


@contextmanager
def tiers(*steps: tuple[int, str], **rate: Any) -> Iterator[None]:
    """Tiers of the rate that is made inside, in the same transaction."""
    with transaction.atomic():
        yield
        for from_quantity, unit_price in steps:
            RateTierFactory(rate=Rate.objects.latest("id"), from_quantity=from_quantity, unit_price=Decimal(unit_price))


def test_a_price_per_unit() -> None:
    acme, call = customer_at("0.003", name="Acme")
    record = use(acme, call, 40, number="R1")
    bill()
    rate = rate_of(call)
    # 40 x 0.003 = 0.12.
    found = equal(record)
    assert found.amount == Decimal("0.12")
    assert found.steps == (
        f"Rate card {rate.rate_card.name}, the customer's first.",
        f"Rate {rate.pk}: {call.code}, in every region, from 2020-01-01.",
        "40 second x 0.003 = 0.12.",
        "Amount: 0.12.",
    )
    assert as_text(found).splitlines()[0] == "Record R1 costs 0.12 USD on a draft invoice, line 1."


def test_a_call_with_increments_a_fee_and_rounding_and_the_prefix_that_it_beat() -> None:
    acme, call = customer_at("0.10", rate__unit_size=60, rate__destination_prefix="44")
    card = rate_of(call).rate_card
    mobile = RateFactory(
        rate_card=card,
        product=call,
        destination_prefix="447",
        destination_name="UK mobile",
        unit_price=Decimal("0.25"),
        unit_size=60,
        first_increment=30,
        increment=6,
        connection_fee=Decimal("0.05"),
        rounding_digits=2,
        rounding_mode="up",
    )
    record = use(acme, call, 31, destination="+447700900123")
    bill()
    # 31 s by 30/6: 36 s; 36 x 0.25 / 60 = 0.15; + 0.05 = 0.20.
    found = equal(record)
    assert (found.billed_quantity, found.amount) == (Decimal(36), Decimal("0.20"))
    assert found.rate is not None
    assert found.rate.id == mobile.pk
    text = as_text(found)
    assert "36 second" in text
    assert "Connection fee 0.05" in text
    assert [candidate.verdict for candidate in found.losers] == [
        f"The longer prefix 447 wins over 44 (rate {Rate.objects.get(destination_prefix='44').pk})."
    ]


def test_tiers_of_the_month_before_and_after() -> None:
    with tiers((100, "0.05"), (1000, "0.01")):
        acme, call = customer_at("0.10", rate__pricing_model="graduated")
    first, second = use(acme, call, 80, on="2026-01-10"), use(acme, call, 60, on="2026-01-11")
    bill()
    # 80 x 0.10 = 8.00; then 20 x 0.10 + 40 x 0.05 = 4.00.
    assert equal(first).amount == Decimal("8.00")
    found = equal(second)
    assert found.amount == Decimal("4.00")
    assert "80 second before this, 140 second after it" in as_text(found)


def test_an_included_quantity_and_what_of_it_was_used() -> None:
    acme, call = customer_at("0.10", rate__included_quantity=100, rate__counted_per="service")
    first, second = use(acme, call, 70, on="2026-01-10"), use(acme, call, 50, on="2026-01-11")
    bill()
    # 100 are free: 70, then 30; 20 x 0.10 = 2.00.
    assert equal(first).amount == 0
    found = equal(second)
    assert found.amount == Decimal("2.00")
    assert "Before this 70 of 100 included were used: 30 are free, 20 are billed." in found.steps


def test_started_blocks() -> None:
    acme, call = customer_at("5", rate__pricing_model="package", rate__unit_size=100)
    first, second = use(acme, call, 90, on="2026-01-10"), use(acme, call, 150, on="2026-01-11")
    bill()
    # 1 block of 100 begun: 5; 240 are 3 blocks begun, 2 more: 10.
    assert equal(first).amount == Decimal(5)
    assert equal(second).amount == Decimal(10)


def test_a_volume_that_lowers_the_price_of_what_was_billed_before() -> None:
    with tiers((100, "0.05")):
        acme, call = customer_at("0.10", rate__pricing_model="volume")
    first = use(acme, call, 80, on="2026-01-10")
    post(bill())
    late = use(acme, call, 60, on="2026-01-20")
    bill(**FEBRUARY)
    # 80 x 0.10 = 8.00. 140 x 0.05 = 7.00: 60 x 0.05 = 3.00, and 80 x 0.05 - 8.00 = -4.00 of the earlier charge.
    assert equal(first).amount == Decimal("8.00")
    found = equal(late)
    assert found.amount == Decimal("-1.00")
    assert "Correction of what earlier charges of the month came to: -4." in found.steps


def test_own_amounts_and_credits() -> None:
    acme, call = customer_at("0.10")
    own = use(acme, call, 40, rating_type="PRERATED", total_amount=Decimal("1.5"))
    credited = use(acme, call, 20, billing_directive="TO_BE_CREDITED")
    bill()
    assert equal(own).steps == ("The record brings its own amount: 1.5.", "Amount: 1.5.")
    # 20 x 0.10 = 2.00, with the opposite sign.
    found = equal(credited)
    assert (found.quantity, found.amount) == (Decimal(-20), Decimal("-2.00"))
    assert "To be credited: the sign is turned." in found.steps


@pytest.fixture
def banded() -> tuple[Customer, Product, RateCard]:
    """0.02 a second from 8 to 18 o'clock on weekdays, else 0.01; split at the border."""
    card = RateCardFactory(band_rule="split", timezone="Europe/Berlin")
    call = ProductFactory()
    band = TimeBandFactory(name="Peak")
    TimeBandHoursFactory(time_band=band, start_time=time(8), end_time=time(18))
    RateFactory(rate_card=card, product=call, unit_price=Decimal("0.02"), time_band=band)
    RateFactory(rate_card=card, product=call, unit_price=Decimal("0.01"))
    return CustomerFactory(rate_cards=[card]), call, card


def test_a_call_over_the_border_of_a_time_band(banded: tuple[Customer, Product, RateCard]) -> None:
    acme, call, _ = banded
    # Thursday 17:59:00 to 18:01:00 in Berlin: 60 x 0.02 + 60 x 0.01 = 1.80.
    record = use(acme, call, 120, on="2026-01-15T16:59", to_date=day("2026-01-15T17:01"))
    bill()
    found = equal(record)
    assert found.amount == Decimal("1.80")
    assert "Peak holds on Thursday 2026-01-15 17:59 (Europe/Berlin)." in found.steps
    assert [candidate.verdict for candidate in found.losers] == [
        f"The time band Peak wins over every hour (rate {Rate.objects.latest('id').pk})."
    ]


def test_prices_are_those_that_the_run_saw() -> None:
    acme, call = customer_at("0.003")
    record = use(acme, call, 40)
    bill()
    old = rate_of(call)
    # After the run: the version is ended before the use, and another one put in its place.
    old.end_date = date(2026, 1, 10)
    old.save()
    RateFactory(rate_card=old.rate_card, product=call, unit_price=Decimal("0.5"), start_date=date(2026, 1, 10))
    found = equal(record)
    assert found.rate is not None
    assert (found.amount, found.rate.id, found.rate.end_date) == (Decimal("0.12"), old.pk, None)
    assert found.losers == ()
    # A later run sees them.
    later = use(acme, call, 40, on="2026-01-20")
    bill(**FEBRUARY)
    assert equal(later).amount == Decimal("20.0")
    assert [candidate.verdict for candidate in equal(later).losers] == [
        f"Rate {old.pk} holds before 2026-01-10 only, the use is of 2026-01-20."
    ]


def test_the_end_that_a_version_had_then_counts_also_after_further_ones() -> None:
    acme, call = customer_at("0.003", rate__end_date=date(2026, 6, 1))
    record = use(acme, call, 40)
    bill()
    rate = rate_of(call)
    for end in (date(2026, 1, 10), date(2026, 1, 5)):
        rate.end_date = end
        rate.save()
    found = equal(record)
    assert found.rate is not None
    assert found.rate.end_date == date(2026, 6, 1)


def test_the_time_zone_is_the_one_that_the_run_saw() -> None:
    acme, call = customer_at("0.003", timezone="UTC", rate__end_date=date(2026, 1, 16))
    record = use(acme, call, 40, on="2026-01-15T23:30")
    bill()
    Customer.objects.filter(pk=acme.pk).update(timezone="Europe/Berlin")
    assert equal(record).amount == Decimal("0.12")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"amount": Decimal("0.13")}, "The explanation comes to 0.12, the charge says 0.13."),
        (
            {"billed_quantity": Decimal(60)},
            "The explanation is of 40 second, the charge of 40 second, billed as 60 second.",
        ),
        ({"quantity": Decimal(41)}, "The explanation is of 40 second, the charge of 41 second."),
        (
            {
                "counted_month": date(2026, 1, 1),
                "counted_id": 0,
                "quantity_before": 0,
                "quantity_total": 40,
                "included_quantity": 0,
                "correction": 0,
            },
            "The rate counts no usage, the charge says that it does.",
        ),
    ],
)
def test_a_charge_that_was_tampered_with_is_a_fault(changes: dict[str, Any], fault: str) -> None:
    acme, call = customer_at("0.003")
    record = use(acme, call, 40, number="R1")
    bill()
    tamper(record, **changes)
    found = of(record)
    assert (found.is_equal, found.fault, found.amount) == (False, fault, Decimal("0.12"))
    assert f"FAULT: {fault}" in as_text(found)


def test_another_rate_on_the_charge_is_a_fault() -> None:
    acme, call = customer_at("0.003")
    record = use(acme, call, 40)
    bill()
    other = RateFactory()
    tamper(record, rate=other)
    assert of(record).fault == f"The explanation finds rate {rate_of(call).pk}, the charge has rate {other.pk}."


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"quantity_before": 10}, "The explanation comes to 4, the charge says 3."),
        ({"counted_month": date(2025, 12, 1)}, "It counts for 2026-01 of the customer, the charge says 2025-12"),
        ({"counted_id": 7}, "It counts for 2026-01 of the customer, the charge says 2026-01 of 7."),
    ],
)
def test_a_count_that_was_tampered_with_is_a_fault(changes: dict[str, Any], fault: str) -> None:
    acme, call = customer_at("0.10", rate__included_quantity=10)
    record = use(acme, call, 40)
    bill()
    # 30 x 0.10 = 3.00.
    assert equal(record).amount == Decimal("3.00")
    tamper(record, **changes)
    assert of(record).fault.startswith(fault)


def test_a_rate_that_is_gone_is_a_fault() -> None:
    acme, call = customer_at("0.003")
    record = use(acme, call, 40)
    bill()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM rate WHERE product_id = %s", [call.pk])
    found = of(record)
    assert not found.is_equal
    assert found.fault == (
        "The charge says 0.12 USD, and it cannot be explained: No rate prices this record and it brings no amount."
    )
    assert found.amount is None


def test_a_charge_that_no_run_made_cannot_be_explained() -> None:
    charge = UsageChargeFactory()
    found = of(charge.record)
    assert (found.is_equal, found.steps) == (False, ())
    assert found.fault == "No billing run made the invoice: what prices it saw is not known."


def test_what_was_taken_back_says_so() -> None:
    acme, call = customer_at("0.003")
    record = use(acme, call, 40, number="R1")
    post(bill())
    cancel(record)
    found = equal(record)
    assert found.aftermath == "Taken back: an opposite charge of -0.12 USD waits for the customer's next invoice."
    bill(**FEBRUARY)
    assert equal(record).aftermath == "Taken back: an opposite charge of -0.12 USD is on a draft invoice."
    assert as_text(equal(record)).splitlines()[0] == "Record R1 costs 0.12 USD on invoice INV-000001, line 1."


def test_an_uncharged_record_has_no_explanation() -> None:
    acme, call = customer_at("0.003")
    record = use(acme, call, 40)
    assert explain_charge(record_id=record.pk) is None
    assert explain_charge(charge_id=1) is None


def test_it_takes_as_many_queries_whatever_the_price_list_holds() -> None:
    acme, call = customer_at("0.003", rate__destination_prefix="44")
    record = use(acme, call, 40, destination="447700900123")
    bill()

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            equal(record)
        return len(captured)

    before = queries()
    for prefix in ("447", "4477", "49", "1"):
        for region in ("", "EU"):
            RateFactory(
                rate_card=rate_of_prefix(call).rate_card, product=call, destination_prefix=prefix, region=region
            )
    assert queries() == before
    assert before <= 12


def rate_of_prefix(product: Product) -> Rate:
    return Rate.objects.get(product=product, destination_prefix="44")


def test_services_count_apart() -> None:
    acme, call = customer_at("0.10", rate__included_quantity=100, rate__counted_per="service")
    record = use(acme, call, 150)
    bill()
    charge = UsageCharge.objects.get(record=record)
    assert charge.counted_id == SubscriptionService.objects.get(customer=acme).pk
    # 50 x 0.10 = 5.00.
    assert equal(record).amount == Decimal("5.00")
