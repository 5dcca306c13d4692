"""What a pre-flight says of a run beside other runs: those that go on, and what was usual before."""

from datetime import date

import pytest

from billing.choices import PreflightVerdict
from billing.models import BillingRun
from billing.operations.runs import cancel_run, commence_run
from billing.queries.preflight import preflight
from billing.queries.preflight_checks import PreflightCheck
from tests.factories import CustomerFactory
from tests.runs import AT, FEBRUARY, bill, customer_at, new_run, post, produce, rate_of, use

pytestmark = pytest.mark.django_db

MARCH = {"invoice_date": date(2026, 4, 1), "cutoff_date": date(2026, 4, 1), "due_date": date(2026, 4, 30)}


def check(run: BillingRun, code: str) -> PreflightCheck:
    (found,) = [each for each in preflight(run=run, at=AT) if each.code == code]
    return found


def test_customers_that_wait_in_another_run_block() -> None:
    CustomerFactory(account_number="A-2")
    CustomerFactory(account_number="A-1")
    first = commence_run(run_id=new_run(name="First").pk, at=AT, without_preflight=True)
    second = new_run(**FEBRUARY)
    found = check(second, "waiting_elsewhere")
    assert (found.verdict, found.count) == (PreflightVerdict.BLOCK, 2)
    assert found.detail == (
        f"2 customers (the first: A-1) still wait in run {first.pk} (First): nothing is billed in two runs at once. "
        "Wait until that is completed."
    )
    assert (found.model, found.query) == (
        "billing_runaccount",
        (("run__id__exact", str(first.pk)), ("outcome__exact", "waiting")),
    )
    produce(first)
    assert check(second, "waiting_elsewhere").verdict == PreflightVerdict.PASS


def test_another_run_of_the_subrun_and_date_warns() -> None:
    CustomerFactory()
    run, other = new_run(), new_run(name="Other")
    new_run(**FEBRUARY)
    new_run(subrun="odd")
    found = check(run, "same_dates")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 1)
    assert found.detail == (
        f"Run {other.pk} (Other, pending) of the same subrun and cutoff date: what the one bills the other does not "
        "find any more. Cancel the one that is too much."
    )
    cancel_run(run_id=other.pk)
    assert check(run, "same_dates").verdict == PreflightVerdict.PASS
    for number in range(5):
        new_run(name=f"Again {number}")
    found = check(run, "same_dates")
    assert found.count == 5
    assert "and 2 more of the same subrun" in found.detail


def test_a_run_without_customers_is_blocked() -> None:
    found = check(new_run(subrun="odd"), "expected_accounts")
    assert (found.verdict, found.count) == (PreflightVerdict.BLOCK, 0)
    assert found.detail == (
        "The run has no customers: none is active, or none is on a cycle of its subrun (odd), or none of those is due."
    )


def test_the_first_run_has_nothing_to_be_held_against() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    CustomerFactory()
    run = new_run()
    assert check(run, "expected_accounts").detail == (
        "2 customers, 1 with usage. No earlier run of the subrun says how many are usual."
    )
    found = check(run, "expected_usage")
    assert (found.verdict, found.count) == (PreflightVerdict.PASS, 1)
    assert found.detail == "1 record waits. No earlier run of the subrun says how many are usual."


def test_usage_far_from_that_of_the_runs_before_warns() -> None:
    acme, call = customer_at("0.10")
    other = CustomerFactory(rate_cards=[rate_of(call).rate_card])
    for customer in (acme, acme, acme, other):
        use(customer, call, 10)
    post(bill())
    february = new_run(**FEBRUARY)
    for _ in range(3):
        use(acme, call, 10, on="2026-02-14")
    # 3 of 4: a quarter less is usual yet. In January 4 records came to 4 x 10 x 0.10 = 4.00: 3 come to about 3.00.
    found = check(february, "expected_usage")
    assert (found.verdict, found.count) == (PreflightVerdict.PASS, 3)
    assert found.detail == (
        "3 records wait. In the last run there were 4. 1 customer has none now and had some in the last run. "
        "At what a record came to in the last run that is about 3.00 USD, without tax."
    )
    for _ in range(3):
        use(other, call, 10, on="2026-02-14")
    # 6 instead of 4.
    assert check(february, "expected_usage").verdict == PreflightVerdict.WARN


def test_the_median_of_the_last_three_runs_is_usual() -> None:
    acme, call = customer_at("0.10")
    months = ("2025-10", "2025-11", "2025-12", "2026-01")
    for month, count in zip(months, (9, 1, 2, 8), strict=True):
        for _ in range(count):
            use(acme, call, 10, on=f"{month}-14")
        year, number = map(int, month.split("-"))
        cutoff = date(year + number // 12, number % 12 + 1, 1)
        post(bill(invoice_date=cutoff, cutoff_date=cutoff, due_date=cutoff))
    for _ in range(2):
        use(acme, call, 10, on="2026-02-14")
    found = check(new_run(**FEBRUARY), "expected_usage")
    # 9 was four runs ago; of 1, 2 and 8 the median is 2.
    assert found.verdict == PreflightVerdict.PASS
    assert found.detail.startswith("2 records wait. In the last 3 runs (median) there were 2.")


def test_many_new_customers_warn() -> None:
    for _ in range(4):
        CustomerFactory()
    post(bill())
    CustomerFactory()
    # A quarter more is usual yet.
    assert check(new_run(**FEBRUARY), "expected_accounts").verdict == PreflightVerdict.PASS
    CustomerFactory()
    found = check(new_run(**MARCH), "expected_accounts")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 6)
    assert found.detail == "6 customers, 0 with usage. In the last run there were 4."
