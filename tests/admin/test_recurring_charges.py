"""Recurring charges in the admin: added on their own page or their subscription's, and what was charged of them."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from invoicing.models import RecurringCharge
from tests import factories
from tests.admin.rows import charge_with_a_period
from tests.admin.test_customers import inline

pytestmark = pytest.mark.django_db

TERMS = {
    "description": "Line rental",
    "quantity": "2",
    "unit_price": "9.90",
    "months": "3",
    "timing": "arrears",
    "alignment": "anniversary",
    "start_date": "2026-01-18",
    "minimum_months": "12",
}


def change_url(charge: RecurringCharge) -> str:
    return reverse("admin:invoicing_recurringcharge_change", args=[charge.pk])


def test_it_is_added_for_the_customer_of_its_subscription(admin_client: Client) -> None:
    subscription = factories.SubscriptionFactory()
    response = admin_client.post(
        reverse("admin:invoicing_recurringcharge_add"), TERMS | {"subscription": subscription.pk}
    )
    assert response.status_code == 302, response.context["adminform"].form.errors
    charge = RecurringCharge.objects.get()
    assert (charge.customer, charge.currency) == (subscription.customer, subscription.customer.currency)
    assert (charge.unit_price, charge.months, charge.timing, charge.is_prorated) == (
        Decimal("9.90"),
        3,
        "arrears",
        False,
    )


def test_the_page_of_its_subscription_shows_it(admin_client: Client) -> None:
    charge = factories.RecurringChargeFactory(quantity=Decimal(2), months=3)
    address = reverse("admin:customers_subscription_change", args=[charge.subscription_id])
    page = admin_client.get(address).content.decode()
    assert "2 x 10 USD" in page
    assert "3 months, in advance" in page
    assert change_url(charge) in page


def test_a_service_of_another_subscription_is_refused_in_words(admin_client: Client) -> None:
    members = {
        "subscription": factories.SubscriptionFactory().pk,
        "service": factories.SubscriptionServiceFactory().pk,
    }
    page = admin_client.post(reverse("admin:invoicing_recurringcharge_add"), TERMS | members)
    assert "The service is of another subscription than the charge." in page.content.decode()
    assert not RecurringCharge.objects.exists()


def test_its_page_shows_what_was_charged_and_keeps_its_periods(admin_client: Client) -> None:
    charge = charge_with_a_period()
    delete_url = reverse("admin:invoicing_recurringcharge_delete", args=[charge.pk])
    assert admin_client.post(delete_url).status_code == 403
    page = admin_client.get(change_url(charge)).content.decode()
    assert "2026-01-01 until before 2026-02-01" in page
    admin_client.post(
        change_url(charge), TERMS | {"is_prorated": "on", **inline("transactions"), "end_date": "2026-05-01"}
    )
    charge.refresh_from_db()
    assert (charge.unit_price, charge.end_date) == (Decimal("9.90"), date(2026, 5, 1))
    assert (charge.months, charge.timing, charge.start_date) == (1, "advance", date(2026, 1, 1))


def test_what_was_charged_is_not_changed_on_its_own_page(admin_client: Client) -> None:
    transaction = charge_with_a_period().transactions.get()
    address = reverse("admin:invoicing_transaction_change", args=[transaction.pk])
    page = admin_client.get(address).content.decode()
    assert "2026-01-01 until before 2026-02-01 of" in page
    assert 'name="unit_price"' not in page
    assert admin_client.post(reverse("admin:invoicing_transaction_delete", args=[transaction.pk])).status_code == 403
