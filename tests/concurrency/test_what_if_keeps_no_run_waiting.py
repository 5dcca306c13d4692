"""What is asked about the past keeps no billing run waiting."""

from datetime import date
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection

from billing.operations.what_if import CustomerRevenue, what_if
from tests.runs import FEBRUARY, bill, customer_at, post, rate_of, use

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_what_if_keeps_no_run_waiting() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    post(bill())
    use(acme, call, 50, on="2026-02-10")
    done = Event()

    def run() -> None:
        try:
            bill(**FEBRUARY)
            done.set()
        finally:
            connection.close()

    worker, in_time = Thread(target=run), []

    def meanwhile(_: CustomerRevenue) -> None:
        worker.start()
        in_time.append(done.wait(10))

    days: Any = {"from_day": date(2026, 1, 1), "until_day": date(2026, 2, 1)}
    what_if(**days, card_id=rate_of(call).rate_card_id, each_customer=meanwhile)
    worker.join()
    assert in_time == [True]
