"""The page that holds a run's invoices against those before."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.admin import comparison
from billing.models import BillingRun
from tests.runs import FEBRUARY, bill, customer_at, post, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> BillingRun:
    """That of February: Acme with 28.80 after 24.00, Bell with nothing after 120.00."""
    acme, call = customer_at("2", account_number="A", name="Acme")
    bell, ring = customer_at("1", account_number="=B", name="Bell")
    use(acme, call, 10)
    use(acme, call, 12, on="2026-02-10")
    use(bell, ring, 100)
    post(bill())
    return bill(**FEBRUARY)


def page(run: BillingRun) -> str:
    return reverse("admin:billing_billingrun_comparison", args=[run.pk])


def test_the_largest_difference_is_first_with_its_parts(admin_client: Client, run: BillingRun) -> None:
    response = admin_client.get(page(run))
    found: list[Any] = response.context["rows"]
    amounts = {one["row"].account_number: one["amounts"] for one in found}
    assert list(amounts) == ["=B", "A"]
    assert amounts["A"] == ["24.00 USD", "28.80 USD", "+4.80 USD", "+4.00 USD", "-", "-", "-", "+0.80 USD"]
    assert "-144.00 USD" not in response.content.decode()
    assert "-115.20 USD" in response.content.decode()


def test_pages_go_on(admin_client: Client, run: BillingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "SHOWN_ACCOUNTS", 1)
    first = admin_client.get(page(run))
    assert [one["row"].account_number for one in first.context["rows"]] == ["=B"]
    second = admin_client.get(page(run) + first.context["next"])
    assert [one["row"].account_number for one in second.context["rows"]] == ["A"]
    assert (second.context["next"], second.context["first"]) == ("", "?")


def test_the_file_has_every_account(admin_client: Client, run: BillingRun) -> None:
    response: Any = admin_client.get(page(run), {"format": "csv"})
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert rows[0][-8:] == ["last total", "total", "difference", "volume", "price", "mix", "one-off", "tax"]
    # A spreadsheet does not take the number for a formula.
    assert rows[1][0] == "'=B"
    assert rows[2] == [
        *("A", "Acme", "invoiced", "", "USD", "", "INV-000002"),
        *("24.00", "28.80", "4.80", "4.00", "0.00", "0.00", "0.00", "0.80"),
    ]


def test_who_may_not_see_runs_sees_no_comparison(client: Client, run: BillingRun, django_user_model: Any) -> None:
    client.force_login(django_user_model.objects.create_user("clerk", is_staff=True))
    assert client.get(page(run)).status_code == 403
