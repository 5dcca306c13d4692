"""The month to date keeps no billing run waiting, waits for none, and counts each use once whatever runs do."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from billing.operations import month_to_date as module
from billing.operations.lines import make_lines
from billing.operations.month_to_date import MonthToDate, month_to_date
from customers.models import Customer
from tests.factories.invoicing import RecurringChargeFactory
from tests.runs import FEBRUARY, bill, customer_at, plain, post, use

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 2, 20, 12, 0, tzinfo=UTC)
IN_TIME = 20


@pytest.fixture
def acme() -> Customer:
    """100 units at 0.10, and a monthly charge of 10.00."""
    acme, call = customer_at("0.10")
    use(acme, call, 100, on="2026-02-03")
    RecurringChargeFactory(customer=acme, start_date=datetime(2026, 2, 1, tzinfo=UTC).date())
    return acme


def so_far(customer: Customer) -> MonthToDate:
    return month_to_date(customer=Customer.objects.get(pk=customer.pk), at=NOW)


def in_thread(work: Any, done: Event) -> Thread:
    def run() -> None:
        try:
            work()
            done.set()
        finally:
            connection.close()

    return Thread(target=run)


@contextmanager
def meanwhile(work: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Have the work done by somebody else between rating and the lines of a month to date; whether it was in time."""
    done, in_time = Event(), list[bool]()
    worker = in_thread(work, done)

    def wait_for_it(*arguments: Any, **options: Any) -> bool:
        if not in_time:
            worker.start()
            in_time.append(done.wait(IN_TIME))
        return make_lines(*arguments, **options)

    monkeypatch.setattr(module, "make_lines", wait_for_it)
    yield in_time
    worker.join()


def test_a_run_does_not_wait_for_it_and_what_it_drafts_is_counted_once(
    acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with meanwhile(lambda: bill(**FEBRUARY), monkeypatch) as in_time:
        month = so_far(acme)
    assert in_time == [True]
    # 100 x 0.10 + 10.00
    assert [plain(line.amount) for line in month.lines] == ["10", "10"]
    assert month.net_amount == Decimal(20)


def test_what_is_posted_meanwhile_is_on_it_no_more(acme: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    run = bill(**FEBRUARY)
    with meanwhile(lambda: post(run), monkeypatch):
        month = so_far(acme)
    assert month.lines == ()
    assert month.net_amount == 0


def test_it_does_not_wait_for_a_run_in_the_middle_of_its_work(acme: Customer) -> None:
    billed, is_over, answered = Event(), Event(), Event()

    def half_a_run() -> None:
        with transaction.atomic():
            bill(**FEBRUARY)
            billed.set()
            is_over.wait(2 * IN_TIME)
            transaction.set_rollback(True)

    run = in_thread(half_a_run, Event())
    run.start()
    assert billed.wait(IN_TIME)
    found: list[MonthToDate] = []
    asked = in_thread(lambda: found.append(so_far(acme)), answered)
    asked.start()
    in_time = answered.wait(IN_TIME)
    is_over.set()
    run.join()
    asked.join()
    assert in_time
    assert found[0].net_amount == Decimal(20)
