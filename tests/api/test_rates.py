"""`rates` of the backend API: made with all their terms, and changed by versions only."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Rate
from customers.models import Customer
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import (
    ProductFactory,
    RateCardFactory,
    RateFactory,
    RateTierFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
)

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/rates"
CALLS = {"rateCard": "Retail", "product": "CALL", "unitPrice": 0.12, "startDate": "2026-01-01"}
KEPT = "A rate keeps its price: send startDate, the first day of a version with another one."


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    RateCardFactory(name="Retail")
    ProductFactory(code="CALL")


def made(staff: Caller, **members: Any) -> Any:
    response = staff.send("POST", PATH, CALLS | members)
    assert response.status_code == 201, response.content
    return parsed(response)


def test_a_rate_is_made_and_shown_with_every_member(staff: Caller) -> None:
    TimeBandHoursFactory(time_band__name="Peak")
    members = {
        "region": "EU",
        "destinationPrefix": "4477",
        "destinationName": "UK mobile",
        "timeBand": "Peak",
        "pricingModel": "perUnit",
        "unitSize": 60,
        "connectionFee": Decimal("0.05"),
        "minimumQuantity": 10,
        "firstIncrement": 30,
        "increment": 6,
        "minimumCharge": Decimal("0.01"),
        "maximumCharge": 3,
        "includedQuantity": 0,
        "countedPer": "service",
        "tiers": [],
        "roundingDigits": 4,
        "roundingMode": "halfEven",
        "endDate": "2027-01-01",
    }
    sent = {name: float(value) if isinstance(value, Decimal) else value for name, value in members.items()}
    shown = made(staff, **sent)
    rate = Rate.objects.get()
    assert shown == CALLS | members | {
        "id": str(rate.id),
        "unitPrice": Decimal("0.12"),
        "createdDate": rate.created_at.isoformat().replace("+00:00", "Z"),
        "updatedDate": rate.updated_at.isoformat().replace("+00:00", "Z"),
    }
    assert staff.ask(f"{PATH}/{rate.id}") == shown
    assert staff.ask(PATH) == [shown]


def test_what_may_be_left_out_is_a_plain_price_per_unit(staff: Caller) -> None:
    shown = made(staff)
    assert {name: shown[name] for name in ("region", "destinationPrefix", "timeBand", "pricingModel", "tiers")} == {
        "region": "",
        "destinationPrefix": "",
        "timeBand": None,
        "pricingModel": "perUnit",
        "tiers": [],
    }
    assert (shown["unitSize"], shown["connectionFee"], shown["increment"], shown["endDate"]) == (1, 0, None, None)


def test_prices_are_exact_to_the_last_digit(staff: Caller) -> None:
    body = b'{"rateCard":"Retail","product":"CALL","startDate":"2026-01-01","unitPrice":0.000000145300000001}'
    response = staff.send("POST", PATH, body)
    assert b'"unitPrice":0.000000145300000001,' in response.content


def test_tiers_are_made_with_the_rate_in_the_order_of_their_quantities(staff: Caller) -> None:
    tiers = [{"fromQuantity": 1000, "unitPrice": 0.01}, {"fromQuantity": 100, "unitPrice": 0.05}]
    shown = made(staff, pricingModel="graduated", tiers=tiers)
    assert [(tier["fromQuantity"], tier["unitPrice"]) for tier in shown["tiers"]] == [
        (100, Decimal("0.05")),
        (1000, Decimal("0.01")),
    ]


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"rateCard": "Nope"}, {"rateCard": ["There is none named Nope."]}),
        ({"product": "Nope"}, {"product": ["There is none named Nope."]}),
        ({"timeBand": "Nope"}, {"timeBand": ["There is none named Nope."]}),
        ({"destinationPrefix": "+44"}, {"destinationPrefix": ["A prefix has digits only, without + or spaces."]}),
        ({"unitPrice": "0.12"}, {"unitPrice": ["It is not a number."]}),
        ({"unitPrice": True}, {"unitPrice": ["It is not a number."]}),
        ({"unitPrice": None}, {"unitPrice": ["This field may not be null."]}),
        ({"pricingModel": "gift"}, {"pricingModel": ['"gift" is not a valid choice.']}),
        ({"startDate": "2026-02-30"}, None),
        ({"endDate": "2025-12-31"}, {"endDate": ["A rate does not end before the day that it starts on."]}),
        ({"tiers": [{"fromQuantity": 1}]}, {"tiers.0.unitPrice": ["This field is required."]}),
        ({"tiers": [{"fromQuantity": 1, "unitPrice": 1, "x": 1}]}, {"tiers.0.x": ["There is no such member."]}),
        ({"colour": "red"}, {"colour": ["There is no such member."]}),
    ],
    ids=str,
)
def test_a_bad_member_is_named(staff: Caller, change: dict[str, Any], errors: dict[str, list[str]] | None) -> None:
    assert_error(staff.send("POST", PATH, CALLS | change), 400, "invalid", **(errors or {}))
    assert not Rate.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"unitSize": 0}, "The unit size is not more than 0."),
        ({"connectionFee": -1}, "The connection fee is less than 0."),
        ({"increment": 0}, "The increment is not more than 0."),
        ({"minimumCharge": 2, "maximumCharge": 1}, "The maximum charge is below the minimum charge."),
        (
            {"includedQuantity": 5, "maximumCharge": 1},
            "A minimum or maximum charge of a single use goes with a price per unit without an included quantity only.",
        ),
        (
            {"tiers": [{"fromQuantity": 1, "unitPrice": 1}]},
            "Only a graduated or a volume price has tiers: take them away, or choose such a price.",
        ),
        (
            {"pricingModel": "volume", "tiers": [{"fromQuantity": 0, "unitPrice": 1}]},
            "A tier starts above 0: up to the first one the rate's own price holds.",
        ),
        (
            {"pricingModel": "volume", "tiers": [{"fromQuantity": 1, "unitPrice": 1}] * 2},
            "Two tiers start at the same quantity.",
        ),
    ],
    ids=str,
)
def test_terms_that_are_no_price_are_refused_in_words(staff: Caller, change: dict[str, Any], sentence: str) -> None:
    response = staff.send("POST", PATH, CALLS | change)
    assert_error(response, 422, "refused")
    assert parsed(response)["detail"] == sentence
    assert not Rate.objects.exists()


def test_a_version_beside_another_is_a_409_that_names_it(staff: Caller) -> None:
    first = made(staff, endDate="2026-07-01")
    response = staff.send("POST", PATH, CALLS | {"startDate": "2026-06-30"})
    assert_error(response, 409, "conflict")
    assert parsed(response)["detail"] == (
        f"Rate {first['id']} is for the same and holds in that time, from 2026-01-01 on and before 2026-07-01: end it "
        "first, or choose other days."
    )
    made(staff, startDate="2026-07-01")


def test_a_price_that_could_not_be_split_is_a_409(staff: Caller) -> None:
    RateCardFactory(name="Split", band_rule="split")
    TimeBandFactory(name="Peak")
    response = staff.send("POST", PATH, CALLS | {"rateCard": "Split", "timeBand": "Peak", "pricingModel": "package"})
    assert_error(response, 409, "conflict")
    assert parsed(response)["detail"].startswith("The rate card Split splits uses at the borders of time bands")


def test_a_patch_with_a_start_date_adds_a_version(staff: Caller) -> None:
    old = made(staff, unitSize=60, pricingModel="graduated", tiers=[{"fromQuantity": 100, "unitPrice": 0.05}])
    response = staff.send("PATCH", f"{PATH}/{old['id']}", {"startDate": "2026-03-01", "unitPrice": 0.10})
    new = parsed(response)
    assert response.status_code == 200
    same = {"unitPrice", "startDate", "id", "createdDate", "updatedDate"}
    assert {name: new[name] for name in new if name not in same} == {
        name: old[name] for name in old if name not in same
    }
    assert (new["unitPrice"], new["startDate"]) == (Decimal("0.10"), "2026-03-01")
    assert staff.ask(f"{PATH}/{old['id']}")["endDate"] == "2026-03-01"
    assert [rate["id"] for rate in staff.ask(PATH)] == [old["id"], new["id"]]


def test_a_patch_with_an_end_alone_ends_the_rate_and_null_lets_it_hold_on(staff: Caller) -> None:
    rate = made(staff)
    address = f"{PATH}/{rate['id']}"
    assert parsed(staff.send("PATCH", address, {"endDate": "2026-04-01"}))["endDate"] == "2026-04-01"
    assert parsed(staff.send("PATCH", address, {"endDate": None}))["endDate"] is None
    assert Rate.objects.count() == 1


def test_a_rate_sent_back_as_it_is_changes_nothing(staff: Caller) -> None:
    tiers = [{"fromQuantity": 100, "unitPrice": 0.05}]
    rate = made(staff, pricingModel="volume", tiers=tiers, unitPrice=0.5, endDate="2027-01-01")
    body = staff.get(f"{PATH}/{rate['id']}").content
    response = staff.send("PUT", f"{PATH}/{rate['id']}", body)
    assert (response.status_code, parsed(response)) == (200, rate)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"unitPrice": 9}, KEPT),
        ({"tiers": [{"fromQuantity": 5, "unitPrice": 1}]}, KEPT),
        ({"region": "US"}, "A rate keeps what it is for: end it, and add another one."),
        ({"product": "OTHER"}, "A rate keeps what it is for: end it, and add another one."),
        (
            {"startDate": "2026-03-01", "endDate": "2026-04-01"},
            "A new version ends when the old one would have: send endDate alone.",
        ),
    ],
    ids=str,
)
def test_a_rate_keeps_its_price(staff: Caller, change: dict[str, Any], sentence: str) -> None:
    ProductFactory(code="OTHER")
    rate = made(staff)
    response = staff.send("PATCH", f"{PATH}/{rate['id']}", change)
    assert_error(response, 409, "rate_kept")
    assert parsed(response)["detail"] == sentence
    assert staff.ask(PATH) == [rate]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"startDate": "2026-03-01"}, "Nothing is changed yet: a new version has another price."),
        ({"startDate": "2025-12-31"}, "This version holds from 2026-01-01 on: a new one starts then, or later."),
        ({"endDate": "2025-12-31"}, "This version holds from 2026-01-01 on: it cannot end before."),
    ],
)
def test_a_version_that_cannot_be_is_refused_in_words(staff: Caller, change: dict[str, Any], sentence: str) -> None:
    rate = made(staff)
    response = staff.send("PATCH", f"{PATH}/{rate['id']}", change)
    assert_error(response, 422, "refused")
    assert parsed(response)["detail"] == sentence


def test_a_new_end_that_reaches_into_the_next_version_is_a_409(staff: Caller) -> None:
    rate = made(staff, endDate="2026-03-01")
    following = made(staff, startDate="2026-03-01")
    response = staff.send("PATCH", f"{PATH}/{rate['id']}", {"endDate": None})
    assert_error(response, 409, "conflict")
    assert f"Rate {following['id']} is for the same" in parsed(response)["detail"]


def test_the_list_is_filtered_and_pages_by_id(staff: Caller) -> None:
    mobile, fixed, ended = (
        made(staff, destinationPrefix="4477"),
        made(staff, destinationPrefix="44", region="EU"),
        made(staff, destinationPrefix="49", endDate="2026-02-01"),
    )
    RateFactory(start_date=date(2020, 1, 1))

    def found(query: str) -> list[str]:
        return [rate["id"] for rate in staff.ask(f"{PATH}?{query}")]

    assert found("rateCard=Retail") == [mobile["id"], fixed["id"], ended["id"]]
    assert found("rateCard=Nope") == []
    assert found("product=CALL&destinationPrefix=44") == [fixed["id"]]
    assert found("rateCard=Retail&region=") == [mobile["id"], ended["id"]]
    assert found("rateCard=Retail&holdsOn=2026-02-01") == [mobile["id"], fixed["id"]]
    assert found("rateCard=Retail&holdsOn=2025-12-31") == []
    response = staff.get(f"{PATH}?rateCard=Retail&limit=2")
    assert response.headers["X-Total-Count"] == "3"
    assert response.headers["Link"] == (
        f'<http://testserver{PATH}?rateCard=Retail&limit=2&idAfter={fixed["id"]}>; rel="next"'
    )


def test_one_rate_and_three_take_the_same_queries(staff: Caller) -> None:
    counts = []
    for rates in (1, 2):
        for _ in range(rates):
            RateTierFactory(rate__time_band=TimeBandFactory())
        with CaptureQueriesContext(connection) as queries:
            assert staff.ask(PATH)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_there_is_no_delete(staff: Caller) -> None:
    assert_error(staff.send("DELETE", f"{PATH}/{made(staff)['id']}"), 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["rates", "rateCards", "timeBands", "publicHolidays"])
def test_price_lists_are_the_staffs(customer: Customer, caller_of: Any, path: str) -> None:
    assert_error(caller_of(customer).get(f"/backend/api/v1/{path}"), 403, "staff_only")


@pytest.mark.parametrize("path", ["rates", "rateCards", "timeBands", "publicHolidays"])
def test_what_is_not_there_is_a_404(staff: Caller, path: str) -> None:
    for id_ in ("9", "x", "99999999999999999999"):
        assert_error(staff.get(f"/backend/api/v1/{path}/{id_}"), 404, "not_found")
        assert_error(staff.send("PATCH", f"/backend/api/v1/{path}/{id_}", {}), 404, "not_found")
