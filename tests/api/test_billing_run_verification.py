"""The proof of a run in the backend API: its root, and its posted invoices computed again."""

from datetime import UTC, datetime

import pytest

from billing import tasks
from billing.api import verifications
from billing.models import BillingRun, RunVerification
from customers.operations.api_keys import create_api_key
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import RunVerificationFactory, UserFactory
from tests.runs import bill, customer_at, post, use

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/billingRuns"


@pytest.fixture
def run() -> BillingRun:
    """A completed run with one draft."""
    customer, call = customer_at("1")
    use(customer, call, 5)
    return bill()


def test_the_root_is_shown_once_all_is_posted(staff: Caller, run: BillingRun) -> None:
    assert staff.ask(f"{PATH}/{run.pk}")["proofRoot"] == ""
    root = post(run).proof_root
    assert len(root) == 64
    assert staff.ask(f"{PATH}/{run.pk}")["proofRoot"] == root
    changed = parsed(staff.send("PATCH", f"{PATH}/{run.pk}", {"proofRoot": "0" * 64, "name": "Other"}))
    assert (changed["name"], changed["proofRoot"]) == ("Other", root)


def test_it_is_asked_for_and_what_came_of_it_is_shown(
    staff: Caller, run: BillingRun, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(verifications, "wake_verifier", lambda *, run_id: woken.append(run_id))
    root = post(run).proof_root
    before = {
        "state": "neverAsked",
        "proofRoot": root,
        "invoiceCount": None,
        "identicalCount": None,
        "isIdentical": None,
        "firstDifference": "",
        "askedDate": None,
        "finishedDate": None,
    }
    assert staff.ask(f"{PATH}/{run.pk}/verification") == before
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        response = staff.send("POST", f"{PATH}/{run.pk}/verify")
    assert response.status_code == 202
    assert woken == [run.pk]
    asked = parsed(response)
    assert asked == before | {"state": "waiting", "askedDate": asked["askedDate"]}
    assert parsed(staff.send("POST", f"{PATH}/{run.pk}/verify"))["askedDate"] == asked["askedDate"]
    assert tasks.verify_run(run_id=run.pk)
    done = staff.ask(f"{PATH}/{run.pk}/verification/")
    assert done == asked | {
        "state": "finished",
        "invoiceCount": 1,
        "identicalCount": 1,
        "isIdentical": True,
        "finishedDate": done["finishedDate"],
    }
    assert RunVerification.objects.values_list("asked_by__username", flat=True).get() == "clerk"


def test_a_difference_is_told_in_words(staff: Caller) -> None:
    at = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
    sentence = "The first difference is on INV-000002: line 1: amount is 5, computed again it is 4."
    found = RunVerificationFactory(asked_at=at, identical_count=1, said=sentence)
    shown = staff.ask(f"{PATH}/{found.run_id}/verification")
    assert (shown["state"], shown["isIdentical"], shown["identicalCount"]) == ("finished", False, 1)
    assert shown["firstDifference"] == sentence
    assert shown["askedDate"] == "2026-02-03T09:00:00Z"
    given_up = RunVerificationFactory(invoice_count=None, identical_count=None, said="No worker has done it.")
    shown = staff.ask(f"{PATH}/{given_up.run_id}/verification")
    assert (shown["state"], shown["isIdentical"], shown["firstDifference"]) == (
        "notDone",
        None,
        "No worker has done it.",
    )


def test_without_posted_invoices_it_is_a_conflict(staff: Caller, run: BillingRun) -> None:
    assert_error(staff.send("POST", f"{PATH}/{run.pk}/verify"), 409, "wrong_state")
    assert_error(staff.get(f"{PATH}/999999/verification"), 404, "not_found")
    assert staff.get(f"{PATH}/{run.pk}/verify").status_code == 405


def test_asking_for_it_needs_the_scope_of_runs(run: BillingRun) -> None:
    user = UserFactory(is_superuser=True)
    writer = Caller(create_api_key(scopes=["read", "write"], user_id=user.pk)[1])
    assert_error(writer.send("POST", f"{PATH}/{run.pk}/verify"), 403, "scope_missing")
    assert writer.ask(f"{PATH}/{run.pk}/verification")["state"] == "neverAsked"
