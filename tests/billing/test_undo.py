"""A run that is undone has never been: the whole database is as it was before it was commenced."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillingRun, RunAccount, RunChunk
from billing.operations.errors import RunConflict
from billing.operations.pausing import pause_run
from billing.operations.production import produce_next_chunk
from billing.operations.run_accounts import hold_account, split_off_account
from billing.operations.runs import approve_run, commence_run
from billing.operations.undo import undo_run
from customers.models import Customer
from invoicing.models import Invoice, Transaction
from tests.billing.run_states import changed, contents
from tests.factories import (
    CustomerFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
    RecurringChargeFactory,
    TransactionFactory,
    UsageReportFactory,
    UserFactory,
)
from tests.runs import (
    AT,
    FEBRUARY,
    account,
    bill,
    customer_at,
    invoice,
    new_run,
    outcome,
    pending,
    post,
    produce,
    rate_of,
    totals,
    use,
)
from usage.models import PendingUsage

pytestmark = pytest.mark.django_db(transaction=True)


def company() -> dict[str, Customer]:
    """Customers of every outcome, with usage, transactions and recurring charges; December is posted."""
    acme, call = customer_at("0.5", account_number="A")
    card = rate_of(call).rate_card
    made = {"A": acme} | {
        name: CustomerFactory(account_number=name, rate_cards=[card])
        for name in ("credit", "empty", "faulty", "taxless")
    }
    use(acme, call, 4, on="2025-12-10")
    post(bill(cutoff_date=date(2026, 1, 1), invoice_date=date(2026, 1, 1)))
    # Late for December, and of January.
    for day in ("2025-12-20", "2026-01-10", "2026-01-20"):
        use(acme, call, 7, on=day)
    TransactionFactory(customer=acme, unit_price=Decimal(3), transaction_date=date(2026, 1, 10))
    TransactionFactory(customer=acme, unit_price=Decimal(9), transaction_date=date(2026, 2, 10))
    RecurringChargeFactory(customer=acme)
    use(made["credit"], call, 30, billing_directive="TO_BE_CREDITED")
    use(made["faulty"], call, "1e17")
    use(made["taxless"], call, 5)
    Customer.objects.filter(pk=made["taxless"].pk).update(tax_rate=None)
    use(made["taxless"], ProductFactory(), 5)
    # By prices that count the month's usage.
    counted = RateFactory(
        rate_card=RateCardFactory(), product=ProductFactory(), unit_price=Decimal(1), included_quantity=Decimal(5)
    )
    made["counted"] = CustomerFactory(account_number="counted", rate_cards=[counted.rate_card])
    for _ in range(3):
        use(made["counted"], counted.product, 4)
    return made


OUTCOMES = {
    "A": "invoiced",
    "counted": "invoiced",
    "credit": "invoiced",
    "empty": "nothingToBill",
    "faulty": "failed",
    "taxless": "held",
}


def outcomes(run: BillingRun) -> dict[str, str]:
    return dict(run.accounts.values_list("customer__account_number", "outcome"))


def test_everything_is_as_it_was_before_the_run_was_commenced() -> None:
    made = company()
    run = new_run()
    before = contents()
    commence_run(run_id=run.pk, at=AT, user_id=UserFactory().pk, without_preflight=True)
    produce(run)
    assert outcomes(run) == OUTCOMES
    # The run took, charged and generated something.
    assert len(changed(before, contents())) > 8
    UsageReportFactory(invoice=invoice(run, made["A"]))
    undone = undo_run(run_id=run.pk)
    assert undone.status == "pending"
    differences = changed(before, contents())
    # A report's profile was made by this test meanwhile.
    differences.pop("usage_report_profile", None)
    assert differences == {}


def test_commenced_again_it_comes_to_the_same() -> None:
    made = company()
    run = bill()
    first = {name: totals(invoice(run, made[name])) for name in ("A", "credit", "counted")}
    undo_run(run_id=run.pk)
    produce(commence_run(run_id=run.pk, at=AT, without_preflight=True))
    run.refresh_from_db()
    assert (run.status, outcomes(run)) == ("completed", OUTCOMES)
    assert {name: totals(invoice(run, made[name])) for name in first} == first
    # 21 calls at 0.50, 3.00 and 10.00 of recurring charges: 23.50, and 20 % tax.
    assert first["A"] == "23.50 + 4.70 = 28.20 USD"


@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_a_run_that_is_partly_produced_or_paused_is_undone_too(settings: object, chunks: int) -> None:
    settings.BILLING_CHUNK_RECORDS = 2  # type: ignore[attr-defined]
    company()
    run = new_run()
    before = contents()
    commence_run(run_id=run.pk, at=AT, without_preflight=True)
    for _ in range(chunks):
        assert produce_next_chunk(run_id=run.pk, at=AT)
    pause_run(run_id=run.pk, at=AT)
    undo_run(run_id=run.pk)
    assert changed(before, contents()) == {}


def test_held_accounts_go_as_well() -> None:
    made = company()
    run = new_run()
    before = contents()
    produce(commence_run(run_id=run.pk, at=AT, without_preflight=True))
    hold_account(account_id=account(run, made["A"]).pk, reason="Disputed.")
    undo_run(run_id=run.pk)
    assert changed(before, contents()) == {}


def test_it_is_refused_once_something_is_posted() -> None:
    made = company()
    run = bill()
    approve_run(run_id=run.pk, at=AT, account_ids=[account(run, made["A"]).pk])
    number, before = invoice(run, made["A"]).number, contents()
    with pytest.raises(RunConflict) as caught:
        undo_run(run_id=run.pk)
    assert str(caught.value) == (
        f"Run {run.pk} is completed, and invoice {number} of it is posted: only a run of which nothing is posted can "
        "be undone. Correct what is posted with credit notes, and hold what is not to be posted."
    )
    post(run)
    with pytest.raises(
        RunConflict, match=f"^Run {run.pk} was approved on 2026-02-01 at 09:00 UTC: what is posted stands"
    ):
        undo_run(run_id=run.pk)
    assert contents()["invoice_line"] == before["invoice_line"]


def test_it_is_refused_while_another_run_has_still_to_produce_one_of_its_customers() -> None:
    acme, call = customer_at("1", account_number="A")
    use(acme, call, 5)
    january = bill()
    use(acme, call, 7, on="2026-02-10")
    february = commence_run(run_id=new_run(name="February", **FEBRUARY).pk, at=AT, without_preflight=True)
    before = contents()
    with pytest.raises(RunConflict) as caught:
        undo_run(run_id=january.pk)
    assert str(caught.value) == (
        f"Run {january.pk} cannot be undone while customer A waits in run {february.pk} (February). Wait until that is "
        "completed, or undo it first."
    )
    assert changed(before, contents()) == {}
    produce(february)
    undo_run(run_id=january.pk)
    assert (len(pending(acme)), totals(invoice(february, acme))) == (1, "7.00 + 1.40 = 8.40 USD")


def test_a_split_off_run_ends_cancelled_and_what_it_had_waits() -> None:
    made = company()
    run = new_run()
    produce(commence_run(run_id=run.pk, at=AT, without_preflight=True))
    waited = set(PendingUsage.objects.values_list("record_id", flat=True))
    split = split_off_account(account_id=account(run, made["A"]).pk, at=AT)
    produce(split)
    undone = undo_run(run_id=split.pk)
    assert (undone.status, undone.commenced_at, undone.snapshot) == ("cancelled", None, "")
    assert set(PendingUsage.objects.values_list("record_id", flat=True)) == waited | pending(made["A"])
    assert len(pending(made["A"])) == 3
    # Its recurring charge is made anew by the next run; those who stayed keep theirs.
    assert not Transaction.objects.filter(customer=made["A"], recurring_charge__isnull=False).exists()
    undo_run(run_id=run.pk)
    again = bill()
    assert totals(invoice(again, made["A"])) == "23.50 + 4.70 = 28.20 USD"
    assert outcome(again, made["faulty"])[0] == "failed"


def test_what_is_left_of_it_is_nothing() -> None:
    company()
    run = bill()
    posted = Invoice.objects.filter(state="POSTED").count()
    undo_run(run_id=run.pk)
    assert not RunAccount.objects.filter(run=run).exists()
    assert not RunChunk.objects.filter(run=run).exists()
    assert Invoice.objects.count() == posted


def test_ten_customers_take_the_same_queries_as_two() -> None:
    counts = []
    for count in (2, 8):
        first, call = customer_at("1")
        card = rate_of(call).rate_card
        for customer in (first, *(CustomerFactory(rate_cards=[card]) for _ in range(count - 1))):
            use(customer, call, 5)
        run = bill()
        with CaptureQueriesContext(connection) as queries:
            undo_run(run_id=run.pk)
        counts.append(len(queries))
    assert counts[0] == counts[1]
