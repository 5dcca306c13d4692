"""`/billing/v3/invoices/ID` as a PDF."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from customers.models import Customer
from invoicing.api import invoices
from invoicing.models import Invoice, RenderedInvoice
from invoicing.operations.rendering import RenderingFailed, pdf_of
from tests.api.caller import Caller, assert_error
from tests.away import take_bucket_away
from tests.factories.customers import CustomerFactory
from tests.factories.invoicing import InvoiceFactory, InvoiceLineFactory, post
from tests.invoicing.mail_server import render

pytestmark = pytest.mark.django_db

PATH = "/billing/v3/invoices"
PDF = "application/pdf"


@pytest.fixture
def invoice(customer: Customer) -> Invoice:
    """Posted, its PDF not made yet."""
    draft = InvoiceFactory(customer=customer)
    InvoiceLineFactory(invoice=draft)
    return post(draft)


def test_it_is_to_be_had_as_a_pdf(customer: Customer, caller_of: Callable[..., Caller], invoice: Invoice) -> None:
    response = caller_of(customer).get(f"{PATH}/{invoice.pk}", accept=PDF)
    assert (response.status_code, response.headers["Content-Type"]) == (200, PDF)
    assert response.headers["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'
    assert response.content.startswith(b"%PDF-")
    assert response.content == pdf_of(invoice)
    assert "Accept" in response.headers["Vary"]


@pytest.mark.parametrize("accept", [f"{PDF}, */*;q=0.1", f"{PDF},application/json"])
def test_who_takes_both_and_names_the_pdf_gets_one_of_them(staff: Caller, invoice: Invoice, accept: str) -> None:
    assert staff.get(f"{PATH}/{invoice.pk}", accept=accept).status_code == 200


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html,*/*;q=0.8"])
def test_who_does_not_ask_for_a_pdf_gets_json(staff: Caller, invoice: Invoice, accept: str) -> None:
    assert staff.get(f"{PATH}/{invoice.pk}", accept=accept).json()["invoice_id"] == str(invoice.pk)


def test_another_format_is_a_406_that_says_which_there_are(staff: Caller, invoice: Invoice) -> None:
    response = staff.get(f"{PATH}/{invoice.pk}", accept="image/png")
    assert_error(response, 406, "not_acceptable")
    assert response.json()["detail"] == "It is to be had as application/json or application/pdf, not as image/png."


def test_another_customers_a_draft_and_none_are_a_json_404(
    customer: Customer, caller_of: Callable[..., Caller], invoice: Invoice
) -> None:
    draft = InvoiceFactory(customer=customer)
    for caller, invoice_id in ((caller_of(CustomerFactory()), invoice.pk), (caller_of(customer), draft.pk)):
        assert_error(caller.get(f"{PATH}/{invoice_id}", accept=PDF), 404, "not_found")
    assert_error(Caller(None).get(f"{PATH}/{invoice.pk}", accept=PDF), 401, "not_authenticated")


def test_the_list_is_no_pdf(staff: Caller) -> None:
    assert_error(staff.get(PATH, accept=PDF), 406, "not_acceptable")


def test_one_that_cannot_be_made_says_why(staff: Caller, invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Invoice) -> bytes:
        raise RenderingFailed("The layout has an error in line 3.")

    monkeypatch.setattr(invoices, "pdf_of", fail)
    response = staff.get(f"{PATH}/{invoice.pk}", accept=PDF)
    assert_error(response, 409, "conflict")
    assert response.json()["detail"] == (
        f"The PDF of {invoice.number} cannot be made: The layout has an error in line 3."
    )


def test_with_the_storage_away_it_is_a_503_that_says_so(
    staff: Caller, invoice: Invoice, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    RenderedInvoice.objects.filter(invoice=invoice).delete()
    render(invoice)
    take_bucket_away(settings, monkeypatch)
    response = staff.get(f"{PATH}/{invoice.pk}", accept=PDF)
    assert_error(response, 503, "unavailable")
    assert response.json()["detail"] == "The storage of files does not answer. Please try again in some minutes."


def test_what_can_be_asked_is_told_in_json(staff: Caller, invoice: Invoice) -> None:
    response = staff.send("OPTIONS", f"{PATH}/{invoice.pk}", accept=PDF)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
