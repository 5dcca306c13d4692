"""The proof of a run on its page: the root, the button, and what came of verifying."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing import tasks
from billing.admin import run_proof
from billing.models import BillingRun, RunVerification
from billing.operations.runs import commence_run
from tests.factories import RunVerificationFactory, UserFactory
from tests.runs import AT, bill, customer_at, new_run, post, produce, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> BillingRun:
    """A posted run of one customer."""
    customer, call = customer_at("1")
    use(customer, call, 5)
    return post(bill())


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The runs that a worker was woken up for."""
    found: list[int] = []
    monkeypatch.setattr(run_proof, "wake_verifier", lambda *, run_id: found.append(run_id))
    return found


def run_url(run: BillingRun, name: str) -> str:
    return reverse(f"admin:billing_billingrun_{name}", args=[run.pk])


def shown(client: Client, run: BillingRun, name: str = "change") -> str:
    return client.get(run_url(run, name)).content.decode()


def test_it_is_asked_for_and_the_page_shows_it_by_itself(
    admin_client: Client, run: BillingRun, woken: list[int]
) -> None:
    page = shown(admin_client, run)
    assert f'SHA-256 over its invoices: <span class="tb-raw">{run.proof_root}</span>' in page
    assert "Not verified yet" in page
    admin_client.post(run_url(run, "verify"))
    assert woken == [run.pk]
    fragment = f'hx-get="{run_url(run, "proof")}"'
    waiting = shown(admin_client, run)
    assert "Being verified" in waiting
    assert fragment in waiting
    assert tasks.verify_run(run_id=run.pk)
    done = shown(admin_client, run, "proof")
    assert "Identical" in done
    assert "1 of 1 posted invoice came out as posted when computed again" in done
    assert fragment not in done


def test_a_difference_is_shown_as_text(admin_client: Client, run: BillingRun) -> None:
    at = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
    RunVerificationFactory(run=run, asked_at=at, identical_count=1, said="The first is on <b>INV-2</b>.")
    page = shown(admin_client, run)
    assert "Different" in page
    assert "The first is on &lt;b&gt;INV-2&lt;/b&gt;." in page


def test_before_it_is_posted_there_is_no_proof(admin_client: Client) -> None:
    customer, call = customer_at("1")
    use(customer, call, 5)
    run = bill()
    page = shown(admin_client, run)
    assert "run-proof" not in page
    assert run_url(run, "verify") not in page
    response = admin_client.post(run_url(run, "verify"), follow=True)
    assert "there is nothing to verify yet" in response.content.decode()
    assert not RunVerification.objects.exists()


def test_who_may_only_look_sees_it_and_does_not_ask(client: Client, run: BillingRun, woken: list[int]) -> None:
    viewer, stranger = UserFactory(is_staff=True), UserFactory(is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_billingrun"))
    client.force_login(viewer)
    page = shown(client, run)
    assert "Not verified yet" in page
    assert run_url(run, "verify") not in page
    client.post(run_url(run, "verify"))
    assert client.get(run_url(run, "proof")).status_code == 200
    client.force_login(stranger)
    client.post(run_url(run, "verify"))
    assert client.get(run_url(run, "proof")).status_code == 403
    assert woken == []
    assert not RunVerification.objects.exists()


BUTTONS = ("cancel", "pause", "resume", "undo", "retry", "approve", "commence", "verify")


@pytest.mark.parametrize("status", ["pending", "commenced", "completed"])
@pytest.mark.parametrize("permissions", [(), ("view_billingrun", "view_runaccount")])
def test_no_button_does_anything_for_who_may_not(client: Client, status: str, permissions: tuple[str, ...]) -> None:
    customer, call = customer_at("1")
    use(customer, call, 5)
    run = new_run()
    if status != "pending":
        commence_run(run_id=run.pk, at=AT, without_preflight=True)
    if status == "completed":
        produce(run)
    user = UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    before = BillingRun.objects.values().get(pk=run.pk)
    for button in BUTTONS:
        assert client.post(run_url(run, button)).status_code in {302, 403}
    assert BillingRun.objects.values().get(pk=run.pk) == before
