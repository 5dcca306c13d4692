"""`prices` of the backend API: what a use would cost."""

from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from customers.models import Customer, SubscriptionService
from invoicing.models import UsageCharge
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import CustomerFactory, ProductFactory, RateCardFactory, RateFactory, SubscriptionServiceFactory

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/prices"


@pytest.fixture
def called(customer: Customer) -> SubscriptionService:
    """Acme's +49301: calls to 44 cost 0.10 a minute by 60s with a fee of 0.05; 1,000 units of data are free."""
    card = RateCardFactory(name="Acme's prices", is_default=True)
    call, data = ProductFactory(code="CALL"), ProductFactory(code="DATA")
    RateFactory(
        rate_card=card,
        product=call,
        destination_prefix="44",
        unit_price=Decimal("0.10"),
        unit_size=60,
        increment=60,
        connection_fee=Decimal("0.05"),
    )
    RateFactory(rate_card=card, product=data, unit_price=Decimal("0.5"), included_quantity=1000)
    return SubscriptionServiceFactory(customer=customer, identifier="+49301", product=call)


def asked(service: SubscriptionService, **more: object) -> str:
    given = {"customerID": service.customer_id, "serviceID": service.pk, "quantity": 61} | more
    return f"{PATH}?{urlencode({name: value for name, value in given.items() if value is not None})}"


def test_a_price_and_how_it_comes_about(staff: Caller, called: SubscriptionService) -> None:
    found = staff.ask(asked(called, destination="+44207", startDate="2026-01-15T09:00:00Z"))
    # 61 s by 60s are 120 s: 120 x 0.10 / 60 + 0.05 = 0.25.
    assert (found["amount"], found["currency"], found["quantity"], found["billedQuantity"]) == (
        Decimal("0.25"),
        "USD",
        61,
        120,
    )
    assert (found["rateCard"], found["steps"][-1]) == ("Acme's prices", "Amount: 0.25.")
    assert [candidate["isChosen"] for candidate in found["candidates"]] == [True]
    assert not UsageCharge.objects.exists()


def test_it_counts_on_from_what_is_given(staff: Caller, called: SubscriptionService) -> None:
    # 900 of 1,000 are used: 61 are free. 980 are: 41 x 0.5 = 20.5.
    assert staff.ask(asked(called, product="DATA", usedBefore=900))["amount"] == 0
    assert staff.ask(asked(called, product="DATA", usedBefore=980))["amount"] == Decimal("20.5")


def test_no_rate_is_a_422_that_says_what_is_near(staff: Caller, called: SubscriptionService) -> None:
    response = staff.get(asked(called, destination="+45123", startDate="2026-01-15T09:00:00Z"))
    assert_error(response, 422, "unpriced")
    assert parsed(response)["detail"] == (
        "No rate for CALL to +45123 holds on 2026-01-15 (looked in Acme's prices). "
        "The nearest prefixes with a rate are 44."
    )


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"customerID": None}, "customerID"),
        ({"customerID": "Acme"}, "customerID"),
        ({"customerID": 999_999}, "customerID"),
        ({"customerID": 10**30}, "customerID"),
        ({"serviceID": 999_999}, "serviceID"),
        ({"product": "NONE"}, "product"),
        ({"serviceID": None}, "product"),
        ({"quantity": None}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "1" * 40}, "quantity"),
        ({"startDate": "soon"}, "startDate"),
        ({"startDate": "0001-01-01T00:00:00Z"}, "startDate"),
        ({"endDate": "9999-12-31T23:59:59Z"}, "endDate"),
        ({"destination": "4" * 101}, "destination"),
        ({"subject": "x"}, "subject"),
    ],
)
def test_a_bad_query_is_a_400_that_names_the_parameter(
    staff: Caller, called: SubscriptionService, more: dict[str, object], field: str
) -> None:
    response = staff.get(asked(called, **more))
    assert_error(response, 400, "invalid")
    assert list(parsed(response)["errors"]) == [field]


def test_another_customers_service_is_none(staff: Caller, called: SubscriptionService) -> None:
    other = CustomerFactory(account_number="OTHER", name="Other")
    response = staff.get(asked(called, customerID=other.pk))
    assert_error(response, 400, "invalid", serviceID=[f"OTHER Other has no service with the id {called.pk}."])


def test_it_is_for_staff(called: SubscriptionService, caller_of: Callable[..., Caller]) -> None:
    assert_error(caller_of(called.customer).get(asked(called)), 403, "staff_only")
