"""`Idempotency-Key`: the same write twice is one write."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from billing.models import BillingRun
from customers.models import ApiKey, IdempotentRequest
from customers.operations.api_keys import create_api_key
from customers.operations.idempotent_requests import key_in_use
from tests.api.caller import Caller, assert_error, parsed
from tests.factories.billing import BillingRunFactory
from tests.factories.customers import UserFactory
from tests.factories.usage import SourceSystemFactory
from usage.models import UsageImport

pytestmark = pytest.mark.django_db

RUNS = "/backend/api/v1/billingRuns"
JANUARY = {"name": "January", "invoiceDate": "2026-02-01", "cutoffDate": "2026-02-01", "dueDate": "2026-03-03"}


def test_the_same_key_and_body_give_the_first_answer_again(staff: Caller) -> None:
    first = staff.send("POST", RUNS, JANUARY, idempotency_key="k1")
    BillingRun.objects.update(name="Changed since")
    second = staff.send("POST", RUNS, JANUARY, idempotency_key="k1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert BillingRun.objects.count() == 1


def test_without_a_key_each_write_is_one(staff: Caller) -> None:
    for _ in range(2):
        staff.send("POST", RUNS, JANUARY)
    assert BillingRun.objects.count() == 2


@pytest.mark.parametrize(("method", "path"), [("POST", RUNS), ("POST", RUNS + "/"), ("POST", f"{RUNS}?x=1")])
def test_the_same_key_with_another_request_is_a_422(staff: Caller, method: str, path: str) -> None:
    staff.send("POST", RUNS, JANUARY, idempotency_key="k1")
    body = JANUARY if path != RUNS else JANUARY | {"name": "February"}
    response = staff.send(method, path, body, idempotency_key="k1")
    assert_error(response, 422, "idempotency_key_reused")
    assert BillingRun.objects.count() == 1


def test_a_refusal_is_an_answer_too(staff: Caller) -> None:
    run = BillingRunFactory(completed=True)
    first = staff.send("POST", f"{RUNS}/{run.id}/cancel", idempotency_key="k1")
    second = staff.send("POST", f"{RUNS}/{run.id}/cancel", idempotency_key="k1")
    assert_error(first, 409, "wrong_state")
    assert second.content == first.content
    assert_error(staff.send("POST", RUNS, {}, idempotency_key="k2"), 400, "invalid")
    assert_error(staff.send("POST", RUNS, JANUARY, idempotency_key="k2"), 422, "idempotency_key_reused")


def test_keys_of_two_callers_do_not_meet(staff: Caller) -> None:
    other = Caller(create_api_key(scopes=["write"], user_id=UserFactory(is_superuser=True).id)[1])
    for caller in (staff, other):
        assert caller.send("POST", RUNS, JANUARY, idempotency_key="k1").status_code == 201
    assert BillingRun.objects.count() == 2


def test_actions_and_changes_take_a_key(staff: Caller) -> None:
    run = BillingRunFactory()
    for _ in range(2):
        assert staff.send("PATCH", f"{RUNS}/{run.id}", {"name": "New"}, idempotency_key="k1").status_code == 200
        assert staff.send("POST", f"{RUNS}/{run.id}/cancel", idempotency_key="k2").status_code == 200
    assert IdempotentRequest.objects.count() == 2


def test_an_upload_takes_a_key(staff: Caller) -> None:
    SourceSystemFactory(name="Switch")
    path = "/usage/v1/usage_imports?source_system=Switch"
    first = staff.send("POST", path, b"number,nonsense\n1,2\n", content_type="text/csv", idempotency_key="k1")
    second = staff.send("POST", path, b"number,nonsense\n1,2\n", content_type="text/csv", idempotency_key="k1")
    other = staff.send("POST", path, b"number,nonsense\n1,3\n", content_type="text/csv", idempotency_key="k1")

    assert first.status_code in {202, 422}
    assert second.content == first.content
    assert_error(other, 422, "idempotency_key_reused")
    assert UsageImport.objects.count() == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "ÿ", "tab\there"])
def test_a_bad_key_is_a_400(staff: Caller, key: str) -> None:
    response = staff.send("POST", RUNS, JANUARY, idempotency_key=key)
    assert_error(response, 400, "invalid")
    assert list(parsed(response)["errors"]) == ["Idempotency-Key"]
    assert not BillingRun.objects.exists()


def test_a_login_has_no_idempotency(db: None) -> None:
    client = Client()
    client.force_login(UserFactory(is_superuser=True))
    response = client.post(RUNS, JANUARY, content_type="application/json", headers={"Idempotency-Key": "k1"})
    assert_error(response, 400, "invalid")


def test_a_write_that_fails_leaves_its_key_free(staff: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError

    staff.client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("billing.api.runs.create_run", fail)
        assert_error(staff.send("POST", RUNS, JANUARY, idempotency_key="k1"), 500, "error")
    assert staff.send("POST", RUNS, JANUARY, idempotency_key="k1").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_one_and_a_409(staff: Caller, other_connection: Callable[..., Any]) -> None:
    api_key_id = ApiKey.objects.get().id
    with other_connection(lambda: key_in_use(api_key_id=api_key_id, key="k1")):
        assert_error(staff.send("POST", RUNS, JANUARY, idempotency_key="k1"), 409, "idempotency_key_in_use")
    assert not BillingRun.objects.exists()
    assert staff.send("POST", RUNS, JANUARY, idempotency_key="k1").status_code == 201
