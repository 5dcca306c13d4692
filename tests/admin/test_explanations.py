"""Explanations on the pages of records, charges and invoices."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing.admin import invoices
from billing.operations.price_corrections import draft_corrections
from catalog.models import Product
from catalog.operations.rates import add_rate_version
from customers.models import Customer
from invoicing.models import UsageCharge
from tests.billing.received import behind_its_back
from tests.billing.taken import THEN
from tests.factories import UserFactory
from tests.runs import bill, customer_at, invoice, post, rate_of, use
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme() -> tuple[Customer, Product]:
    """A customer who pays 0.003 USD a second."""
    return customer_at("0.003", name="Acme")


def record_page(client: Client, record: UsageDataRecord) -> str:
    return client.get(reverse("admin:usage_usagedatarecord_change", args=[record.pk])).content.decode()


def test_a_record_says_what_it_would_cost_and_then_why_it_does(
    admin_client: Client, acme: tuple[Customer, Product]
) -> None:
    record = use(*acme, 40, number="R1")
    # 40 x 0.003 = 0.12.
    assert "Billed now, it would cost 0.12 USD" in record_page(admin_client, record)
    bill()
    text = record_page(admin_client, record)
    assert "Why it costs 0.12 USD" in text
    assert "<li>40 second x 0.003 = 0.12.</li>" in text
    assert "it comes to what is stored" in text


def test_what_its_price_was_corrected_to_stands_below(admin_client: Client, acme: tuple[Customer, Product]) -> None:
    customer, call = acme
    record = use(customer, call, 40, number="R1")
    post(bill())
    add_rate_version(rate_id=rate_of(call).pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.002")})
    days: Any = {"from_day": date(2026, 1, 1), "until_day": date(2026, 2, 1)}
    draft_corrections(**days, customer_ids=[customer.pk], at=THEN)
    text = record_page(admin_client, record)
    assert "Why it costs 0.12 USD" in text
    # 40 x 0.002 = 0.08.
    assert ": 0.08 USD in place of 0.12, by rate " in text


def test_a_fault_is_shown_in_place_of_trust(admin_client: Client, acme: tuple[Customer, Product]) -> None:
    record = use(*acme, 40, number="R1")
    bill()
    with behind_its_back():
        UsageCharge.objects.update(amount=Decimal("0.13"))
    text = record_page(admin_client, record)
    assert "Why it costs 0.13 USD" in text
    assert "The explanation comes to 0.12, the charge says 0.13." in text
    assert "it comes to what is stored" not in text


def test_a_record_without_a_price_says_what_is_missing(admin_client: Client, acme: tuple[Customer, Product]) -> None:
    customer, call = customer_at("0.10")
    record = use(customer, acme[1], 40)
    text = record_page(admin_client, record)
    assert "No price yet" in text
    assert f"None of these cards has any rate for {acme[1].code}." in text
    excluded = use(customer, call, 40, billing_directive="NOT_TO_BE_BILLED")
    assert 'id="explanation"' not in record_page(admin_client, excluded)


def test_charges_lead_to_their_explanation(admin_client: Client, acme: tuple[Customer, Product]) -> None:
    record = use(*acme, 40)
    bill()
    address = reverse("admin:usage_usagedatarecord_change", args=[record.pk])
    charge = UsageCharge.objects.get()
    for page in (
        reverse("admin:invoicing_usagecharge_changelist"),
        reverse("admin:invoicing_usagecharge_change", args=[charge.pk]),
    ):
        assert f'href="{address}#explanation"' in admin_client.get(page).content.decode()


def test_a_counted_charge_says_where_it_stands_in_its_month(admin_client: Client) -> None:
    customer, call = customer_at("0.10", rate__included_quantity=10, rate__increment=60)
    use(customer, call, 40)
    bill()
    charge = UsageCharge.objects.get()
    text = admin_client.get(reverse("admin:invoicing_usagecharge_change", args=[charge.pk])).content.decode()
    assert "January 2026: 0 before it, 60 at the end of the run" in text
    assert "60 second" in text


def test_all_charges_of_an_invoice_are_explained(
    admin_client: Client, acme: tuple[Customer, Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("R1", "R2"):
        use(*acme, 40, number=number)
    document = invoice(bill(), acme[0])
    page = reverse("admin:invoicing_invoice_explanations", args=[document.pk])
    change = admin_client.get(reverse("admin:invoicing_invoice_change", args=[document.pk])).content.decode()
    assert f'href="{page}"' in change
    assert "Every charge of the document, 2 in all, is what its explanation comes to" in (
        admin_client.get(page).content.decode()
    )
    monkeypatch.setattr(invoices, "EXPLAINED_CHARGES", 1)
    text = admin_client.get(page).content.decode()
    assert "Each of the first 1 charges is what its explanation comes to" in text
    assert "It has 2 charges: more than are explained while you wait." in text
    with behind_its_back():
        UsageCharge.objects.update(amount=Decimal("0.13"))
    text = admin_client.get(page).content.decode()
    assert "1 of 1 charge is not what the explanation comes to." in text
    assert "The explanation comes to 0.12, the charge says 0.13." in text


def test_who_may_not_see_invoices_sees_no_explanations(client: Client, acme: tuple[Customer, Product]) -> None:
    use(*acme, 40)
    document = invoice(bill(), acme[0])
    user: User = UserFactory()
    client.force_login(user)
    page = reverse("admin:invoicing_invoice_explanations", args=[document.pk])
    assert client.get(page).status_code == 403
    client.logout()
    assert client.get(page).status_code == 302
