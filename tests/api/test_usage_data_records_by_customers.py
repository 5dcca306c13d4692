"""`POST usage_data_records` with a customer's key: usage of its own services only."""

from collections.abc import Callable
from datetime import date

import pytest

from customers.models import Customer, SubscriptionService
from tests.api.caller import Caller, assert_error, parsed
from tests.api.sending import sent
from tests.factories.customers import (
    CustomerFactory,
    SubscriptionServiceFactory,
)
from tests.factories.usage import UsageDataRecordFactory
from usage.models import SourceSystem, UsageDataRecord

pytestmark = pytest.mark.django_db


def test_a_customers_key_sends_usage_of_its_own_services(
    customer: Customer, service: SubscriptionService, caller_of: Callable[..., Caller]
) -> None:
    caller = caller_of(customer, ["usage:write"])
    response = sent(caller)
    shown = parsed(response)
    assert response.status_code == 201
    assert shown["subscription_service"]["identifier"] == "+49301"
    assert shown["log_information"]["created_by_user"] is None
    assert sent(caller).status_code == 200


@pytest.mark.parametrize("way", ["identifier", "id"])
def test_anothers_service_is_to_a_customer_as_one_that_there_is_not(
    customer: Customer, service: SubscriptionService, caller_of: Callable[..., Caller], way: str
) -> None:
    other = SubscriptionServiceFactory(identifier="+49302")
    caller = caller_of(customer)
    answers = []
    for name in (str(getattr(other, way)), "999999"):
        response = sent(caller, subscription_service={way: name})
        assert_error(response, 422, "refused")
        answers.append(response.content.replace(name.encode(), b"NAME"))
    assert answers[0] == answers[1]
    assert not UsageDataRecord.objects.exists()


def test_an_identifier_that_went_to_another_is_his_from_then_on(
    customer: Customer, service: SubscriptionService, caller_of: Callable[..., Caller]
) -> None:
    service.end_date = date(2026, 1, 15)
    service.save()
    SubscriptionServiceFactory(customer=CustomerFactory(), identifier="+49301", start_date=date(2026, 1, 15))
    caller = caller_of(customer)
    assert_error(sent(caller), 422, "refused")
    assert not UsageDataRecord.objects.exists()
    assert sent(caller, from_date="2026-01-14T12:00:00Z", to_date=None).status_code == 201


def test_a_customer_learns_nothing_of_anothers_record_with_its_number(
    customer: Customer, service: SubscriptionService, caller_of: Callable[..., Caller]
) -> None:
    UsageDataRecordFactory(number="R1", source_system=SourceSystem.objects.get())
    response = sent(caller_of(customer))
    assert_error(response, 409, "number_conflict")
    answer = parsed(response)
    assert (answer["id"], answer["differences"]) == (None, {})
    assert answer["detail"] == "The source system has sent the record R1 before."


def test_sending_needs_the_scope_and_the_permission(
    customer: Customer, service: SubscriptionService, caller_of: Callable[..., Caller]
) -> None:
    assert_error(sent(caller_of(customer, ["read", "write"])), 403, "scope_missing")
    assert_error(sent(Caller(None)), 401, "not_authenticated")
