"""`/billing/v3/invoices/month-to-date`: its shape, its cache, and what is said while a large one is being made."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from billing import tasks
from billing.api import month_to_date as view
from billing.models import BillingRun
from billing.operations.month_to_date import make_month_to_date
from customers.models import Customer
from tests.api.caller import Caller, assert_error, parsed
from tests.factories.catalog import ProductFactory, RateCardFactory, RateFactory, TaxRateFactory
from tests.factories.customers import CustomerFactory
from tests.runs import use

pytestmark = pytest.mark.django_db

PATH = "/billing/v3/invoices/month-to-date"
NOW = datetime(2026, 2, 20, 20, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture(autouse=True)
def _empty_cache(_cache_of_this_test: None) -> None:
    cache.clear()


@pytest.fixture
def acme() -> Customer:
    """With 20 % tax, 105 GB of storage in February at 0.10, none of it invoiced."""
    card = RateCardFactory()
    product = ProductFactory(
        code="STORE", name="Object storage", product_group="Storage", product_line="Objects", description="x"
    )
    RateFactory(rate_card=card, product=product, unit_price=Decimal("0.10"))
    acme = CustomerFactory(
        account_number="ACME-1", currency=card.currency, rate_cards=[card], tax_rate=TaxRateFactory(percent=20)
    )
    use(acme, product, 105, on="2026-02-03", region="eu-west")
    return acme


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What workers are asked for."""
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(
        tasks.make_month_to_date, "apply_async", lambda kwargs, **_: messages.append(kwargs), raising=True
    )
    return messages


def test_it_has_every_member(acme: Customer, caller_of: Callable[..., Caller]) -> None:
    usage_type = acme.pending_usage.get().record.usage_type.name
    # 105 x 0.10 = 10.50, 20 % of it 2.10
    assert caller_of(acme).ask(PATH) == {
        "invoice_id": "",
        "customer_id": "ACME-1",
        "billing_start_date": "2026-02-01T00:00:00Z",
        "billing_end_date": "2026-02-20T00:00:00Z",
        "monthly_transaction_amount": "10.50",
        "tax_amount": Decimal("2.10"),
        "total_amount": Decimal("12.60"),
        "transaction_line_items": [
            {
                "ProductGroup": "Storage",
                "ProductLine": "Objects",
                "ProductName": "Object storage",
                "Region": "eu-west",
                "UsageType": usage_type,
                "product_group": "Storage",
                "product_line": "Objects",
                "product_name": "Object storage",
                "region": "eu-west",
                "usage_type": usage_type,
                "amount": Decimal("10.50"),
                "credit_coupon_code": "",
                "description": "",
                "rate": Decimal("0.1"),
                "units": 105,
            }
        ],
    }


def test_of_a_customer_without_usage_it_is_nothing(caller_of: Callable[..., Caller]) -> None:
    month = caller_of(CustomerFactory()).ask(PATH)
    assert (month["monthly_transaction_amount"], month["transaction_line_items"]) == ("0.00", [])


def test_staff_says_whose(acme: Customer, staff: Caller) -> None:
    assert staff.ask(f"{PATH}?customer_id=ACME-1")["monthly_transaction_amount"] == "10.50"
    assert staff.ask(f"{PATH}/?customer_id=ACME-1")["customer_id"] == "ACME-1"
    response = staff.get(PATH)
    assert_error(response, 400, "invalid")
    assert list(response.json()["errors"]) == ["customer_id"]
    assert_error(staff.get(f"{PATH}?customer_id=NOBODY-1"), 404, "not_found")


def test_a_customers_key_sees_its_own(acme: Customer, caller_of: Callable[..., Caller]) -> None:
    other = caller_of(CustomerFactory(account_number="OTHER-1"))
    assert other.ask(PATH)["customer_id"] == "OTHER-1"
    assert_error(other.get(f"{PATH}?customer_id=ACME-1"), 404, "not_found")


def test_it_is_kept_for_some_minutes(acme: Customer, staff: Caller, settings: Any) -> None:
    settings.BILLING_MONTH_TO_DATE_SECONDS = 1
    first = staff.ask(f"{PATH}?customer_id=ACME-1")
    use(acme, ProductFactory._meta.model.objects.get(code="STORE"), 1, on="2026-02-03", region="eu-west")
    assert staff.ask(f"{PATH}?customer_id=ACME-1") == first
    cache.clear()  # as time does
    assert staff.ask(f"{PATH}?customer_id=ACME-1")["monthly_transaction_amount"] == "10.60"


def test_a_new_day_is_asked_anew(acme: Customer, staff: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    staff.ask(f"{PATH}?customer_id=ACME-1")
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 2, 21, 8, 0, tzinfo=UTC))
    assert staff.ask(f"{PATH}?customer_id=ACME-1")["billing_end_date"] == "2026-02-21T00:00:00Z"


def test_without_a_cache_it_answers(acme: Customer, staff: Caller, settings: Any, sent: list[Any]) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:9",
            "OPTIONS": {"socket_connect_timeout": 1},
        }
    }
    for records in (100, 0):  # a small one, and one that a worker would make
        settings.BILLING_MONTH_TO_DATE_RECORDS = records
        assert staff.ask(f"{PATH}?customer_id=ACME-1")["monthly_transaction_amount"] == "10.50"
    assert sent == []


def test_a_large_one_is_made_by_a_worker(acme: Customer, staff: Caller, settings: Any, sent: list[Any]) -> None:
    settings.BILLING_MONTH_TO_DATE_RECORDS = 0
    for _ in range(3):
        response = staff.get(f"{PATH}?customer_id=ACME-1")
        assert (response.status_code, response.headers["Retry-After"]) == (202, "5")
        assert parsed(response) == {
            "title": "The month to date is being made. Ask again in a few seconds.",
            "status": "202",
        }
    (message,) = sent  # one worker, however many ask
    tasks.make_month_to_date(**message)
    assert staff.ask(f"{PATH}?customer_id=ACME-1")["monthly_transaction_amount"] == "10.50"
    assert len(sent) == 1


def test_as_many_as_the_setting_are_not_large(acme: Customer, staff: Caller, settings: Any, sent: list[Any]) -> None:
    settings.BILLING_MONTH_TO_DATE_RECORDS = 1
    staff.ask(f"{PATH}?customer_id=ACME-1")
    assert sent == []


def test_a_worker_that_fails_is_not_waited_for(
    acme: Customer, staff: Caller, settings: Any, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BILLING_MONTH_TO_DATE_RECORDS = 0

    def refuse(**_: Any) -> None:
        raise RuntimeError("It breaks.")

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "price_month_to_date", refuse)
        for _ in range(2):
            assert staff.get(f"{PATH}?customer_id=ACME-1").status_code == 202
            with pytest.raises(RuntimeError):
                tasks.make_month_to_date(**sent[-1])
    # Twice in vain: made where it is wanted.
    assert staff.ask(f"{PATH}?customer_id=ACME-1")["monthly_transaction_amount"] == "10.50"
    assert len(sent) == 2


def test_a_worker_that_died_is_not_waited_for(acme: Customer, staff: Caller, settings: Any, sent: list[Any]) -> None:
    settings.BILLING_MONTH_TO_DATE_RECORDS = 0
    settings.BILLING_MONTH_TO_DATE_CLAIM_SECONDS = 0.2
    seen = []
    for _ in range(3):
        seen.append(staff.get(f"{PATH}?customer_id=ACME-1").status_code)
        threading.Event().wait(0.3)  # its claim is over
    assert (seen, len(sent)) == ([202, 202, 200], 2)


def test_without_a_broker_it_is_made_at_once(
    acme: Customer, staff: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BILLING_MONTH_TO_DATE_RECORDS = 0

    def away(**_: Any) -> None:
        raise OperationalError("The broker is away.")

    monkeypatch.setattr(tasks.make_month_to_date, "apply_async", away)
    assert staff.ask(f"{PATH}?customer_id=ACME-1")["monthly_transaction_amount"] == "10.50"


def test_nothing_is_written(acme: Customer, staff: Caller) -> None:
    staff.ask(f"{PATH}?customer_id=ACME-1")
    assert BillingRun.objects.count() == 0
    assert acme.invoices.count() == 0
    assert acme.pending_usage.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_that_ask_at_once_one_makes_it(acme: Customer, staff_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, answers, together = [], [], threading.Barrier(4)

    def counted(**values: Any) -> Any:
        made.append(values)
        threading.Event().wait(0.3)
        return make_month_to_date(**values)

    monkeypatch.setattr(view, "make_month_to_date", counted)

    def ask() -> None:
        try:
            caller = Caller(staff_key)
            together.wait()
            answers.append(caller.ask(f"{PATH}?customer_id=ACME-1")["monthly_transaction_amount"])
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), answers) == (1, ["10.50"] * 4)
