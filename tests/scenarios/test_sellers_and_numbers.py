"""Who sells, and which number a document gets: by legal entity and kind, by account number, without gaps."""

from datetime import date
from decimal import Decimal

import pytest

from billing.operations.errors import RunRefused
from customers.models import Customer
from invoicing.models import CustomerInvoicing, Invoice, LegalEntity, NumberSeries
from tests.factories import CustomerInvoicingFactory, LegalEntityFactory, TransactionFactory
from tests.runs import FEBRUARY, bill, customer_at, invoice, post

pytestmark = pytest.mark.django_db


def customer_of(account_number: str, entity: LegalEntity | None = None, amount: str = "10") -> Customer:
    """A customer of a seller, with a transaction of January."""
    acme, _ = customer_at("1", account_number=account_number, language="de")
    if entity is not None:
        CustomerInvoicingFactory(customer=acme, legal_entity=entity)
    TransactionFactory(customer=acme, unit_price=Decimal(amount))
    return acme


def numbers() -> dict[str, str | None]:
    return dict(Invoice.objects.order_by("customer").values_list("customer__account_number", "number"))


def test_each_legal_entity_has_its_own_numbers_of_each_kind() -> None:
    north = LegalEntityFactory(code="N", is_default=True)
    south = LegalEntityFactory(code="S")
    for account_number, entity, amount in (
        ("A", north, "10"),
        ("B", south, "10"),
        # No seller of its own: the default one.
        ("C", None, "10"),
        ("D", south, "-10"),
        ("E", south, "10"),
    ):
        customer_of(account_number, entity, amount)
    post(bill())
    assert numbers() == {
        "A": "INV-N-000001",
        "B": "INV-S-000001",
        "C": "INV-N-000002",
        "D": "CN-S-000001",
        "E": "INV-S-000002",
    }
    assert set(NumberSeries.objects.filter(legal_entity=None).values_list("next_number", flat=True)) == {1}


def test_without_a_legal_entity_documents_have_no_seller_and_a_series_of_their_own() -> None:
    acme = customer_of("A")
    LegalEntityFactory()
    document = invoice(post(bill()), acme)
    assert (document.number, document.legal_entity, document.seller_name) == ("INV-000001", None, "")


def test_numbers_hold_the_year_and_the_month_of_the_invoice_date_and_go_on() -> None:
    NumberSeries.objects.filter(kind="INVOICE").update(prefix="{year}-{month}/", digits=4)
    acme = customer_of("A")
    post(bill())
    TransactionFactory(customer=acme, unit_price=Decimal(5), transaction_date=date(2026, 2, 2))
    post(bill(**FEBRUARY))
    assert list(Invoice.objects.order_by("id").values_list("number", flat=True)) == ["2026-02/0001", "2026-03/0002"]


def test_a_missing_series_is_named_with_its_legal_entity() -> None:
    entity = LegalEntityFactory(code="N", name="North Ltd", is_default=True)
    NumberSeries.objects.filter(legal_entity=entity, kind="CREDIT_NOTE").delete()
    customer_of("A")
    customer_of("B", amount="-10")
    run = bill()
    said = (
        r"There is no number series of the legal entity North Ltd \(N\) for a document of the kind “Credit note”\. "
        r"Add it to the legal entity\.$"
    )
    with pytest.raises(RunRefused, match=said):
        post(run)
    assert numbers() == {"A": None, "B": None}


SELLER = {
    "name": "North Ltd",
    "address": "1 High Street\nLeeds",
    "vat_number": "GB999",
    "registration": "Leeds 12",
    "payment_details": "IBAN GB00",
}


def said(document: Invoice) -> dict[str, object]:
    names = (
        *("seller_name", "seller_address", "seller_vat_number", "seller_registration", "payment_details"),
        *("customer_name", "customer_address", "customer_vat_number", "language"),
    )
    return {name: getattr(document, name) for name in names}


def test_seller_and_buyer_are_copied_to_the_draft_and_again_when_it_is_posted() -> None:
    entity = LegalEntityFactory(code="N", is_default=True, **SELLER)
    acme = customer_of("A")
    run = bill()
    draft = invoice(run, acme)
    assert draft.legal_entity == entity
    assert said(draft) == {
        "seller_name": "North Ltd",
        "seller_address": "1 High Street\nLeeds",
        "seller_vat_number": "GB999",
        "seller_registration": "Leeds 12",
        "payment_details": "IBAN GB00",
        "customer_name": acme.name,
        "customer_address": "",
        "customer_vat_number": "",
        "language": "de",
    }
    other = LegalEntityFactory(code="S", name="South Ltd", payment_details="IBAN FR00")
    CustomerInvoicing.objects.create(customer=acme, legal_entity=other)
    Customer.objects.filter(pk=acme.pk).update(name="Acme Ltd", address="2 Low Road", vat_number="FR1", language="fr")
    document = invoice(post(run), acme)
    assert (document.legal_entity, document.number) == (other, "INV-S-000001")
    assert said(document) == {
        "seller_name": "South Ltd",
        "seller_address": "",
        "seller_vat_number": "",
        "seller_registration": "",
        "payment_details": "IBAN FR00",
        "customer_name": "Acme Ltd",
        "customer_address": "2 Low Road",
        "customer_vat_number": "FR1",
        "language": "fr",
    }


def test_what_is_posted_keeps_the_seller_that_it_had() -> None:
    entity = LegalEntityFactory(code="N", is_default=True, **SELLER)
    acme = customer_of("A")
    run = post(bill())
    LegalEntity.objects.filter(pk=entity.pk).update(name="Renamed Ltd", payment_details="IBAN XX")
    document = invoice(run, acme)
    assert (document.seller_name, document.payment_details) == ("North Ltd", "IBAN GB00")
