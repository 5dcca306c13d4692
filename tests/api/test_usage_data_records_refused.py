"""`POST usage_data_records`: what is refused, and how it is said."""

from typing import Any

import pytest

from customers.models import SubscriptionService
from tests.api.caller import Caller, assert_error, parsed
from tests.api.sending import PATH, sent
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db


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
