"""The difference of a run's invoices to those before, by what makes it."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillingRun
from billing.queries.comparison import ComparedAccount, comparison_page, comparison_rows, comparison_sums
from billing.queries.price_lists import rate_card_ids_of
from catalog.models import Product, Rate
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import (
    BillingRunFactory,
    CustomerFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    RunAccountFactory,
    RunChunkFactory,
)
from tests.factories.invoicing import post as post_by_sql
from tests.runs import account

pytestmark = pytest.mark.django_db

JANUARY = {"period_start": date(2026, 1, 1), "period_end": date(2026, 2, 1)}
FEBRUARY = {"period_start": date(2026, 2, 1), "period_end": date(2026, 3, 1)}


def usage(quantity: str | int, amount: str | int, **fields: Any) -> dict[str, Any]:
    return {"quantity": Decimal(quantity), "exact_amount": Decimal(amount), "amount": Decimal(amount)} | fields


def one_off(amount: str | int) -> dict[str, Any]:
    return usage(1, amount, kind="ONE_OFF")


def document(customer: Customer, lines: Sequence[dict[str, Any]], **fields: Any) -> Invoice:
    """A draft with these lines, and 20 % tax."""
    net = sum((line["amount"] for line in lines), Decimal(0))
    kind = "CREDIT_NOTE" if net < 0 else "INVOICE"
    made = InvoiceFactory(
        customer=customer, kind=kind, net_amount=net, tax_amount=net * Decimal("0.2"), **(JANUARY | fields)
    )
    for line in lines:
        InvoiceLineFactory(invoice=made, **line)
    return made


def before(customer: Customer, *lines: dict[str, Any], **fields: Any) -> Invoice:
    """The posted invoice of January, with the account that has the customer's price lists of then."""
    made = document(customer, lines, **fields)
    RunAccountFactory(customer=customer, outcome="invoiced", invoice=made, rate_card_ids=rate_card_ids_of(customer))
    return post_by_sql(made)


def february() -> BillingRun:
    dates = {"cutoff_date": date(2026, 3, 1), "invoice_date": date(2026, 3, 1), "due_date": date(2026, 3, 31)}
    return RunChunkFactory(run=BillingRunFactory(commenced=True, **dates)).run


def now(run: BillingRun, customer: Customer, *lines: dict[str, Any]) -> None:
    """The customer's draft of February."""
    RunAccountFactory(
        chunk=run.chunks.get(), customer=customer, outcome="invoiced", invoice=document(customer, lines, **FEBRUARY)
    )


def compared(run: BillingRun) -> ComparedAccount:
    (row,), has_more = comparison_page(run_id=run.pk, limit=10)
    assert not has_more
    return row


def parts(row: ComparedAccount) -> str:
    values = (row.volume, row.price, row.mix, row.one_off, row.tax)
    return "volume {:.2f}, price {:.2f}, mix {:.2f}, one-off {:.2f}, tax {:.2f}".format(*values)


@pytest.fixture
def acme() -> Customer:
    return CustomerFactory(rate_cards=[RateCardFactory(currency__code="USD")])


@pytest.fixture
def call() -> Product:
    return ProductFactory()


def rate(customer: Customer, product: Product, unit_price: str, **fields: Any) -> Rate:
    (card_id,) = rate_card_ids_of(customer)
    return RateFactory(rate_card_id=card_id, product=product, unit_price=Decimal(unit_price), **fields)


def test_the_parts_of_a_difference(acme: Customer, call: Product) -> None:
    germany = rate(acme, call, "0.10", destination_prefix="49", end_date=date(2026, 2, 1))
    dearer = rate(acme, call, "0.12", destination_prefix="49", start_date=date(2026, 2, 1))
    britain = rate(acme, call, "0.30", destination_prefix="44")
    # 200 for 40.00 in January, 0.20 on average.
    before(acme, usage(100, 10, product=call, rate=germany), usage(100, 30, product=call, rate=britain), one_off(25))
    run = february()
    now(
        run, acme, usage(90, "10.80", product=call, rate=dearer), usage(210, 63, product=call, rate=britain), one_off(5)
    )
    row = compared(run)
    # Volume: (300 - 200) x 0.20. Mix: 90 x 0.10 + 210 x 0.30 - 300 x 0.20 = 9 + 63 - 60. Price: 90 x (0.12 - 0.10).
    # One-off: 5 - 25. Tax: 20 % of 78.80 less 20 % of 65: 15.76 - 13.
    assert parts(row) == "volume 20.00, price 1.80, mix 12.00, one-off -20.00, tax 2.76"
    assert (row.total_before, row.total, row.difference) == (Decimal(78), Decimal("94.56"), Decimal("16.56"))


def test_a_destination_that_was_listed_but_not_called_before_is_mix(acme: Customer, call: Product) -> None:
    germany, cuba = (rate(acme, call, price, destination_prefix=to) for to, price in (("49", "0.10"), ("53", "1")))
    before(acme, usage(100, 10, product=call, rate=germany))
    run = february()
    now(run, acme, usage(90, 9, product=call, rate=germany), usage(10, 10, product=call, rate=cuba))
    # As many units, of which 10 cost 0.90 more than the average was: 10 x (1 - 0.10). Tax: 20 % of 9.
    assert parts(compared(run)) == "volume 0.00, price 0.00, mix 9.00, one-off 0.00, tax 1.80"


def test_another_price_list_is_price(acme: Customer, call: Product) -> None:
    before(acme, usage(100, 10, product=call, rate=rate(acme, call, "0.10")))
    other = RateFactory(product=call, unit_price=Decimal("0.15"))
    run = february()
    now(run, acme, usage(200, 30, product=call, rate=other))
    # 100 more at 0.10; all 200 are 0.05 dearer.
    assert parts(compared(run)) == "volume 10.00, price 10.00, mix 0.00, one-off 0.00, tax 4.00"


def test_what_is_used_only_now_or_only_before_is_volume(acme: Customer, call: Product) -> None:
    before(acme, usage(100, 10, product=call, region="DE"))
    run = february()
    now(run, acme, usage(5, 7, product=call, region="FR"), usage(3, 2, product=ProductFactory(), region="DE"))
    # 7 + 2 - 10.
    assert parts(compared(run)) == "volume -1.00, price 0.00, mix 0.00, one-off 0.00, tax -0.20"


def test_fees_alone_are_price(acme: Customer, call: Product) -> None:
    before(acme, usage(0, 3, product=call))
    run = february()
    now(run, acme, usage(0, 5, product=call))
    assert parts(compared(run)) == "volume 0.00, price 2.00, mix 0.00, one-off 0.00, tax 0.40"


def test_what_rounding_leaves_goes_to_the_largest(acme: Customer, call: Product) -> None:
    one, two = (rate(acme, call, "1", destination_prefix=to) for to in ("1", "2"))
    before(acme, usage(3, 1, product=call, rate=one), usage(3, 3, product=call, rate=two))
    run = february()
    now(run, acme, usage(4, "1.34", product=call, rate=one), usage(3, 3, product=call, rate=two))
    # Volume: 1 x 4/6 = 0.67. Mix: 4 x 1/3 + 3 x 1 - 7 x 4/6 = -1/3 = -0.33. Price: 1.34 - 4/3 = 0.01 (0.00667). They
    # add up to 0.35, the difference is 0.34: volume gives 0.01.
    assert parts(compared(run)) == "volume 0.66, price 0.01, mix -0.33, one-off 0.00, tax 0.07"


def test_what_rounding_leaves_goes_to_mix_where_that_is_the_largest(acme: Customer, call: Product) -> None:
    one, two = (rate(acme, call, "1", destination_prefix=to) for to in ("1", "2"))
    before(acme, usage(3, 1, product=call, rate=one), usage(3, 3, product=call, rate=two))
    run = february()
    now(run, acme, usage(1, "0.34", product=call, rate=one), usage(6, 6, product=call, rate=two))
    # Volume: 1 x 4/6 = 0.67. Mix: 1 x 1/3 + 6 x 1 - 7 x 4/6 = 1.67 (1.66667). Price: 0.34 - 1/3 = 0.01 (0.00667). They
    # add up to 2.35, the difference is 2.34: mix gives 0.01.
    assert parts(compared(run)) == "volume 0.67, price 0.01, mix 1.66, one-off 0.00, tax 0.47"


def test_a_new_customer_differs_by_all_of_its_invoice(acme: Customer, call: Product) -> None:
    run = february()
    now(run, acme, usage(100, 10, product=call), one_off(5))
    row = compared(run)
    assert parts(row) == "volume 10.00, price 0.00, mix 0.00, one-off 5.00, tax 3.00"
    assert (row.before_id, row.before_number, row.total_before) == (None, "", Decimal(0))


def test_a_customer_with_nothing_to_bill_now_is_missed(acme: Customer, call: Product) -> None:
    last = before(acme, usage(100, 10, product=call), one_off(5))
    run = february()
    chunk = run.chunks.get()
    RunAccountFactory(chunk=chunk, customer=acme, outcome="nothingToBill", reason="No usage.")
    # Without an earlier invoice there is nothing to compare; who is held or waits has no invoice yet.
    RunAccountFactory(chunk=chunk, outcome="nothingToBill", reason="No usage.")
    RunAccountFactory(chunk=chunk)
    row = compared(run)
    assert parts(row) == "volume -10.00, price 0.00, mix 0.00, one-off -5.00, tax -3.00"
    assert (row.invoice_id, row.before_number, row.outcome) == (None, last.number, "nothingToBill")


def test_the_last_posted_invoice_in_the_currency_before_counts(acme: Customer, call: Product) -> None:
    november = {"period_start": date(2025, 11, 1), "period_end": date(2025, 12, 1)}
    december = {"period_start": date(2025, 12, 1), "period_end": date(2026, 1, 1)}
    before(acme, usage(1, 1, product=call), **november)
    wanted = before(acme, usage(1, 2, product=call), **december)
    document(acme, [usage(1, 3, product=call)])
    before(acme, usage(1, 4, product=call), currency=RateCardFactory(currency__code="EUR").currency)
    run = february()
    now(run, acme, usage(1, 5, product=call))
    later = {"period_start": date(2026, 3, 1), "period_end": date(2026, 4, 1)}
    before(acme, usage(1, 6, product=call), **later)
    assert compared(run).before_id == wanted.pk


def test_the_largest_difference_comes_first_page_by_page(call: Product) -> None:
    run = february()
    customers = {}
    for was, amount in ((10, 12), (10, 1), (0, 5), (100, 101), (5, 10)):
        customer = CustomerFactory()
        if was:
            before(customer, usage(1, was, product=call))
        now(run, customer, usage(1, amount, product=call))
        customers[amount] = account(run, customer).pk
    # Differences, with tax: 2.40, -10.80, 6, 1.20, 6; two are alike, in the order of accounts.
    order = [customers[amount] for amount in (1, 5, 10, 12, 101)]
    found: list[int] = []
    has_more, queries_of_pages = True, set()
    while has_more:
        after = found[-1] if found else None
        with CaptureQueriesContext(connection) as queries:
            page, has_more = comparison_page(run_id=run.pk, limit=2, after_id=after)
        queries_of_pages.add(len(queries))
        found += [row.account_id for row in page]
    assert found == order
    assert len(queries_of_pages) == 1
    assert [row.account_id for row in comparison_rows(run_id=run.pk)] == order
    (sums,) = comparison_sums(run_id=run.pk)
    # 120 % of 129 now and of 125 before.
    assert (sums.account_count, sums.total, sums.total_before) == (5, Decimal("154.80"), Decimal(150))
    assert sums.difference == sums.volume + sums.price + sums.mix + sums.one_off + sums.tax == Decimal("4.80")


def test_only_one_currency_if_asked(acme: Customer, call: Product) -> None:
    run = february()
    euro = CustomerFactory(currency=RateCardFactory(currency__code="EUR").currency)
    for customer in (acme, euro):
        now(run, customer, usage(1, 5, product=call))
    rows, _ = comparison_page(run_id=run.pk, limit=10, currency="EUR")
    assert [row.customer_id for row in rows] == [euro.pk]
    assert [sums.currency for sums in comparison_sums(run_id=run.pk)] == ["EUR", "USD"]
