"""Having a run verified: asked for, done by whichever worker comes first, and kept with what came of it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from billing import tasks
from billing.models import BillingRun, RunVerification
from billing.operations import verification, verifications
from billing.operations.errors import RunConflict
from billing.operations.production import prepare_session
from billing.operations.verifications import ask_for_verification, give_up_verifications, verify_as_asked
from billing.queries.verifications import latest_verification, run_ids_to_verify
from tests.billing.received import behind_its_back
from tests.concurrency.sessions import transaction_open
from tests.factories import RunVerificationFactory
from tests.refusals import refused
from tests.runs import AT, bill, customer_at, invoice, post, use

DONE_AT = datetime(2026, 2, 1, 9, 5, tzinfo=UTC)


def done() -> datetime:
    return DONE_AT


@pytest.fixture
def run(request: pytest.FixtureRequest) -> BillingRun:
    """A posted run of two customers."""
    request.getfixturevalue("transactional_db" if "transaction" in request.keywords else "db")
    for number in ("A", "B"):
        customer, call = customer_at("1", account_number=number)
        use(customer, call, 5)
    return post(bill())


def test_what_was_asked_for_is_done_once_and_kept(run: BillingRun) -> None:
    assert latest_verification(run.pk) is None
    first = ask_for_verification(run_id=run.pk, at=AT)
    assert ask_for_verification(run_id=run.pk, at=AT + timedelta(minutes=1)) == first
    assert run_ids_to_verify() == [run.pk]
    assert verify_as_asked(run_id=run.pk, now=done)
    assert not verify_as_asked(run_id=run.pk, now=done)
    assert run_ids_to_verify() == []
    found = RunVerification.objects.get()
    assert (found.invoice_count, found.identical_count, found.said, found.is_identical) == (2, 2, "", True)
    assert (found.asked_at, found.finished_at) == (AT, DONE_AT)
    # Asked again, it is done again, and both are kept.
    ask_for_verification(run_id=run.pk, at=DONE_AT)
    assert verify_as_asked(run_id=run.pk, now=done)
    assert RunVerification.objects.count() == 2


def test_the_first_difference_is_kept_in_words(run: BillingRun) -> None:
    document = invoice(run, run.accounts.order_by("id")[1].customer)
    with behind_its_back() as cursor:
        cursor.execute("UPDATE invoice_line SET product_code = 'X' WHERE invoice_id = %s", [document.pk])
    ask_for_verification(run_id=run.pk, at=AT)
    assert verify_as_asked(run_id=run.pk, now=done)
    found = RunVerification.objects.get()
    assert (found.invoice_count, found.identical_count, found.is_identical) == (2, 1, False)
    assert found.said.startswith(f"The first difference is on {document.number}: ")


def test_without_a_posted_invoice_there_is_nothing_to_verify(db: None) -> None:
    customer, call = customer_at("1")
    use(customer, call, 5)
    run = bill()
    with pytest.raises(RunConflict, match=r"^Run \d+ is completed and has no posted invoices: there is nothing to"):
        ask_for_verification(run_id=run.pk, at=AT)


def test_only_one_waits_of_a_run(run: BillingRun) -> None:
    ask_for_verification(run_id=run.pk, at=AT)
    with refused(by="run_verification_waits_once"):
        RunVerificationFactory(run=run, finished_at=None, invoice_count=None, identical_count=None)


def test_what_the_database_refuses_is_kept_and_not_tried_again(
    run: BillingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def division(*, run_id: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(verifications, "verify_run", division)
    ask_for_verification(run_id=run.pk, at=AT)
    assert verify_as_asked(run_id=run.pk, now=done)
    found = RunVerification.objects.get()
    assert found.said == "It could not be computed again: division by zero"
    assert (found.invoice_count, found.is_identical) == (None, None)
    assert run_ids_to_verify() == []


def test_what_waits_for_an_hour_is_given_up(run: BillingRun) -> None:
    ask_for_verification(run_id=run.pk, at=AT)
    assert give_up_verifications(at=AT + timedelta(hours=1)) == 0
    assert give_up_verifications(at=AT + timedelta(hours=1, seconds=1)) == 1
    assert RunVerification.objects.get().said == (
        "No worker has done it within an hour. Ask again when workers run, or have it done by "
        f"manage.py verify_run {run.pk}."
    )
    assert run_ids_to_verify() == []


@pytest.mark.django_db(transaction=True)
def test_a_second_worker_leaves_it_to_the_first_and_the_sweeper_too(run: BillingRun) -> None:
    ask_for_verification(run_id=run.pk, at=AT - timedelta(days=1))
    with transaction_open() as first:
        first.execute("SELECT id FROM run_verification FOR UPDATE")
        assert not verify_as_asked(run_id=run.pk, now=done)
        assert give_up_verifications(at=AT) == 0
    assert verify_as_asked(run_id=run.pk, now=done)


def test_the_sweeper_wakes_a_worker_for_what_waits(run: BillingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    monkeypatch.setattr(tasks, "wake_verifier", lambda *, run_id, expires: woken.append(run_id))
    RunVerificationFactory(run=run, asked_at=timezone.now(), finished_at=None, invoice_count=None, identical_count=None)
    tasks.sweep_runs()
    assert woken == [run.pk]
    assert tasks.verify_run(run_id=run.pk)
    tasks.sweep_runs()
    assert woken == [run.pk]


def test_the_root_is_that_of_the_moment_in_which_it_is_computed_again(
    run: BillingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = run.proof_root
    BillingRun.objects.filter(pk=run.pk).update(proof_root="of what was posted first")

    def post_the_rest() -> None:
        BillingRun.objects.filter(pk=run.pk).update(proof_root=root)
        prepare_session()

    monkeypatch.setattr(verification, "prepare_session", post_the_rest)
    assert verification.verify_run(run_id=run.pk).is_identical
