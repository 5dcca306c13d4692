"""A run goes from pending to commenced to completed, or to cancelled; nothing else, and not twice."""

from collections.abc import Callable
from datetime import date
from typing import Any, cast

import pytest
from django.db.models import QuerySet

from billing.models import BillingRun, RunAccount, RunChunk
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.preview import preview_run
from billing.operations.runs import approve_run, cancel_run, commence_run, complete_run, update_run
from invoicing.models import Invoice, NumberSeries
from tests.factories import BillingCycleFactory, CustomerBillingFactory, CustomerFactory, InvoiceMessageFactory
from tests.refusals import refused
from tests.runs import AT, JANUARY, customer_at, new_run, post, produce, use
from usage.models import PendingUsage

pytestmark = pytest.mark.django_db


def pending() -> BillingRun:
    return new_run(name="Run")


def commenced() -> BillingRun:
    return commence_run(run_id=pending().pk, at=AT, without_preflight=True)


def completed() -> BillingRun:
    return produce(commenced())


def approved() -> BillingRun:
    return post(completed())


def cancelled() -> BillingRun:
    return cancel_run(run_id=pending().pk)


OPERATIONS: dict[str, Callable[[int], object]] = {
    "commenced": lambda run_id: commence_run(run_id=run_id, at=AT, without_preflight=True),
    "previewed": lambda run_id: preview_run(run_id=run_id, at=AT),
    "cancelled": lambda run_id: cancel_run(run_id=run_id),
    "approved": lambda run_id: approve_run(run_id=run_id, at=AT),
}
ONLY_PENDING = "only a pending run can be commenced"
REFUSALS = [
    ("commenced", commenced, f"is commenced: {ONLY_PENDING}"),
    ("commenced", completed, f"is completed: {ONLY_PENDING}"),
    ("commenced", approved, f"is completed: {ONLY_PENDING}"),
    ("commenced", cancelled, f"is cancelled: {ONLY_PENDING}"),
    ("previewed", commenced, f"is commenced: {ONLY_PENDING}"),
    ("previewed", completed, f"is completed: {ONLY_PENDING}"),
    ("previewed", cancelled, f"is cancelled: {ONLY_PENDING}"),
    ("cancelled", commenced, "is commenced: only a pending run can be cancelled"),
    ("cancelled", completed, "is completed: only a pending run can be cancelled"),
    ("cancelled", approved, "is completed: only a pending run can be cancelled"),
    ("cancelled", cancelled, "is cancelled: only a pending run can be cancelled"),
    ("approved", pending, "is pending: only a completed run can be approved"),
    ("approved", commenced, "is commenced: only a completed run can be approved"),
    ("approved", cancelled, "is cancelled: only a completed run can be approved"),
    ("approved", approved, "was approved before, on 2026-02-01 at 09:00 UTC"),
]


def everything() -> list[list[dict[str, Any]]]:
    tables = (BillingRun, RunChunk, RunAccount, Invoice, PendingUsage, NumberSeries)
    return [list(cast("QuerySet[Any, Any]", table._default_manager.order_by("pk").values())) for table in tables]


@pytest.mark.parametrize(("operation", "state", "sentence"), REFUSALS)
def test_what_a_state_does_not_allow_is_refused_by_name_and_changes_nothing(
    operation: str, state: Callable[[], BillingRun], sentence: str
) -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    run = state()
    before = everything()
    with pytest.raises(RunConflict, match=f"^Run {run.pk} {sentence}.$"):
        OPERATIONS[operation](run.pk)
    assert everything() == before


@pytest.mark.parametrize("state", [commenced, completed, approved, cancelled])
@pytest.mark.parametrize(
    ("field", "value", "called"),
    [
        ("invoice_date", date(2026, 2, 2), "invoice date"),
        ("cutoff_date", date(2026, 2, 2), "cutoff date"),
        ("transaction_cutoff_date", date(2026, 2, 2), "transaction cutoff date"),
        ("due_date", date(2026, 4, 1), "due date"),
        ("subrun", "even", "subrun"),
        ("bill_unpriced", True, "rule for unpriced usage"),
    ],
)
def test_what_is_locked_changes_only_while_the_run_is_pending(
    state: Callable[[], BillingRun], field: str, value: object, called: str
) -> None:
    CustomerFactory()
    run = state()
    before = BillingRun.objects.values().get()
    sentence = f"^Run {run.pk} is {run.status}: its {called} can be changed only while it is pending.$"
    with pytest.raises(RunConflict, match=sentence):
        update_run(run_id=run.pk, changes={"name": "Other", field: value})
    assert BillingRun.objects.values().get() == before


@pytest.mark.parametrize("state", [commenced, completed, cancelled])
def test_the_message_is_locked_with_the_dates(state: Callable[[], BillingRun]) -> None:
    CustomerFactory()
    run, message = state(), InvoiceMessageFactory()
    with pytest.raises(RunConflict, match="its invoice message can be changed only while it is pending"):
        update_run(run_id=run.pk, changes={"invoice_message_id": message.id})


@pytest.mark.parametrize("state", [pending, commenced, completed, cancelled])
def test_the_name_and_what_stays_the_same_may_be_sent_at_any_time(state: Callable[[], BillingRun]) -> None:
    CustomerFactory()
    run = state()
    changes = {"name": "January", "cutoff_date": run.cutoff_date, "subrun": run.subrun, "invoice_message_id": None}
    assert update_run(run_id=run.pk, changes=changes).name == "January"
    assert update_run(run_id=run.pk, changes={}).name == "January"


def test_while_it_is_pending_everything_may_change() -> None:
    message = InvoiceMessageFactory()
    changes: dict[str, object] = {
        "name": "February",
        "invoice_date": date(2026, 3, 1),
        "cutoff_date": date(2026, 3, 1),
        "transaction_cutoff_date": date(2026, 2, 28),
        "due_date": date(2026, 3, 31),
        "subrun": "even",
        "invoice_message_id": message.id,
        "bill_unpriced": True,
    }
    run = update_run(run_id=pending().pk, changes=changes)
    assert {field: getattr(run, field) for field in changes} == changes


def test_what_cannot_be_is_refused() -> None:
    run = pending()
    with pytest.raises(RunRefused, match=r"^The due date 2026-01-31 is before the invoice date 2026-02-01\.$"):
        new_run(due_date=date(2026, 1, 31))
    with pytest.raises(RunRefused, match=r"^The due date 2026-01-31 is before the invoice date 2026-02-01\.$"):
        update_run(run_id=run.pk, changes={"due_date": date(2026, 1, 31)})
    with pytest.raises(RunRefused, match=r"^A run has no field approved_at, status that can be changed\.$"):
        update_run(run_id=run.pk, changes={"status": "completed", "approved_at": AT, "name": "Other"})
    assert BillingRun.objects.values_list("name", "due_date").get() == ("Run", JANUARY["due_date"])


@pytest.mark.parametrize(
    ("state", "status"), [(completed, "commenced"), (cancelled, "pending"), (pending, "completed")]
)
def test_the_database_knows_the_order_too(state: Callable[[], BillingRun], status: str) -> None:
    CustomerFactory()
    run = state()
    with refused("Invalid transition of field"):
        BillingRun.objects.filter(pk=run.pk).update(status=status)


def test_only_a_commenced_run_in_which_nothing_waits_is_completed() -> None:
    CustomerFactory()
    assert complete_run(run_id=pending().pk, at=AT) is False
    run = commenced()
    assert complete_run(run_id=run.pk, at=AT) is False
    run.chunks.update(produced_at=AT)
    assert complete_run(run_id=run.pk, at=AT) is True
    assert complete_run(run_id=run.pk, at=AT) is False


def test_a_customer_that_waits_in_another_run_holds_the_second_one_up() -> None:
    even = BillingCycleFactory(subrun="even")
    CustomerBillingFactory(customer=CustomerFactory(account_number="EVEN-1"), billing_cycle=even)
    CustomerFactory(account_number="OTHER")
    # Other runs wait too, older and newer ones; the one that is named is the one that is in the way.
    odd = BillingCycleFactory(subrun="odd")
    CustomerBillingFactory(customer=CustomerFactory(account_number="ODD"), billing_cycle=odd)
    commence_run(run_id=new_run(subrun="odd").pk, at=AT, without_preflight=True)
    first, second = new_run(name="Even", subrun="even"), new_run(subrun="even")
    commence_run(run_id=first.pk, at=AT, without_preflight=True)
    commence_run(run_id=new_run(name="No subrun").pk, at=AT, without_preflight=True)
    before = everything()
    sentence = (
        f"^Run {second.pk} cannot be commenced yet: customer EVEN-1 still waits in run {first.pk} \\(Even\\). "
        "Wait until that is completed.$"
    )
    for operation in ("commenced", "previewed"):
        with pytest.raises(RunRefused, match=sentence):
            OPERATIONS[operation](second.pk)
    assert everything() == before
    produce(first)
    assert commence_run(run_id=second.pk, at=AT, without_preflight=True).status == "commenced"
