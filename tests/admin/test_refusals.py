"""What the database or an operation refuses is said in words, and the page stays."""

from datetime import date

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from catalog.admin.products import ProductAdmin
from catalog.models import Product, Rate, TaxRate
from catalog.operations.refusals import refusal
from customers.models import Customer
from tests import factories

pytestmark = pytest.mark.django_db


def refused(sql: str, *parameters: int) -> str | None:
    """The sentence for what PostgreSQL says to a statement."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
    return refusal(caught.value)


def test_change_of_a_price_is_refused_in_the_triggers_words() -> None:
    rate = factories.RateFactory()
    assert refused("UPDATE rate SET unit_price = 2 WHERE id = %s", rate.pk) == (
        f"A rate keeps its price: end rate {rate.pk} and add a new version."
    )


def test_delete_of_what_usage_refers_to_is_refused_in_the_triggers_words() -> None:
    record = factories.UsageDataRecordFactory()
    assert refused("DELETE FROM product WHERE id = %s", record.product_id) == (
        f"product {record.product_id} is used by usage_data_record: it cannot be deleted."
    )


def test_protected_row_is_refused() -> None:
    run = factories.BillingRunFactory()
    assert refused("DELETE FROM billing_run WHERE id = %s", run.pk) == (
        "The database protects this: in its present state it cannot be changed or deleted."
    )


def test_broken_constraint_is_refused_in_its_own_words() -> None:
    card = factories.RateCardFactory(is_default=True)
    other = factories.RateCardFactory(currency=card.currency)
    assert refused("UPDATE rate_card SET is_default = true WHERE id = %s", other.pk) == (
        "This currency has a default rate card already."
    )


def test_what_failed_is_not_called_refused() -> None:
    with pytest.raises(ProgrammingError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert refusal(caught.value) is None


def test_refused_save_shows_the_form_again_with_the_reason(admin_client: Client) -> None:
    first = factories.RateFactory(start_date=date(2026, 1, 1), end_date=date(2026, 2, 1))
    factories.RateFactory(rate_card=first.rate_card, product=first.product, start_date=date(2026, 2, 1))
    response = admin_client.post(reverse("admin:catalog_rate_change", args=[first.pk]), {"end_date": "2026-03-01"})
    assert response.status_code == 200
    assert "is for the same and holds in that time, from 2026-02-01 on: end it first" in response.content.decode()
    assert 'value="2026-03-01"' in response.content.decode()
    assert Rate.objects.get(pk=first.pk).end_date == date(2026, 2, 1)


def test_delete_names_what_stands_in_the_way(admin_client: Client) -> None:
    customer = factories.CustomerFactory()
    address = reverse("admin:catalog_taxrate_delete", args=[customer.tax_rate_id])
    assert "customers that refer to it" in admin_client.get(address).content.decode()
    assert admin_client.post(address, {"post": "yes"}).status_code == 200
    assert TaxRate.objects.filter(customers=customer).exists()


def test_delete_of_what_nothing_refers_to_is_done(admin_client: Client) -> None:
    tax_rate = factories.TaxRateFactory(name="Mistyped")
    response = admin_client.post(reverse("admin:catalog_taxrate_delete", args=[tax_rate.pk]), {"post": "yes"})
    assert response.status_code == 302
    assert not TaxRate.objects.filter(pk=tax_rate.pk).exists()


class DeletingProductAdmin(ProductAdmin):
    """As the page of products is, were it to offer a delete button."""

    deletable = True


def test_delete_that_the_database_refuses_leads_back_with_the_reason(rf: RequestFactory, admin_user: User) -> None:
    record = factories.UsageDataRecordFactory()
    request = rf.post("/", {"post": "yes"})
    request.user = admin_user
    request.session = {}  # type: ignore[assignment]
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    response = DeletingProductAdmin(Product, admin.site).delete_view(request, str(record.product_id))
    assert response.status_code == 302
    assert response["Location"] == reverse("admin:catalog_product_change", args=[record.product_id])
    assert [str(message) for message in request._messages] == [  # type: ignore[attr-defined]
        f"product {record.product_id} is used by usage_data_record: it cannot be deleted."
    ]
    assert Product.objects.filter(pk=record.product_id).exists()


@pytest.mark.parametrize(
    "page",
    [
        "customers_customer",
        "customers_subscriptionservice",
        "catalog_product",
        "usage_usagetype",
        "usage_sourcesystem",
        "usage_usageimport",
        "usage_usagedatarecord",
        "billing_billingrun",
        "invoicing_invoice",
    ],
)
def test_no_delete_button_for_what_is_never_deleted(admin_client: Client, page: str) -> None:
    made = {
        "customers_customer": factories.CustomerFactory,
        "customers_subscriptionservice": factories.SubscriptionServiceFactory,
        "catalog_product": factories.ProductFactory,
        "usage_usagetype": factories.UsageTypeFactory,
        "usage_sourcesystem": factories.SourceSystemFactory,
        "usage_usageimport": factories.UsageImportFactory,
        "usage_usagedatarecord": factories.UsageDataRecordFactory,
        "billing_billingrun": factories.BillingRunFactory,
        "invoicing_invoice": factories.InvoiceFactory,
    }[page]()
    assert admin_client.post(reverse(f"admin:{page}_delete", args=[made.pk]), {"post": "yes"}).status_code == 403
    assert type(made)._default_manager.filter(pk=made.pk).exists()


def test_two_customers_with_one_account_number_are_refused_by_the_form(admin_client: Client) -> None:
    customer = factories.CustomerFactory()
    response = admin_client.post(
        reverse("admin:customers_customer_add"), {"account_number": customer.account_number, "name": "Other"}
    )
    assert "already exists" in response.content.decode()
    assert Customer.objects.count() == 1
