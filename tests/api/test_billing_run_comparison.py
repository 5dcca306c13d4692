"""`billingRuns/ID/comparison`: what differs from the invoices before."""

from decimal import Decimal

import pytest

from billing.models import BillingRun
from customers.models import Customer
from tests.api.caller import Caller, assert_error
from tests.factories import CustomerFactory, ProductFactory
from tests.runs import FEBRUARY, account, bill, customer_at, invoice, post, use

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/billingRuns"


@pytest.fixture
def acme() -> Customer:
    """10 at 2.00 in January, 12 in February."""
    customer, call = customer_at("2", account_number="A", name="Acme")
    use(customer, call, 10)
    use(customer, call, 12, on="2026-02-10")
    return customer


@pytest.fixture
def run(acme: Customer) -> BillingRun:
    """That of February; Bell has used 100 in January and nothing since, Cole is new."""
    bell, ring = customer_at("1", account_number="B", name="Bell")
    use(bell, ring, 100)
    post(bill())
    cole, data = customer_at("3", account_number="C", name="Cole", currency="EUR")
    use(cole, data, 1, on="2026-02-10")
    return bill(**FEBRUARY)


def test_each_account_is_shown_beside_its_last_invoice(staff: Caller, run: BillingRun, acme: Customer) -> None:
    rows = staff.ask(f"{PATH}/{run.pk}/comparison")
    # With 20 % tax: 0 after 120, 28.80 after 24, 3.60 after nothing.
    assert [(row["accountNumber"], row["difference"]) for row in rows] == [
        ("B", Decimal("-120.00")),
        ("A", Decimal("4.80")),
        ("C", Decimal("3.60")),
    ]
    assert rows[1] == {
        "id": str(account(run, acme).pk),
        "customerID": str(acme.pk),
        "accountNumber": "A",
        "customerName": "Acme",
        "outcome": "invoiced",
        "heldFor": "",
        "currency": "USD",
        "invoiceID": str(invoice(run, acme).pk),
        "invoiceNumber": "",
        "previousInvoiceID": str(acme.invoices.order_by("id")[0].pk),
        "previousInvoiceNumber": "INV-000001",
        "amount": Decimal("28.80"),
        "previousAmount": Decimal("24.00"),
        "difference": Decimal("4.80"),
        "volume": Decimal("4.00"),
        "price": Decimal("0.00"),
        "mix": Decimal("0.00"),
        "oneOff": Decimal("0.00"),
        "tax": Decimal("0.80"),
    }


def test_pages_go_on_behind_an_account_and_are_counted(staff: Caller, run: BillingRun) -> None:
    seen, address = [], f"{PATH}/{run.pk}/comparison?limit=1"
    while address:
        response = staff.get(address)
        assert response.headers["X-Total-Count"] == "3"
        seen += [row["accountNumber"] for row in response.json()]
        link = response.headers.get("Link", "")
        address = link[1:].split(">")[0].removeprefix("http://testserver") if link else ""
    assert seen == ["B", "A", "C"]
    assert [row["accountNumber"] for row in staff.ask(f"{PATH}/{run.pk}/comparison?currency=EUR")] == ["C"]


def test_a_run_that_is_pending_has_nothing_to_compare(staff: Caller, run: BillingRun) -> None:
    CustomerFactory()
    ProductFactory()
    pending = BillingRun.objects.create(
        name="Later", invoice_date=run.invoice_date, cutoff_date=run.cutoff_date, due_date=run.due_date
    )
    assert staff.ask(f"{PATH}/{pending.pk}/comparison") == []
    assert_error(staff.get(f"{PATH}/999/comparison"), 404, "not_found")
