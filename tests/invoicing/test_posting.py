"""Posting drafts: numbers without gaps, drafts only, a digest of the content."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import transaction

from customers.models import Customer
from invoicing.models import Invoice, LegalEntity, NumberSeries
from invoicing.operations.posting import PostingRefused, post_invoices
from tests.factories import (
    CustomerFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    InvoiceTaxFactory,
    LegalEntityFactory,
    TaxRateFactory,
)

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)


def draft(account_number: str, net: str = "10.00", **fields: object) -> Invoice:
    amount = Decimal(net)
    made: Invoice = InvoiceFactory(
        customer=CustomerFactory(account_number=account_number),
        kind="CREDIT_NOTE" if amount < 0 else "INVOICE",
        net_amount=amount,
        **fields,
    )
    return made


def posted(*invoices: Invoice) -> list[str | None]:
    """The numbers of these invoices once all of them are posted."""
    post_invoices(invoice_ids=[invoice.id for invoice in invoices], at=AT)
    for invoice in invoices:
        invoice.refresh_from_db()
    return [invoice.number for invoice in invoices]


def test_each_kind_has_its_own_series_in_the_order_of_account_numbers() -> None:
    invoices = [draft("D"), draft("B", "-1"), draft("C"), draft("A", "-1")]
    assert posted(*invoices) == ["INV-000002", "CN-000002", "INV-000001", "CN-000001"]


def test_several_documents_of_a_customer_are_numbered_as_they_were_made() -> None:
    first = draft("A")
    second = InvoiceFactory(customer=first.customer)
    assert posted(second, first) == ["INV-000002", "INV-000001"]


def test_what_is_posted_already_is_left_alone() -> None:
    first, second = draft("A"), draft("B")
    posted(first)
    before = Invoice.objects.values().get(id=first.id)
    assert post_invoices(invoice_ids=[first.id, second.id, second.id, 0], at=datetime(2026, 3, 1, tzinfo=UTC)) == 1
    assert Invoice.objects.values().get(id=first.id) == before
    second.refresh_from_db()
    assert second.number == "INV-000002"


def test_nothing_to_post_takes_no_number() -> None:
    assert post_invoices(invoice_ids=[], at=AT) == 0
    assert set(NumberSeries.objects.values_list("next_number", flat=True)) == {1}


def test_a_posting_that_is_undone_gives_its_numbers_back() -> None:
    first, second = draft("A"), draft("B")
    with transaction.atomic():
        posted(first)
        transaction.set_rollback(True)
    assert posted(second, first) == ["INV-000002", "INV-000001"]


def test_a_kind_without_a_series_is_not_posted_and_says_so() -> None:
    NumberSeries.objects.filter(kind="CREDIT_NOTE").delete()
    invoice, note = draft("A"), draft("B", "-1")
    with pytest.raises(PostingRefused, match=r"^There is no number series for a document of the kind “Credit note”\.$"):
        posted(invoice, note)
    assert set(Invoice.objects.values_list("state", flat=True)) == {"DRAFT"}
    assert NumberSeries.objects.get().next_number == 1


def test_two_series_with_one_prefix_do_not_give_a_number_twice() -> None:
    NumberSeries.objects.update(prefix="2026-")
    invoice, note = draft("A"), draft("B", "-1")
    with pytest.raises(
        PostingRefused, match=r"^The next numbers are taken: give each number series a prefix of its own\.$"
    ):
        posted(invoice, note)
    assert set(Invoice.objects.values_list("state", flat=True)) == {"DRAFT"}


def digest(invoice: Invoice) -> str:
    """The digest that the draft would get under the first number; nothing of it is kept."""
    with transaction.atomic():
        posted(invoice)
        transaction.set_rollback(True)
    return invoice.content_sha256


def full_draft() -> Invoice:
    invoice = draft("A")
    InvoiceLineFactory(invoice=invoice)
    InvoiceTaxFactory(invoice=invoice)
    return invoice


def test_the_digest_is_the_same_whenever_the_draft_was_made() -> None:
    invoice = full_draft()
    seen = {digest(invoice)}
    Invoice.objects.filter(id=invoice.id).update(created_at=datetime(2020, 1, 1, tzinfo=UTC))
    seen.add(digest(invoice))
    assert len(seen) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"tax_point": date(2026, 1, 31)},
        {"message": "Thank you."},
        {"period_start": date(2025, 12, 1)},
        {"period_end": date(2026, 2, 2)},
        {"invoice_date": date(2026, 2, 2)},
        {"due_date": date(2026, 3, 4)},
        {"net_amount": Decimal("10.01"), "total_amount": Decimal("12.01")},
        {"tax_amount": Decimal("2.01"), "total_amount": Decimal("12.01")},
        {"currency_id": "EUR"},
    ],
)
def test_the_digest_changes_with_what_the_document_says(change: dict[str, object]) -> None:
    invoice = full_draft()
    before = digest(invoice)
    Invoice.objects.filter(id=invoice.id).update(**change)
    assert digest(invoice) != before


@pytest.mark.parametrize(
    "change", [{"name": "Other"}, {"address": "1 High Street"}, {"vat_number": "GB123"}, {"language": "de"}]
)
def test_the_digest_changes_with_the_buyer(change: dict[str, object]) -> None:
    invoice = full_draft()
    before = digest(invoice)
    Customer.objects.filter(id=invoice.customer_id).update(**change)
    assert digest(invoice) != before


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Other"},
        {"address": "1 High Street"},
        {"vat_number": "GB123"},
        {"registration": "Leeds 12"},
        {"payment_details": "IBAN GB00"},
    ],
)
def test_the_digest_changes_with_the_seller(change: dict[str, object]) -> None:
    entity = LegalEntityFactory(is_default=True)
    invoice = full_draft()
    before = digest(invoice)
    LegalEntity.objects.filter(id=entity.id).update(**change)
    assert digest(invoice) != before


def test_the_digest_changes_with_codes_and_notes() -> None:
    seen: list[str] = []
    for line, tax in (({}, {}), ({"coupon_code": "X"}, {}), ({}, {"note": "Reverse charge"})):
        invoice = draft("A" * (len(seen) + 1))
        Customer.objects.filter(id=invoice.customer_id).update(name="Acme")
        InvoiceLineFactory(invoice=invoice, **line)
        InvoiceTaxFactory(invoice=invoice, **tax)
        seen.append(digest(invoice))
    assert len(set(seen)) == 3


def test_the_digest_changes_with_lines_and_taxes() -> None:
    invoice = full_draft()
    seen = [digest(invoice)]
    InvoiceLineFactory(invoice=invoice, description="Set-up", late_period=date(2025, 12, 1))
    seen.append(digest(invoice))
    InvoiceTaxFactory(invoice=invoice, tax_rate=TaxRateFactory(percent=Decimal(7)))
    seen.append(digest(invoice))
    assert len(set(seen)) == 3
