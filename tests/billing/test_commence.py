"""What a run freezes when it is commenced: what comes later waits for the next one, what changes changes nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper

from billing.models import BillingRun
from billing.operations.runs import commence_run
from catalog.models import Rate, TaxRate
from catalog.operations.rates import add_rate_version, end_rate
from customers.models import Customer, CustomerRateCard
from tests.factories import (
    CustomerFactory,
    CustomerRateCardFactory,
    InvoiceMessageFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    TaxRateFactory,
    TransactionFactory,
    UserFactory,
)
from tests.refusals import refused
from tests.runs import AT, FEBRUARY, bill, customer_at, invoice, lines, new_run, outcome, produce, rate_of, totals, use
from usage.models import PendingUsage

pytestmark = pytest.mark.django_db(transaction=True)


def commenced(**fields: Any) -> BillingRun:
    return commence_run(run_id=new_run(**fields).pk, at=AT, without_preflight=True)


@contextmanager
def another_transaction() -> Iterator[CursorWrapper]:
    """A cursor of a second connection to the test database, in a transaction that is committed at the end."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            yield cursor
        other.commit()
    finally:
        other.close()


def test_it_notes_when_by_whom_and_what_was_there() -> None:
    CustomerFactory()
    clerk = UserFactory()
    run = commence_run(run_id=new_run().pk, at=AT, user_id=clerk.id, without_preflight=True)
    run.refresh_from_db()
    assert (run.status, run.commenced_at, run.commenced_by) == ("commenced", AT, clerk)
    assert run.snapshot


def test_chunks_have_about_the_same_number_of_records_in_the_order_of_account_numbers(settings: Any) -> None:
    settings.BILLING_CHUNK_RECORDS = 4
    price = customer_at("1", account_number="C")
    customers = [CustomerFactory(account_number=number) for number in ("a", "B", "D", "E")]
    for customer, count in ((price[0], 3), (customers[0], 9), (customers[3], 2)):
        for _ in range(count):
            use(customer, price[1], 1)
    run = commenced()
    # Code points: capitals first. Each customer weighs its records and one: B begins at 0, C at 1, D at 5, E at 6, a at
    # 9; a chunk ends at every fourth.
    assert [
        [account.customer.account_number for account in chunk.accounts.order_by("id")] for chunk in run.chunks.all()
    ] == [["B", "C"], ["D", "E"], ["a"]]
    counts = list(run.chunks.order_by("number").values_list("number", "account_count", "record_count"))
    assert counts == [(1, 2, 3), (2, 2, 2), (3, 1, 9)]


def test_usage_that_is_committed_after_it_waits_for_the_next_run() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    run = commenced()
    use(acme, call, 7)
    assert lines(invoice(produce(run), acme)) == ["5 x 1 = 5 -> 5.00"]
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["7 x 1 = 7 -> 7.00"]


def test_usage_on_its_way_in_another_transaction_waits_for_the_next_run() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    on_its_way = use(acme, call, 7, pending=False)
    with another_transaction() as other:
        other.execute(
            "INSERT INTO pending_usage (record_id, customer_id, billing_effective_date) VALUES (%s, %s, '2026-01-15')",
            [on_its_way.id, acme.id],
        )
        run = commenced()
    assert lines(invoice(produce(run), acme)) == ["5 x 1 = 5 -> 5.00"]
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["7 x 1 = 7 -> 7.00"]


def test_a_transaction_that_is_entered_after_it_waits_for_the_next_run() -> None:
    acme = CustomerFactory()
    TransactionFactory(customer=acme, unit_price=Decimal(5))
    run = commenced()
    TransactionFactory(customer=acme, unit_price=Decimal(7))
    assert lines(invoice(produce(run), acme)) == ["1 x 5 = 5 -> 5.00"]
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["1 x 7 = 7 -> 7.00"]


def test_a_customer_that_is_new_after_it_waits_for_the_next_run() -> None:
    CustomerFactory()
    run = commenced()
    newcomer = CustomerFactory()
    assert not run.accounts.filter(customer=newcomer).exists()


def add_version(rate: Rate) -> None:
    add_rate_version(rate_id=rate.id, start_date=date(2026, 1, 10), terms={"unit_price": Decimal(9)})


def add_to_the_region(rate: Rate) -> None:
    RateFactory(rate_card=rate.rate_card, product=rate.product, region="EU", unit_price=Decimal(9))


def end(rate: Rate) -> None:
    end_rate(rate_id=rate.id, end_date=date(2026, 1, 10))


def add_a_card_before(rate: Rate) -> None:
    CustomerRateCard.objects.update(position=2)
    card = RateCardFactory()
    RateFactory(rate_card=card, product=rate.product, unit_price=Decimal(9))
    CustomerRateCardFactory(customer=Customer.objects.get(), rate_card=card, position=1)


def take_the_card_away(rate: Rate) -> None:
    CustomerRateCard.objects.all().delete()


def change_the_terms(rate: Rate) -> None:
    Customer.objects.update(
        tax_rate=TaxRateFactory(percent=Decimal(7)), minimum_invoice_amount=Decimal(1000), timezone="Asia/Tokyo"
    )


@pytest.mark.parametrize(
    "change", [add_version, add_to_the_region, end, add_a_card_before, take_the_card_away, change_the_terms]
)
def test_prices_and_terms_that_change_after_it_change_nothing(change: Callable[[Rate], None]) -> None:
    acme, call = customer_at("1")
    # At 23:30 UTC the next day, with a price of its own, has begun in Tokyo.
    use(acme, call, 5, region="EU", on="2026-01-19T23:30")
    run = commenced()
    change(rate_of(call))
    assert totals(invoice(produce(run), acme)) == "5.00 + 1.00 = 6.00 USD"


@pytest.mark.parametrize("moved_to", [date(2026, 1, 5), date(2026, 1, 20), None])
def test_an_end_that_is_moved_after_it_stays_where_it_was(moved_to: date | None) -> None:
    acme, call = customer_at("1", rate__end_date=date(2026, 1, 10))
    bell = CustomerFactory(rate_cards=[rate_of(call).rate_card])
    use(acme, call, 5, on="2026-01-09")
    use(bell, call, 5, on="2026-01-10")
    run = commenced()
    end_rate(rate_id=rate_of(call).id, end_date=moved_to)
    # Moved once more, as a clerk does who mistyped it.
    end_rate(rate_id=rate_of(call).id, end_date=date(2026, 1, 25))
    produce(run)
    assert (outcome(run, acme)[0], outcome(run, bell)[0]) == ("invoiced", "held")


def test_a_rate_that_is_added_after_it_does_not_price_what_had_none() -> None:
    acme, call = customer_at("1")
    fax = ProductFactory()
    use(acme, fax, 5)
    run = commenced()
    RateFactory(rate_card=rate_of(call).rate_card, product=fax)
    assert outcome(produce(run), acme)[0] == "held"


def test_the_message_is_the_one_that_it_was() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    message = InvoiceMessageFactory(text="Thank you.")
    run = commenced(invoice_message_id=message.id)
    message.text = "Pay at last."
    message.save()
    assert invoice(produce(run), acme).message == "Thank you."


def test_what_was_restored_from_the_dump_of_another_server_is_billed() -> None:
    # Its rows carry the numbers of that server's transactions, which may be far ahead of this one's.
    of_another_server = "1000000000000000"
    acme, call = customer_at("1", rate__created_in=of_another_server)
    fax = ProductFactory()
    RateFactory(
        rate_card=rate_of(call).rate_card,
        product=fax,
        end_date=date(2026, 1, 10),
        created_in=of_another_server,
        ended_in=of_another_server,
    )
    use(acme, call, 5)
    TransactionFactory(customer=acme, unit_price=Decimal(3), created_in=of_another_server)
    PendingUsage.objects.update(posted_in=of_another_server)
    # What comes in here is frozen as ever.
    run = commenced()
    use(acme, call, 7)
    assert lines(invoice(produce(run), acme)) == ["5 x 1 = 5 -> 5.00", "1 x 3 = 3 -> 3.00"]
    # An end that was restored is an end.
    use(acme, fax, 1, on="2026-01-12")
    assert outcome(bill(), acme)[0] == "held"


def test_a_tax_rate_keeps_its_percent() -> None:
    tax = TaxRateFactory(percent=Decimal(19))
    with refused("Cannot update rows from tax_rate table"):
        TaxRate.objects.filter(id=tax.id).update(percent=Decimal(20))
    TaxRate.objects.filter(id=tax.id).update(name="Value added tax")
    tax.refresh_from_db()
    assert (tax.name, tax.percent) == ("Value added tax", Decimal(19))
