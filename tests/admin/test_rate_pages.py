"""The pages of a rate: added with its tiers, looked at in words, ended, and followed by a new version."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from catalog.admin.price_words import price_in_words, terms_in_words
from catalog.engine.rates import Tier
from catalog.models import Rate
from catalog.operations.rates import add_rate
from tests import factories

pytestmark = pytest.mark.django_db

ADD = "admin:catalog_rate_add"
TERMS = {
    "destination_name": "UK mobile",
    "pricing_model": "perUnit",
    "unit_price": "0.12",
    "unit_size": "60",
    "connection_fee": "0.05",
    "minimum_quantity": "0",
    "first_increment": "30",
    "increment": "6",
    "minimum_charge": "",
    "maximum_charge": "",
    "included_quantity": "0",
    "counted_per": "customer",
    "rounding_digits": "",
    "rounding_mode": "halfUp",
}


def tier_rows(*rows: tuple[str, str], initial: int = 0) -> dict[str, str]:
    """The fields of the table of tiers, as a browser sends them."""
    fields = {"tiers-TOTAL_FORMS": str(len(rows)), "tiers-INITIAL_FORMS": str(initial)}
    for number, (above, price) in enumerate(rows):
        fields |= {f"tiers-{number}-from_quantity": above, f"tiers-{number}-unit_price": price}
    return fields


def asked(**values: str) -> dict[str, str]:
    """A whole form to add a rate, of a new card and a new product."""
    rule = {
        "rate_card": str(factories.RateCardFactory(name="Retail", currency__code="EUR").pk),
        "product": str(factories.ProductFactory(code="CALL").pk),
        "region": "",
        "destination_prefix": "4477",
        "time_band": "",
        "start_date": "2026-01-01",
        "end_date": "",
    }
    return {**rule, **TERMS, **tier_rows(), **values}


def graduated() -> Rate:
    """0.12 up to 100, 0.05 above, counted per service, from 2026 on."""
    return add_rate(
        rate_card_id=factories.RateCardFactory(name="Retail", currency__code="EUR").pk,
        product_id=factories.ProductFactory(code="CALL").pk,
        start_date=date(2026, 1, 1),
        destination_prefix="4477",
        terms={
            "pricing_model": "graduated",
            "unit_price": Decimal("0.12"),
            "counted_per": "service",
            "tiers": [Tier(Decimal(100), Decimal("0.05"))],
        },
    )


def tiers_of(rate: Rate) -> list[tuple[Decimal, Decimal]]:
    return list(rate.tiers.values_list("from_quantity", "unit_price"))


def test_form_adds_a_rate_with_every_term(admin_client: Client) -> None:
    response = admin_client.post(reverse(ADD), asked(unit_price="0.0000001453", rounding_digits="4"))
    assert response.status_code == 302, response.context["adminform"].form.errors
    rate = Rate.objects.get()
    assert (rate.destination_prefix, rate.destination_name) == ("4477", "UK mobile")
    assert (rate.unit_price, rate.unit_size) == (Decimal("0.0000001453"), Decimal(60))
    assert (rate.first_increment, rate.increment, rate.connection_fee) == (30, 6, Decimal("0.05"))
    assert (rate.rounding_digits, rate.minimum_charge, rate.end_date) == (4, None, None)
    assert LogEntry.objects.get().object_id == str(rate.pk)


def test_form_adds_a_rate_and_its_tiers_at_once(admin_client: Client) -> None:
    form = asked(pricing_model="graduated") | tier_rows(("1000", "0.01"), ("100", "0.05"), ("", ""))
    response = admin_client.post(reverse(ADD), form)
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert tiers_of(Rate.objects.get()) == [(Decimal(100), Decimal("0.05")), (Decimal(1000), Decimal("0.01"))]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (tier_rows(("100", "0.05")), "Only a graduated or a volume price has tiers"),
        ({"minimum_charge": "2", "maximum_charge": "1"}, "The maximum charge is below the minimum charge."),
        ({"unit_size": "0"}, "The unit size is not more than 0."),
        ({"end_date": "2025-12-31"}, "A rate does not end before the day that it starts on."),
        ({"destination_prefix": "+44"}, "A prefix has digits only, without + or spaces."),
        ({"pricing_model": "volume", **tier_rows(("0", "0.05"))}, "A tier starts above 0"),
    ],
    ids=str,
)
def test_form_says_why_a_price_is_refused(admin_client: Client, values: dict[str, str], sentence: str) -> None:
    response = admin_client.post(reverse(ADD), asked(**values))
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert not Rate.objects.exists()


def test_form_leads_to_the_rate_in_the_way(admin_client: Client) -> None:
    form = asked()
    admin_client.post(reverse(ADD), form)
    first = Rate.objects.get()
    page = admin_client.post(reverse(ADD), form | {"start_date": "2026-02-01"}).content.decode()
    assert f"Rate {first.pk} is for the same and holds in that time, from 2026-01-01 on: end it first" in page
    address = reverse("admin:catalog_rate_change", args=[first.pk])
    assert f'<a class="tb-link" href="{address}">See that rate</a>' in page


def test_saved_rate_is_shown_in_words_with_its_tiers(admin_client: Client) -> None:
    rate = graduated()
    page = admin_client.get(reverse("admin:catalog_rate_change", args=[rate.pk])).content.decode()
    for words in ("0.12 EUR, graduated", "<dt>Above 100</dt><dd>0.05 EUR</dd>", "service: each by itself"):
        assert words in page
    assert "tiers-TOTAL_FORMS" not in page
    assert 'name="unit_price"' not in page


def version_form(rate: Rate, client: Client) -> dict[str, Any]:
    """The form for a new version as the page fills it in, without a date."""
    context = client.get(reverse("admin:catalog_rate_new_version", args=[rate.pk])).context
    fields = {row.field.name: row.field.value() for row in context["rows"]}
    rows = [(row["from_quantity"].value() or "", row["unit_price"].value() or "") for row, _ in context["tier_rows"]]
    sent = {name: "" if value is None else value for name, value in fields.items()}
    return sent | tier_rows(*rows, initial=rate.tiers.count())


def test_new_version_is_asked_for_every_term_as_it_is_now(admin_client: Client) -> None:
    rate = graduated()
    form = version_form(rate, admin_client)
    assert set(TERMS) < set(form)
    assert (form["unit_price"], form["unit_size"], form["counted_per"]) == ("0.12", "1", "service")
    assert (form["tiers-0-from_quantity"], form["tiers-0-unit_price"]) == ("100", "0.05")
    page = admin_client.get(reverse("admin:catalog_rate_new_version", args=[rate.pk])).content.decode()
    for shown_now in ("Service: each by itself</td>", "above 100: 0.05", "<td>empty</td>"):
        assert shown_now in page


def add_version(client: Client, rate: Rate, **changes: str) -> Any:
    address = reverse("admin:catalog_rate_new_version", args=[rate.pk])
    return client.post(address, version_form(rate, client) | {"start_date": "2026-03-01"} | changes, follow=True)


def test_page_adds_a_version_with_what_was_changed(admin_client: Client) -> None:
    rate = graduated()
    response = add_version(admin_client, rate, unit_price="0.10", connection_fee="0.02")
    assert [str(message) for message in response.context["messages"]] == [
        "From 2026-03-01 on it costs graduated 0.1 EUR, above 100: 0.05, fee 0.02."
    ]
    rate.refresh_from_db()
    added = Rate.objects.exclude(pk=rate.pk).get()
    assert (rate.end_date, added.start_date) == (date(2026, 3, 1), date(2026, 3, 1))
    assert (added.unit_price, added.connection_fee, added.counted_per) == (Decimal("0.1"), Decimal("0.02"), "service")
    assert tiers_of(added) == tiers_of(rate)


def test_page_changes_tiers(admin_client: Client) -> None:
    rate = graduated()
    changes = {"tiers-0-unit_price": "0.04", "tiers-1-from_quantity": "1000", "tiers-1-unit_price": "0.01"}
    add_version(admin_client, rate, **changes)
    added = Rate.objects.exclude(pk=rate.pk).get()
    assert tiers_of(added) == [(Decimal(100), Decimal("0.04")), (Decimal(1000), Decimal("0.01"))]
    assert tiers_of(rate) == [(Decimal(100), Decimal("0.05"))]


def test_page_takes_tiers_away_with_the_model_that_has_them(admin_client: Client) -> None:
    rate = graduated()
    add_version(admin_client, rate, pricing_model="package")
    assert tiers_of(Rate.objects.exclude(pk=rate.pk).get()) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Nothing is changed yet: a new version has another price."),
        ({"unit_price": "1", "start_date": "2025-01-01"}, "a new one starts then, or later"),
        ({"start_date": "soon", "unit_price": "1"}, "Enter a valid date."),
        ({"unit_size": "0"}, "The unit size is not more than 0."),
        ({"tiers-1-from_quantity": "5"}, "A tier has both: where it starts, and its price."),
        ({"tiers-1-from_quantity": "100", "tiers-1-unit_price": "1"}, "Two tiers start at the same quantity."),
    ],
    ids=str,
)
def test_page_says_why_a_version_is_refused(admin_client: Client, changes: dict[str, str], sentence: str) -> None:
    response = add_version(admin_client, graduated(), **changes)
    assert sentence in response.content.decode()
    assert Rate.objects.get().end_date is None


def test_who_may_only_look_adds_no_version(viewer_client: Client) -> None:
    rate = graduated()
    address = reverse("admin:catalog_rate_new_version", args=[rate.pk])
    assert viewer_client.post(address, {"start_date": "2026-03-01", **TERMS}).status_code == 302
    assert Rate.objects.get() == rate


def test_prices_in_a_line() -> None:
    rate = Rate(unit_price=Decimal("0.120000"), unit_size=Decimal(60), increment=Decimal(60))
    assert price_in_words(rate, currency="EUR") == "0.12 EUR per 60, 60/60"
    rate.connection_fee, rate.first_increment, rate.minimum_quantity = Decimal("0.05"), Decimal(30), Decimal(10)
    assert price_in_words(rate, currency="EUR") == "0.12 EUR per 60, at least 10, 30/60, fee 0.05"
    limited = Rate(unit_price=Decimal(1), minimum_charge=Decimal("0.5"), maximum_charge=Decimal(3), first_increment=10)
    assert price_in_words(limited, currency="USD") == "1 USD, 10/exact, from 0.5, up to 3"
    block = Rate(unit_price=Decimal(2), unit_size=Decimal(1000), pricing_model="package", included_quantity=Decimal(5))
    assert price_in_words(block, currency="USD") == "package 2 USD per 1,000, 5 free"


def test_prices_term_by_term() -> None:
    rate = Rate(
        unit_price=Decimal("0.12"),
        unit_size=Decimal(60),
        first_increment=Decimal(30),
        increment=Decimal(6),
        minimum_charge=Decimal("0.01"),
        rounding_digits=4,
        rounding_mode="halfEven",
    )
    assert terms_in_words(rate, currency="EUR") == [
        ("Price", "0.12 EUR per 60, per unit"),
        ("Billed quantity", "the first 30 in one, then in steps of 6"),
        ("Connection fee", "none"),
        ("A use costs", "at least 0.01 EUR"),
        ("Free in a month", "nothing"),
        ("Counted per", "use: what was used before in the month makes no difference"),
        ("Rounding", "each use to 4 decimals, half to even"),
    ]
