"""Credits, minimum and tax of documents that a run makes in SQL are those that the rules come to in Python."""

from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from catalog.models import Currency, TaxRate
from customers.models import Customer
from invoicing.models import AccountCredit
from tests.credits import left
from tests.factories import AccountCreditFactory, CustomerFactory, TaxRateFactory, TransactionFactory
from tests.properties.credited import DrawnCredit, DrawnDocument, Expected, expected_document
from tests.runs import account, bill

pytestmark = pytest.mark.django_db

amounts = (
    st.decimals(min_value=-3, max_value=30, places=4)
    | st.decimals(min_value=-1, max_value=2, places=18)
    | st.sampled_from([Decimal(text) for text in ("0.005", "-0.005", "1.005", "0.5", "1.5", "-0.5", "0.0005", "100")])
)
percent_credits = st.builds(
    DrawnCredit,
    percent=st.decimals(min_value=Decimal("0.0001"), max_value=100, places=4)
    | st.sampled_from([Decimal(10), Decimal("33.3333"), Decimal(50), Decimal(100)]),
    amount=st.none(),
    position=st.integers(1, 3),
)
amount_credits = st.builds(
    DrawnCredit,
    percent=st.none(),
    amount=st.decimals(min_value=Decimal("0.0001"), max_value=40, places=4),
    position=st.integers(1, 3),
)
documents = st.builds(
    DrawnDocument,
    charges=st.lists(st.tuples(st.integers(0, 2), amounts), max_size=7),
    credits=st.lists(percent_credits | amount_credits | amount_credits, max_size=4),
    rule=st.sampled_from(["skip", "skip", "pad", "fee"]),
    minimum=st.sampled_from([Decimal(text) for text in ("0", "5", "10.0005", "25")]),
    fee=st.sampled_from([Decimal("4.9"), Decimal("0.0001"), Decimal("2.505")]),
    wants_zero=st.booleans(),
)
tax_percents = st.lists(
    st.sampled_from([Decimal(0), Decimal(7), Decimal(20), Decimal("7.7125")]), min_size=3, max_size=3
)


def make_customer(drawn: DrawnDocument, rates: list[TaxRate], currency: str) -> tuple[Customer, list[AccountCredit]]:
    customer = CustomerFactory(
        currency__code=currency,
        tax_rate=rates[0],
        minimum_rule=drawn.rule,
        minimum_invoice_amount=drawn.minimum,
        low_usage_fee=drawn.fee,
        wants_zero_invoices=drawn.wants_zero,
    )
    for number, (rate, amount) in enumerate(drawn.charges):
        # Of a negative quantity, so that lines are in the order of their unit prices, which are all the same.
        TransactionFactory(
            customer=customer, unit_price=1, quantity=amount, tax_rate=rates[rate], description=f"{number}"
        )
    given_credits = [
        AccountCreditFactory(
            customer=customer, percent=one.percent, amount=one.amount, position=one.position, code=f"C{number}"
        )
        for number, one in enumerate(drawn.credits)
    ]
    return customer, given_credits


def check(
    drawn: DrawnDocument, expected: Expected, customer: Customer, given_credits: list[AccountCredit], run: object
) -> None:
    found = account(run, customer).invoice  # type: ignore[arg-type]
    unit = Decimal(1).scaleb(-customer.currency.minor_units)
    event("credit note" if found and found.kind == "CREDIT_NOTE" else "invoice" if found else "nothing")
    event(f"credits used: {bool(found and found.lines.filter(kind='CREDIT').exists())}")
    assert (found is not None) == expected.is_invoiced, account(run, customer).reason  # type: ignore[arg-type]
    used = dict.fromkeys(range(len(given_credits)), Decimal(0))
    if found is not None:
        lines = list(found.lines.select_related("tax_rate", "credit_use__credit").order_by("line_number"))
        assert [(line.kind, line.tax_rate.name, line.coupon_code, line.amount) for line in lines] == [
            (line.kind, f"Rate {line.rate}", "" if line.credit is None else f"C{line.credit}", line.units * unit)
            for line in expected.lines
        ]
        assert [line.exact_amount * 10**customer.currency.minor_units for line in lines] == [
            line.exact for line in expected.lines
        ]
        assert {
            tax.tax_rate.name: (tax.net_amount, tax.tax_amount) for tax in found.taxes.select_related("tax_rate")
        } == {f"Rate {rate}": (net * unit, expected.tax[rate] * unit) for rate, net in expected.net.items()}
        assert (found.net_amount, found.tax_amount) == (
            sum(expected.net.values()) * unit,
            sum(expected.tax.values()) * unit,
        )
        # Credits never make a document negative, and take off no more than there is.
        charged = sum(line.amount for line in lines if line.kind != "CREDIT")
        assert found.net_amount >= 0 or found.net_amount == charged
        for line in lines:
            if line.kind == "CREDIT":
                used[int(line.coupon_code[1:])] += max(-line.amount, Decimal(0))
                assert line.credit_use.amount == max(-line.amount, Decimal(0))
    for number, credit in enumerate(given_credits):
        if credit.amount is not None:
            assert left(credit) == credit.amount - used[number] >= 0


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(documents, min_size=1, max_size=3), tax_percents, st.sampled_from(["USD", "JPY", "KWD"]))
def test_credits_and_minimum_agree(drawn: list[DrawnDocument], percents: list[Decimal], currency: str) -> None:
    with transaction.atomic():
        rates = [TaxRateFactory(name=f"Rate {n}", percent=percent) for n, percent in enumerate(percents)]
        made = [make_customer(one, rates, currency) for one in drawn]
        run = bill()
        minor_units = Currency.objects.get(pk=currency).minor_units
        for one, (customer, given_credits) in zip(drawn, made, strict=True):
            check(one, expected_document(one, percents, minor_units), customer, given_credits, run)
        transaction.set_rollback(True)
