"""Invoices and transactions as staff see them."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from invoicing.models import Transaction
from tests import factories

pytestmark = pytest.mark.django_db


def test_invoice_is_shown_as_a_document(admin_client: Client) -> None:
    invoice = factories.InvoiceFactory()
    line = factories.InvoiceLineFactory(
        invoice=invoice,
        product_name="Storage",
        product_code="GB-1",
        region="eu-west-1",
        unit="GB",
        quantity=Decimal("1234.5000001453"),
        unit_price=Decimal("0.0081"),
        charge_count=7,
    )
    factories.InvoiceTaxFactory(invoice=invoice)
    factories.post(invoice)
    page = admin_client.get(reverse("admin:invoicing_invoice_change", args=[invoice.pk])).content.decode()
    for shown in (
        str(invoice.number),
        "Storage",
        "eu-west-1",
        "1,234.5000001453",
        "0.0081",
        "10.00 USD",
        "2.00 USD",
        "12.00 USD",
        "2026-01-01 to 2026-01-31",
        f"line__id__exact={line.pk}",
        f"invoice__id__exact={invoice.pk}",
    ):
        assert shown in page
    assert 'name="_save"' not in page


def test_draft_says_that_it_is_one(admin_client: Client) -> None:
    invoice = factories.InvoiceFactory()
    page = admin_client.get(reverse("admin:invoicing_invoice_change", args=[invoice.pk])).content.decode()
    assert "Draft: not approved yet" in page


def test_long_document_is_shown_in_pages(admin_client: Client) -> None:
    invoice = factories.InvoiceFactory()
    tax_rate = factories.TaxRateFactory()
    for number in range(1, 204):
        factories.InvoiceLineFactory(invoice=invoice, line_number=number, tax_rate=tax_rate, product_name=f"P{number}")
    address = reverse("admin:invoicing_invoice_change", args=[invoice.pk])
    first = admin_client.get(address).content.decode()
    assert "Lines 1 to 200 of 203" in first
    assert "P203" not in first
    assert "P203" in admin_client.get(address, {"lines": 2}).content.decode()


def test_page_of_an_invoice_takes_as_many_queries_for_ten_lines_as_for_one(
    admin_client: Client,
) -> None:
    invoice = factories.InvoiceFactory()
    factories.InvoiceLineFactory(invoice=invoice)
    address = reverse("admin:invoicing_invoice_change", args=[invoice.pk])
    admin_client.get(address)
    with CaptureQueriesContext(connection) as for_one:
        admin_client.get(address)
    for _ in range(9):
        factories.InvoiceLineFactory(invoice=invoice)
    with CaptureQueriesContext(connection) as for_ten:
        admin_client.get(address)
    assert len(for_ten) == len(for_one)


def test_charges_of_a_line_are_listed(admin_client: Client) -> None:
    charge = factories.UsageChargeFactory()
    factories.UsageChargeFactory()
    listed = admin_client.get(reverse("admin:invoicing_usagecharge_changelist"), {"line__id__exact": charge.line_id})
    assert list(listed.context["cl"].result_list) == [charge]


def test_waiting_transaction_can_be_changed(admin_client: Client) -> None:
    transaction = factories.TransactionFactory()
    fields = {
        "customer": transaction.customer_id,
        "kind": "MANUAL",
        "description": "Set-up, reduced",
        "quantity": "1",
        "unit_price": "20",
        "currency": transaction.currency_id,
        "transaction_date": "2026-01-10",
    }
    admin_client.post(reverse("admin:invoicing_transaction_change", args=[transaction.pk]), fields)
    transaction.refresh_from_db()
    assert (transaction.description, transaction.amount) == ("Set-up, reduced", Decimal(20))


def test_billed_transaction_is_neither_changed_nor_deleted(admin_client: Client) -> None:
    line = factories.InvoiceLineFactory(kind="MANUAL", exact_amount=25)
    transaction = factories.TransactionFactory(customer=line.invoice.customer, invoice_line=line)
    for page in ("change", "delete"):
        address = reverse(f"admin:invoicing_transaction_{page}", args=[transaction.pk])
        assert admin_client.post(address, {"description": "Other", "post": "yes"}).status_code == 403
    assert Transaction.objects.get().description == "Set-up"
