"""The page that checks a price list, and its examples."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import RateCard, RateExample
from tests.factories import ProductFactory, RateCardFactory, RateExampleFactory, RateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> RateCard:
    """The default card: 60 to 4477 cost 60 x 0.002 = 0.12; 4420 is free."""
    card = RateCardFactory(name="Retail", is_default=True)
    product = ProductFactory(code="CALL")
    RateFactory(rate_card=card, product=product, destination_prefix="44", unit_price=Decimal("0.001"))
    RateFactory(rate_card=card, product=product, destination_prefix="4477", unit_price=Decimal("0.002"))
    RateFactory(rate_card=card, product=product, destination_prefix="4420", unit_price=Decimal(0))
    RateExampleFactory(rate_card=card, product=product, amount=Decimal("0.12"))
    return card


def page(card: RateCard) -> str:
    return reverse("admin:catalog_rateexample_check", args=[card.pk])


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_findings_have_links_to_what_they_are_about(admin_client: Client, card: RateCard) -> None:
    free = card.rates.get(destination_prefix="4420")
    text = text_of(admin_client, page(card))
    assert "1 price is 0: uses of it cost nothing." in text
    assert f'href="/admin/catalog/rate/{free.pk}/change/">CALL to 4420 costs 0.</a>' in text
    assert "1 warning" in text
    assert "all examples are right" in text


def test_a_sound_card_says_so(admin_client: Client, card: RateCard) -> None:
    text = text_of(admin_client, f"{page(card)}?on=2019-12-31")
    assert "No price of Retail holds on 2019-12-31." in text
    card.examples.all().delete()
    card.rates.filter(destination_prefix="4420").update(end_date="2026-01-01")
    text = text_of(admin_client, f"{page(card)}?on=2026-02-01")
    assert "Nothing: no rule found anything" in text
    assert "This price list has no examples." in text


def test_a_day_that_is_none_is_said(admin_client: Client, card: RateCard) -> None:
    assert "Enter a valid date." in text_of(admin_client, f"{page(card)}?on=soon")
    assert "Give a year from 1970 to 2999." in text_of(admin_client, f"{page(card)}?on=9999-12-31")


def test_examples_are_shown_with_what_they_cost_now(admin_client: Client, card: RateCard) -> None:
    product = card.rates.all()[0].product
    # 60 x 0.001 = 0.06
    RateExampleFactory(rate_card=card, product=product, destination="44161", amount=Decimal("0.07"))
    RateExampleFactory(rate_card=card, product=product, destination="33", amount=Decimal("0.07"))
    text = text_of(admin_client, f"{page(card)}?on=2026-02-01")
    assert "2 of 3 examples are wrong" in text
    assert "60 of CALL to 44161 on Monday 2026-01-05 09:00 (UTC)" in text
    assert '>0.07 USD</td> <td class="tb-number tb-nowrap">0.06 USD</td>' in text
    assert '>0.07 USD</td> <td class="tb-number tb-nowrap">no price</td>' in text
    assert text.count("Accept 0.06 USD") == 1


def test_what_an_example_costs_now_is_taken_over(admin_client: Client, card: RateCard) -> None:
    example = card.examples.get()
    RateExample.objects.update(amount=Decimal("0.13"))
    response = admin_client.post(page(card), {"example": example.pk, "amount": "0.120000000000000000"}, follow=True)
    assert "is to cost 0.12 USD from now on." in response.content.decode()
    example.refresh_from_db()
    assert example.amount == Decimal("0.12")


@pytest.mark.parametrize("sent", [{}, {"example": "x", "amount": "1"}, {"example": "1", "amount": "NaN"}])
def test_what_is_no_example_and_amount_changes_nothing(
    admin_client: Client, card: RateCard, sent: dict[str, str]
) -> None:
    response = admin_client.post(page(card), sent, follow=True)
    assert "Nothing was changed" in response.content.decode()
    assert card.examples.get().amount == Decimal("0.12")


def test_an_example_of_another_card_is_not_taken_over(admin_client: Client, card: RateCard) -> None:
    other = RateExampleFactory()
    assert admin_client.post(page(card), {"example": other.pk, "amount": "1"}).status_code == 404


def test_who_may_only_look_takes_nothing_over(viewer_client: Client, card: RateCard) -> None:
    RateExample.objects.update(amount=Decimal("0.13"))
    text = text_of(viewer_client, page(card))
    assert "Accept" not in text
    assert "Add an example" not in text
    viewer_client.post(page(card), {"example": card.examples.get().pk, "amount": "0.12"})
    assert card.examples.get().amount == Decimal("0.13")


def test_who_may_not_see_rate_cards_does_not_see_the_check(client: Client, card: RateCard) -> None:
    from tests.factories import UserFactory

    client.force_login(UserFactory())
    assert client.get(page(card)).status_code == 403
    client.logout()
    assert client.get(page(card)).status_code == 302


def test_the_page_of_a_rate_card_leads_to_its_check(admin_client: Client, card: RateCard) -> None:
    text = text_of(admin_client, reverse("admin:catalog_ratecard_change", args=[card.pk]))
    assert f'<a href="{page(card)}">Check this price list</a>' in text


def sent_example(card: RateCard, **fields: str) -> dict[str, str]:
    return {
        "rate_card": str(card.pk),
        "product": str(card.rates.all()[0].product_id),
        "quantity": "60",
        "destination": "447700900123",
        "region": "",
        "starts_at": "2026-07-06T09:00:00",
        "timezone": "Europe/Berlin",
        "quantity_before": "0",
        "duration_seconds": "",
        "amount": "0.12",
    } | fields


def test_an_example_is_added_at_the_customers_local_time(admin_client: Client, card: RateCard) -> None:
    response = admin_client.post(reverse("admin:catalog_rateexample_add"), sent_example(card), follow=True)
    assert response.redirect_chain, response.context["errors"]
    added = card.examples.latest("id")
    # 09:00 in Berlin in summer.
    assert added.used_at == datetime(2026, 7, 6, 7, 0, tzinfo=UTC)
    form = admin_client.get(reverse("admin:catalog_rateexample_change", args=[added.pk])).content.decode()
    for value in ("2026-07-06T09:00:00", "60", "0", "0.12"):
        assert f'value="{value}"' in form


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"timezone": "Mars/Base"}, "Select a valid choice."),
        ({"starts_at": "0001-01-01T00:00:00"}, "Give a year from 1970 to 2999."),
        ({"quantity": "-1"}, "A use is of 0 or more."),
        ({"amount": ""}, "This field is required."),
    ],
)
def test_an_example_that_cannot_be_is_refused(
    admin_client: Client, card: RateCard, fields: dict[str, str], error: str
) -> None:
    response = admin_client.post(reverse("admin:catalog_rateexample_add"), sent_example(card, **fields))
    assert error in response.content.decode()
    assert card.examples.count() == 1


def test_many_examples_take_as_many_queries_as_one(admin_client: Client, card: RateCard) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    admin_client.get(page(card))
    with CaptureQueriesContext(connection) as for_one:
        admin_client.get(page(card))
    for _ in range(5):
        RateExampleFactory(rate_card=card, product=card.rates.all()[0].product, amount=1)
    with CaptureQueriesContext(connection) as for_many:
        admin_client.get(page(card))
    assert len(for_many) == len(for_one)
