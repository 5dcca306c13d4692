"""Approval: a run's drafts get their numbers, all of them or none."""

from datetime import UTC, datetime

import pytest

from billing.operations.errors import RunConflict, RunRefused
from billing.operations.runs import approve_run
from invoicing.models import Invoice, NumberSeries
from tests.factories import CustomerFactory, UserFactory
from tests.runs import AT, FEBRUARY, bill, customer_at, invoice, new_run, post, rate_of, use

pytestmark = pytest.mark.django_db


def test_numbers_follow_the_account_numbers() -> None:
    _, call = customer_at("1", account_number="unused")
    card = rate_of(call).rate_card
    # By code point: capitals before small letters, whatever the order in which they came.
    for account_number in ("b", "C", "A", "a"):
        use(CustomerFactory(account_number=account_number, rate_cards=[card]), call, 5)
    post(bill())
    numbers = Invoice.objects.order_by("number").values_list("number", "customer__account_number")
    assert list(numbers) == [("INV-000001", "A"), ("INV-000002", "C"), ("INV-000003", "a"), ("INV-000004", "b")]


def test_it_notes_when_and_by_whom() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    run, clerk = bill(), UserFactory()
    later = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
    approved = approve_run(run_id=run.pk, at=later, user_id=clerk.id)
    assert (approved.approved_at, approved.approved_by, approved.status) == (later, clerk, "completed")
    document = invoice(run, acme)
    assert (document.state, document.posted_at, document.sequence_number) == ("POSTED", later, 1)
    assert document.series == NumberSeries.objects.get(kind="INVOICE")


def test_a_second_approval_is_refused_and_changes_nothing() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    run = post(bill())
    before = list(Invoice.objects.values())
    with pytest.raises(RunConflict, match=f"^Run {run.pk} was approved before, on 2026-02-01 at 09:00 UTC.$"):
        approve_run(run_id=run.pk, at=datetime(2026, 2, 3, tzinfo=UTC))
    assert list(Invoice.objects.values()) == before
    assert NumberSeries.objects.get(kind="INVOICE").next_number == 2


def test_the_next_run_goes_on_with_the_numbers() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    first = post(bill())
    use(acme, call, 5, on="2026-02-10")
    second = post(bill(**FEBRUARY))
    assert [invoice(run, acme).number for run in (first, second)] == ["INV-000001", "INV-000002"]


def test_a_run_without_invoices_is_approved_and_takes_no_number() -> None:
    CustomerFactory()
    assert post(bill()).approved_at == AT
    assert set(NumberSeries.objects.values_list("next_number", flat=True)) == {1}


def test_a_number_that_outgrows_its_digits_keeps_all_of_them() -> None:
    acme, call = customer_at("1")
    NumberSeries.objects.filter(kind="INVOICE").update(prefix="2026/", digits=3, next_number=1000)
    use(acme, call, 5)
    run = post(bill())
    assert invoice(run, acme).number == "2026/1000"


def test_only_a_completed_run_is_approved() -> None:
    CustomerFactory()
    run = new_run()
    with pytest.raises(RunConflict, match=f"^Run {run.pk} is pending: only a completed run can be approved.$"):
        approve_run(run_id=run.pk, at=AT)


def test_without_numbers_to_give_nothing_is_approved() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    run = bill()
    NumberSeries.objects.all().delete()
    with pytest.raises(RunRefused, match=f"^Run {run.pk} cannot be approved. There is no number series for a document"):
        approve_run(run_id=run.pk, at=AT)
    run.refresh_from_db()
    assert (run.approved_at, invoice(run, acme).state) == (None, "DRAFT")
