"""Before a run in the admin: its checklist, a customer's preview, and who is on it."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import BillingRun
from billing.operations.runs import commence_run
from customers.models import Customer
from tests.factories import CustomerFactory, ProductFactory, RateExampleFactory
from tests.runs import AT, account, customer_at, new_run, rate_of, use

pytestmark = pytest.mark.django_db


def run_page(run: BillingRun, name: str, *arguments: int) -> str:
    return reverse(f"admin:billing_billingrun_{name}", args=[run.pk, *arguments])


def text_of(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


def messages_of(response: object) -> list[str]:
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


@pytest.fixture
def acme() -> Customer:
    """A customer with 5 units at 1 USD in January, so 5.00 net and 6.00 with its tax of 20 %."""
    customer, call = customer_at("1", account_number="A-1", name="Acme")
    use(customer, call, 5)
    return customer


@pytest.fixture
def run(acme: Customer) -> BillingRun:
    return new_run(name="January")


def test_each_warning_has_its_box_and_a_link(admin_client: Client, run: BillingRun, acme: Customer) -> None:
    use(acme, ProductFactory(), 5)
    page = text_of(admin_client.get(run_page(run, "commence")))
    assert page.count('name="confirmed"') == 1
    assert 'name="confirmed" value="unpriced_usage" required' in page
    assert f"/admin/usage/pendingusage/?customer__id__exact={acme.pk}" in page
    assert "Commence the run" in page


def test_only_with_every_warning_confirmed_it_is_commenced(
    admin_client: Client, run: BillingRun, acme: Customer
) -> None:
    use(acme, ProductFactory(), 5)
    response = admin_client.post(run_page(run, "commence"))
    assert messages_of(response) == ["January was not commenced: look at what it is checked for."]
    run.refresh_from_db()
    assert run.status == "pending"
    response = admin_client.post(run_page(run, "commence"), {"confirmed": ["unpriced_usage"]}, follow=True)
    assert messages_of(response) == ["January is commenced. Its invoices are being produced."]
    run.refresh_from_db()
    assert (run.status, run.confirmed_warnings) == ("commenced", ["unpriced_usage"])


def test_a_block_takes_the_button_away(admin_client: Client, run: BillingRun, acme: Customer) -> None:
    product = ProductFactory()
    call = acme.usage_data_records.get().product
    use(acme, product, 5)
    RateExampleFactory(rate_card=rate_of(call).rate_card, product=call, amount=Decimal(2))
    page = text_of(admin_client.get(run_page(run, "commence")))
    assert "Commence the run" not in page
    assert "Blocked" in page


def test_the_list_behind_a_check_shows_the_customers(admin_client: Client, run: BillingRun, acme: Customer) -> None:
    for number in ("A-2", "A-3"):
        customer = CustomerFactory(account_number=number, tax_rate=None)
        use(customer, acme.usage_data_records.get().product, 5)
    page = text_of(admin_client.get(run_page(run, "commence")))
    ids = ",".join(
        str(pk) for pk in Customer.objects.exclude(pk=acme.pk).order_by("account_number").values_list("pk", flat=True)
    )
    url = reverse("admin:customers_customer_changelist") + f"?id__in={ids.replace(',', '%2C')}"
    assert url in page
    shown = text_of(admin_client.get(url))
    assert ("A-2" in shown, "A-3" in shown, "A-1" in shown) == (True, True, False)


def test_a_commenced_run_is_not_asked_about_again(admin_client: Client, run: BillingRun) -> None:
    commence_run(run_id=run.pk, at=AT)
    response = admin_client.get(run_page(run, "commence"), follow=True)
    assert messages_of(response) == ["January is commenced: only a pending run can be commenced."]
    response = admin_client.post(run_page(run, "commence"), follow=True)
    assert messages_of(response) == [f"Run {run.pk} is commenced: only a pending run can be commenced."]


def test_a_customer_is_searched_for_and_answered(admin_client: Client, run: BillingRun, acme: Customer) -> None:
    CustomerFactory(account_number="A-10", name="Other")
    exactly = text_of(admin_client.get(run_page(run, "why_not"), {"q": "A-1"}))
    assert "It will be on the run when that is commenced." in exactly
    assert "A-10" not in exactly
    assert run_page(run, "preview_customer", acme.pk) in exactly
    both = text_of(admin_client.get(run_page(run, "why_not"), {"q": "A-"}))
    assert both.count("It will be on the run when that is commenced.") == 2
    assert "No customer has this account number" in text_of(admin_client.get(run_page(run, "why_not"), {"q": "Z"}))
    commence_run(run_id=run.pk, at=AT, without_preflight=True)
    after = text_of(admin_client.get(run_page(run, "why_not"), {"q": "acme"}))
    assert reverse("admin:billing_runaccount_change", args=[account(run, acme).pk]) in after


def test_of_many_customers_the_first_are_answered(admin_client: Client, run: BillingRun) -> None:
    for number in range(21):
        CustomerFactory(account_number=f"B-{number:02}")
    page = text_of(admin_client.get(run_page(run, "why_not"), {"q": "B-"}))
    assert ("B-19" in page, "B-20" in page, "The first 20." in page) == (True, False, True)


def test_the_preview_of_a_customer_shows_its_lines(admin_client: Client, run: BillingRun, acme: Customer) -> None:
    page = text_of(admin_client.get(run_page(run, "preview_customer", acme.pk)))
    for shown in ("Acme", "5.00 USD", "1.00 USD", "6.00 USD", "from 2026-01-01 to before 2026-02-01"):
        assert shown in page
    run.refresh_from_db()
    assert run.status == "pending"


def test_a_customer_that_is_not_on_the_run_has_no_preview(admin_client: Client, run: BillingRun) -> None:
    closed = CustomerFactory(account_number="A-9", status="CLOSED")
    response = admin_client.get(run_page(run, "preview_customer", closed.pk), follow=True)
    assert messages_of(response) == [
        "Customer A-9 would not be on the run. It is closed, and nothing of it waits to be billed."
    ]


def test_who_may_not_look_at_runs_sees_nothing_of_it(client: Client, run: BillingRun, acme: Customer) -> None:
    for page in (run_page(run, "why_not"), run_page(run, "preview_customer", acme.pk), run_page(run, "commence")):
        assert client.get(page)["Location"].startswith(reverse("admin:login"))


def test_who_may_only_look_cannot_commence(viewer_client: Client, run: BillingRun, acme: Customer) -> None:
    assert viewer_client.get(run_page(run, "commence")).status_code == 302
    assert viewer_client.get(run_page(run, "why_not")).status_code == 200
    assert viewer_client.get(run_page(run, "preview_customer", acme.pk)).status_code == 200
