"""The parts of a difference add up to it, whatever the documents say."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.queries.comparison import comparison_page, comparison_rows, comparison_sums
from catalog.models import Rate
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import (
    CustomerFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    RunAccountFactory,
    RunChunkFactory,
)
from tests.factories.invoicing import post

pytestmark = pytest.mark.django_db

cents = st.integers(-10_000, 10_000).map(lambda units: Decimal(units).scaleb(-2))
# Kind, rate (one of four, none for what is no usage), region, quantity, amount.
lines = st.lists(
    st.tuples(
        st.sampled_from(["USAGE", "USAGE", "USAGE", "ONE_OFF"]),
        st.integers(0, 3),
        st.sampled_from(["", "DE"]),
        st.integers(-5, 20).map(lambda thirds: Decimal(thirds) * Decimal("0.37")),
        cents,
    ),
    max_size=6,
)
pairs = st.lists(st.tuples(st.none() | lines, lines, cents, cents), min_size=1, max_size=3)


def document(
    customer: Customer,
    rates: list[Rate],
    drawn: list[tuple[str, int, str, Decimal, Decimal]],
    tax: Decimal,
    period_end: date,
) -> Invoice:
    net = sum((amount for *_, amount in drawn), Decimal(0))
    made = InvoiceFactory(
        customer=customer,
        kind="CREDIT_NOTE" if net + tax < 0 else "INVOICE",
        net_amount=net,
        tax_amount=tax,
        period_start=date(2025, 1, 1),
        period_end=period_end,
    )
    for kind, number, region, quantity, amount in drawn:
        rate = rates[number] if kind == "USAGE" else None
        InvoiceLineFactory(
            invoice=made,
            kind=kind,
            rate=rate,
            product=rate and rate.product,
            region=region,
            quantity=quantity,
            exact_amount=amount,
            amount=amount,
        )
    return made


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(drawn=pairs)
def test_the_parts_add_up_to_the_difference_of_the_totals(
    drawn: list[
        tuple[
            list[tuple[str, int, str, Decimal, Decimal]] | None,
            list[tuple[str, int, str, Decimal, Decimal]],
            Decimal,
            Decimal,
        ]
    ],
) -> None:
    card, product = RateCardFactory(), ProductFactory()
    rates = [
        RateFactory(rate_card=card, product=product, destination_prefix="1", end_date=date(2026, 1, 1)),
        RateFactory(rate_card=card, product=product, destination_prefix="1", start_date=date(2026, 1, 1)),
        RateFactory(rate_card=card, product=product, destination_prefix="2"),
        RateFactory(product=product),
    ]
    chunk = RunChunkFactory()
    for earlier, later, tax_before, tax in drawn:
        customer = CustomerFactory()
        if earlier is not None:
            last = document(customer, rates, earlier, tax_before, date(2026, 1, 1))
            RunAccountFactory(customer=customer, outcome="invoiced", invoice=last, rate_card_ids=[card.pk])
            post(last)
        new = document(customer, rates, later, tax, date(2026, 2, 1))
        RunAccountFactory(chunk=chunk, customer=customer, outcome="invoiced", invoice=new)
    rows, _ = comparison_page(run_id=chunk.run_id, limit=10)
    assert len(rows) == len(drawn)
    assert list(comparison_rows(run_id=chunk.run_id)) == rows
    for row in rows:
        assert row.total - row.total_before == row.difference
        assert row.volume + row.price + row.mix + row.one_off + row.tax == row.difference
        assert all(part == part.quantize(Decimal("0.01")) for part in (row.volume, row.price, row.mix))
    (sums,) = comparison_sums(run_id=chunk.run_id)
    assert sums.difference == sum(row.difference for row in rows)
