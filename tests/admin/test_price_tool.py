"""The price tool: what it answers, what it asks for, and who may use it."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from customers.models import Customer, SubscriptionService
from tests.factories import (
    CustomerFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    SubscriptionServiceFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> SubscriptionService:
    """+49301 of Acme in Berlin: 0.02 a second from 8 to 18 o'clock on weekdays, else 0.01; split at the border."""
    card, product, band = RateCardFactory(band_rule="split"), ProductFactory(code="CALL"), TimeBandFactory(name="Peak")
    TimeBandHoursFactory(time_band=band, start_time=time(8), end_time=time(18))
    RateFactory(rate_card=card, product=product, unit_price=Decimal("0.02"), time_band=band)
    RateFactory(rate_card=card, product=product, unit_price=Decimal("0.01"))
    acme = CustomerFactory(account_number="ACME-1", name="Acme", timezone="Europe/Berlin", rate_cards=[card])
    return SubscriptionServiceFactory(customer=acme, identifier="+49301", product=product)


def ask(client: Client, **asked: Any) -> Any:
    return client.get(reverse("price-tool"), asked)


def test_it_opens_empty_and_is_in_the_navigation(admin_client: Client) -> None:
    response = ask(admin_client)
    assert response.status_code == 200
    assert response.context["explanation"] is None
    assert reverse("price-tool") in admin_client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(
    ("more", "amount"),
    [
        # 17:59:00 to 18:01:00 on Acme's clocks: 60 x 0.02 + 60 x 0.01.
        ({}, "1.8"),
        # Only 30 seconds of it: all before 18:00, 120 x 0.02.
        ({"duration_seconds": "30"}, "2.4"),
        ({"starts_at": "2026-01-15 18:00"}, "1.2"),
        ({"starts_at": "2026-01-17 12:00"}, "1.2"),
    ],
)
def test_it_answers_on_the_customers_clocks(
    admin_client: Client, service: SubscriptionService, more: dict[str, str], amount: str
) -> None:
    asked = {"service": service.pk, "quantity": "120", "starts_at": "2026-01-15 17:59"} | more
    response = ask(admin_client, **asked)
    assert response.context["explanation"].amount == Decimal(amount)
    assert f"{amount} USD" in response.content.decode()


def test_it_says_when_on_the_customers_clocks(admin_client: Client, service: SubscriptionService) -> None:
    text = ask(admin_client, service=service.pk, quantity="60", starts_at="2026-07-15 09:00").content.decode()
    assert "Wednesday 2026-07-15 09:00:00 (Europe/Berlin)" in text


def test_it_takes_now_and_the_customers_other_products(admin_client: Client, service: SubscriptionService) -> None:
    data = ProductFactory(code="DATA")
    card = service.customer.customer_rate_cards.get().rate_card
    RateFactory(rate_card=card, product=data, unit_price=Decimal("0.5"), start_date=date(2020, 1, 1))
    response = ask(admin_client, customer=service.customer_id, product=data.pk, quantity="2")
    assert response.context["explanation"].amount == Decimal("1.0")


def test_used_before_may_be_given(admin_client: Client) -> None:
    card, product = RateCardFactory(), ProductFactory()
    RateFactory(rate_card=card, product=product, unit_price=Decimal("0.10"), included_quantity=100)
    acme = CustomerFactory(rate_cards=[card])
    asked = {"customer": acme.pk, "product": product.pk, "quantity": "50"}
    assert ask(admin_client, **asked).context["explanation"].amount == 0
    # 20 of the 100 are left: 30 x 0.10 = 3.00.
    assert ask(admin_client, **asked, used_before="80").context["explanation"].amount == Decimal("3.00")


def test_no_price_is_a_sentence(admin_client: Client, service: SubscriptionService) -> None:
    other = ProductFactory(code="DATA")
    text = ask(admin_client, service=service.pk, product=other.pk, quantity="1").content.decode()
    assert "None of these cards has any rate for DATA." in text
    poor = CustomerFactory(account_number="P-1", name="Poor")
    text = ask(admin_client, customer=poor.pk, product=other.pk, quantity="1").content.decode()
    assert "P-1 Poor has no rate card in USD" in text


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"quantity": "1"}, "customer", "Choose a customer, or a service, which says whose it is."),
        ({"quantity": "1", "customer": "own"}, "product", "Choose one."),
        ({"quantity": "-1", "customer": "own"}, "quantity", "Ensure this value is greater than or equal to 0."),
        ({"quantity": "1", "service": "own", "customer": "other"}, "service", "The service +49301 is not"),
        ({"quantity": "1", "service": "own", "starts_at": "soon"}, "starts_at", "Write a day and a time"),
        ({"quantity": "1", "service": "own", "starts_at": "0001-01-01 00:00"}, "starts_at", "Give a year from 1900"),
        ({"quantity": "1" * 30, "service": "own"}, "quantity", "Ensure that there are no more than"),
        ({"quantity": "1", "customer": "7777777"}, "customer", "Select a valid choice."),
    ],
)
def test_what_is_missing_or_wrong_is_said_at_its_field(
    admin_client: Client, service: SubscriptionService, asked: dict[str, str], field: str, sentence: str
) -> None:
    other: Customer = CustomerFactory()
    ids = {"customer": {"own": service.customer_id, "other": other.pk}, "service": {"own": service.pk}}
    given = {name: ids.get(name, {}).get(text, text) for name, text in asked.items()}
    response = ask(admin_client, **given)
    assert response.context["explanation"] is None
    assert str(response.context["form"].errors[field][0]).startswith(sentence)


def test_a_very_large_quantity_is_no_duration(admin_client: Client, service: SubscriptionService) -> None:
    response = ask(admin_client, service=service.pk, quantity="9" * 20, starts_at="2026-01-15 12:00")
    # 99,999,999,999,999,999,999 x 0.02, at one price.
    assert response.context["explanation"].amount == Decimal("1999999999999999999.98")


def test_it_is_for_those_who_may_see_rates_and_customers(client: Client) -> None:
    user: User = UserFactory()
    client.force_login(user)
    assert ask(client).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_rate", "view_customer"]))
    assert ask(client).status_code == 200
    client.logout()
    assert ask(client).status_code == 302
