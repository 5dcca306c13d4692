import inspect

import pytest
from django.apps import apps
from django.db.models import Model

import tests.factories
from tests.factories import CustomerFactory, SubscriptionServiceFactory, UsageChargeFactory, post
from tests.factories.rows import RowFactory

APPS = {"billing", "catalog", "customers", "invoicing", "reports", "usage"}
FACTORIES = {
    factory._meta.model: factory
    for _, factory in inspect.getmembers(tests.factories, inspect.isclass)
    if issubclass(factory, RowFactory)
}
WITHOUT_FACTORY = {
    "BilledUntil",  # triggers on documents keep it
    "IdempotentRequest",  # the API itself keeps what it answered
    "PostedInvoiceCount",  # triggers on documents keep it
    "NumberSeries",  # a migration adds one for each kind of document
}


def own_models() -> list[type[Model]]:
    """The models of our apps, without those of history and of many-to-many tables."""
    return [
        model
        for model in apps.get_models()
        if model._meta.app_label in APPS and not model.__name__.endswith("Event") and not model._meta.auto_created
    ]


def test_every_model_has_a_factory() -> None:
    assert {model.__name__ for model in own_models() if model not in FACTORIES} == WITHOUT_FACTORY


@pytest.mark.django_db
@pytest.mark.parametrize("factory", FACTORIES.values(), ids=lambda factory: factory.__name__)
def test_every_factory_makes_a_row_and_another(factory: type[RowFactory[Model]]) -> None:
    assert factory() != factory() or getattr(factory._meta, "django_get_or_create", False)


@pytest.mark.django_db
def test_a_service_has_the_customer_of_its_subscription() -> None:
    customer = CustomerFactory()
    service = SubscriptionServiceFactory(customer=customer)
    assert (service.customer, service.subscription.customer) == (customer, customer)


@pytest.mark.django_db
def test_a_charge_is_of_the_customer_of_its_record_and_its_invoice() -> None:
    charge = UsageChargeFactory()
    assert charge.record.customer == charge.line.invoice.customer == charge.customer


@pytest.mark.django_db
def test_posting_takes_the_next_number_of_the_series() -> None:
    numbers = [post(UsageChargeFactory().line.invoice).number for _ in range(2)]
    assert numbers == ["INV-000001", "INV-000002"]
