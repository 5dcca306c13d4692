"""Customers, what they have, and staff."""

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from customers.models import Customer, SubscriptionService
from tests import factories

pytestmark = pytest.mark.django_db


def inline(prefix: str, *rows: dict[str, object], initial: int = 0) -> dict[str, object]:
    """The fields of an inline's rows, as a browser sends them."""
    fields: dict[str, object] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        fields |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return fields


def test_customer_is_added_with_its_account_and_price_list(admin_client: Client) -> None:
    card = factories.RateCardFactory()
    response = admin_client.post(
        reverse("admin:customers_customer_add"),
        {
            "account_number": "A-1",
            "name": "Example Ltd",
            "status": "ACTIVE",
            "currency": "USD",
            "timezone": "Europe/Berlin",
            "language": "en",
            "minimum_rule": "skip",
            "payment_terms_days": "30",
            "emails": "a@example.com,b@example.com",
            **inline("accounts_receivable", {"number": "AR-1", "name": "Example Ltd", "life_cycle_state": "ACTIVE"}),
            **inline("customer_rate_cards", {"position": 1, "rate_card": card.pk}),
        },
    )
    assert response.status_code == 302, response.context["adminform"].form.errors
    customer = Customer.objects.get(account_number="A-1")
    assert customer.accounts_receivable.number == "AR-1"
    assert customer.emails == ["a@example.com", "b@example.com"]
    assert [link.rate_card for link in customer.customer_rate_cards.all()] == [card]


def test_time_zone_that_does_not_exist_is_refused(admin_client: Client) -> None:
    response = admin_client.post(
        reverse("admin:customers_customer_add"),
        {"account_number": "A-1", "timezone": "Europe/Atlantis", **inline("accounts_receivable")},
    )
    assert "is not a time zone" in response.content.decode()


def test_service_of_a_subscription_has_its_customer(admin_client: Client) -> None:
    subscription = factories.SubscriptionFactory()
    response = admin_client.post(
        reverse("admin:customers_subscription_change", args=[subscription.pk]),
        {
            "number": subscription.number,
            "life_cycle_state": "ACTIVE",
            "start_date": "2026-01-01",
            **inline("services", {"identifier": "+4930", "life_cycle_state": "ACTIVE", "start_date": "2026-01-01"}),
            **inline("actions"),
            **inline("recurring_charges"),
        },
    )
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert SubscriptionService.objects.get(identifier="+4930").customer == subscription.customer


def test_service_added_by_itself_has_the_subscriptions_customer(admin_client: Client) -> None:
    subscription = factories.SubscriptionFactory()
    response = admin_client.post(
        reverse("admin:customers_subscriptionservice_add"),
        {
            "subscription": subscription.pk,
            "identifier": "+4931",
            "life_cycle_state": "ACTIVE",
            "start_date": "2026-01-01",
        },
    )
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert SubscriptionService.objects.get(identifier="+4931").customer == subscription.customer


def test_identifier_that_is_taken_is_refused_with_a_sentence(admin_client: Client) -> None:
    service = factories.SubscriptionServiceFactory(identifier="+4930", start_date=date(2026, 1, 1))
    response = admin_client.post(
        reverse("admin:customers_subscriptionservice_add"),
        {
            "subscription": service.subscription_id,
            "identifier": "+4930",
            "life_cycle_state": "ACTIVE",
            "start_date": "2026-02-01",
        },
    )
    assert response.status_code == 200
    assert "This identifier belongs to another service in that time." in response.content.decode()


def test_page_of_a_customer_links_to_what_is_its(admin_client: Client) -> None:
    customer = factories.CustomerFactory()
    page = admin_client.get(reverse("admin:customers_customer_change", args=[customer.pk])).content.decode()
    for listed in ("invoicing_invoice", "usage_usagedatarecord", "usage_pendingusage", "billing_runaccount"):
        assert f"{reverse(f'admin:{listed}_changelist')}?customer__id__exact={customer.pk}" in page


def test_customers_are_found_by_the_start_of_account_number_and_name(admin_client: Client) -> None:
    mine = factories.CustomerFactory(account_number="K-100", name="Kiosk")
    factories.CustomerFactory(account_number="X-K-100", name="Another kiosk")
    for term in ("K-1", "kio"):
        listed = admin_client.get(reverse("admin:customers_customer_changelist"), {"q": term})
        assert list(listed.context["cl"].result_list) == [mine]


def test_user_is_added(admin_client: Client) -> None:
    response = admin_client.post(
        reverse("admin:auth_user_add"),
        {"username": "clerk", "usable_password": "true", "password1": "long-enough-1", "password2": "long-enough-1"},
    )
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert User.objects.get(username="clerk").check_password("long-enough-1")
