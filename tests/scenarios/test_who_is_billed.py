"""Which customers a run takes, and what their documents say beside amounts."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import BillingRun
from billing.operations.errors import RunRefused
from billing.operations.runs import commence_run
from billing.operations.verification import verify_run
from customers.models import Customer
from tests.factories import (
    BillingCycleFactory,
    CustomerBillingFactory,
    CustomerFactory,
    InvoiceFactory,
    InvoiceMessageFactory,
    TransactionFactory,
)
from tests.runs import AT, bill, customer_at, invoice, new_run, post, rate_of, totals, use

pytestmark = pytest.mark.django_db


def taken_by(run: BillingRun) -> list[str]:
    return list(run.accounts.order_by("id").values_list("customer__account_number", flat=True))


def on_cycle(account_number: str, subrun: str, months: int = 1) -> Customer:
    customer: Customer = CustomerFactory(account_number=account_number)
    CustomerBillingFactory(customer=customer, billing_cycle=BillingCycleFactory(subrun=subrun, months=months))
    return customer


def test_a_run_takes_the_customers_whose_cycle_is_of_its_subrun() -> None:
    CustomerFactory(account_number="NO-CYCLE")
    CustomerBillingFactory(customer=CustomerFactory(account_number="NO-CYCLE-2"), billing_cycle=None)
    on_cycle("PLAIN", "")
    on_cycle("EVEN", "even")
    on_cycle("ODD", "odd")
    assert taken_by(bill(subrun="odd")) == ["ODD"]
    assert taken_by(bill()) == ["NO-CYCLE", "NO-CYCLE-2", "PLAIN"]


def test_a_customer_billed_by_the_quarter_is_taken_when_the_quarter_is_over() -> None:
    for account_number, until in (("BILLED-TO-DECEMBER", date(2025, 12, 1)), ("BILLED-TO-NOVEMBER", date(2025, 11, 1))):
        customer = on_cycle(account_number, "", months=3)
        InvoiceFactory(customer=customer, period_start=date(2025, 1, 1), period_end=until)
    on_cycle("NEVER-BILLED", "", months=3)
    run = bill()
    # Three months after 1 November is 1 February, after 1 December 1 March.
    assert taken_by(run) == ["BILLED-TO-NOVEMBER", "NEVER-BILLED"]
    assert set(run.accounts.values_list("period_start", flat=True)) == {date(2025, 11, 1)}


def test_a_closed_customer_is_taken_only_with_something_to_bill() -> None:
    acme, call = customer_at("1", account_number="CLOSED-WITH-USAGE", status="CLOSED")
    use(acme, call, 5)
    CustomerFactory(account_number="CLOSED", status="CLOSED")
    TransactionFactory(customer=CustomerFactory(account_number="CLOSED-WITH-FEE", status="CLOSED"))
    later = CustomerFactory(account_number="CLOSED-USED-LATER", status="CLOSED")
    use(later, call, 5, on="2026-02-01")
    CustomerFactory(account_number="SUSPENDED", status="SUSPENDED")
    run = bill()
    assert taken_by(run) == ["CLOSED-WITH-FEE", "CLOSED-WITH-USAGE", "SUSPENDED"]
    assert totals(invoice(run, acme)) == "5.00 + 1.00 = 6.00 USD"


def test_a_run_that_takes_nobody_is_refused() -> None:
    on_cycle("EVEN", "even")
    run = new_run(subrun="odd")
    with pytest.raises(RunRefused, match=r"has no customers: none is active, or none is on a cycle of its subrun\.$"):
        commence_run(run_id=run.id, at=AT, without_preflight=True)
    run.refresh_from_db()
    assert (run.status, run.snapshot) == ("pending", "")


def test_the_message_of_the_run_goes_before_the_customers_own() -> None:
    greeting, season = InvoiceMessageFactory(text="Thank you."), InvoiceMessageFactory(text="Happy New Year.")
    acme, call = customer_at("1", account_number="A-WITH")
    bell = CustomerFactory(account_number="B-WITHOUT", rate_cards=[rate_of(call).rate_card])
    CustomerBillingFactory(customer=acme, billing_cycle=None, invoice_message=greeting)
    said = []
    for message in (None, season):
        for customer in (acme, bell):
            use(customer, call, 5)
        run = bill(invoice_message_id=message.id if message else None)
        said.append([invoice(run, customer).message for customer in (acme, bell)])
    assert said == [["Thank you.", ""], ["Happy New Year.", "Happy New Year."]]


def test_a_document_says_whom_it_is_for_and_when_it_is_due() -> None:
    acme, call = customer_at("1", name="Acme Ltd", address="1 High Street\nTown", vat_number="GB123")
    use(acme, call, 5)
    run = bill(due_date=date(2026, 2, 14))
    document = invoice(run, acme)
    assert (document.customer_name, document.customer_address, document.customer_vat_number) == (
        "Acme Ltd",
        "1 High Street\nTown",
        "GB123",
    )
    assert (document.invoice_date, document.due_date) == (date(2026, 2, 1), date(2026, 2, 14))
    assert (document.period_start, document.period_end) == (date(2026, 1, 1), date(2026, 2, 1))
    assert document.accounts_receivable == acme.accounts_receivable
    # Posted, it keeps saying so.
    post(run)
    Customer.objects.update(name="Acme Holding", minimum_invoice_amount=Decimal(9))
    document.refresh_from_db()
    assert document.customer_name == "Acme Ltd"


@pytest.mark.parametrize(("due_date", "due"), [(None, "2026-02-15"), (date(2026, 3, 3), "2026-03-03")])
def test_an_invoice_is_due_by_the_run_else_by_the_customers_terms(due_date: date | None, due: str) -> None:
    acme, call = customer_at("1", payment_terms_days=14)
    use(acme, call, 5)
    # Dated 1 February, 14 days later.
    run = bill(due_date=due_date)
    document = invoice(run, acme)
    assert (str(document.invoice_date), str(document.due_date)) == ("2026-02-01", due)
    post(run)
    assert verify_run(run_id=run.pk).is_identical
