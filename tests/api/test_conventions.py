"""What holds for all three APIs: keys, slashes, errors, limits."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import DataError, IntegrityError, OperationalError
from django.test import Client
from django.utils import timezone

from config.api.errors import exception_handler
from customers.models import ApiKey, Customer
from customers.operations.api_keys import create_api_key, revoke_api_key
from tests.api.caller import Caller, assert_error, parsed
from tests.factories.customers import CustomerFactory, UserFactory

pytestmark = pytest.mark.django_db

INVOICES = "/billing/v3/invoices"
LISTS = [INVOICES, "/usage/v1/usage_data_records", "/usage/v1/usage_imports", "/backend/api/v1/billingRuns"]


@pytest.mark.parametrize("path", LISTS)
def test_both_headers_take_a_key(staff_key: str, path: str) -> None:
    for headers in ({"Authorization": f"Bearer {staff_key}"}, {"Fastly-Key": staff_key}):
        assert Client().get(path, headers=headers).status_code == 200


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic Y2xlcms6c2VjcmV0"}])
def test_no_key_is_a_401(path: str, headers: dict[str, str]) -> None:
    response = Client().get(path, headers=headers)
    assert_error(response, 401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("key", ["tb_wrong", "", "ÿ\x00", "a b"])
def test_a_wrong_key_is_a_401(key: str) -> None:
    assert_error(Client().get(INVOICES, headers={"Authorization": f"Bearer {key}"}), 401, "key_unknown")


def test_a_revoked_key_is_a_401(customer: Customer) -> None:
    api_key, text = create_api_key(scopes=["read"], customer_id=customer.id)
    revoke_api_key(api_key_id=api_key.id, at=timezone.now())
    assert_error(Caller(text).get(INVOICES), 401, "key_revoked")


def test_an_expired_key_is_a_401(customer: Customer) -> None:
    _, text = create_api_key(scopes=["read"], customer_id=customer.id, expires_at=timezone.now() - timedelta(seconds=1))
    assert_error(Caller(text).get(INVOICES), 401, "key_expired")
    _, text = create_api_key(scopes=["read"], customer_id=customer.id, expires_at=timezone.now() + timedelta(hours=1))
    assert Caller(text).get(INVOICES).status_code == 200


def test_a_key_ends_with_its_user(staff: Caller) -> None:
    user = ApiKey.objects.get().user
    assert user is not None
    user.is_active = False
    user.save()
    assert_error(staff.get(INVOICES), 401, "key_user_inactive")


def test_staff_that_is_logged_in_needs_no_key(db: None) -> None:
    client = Client()
    client.force_login(UserFactory(is_superuser=True))
    assert client.get(INVOICES).status_code == 200
    client.force_login(UserFactory(is_superuser=True, is_staff=False))
    assert_error(client.get(INVOICES), 401, "not_authenticated")


def test_a_login_needs_the_csrf_token_to_write(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory(is_superuser=True))
    response = client.post("/backend/api/v1/billingRuns", b"{}", content_type="application/json")
    assert_error(response, 403, "permission_denied")


def test_staff_sees_what_its_user_may_see(db: None) -> None:
    user = UserFactory(username="reader")
    caller = Caller(create_api_key(scopes=["read"], user_id=user.id)[1])
    response = caller.get(INVOICES)
    assert_error(response, 403, "permission_denied")
    assert parsed(response)["detail"] == "The user reader lacks the permission invoicing.view_invoice."

    user.user_permissions.add(Permission.objects.get(codename="view_invoice"))
    assert caller.get(INVOICES).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", INVOICES, "read"),
        ("GET", "/usage/v1/usage_data_records/1", "read"),
        ("POST", "/usage/v1/usage_imports", "usage:write"),
        ("POST", "/backend/api/v1/billingRuns", "write"),
        ("PATCH", "/backend/api/v1/billingRuns/1", "write"),
        ("PUT", "/backend/api/v1/billingRuns/1", "write"),
        ("POST", "/backend/api/v1/billingRuns/1/commence", "billing:run"),
        ("POST", "/backend/api/v1/billingRuns/1/approve", "billing:run"),
        ("POST", "/backend/api/v1/billingRuns/1/cancel", "billing:run"),
    ],
)
def test_each_request_needs_its_scope(db: None, method: str, path: str, scope: str) -> None:
    user = UserFactory(is_superuser=True)
    others = [other for other in ("read", "write", "usage:write", "billing:run") if other != scope]
    response = Caller(create_api_key(scopes=others, user_id=user.id)[1]).send(method, path)
    assert_error(response, 403, "scope_missing")
    assert parsed(response)["detail"] == f"This API key lacks the scope {scope}."

    allowed = Caller(create_api_key(scopes=[scope], user_id=user.id)[1]).send(method, path)
    assert allowed.status_code not in {401, 403}


@pytest.mark.parametrize(
    "path", ["/usage/v1/usage_imports", "/backend/api/v1/billingRuns", "/backend/api/v1/billingRuns/1"]
)
def test_what_is_the_staffs_is_no_customers(customer: Customer, caller_of: Callable[..., Caller], path: str) -> None:
    assert_error(caller_of(customer).get(path), 403, "staff_only")


@pytest.mark.parametrize("path", [*LISTS, "/api/schema", "/api/docs"])
def test_a_slash_at_the_end_makes_no_difference(staff: Caller, path: str) -> None:
    assert staff.get(path).status_code == 200
    assert staff.get(path + "/").status_code == 200


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/backend/api/v1/billingRuns", 400),
        ("PATCH", "/backend/api/v1/billingRuns/1", 404),
        ("PUT", "/backend/api/v1/billingRuns/1", 404),
        ("DELETE", "/backend/api/v1/billingRuns/1", 405),
        ("POST", "/backend/api/v1/billingRuns/1/commence", 404),
        ("POST", "/usage/v1/usage_imports", 400),
        ("POST", INVOICES, 405),
        ("DELETE", "/usage/v1/usage_data_records/1", 405),
        ("GET", "/usage/v1/usage_imports/1/quarantine", 404),
        ("GET", "/usage/v1/usage_imports/1/conflicts", 404),
        ("GET", "/backend/api/v1/billingRuns/1/accounts", 404),
        ("GET", "/backend/api/v1/billingRuns/1/preview", 404),
        ("GET", INVOICES + "/1", 404),
        ("GET", INVOICES + "/1/usage-reports", 404),
        ("GET", INVOICES + "/month-to-date", 400),
    ],
)
def test_errors_are_objects_with_or_without_a_slash(
    staff: Caller, method: str, path: str, status: int, slash: str
) -> None:
    code = {400: "invalid", 404: "not_found", 405: "method_not_allowed"}[status]
    assert_error(staff.send(method, path + slash, {}), status, code)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/backend/api/v1/nothing",
        "/backend",
        "/backend/api/v2/billingRuns/",
        "/billing/v3/x",
        "/usage/v1/",
        "/usage",
        "/api",
    ],
)
def test_an_unknown_address_is_a_json_404(method: str, path: str) -> None:
    assert_error(Caller(None).send(method, path), 404, "not_found")


def test_outside_the_apis_pages_stay_pages(db: None) -> None:
    assert Client().get("/nothing-here").headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "text", ["0", "-1", "x", "1.0", "007", "9223372036854775808", "1" * 400, "%00", "1%0A", "%F0%9F%92%A9", "\u0661"]
)
@pytest.mark.parametrize(
    "path", [INVOICES, "/usage/v1/usage_data_records", "/usage/v1/usage_imports", "/backend/api/v1/billingRuns"]
)
def test_what_cannot_be_an_id_is_not_found(staff: Caller, path: str, text: str) -> None:
    assert_error(staff.get(f"{path}/{text}"), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"{INVOICES}?customer_id=%00", "customer_id"),
        (f"{INVOICES}?cursor=%00", "cursor"),
        ("/usage/v1/usage_data_records?product=a%00b", "product"),
        ("/usage/v1/usage_data_records?limit=%00", "limit"),
        ("/usage/v1/usage_data_records?from_date_after=yesterday", "from_date_after"),
        ("/usage/v1/usage_data_records?billing_effective_date_after=2026-02-30", "billing_effective_date_after"),
        ("/usage/v1/usage_imports?limit=201", "limit"),
        ("/backend/api/v1/billingRuns?idAfter=9223372036854775808", "idAfter"),
        ("/backend/api/v1/billingRuns?createdSince=2026-13-01", "createdSince"),
    ],
)
def test_a_bad_query_names_its_parameter(staff: Caller, path: str, field: str) -> None:
    response = staff.get(path)
    assert_error(response, 400, "invalid")
    assert list(parsed(response)["errors"]) == [field]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[1",
        b"nonsense",
        b"\xff\xfe",
        b'{"name": NaN}',
        b"[" * 100_000,
        b'{"a": ' + b"1" * 5_000 + b"}",
        b"1e9999999999999999999",
    ],
)
def test_a_malformed_body_is_a_400(staff: Caller, body: bytes) -> None:
    response = staff.send("POST", "/backend/api/v1/billingRuns", body)
    assert response.status_code == 400
    assert parsed(response)["code"] in {"parse_error", "invalid"}


@pytest.mark.parametrize("body", [[], ["a"], "text", 7])
def test_a_body_that_is_no_object_is_a_400(staff: Caller, body: Any) -> None:
    assert_error(staff.send("POST", "/backend/api/v1/billingRuns", body), 400, "invalid")


def test_a_body_that_is_too_large_is_a_413(staff: Caller, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    for headers in ({}, {"idempotency_key": "k1"}):
        response = staff.send("POST", "/backend/api/v1/billingRuns", b" " * 1_001, **headers)
        assert_error(response, 413, "too_large")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_another_type_of_body_is_a_415(staff: Caller, content_type: str) -> None:
    response = staff.send("POST", "/backend/api/v1/billingRuns", b"name=x", content_type=content_type)
    assert_error(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("accept", ["text/html", "application/pdf", "image/png"])
def test_another_format_is_a_406(staff: Caller, accept: str) -> None:
    assert_error(staff.get(INVOICES, accept=accept), 406, "not_acceptable")


def test_a_browser_gets_json(staff: Caller) -> None:
    response = staff.get(INVOICES, accept="text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    assert parsed(response)["data"] == []


def test_too_many_requests_are_a_429_with_retry_after(staff: Caller, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 0
    response = staff.get(INVOICES)
    assert_error(response, 429, "throttled")
    assert 1 <= int(response.headers["Retry-After"]) <= 60


def test_each_key_has_its_own_count(
    customer: Customer, staff: Caller, caller_of: Callable[..., Caller], settings: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    statuses = [caller.get(INVOICES).status_code for caller in (staff, caller_of(customer)) for _ in range(4)]
    # The clock's minute may turn in between: then nobody is over.
    assert statuses in ([200, 200, 200, 429] * 2, [200] * 4 + [200, 200, 200, 429], [200] * 8)


def test_a_cache_that_is_away_refuses_nobody(staff: Caller, settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nowhere.sock"}
    }
    assert staff.get(INVOICES).status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (DataError("numeric field overflow"), 400, "invalid"),
        (IntegrityError("duplicate key"), 409, "conflict"),
        (OperationalError("the connection is lost"), 503, "unavailable"),
    ],
)
def test_errors_of_the_database_say_nothing_of_it(error: Exception, status: int, code: str) -> None:
    response = exception_handler(error, {})
    assert response is not None
    assert (response.status_code, response.data["code"]) == (status, code)
    assert str(error) not in str(response.data)


def test_what_nobody_foresaw_is_a_json_500(staff: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("invoicing.api.invoices.checked_query", fail)
    staff.client.raise_request_exception = False
    response = staff.get(INVOICES)
    assert_error(response, 500, "error")
    assert b"secret" not in response.content


def test_a_wrong_host_is_a_json_400(staff: Caller, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["billing.example.com"]
    assert_error(staff.get(INVOICES, host="other.example.com"), 400, "bad_request")


def test_another_customer_does_not_show(customer: Customer, caller_of: Callable[..., Caller]) -> None:
    CustomerFactory(account_number="OTHER-1")
    caller = caller_of(customer)
    assert caller.ask(f"{INVOICES}?customer_id=OTHER-1") == caller.ask(f"{INVOICES}?customer_id=NOBODY-1")
