"""Every action on a run in every state that it may be in: what it makes of it, or the words in which it is refused."""

from collections.abc import Callable

import pytest

from billing.models import BillingRun
from billing.operations.errors import RunConflict
from billing.operations.pausing import pause_run, resume_run
from billing.operations.preview import preview_run
from billing.operations.run_accounts import retry_failed
from billing.operations.runs import approve_run, cancel_run, commence_run, complete_run
from billing.operations.undo import undo_run
from tests.billing.run_states import STATES, changed, contents
from tests.runs import AT, customer_at, use

pytestmark = pytest.mark.django_db

ACTIONS: dict[str, Callable[[int], object]] = {
    "commence": lambda run_id: commence_run(run_id=run_id, at=AT, without_preflight=True),
    "preview": lambda run_id: preview_run(run_id=run_id, at=AT),
    "cancel": lambda run_id: cancel_run(run_id=run_id),
    "pause": lambda run_id: pause_run(run_id=run_id, at=AT),
    "resume": lambda run_id: resume_run(run_id=run_id),
    "undo": lambda run_id: undo_run(run_id=run_id),
    "retry failed": lambda run_id: retry_failed(run_id=run_id),
    "approve": lambda run_id: approve_run(run_id=run_id, at=AT),
}
ONLY = {
    "commence": "only a pending run can be commenced",
    "preview": "only a pending run can be commenced",
    "cancel": "only a pending run can be cancelled",
    "pause": "only a commenced run can be paused",
    "resume": "only a commenced run can be resumed",
    "undo": "only a commenced or completed run can be undone",
    "retry failed": "only in a commenced or completed run can failed accounts be tried again",
    "approve": "only a completed run can be approved",
}
APPROVED = "was approved on 2026-02-01 at 09:00 UTC: what is posted stands. Correct it with credit notes"
APPROVED_BEFORE = "was approved before, on 2026-02-01 at 09:00 UTC"
# The state afterwards; a refusal where it is missing, by `ONLY` but for those in `OTHERWISE`.
ALLOWED = {
    ("commence", "pending"): "commenced",
    ("preview", "pending"): "pending",
    ("cancel", "pending"): "cancelled",
    ("pause", "commenced"): "paused",
    ("pause", "paused"): "paused",
    ("resume", "commenced"): "commenced",
    ("resume", "paused"): "commenced",
    ("undo", "commenced"): "pending",
    ("undo", "paused"): "pending",
    ("undo", "completed"): "pending",
    ("retry failed", "commenced"): "commenced",
    ("retry failed", "paused"): "paused",
    ("retry failed", "completed"): "completed",
    ("retry failed", "approved"): "approved",
    ("approve", "completed"): "approved",
}
OTHERWISE = {("undo", "approved"): APPROVED, ("approve", "approved"): APPROVED_BEFORE}


def state_of(run_id: int) -> str:
    run = BillingRun.objects.get(pk=run_id)
    if run.paused_at is not None:
        return "paused"
    return "approved" if run.approved_at is not None else run.status


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_in_each_state(action: str, state: str) -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    run = STATES[state]()
    assert state_of(run.pk) == state
    if (action, state) in ALLOWED:
        ACTIONS[action](run.pk)
        assert state_of(run.pk) == ALLOWED[action, state]
        return
    before, status = contents(), "commenced" if state == "paused" else "completed" if state == "approved" else state
    sentence = OTHERWISE.get((action, state), f"is {status}: {ONLY[action]}")
    with pytest.raises(RunConflict, match=f"^Run {run.pk} {sentence}.$"):
        ACTIONS[action](run.pk)
    assert changed(before, contents()) == {}


@pytest.mark.parametrize("state", STATES)
def test_only_a_commenced_run_that_is_not_paused_and_waits_for_nothing_is_completed(state: str) -> None:
    customer_at("1")
    run = STATES[state]()
    run.chunks.update(produced_at=AT)
    assert complete_run(run_id=run.pk, at=AT) is (state == "commenced")
    assert state_of(run.pk) == ("completed" if state == "commenced" else state)


@pytest.mark.parametrize(
    ("action", "state"), [("pause", "paused"), ("resume", "commenced"), ("retry failed", "completed")]
)
def test_pressed_twice_it_changes_nothing_the_second_time(action: str, state: str) -> None:
    customer_at("1")
    run = STATES[state]()
    before = contents()
    ACTIONS[action](run.pk)
    assert changed(before, contents()) == {}
