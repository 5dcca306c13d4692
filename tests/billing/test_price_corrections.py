"""Posted invoices held against corrected prices, and the credit and new charge that settle the difference."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from billing.operations.price_corrections import CorrectionRefused, DraftedCorrections, draft_corrections
from billing.operations.price_differences import (
    DifferencesRefused,
    PriceDifferences,
    differences_of_invoice,
    price_differences,
)
from billing.operations.runs import commence_run
from billing.queries.check_explanations import check_explanations
from catalog.models import Product, Rate, RateCard
from catalog.operations.rates import add_rate_version
from customers.models import Customer
from invoicing.models import PriceCorrection, Transaction, UsageCharge
from tests.billing.taken import THEN, cancel
from tests.factories import CustomerFactory, ProductFactory, RateCardFactory, RateFactory, RateTierFactory, UserFactory
from tests.runs import (
    AT,
    FEBRUARY,
    account,
    bill,
    customer_at,
    invoice,
    lines,
    new_run,
    plain,
    post,
    produce,
    rate_of,
    use,
)

# A run that comes after a correction sees it once it is committed.
pytestmark = pytest.mark.django_db(transaction=True)

JANUARY: dict[str, Any] = {"from_day": date(2026, 1, 1), "until_day": date(2026, 2, 1)}


def correct(rate: Rate, unit_price: str, *, on: str = "2026-01-01") -> Rate:
    """What somebody does who finds a wrong price: a version with the right one, from the day on that it was wrong."""
    return add_rate_version(
        rate_id=rate.pk, start_date=date.fromisoformat(on), terms={"unit_price": Decimal(unit_price)}
    )


def draft(*customers: Customer, **more: Any) -> DraftedCorrections:
    return draft_corrections(**(JANUARY | {"customer_ids": [one.pk for one in customers], "at": THEN} | more))


def records(found: PriceDifferences) -> list[str]:
    """The records that differ: charged -> now."""
    return [
        f"{row.account_number} {row.record_number}: {plain(row.charged)} -> {plain(row.now)}" for row in found.records
    ]


def corrections() -> list[str]:
    """The transactions that settle differences, in the order in which they were written."""
    return [
        f"{one.description}: {plain(one.amount)} {one.currency_id}"
        for one in Transaction.objects.filter(kind="CORRECTION").order_by("id")
    ]


@pytest.fixture
def billed() -> tuple[Customer, Product]:
    """Acme with 100 calls at 0.10 on a posted invoice of January: 10.00."""
    acme, call = customer_at("0.10", account_number="ACME")
    use(acme, call, 100, number="R1")
    post(bill())
    return acme, call


def test_no_correction_no_difference(billed: tuple[Customer, Product]) -> None:
    assert price_differences(**JANUARY) == PriceDifferences((), 0, (), 0, 0)
    assert draft(billed[0]) == DraftedCorrections((), 0, 0)
    assert corrections() == []


def test_a_corrected_unit_price_is_credited_and_charged_anew(billed: tuple[Customer, Product]) -> None:
    acme, call = billed
    correct(rate_of(call), "0.08")
    found = price_differences(**JANUARY)
    # 100 x 0.10 = 10 was charged, 100 x 0.08 = 8 it comes to.
    assert records(found) == ["ACME R1: 10 -> 8"]
    (one,) = found.customers
    assert (one.account_number, one.invoice_count) == ("ACME", 1)
    assert [one.charged, one.now, one.difference] == [10, 8, -2]
    number = UsageCharge.objects.get().line.invoice.number
    drafted = draft(acme, reason="wrong price list")
    assert (drafted.transaction_count, drafted.record_count) == (2, 1)
    assert corrections() == [
        f"Price of {call.code} corrected, invoice {number}: credit (wrong price list): -10 USD",
        f"Price of {call.code} corrected, invoice {number}: new charge (wrong price list): 8 USD",
    ]
    # They have the product and the tax rate of what they correct, and go on the next invoice, whatever its dates.
    line = UsageCharge.objects.get().line
    assert {(one.product_id, one.tax_rate_id) for one in Transaction.objects.all()} == {(call.pk, line.tax_rate_id)}
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["1 x 8 = 8 -> 8.00", "-1 x 10 = -10 -> -10.00"]


def test_twice_is_once(billed: tuple[Customer, Product]) -> None:
    acme, call = billed
    correct(rate_of(call), "0.08")
    draft(acme)
    assert price_differences(**JANUARY).record_count == 0
    assert draft(acme).transaction_count == 0
    assert len(corrections()) == 2


def test_a_price_that_is_corrected_again_starts_from_the_last_correction(billed: tuple[Customer, Product]) -> None:
    acme, call = billed
    second = correct(rate_of(call), "0.08", on="2026-01-01")
    draft(acme)
    correct(second, "0.09", on="2026-01-10")
    assert records(price_differences(**JANUARY)) == ["ACME R1: 8 -> 9"]
    draft(acme)
    assert [[one.turn, one.amount_before, one.amount] for one in PriceCorrection.objects.order_by("turn")] == [
        [1, 10, 8],
        [2, 8, 9],
    ]
    # -10 + 8 - 8 + 9 = -1: with the 10 that were charged, 9.
    assert sum(one.amount for one in Transaction.objects.all()) == -1


def graduated(card: RateCard, product: Product, start: date, unit_price: str, tiers: dict[int, str]) -> Rate:
    with transaction.atomic():
        rate: Rate = RateFactory(
            rate_card=card, product=product, start_date=start, unit_price=Decimal(unit_price), pricing_model="graduated"
        )
        for from_quantity, price in tiers.items():
            RateTierFactory(rate=rate, from_quantity=from_quantity, unit_price=Decimal(price))
    return rate


@pytest.fixture
def counted() -> tuple[Customer, Product]:
    """Acme with 100 and 100 at 0.10, above 150 at 0.05, posted: 10 and 5 + 2.5. It should be 0.02 above 120."""
    card, call = RateCardFactory(), ProductFactory()
    acme = CustomerFactory(account_number="ACME", rate_cards=[card])
    wrong = graduated(card, call, date(2020, 1, 1), "0.10", {150: "0.05"})
    use(acme, call, 100, on="2026-01-10", number="R1")
    use(acme, call, 100, on="2026-01-20", number="R2")
    post(bill())
    wrong.end_date = date(2026, 1, 1)
    wrong.save()
    graduated(card, call, date(2026, 1, 1), "0.10", {120: "0.02"})
    return acme, call


def test_graduated_prices_are_counted_afresh(counted: tuple[Customer, Product]) -> None:
    acme, _ = counted
    # R1: 100 x 0.10, as before. R2: 20 x 0.10 + 80 x 0.02 = 3.6 in place of 50 x 0.10 + 50 x 0.05 = 7.5.
    assert records(price_differences(**JANUARY)) == ["ACME R2: 7.5 -> 3.6"]
    draft(acme)
    assert [plain(one.amount) for one in Transaction.objects.order_by("id")] == ["-7.5", "3.6"]


def test_late_usage_goes_on_counting_from_the_correction(counted: tuple[Customer, Product]) -> None:
    acme, call = counted
    draft(acme)
    # R1 costs the same by both versions, and counts by the new one too.
    use(acme, call, 50, on="2026-01-25", number="R3")
    february = post(bill(**FEBRUARY))
    charge = UsageCharge.objects.get(record__number="R3")
    assert [charge.quantity_before, charge.quantity_total] == [200, 250]
    # f(250) - f(200) = 50 x 0.02 = 1.
    assert charge.amount == 1
    assert account(february, acme).outcome == "invoiced"
    assert price_differences(**JANUARY).record_count == 0


def test_a_corrected_prefix_moves_only_the_calls_to_it() -> None:
    card, call = RateCardFactory(), ProductFactory()
    acme = CustomerFactory(account_number="ACME", rate_cards=[card])
    RateFactory(rate_card=card, product=call, destination_prefix="44", unit_price=Decimal("0.02"))
    use(acme, call, 60, destination="+44207", number="R1")
    use(acme, call, 60, destination="+447700", number="R2")
    post(bill())
    # Mobile was missing: 60 x 0.05 = 3 in place of 60 x 0.02 = 1.2.
    RateFactory(rate_card=card, product=call, destination_prefix="447", unit_price=Decimal("0.05"))
    assert records(price_differences(**JANUARY)) == ["ACME R2: 1.2 -> 3"]


def test_only_chosen_customers_are_corrected() -> None:
    acme, call = customer_at("0.10", account_number="ACME")
    bell = CustomerFactory(account_number="BELL", rate_cards=[rate_of(call).rate_card])
    for customer in (acme, bell):
        use(customer, call, 100, number=f"R-{customer.account_number}")
    post(bill())
    correct(rate_of(call), "0.08")
    draft(bell)
    assert records(price_differences(**JANUARY)) == ["ACME R-ACME: 10 -> 8"]


def test_a_rate_card_an_invoice_and_a_period_narrow_it_down(billed: tuple[Customer, Product]) -> None:
    acme, call = billed
    rate = rate_of(call)
    use(acme, call, 10, on="2026-02-05", number="R2")
    post(bill(**FEBRUARY))
    correct(rate, "0.08")
    both: dict[str, Any] = {"from_day": date(2026, 1, 1), "until_day": date(2026, 3, 1)}
    assert records(price_differences(**both)) == ["ACME R1: 10 -> 8", "ACME R2: 1 -> 0.8"]
    assert records(price_differences(**JANUARY)) == ["ACME R1: 10 -> 8"]
    assert price_differences(**both, rate_card_id=rate.rate_card_id).record_count == 2
    assert price_differences(**both, rate_card_id=RateCardFactory().pk).record_count == 0
    february = UsageCharge.objects.get(record__number="R2").line.invoice
    assert records(differences_of_invoice(invoice_id=february.pk)) == ["ACME R2: 1 -> 0.8"]


def test_price_lists_that_a_customer_has_since_make_no_difference(billed: tuple[Customer, Product]) -> None:
    acme, call = billed
    other = RateCardFactory()
    RateFactory(rate_card=other, product=call, unit_price=Decimal(5))
    acme.customer_rate_cards.update(rate_card=other)
    assert price_differences(**JANUARY).record_count == 0


def test_drafts_are_not_in_it() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    run = bill()
    correct(rate_of(call), "0.08")
    assert price_differences(**JANUARY).record_count == 0
    with pytest.raises(DifferencesRefused, match="There is no posted invoice with that id"):
        differences_of_invoice(invoice_id=invoice(run, acme).pk)


def test_usage_taken_back_takes_its_correction_with_it(billed: tuple[Customer, Product]) -> None:
    acme, call = billed
    correct(rate_of(call), "0.08")
    draft(acme)
    cancel(UsageCharge.objects.get().record)
    # Charged 10, corrected by -10 + 8; taken back: -10, and the correction of -2 goes with +2.
    amounts = [one.amount for one in Transaction.objects.order_by("id")]
    assert amounts == [-10, 8, -10, 2]
    assert 10 + sum(amounts) == 0
    assert price_differences(**JANUARY).record_count == 0


def test_usage_without_a_price_is_listed_and_not_corrected(billed: tuple[Customer, Product]) -> None:
    acme, call = billed
    rate = rate_of(call)
    rate.end_date = date(2026, 1, 1)
    rate.save()
    found = price_differences(**JANUARY)
    assert [found.unpriced_count, found.records[0].now, found.customers[0].difference] == [1, None, 0]
    with pytest.raises(CorrectionRefused) as refused:
        draft(acme)
    assert str(refused.value) == (
        f"Nothing was drafted: 1 record has no price now, of ACME {acme.name}. Add a rate to a price list of theirs, "
        "or cancel the records."
    )
    assert not PriceCorrection.objects.exists()


def test_a_customer_that_changed_its_currency_is_refused(billed: tuple[Customer, Product]) -> None:
    acme, call = billed
    correct(rate_of(call), "0.08")
    RateCardFactory(currency__code="EUR")
    Customer.objects.filter(pk=acme.pk).update(currency="EUR")
    with pytest.raises(CorrectionRefused, match="is billed in another currency now than on the invoices"):
        draft(acme)


@pytest.mark.parametrize(
    ("until_day", "message"),
    [
        (date(2026, 1, 1), "The period ends before it begins."),
        (date(2027, 1, 3), "The period has 367 days: ask for 366 at most."),
    ],
)
def test_a_period_that_cannot_be_is_refused(until_day: date, message: str) -> None:
    with pytest.raises(DifferencesRefused, match=message):
        price_differences(from_day=date(2026, 1, 1), until_day=until_day)


def test_who_drafted_it_is_kept(billed: tuple[Customer, Product]) -> None:
    acme, call = billed
    clerk = UserFactory()
    correct(rate_of(call), "0.08")
    draft(acme, user_id=clerk.pk)
    assert PriceCorrection.objects.get().created_by == clerk


def test_a_run_that_was_commenced_before_the_correction_does_not_see_it(billed: tuple[Customer, Product]) -> None:
    acme, call = billed
    use(acme, call, 1, on="2026-02-01", number="R2")
    run = commence_run(run_id=new_run(**FEBRUARY).pk, at=AT, without_preflight=True)
    correct(rate_of(call), "0.08")
    draft(acme)
    assert lines(invoice(produce(run), acme)) == ["1 x 0.1 = 0.1 -> 0.10"]


def test_a_price_that_was_wrong_from_its_first_day_is_corrected_from_that_day_on() -> None:
    customer, call = customer_at("0.10", account_number="ACME", rate__start_date=date(2026, 1, 1))
    use(customer, call, 100, on="2026-01-01", number="R1")
    january = bill()
    post(january)
    wrong = rate_of(call)
    right = correct(wrong, "0.08")
    wrong.refresh_from_db()
    assert [wrong.end_date, right.start_date] == [date(2026, 1, 1), date(2026, 1, 1)]
    # 100 x 0.10 = 10 was charged, 100 x 0.08 = 8 is right.
    assert records(price_differences(**JANUARY)) == ["ACME R1: 10 -> 8"]
    assert check_explanations(invoice_id=invoice(january, customer).pk).unequal == ()
