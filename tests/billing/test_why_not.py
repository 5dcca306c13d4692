"""Why a customer is not on a run: every customer has an answer, and the answers agree with who is on it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from billing.models import BillingRun, RunAccount
from billing.operations.run_accounts import split_off_account
from billing.operations.runs import cancel_run, commence_run
from billing.queries.why_not import WhyNot, why_not
from customers.models import Customer
from tests.factories import (
    BillingCycleFactory,
    CustomerBillingFactory,
    CustomerFactory,
    InvoiceFactory,
    RecurringChargeFactory,
    TransactionFactory,
)
from tests.runs import AT, FEBRUARY, account, bill, customer_at, invoice, new_run, post, produce, use

pytestmark = pytest.mark.django_db


def asked(run: BillingRun, customer: Customer) -> WhyNot:
    run.refresh_from_db()
    return why_not(run=run, customer_id=customer.pk)


def on_cycle(customer: Customer, *, months: int = 1, subrun: str = "") -> Customer:
    cycle = BillingCycleFactory(name=f"Every {months} {subrun}", months=months, subrun=subrun)
    CustomerBillingFactory(customer=customer, billing_cycle=cycle)
    return customer


def test_who_is_on_the_run_is_told_its_outcome() -> None:
    billed, call = customer_at("1", account_number="A-1")
    use(billed, call, 5)
    idle = CustomerFactory(account_number="A-2")
    run = new_run()
    before = asked(run, billed)
    assert (before.is_on_the_run, before.code) == (True, "will_be")
    assert before.sentence == "It will be on the run when that is commenced."
    commence_run(run_id=run.pk, at=AT, without_preflight=True)
    assert asked(run, billed).sentence == "It is on the run: waiting."
    produce(run)
    answer = asked(run, billed)
    assert answer == WhyNot(
        customer_id=billed.pk,
        account_number="A-1",
        is_on_the_run=True,
        code="on_the_run",
        sentence=f"It is on the run: invoiced (draft {invoice(run, billed).pk}).",
        account_id=account(run, billed).pk,
    )
    assert asked(run, idle).sentence == (
        "It is on the run: nothing to bill. No usage and no transactions before the cutoff."
    )


def test_another_subrun_is_named() -> None:
    without, odd = CustomerFactory(), on_cycle(CustomerFactory(), subrun="odd")
    plain, of_odd = new_run(), new_run(subrun="odd")
    assert asked(plain, odd).sentence == (
        "Its billing cycle Every 1 odd is billed by runs of the subrun odd; this one is of no subrun."
    )
    answer = asked(of_odd, without)
    assert (answer.is_on_the_run, answer.code) == (False, "another_subrun")
    assert (
        answer.sentence == "Without a billing cycle it is billed by runs of no subrun; this one is of the subrun odd."
    )


def test_months_that_are_not_over_are_told_with_the_day() -> None:
    quarterly = on_cycle(CustomerFactory(), months=3)
    InvoiceFactory(customer=quarterly, period_start=date(2025, 9, 1), period_end=date(2025, 12, 1))
    run = new_run()
    answer = asked(run, quarterly)
    assert (answer.is_on_the_run, answer.code) == (False, "months_not_over")
    assert answer.sentence == (
        "It is billed every 3 months, and was until 2025-12-01: runs take it from the cutoff date 2026-03-01 on; "
        "this one's is 2026-02-01."
    )
    assert asked(new_run(**FEBRUARY), quarterly).code == "will_be"


def test_months_count_as_they_did_when_the_run_was_commenced() -> None:
    quarterly, call = customer_at("1")
    on_cycle(quarterly, months=3)
    CustomerFactory()
    InvoiceFactory(customer=quarterly, period_start=date(2025, 9, 1), period_end=date(2025, 12, 1))
    january = bill()
    use(quarterly, call, 5)
    post(produce(commence_run(run_id=new_run(**FEBRUARY).pk, at=AT + timedelta(days=28), without_preflight=True)))
    assert asked(january, quarterly).sentence.startswith("It is billed every 3 months, and was until 2025-12-01")


def test_a_closed_customer_is_on_it_only_with_something_to_bill() -> None:
    closed, call = customer_at("1", status="CLOSED")
    CustomerFactory()
    run = new_run()
    assert asked(run, closed).sentence == "It is closed, and nothing of it waits to be billed."
    use(closed, call, 5, on="2026-02-01")
    assert asked(run, closed).code == "closed"
    transaction = TransactionFactory(customer=closed, unit_price=Decimal(1))
    assert asked(run, closed).code == "will_be"
    transaction.delete()
    commence_run(run_id=run.pk, at=AT, without_preflight=True)
    assert asked(run, closed).sentence == "It is closed, and there was nothing left to bill."


def test_who_waits_in_another_run_is_told_which() -> None:
    customer = CustomerFactory()
    first, second = new_run(name="First"), new_run(name="Second")
    commence_run(run_id=first.pk, at=AT, without_preflight=True)
    answer = asked(second, customer)
    assert (answer.is_on_the_run, answer.code) == (False, "waits_elsewhere")
    assert answer.sentence == (
        f"It still waits in run {first.pk} (First). Until that is completed, this one cannot be commenced; then it "
        "takes the customer."
    )


def test_who_was_split_off_is_told_where_to() -> None:
    customer, call = customer_at("1")
    use(customer, call, 5)
    CustomerFactory()
    run = bill()
    split = split_off_account(account_id=account(run, customer).pk, at=AT)
    answer = asked(run, customer)
    assert (answer.is_on_the_run, answer.code) == (False, "split_off")
    assert answer.sentence == f"It was split off into run {split.pk} ({split.name}), where it is waiting."


def test_nobody_is_on_a_cancelled_run() -> None:
    customer = CustomerFactory()
    run = cancel_run(run_id=new_run().pk)
    assert asked(run, customer).sentence == "The run was cancelled before it was commenced: nobody is on it."


def test_who_came_later_is_told_so() -> None:
    CustomerFactory()
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    late = CustomerFactory()
    assert asked(run, late).sentence == "It was not there yet when the run was commenced, on 2026-02-01 at 09:00 UTC."


def test_who_would_be_on_it_by_what_it_is_now_is_told_so() -> None:
    odd = on_cycle(CustomerFactory(), subrun="odd")
    CustomerFactory()
    Customer.objects.update(created_at=AT - timedelta(days=1))
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    odd.billing.delete()
    assert asked(run, odd).code == "changed_since"


def test_a_customer_that_does_not_exist_has_no_answer() -> None:
    with pytest.raises(Customer.DoesNotExist):
        why_not(run=new_run(), customer_id=1)


drawn_customers = st.tuples(
    st.sampled_from(["ACTIVE", "SUSPENDED", "CLOSED"]),
    st.sampled_from([None, (1, ""), (1, "odd"), (2, ""), (3, "odd"), (12, "")]),
    st.sampled_from([None, date(2025, 2, 1), date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]),
    st.sampled_from([None, "2026-01-31", "2026-02-01"]),
    st.sampled_from([None, date(2026, 1, 15), date(2026, 5, 1)]),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(drawn_customers, min_size=1, max_size=6), st.sampled_from(["", "odd"]))
def test_every_customer_has_an_answer_that_agrees_with_who_is_on_the_run(
    drawn: list[tuple[str, tuple[int, str] | None, date | None, str | None, date | None]], subrun: str
) -> None:
    for status, terms, billed_until, used_on, charged_on in drawn:
        customer, call = customer_at("1", status=status)
        if terms is not None:
            cycle = BillingCycleFactory(months=terms[0], subrun=terms[1])
            CustomerBillingFactory(customer=customer, billing_cycle=cycle)
        if billed_until is not None:
            InvoiceFactory(customer=customer, period_start=date(2024, 2, 1), period_end=billed_until)
        if used_on is not None:
            use(customer, call, 5, on=used_on)
        if charged_on is not None:
            TransactionFactory(customer=customer, transaction_date=charged_on)
    # One that the run has in any case.
    sure = CustomerFactory()
    CustomerBillingFactory(customer=sure, billing_cycle=BillingCycleFactory(subrun=subrun))
    run = new_run(subrun=subrun)
    before = {customer.pk: asked(run, customer) for customer in Customer.objects.all()}
    commence_run(run_id=run.pk, at=AT, without_preflight=True)
    after = {customer.pk: asked(run, customer) for customer in Customer.objects.all()}
    on_it = set(RunAccount.objects.filter(run=run).values_list("customer_id", flat=True))
    assert {pk for pk, answer in before.items() if answer.is_on_the_run} == on_it
    assert {pk for pk, answer in after.items() if answer.is_on_the_run} == on_it
    for pk in set(before) - on_it:
        event(before[pk].code)
        assert (after[pk].code, bool(after[pk].sentence)) == (before[pk].code, True)
    RunAccount.objects.all().delete()


def test_a_closed_customer_is_on_the_run_for_what_is_left_of_a_minimum_term() -> None:
    ended, bound = CustomerFactory(status="CLOSED"), CustomerFactory(status="CLOSED")
    RecurringChargeFactory(customer=ended)
    RecurringChargeFactory(customer=bound, minimum_months=12)
    run = new_run()
    assert asked(run, ended).sentence == "It is closed, and nothing of it waits to be billed."
    assert asked(run, bound).code == "will_be"
    commence_run(run_id=run.pk, at=AT, without_preflight=True)
    assert list(RunAccount.objects.filter(run=run).values_list("customer", flat=True)) == [bound.pk]
