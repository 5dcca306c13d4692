"""Credit notes, invoices by hand and the account in the admin."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from invoicing.models import Invoice, Transaction
from tests.crediting import credit, left
from tests.factories import CustomerFactory, TransactionFactory
from tests.runs import bill, customer_at, invoice, pending, post, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def billed() -> Invoice:
    """A posted invoice of R1 and R2, 10.00 + 5.00, and a fee of 25.00; 20 % tax: 48.00."""
    acme, call = customer_at("0.10")
    use(acme, call, 100, number="R1"), use(acme, call, 50, number="R2")
    TransactionFactory(customer=acme, description="Set-up")
    return invoice(post(bill()), acme)


def page(name: str, document: Invoice) -> str:
    return reverse(f"admin:invoicing_invoice_{name}", args=[document.pk])


def asked(**fields: str) -> dict[str, str]:
    return {"what": "whole", "line_numbers": "", "record_numbers": "", "reason": "Agreed."} | fields


def test_what_would_come_out_is_shown_and_not_kept(admin_client: Client, billed: Invoice) -> None:
    assert page("credit", billed) in admin_client.get(page("change", billed)).content.decode()
    response = admin_client.post(page("credit", billed), asked(what="records", record_numbers="R2", preview=""))
    text = response.content.decode()
    # 5.00 and 20 %.
    assert "-5.00 USD" in text
    assert "-6.00 USD" in text
    assert not billed.credit_notes.exists()


def test_what_is_wholly_credited_says_so_and_has_no_button_to_credit_it(admin_client: Client, billed: Invoice) -> None:
    def said() -> tuple[bool, bool]:
        """Whether it is called wholly credited, and whether it can be credited."""
        text = admin_client.get(page("change", billed)).content.decode()
        return "Wholly credited by" in text, page("credit", billed) in text

    notes = [credit(billed, records=["R2"]), credit(billed, lines=[2])]
    # R1 is left: 10.00 of the 40.00.
    assert said() == (False, True)
    notes.append(credit(billed))
    assert said() == (True, False)
    text = admin_client.get(page("change", billed)).content.decode()
    assert all(page("change", note) in text for note in notes)


def test_the_invoice_is_credited_and_its_usage_given_back(admin_client: Client, billed: Invoice) -> None:
    response = admin_client.post(page("credit", billed), asked(gives_usage_back="on", credit=""), follow=True)
    note = billed.credit_notes.get()
    assert response.redirect_chain[-1][0] == page("change", note)
    text = response.content.decode()
    assert "Credit note CN-000001 is posted. What it takes back waits to be billed anew." in text
    assert "Agreed." in text
    assert page("change", billed) in text
    assert (left(billed), len(pending(billed.customer))) == ("0.00 + 0.00 = 0.00", 2)
    text = admin_client.get(page("change", billed)).content.decode()
    assert page("change", note) in text
    # What is refused is said on the form.
    response = admin_client.post(page("credit", billed), asked(preview=""))
    assert "has nothing left to credit" in response.content.decode()


def test_lines_are_named_by_their_numbers(admin_client: Client, billed: Invoice) -> None:
    admin_client.post(page("credit", billed), asked(what="lines", line_numbers="2", credit=""))
    # The fee of 25.00 and its tax.
    assert billed.credit_notes.get().total_amount == Decimal(-30)
    response = admin_client.post(page("credit", billed), asked(what="lines", line_numbers="1-x", preview=""))
    assert "“1-x” is no line number. Write 1, 3-5." in response.content.decode()
    response = admin_client.post(page("credit", billed), asked(what="lines", line_numbers="1, 2", preview=""))
    assert "Of invoice INV-000001 was taken back before: line 2. Leave it out." in response.content.decode()
    response = admin_client.post(page("credit", billed), asked(what="lines", line_numbers="1-9999999", preview=""))
    assert "Name at most 100,000 lines." in response.content.decode()


def test_a_draft_is_posted_or_discarded_after_asking(admin_client: Client, billed: Invoice) -> None:
    admin_client.post(page("credit", billed), asked(stays_draft="on", credit=""))
    draft = billed.credit_notes.get()
    text = admin_client.get(page("change", draft)).content.decode()
    assert page("post", draft) in text
    assert "what it was to take back stands" in admin_client.get(page("discard", draft)).content.decode()
    admin_client.post(page("discard", draft))
    assert not billed.credit_notes.exists()
    draft = credit(billed, posts=False)
    assert f"{page('post', draft)}?usage=back" in admin_client.get(page("change", draft)).content.decode()
    assert "Posted documents get their numbers" in admin_client.get(page("post", draft)).content.decode()
    admin_client.post(f"{page('post', draft)}?usage=back")
    assert (billed.credit_notes.get().number, len(pending(billed.customer))) == ("CN-000001", 2)


def test_who_may_only_look_has_no_buttons(viewer_client: Client, billed: Invoice) -> None:
    assert page("credit", billed) not in viewer_client.get(page("change", billed)).content.decode()
    for name in ("credit", "post", "discard"):
        assert viewer_client.get(page(name, billed)).status_code == 403
        assert viewer_client.post(page(name, billed), asked(credit="")).status_code == 403
    assert not billed.credit_notes.exists()
    assert viewer_client.get(reverse("admin:invoicing_transaction_new_invoice")).status_code == 403


def test_who_may_not_change_usage_gives_none_back(viewer: User, viewer_client: Client, billed: Invoice) -> None:
    viewer.user_permissions.add(Permission.objects.get(codename="add_invoice"))
    viewer_client.post(page("credit", billed), asked(gives_usage_back="on", credit=""))
    assert (left(billed), pending(billed.customer)) == ("0.00 + 0.00 = 0.00", set())


def test_an_invoice_is_made_of_the_transactions_that_are_ticked(admin_client: Client) -> None:
    acme = CustomerFactory()
    fees = [TransactionFactory(customer=acme), TransactionFactory(customer=acme)]
    data = {"action": "new_invoice", "_selected_action": [fee.pk for fee in fees]}
    response = admin_client.post(reverse("admin:invoicing_transaction_changelist"), data, follow=True)
    address = response.redirect_chain[-1][0]
    assert "50 USD" in response.content.decode()
    response = admin_client.post(address, {"invoice_date": "2026-02-05"}, follow=True)
    made = Invoice.objects.get()
    # Twice 25.00 and 20 %.
    assert (made.total_amount, made.state, made.is_manual) == (Decimal(60), "DRAFT", True)
    assert f"Invoice draft {made.pk} is made of 2 transactions." in response.content.decode()
    assert not Transaction.objects.filter(invoice_line=None).exists()


def test_one_transaction_is_an_invoice_too_and_more_than_fit_are_not_left_out_in_silence(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.admin.manual_invoices.MOST_SELECTED", 1)
    acme = CustomerFactory()
    fees = [TransactionFactory(customer=acme), TransactionFactory(customer=acme)]
    data = {"action": "new_invoice", "_selected_action": [fee.pk for fee in fees]}
    response = admin_client.post(reverse("admin:invoicing_transaction_changelist"), data, follow=True)
    assert "Select at most 1 transactions for one invoice." in response.content.decode()
    address = f"{reverse('admin:invoicing_transaction_new_invoice')}?transactions={fees[0].pk}"
    response = admin_client.post(address, {"invoice_date": "2026-02-05"}, follow=True)
    assert f"Invoice draft {Invoice.objects.get().pk} is made of 1 transaction." in response.content.decode()


def test_transactions_of_several_customers_are_no_invoice(admin_client: Client) -> None:
    fees = [TransactionFactory(), TransactionFactory()]
    address = reverse("admin:invoicing_transaction_new_invoice")
    chosen = ",".join(str(fee.pk) for fee in fees)
    response = admin_client.get(f"{address}?transactions={chosen}", follow=True)
    assert "They are of several customers" in response.content.decode()
    assert "No transaction was selected." in admin_client.get(address, follow=True).content.decode()


def test_the_account_shows_its_balance_and_its_statement(admin_client: Client, billed: Invoice) -> None:
    note = credit(billed, lines=[2])
    address = reverse("admin:customers_accountsreceivable_change", args=[billed.accounts_receivable_id])
    text = admin_client.get(f"{address}?from_day=2026-02-01&to_day=2026-02-28").content.decode()
    # 48.00 less 30.00.
    assert "18.00 USD" in text
    assert "-30.00 USD" in text
    assert str(note) in text
    response = admin_client.get(f"{address}?from_day=2026-02-28&to_day=2026-02-01")
    assert "It is before the first day." in response.content.decode()
