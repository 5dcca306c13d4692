"""`POST usage_data_records`: one record as JSON."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Product
from customers.models import BilledUntil, Customer, SubscriptionService
from tests.api.caller import Caller, assert_error, parsed
from tests.factories.catalog import ProductFactory
from tests.factories.customers import (
    CustomerFactory,
    SubscriptionActionFactory,
    SubscriptionFactory,
    SubscriptionServiceFactory,
)
from tests.factories.usage import SourceSystemFactory, UsageDataRecordFactory, UsageTypeFactory
from usage.models import PendingUsage, SourceSystem, UsageDataRecord

pytestmark = pytest.mark.django_db

PATH = "/usage/v1/usage_data_records"
CALL: dict[str, Any] = {
    "number": "R1",
    "source_system": "Exchange",
    "subscription_service": "+49301",
    "product": "CALL",
    "from_date": "2026-01-15T12:00:00Z",
    "to_date": "2026-01-15T12:01:00Z",
    "usage_amount": 60,
}


@pytest.fixture
def service(customer: Customer) -> SubscriptionService:
    """Acme's +49301, a product, a source system with a usage type."""
    ProductFactory(code="CALL", name="Calls", description="Calls abroad")
    SourceSystemFactory(
        name="Exchange", alternative_code="X", default_usage_type=UsageTypeFactory(name="Voice", alternative_code="V")
    )
    return SubscriptionServiceFactory(
        customer=customer, subscription=SubscriptionFactory(customer=customer, number="S-1"), identifier="+49301"
    )


def source() -> SourceSystem:
    return SourceSystem.objects.get()


def sent(caller: Caller, **changed: Any) -> Any:
    """What is answered to CALL with these members changed; those that are `...` are left out."""
    body = {name: value for name, value in (CALL | changed).items() if value is not ...}
    return caller.send("POST", PATH, body)


def test_a_record_is_taken_in_and_shown(staff: Caller, service: SubscriptionService) -> None:
    response = sent(
        staff,
        usage_amount=0.0000001453,
        billing_effective_date="2026-01-16",
        destination="+33",
        region="EU",
        total_amount=1.5,
        udf_string_1=" as it is ",
        udf_string_8="ü",
        udf_float_4=-0.5,
        udf_date_1="2026-02-28",
    )
    shown = parsed(response)
    record = UsageDataRecord.objects.get()
    assert response.status_code == 201
    assert staff.ask(f"{PATH}/{record.id}") == shown
    assert {name: shown[name] for name in shown if not name.startswith("udf_")} == {
        "id": str(record.id),
        "number": "R1",
        "life_cycle_state": "POSTED",
        "billing_directive": "TO_BE_BILLED",
        "billing_effective_date": "2026-01-16",
        "from_date": "2026-01-15T12:00:00Z",
        "to_date": "2026-01-15T12:01:00Z",
        "usage_amount": Decimal("0.0000001453"),
        "destination": "+33",
        "region": "EU",
        "accounts_receivable": {
            "id": str(service.customer.accounts_receivable.id),
            "number": "AR-ACME-1",
            "name": "Acme",
            "life_cycle_state": "ACTIVE",
        },
        "subscription": {"id": str(service.subscription_id), "number": "S-1", "life_cycle_state": "ACTIVE"},
        "subscription_service": {
            "id": str(service.id),
            "identifier": "+49301",
            "life_cycle_state": "ACTIVE",
            "product": None,
        },
        "product": {"id": str(record.product_id), "code": "CALL", "description": "Calls abroad"},
        "subscription_action": None,
        "source_system": {"id": str(source().id), "name": "Exchange", "alternative_code": "X", "description": ""},
        "type": {"id": str(record.usage_type_id), "name": "Voice", "alternative_code": "V", "description": ""},
        "rating_state": "PENDING",
        "rating_type": "PRERATED",
        "total_amount": Decimal("1.5"),
        "charge": None,
        "is_late": False,
        "original": None,
        "history": [],
        "log_information": {
            "created_date": shown["log_information"]["created_date"],
            "created_by_user": "clerk",
            "updated_date": shown["log_information"]["updated_date"],
            "updated_by_user": None,
        },
    }
    assert {name: value for name, value in shown.items() if name.startswith("udf_") and value is not None} == {
        "udf_string_1": "as it is",
        "udf_string_8": "ü",
        "udf_float_4": Decimal("-0.5"),
        "udf_date_1": "2026-02-28",
    }
    assert PendingUsage.objects.get().record == record


def test_what_is_not_given_follows_from_the_rest(staff: Caller, service: SubscriptionService) -> None:
    shown = parsed(sent(staff, number=..., to_date=None, region=None, total_amount=None))
    assert (shown["to_date"], shown["billing_effective_date"]) == ("2026-01-15T12:00:00Z", "2026-01-15")
    assert (shown["rating_type"], shown["total_amount"], shown["region"]) == ("POSTRATED", None, "")
    assert shown["type"]["name"] == "Voice"
    assert shown["number"].startswith("U")
    assert parsed(sent(staff, number=None))["number"] != shown["number"]


def test_a_draft_waits_for_nobody(staff: Caller, service: SubscriptionService) -> None:
    shown = parsed(sent(staff, life_cycle_state="DRAFT", billing_directive="TO_BE_CREDITED"))
    assert (shown["life_cycle_state"], shown["billing_directive"]) == ("DRAFT", "TO_BE_CREDITED")
    assert not PendingUsage.objects.exists()


def test_late_usage_is_marked(staff: Caller, service: SubscriptionService, customer: Customer) -> None:
    BilledUntil.objects.create(customer=customer, day=date(2026, 2, 1))
    assert parsed(sent(staff))["is_late"] is True
    assert parsed(sent(staff, number="R2", from_date="2026-02-01T00:00:00Z", to_date=None))["is_late"] is False


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-15T12:00:00+01:00", "2026-01-15T11:00:00Z"),
        ("2026-01-15t12:00:00.25z", "2026-01-15T12:00:00.250000Z"),
        ("2026-01-15T12:00:00", "2026-01-15T11:00:00Z"),
        ("2026-01-15 12:00", "2026-01-15T11:00:00Z"),
    ],
)
def test_times_without_a_zone_are_the_source_systems(
    staff: Caller, service: SubscriptionService, text: str, instant: str
) -> None:
    SourceSystem.objects.update(timezone="Europe/Berlin", date_format="DD.MM.YYYY", decimal_sign=",", null_text="CALL")
    shown = parsed(sent(staff, from_date=text, to_date=None, usage_amount=1.25))
    assert (shown["from_date"], shown["usage_amount"]) == (instant, Decimal("1.25"))


@pytest.mark.parametrize(
    "usage_amount",
    ["99999999999999999999.999999999999999999", "-0.000000000000000001", "1e-18", "12300000000000000e3", "0"],
)
def test_numbers_are_exact(staff: Caller, service: SubscriptionService, usage_amount: str) -> None:
    body = b"""{"number": "R1", "source_system": "X", "subscription_service": "+49301", "product": "CALL",
      "from_date": "2026-01-15T12:00:00Z", "usage_amount": %s}"""
    response = staff.send("POST", PATH, body % usage_amount.encode())
    assert response.status_code == 201
    assert parsed(response)["usage_amount"] == Decimal(usage_amount)
    assert UsageDataRecord.objects.get().usage_amount == Decimal(usage_amount)


def test_the_same_number_with_the_same_content_is_the_record_that_is_there(
    staff: Caller, service: SubscriptionService
) -> None:
    first = sent(staff)
    second = sent(staff, usage_amount=60.0, type="V", from_date="2026-01-15T13:00:00+01:00")
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.content == first.content
    assert (UsageDataRecord.objects.count(), PendingUsage.objects.count()) == (1, 1)


def test_the_same_number_with_other_content_is_a_409_with_the_differences(
    staff: Caller, service: SubscriptionService
) -> None:
    ProductFactory(code="TEXT")
    first = parsed(sent(staff))
    response = sent(staff, usage_amount=61, product="TEXT", udf_string_1="x")
    assert_error(response, 409, "number_conflict")
    answer = parsed(response)
    assert answer["id"] == first["id"]
    assert answer["differences"] == {
        "usage_amount": {"record": "60", "sent": "61"},
        "product": {"record": "CALL", "sent": "TEXT"},
        "udf_string_1": {"record": None, "sent": "x"},
    }
    assert "R1" in answer["detail"]
    assert staff.ask(f"{PATH}/{first['id']}") == first


def test_numbers_are_unique_within_their_source_system(staff: Caller, service: SubscriptionService) -> None:
    SourceSystemFactory(name="Other", default_usage_type=source().default_usage_type)
    assert {sent(staff, source_system=name).status_code for name in ("Exchange", "Other")} == {201}


def test_every_related_object_goes_by_each_of_its_names(
    staff: Caller, service: SubscriptionService, customer: Customer
) -> None:
    action = SubscriptionActionFactory(subscription=service.subscription, number="ACT-1")
    product, usage_type = Product.objects.get(), source().default_usage_type
    account = customer.accounts_receivable
    ways = {
        "source_system": ["Exchange", "X", {"id": str(source().id)}, {"name": "Exchange"}, {"alternative_code": "X"}],
        "subscription_service": ["+49301", {"id": str(service.id)}, {"identifier": "+49301"}],
        "product": ["CALL", {"id": str(product.id)}, {"code": "CALL"}, {"name": "Calls"}],
        "type": ["Voice", "V", {"id": str(usage_type.id)}, {"name": "Voice"}, {"alternative_code": "V"}],
        "subscription_action": ["ACT-1", {"id": str(action.id)}, {"number": "ACT-1"}],
        "subscription": ["S-1", {"id": str(service.subscription_id)}, {"number": "S-1"}],
        "accounts_receivable": ["AR-ACME-1", {"id": str(account.id)}, {"number": "AR-ACME-1"}, {"name": "Acme"}],
    }
    number = 0
    for member, names in ways.items():
        for name in names:
            number += 1
            response = sent(staff, number=f"R{number}", **{member: name})
            assert response.status_code == 201, (member, name, response.content)
            record = UsageDataRecord.objects.get(number=f"R{number}")
            assert (record.subscription_service, record.product, record.usage_type) == (service, product, usage_type)
            assert record.subscription_action == (action if member == "subscription_action" else None)


@pytest.mark.parametrize(
    ("member", "value", "sentence"),
    [
        ("source_system", "Nope", "There is no source system with the name “Nope”."),
        ("source_system", {"alternative_code": "E"}, "There is no source system with the alternative code “E”."),
        ("source_system", {"id": "999999"}, "There is no source system with the id “999999”."),
        ("subscription_service", "+49399", "No service has the identifier “+49399” at that time."),
        ("subscription_service", {"id": "999999"}, "There is no service with the id “999999”."),
        ("product", "NOPE", "No usage product has the code “NOPE”."),
        ("product", {"name": "Nope"}, "There is no product with the name “Nope”."),
        ("type", "Nope", "No usage type has the name or code “Nope”."),
        ("type", {"id": "999999"}, "There is no usage type with the id “999999”."),
        ("subscription_action", "NOPE", "The service's subscription has no action with the number “NOPE”."),
        ("subscription", "S-2", "The service's subscription is not the one with the number “S-2”."),
        ("accounts_receivable", {"name": "Other"}, "The service's account is not the one with the name “Other”."),
        ("from_date", "2026-02-30T12:00Z", "from_date “2026-02-30T12:00Z” is not a date and time such as {instant}."),
        ("to_date", "2026-01-14T12:00Z", "to_date “2026-01-14T12:00Z” is before from_date “2026-01-15T12:00:00Z”."),
        ("udf_date_1", "2026-02-30", "udf_date_1 “2026-02-30” is not a date such as 2026-01-31."),
        ("billing_effective_date", "0000-00-00", "billing_effective_date “0000-00-00” is not a date such as {day}."),
        ("from_date", "1999-01-15T12:00:00Z", None),
    ],
)  # fmt: skip
def test_what_is_understood_but_cannot_be_is_a_422(
    staff: Caller, service: SubscriptionService, member: str, value: Any, sentence: str | None
) -> None:
    field = "subscription_service" if sentence is None else member
    response = sent(staff, **{member: value})
    assert_error(
        response,
        422,
        "refused",
        **{} if sentence is None else {field: [sentence.format(instant="2026-01-31T23:59:59Z", day="2026-01-31")]},
    )
    assert list(parsed(response)["errors"]) == [field]
    assert not UsageDataRecord.objects.exists()


@pytest.mark.parametrize(
    "usage_amount", [b"1e400", b"1E+999999999", b"1e-400", b"0.1234567890123456789", b"1" * 21, b"1" * 4_000, b"-1e20"]
)
def test_a_number_that_a_record_cannot_hold_is_a_422(
    staff: Caller, service: SubscriptionService, usage_amount: bytes
) -> None:
    body = (
        b"""{"source_system": "X", "subscription_service": "+49301", "product": "CALL",
      "from_date": "2026-01-15T12:00:00Z", "usage_amount": %s}"""
        % usage_amount
    )
    response = staff.send("POST", PATH, body)
    assert_error(response, 422, "refused")
    assert list(parsed(response)["errors"]) == ["usage_amount"]
    assert not UsageDataRecord.objects.exists()


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("usage_amount", "60", "It is not a number."),
        ("usage_amount", True, "It is not a number."),
        ("usage_amount", [60], "It is not a number."),
        ("usage_amount", None, "This field may not be null."),
        ("usage_amount", ..., "This field is required."),
        ("from_date", 1768478400, "It is not a date-time: write it as 2026-01-31T23:59:59Z."),
        ("from_date", "15.01.2026 12:00", "It is not a date-time: write it as 2026-01-31T23:59:59Z."),
        ("from_date", "2026-01-15", "It is not a date-time: write it as 2026-01-31T23:59:59Z."),
        ("billing_effective_date", "2026-1-15", "It is not a date: write it as YYYY-MM-DD."),
        ("number", 7, "It is not a text."),
        ("number", "", "It is empty."),
        ("number", "   ", "It is empty."),
        ("number", "R" * 201, "It has more than 200 characters."),
        ("number", "R\0", "It holds a NUL, or half a surrogate pair."),
        ("udf_string_1", "\ud800", "It holds a NUL, or half a surrogate pair."),
        ("udf_string_1", {"a": 1}, "It is not a text."),
        ("life_cycle_state", "CANCELLED", '"CANCELLED" is not a valid choice.'),
        ("billing_directive", "no", '"no" is not a valid choice.'),
        ("product", 7, "It is neither a text nor an object."),
        ("product", {}, "Give one of id, code, name, and nothing else."),
        ("product", {"id": "1", "code": "CALL"}, "Give one of id, code, name, and nothing else."),
        ("product", {"number": "1"}, "Give one of id, code, name, and nothing else."),
        ("product", {"id": 1}, "It is not an id."),
        ("product", {"id": "1.0"}, "It is not an id."),
        ("product", {"id": "9" * 30}, "It is not an id."),
        ("product", {"code": ["CALL"]}, "It is not a text."),
        ("product", {"code": "\0"}, "It holds a NUL, or half a surrogate pair."),
        ("product", " ", "It is empty."),
        ("source_system", ..., "This field is required."),
        ("subscription_service", None, "This field may not be null."),
        ("is_late", True, "There is no such member."),
        ("id", "7", "There is no such member."),
    ],
)  # fmt: skip
def test_a_wrong_type_or_shape_is_a_400(
    staff: Caller, service: SubscriptionService, member: str, value: Any, message: str
) -> None:
    assert_error(sent(staff, **{member: value}), 400, "invalid", **{member: [message]})
    assert not UsageDataRecord.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff",
        b'{"usage_amount": Infinity}',
    ],
)
def test_a_body_that_is_no_record_is_a_400(staff: Caller, body: bytes) -> None:
    response = staff.send("POST", PATH, body)
    assert response.status_code == 400
    assert parsed(response)["code"] in {"parse_error", "invalid"}


def test_products_of_one_name_are_told_apart_by_their_codes(staff: Caller, service: SubscriptionService) -> None:
    ProductFactory(code="CALL-2", name="Calls")
    sentence = "There are several of them with the name “Calls”: give another member, such as its id."
    assert_error(sent(staff, product={"name": "Calls"}), 422, "refused", product=[sentence])


def test_an_id_must_be_of_the_service_that_has_the_identifier_then(
    staff: Caller, service: SubscriptionService, customer: Customer
) -> None:
    service.end_date = date(2026, 1, 15)
    service.save()
    later = SubscriptionServiceFactory(
        customer=customer, subscription=service.subscription, identifier="+49301", start_date=date(2026, 1, 15)
    )
    sentence = f"The service is not the one with the id “{service.id}”."
    assert_error(
        sent(staff, subscription_service={"id": str(service.id)}), 422, "refused", subscription_service=[sentence]
    )
    shown = parsed(sent(staff, subscription_service={"id": str(later.id)}))
    assert shown["subscription_service"]["id"] == str(later.id)


def test_a_customers_key_sends_usage_of_its_own_services(
    customer: Customer, service: SubscriptionService, caller_of: Callable[..., Caller]
) -> None:
    caller = caller_of(customer, ["usage:write"])
    response = sent(caller)
    shown = parsed(response)
    assert response.status_code == 201
    assert shown["subscription_service"]["identifier"] == "+49301"
    assert shown["log_information"]["created_by_user"] is None
    assert sent(caller).status_code == 200


@pytest.mark.parametrize("way", ["identifier", "id"])
def test_anothers_service_is_to_a_customer_as_one_that_there_is_not(
    customer: Customer, service: SubscriptionService, caller_of: Callable[..., Caller], way: str
) -> None:
    other = SubscriptionServiceFactory(identifier="+49302")
    caller = caller_of(customer)
    answers = []
    for name in (str(getattr(other, way)), "999999"):
        response = sent(caller, subscription_service={way: name})
        assert_error(response, 422, "refused")
        answers.append(response.content.replace(name.encode(), b"NAME"))
    assert answers[0] == answers[1]
    assert not UsageDataRecord.objects.exists()


def test_an_identifier_that_went_to_another_is_his_from_then_on(
    customer: Customer, service: SubscriptionService, caller_of: Callable[..., Caller]
) -> None:
    service.end_date = date(2026, 1, 15)
    service.save()
    SubscriptionServiceFactory(customer=CustomerFactory(), identifier="+49301", start_date=date(2026, 1, 15))
    caller = caller_of(customer)
    assert_error(sent(caller), 422, "refused")
    assert not UsageDataRecord.objects.exists()
    assert sent(caller, from_date="2026-01-14T12:00:00Z", to_date=None).status_code == 201


def test_a_customer_learns_nothing_of_anothers_record_with_its_number(
    customer: Customer, service: SubscriptionService, caller_of: Callable[..., Caller]
) -> None:
    UsageDataRecordFactory(number="R1", source_system=source())
    response = sent(caller_of(customer))
    assert_error(response, 409, "number_conflict")
    answer = parsed(response)
    assert (answer["id"], answer["differences"]) == (None, {})
    assert answer["detail"] == "The source system has sent the record R1 before."


def test_sending_needs_the_scope_and_the_permission(
    customer: Customer, service: SubscriptionService, caller_of: Callable[..., Caller]
) -> None:
    assert_error(sent(caller_of(customer, ["read", "write"])), 403, "scope_missing")
    assert_error(sent(Caller(None)), 401, "not_authenticated")


def test_the_same_key_and_body_give_the_first_answer_again(staff: Caller, service: SubscriptionService) -> None:
    first, second = (staff.send("POST", PATH, CALL, idempotency_key="k1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert_error(staff.send("POST", PATH, CALL | {"number": "R2"}, idempotency_key="k1"), 422, "idempotency_key_reused")
    assert UsageDataRecord.objects.count() == 1


def test_a_refusal_is_kept_for_its_key(staff: Caller, service: SubscriptionService) -> None:
    sent(staff)
    body = CALL | {"usage_amount": 61}
    first, second = (staff.send("POST", PATH, body, idempotency_key="k1") for _ in range(2))
    assert_error(first, 409, "number_conflict")
    assert second.content == first.content


def test_a_record_takes_few_queries(staff: Caller, service: SubscriptionService) -> None:
    with CaptureQueriesContext(connection) as queries:
        sent(staff)
    assert len(queries) <= 14, [query["sql"][:80] for query in queries]
