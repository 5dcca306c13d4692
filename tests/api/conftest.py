"""Callers of the APIs: staff and customers with keys, and their answers with exact numbers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection

from customers.choices import Scope
from customers.models import Customer, SubscriptionService
from customers.operations.api_keys import create_api_key
from tests.api.caller import Caller
from tests.factories.catalog import ProductFactory
from tests.factories.customers import CustomerFactory, SubscriptionFactory, SubscriptionServiceFactory, UserFactory
from tests.factories.usage import SourceSystemFactory, UsageTypeFactory

ALL_SCOPES = list(Scope.values)


@pytest.fixture(autouse=True)
def _cache_of_this_test(settings: Any) -> None:
    """Requests are counted in memory: tests that run at once do not count each other's."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "api"}}


@pytest.fixture
def customer(db: None) -> Customer:
    return CustomerFactory(account_number="ACME-1", name="Acme")


@pytest.fixture
def staff_key(db: None) -> str:
    """A superuser's key with all scopes."""
    user = UserFactory(username="clerk", is_superuser=True)
    return create_api_key(scopes=ALL_SCOPES, user_id=user.id)[1]


@pytest.fixture
def staff(staff_key: str) -> Caller:
    return Caller(staff_key)


@pytest.fixture
def service(customer: Customer) -> SubscriptionService:
    """Acme's +49301, a product, a source system with a usage type."""
    ProductFactory(code="CALL", name="Calls", description="Calls abroad")
    SourceSystemFactory(
        name="Exchange", alternative_code="X", default_usage_type=UsageTypeFactory(name="Voice", alternative_code="V")
    )
    return SubscriptionServiceFactory(
        customer=customer, subscription=SubscriptionFactory(customer=customer, number="S-1"), identifier="+49301"
    )


@pytest.fixture
def caller_of() -> Callable[..., Caller]:
    """Gives the caller with a new key of a customer."""

    def make(customer: Customer, scopes: list[str] | None = None) -> Caller:
        return Caller(create_api_key(scopes=scopes or ALL_SCOPES, customer_id=customer.id)[1])

    return make


@pytest.fixture
def other_connection() -> Callable[..., AbstractContextManager[None]]:
    """Gives a context manager that holds another one open in a thread, on a database connection of its own."""

    @contextmanager
    def hold(make: Callable[[], AbstractContextManager[Any]]) -> Iterator[None]:
        is_held, is_over = Event(), Event()

        def work() -> None:
            try:
                with make():
                    is_held.set()
                    is_over.wait(timeout=30)
            finally:
                connection.close()

        thread = Thread(target=work)
        thread.start()
        assert is_held.wait(timeout=30)
        yield
        is_over.set()
        thread.join(timeout=30)

    return hold
