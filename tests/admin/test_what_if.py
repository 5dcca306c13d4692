"""The pages that rate charged usage again: what if, price differences, and a draft produced again."""

import csv
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from catalog.operations.rates import add_rate_version
from customers.models import Customer
from invoicing.models import PriceCorrection, Transaction, UsageCharge
from tests.factories import CustomerFactory, ProductFactory, RateCardFactory, RateFactory, UserFactory
from tests.runs import account, bill, customer_at, invoice, lines, post, rate_of, use

pytestmark = pytest.mark.django_db(transaction=True)

JANUARY = {"from_day": "2026-01-01", "to_day": "2026-01-31"}


@pytest.fixture
def billed() -> list[Customer]:
    """=Acme with 100 and Bell with 50 units at 0.10, posted."""
    acme, call = customer_at("0.10", account_number="ACME", name="=Acme")
    card = rate_of(call).rate_card
    bell = CustomerFactory(account_number="BELL", name="Bell", rate_cards=[card])
    use(acme, call, 100, number="R1")
    use(bell, call, 50, number="R2")
    post(bill())
    return [acme, bell]


@pytest.fixture
def cheaper(billed: list[Customer]) -> int:
    """A card at 0.07."""
    card = RateCardFactory(name="Cheaper")
    RateFactory(rate_card=card, product=UsageCharge.objects.earliest("id").record.product, unit_price=Decimal("0.07"))
    return int(card.pk)


def page(client: Client, name: str, **asked: Any) -> Any:
    return client.get(reverse(name), asked)


@pytest.mark.parametrize("name", ["what-if", "price-differences"])
def test_the_pages_open_with_the_last_month_and_are_in_the_navigation(admin_client: Client, name: str) -> None:
    response = page(admin_client, name)
    assert (response.status_code, response.context["found"]) == (200, None)
    assert response.context["form"]["from_day"].value().endswith("-01")
    assert reverse(name) in admin_client.get(reverse("admin:index")).content.decode()
    card = RateCardFactory()
    text = admin_client.get(reverse("admin:catalog_ratecard_change", args=[card.pk])).content.decode()
    assert f"{reverse(name)}?" in text


def test_it_says_what_it_would_have_come_to(admin_client: Client, cheaper: int) -> None:
    response = page(admin_client, "what-if", **JANUARY, card=cheaper)
    # 150 x 0.10 = 15; 150 x 0.07 = 10.50.
    text = response.content.decode()
    assert all(words in text for words in ("15.00 USD", "10.50 USD", "-4.50 USD", "2 less", "Would pay less"))
    assert [row.account_number for row in response.context["found"].pays_less] == ["ACME", "BELL"]


def test_all_customers_can_be_downloaded(admin_client: Client, cheaper: int) -> None:
    shown = page(admin_client, "what-if", **JANUARY, card=cheaper)
    streamed: Any = admin_client.get(reverse("what-if") + shown.context["csv"])
    assert streamed["Content-Type"] == "text/csv"
    rows = list(csv.reader(b"".join(streamed.streaming_content).decode().splitlines()))
    assert rows[0] == ["account_number", "name", "records", "currency", "now", "then", "difference"]
    assert [[*row[:4], *(Decimal(number) for number in row[4:])] for row in rows[1:]] == [
        ["BELL", "Bell", "1", "USD", 5, Decimal("3.5"), Decimal("-1.5")],
        # A spreadsheet would take the name for a formula.
        ["ACME", "'=Acme", "1", "USD", 10, 7, -3],
    ]


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({"to_day": "2025-12-31"}, "to_day", "The last day is before the first."),
        ({"to_day": "2027-01-02"}, "to_day", "That is 367 days: ask for 366 at most."),
        ({"from_day": "0001-01-01"}, "from_day", "Give a year from 1900 to 8999."),
        ({"to_day": "9999-12-31"}, "to_day", "Give a year from 1900 to 8999."),
        ({"card": ""}, "card", "This field is required."),
        ({"card": "7777777"}, "card", "Select a valid choice. That choice is not one of the available choices."),
        ({"replaced_card": "own"}, "replaced_card", "Cheaper would take its own place: choose two rate cards."),
    ],
)
@pytest.mark.parametrize("shape", ["html", "csv"])
def test_what_is_wrong_is_said_at_its_field(
    admin_client: Client, cheaper: int, asked: dict[str, str], field: str, message: str, shape: str
) -> None:
    given = {name: cheaper if value == "own" else value for name, value in asked.items()}
    response = page(admin_client, "what-if", **(JANUARY | {"card": cheaper, "format": shape} | given))
    assert message in response.context["form"].errors[field]


def differences(client: Client, **posted: Any) -> Any:
    address = f"{reverse('price-differences')}?from_day=2026-01-01&to_day=2026-01-31"
    return client.post(address, posted, follow=True) if posted else client.get(address)


@pytest.fixture
def corrected(billed: list[Customer]) -> list[Customer]:
    """It should have been 0.08."""
    product = UsageCharge.objects.earliest("id").record.product
    add_rate_version(rate_id=rate_of(product).pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.08")})
    return billed


def test_differences_are_shown_and_drafted_for_those_ticked(admin_client: Client, corrected: list[Customer]) -> None:
    _, bell = corrected
    found = differences(admin_client).context["found"]
    assert [(one.account_number, one.difference) for one in found.customers] == [("ACME", -2), ("BELL", -1)]
    response = differences(admin_client, customer_id=[bell.pk], reason="typing error")
    assert "2 transactions for 1 customer wait for the next invoice." in response.content.decode()
    # Bell: 50 x 0.10 = 5 back, 50 x 0.08 = 4 anew.
    written = Transaction.objects.order_by("id")
    assert [(one.customer, one.kind, one.amount) for one in written] == [
        (bell, "CORRECTION", -5),
        (bell, "CORRECTION", 4),
    ]
    assert written[0].description.endswith("credit (typing error)")
    assert PriceCorrection.objects.filter(created_by__is_superuser=True).count() == 1
    assert [one.account_number for one in response.context["found"].customers] == ["ACME"]


def test_nothing_ticked_is_said(admin_client: Client, corrected: list[Customer]) -> None:
    assert "Tick the customers to be corrected." in differences(admin_client, reason="x").content.decode()
    assert not Transaction.objects.exists()


def test_a_customer_without_differences_cannot_be_ticked(admin_client: Client, corrected: list[Customer]) -> None:
    differences(admin_client, customer_id=[CustomerFactory().pk])
    assert not Transaction.objects.exists()


def test_no_differences_is_said(admin_client: Client, billed: list[Customer]) -> None:
    assert "No differences" in differences(admin_client).content.decode()


def test_usage_without_a_price_cannot_be_corrected(admin_client: Client, billed: list[Customer]) -> None:
    rate = rate_of(UsageCharge.objects.earliest("id").record.product)
    rate.end_date = date(2026, 1, 1)
    rate.save()
    assert "2 of them have no price any more" in differences(admin_client).content.decode()
    response = differences(admin_client, customer_id=[billed[0].pk])
    assert "Nothing was drafted: 1 record has no price now" in response.content.decode()


def test_a_correction_does_not_change_in_the_admin(admin_client: Client, corrected: list[Customer]) -> None:
    differences(admin_client, customer_id=[corrected[0].pk])
    first = Transaction.objects.order_by("id").first()
    assert first is not None
    address = reverse("admin:invoicing_transaction_change", args=[first.pk])
    assert admin_client.get(address).context["has_change_permission"] is False


def test_who_may_see_and_who_may_draft(client: Client, corrected: list[Customer], cheaper: int) -> None:
    user: User = UserFactory()
    client.force_login(user)
    assert page(client, "what-if").status_code == 403
    assert page(client, "price-differences").status_code == 403
    seen = ["view_rate", "view_customer", "view_usagecharge"]
    user.user_permissions.set(Permission.objects.filter(codename__in=seen))
    assert page(client, "what-if", **JANUARY, card=cheaper).status_code == 200
    assert "Draft credit and charge" not in differences(client).content.decode()
    assert differences(client, customer_id=[corrected[0].pk]).status_code == 403
    assert not Transaction.objects.exists()


def test_a_draft_is_produced_again_with_todays_prices(admin_client: Client, viewer_client: Client) -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    run = bill()
    add_rate_version(rate_id=rate_of(call).pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.08")})
    found = account(run, acme)
    shown = reverse("admin:billing_runaccount_change", args=[found.pk])
    button = reverse("admin:billing_runaccount_todays_prices", args=[found.pk])
    assert button in admin_client.get(shown).content.decode()
    assert "Produce again with today&#x27;s prices?" in admin_client.get(button).content.decode()
    assert button not in viewer_client.get(shown).content.decode()
    assert viewer_client.post(button).status_code == 403
    response = admin_client.post(button, follow=True)
    assert "is produced again with today&#x27;s prices: invoiced." in response.content.decode()
    assert lines(invoice(run, acme)) == ["100 x 0.08 = 8 -> 8.00"]
    post(run)
    assert button not in admin_client.get(shown).content.decode()
    assert "they do not change" in admin_client.post(button, follow=True).content.decode()


def test_a_product_of_no_charge_is_in_no_table(admin_client: Client, cheaper: int) -> None:
    ProductFactory(name="Never used")
    assert "Never used" not in page(admin_client, "what-if", **JANUARY, card=cheaper).content.decode()
