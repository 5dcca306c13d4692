"""Price lists in the admin: who may do what, and what is said where something cannot be done."""

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog.choices import DeckState
from catalog.models import Product, Rate, RateCard, RateDeck
from tests import factories
from tests.catalog.decks import activate, prepare

pytestmark = pytest.mark.django_db

CSV = "product,prefix,unit_price\nCALL,44,0.05\n"


@pytest.fixture
def card() -> RateCard:
    factories.ProductFactory(code="CALL")
    return factories.RateCardFactory()


def page(name: str, row: RateCard | RateDeck) -> str:
    return reverse(f"admin:catalog_ratedeck_{name}", args=[row.pk])


def upload(client: Client, card: RateCard, content: str, **values: str) -> object:
    form = {"file": SimpleUploadedFile("prices.csv", content.encode()), "starts_on": "2030-01-01", "mode": "changes"}
    return client.post(page("import", card), form | values)


def said(response: object) -> list[str]:
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


def test_the_page_of_a_card_leads_to_import_increase_and_export(admin_client: Client, card: RateCard) -> None:
    content = admin_client.get(reverse("admin:catalog_ratecard_change", args=[card.pk])).content.decode()
    for name in ("import", "increase", "export"):
        assert page(name, card) in content


def test_an_upload_leads_to_its_deck(admin_client: Client, card: RateCard) -> None:
    response = upload(admin_client, card, CSV)
    deck = RateDeck.objects.get()
    assert response.url == page("change", deck)  # type: ignore[attr-defined]
    assert (deck.name, deck.rate_card, deck.state) == ("prices.csv", card, DeckState.READY)
    assert deck.created_by is not None


def test_an_upload_whose_columns_are_unknown_leads_to_the_question(admin_client: Client, card: RateCard) -> None:
    response = upload(admin_client, card, "a;b\n44;0,05\n")
    deck = RateDeck.objects.get()
    assert response.url == page("columns", deck)  # type: ignore[attr-defined]
    refused = admin_client.post(page("columns", deck), {"unit_price": "b"})
    assert "no column “product”" in refused.content.decode()
    assert page("activate", deck) not in admin_client.get(page("change", deck)).content.decode()
    product = Product.objects.get()
    admin_client.post(
        page("columns", deck), {"unit_price": "b", "destination_prefix": "a", "default_product": str(product.pk)}
    )
    assert [(line.outcome, line.destination_prefix) for line in deck.lines.all()] == [("NEW", "44")]


def test_a_file_at_fault_is_refused_beside_the_field(admin_client: Client, card: RateCard) -> None:
    response = upload(admin_client, card, "")
    assert "is empty" in response.content.decode()  # type: ignore[attr-defined]
    response = upload(admin_client, card, "product,unit_price\nCALL\n")
    assert "prices.csv: line 2: it has 1 column, the header 2." in response.content.decode()  # type: ignore[attr-defined]


def test_a_year_in_which_no_price_holds_is_refused_beside_the_field(admin_client: Client, card: RateCard) -> None:
    for year in ("0001", "9999"):
        said_there = "Give a year from 1970 to 2999."
        response = upload(admin_client, card, CSV, starts_on=f"{year}-12-31")
        assert said_there in response.content.decode()  # type: ignore[attr-defined]
        response = admin_client.post(page("increase", card), {"percent": "5", "starts_on": f"{year}-12-31"})
        assert said_there in response.content.decode()
    assert not RateDeck.objects.exists()


def test_refused_lines_are_left_out_only_when_the_question_said_how_many(admin_client: Client, card: RateCard) -> None:
    deck = prepare(card, CSV + "CALL,x,1\n")
    asked = admin_client.get(page("activate", deck))
    assert asked.url == f"{page('activate', deck)}?without=1"  # type: ignore[attr-defined]
    response = admin_client.post(page("activate", deck), follow=True)
    assert "1 line of the deck prices.csv is refused" in said(response)[0]
    admin_client.post(f"{page('activate', deck)}?without=1")
    assert Rate.objects.get().destination_prefix == "44"


def test_a_stale_deck_is_compared_again_and_shown(admin_client: Client, card: RateCard) -> None:
    first, second = prepare(card, CSV), prepare(card, CSV.replace("0.05", "0.06"))
    activate(first)
    response = admin_client.post(page("activate", second), follow=True)
    assert "It was compared again just now." in said(response)[0]
    assert second.lines.get().outcome == "REFUSED"


def test_a_decided_deck_says_so(admin_client: Client, card: RateCard) -> None:
    deck = prepare(card, CSV)
    activate(deck)
    for name in ("activate", "discard", "compare"):
        response = admin_client.post(page(name, deck), follow=True)
        assert said(response) == ["The deck prices.csv is activated: nothing is left to decide."]


def test_the_lines_of_each_outcome_are_shown_page_by_page(admin_client: Client, card: RateCard) -> None:
    deck = prepare(card, "product,prefix,unit_price\n" + "".join(f"CALL,{n},1\n" for n in range(100, 220)))
    address = f"{page('change', deck)}?outcome=NEW"
    first = admin_client.get(address)
    assert [shown.line.destination_prefix for shown in first.context["lines"]] == [str(n) for n in range(100, 150)]
    links = dict(first.context["page_links"])
    assert links["Previous"] is None
    second = admin_client.get(links["Next"])
    assert next(shown.line.destination_prefix for shown in second.context["lines"]) == "150"
    last = admin_client.get(links["Last"])
    assert [shown.line.destination_prefix for shown in last.context["lines"]][-1] == "219"
    before = admin_client.get(dict(last.context["page_links"])["Previous"])
    assert [shown.line.destination_prefix for shown in before.context["lines"]][-1] == "169"
    for odd in ("after=x", "after=99999999999999999999999", "before=0", "outcome=LOST"):
        assert admin_client.get(f"{page('change', deck)}?{odd}").status_code == 200


def test_terms_that_change_are_shown_as_they_are_and_were(admin_client: Client, card: RateCard) -> None:
    header = "product,prefix,pricing_model,unit_price,tiers,increments,connection_fee\n"
    old = "CALL,44,,0.05,,60/6,0.1\nCALL,45,graduated,2,10:1.5,,\nCALL,46,,1,,60/60,\nCALL,47,,1,,,\n"
    activate(prepare(card, header + old), despite_objections=True)
    new = "CALL,44,,0.05,,60/60,\nCALL,45,graduated,2,10:1.25,,\nCALL,46,,2,,60/60,\nCALL,47,,1,,1/1,\n"
    deck = prepare(card, header + new, starts_on=date(2026, 4, 1))
    lines = admin_client.get(f"{page('change', deck)}?outcome=CHANGED").context["lines"]
    assert [(shown.percent, shown.terms, shown.old_terms) for shown in lines] == [
        ("+0.00 %", "60/60", "fee 0.1, 60/6"),
        (
            "+0.00 %",
            "graduated, above 10 1.25, counted per customer",
            "graduated, above 10 1.5, counted per customer",
        ),
        ("+100.00 %", "60/60", ""),
        ("+0.00 %", "1/1", "none"),
    ]


def test_an_export_is_a_file_of_todays_prices(admin_client: Client, card: RateCard) -> None:
    factories.RateFactory(rate_card=card, destination_prefix="44")
    response = admin_client.get(page("export", card))
    assert len(b"".join(response.streaming_content).splitlines()) == 2  # type: ignore[attr-defined]
    assert "attachment" in response.headers["Content-Disposition"]


def test_an_increase_that_selects_nothing_says_so(admin_client: Client, card: RateCard) -> None:
    response = admin_client.post(page("increase", card), {"percent": "5", "starts_on": "2030-01-01"})
    assert "No price of the card that holds on 2030-01-01" in response.content.decode()
    factories.RateFactory(rate_card=card)
    admin_client.post(page("increase", card), {"percent": "5", "starts_on": "2030-01-01"})
    assert RateDeck.objects.get().name == "+5 %"


def test_who_may_only_look_decides_nothing(viewer_client: Client, viewer: User, card: RateCard) -> None:
    deck = prepare(card, CSV)
    assert viewer_client.get(page("change", deck)).status_code == 200
    for name in ("activate", "discard", "compare", "columns"):
        assert viewer_client.post(page(name, deck)).status_code == 403
    for name in ("import", "increase"):
        assert viewer_client.post(page(name, card)).status_code == 403
    deck.refresh_from_db()
    assert deck.state == DeckState.READY
