"""Price lists in and out by the backend API."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import Product, Rate, RateCard, RateDeck
from customers.models import Customer
from customers.operations.api_keys import create_api_key
from tests import factories
from tests.api.caller import Caller, assert_error, parsed
from tests.usage.workbooks import workbook

BASE = "/backend/api/v1"
CSV = b"product,prefix,unit_price\nCALL,44,0.05\nCALL,45,0.000000000000000001\n"


@pytest.fixture
def card(db: None) -> RateCard:
    factories.ProductFactory(code="CALL")
    return factories.RateCardFactory()


def sent(caller: Caller, card: RateCard, body: bytes = CSV, query: str = "", **headers: str) -> Any:
    address = f"{BASE}/rateCards/{card.pk}/import?startsOn=2026-03-01{query}"
    return caller.send("POST", address, body, **{"content_type": "text/csv"} | headers)


def decide(caller: Caller, deck: Any, name: str, body: Any = None) -> Any:
    return caller.send("POST", f"{BASE}/rateDecks/{deck['id']}/{name}", body)


def test_a_price_list_is_sent_looked_at_and_activated(staff: Caller, card: RateCard) -> None:
    response = sent(staff, card)
    deck = parsed(response)
    assert (response.status_code, deck["state"], deck["startsOn"], deck["mode"]) == (
        201,
        "READY",
        "2026-03-01",
        "changes",
    )
    assert deck["lineCounts"] == {"NEW": 2, "CHANGED": 0, "SAME": 0, "CLOSED": 0, "REFUSED": 0}
    assert staff.ask(f"{BASE}/rateDecks/{deck['id']}") == deck
    page = staff.get(f"{BASE}/rateDecks/{deck['id']}/lines?outcome=NEW&limit=1")
    (line,) = parsed(page)
    assert (line["lineNumber"], line["destinationPrefix"], line["oldUnitPrice"]) == (2, "44", None)
    assert line["raw"] == ["CALL", "44", "0.05"]
    assert page.headers["X-Total-Count"] == "2"
    (last,) = staff.ask(f"{BASE}/rateDecks/{deck['id']}/lines?outcome=NEW&idAfter={line['id']}")
    assert f"{last['unitPrice']:f}" == "0.000000000000000001"
    assert not Rate.objects.exists()

    done = decide(staff, deck, "activate", {})
    assert (done.status_code, parsed(done)["state"]) == (200, "ACTIVATED")
    assert Rate.objects.count() == 2
    assert_error(decide(staff, deck, "discard"), 409, "conflict")


def test_decks_are_listed_page_by_page_of_one_card_or_state(
    staff: Caller, card: RateCard, django_assert_max_num_queries: Any
) -> None:
    first, second = (parsed(sent(staff, card)) for _ in range(2))
    decide(staff, first, "discard")
    other = parsed(sent(staff, factories.RateCardFactory(name="Other")))
    shown = staff.ask(f"{BASE}/rateDecks")
    assert [deck["id"] for deck in shown] == [first["id"], second["id"], other["id"]]
    # As the deck by itself, without the counts of its lines.
    assert shown[1] | {"lineCounts": second["lineCounts"]} == second
    page = staff.get(f"{BASE}/rateDecks?limit=1&idAfter={first['id']}")
    assert [deck["id"] for deck in parsed(page)] == [second["id"]]
    assert (page.headers["X-Total-Count"], f"idAfter={second['id']}" in page.headers["Link"]) == ("3", True)
    for query, ids in (
        ("rateCard=Other", [other["id"]]),
        ("state=DISCARDED", [first["id"]]),
        ("rateCard=None+such", []),
        ("createdSince=2999-01-01T00:00:00Z", []),
    ):
        assert [deck["id"] for deck in staff.ask(f"{BASE}/rateDecks?{query}")] == ids
    assert_error(staff.get(f"{BASE}/rateDecks?state=LOST"), 400, "invalid")
    # The key, its user and its rights; how many there are; the page.
    with django_assert_max_num_queries(8):
        staff.get(f"{BASE}/rateDecks")


def test_a_deck_that_an_example_speaks_against_is_activated_when_that_is_said(staff: Caller, card: RateCard) -> None:
    # 60 x 0.05 = 3, not 0.12.
    factories.RateExampleFactory(rate_card=card, product=Product.objects.get(), destination="44")
    deck = parsed(sent(staff, card))
    refused = decide(staff, deck, "activate", {})
    assert_error(refused, 409, "conflict")
    assert "is to cost 0.12 USD, and costs 3 USD." in parsed(refused)["detail"]
    assert parsed(decide(staff, deck, "activate", {"despiteObjections": True}))["state"] == "ACTIVATED"


def test_a_price_list_is_activated_at_once_or_not_taken(staff: Caller, card: RateCard) -> None:
    assert_error(sent(staff, card, CSV + b"CALL,x,1\n", "&activate=true"), 409, "conflict")
    assert not RateDeck.objects.exists()
    assert parsed(sent(staff, card, query="&activate=true"))["state"] == "ACTIVATED"
    assert Rate.objects.count() == 2


def test_refused_lines_are_listed_and_left_out_when_that_is_said(staff: Caller, card: RateCard) -> None:
    deck = parsed(sent(staff, card, CSV + b"CALL,x,1\n"))
    (line,) = staff.ask(f"{BASE}/rateDecks/{deck['id']}/lines?outcome=REFUSED")
    assert line["detail"].startswith("Line 4: destination_prefix “x”")
    assert_error(decide(staff, deck, "activate", {}), 409, "conflict")
    assert decide(staff, deck, "activate", {"withoutRefused": True}).status_code == 200


def test_a_stale_deck_is_compared_again(staff: Caller, card: RateCard) -> None:
    first, second = (parsed(sent(staff, card)) for _ in range(2))
    decide(staff, first, "activate", {})
    assert_error(decide(staff, second, "activate", {}), 409, "conflict")
    assert parsed(decide(staff, second, "compare"))["lineCounts"]["SAME"] == 2


def test_an_export_comes_back_the_same(staff: Caller, card: RateCard) -> None:
    sent(staff, card, query="&activate=true")
    response = staff.get(f"{BASE}/rateCards/{card.pk}/export?on=2026-03-01")
    assert response.headers["Content-Type"] == "text/csv"
    content = b"".join(response.streaming_content)
    assert parsed(sent(staff, card, content, "&mode=full"))["lineCounts"]["SAME"] == 2


def test_prices_are_raised_by_a_percent(staff: Caller, card: RateCard) -> None:
    sent(staff, card, query="&activate=true")
    body = {"percent": 10, "startsOn": "2026-04-01", "destinationPrefix": "44", "roundTo": 3}
    response = staff.send("POST", f"{BASE}/rateCards/{card.pk}/increase", body)
    deck = parsed(response)
    assert (response.status_code, deck["name"], deck["lineCounts"]["CHANGED"]) == (201, "+10 %", 1)
    (line,) = staff.ask(f"{BASE}/rateDecks/{deck['id']}/lines")
    # 0.05 x 1.1 = 0.055.
    assert (str(line["unitPrice"]), str(line["oldUnitPrice"])) == ("0.055", "0.05")
    none = staff.send("POST", f"{BASE}/rateCards/{card.pk}/increase", body | {"region": "EU"})
    assert_error(none, 422, "refused")


def test_a_workbook_and_a_form_are_taken(staff: Caller, staff_key: str, card: RateCard) -> None:
    rows = [line.split(",") for line in CSV.decode().splitlines()]
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert parsed(sent(staff, card, workbook(rows), content_type=kind))["lineCounts"]["NEW"] == 2
    form = {"file": SimpleUploadedFile("march.csv", CSV)}
    response = Client(headers={"Authorization": f"Bearer {staff_key}"}).post(
        f"{BASE}/rateCards/{card.pk}/import?startsOn=2026-03-01", form
    )
    assert parsed(response)["name"] == "march.csv"


def test_the_same_key_sends_a_price_list_once(staff: Caller, card: RateCard) -> None:
    first, second = (sent(staff, card, idempotency_key="K1") for _ in range(2))
    assert first.content == second.content
    assert RateDeck.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "query", "reason"),
    [
        (b"", "", "it is empty"),
        (b"a,b\n1,2\n", "", "there is no column “unit_price”"),
        (CSV, "&mapping=%7B%22price%22%3A%22x%22%7D", "the mapping names no field of a rate"),
    ],
)
def test_a_file_at_fault_is_a_422_that_says_why(
    staff: Caller, card: RateCard, body: bytes, query: str, reason: str
) -> None:
    response = sent(staff, card, body, query)
    assert_error(response, 422, "refused")
    assert reason in parsed(response)["detail"]


def test_a_bad_query_is_a_400_that_names_it(staff: Caller, card: RateCard) -> None:
    address = f"{BASE}/rateCards/{card.pk}/import"
    response = staff.send("POST", address, CSV, content_type="text/csv")
    assert_error(response, 400, "invalid", startsOn=["This field is required."])
    assert_error(sent(staff, card, query="&mapping=%5B%5D"), 400, "invalid")
    assert_error(sent(staff, card, query="&mode=all"), 400, "invalid")
    assert_error(sent(staff, card, content_type="application/json"), 415, "unsupported_media_type")
    assert_error(
        staff.send("POST", f"{BASE}/rateCards/99999/import?startsOn=2026-03-01", CSV, content_type="text/csv"),
        404,
        "not_found",
    )


def test_price_lists_are_the_staffs(caller_of: Any, customer: Customer, card: RateCard) -> None:
    caller = caller_of(customer)
    assert_error(sent(caller, card), 403, "staff_only")
    for path in (f"rateCards/{card.pk}/export", "rateDecks", "rateCards", "rates", "timeBands", "publicHolidays"):
        assert_error(caller.get(f"{BASE}/{path}"), 403, "staff_only")


def test_who_may_not_activate_does_not_activate_by_sending(card: RateCard) -> None:
    user = factories.UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename__in=["add_ratedeck", "view_ratedeck"]))
    caller = Caller(create_api_key(scopes=["read", "write"], user_id=user.pk)[1])
    assert_error(sent(caller, card, query="&activate=true"), 403, "permission_denied")
    deck = parsed(sent(caller, card))
    assert_error(decide(caller, deck, "activate", {}), 403, "permission_denied")
