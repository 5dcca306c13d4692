"""`invoiceUsageReportCustomerProfiles` of the backend API: every member, every preset, every refusal."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.choices import Scope
from customers.models import Customer
from customers.operations.api_keys import create_api_key
from reports.models import InvoiceUsageReportProfile
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import (
    CustomerFactory,
    CustomerGroupFactory,
    CustomerReportProfileFactory,
    InvoiceFactory,
    InvoiceReportProfileFactory,
    InvoiceUsageReportProfileFactory,
    UserFactory,
    post,
)

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/invoiceUsageReportCustomerProfiles"


def made(staff: Caller, members: dict[str, Any]) -> Any:
    response = staff.send("POST", PATH, members)
    assert response.status_code == 201, response.content
    return parsed(response)


def whole(customer: Customer) -> dict[str, Any]:
    return {
        "name": "Whole",
        "description": "Everything",
        "availability": "Headline",
        "customerID": str(customer.pk),
        "customerGroups": ["Trade"],
        "customerUsageReports": ["Summary", "By Site"],
        "siteUsageReports": ["By Product"],
        "campaignUsageReports": ["Top Destinations"],
        "numberUsageReports": ["Longest Uses"],
        "includeTransactionColumns": ["Date", "Amount"],
        "includeCallColumns": ["Time", "Number"],
        "callDetails": ["Above Threshold", "By Number"],
        "formats": ["xlsx", "pdf"],
        "thresholdAmount": 0.05,
        "splitsBy": "site",
        "isDefault": False,
    }


def test_it_is_made_and_shown_with_every_member(staff: Caller, customer: Customer) -> None:
    CustomerGroupFactory(name="Trade")
    sent = whole(customer)
    profile = made(staff, sent)
    stamps = {name: profile.pop(name) for name in ("id", "createdDate", "updatedDate")}
    assert stamps["id"] == str(InvoiceUsageReportProfile.objects.get().pk)
    assert stamps["createdDate"].endswith("Z")
    assert {name: str(value) for name, value in profile.items()} == {name: str(value) for name, value in sent.items()}
    assert parsed(staff.send("GET", f"{PATH}/{stamps['id']}")) == {**profile, **stamps}


def test_a_name_is_enough(staff: Caller) -> None:
    profile = made(staff, {"name": "Plain"})
    assert (profile["availability"], profile["formats"], profile["customerID"]) == ("Standard", ["csv"], "")
    assert (profile["thresholdAmount"], profile["splitsBy"], profile["isDefault"]) == (0, "", False)
    assert profile["customerUsageReports"] == profile["callDetails"] == profile["customerGroups"] == []


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_is_not_given_stays(staff: Caller, customer: Customer, method: str) -> None:
    CustomerGroupFactory(name="Trade")
    profile = made(staff, whole(customer))
    answer = parsed(staff.send(method, f"{PATH}/{profile['id']}", {"customerID": "", "siteUsageReports": []}))
    changed = {"customerID": "", "siteUsageReports": [], "updatedDate": answer["updatedDate"]}
    assert answer == {**profile, **changed}


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"name": ""}, "name"),
        ({}, "name"),
        ({"name": "x", "availability": "Sometimes"}, "availability"),
        ({"name": "x", "customerID": "nobody"}, "customerID"),
        ({"name": "x", "customerID": "999999"}, "customerID"),
        ({"name": "x", "customerID": 1}, "customerID"),
        ({"name": "x", "customerGroups": ["None such"]}, "customerGroups"),
        ({"name": "x", "customerGroups": ["Trade", "Trade"]}, "customerGroups"),
        ({"name": "x", "customerGroups": "Trade"}, "customerGroups"),
        ({"name": "x", "customerGroups": ["\0"]}, "customerGroups"),
        ({"name": "x", "customerGroups": ["Trade"] * 1001}, "customerGroups"),
        ({"name": "x", "thresholdAmount": 10**20}, "thresholdAmount"),
        ({"name": "x", "callDetails": None}, "callDetails"),
        ({"name": "x", "customerUsageReports": ["By Colour"]}, "customerUsageReports"),
        ({"name": "x", "siteUsageReports": ["By Site"]}, "siteUsageReports"),
        ({"name": "x", "campaignUsageReports": "Summary"}, "campaignUsageReports"),
        ({"name": "x", "numberUsageReports": ["Summary", "Summary"]}, "numberUsageReports"),
        ({"name": "x", "includeTransactionColumns": ["Colour"]}, "includeTransactionColumns"),
        ({"name": "x", "includeCallColumns": [1]}, "includeCallColumns"),
        ({"name": "x", "callDetails": ["None"]}, "callDetails"),
        ({"name": "x", "formats": ["doc"]}, "formats"),
        ({"name": "x", "thresholdAmount": -1}, "thresholdAmount"),
        ({"name": "x", "thresholdAmount": "1"}, "thresholdAmount"),
        ({"name": "x", "splitsBy": "colour"}, "splitsBy"),
        ({"name": "x", "isDefault": "perhaps"}, "isDefault"),
        ({"name": "x", "colour": "red"}, "colour"),
    ],
)
def test_members_that_cannot_be_are_named(staff: Caller, members: dict[str, Any], named: str) -> None:
    CustomerGroupFactory(name="Trade")
    response = staff.send("POST", PATH, members)
    assert_error(response, 400, "invalid")
    assert [name.split(".")[0] for name in parsed(response)["errors"]] == [named]
    assert not InvoiceUsageReportProfile.objects.exists()


def test_the_presets_are_listed(staff: Caller) -> None:
    presets = parsed(staff.send("GET", f"{PATH}/presets"))
    assert presets["availability"] == ["Headline", "Standard", "Historic"]
    assert presets["callDetails"] == ["All", "Chargeable Only", "Above Threshold", "By Number", "By Site"]
    assert [len(values) for values in presets.values()] == [3, 11, 8, 8, 8, 10, 17, 5, 5, 3]


def test_a_profile_in_use_is_not_deleted(staff: Caller) -> None:
    given = CustomerReportProfileFactory(customer__account_number="A-7")
    response = staff.send("DELETE", f"{PATH}/{given.profile_id}")
    assert_error(response, 409, "conflict")
    assert "in use: customer A-7" in parsed(response)["detail"]
    free = InvoiceUsageReportProfileFactory()
    assert staff.send("DELETE", f"{PATH}/{free.pk}").status_code == 204
    assert_error(staff.send("GET", f"{PATH}/{free.pk}"), 404, "not_found")


def test_a_second_name_or_default_is_a_conflict(staff: Caller) -> None:
    InvoiceUsageReportProfileFactory(name="Standard", is_default=True)
    assert_error(staff.send("POST", PATH, {"name": "Standard"}), 409, "conflict")
    assert_error(staff.send("POST", PATH, {"name": "Other", "isDefault": True}), 409, "conflict")


def test_who_has_it_is_not_left_outside(staff: Caller) -> None:
    given = CustomerReportProfileFactory()
    other = CustomerFactory()
    assert_error(staff.send("PATCH", f"{PATH}/{given.profile_id}", {"customerID": str(other.pk)}), 409, "conflict")


def test_a_list_asks_no_more_for_more_profiles(staff: Caller) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert staff.send("GET", PATH).status_code == 200
        return len(queries)

    first = InvoiceUsageReportProfileFactory()
    first.customer_groups.add(CustomerGroupFactory())
    once = asked()
    for _ in range(3):
        InvoiceUsageReportProfileFactory().customer_groups.add(CustomerGroupFactory(), CustomerGroupFactory())
    assert asked() == once
    response = staff.send("GET", f"{PATH}?idAfter={first.pk}&limit=2")
    assert (response.headers["X-Total-Count"], len(parsed(response))) == ("4", 2)


def test_profiles_are_the_staffs(caller_of: Callable[..., Caller], customer: Customer) -> None:
    assert_error(caller_of(customer).get(PATH), 403, "staff_only")


def test_a_customer_a_group_and_a_draft_are_given_a_profile(staff: Caller, customer: Customer) -> None:
    profile, group, invoice = InvoiceUsageReportProfileFactory(), CustomerGroupFactory(name="Trade"), InvoiceFactory()
    for members in ({"customerID": str(customer.pk)}, {"customerGroup": "Trade"}, {"invoiceID": str(invoice.pk)}):
        assert staff.send("POST", f"{PATH}/{profile.pk}/give", members).status_code == 200
    assert profile.customer_profiles.get().customer == customer
    assert profile.group_profiles.get().group == group
    assert profile.invoice_profiles.get().invoice == invoice


def test_the_groups_of_a_profile_are_read_at_once(staff: Caller) -> None:
    names = [CustomerGroupFactory(name=f"Group {number}").name for number in range(6)]

    def asked(some: list[str]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert made(staff, {"name": some[-1], "customerGroups": some})["customerGroups"] == some
        return len(queries)

    assert asked(names[:2]) == asked(names)


def test_a_profile_is_taken_away_again(staff: Caller, customer: Customer) -> None:
    profile, invoice = InvoiceUsageReportProfileFactory(name="Usual"), InvoiceFactory()
    CustomerGroupFactory(name="Trade")
    for members in ({"customerID": str(customer.pk)}, {"customerGroup": "Trade"}, {"invoiceID": str(invoice.pk)}):
        assert staff.send("POST", f"{PATH}/{profile.pk}/give", members).status_code == 200
        response = staff.send("POST", f"{PATH}/{profile.pk}/take", members)
        assert (response.status_code, parsed(response)["name"]) == (200, "Usual")
        response = staff.send("POST", f"{PATH}/{profile.pk}/take", members)
        assert_error(response, 409, "conflict")
        assert "does not have the profile Usual of its own" in parsed(response)["detail"]
    assert staff.send("DELETE", f"{PATH}/{profile.pk}").status_code == 204


def test_a_repeated_taking_gives_the_first_answer(staff: Caller) -> None:
    given = CustomerReportProfileFactory()
    path, members = f"{PATH}/{given.profile_id}/take", {"customerID": str(given.customer_id)}
    first, again = (staff.send("POST", path, members, idempotency_key="once") for _ in range(2))
    assert (first.status_code, again.content) == (200, first.content)


def test_of_a_posted_invoice_none_is_given_or_taken(staff: Caller) -> None:
    given = InvoiceReportProfileFactory()
    invoice = post(given.invoice)
    for action in ("give", "take"):
        response = staff.send("POST", f"{PATH}/{given.profile_id}/{action}", {"invoiceID": str(invoice.pk)})
        assert_error(response, 409, "conflict")
        assert f"Invoice {invoice.number} is posted" in parsed(response)["detail"]


def test_a_historic_profile_is_given_to_nobody_any_more(staff: Caller, customer: Customer) -> None:
    profile = InvoiceUsageReportProfileFactory(name="Old", availability="Historic")
    response = staff.send("POST", f"{PATH}/{profile.pk}/give", {"customerID": str(customer.pk)})
    assert_error(response, 422, "refused")
    assert "The profile Old is historic" in parsed(response)["detail"]


def test_each_verb_needs_its_permission() -> None:
    user = UserFactory(is_staff=True)
    caller = Caller(create_api_key(scopes=list(Scope.values), user_id=user.pk)[1])
    given = CustomerReportProfileFactory()
    path, whom = f"{PATH}/{given.profile_id}", {"customerID": str(given.customer_id)}
    asked = [
        ("GET", PATH, None, "view"),
        ("GET", f"{PATH}/presets", None, "view"),
        ("POST", PATH, {"name": "New"}, "add"),
        ("PATCH", path, {"name": "Newer"}, "change"),
        ("POST", f"{path}/give", whom, "change"),
        ("POST", f"{path}/take", whom, "change"),
        ("DELETE", path, None, "delete"),
    ]
    for method, address, members, verb in asked:
        user.user_permissions.clear()
        assert_error(caller.send(method, address, members), 403, "permission_denied")
        user.user_permissions.add(Permission.objects.get(codename=f"{verb}_invoiceusagereportprofile"))
        assert caller.send(method, address, members).status_code < 300


def test_a_customer_outside_cannot_be_given_a_profile(staff: Caller, customer: Customer) -> None:
    profile = InvoiceUsageReportProfileFactory(customer=CustomerFactory())
    response = staff.send("POST", f"{PATH}/{profile.pk}/give", {"customerID": str(customer.pk)})
    assert_error(response, 422, "refused")
    assert "is not for customer ACME-1" in parsed(response)["detail"]
    assert not profile.customer_profiles.exists()


@pytest.mark.parametrize("members", [{}, {"customerID": "1", "customerGroup": "Trade"}, {"customerID": "x"}])
def test_a_profile_is_given_to_one_at_a_time(staff: Caller, members: dict[str, Any]) -> None:
    profile = InvoiceUsageReportProfileFactory()
    assert_error(staff.send("POST", f"{PATH}/{profile.pk}/give", members), 400, "invalid")
