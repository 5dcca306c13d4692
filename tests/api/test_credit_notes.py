"""`invoices/ID/credit`, `post` and `discard`, `manualInvoices` and `accountsReceivable` of the backend API."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from customers.models import Customer
from customers.operations.api_keys import create_api_key
from invoicing.models import Invoice, Transaction
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import TransactionFactory, UserFactory
from tests.runs import bill, customer_at, invoice, pending, post, use

pytestmark = pytest.mark.django_db

API = "/backend/api/v1"


@pytest.fixture
def billed() -> Invoice:
    """A posted invoice of R1 and R2, 10.00 + 5.00, and a fee of 25.00; 20 % tax: 48.00."""
    acme, call = customer_at("0.10")
    use(acme, call, 100, number="R1"), use(acme, call, 50, number="R2")
    TransactionFactory(customer=acme, description="Set-up")
    return invoice(post(bill()), acme)


def credited(staff: Caller, document: Invoice, **members: Any) -> Any:
    response = staff.send("POST", f"{API}/invoices/{document.pk}/credit", {"reason": "Agreed."} | members)
    assert response.status_code == 201, response.content
    return parsed(response)


def test_a_whole_invoice_is_credited(staff: Caller, billed: Invoice) -> None:
    shown = credited(staff, billed)
    note = Invoice.objects.get(kind="CREDIT_NOTE")
    assert note.posted_at is not None
    assert shown == {
        "id": str(note.pk),
        "number": "CN-000001",
        "kind": "creditNote",
        "state": "posted",
        "customerID": str(billed.customer_id),
        "accountsReceivableID": str(billed.accounts_receivable_id),
        "currency": "USD",
        "invoiceDate": str(note.invoice_date),
        "dueDate": str(note.invoice_date),
        "periodStart": "2026-01-01",
        "periodEnd": "2026-01-31",
        "netAmount": Decimal("-40.00"),
        "taxAmount": Decimal("-8.00"),
        "totalAmount": Decimal("-48.00"),
        "creditedInvoiceID": str(billed.pk),
        "reason": "Agreed.",
        "postedDate": note.posted_at.isoformat().replace("+00:00", "Z"),
        "createdDate": note.created_at.isoformat().replace("+00:00", "Z"),
    }


def test_lines_and_records_are_credited_and_usage_given_back(staff: Caller, billed: Invoice) -> None:
    # The fee of 25.00 and 5.00 tax; then R2, 5.00 and 1.00.
    assert credited(staff, billed, lineNumbers=[2])["totalAmount"] == Decimal("-30.00")
    assert credited(staff, billed, recordNumbers=["R2"], giveUsageBack=True)["totalAmount"] == Decimal("-6.00")
    assert len(pending(billed.customer)) == 1


def test_a_draft_is_posted_or_discarded(staff: Caller, billed: Invoice) -> None:
    draft = credited(staff, billed, lineNumbers=[1], post=False)
    assert (draft["state"], draft["number"]) == ("draft", None)
    response = staff.send("POST", f"{API}/invoices/{draft['id']}/post", {"giveUsageBack": True})
    assert parsed(response)["number"] == "CN-000001"
    assert len(pending(billed.customer)) == 2
    assert_error(staff.send("POST", f"{API}/invoices/{draft['id']}/discard"), 409, "conflict")
    other = credited(staff, billed, post=False)
    assert staff.send("POST", f"{API}/invoices/{other['id']}/discard").status_code == 204
    assert not Invoice.objects.filter(pk=other["id"]).exists()


def test_what_cannot_be_is_said(staff: Caller, billed: Invoice) -> None:
    path = f"{API}/invoices/{billed.pk}/credit"
    assert_error(staff.send("POST", path, {}), 400, "invalid", reason=["This field is required."])
    assert_error(
        staff.send("POST", path, {"reason": "x", "lineNumbers": [1], "recordNumbers": ["R1"]}),
        400,
        "invalid",
        recordNumbers=["Name lines or records, not both."],
    )
    assert_error(staff.send("POST", path, {"reason": "x", "lineNumbers": [3]}), 422, "refused")
    assert_error(staff.send("POST", path, {"reason": "x", "recordNumbers": ["R9"]}), 422, "refused")
    assert_error(staff.send("POST", path, {"reason": "x", "post": False, "giveUsageBack": True}), 422, "refused")
    credited(staff, billed)
    assert_error(staff.send("POST", path, {"reason": "x"}), 409, "conflict")
    assert_error(staff.send("POST", f"{API}/invoices/9999999/credit", {"reason": "x"}), 404, "not_found")
    note = Invoice.objects.get(kind="CREDIT_NOTE")
    assert_error(staff.send("POST", f"{API}/invoices/{note.pk}/credit", {"reason": "x"}), 409, "conflict")
    assert_error(staff.send("POST", f"{API}/invoices/{billed.pk}/discard"), 409, "conflict")


def test_the_same_key_credits_once(staff: Caller, billed: Invoice) -> None:
    path = f"{API}/invoices/{billed.pk}/credit"
    answers = [staff.send("POST", path, {"reason": "x"}, idempotency_key="k1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert parsed(answers[0]) == parsed(answers[1])
    assert Invoice.objects.filter(kind="CREDIT_NOTE").count() == 1


def test_it_takes_the_scope_of_billing_and_the_right_to_make_invoices(billed: Invoice) -> None:
    def caller(scopes: list[str], *codenames: str) -> Caller:
        user = UserFactory()
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return Caller(create_api_key(scopes=scopes, user_id=user.pk)[1])

    path = f"{API}/invoices/{billed.pk}/credit"
    body = {"reason": "x", "giveUsageBack": True}
    assert_error(caller(["read", "write"], "add_invoice").send("POST", path, body), 403, "scope_missing")
    assert_error(caller(["billing:run"], "view_invoice").send("POST", path, body), 403, "permission_denied")
    # To give usage back, the right to change usage too.
    assert_error(caller(["billing:run"], "add_invoice").send("POST", path, body), 403, "permission_denied")
    both = caller(["billing:run"], "add_invoice", "change_usagedatarecord")
    assert both.send("POST", path, body).status_code == 201


def test_customers_credit_nothing(caller_of: Callable[..., Caller], billed: Invoice) -> None:
    own = caller_of(billed.customer)
    for path in (f"invoices/{billed.pk}/credit", "manualInvoices/"):
        assert_error(own.send("POST", f"{API}/{path}", {"reason": "x"}), 403, "staff_only")


def test_an_invoice_by_hand(staff: Caller, customer: Customer) -> None:
    fee = TransactionFactory(customer=customer)
    body = {"customerID": str(customer.pk), "transactionIDs": [str(fee.pk)], "invoiceDate": "2026-02-05"}
    response = staff.send("POST", f"{API}/manualInvoices/", body)
    assert response.status_code == 201, response.content
    shown = parsed(response)
    # 25.00 and 20 %.
    assert (shown["state"], shown["kind"], shown["totalAmount"]) == ("draft", "invoice", Decimal("30.00"))
    assert (shown["invoiceDate"], shown["periodEnd"], shown["creditedInvoiceID"]) == ("2026-02-05", "2026-02-05", None)
    assert_error(staff.send("POST", f"{API}/manualInvoices/", body), 409, "conflict")
    posted = staff.send("POST", f"{API}/invoices/{shown['id']}/post", {})
    assert parsed(posted)["number"] == "INV-000001"
    other = {"customerID": str(customer.pk), "transactionIDs": ["9999999"]}
    assert_error(staff.send("POST", f"{API}/manualInvoices/", other), 422, "refused")
    again = TransactionFactory(customer=customer)
    made = staff.send("POST", f"{API}/manualInvoices", body | {"transactionIDs": [str(again.pk)]})
    assert staff.send("POST", f"{API}/invoices/{parsed(made)['id']}/discard").status_code == 204
    assert Transaction.objects.get(pk=again.pk).invoice_line is None


def test_an_account_has_entries_a_balance_and_a_statement(staff: Caller, billed: Invoice) -> None:
    credited(staff, billed, lineNumbers=[2])
    note = Invoice.objects.get(kind="CREDIT_NOTE")
    path = f"{API}/accountsReceivable/{billed.accounts_receivable_id}"
    entries = staff.ask(f"{path}/entries")
    assert [(entry["number"], entry["kind"], entry["amount"]) for entry in entries] == [
        ("INV-000001", "invoice", Decimal("48.00")),
        ("CN-000001", "creditNote", Decimal("-30.00")),
    ]
    assert entries[1]["creditedInvoiceID"] == str(billed.pk)
    assert [entry["number"] for entry in staff.ask(f"{path}/entries?idAfter={billed.pk}")] == ["CN-000001"]
    assert staff.ask(f"{path}/entries?toDate=2026-01-31") == []
    response = staff.get(f"{path}/entries?limit=1")
    assert (response.headers["X-Total-Count"], f"idAfter={billed.pk}" in response.headers["Link"]) == ("2", True)
    # 48.00 less 30.00.
    assert staff.ask(f"{path}/balance") == [{"currency": "USD", "balance": Decimal("18.00")}]
    (statement,) = staff.ask(f"{path}/statement?fromDate=2026-02-02&toDate={note.invoice_date}")
    assert statement["openingBalance"] == Decimal("48.00")
    assert [(each["entry"]["number"], each["balance"]) for each in statement["entries"]] == [
        ("CN-000001", Decimal("18.00"))
    ]
    assert (statement["closingBalance"], statement["leftOutCount"]) == (Decimal("18.00"), 0)
    assert_error(staff.get(f"{path}/statement?fromDate=2026-02-02&toDate=2026-02-01"), 400, "invalid")
    assert_error(staff.get(f"{API}/accountsReceivable/9999999/balance"), 404, "not_found")
