"""Approval of some accounts of a run, and by whom: what is left can go later."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillingRun
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.run_accounts import hold_account, split_off_account
from billing.operations.runs import approve_run, commence_run
from customers.models import Customer
from tests.billing.run_states import changed, contents
from tests.factories import CustomerFactory, UserFactory
from tests.runs import AT, FEBRUARY, account, bill, customer_at, invoice, new_run, post, produce, rate_of, use

pytestmark = pytest.mark.django_db

LATER = AT.replace(hour=15)


def company(*names: str) -> list[Customer]:
    """Customers of these account numbers who used 5 at 1 USD."""
    first, call = customer_at("1", account_number=names[0])
    card = rate_of(call).rate_card
    customers = [first, *(CustomerFactory(account_number=name, rate_cards=[card]) for name in names[1:])]
    for customer in customers:
        use(customer, call, 5)
    return customers


def ids(run: BillingRun, *customers: Customer) -> list[int]:
    return [account(run, customer).pk for customer in customers]


def numbers(run: BillingRun) -> dict[str, str | None]:
    return dict(run.accounts.values_list("customer__account_number", "invoice__number"))


def test_only_what_was_selected_is_posted_and_the_rest_later() -> None:
    a, b, c = company("A", "B", "C")
    run, clerk = bill(), UserFactory()
    part = approve_run(run_id=run.pk, at=AT, user_id=clerk.pk, account_ids=ids(run, c, a))
    assert (part.status, part.approved_at, part.approved_by) == ("completed", None, None)
    assert numbers(run) == {"A": "INV-000001", "B": None, "C": "INV-000002"}
    # Selected together with the rest, what is posted stays as it is.
    whole = approve_run(run_id=run.pk, at=LATER, user_id=clerk.pk, account_ids=ids(run, a, b))
    assert (whole.approved_at, whole.approved_by) == (LATER, clerk)
    assert numbers(run) == {"A": "INV-000001", "B": "INV-000003", "C": "INV-000002"}
    assert (invoice(run, a).posted_at, invoice(run, b).posted_at) == (AT, LATER)


def test_held_accounts_stay_behind_and_the_run_is_approved() -> None:
    a, _ = company("A", "B")
    run = bill()
    hold_account(account_id=account(run, a).pk, reason="Disputed.")
    assert post(run).approved_at == AT
    assert numbers(run) == {"A": None, "B": "INV-000001"}


def test_a_selection_that_cannot_be_posted_as_a_whole_is_not_posted_at_all() -> None:
    a, b = company("A", "B")
    run = bill()
    other = bill(**FEBRUARY)
    hold_account(account_id=account(run, b).pk, reason="Disputed.")
    before = contents()
    strange = ids(other, a)[0]
    for account_ids, sentence in (
        ([], "No account was selected: select those whose invoices are to be posted, or approve the run."),
        ([*ids(run, a), strange], f"Account {strange} is not one of run {run.pk}: nothing was posted."),
        (ids(run, a, b), f"Customer B has no invoice to post in run {run.pk}: held. Leave it out; nothing was posted."),
    ):
        with pytest.raises(RunRefused) as caught:
            approve_run(run_id=run.pk, at=AT, account_ids=account_ids)
        assert str(caught.value) == sentence
    assert changed(before, contents()) == {}


def test_a_selection_that_is_posted_is_not_posted_again() -> None:
    a, _ = company("A", "B")
    run = bill()
    approve_run(run_id=run.pk, at=AT, account_ids=ids(run, a))
    before = contents()
    with pytest.raises(RunConflict) as caught:
        approve_run(run_id=run.pk, at=LATER, account_ids=ids(run, a))
    assert str(caught.value) == f"Run {run.pk} is completed, and the invoices that were selected were posted before."
    assert changed(before, contents()) == {}


def test_by_default_who_commenced_may_approve() -> None:
    company("A")
    clerk = UserFactory()
    run = produce(commence_run(run_id=new_run().pk, at=AT, user_id=clerk.pk, without_preflight=True))
    assert approve_run(run_id=run.pk, at=AT, user_id=clerk.pk).approved_by == clerk


def test_where_the_settings_say_so_another_person_approves(settings: Any) -> None:
    settings.BILLING_APPROVAL_BY_ANOTHER = True
    a, b = company("A", "B")
    clerk, boss = UserFactory(username="clerk"), UserFactory()
    run = produce(commence_run(run_id=new_run().pk, at=AT, user_id=clerk.pk, without_preflight=True))
    split = produce(split_off_account(account_id=account(run, a).pk, at=AT))
    for one in (run, split):
        with pytest.raises(RunRefused) as caught:
            approve_run(run_id=one.pk, at=AT, user_id=clerk.pk)
        assert str(caught.value) == (
            f"Run {one.pk} was commenced by clerk: another person has to approve it. Ask somebody else who may change "
            "billing runs."
        )
        with pytest.raises(RunRefused, match=f"^Run {one.pk} is approved by a person, another one than commenced it"):
            approve_run(run_id=one.pk, at=AT)
    with pytest.raises(RunRefused, match="another person"):
        approve_run(run_id=run.pk, at=AT, user_id=clerk.pk, account_ids=ids(run, b))
    assert numbers(run) == {"B": None}
    assert [approve_run(run_id=one.pk, at=AT, user_id=boss.pk).approved_by for one in (run, split)] == [boss, boss]


def test_what_a_schedule_commenced_any_person_approves(settings: Any) -> None:
    settings.BILLING_APPROVAL_BY_ANOTHER = True
    company("A")
    clerk = UserFactory()
    assert approve_run(run_id=bill().pk, at=AT, user_id=clerk.pk).approved_by == clerk


def test_ten_invoices_are_posted_by_as_many_queries_as_two() -> None:
    counts = []
    for count, start in ((2, 0), (10, 2)):
        customers = company(*(f"C{start + n:02}" for n in range(count)))
        run = bill(**(FEBRUARY if start else {}))
        with CaptureQueriesContext(connection) as queries:
            post(run)
        counts.append(len(queries))
        with CaptureQueriesContext(connection) as queries, pytest.raises(RunConflict):
            approve_run(run_id=run.pk, at=AT, account_ids=ids_of(run, customers))
        counts.append(len(queries))
    assert counts[:2] == counts[2:]


def ids_of(run: BillingRun, customers: list[Customer]) -> list[int]:
    found = run.accounts.filter(customer__in=customers)
    return list(found.values_list("pk", flat=True))
