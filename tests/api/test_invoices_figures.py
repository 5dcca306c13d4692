"""What the v3 API says of invoices that billing made: types, sums and prices, in currencies of 0, 2 and 3 decimals."""

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.api.caller import Caller
from tests.factories.catalog import TaxRateFactory
from tests.factories.invoicing import AccountCreditFactory, TransactionFactory
from tests.runs import bill, customer_at, invoice, post, use

pytestmark = pytest.mark.django_db

PATH = "/billing/v3/invoices"
FIVE = ("group", "line", "name")
NUMBERS = {"amount", "rate", "units", "monthly_transaction_amount", "tax_amount", "total_amount"}
DATES = {"billing_start_date", "billing_end_date", "invoice_posted_on"}


def members(value: Any) -> list[tuple[str, Any]]:
    """Every member of an answer by its name, with those of what it holds."""
    if isinstance(value, list):
        return [member for inner in value for member in members(inner)]
    if not isinstance(value, dict):
        return []
    return [member for name, inner in value.items() for member in [(name, inner), *members(inner)]]


def written(staff: Caller, invoice_id: int) -> Any:
    """The invoice with each number as the digits that it is written in."""
    text = staff.get(f"{PATH}/{invoice_id}").content.decode()
    return json.loads(text, parse_float=Literal, parse_int=Literal)


class Literal(str):
    """A number, as it is written."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("currency", "net", "tax", "total", "amounts"),
    [
        # 3 x 33.3333 = 99.9999, 7 x 33.3333 = 233.3331, 1 x 25, 10 % of 358.333 off
        ("JPY", "322", "64", "386", ["100", "233", "25", "-36"]),
        ("USD", "322.50", "64.50", "387.00", ["100.00", "233.33", "25.00", "-35.83"]),
        ("KWD", "322.500", "64.500", "387.000", ["100.000", "233.333", "25.000", "-35.833"]),
    ],
)
def test_lines_add_up_to_the_net_in_the_decimals_of_the_currency(
    staff: Caller, currency: str, net: str, tax: str, total: str, amounts: list[str]
) -> None:
    acme, call = customer_at("33.3333", currency=currency, tax_rate=TaxRateFactory(percent=Decimal(20)))
    use(acme, call, 3, region="a")
    use(acme, call, 7, region="b")
    TransactionFactory(customer=acme, unit_price=Decimal(25), description="Set-up")
    AccountCreditFactory(customer=acme, code="TENTH", percent=Decimal(10), amount=None, currency=None)
    document = invoice(post(bill()), acme)

    one = written(staff, document.pk)
    items = one["transaction_line_items"]
    assert (one["monthly_transaction_amount"], one["tax_amount"], one["total_amount"]) == (net, tax, total)
    assert [item["amount"] for item in items] == amounts
    assert sum(Decimal(item["amount"]) for item in items) == Decimal(net)
    for item in items:
        # To the minor unit, which the largest remainder may move.
        unit = Decimal(1).scaleb(-document.currency.minor_units)
        assert abs(Decimal(item["rate"]) * Decimal(item["units"]) - Decimal(item["amount"])) <= unit
    assert [item["credit_coupon_code"] for item in items] == ["", "", "", "TENTH"]


def test_no_member_is_null_and_each_has_its_type(staff: Caller) -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    use(acme, call, 1, total_amount=Decimal("1.5"), rating_type="PRERATED")
    TransactionFactory(customer=acme, product=None)
    post(bill())
    page = json.loads(staff.get(PATH).content.decode(), parse_float=Decimal)
    found = members(page)
    assert len(found) > 50
    for name, value in found:
        assert value is not None, name
        if name in NUMBERS:
            assert isinstance(value, (int, Decimal)), name
        elif name in {"limit", "total"}:
            assert isinstance(value, int), name
        elif name in {"data", "meta", "transaction_line_items"}:
            assert isinstance(value, (list, dict)), name
        else:
            assert isinstance(value, str), name
        if name in DATES:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value), name
        if name == "invoice_id":
            assert re.fullmatch(r"[1-9][0-9]*", value)
    for item in page["data"][0]["transaction_line_items"]:
        for word in FIVE:
            assert item[f"product_{word}"] == item[f"Product{word.capitalize()}"]
        assert (item["region"], item["usage_type"]) == (item["Region"], item["UsageType"])


def test_a_credit_note_is_an_invoice_of_less_than_nothing(staff: Caller) -> None:
    acme, _ = customer_at("0.10", tax_rate=TaxRateFactory(percent=Decimal(20)))
    TransactionFactory(customer=acme, unit_price=Decimal(-25), transaction_date=date(2026, 1, 10))
    document = invoice(post(bill()), acme)
    one = staff.ask(f"{PATH}/{document.pk}")
    assert (one["statement_number"], one["monthly_transaction_amount"]) == (document.number, Decimal(-25))
    assert (one["tax_amount"], one["total_amount"]) == (-5, -30)
