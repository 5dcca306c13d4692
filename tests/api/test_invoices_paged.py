"""Pages of `/billing/v3/invoices`: whatever is posted in between, each is on one of them; a cursor is of one list."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from customers.operations.api_keys import create_api_key
from invoicing.models import Invoice
from tests.api.caller import Caller, assert_error
from tests.factories.customers import CustomerFactory, UserFactory
from tests.factories.invoicing import InvoiceFactory, InvoiceLineFactory, post

pytestmark = pytest.mark.django_db

PATH = "/billing/v3/invoices"
suppressed = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
months = st.integers(1, 3)


def draft(customer: Customer, month: int) -> Invoice:
    return InvoiceFactory(customer=customer, period_start=date(2025, month, 1), period_end=date(2025, month + 1, 1))


@settings(max_examples=25, suppress_health_check=suppressed)
@given(
    at_first=st.lists(st.tuples(st.booleans(), months), max_size=8),
    between=st.lists(st.lists(st.integers(0, 7) | months.map(lambda month: -month), max_size=3), max_size=8),
    limits=st.lists(st.integers(1, 4), min_size=1, max_size=4),
)
def test_no_gap_and_no_repeat_whatever_is_posted_in_between(
    at_first: list[tuple[bool, int]], between: list[list[int]], limits: list[int]
) -> None:
    with transaction.atomic():
        customer = CustomerFactory()
        caller = Caller(create_api_key(scopes=["read"], customer_id=customer.pk)[1])
        there, drafts = [], []
        for is_posted, month in at_first:
            invoice = draft(customer, month)
            if is_posted:
                there.append(post(invoice).pk)
            else:
                drafts.append(invoice)
        seen: list[int] = []
        text, turn = "", 0
        while turn == 0 or text:
            page = caller.ask(f"{PATH}?limit={limits[turn % len(limits)]}&cursor={text}")
            assert page["meta"]["total"] == Invoice.objects.filter(customer=customer, state="POSTED").count()
            seen += [int(row["invoice_id"]) for row in page["data"]]
            text = page["meta"]["next_cursor"]
            for what in between[turn] if turn < len(between) else []:
                # A new one of a month, or one of the drafts, whose ids are lower than those of what was posted since.
                if what < 0:
                    post(draft(customer, -what))
                elif drafts:
                    post(drafts.pop(what % len(drafts)))
            turn += 1
        assert len(seen) == len(set(seen))
        assert set(there) <= set(seen)
        order = [
            (invoice.period_start, invoice.pk) for invoice in map(Invoice.objects.in_bulk(seen).get, seen) if invoice
        ]
        assert order == sorted(order, reverse=True)
        transaction.set_rollback(True)


@pytest.fixture
def next_cursor(staff: Caller, customer: Customer) -> str:
    """Of the first page of one, of all invoices, for staff."""
    for month in (1, 2, 3):
        post(draft(customer, month))
    return str(staff.ask(f"{PATH}?limit=1")["meta"]["next_cursor"])


@pytest.mark.parametrize(
    "query", ["billing_start_date=2025-01-01", "billing_end_date=2025-12-31", "customer_id=ACME-1"]
)
def test_a_cursor_of_a_list_with_other_filters_is_a_400(staff: Caller, next_cursor: str, query: str) -> None:
    response = staff.get(f"{PATH}?cursor={next_cursor}&{query}")
    assert_error(response, 400, "invalid")
    assert list(response.json()["errors"]) == ["cursor"]


def test_the_same_filters_in_other_words_are_the_same(staff: Caller, next_cursor: str) -> None:
    text = staff.ask(f"{PATH}?limit=1&billing_start_date=2025-02-01")["meta"]["next_cursor"]
    page = staff.ask(f"{PATH}?billing_start_date=2025-02-01T00:00:00Z&cursor={text}&limit=5")
    assert [row["billing_start_date"] for row in page["data"]] == ["2025-02-01T00:00:00Z"]


def test_a_cursor_of_another_caller_is_a_400(
    staff: Caller, customer: Customer, caller_of: Callable[..., Caller], next_cursor: str
) -> None:
    mine = caller_of(customer)
    assert_error(mine.get(f"{PATH}?cursor={next_cursor}"), 400, "invalid")
    text = mine.ask(f"{PATH}?limit=1")["meta"]["next_cursor"]
    assert_error(caller_of(CustomerFactory()).get(f"{PATH}?cursor={text}"), 400, "invalid")
    assert_error(staff.get(f"{PATH}?cursor={text}"), 400, "invalid")
    # Another key of the same customer goes on with it.
    assert len(caller_of(customer).ask(f"{PATH}?cursor={text}")["data"]) == 2


def test_a_cursor_of_which_a_letter_is_changed_is_a_400(staff: Caller, next_cursor: str) -> None:
    assert len(staff.ask(f"{PATH}?cursor={next_cursor}")["data"]) == 2
    for place in range(0, len(next_cursor), 7):
        letter = "A" if next_cursor[place] != "A" else "B"
        changed = next_cursor[:place] + letter + next_cursor[place + 1 :]
        assert_error(staff.get(f"{PATH}?cursor={changed}"), 400, "invalid")


def test_another_secret_key_makes_other_cursors(staff: Caller, next_cursor: str, settings: Any) -> None:
    settings.SECRET_KEY = "another"
    assert_error(staff.get(f"{PATH}?cursor={next_cursor}"), 400, "invalid")


def test_staff_needs_the_permission(db: None) -> None:
    user = UserFactory(is_staff=True)
    caller = Caller(create_api_key(scopes=["read"], user_id=user.pk)[1])
    assert_error(caller.get(PATH), 403, "permission_denied")
    assert_error(caller.get(f"{PATH}/month-to-date?customer_id=ACME-1"), 403, "permission_denied")


def test_lines_of_many_invoices_are_read_at_once(
    staff: Caller, customer: Customer, django_assert_max_num_queries: Any
) -> None:
    for month in (1, 2, 3):
        invoice = draft(customer, month)
        InvoiceLineFactory(invoice=invoice)
        InvoiceLineFactory(invoice=invoice)
        post(invoice)
    with django_assert_max_num_queries(5):  # the key, its user, the page, its lines, the count
        staff.ask(PATH)
