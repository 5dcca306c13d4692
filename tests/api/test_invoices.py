"""`/billing/v3/invoices`: to the letter of what published clients read."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from invoicing.models import Invoice
from tests.api.caller import Caller, assert_error
from tests.factories.catalog import CurrencyFactory, ProductFactory
from tests.factories.customers import CustomerFactory
from tests.factories.invoicing import InvoiceFactory, InvoiceLineFactory, post

pytestmark = pytest.mark.django_db

PATH = "/billing/v3/invoices"


def posted(customer: Customer, month: int = 1, **values: Any) -> Invoice:
    """A posted invoice of a month of 2025 with one line."""
    invoice = InvoiceFactory(
        customer=customer, period_start=date(2025, month, 1), period_end=date(2025, month + 1, 1), **values
    )
    InvoiceLineFactory(invoice=invoice)
    return post(invoice)


@pytest.fixture
def invoice(customer: Customer) -> Invoice:
    """Posted: 1,234 GB at 0.05 per GB, and credits of 0.10 that brought their own amount."""
    draft = InvoiceFactory(
        customer=customer,
        net_amount=Decimal("61.60"),
        tax_amount=Decimal("12.32"),
        period_start=date(2026, 1, 1),
        period_end=date(2026, 2, 1),
    )
    InvoiceLineFactory(
        invoice=draft,
        product=ProductFactory(code="STORE"),
        product_code="STORE",
        product_name="Object storage",
        product_group="Storage",
        product_line="Objects",
        region="eu-west",
        usage_type="Storage",
        unit="GB",
        description="Object storage, eu-west",
        quantity=Decimal("1234.000000000000000000"),
        unit_price=Decimal("50.000000000000000000"),
        unit_size=Decimal("1000.000000000000000000"),
        exact_amount=Decimal("61.7"),
        amount=Decimal("61.7000"),
    )
    InvoiceLineFactory(
        invoice=draft,
        description="Credit",
        quantity=Decimal("-0.0000001453"),
        unit_price=None,
        exact_amount=Decimal("-0.1"),
        amount=Decimal("-0.1000"),
    )
    return post(draft, at=datetime(2026, 2, 1, 9, 30, 15, 123456, tzinfo=UTC))


def test_an_invoice_has_every_member(staff: Caller, invoice: Invoice) -> None:
    assert staff.ask(f"{PATH}/{invoice.id}") == {
        "invoice_id": str(invoice.id),
        "customer_id": "ACME-1",
        "statement_number": invoice.number,
        "invoice_posted_on": "2026-02-01T09:30:15.123456Z",
        "billing_start_date": "2026-01-01T00:00:00Z",
        "billing_end_date": "2026-01-31T00:00:00Z",
        "currency_code": "USD",
        "monthly_transaction_amount": Decimal("61.60"),
        "tax_amount": Decimal("12.32"),
        "total_amount": Decimal("73.92"),
        "transaction_line_items": [
            {
                "ProductGroup": "Storage",
                "ProductLine": "Objects",
                "ProductName": "Object storage",
                "Region": "eu-west",
                "UsageType": "Storage",
                "product_group": "Storage",
                "product_line": "Objects",
                "product_name": "Object storage",
                "region": "eu-west",
                "usage_type": "Storage",
                "amount": Decimal("61.70"),
                "credit_coupon_code": "",
                "description": "Object storage, eu-west",
                "rate": Decimal("0.05"),  # 50 for 1,000
                "units": 1234,
            },
            {
                "ProductGroup": "",
                "ProductLine": "",
                "ProductName": "",
                "Region": "",
                "UsageType": "",
                "product_group": "",
                "product_line": "",
                "product_name": "",
                "region": "",
                "usage_type": "",
                "amount": Decimal("-0.10"),
                "credit_coupon_code": "",
                "description": "Credit",
                "rate": 0,
                "units": Decimal("-0.0000001453"),
            },
        ],
    }


def test_numbers_are_literals_with_all_their_digits(staff: Caller, invoice: Invoice) -> None:
    text = staff.get(f"{PATH}/{invoice.id}").content.decode()
    assert '"monthly_transaction_amount":61.60,"tax_amount":12.32,"total_amount":73.92,' in text
    assert (
        '"amount":61.70,"credit_coupon_code":"","description":"Object storage, eu-west","rate":0.05,"units":1234}'
        in text
    )
    assert '"rate":0,"units":-0.0000001453}' in text


def test_38_digits_survive(staff: Caller, customer: Customer) -> None:
    draft = InvoiceFactory(customer=customer)
    InvoiceLineFactory(invoice=draft, quantity=Decimal("12345678901234567890.123456789012345678"))
    text = staff.get(f"{PATH}/{post(draft).id}").content.decode()
    assert '"units":12345678901234567890.123456789012345678}' in text


def test_amounts_have_the_decimals_of_their_currency(staff: Caller) -> None:
    for code, shown in (("JPY", "1000"), ("USD", "1000.00"), ("KWD", "1000.000")):
        customer = CustomerFactory(currency=CurrencyFactory(code=code))
        invoice = posted(customer, net_amount=Decimal(1000), tax_amount=Decimal(0))
        assert f'"monthly_transaction_amount":{shown},' in staff.get(f"{PATH}/{invoice.id}").content.decode()


def test_the_list_wraps_the_same_objects(staff: Caller, invoice: Invoice) -> None:
    one = staff.ask(f"{PATH}/{invoice.id}")
    assert staff.ask(PATH) == {
        "data": [one],
        "meta": {"limit": 1, "next_cursor": "", "sort": "billing_start_date", "total": 1},
    }


def test_an_empty_list(staff: Caller) -> None:
    assert staff.ask(PATH) == {
        "data": [],
        "meta": {"limit": 0, "next_cursor": "", "sort": "billing_start_date", "total": 0},
    }


def test_drafts_are_not_there(staff: Caller, customer: Customer) -> None:
    draft = InvoiceFactory(customer=customer)
    assert staff.ask(PATH)["data"] == []
    assert_error(staff.get(f"{PATH}/{draft.id}"), 404, "not_found")


def test_a_customers_key_sees_its_own(customer: Customer, staff: Caller, caller_of: Callable[..., Caller]) -> None:
    other = CustomerFactory(account_number="OTHER-1")
    mine, theirs = posted(customer), posted(other)
    caller = caller_of(customer)

    assert [row["invoice_id"] for row in caller.ask(PATH)["data"]] == [str(mine.id)]
    assert caller.ask(f"{PATH}/{mine.id}")["customer_id"] == "ACME-1"
    assert_error(caller.get(f"{PATH}/{theirs.id}"), 404, "not_found")
    assert caller.ask(f"{PATH}?customer_id=OTHER-1")["meta"]["total"] == 0
    assert staff.ask(PATH)["meta"]["total"] == 2
    assert [row["customer_id"] for row in staff.ask(f"{PATH}?customer_id=OTHER-1")["data"]] == ["OTHER-1"]
    assert staff.ask(f"{PATH}?customer_id=NOBODY-1")["data"] == []


@pytest.mark.parametrize(
    ("query", "months"),
    [
        ("billing_start_date=2025-02-01", [3, 2]),
        ("billing_start_date=2025-02-02", [3]),
        ("billing_start_date=2025-02-01T00:00:00Z", [3, 2]),
        ("billing_start_date=2025-02-01T00:00:01Z", [3]),
        ("billing_start_date=2025-02-01T01:00:00%2B01:00", [3, 2]),
        ("billing_start_date=2025-02-01T01:00:00+01:00", [3, 2]),  # the plus came as a space
        ("billing_end_date=2025-02-28", [2, 1]),
        ("billing_end_date=2025-02-27", [1]),
        ("billing_end_date=2025-02-28T12:00:00Z", [2, 1]),
        ("billing_start_date=2025-02-01&billing_end_date=2025-02-28", [2]),
        ("billing_start_date=2026-01-01", []),
    ],
)
def test_periods_are_filtered_by_their_first_and_last_day(
    staff: Caller, customer: Customer, query: str, months: list[int]
) -> None:
    for month in (1, 2, 3):
        posted(customer, month)
    page = staff.ask(f"{PATH}?{query}")
    assert [row["billing_start_date"] for row in page["data"]] == [f"2025-{month:02}-01T00:00:00Z" for month in months]
    assert page["meta"]["total"] == len(months)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("cursor=made-up", "cursor"),
        ("cursor=WyIyMDI1LTAxLTAxIiwxXQ.AAAA", "cursor"),
        ("cursor=%F0%9F%92%A9", "cursor"),
        ("billing_start_date=2025-02-30", "billing_start_date"),
        ("billing_start_date=soon", "billing_start_date"),
        ("billing_end_date=2025-13", "billing_end_date"),
        ("billing_end_date=99999-01-01", "billing_end_date"),
        ("billing_start_date=2025-02-01&billing_end_date=2025-01-31", "billing_end_date"),
    ],
)
def test_a_bad_query_is_a_400(staff: Caller, query: str, field: str) -> None:
    response = staff.get(f"{PATH}?{query}")
    assert_error(response, 400, "invalid")
    assert list(response.json()["errors"]) == [field]


def test_the_ends_of_the_calendar_are_no_fault(staff: Caller) -> None:
    for query in (
        "billing_start_date=0001-01-01",
        "billing_start_date=9999-12-31T23:59:59Z",
        "billing_end_date=9999-12-31",
    ):
        assert staff.get(f"{PATH}?{query}").status_code == 200


def test_a_cursor_of_another_list_is_a_400(staff: Caller, customer: Customer) -> None:
    for month in (1, 2):
        posted(customer, month)
    text = staff.ask(f"{PATH}?limit=1")["meta"]["next_cursor"]
    assert_error(staff.get(f"/usage/v1/usage_data_records?cursor={text}"), 400, "invalid")


def test_pages_have_no_gap_and_no_repeat_while_invoices_are_posted(staff: Caller, customer: Customer) -> None:
    draft = InvoiceFactory(customer=customer, period_start=date(2025, 2, 1), period_end=date(2025, 3, 1))
    there = [posted(customer, month).id for month in (1, 2, 2, 2, 3)]

    seen: list[int] = []
    query, newest = "limit=2", draft
    for _ in range(5):
        page = staff.ask(f"{PATH}?{query}")
        seen += [int(row["invoice_id"]) for row in page["data"]]
        assert page["meta"]["limit"] == len(page["data"])
        if not page["meta"]["next_cursor"]:
            break
        assert page["meta"]["next_cursor"].replace("-", "").replace("_", "").replace(".", "").isalnum()
        query = f"limit=2&cursor={page['meta']['next_cursor']}"
        if len(seen) == 2:
            newest = posted(customer, 4)  # before the first page
            post(draft)  # its id is lower than those of its period on the next page
    first, second, third, fourth, fifth = there
    assert seen == [fifth, fourth, third, second, draft.id, first]
    assert newest.id not in seen
    assert staff.ask(f"{PATH}?cursor=")["meta"]["total"] == 7


def test_the_default_page_is_100_and_the_largest_200(staff: Caller, customer: Customer) -> None:
    for _ in range(101):
        post(InvoiceFactory(customer=customer))
    page = staff.ask(PATH)
    assert (page["meta"]["limit"], page["meta"]["total"]) == (100, 101)
    assert page["meta"]["next_cursor"]
    assert staff.ask(f"{PATH}?limit=200")["meta"] == {
        "limit": 101,
        "next_cursor": "",
        "sort": "billing_start_date",
        "total": 101,
    }


def test_one_row_and_three_take_the_same_queries(staff: Caller) -> None:
    counts = []
    for customers in (1, 2):
        for _ in range(customers):
            posted(CustomerFactory())
        with CaptureQueriesContext(connection) as queries:
            staff.ask(PATH)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert staff.ask(PATH)["meta"]["total"] == 3


def test_a_deep_page_is_found_by_the_index(staff: Caller, customer: Customer) -> None:
    for _ in range(3):
        posted(customer)
    text = staff.ask(f"{PATH}?limit=1")["meta"]["next_cursor"]
    with CaptureQueriesContext(connection) as queries:
        staff.ask(f"{PATH}?limit=1&cursor={text}")
    (sql,) = [query["sql"] for query in queries if "LIMIT 2" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + sql)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "invoice_posted_list" in plan
    assert "Index Cond: (ROW(" in plan
    assert "Sort" not in plan
