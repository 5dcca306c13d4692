"""Actions on usage data records: post, reject, cancel, adjust, and what billing does with them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils.dateparse import parse_datetime

from customers.models import Customer
from customers.operations.api_keys import create_api_key
from invoicing.models import Transaction
from tests.api.caller import Caller, assert_error, parsed
from tests.factories.catalog import ProductFactory
from tests.factories.customers import SubscriptionServiceFactory, UserFactory
from tests.factories.usage import UsageDataRecordFactory, UsageTypeFactory
from tests.runs import bill, customer_at, post, use
from usage.models import PendingUsage, UsageDataRecord

pytestmark = pytest.mark.django_db

PATH = "/usage/v1/usage_data_records"
NAMES = ("post", "reject", "cancel", "adjust", "set_to_be_billed", "set_creditable", "set_not_billable")
BODIES: dict[str, Any] = {"reject": {"reason": "Test call"}, "adjust": {"usage_amount": 30}}
ENDS_FIRST = "It would end at 2026-01-14T12:00:00Z, before it starts at 2026-01-15T12:00:00Z."
STATES = {"DRAFT": "a draft", "POSTED": "posted", "REJECTED": "rejected", "CANCELLED": "cancelled"}


def act(caller: Caller, record: UsageDataRecord, name: str, body: Any = None, **headers: str) -> Any:
    return caller.send("POST", f"{PATH}/{record.id}/{name}", body, **headers)


def done(caller: Caller, record: UsageDataRecord, name: str, body: Any = None) -> Any:
    """The record as it is answered, which is how it is shown afterwards."""
    response = act(caller, record, name, body)
    assert response.status_code == 200, response.content
    shown = parsed(response)
    assert caller.ask(f"{PATH}/{shown['id']}") == shown
    return shown


def history(shown: Any) -> list[tuple[Any, ...]]:
    """The steps of a record as it is shown, without their times, which are there."""
    for step in shown["history"]:
        assert parse_datetime(step["date"]) is not None
    return [(step["user"], step["action"], step["reason"], step["changes"]) for step in shown["history"]]


def test_a_draft_is_posted(staff: Caller) -> None:
    record = UsageDataRecordFactory(life_cycle_state="DRAFT")
    shown = done(staff, record, "post", {"reason": "Checked"})
    assert shown["life_cycle_state"] == "POSTED"
    assert history(shown) == [("clerk", "POSTED", "Checked", {})]
    assert shown["log_information"]["updated_by_user"] == "clerk"
    assert PendingUsage.objects.get().record == record


def test_a_draft_is_rejected_with_a_reason(staff: Caller) -> None:
    record = UsageDataRecordFactory(life_cycle_state="DRAFT")
    shown = done(staff, record, "reject", {"reason": "Test call"})
    assert shown["life_cycle_state"] == "REJECTED"
    assert history(shown) == [("clerk", "REJECTED", "Test call", {})]


@pytest.mark.parametrize("body", [None, {}, {"reason": ""}, {"reason": "  "}, {"reason": None}, {"reason": 7}])
def test_rejecting_needs_a_reason(staff: Caller, body: Any) -> None:
    response = act(staff, UsageDataRecordFactory(life_cycle_state="DRAFT"), "reject", body)
    assert_error(response, 400, "invalid")
    assert list(parsed(response)["errors"]) == ["reason"]


def test_a_posted_record_is_cancelled(staff: Caller) -> None:
    shown = done(staff, UsageDataRecordFactory(), "cancel")
    assert shown["life_cycle_state"] == "CANCELLED"
    assert history(shown) == [("clerk", "CANCELLED", "", {})]
    assert not PendingUsage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_on_a_posted_invoice_comes_back(staff: Caller) -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40)
    post(bill())
    shown = done(staff, record, "cancel", {"reason": "Wrong line"})
    assert (shown["life_cycle_state"], shown["charge"]["amount"]) == ("CANCELLED", 4)
    (reversal,) = Transaction.objects.all()
    assert (reversal.kind, reversal.amount, reversal.invoice_line) == ("REVERSAL", Decimal(-4), None)


def test_adjusting_makes_a_successor(staff: Caller) -> None:
    text = ProductFactory(code="TEXT")
    UsageTypeFactory(name="Message", alternative_code="M")
    record = UsageDataRecordFactory(number="R1", product=ProductFactory(code="CALL"), udf_string_1="a", udf_float_1=1)
    shown = done(
        staff,
        record,
        "adjust",
        {
            "reason": "Counted twice",
            "usage_amount": 0.5,
            "to_date": "2026-01-15T14:00:00+01:00",
            "product": {"id": str(text.id)},
            "type": "Message",
            "region": "EU",
            "udf_string_1": "b",
            "udf_float_1": None,
            "udf_date_1": "2026-02-28",
        },
    )
    assert (shown["number"], shown["life_cycle_state"]) == ("R1~2", "POSTED")
    assert shown["original"] == {"id": str(record.id), "number": "R1"}
    assert (shown["usage_amount"], shown["to_date"]) == (Decimal("0.5"), "2026-01-15T13:00:00Z")
    assert (shown["product"]["code"], shown["type"]["name"], shown["region"]) == ("TEXT", "Message", "EU")
    assert (shown["udf_string_1"], shown["udf_float_1"], shown["udf_date_1"]) == ("b", None, "2026-02-28")
    assert shown["history"] == []

    first = staff.ask(f"{PATH}/{record.id}")
    assert (first["life_cycle_state"], first["original"]) == ("CANCELLED", None)
    assert history(first) == [
        (
            "clerk",
            "ADJUSTED",
            "Counted twice",
            {
                "product": {"old": "CALL", "new": "TEXT"},
                "type": {"old": "Call", "new": "Message"},
                "to_date": {"old": "2026-01-15T12:01:00Z", "new": "2026-01-15T13:00:00Z"},
                "usage_amount": {"old": "60", "new": "0.5"},
                "region": {"old": "", "new": "EU"},
                "udf_string_1": {"old": "a", "new": "b"},
                "udf_float_1": {"old": "1", "new": None},
                "udf_date_1": {"old": None, "new": "2026-02-28"},
            },
        )
    ]


def test_a_total_amount_is_given_and_taken_away(staff: Caller) -> None:
    first = done(staff, UsageDataRecordFactory(number="R1"), "adjust", {"total_amount": 1.25})
    assert (first["rating_type"], first["total_amount"]) == ("PRERATED", Decimal("1.25"))
    second = done(staff, UsageDataRecord.objects.get(id=first["id"]), "adjust", {"total_amount": None})
    assert (second["number"], second["rating_type"], second["total_amount"]) == ("R1~3", "POSTRATED", None)
    assert second["original"]["number"] == "R1"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {}),
        ({"reason": "None"}, {}),
        ({"usage_amount": 60}, {}),
        ({"product": "NOPE"}, {"product": ["There is no product with the code “NOPE”."]}),
        ({"type": {"id": "999999"}}, {"type": ["There is no usage type with the id “999999”."]}),
        ({"to_date": "2026-01-14T12:00:00Z"}, {"to_date": [ENDS_FIRST]}),
        ({"usage_amount": 1e20}, None),
        ({"from_date": "2026-02-30T12:00:00Z"}, None),
        ({"from_date": "2026-01-15T11:00:00"}, None),
        ({"from_date": "0001-01-01T00:00:00Z"}, None),
        ({"billing_effective_date": "9999-12-31"}, None),
        ({"udf_date_1": "2026-02-30"}, None),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_422(staff: Caller, body: Any, errors: dict[str, list[str]] | None) -> None:
    record = UsageDataRecordFactory()
    response = act(staff, record, "adjust", body)
    assert_error(response, 422, "refused")
    if errors is None:
        assert list(parsed(response)["errors"]) == list(body)
    else:
        assert parsed(response)["errors"] == errors
    record.refresh_from_db()
    assert record.life_cycle_state == "POSTED"
    assert PendingUsage.objects.get().record == record


@pytest.mark.parametrize("amount", [b"1e400", b"1E+999999999", b"1e-400", b"-1E-999999999", b"0.1234567890123456789"])
def test_odd_numbers_are_a_422(staff: Caller, amount: bytes) -> None:
    record = UsageDataRecordFactory()
    response = staff.send("POST", f"{PATH}/{record.id}/adjust", b'{"usage_amount": %s}' % amount)
    assert_error(response, 422, "refused")
    assert list(parsed(response)["errors"]) == ["usage_amount"]


@pytest.mark.parametrize(
    ("name", "directive", "is_pending"),
    [("set_creditable", "TO_BE_CREDITED", True), ("set_not_billable", "NOT_TO_BE_BILLED", False)],
)
def test_what_billing_does_with_a_record(
    staff: Caller,
    name: str,
    directive: str,
    is_pending: bool,  # noqa: FBT001
) -> None:
    record = UsageDataRecordFactory()
    shown = done(staff, record, name, {"reason": "Goodwill"})
    changes = {"billing_directive": {"old": "TO_BE_BILLED", "new": directive}}
    assert shown["billing_directive"] == directive
    assert history(shown) == [("clerk", "DIRECTIVE_SET", "Goodwill", changes)]
    assert PendingUsage.objects.exists() == is_pending
    back = done(staff, record, "set_to_be_billed")
    assert (back["billing_directive"], len(back["history"])) == ("TO_BE_BILLED", 2)
    assert PendingUsage.objects.get().record == record


@pytest.mark.django_db(transaction=True)
def test_a_posted_invoice_keeps_the_directive_of_its_usage(staff: Caller) -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40, number="R1")
    post(bill())
    response = act(staff, record, "set_creditable")
    assert_error(response, 409, "wrong_state")
    assert parsed(response)["detail"] == (
        "Record R1 is on posted invoice INV-000001, which does not change: adjust or cancel the record instead."
    )


@pytest.mark.parametrize(
    ("name", "state"),
    [
        *(("post", state) for state in ("POSTED", "REJECTED", "CANCELLED")),
        *(("reject", state) for state in ("POSTED", "REJECTED", "CANCELLED")),
        *(("cancel", state) for state in ("DRAFT", "REJECTED", "CANCELLED")),
        *(("adjust", state) for state in ("DRAFT", "REJECTED", "CANCELLED")),
        *(("set_not_billable", state) for state in ("REJECTED", "CANCELLED")),
        *(("set_creditable", state) for state in ("REJECTED", "CANCELLED")),
        *(("set_to_be_billed", state) for state in ("REJECTED", "CANCELLED")),
    ],
)
def test_a_wrong_state_is_a_409_that_names_it(staff: Caller, name: str, state: str) -> None:
    record = UsageDataRecordFactory(life_cycle_state=state, number="R1")
    response = act(staff, record, name, BODIES.get(name))
    assert_error(response, 409, "wrong_state")
    assert parsed(response)["detail"].startswith(f"Record R1 is {STATES[state]}: only a")
    assert staff.ask(f"{PATH}/{record.id}")["history"] == []


def test_the_state_that_it_has_already_is_a_409(staff: Caller) -> None:
    response = act(staff, UsageDataRecordFactory(number="R1"), "set_to_be_billed")
    assert_error(response, 409, "wrong_state")
    assert parsed(response)["detail"] == "Record R1 is to be billed already."


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_the_staffs(customer: Customer, caller_of: Callable[..., Caller], name: str) -> None:
    record = UsageDataRecordFactory(subscription_service=SubscriptionServiceFactory(customer=customer))
    assert_error(act(caller_of(customer), record, name, BODIES.get(name)), 403, "staff_only")
    assert_error(act(Caller(None), record, name, BODIES.get(name)), 401, "not_authenticated")


@pytest.mark.parametrize("name", NAMES)
def test_actions_need_scope_and_permission(db: None, name: str) -> None:
    user, record = UserFactory(username="reader"), UsageDataRecordFactory(life_cycle_state="REJECTED")
    without = Caller(create_api_key(scopes=["read", "write", "billing:run"], user_id=user.id)[1])
    assert_error(act(without, record, name), 403, "scope_missing")
    caller = Caller(create_api_key(scopes=["usage:write"], user_id=user.id)[1])
    response = act(caller, record, name, BODIES.get(name))
    assert_error(response, 403, "permission_denied")
    assert parsed(response)["detail"] == "The user reader lacks the permission usage.change_usagedatarecord."
    user.user_permissions.add(Permission.objects.get(codename="change_usagedatarecord"))
    assert_error(act(caller, record, name, BODIES.get(name)), 409, "wrong_state")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_there_is_no_record(staff: Caller, name: str, slash: str) -> None:
    for record_id in ("999999", "x", "0", "9" * 30, "%00"):
        response = staff.send("POST", f"{PATH}/{record_id}/{name}{slash}", BODIES.get(name))
        assert_error(response, 404, "not_found")
    assert_error(staff.get(f"{PATH}/1/{name}{slash}"), 405, "method_not_allowed")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "body",
    [b"[]", b"null", b"7", b"{", b'{"why": "x"}', b'{"reason": 7}', b'{"reason": "\\u0000"}', b'{"reason": "\\ud800"}'],
)
def test_an_odd_body_is_a_400(staff: Caller, name: str, body: bytes) -> None:
    record = UsageDataRecordFactory()
    response = staff.send("POST", f"{PATH}/{record.id}/{name}", body)
    assert response.status_code == 400
    assert parsed(response)["code"] in {"parse_error", "invalid"}
    record.refresh_from_db()
    assert (record.life_cycle_state, record.billing_directive) == ("POSTED", "TO_BE_BILLED")


def test_an_action_that_is_sent_twice_is_done_once(staff: Caller) -> None:
    record = UsageDataRecordFactory(number="R1")
    first, second = (act(staff, record, "adjust", {"usage_amount": 30}, idempotency_key="k1") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert UsageDataRecord.objects.count() == 2


def test_customers_see_what_was_done_but_not_by_whom(
    staff: Caller, customer: Customer, caller_of: Callable[..., Caller]
) -> None:
    record = UsageDataRecordFactory(
        subscription_service=SubscriptionServiceFactory(customer=customer), created_by=UserFactory(username="importer")
    )
    done(staff, record, "cancel", {"reason": "Sent twice"})
    caller = caller_of(customer)
    shown = caller.ask(f"{PATH}/{record.id}")
    assert history(shown) == [(None, "CANCELLED", "Sent twice", {})]
    listed = caller.ask(PATH)["data"][0]
    for log in (shown["log_information"], listed["log_information"]):
        assert (log["created_by_user"], log["updated_by_user"]) == (None, None)
    assert "history" not in listed
    assert staff.ask(f"{PATH}/{record.id}")["log_information"]["created_by_user"] == "importer"
