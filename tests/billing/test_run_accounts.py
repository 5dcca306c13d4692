"""Decisions on single accounts of a run: held, released, split off, tried again; each from every outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from billing.models import BillingRun, RunAccount
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.production import produce_next_chunk
from billing.operations.run_accounts import hold_account, release_account, retry_failed, split_off_account
from billing.operations.runs import approve_run, commence_run
from billing.operations.todays_prices import produce_with_todays_prices
from billing.operations.undo import undo_run
from catalog.models import Product
from customers.models import Customer
from invoicing.models import Invoice, Transaction
from tests.billing.run_states import changed, contents
from tests.billing.taken import cancel
from tests.factories import CustomerFactory, InvoiceMessageFactory, ProductFactory, TransactionFactory, UserFactory
from tests.runs import (
    AT,
    FEBRUARY,
    account,
    bill,
    customer_at,
    invoice,
    lines,
    new_run,
    outcome,
    pending,
    post,
    produce,
    rate_of,
    totals,
    use,
)
from usage.models import PendingUsage, UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)

LATER = AT.replace(hour=15)


@dataclass(frozen=True, slots=True)
class Company:
    run: BillingRun
    customers: dict[str, Customer]
    call: Product

    def account(self, name: str) -> RunAccount:
        return RunAccount.objects.get(customer=self.customers[name])

    def outcome(self, name: str) -> tuple[str, str, str]:
        found = self.account(name)
        return found.outcome, found.held_for, found.reason


@pytest.fixture
def company() -> Company:
    """A completed run with a customer of every outcome, by its name; each used something at 1 USD, but for `empty`."""
    first, call = customer_at("1", account_number="invoiced")
    card = rate_of(call).rate_card
    names = ("empty", "failed", "person", "posted", "tax", "unpriced", "unusual", "waiting")
    customers = {"invoiced": first} | {name: CustomerFactory(account_number=name, rate_cards=[card]) for name in names}
    for name in ("invoiced", "person", "posted", "tax", "unusual", "waiting"):
        use(customers[name], call, 5)
    TransactionFactory(customer=first, unit_price=Decimal(3), transaction_date=date(2026, 1, 10))
    Customer.objects.filter(pk=customers["tax"].pk).update(tax_rate=None)
    use(customers["unpriced"], ProductFactory(), 5)
    use(customers["failed"], call, "1e17", number="TOO-LARGE")
    run = bill(name="January")
    made = Company(run, customers, call)
    hold_account(account_id=made.account("person").pk, reason="Disputed.")
    unusual = RunAccount.objects.filter(pk=made.account("unusual").pk)
    unusual.update(outcome="held", held_for="unusual", reason="Three times the usual.")
    approve_run(run_id=run.pk, at=AT, account_ids=[made.account("posted").pk])
    waiting = hold_account(account_id=made.account("waiting").pk, reason="To wait.")
    RunAccount.objects.filter(pk=waiting.pk).update(outcome="waiting", held_for="", reason="")
    run.chunks.update(produced_at=None)
    return made


ACTIONS: dict[str, Callable[[int], object]] = {
    "hold": lambda account_id: hold_account(account_id=account_id, reason="Wrong address."),
    "release": lambda account_id: release_account(account_id=account_id),
    "split off": lambda account_id: split_off_account(account_id=account_id, at=LATER),
}
NOT_HELD = "is not held: {}. Only a held account can be released."
POSTED = "has its invoice INV-000001, which is posted: it can no longer be {}. Correct it with a credit note."
UNPRICED = "1 record has no rate and waits. The first: "
TAX = "The customer has no tax rate. Give it one."
REFUSALS = {
    ("hold", "empty"): "has nothing to bill: there is nothing to hold.",
    ("hold", "person"): "is held already: Disputed.",
    ("hold", "posted"): POSTED.format("held"),
    ("hold", "tax"): f"is held already: {TAX}",
    ("hold", "unpriced"): f"is held already: {UNPRICED}",
    ("release", "empty"): NOT_HELD.format("nothing to bill"),
    ("release", "failed"): NOT_HELD.format("failed"),
    ("release", "invoiced"): NOT_HELD.format("invoiced"),
    ("release", "posted"): NOT_HELD.format("invoiced"),
    ("release", "tax"): f"is not held by a person: {TAX} It is billed in the next run, or in this one undone and",
    ("release", "unpriced"): f"is not held by a person: {UNPRICED}",
    ("release", "waiting"): NOT_HELD.format("waiting"),
    ("split off", "empty"): "has nothing to bill: there is nothing to split off.",
    ("split off", "person"): "is held: Disputed. Release it first.",
    ("split off", "posted"): POSTED.format("split off"),
}
# What it is afterwards, workers not having come yet.
RESULTS = {
    ("hold", "failed"): ("held", "person"),
    ("hold", "invoiced"): ("held", "person"),
    ("hold", "unusual"): ("held", "person"),
    ("hold", "waiting"): ("held", "person"),
    ("release", "person"): ("waiting", ""),
    ("release", "unusual"): ("invoiced", ""),
    ("split off", "failed"): ("waiting", ""),
    ("split off", "invoiced"): ("waiting", ""),
    ("split off", "tax"): ("waiting", ""),
    ("split off", "unpriced"): ("waiting", ""),
    ("split off", "unusual"): ("waiting", ""),
    ("split off", "waiting"): ("waiting", ""),
}
KINDS = ("empty", "failed", "invoiced", "person", "posted", "tax", "unpriced", "unusual", "waiting")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_on_an_account_of_each_outcome(company: Company, action: str, kind: str) -> None:
    found = company.account(kind)
    if (action, kind) in RESULTS:
        ACTIONS[action](found.pk)
        assert company.outcome(kind)[:2] == RESULTS[action, kind]
        return
    before = contents()
    with pytest.raises(RunConflict) as caught:
        ACTIONS[action](found.pk)
    start = f"Customer {kind} in completed run {company.run.pk} {REFUSALS[action, kind]}"
    assert str(caught.value).startswith(start)
    assert changed(before, contents()) == {}


@pytest.mark.parametrize("action", ACTIONS)
def test_an_account_that_went_elsewhere_is_said_to_have(action: str) -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    run = bill()
    account_id = account(run, acme).pk
    undo_run(run_id=run.pk)
    with pytest.raises(RunConflict, match=r"^The account is not in its run any more: that was undone, or the account"):
        ACTIONS[action](account_id)


def two(**fields: str) -> tuple[Customer, Customer, Product]:
    """Two customers with 5 at 1 USD each, and their product."""
    acme, call = customer_at("1", account_number="A", **fields)
    bell = CustomerFactory(account_number="B", rate_cards=[rate_of(call).rate_card])
    for customer in (acme, bell):
        use(customer, call, 5)
    return acme, bell, call


def commenced() -> BillingRun:
    return commence_run(run_id=new_run(name="January").pk, at=AT, without_preflight=True)


def test_a_held_account_gives_its_draft_back_as_everything_was() -> None:
    acme, bell, _ = two()
    TransactionFactory(customer=acme, unit_price=Decimal(3), transaction_date=date(2026, 1, 10))
    inbox, transactions = list(PendingUsage.objects.filter(customer=acme).values()), list(Transaction.objects.values())
    run = bill()
    held = hold_account(account_id=account(run, acme).pk, reason="  Disputed.  ")
    assert (held.outcome, held.held_for, held.reason, held.invoice) == ("held", "person", "Disputed.", None)
    assert (held.record_count, held.exact_amount) == (0, Decimal(0))
    assert list(PendingUsage.objects.filter(customer=acme).values()) == inbox
    assert list(Transaction.objects.values()) == transactions
    assert [document.customer for document in Invoice.objects.all()] == [bell]
    # The rest is posted, and the next run takes it.
    post(run)
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["5 x 1 = 5 -> 5.00", "1 x 3 = 3 -> 3.00"]


def test_held_before_it_is_produced_it_is_left_out_and_released_it_is_produced_with_its_chunk() -> None:
    acme, bell, _ = two()
    run = commenced()
    for customer in (acme, bell):
        hold_account(account_id=account(run, customer).pk, reason="Disputed.")
    assert release_account(account_id=account(run, bell).pk).outcome == "waiting"
    produce(run)
    assert (outcome(run, acme)[0], outcome(run, bell)[0], run.status) == ("held", "invoiced", "completed")


def test_a_run_all_of_whose_accounts_are_held_is_completed() -> None:
    acme, bell, _ = two()
    run = commenced()
    for customer in (acme, bell):
        hold_account(account_id=account(run, customer).pk, reason="Disputed.")
    assert produce(run).status == "completed"
    assert not Invoice.objects.exists()


def test_released_it_is_produced_by_the_rules_of_the_run() -> None:
    acme, _, call = two()
    run = bill()
    before = totals(invoice(run, acme))
    hold_account(account_id=account(run, acme).pk, reason="Disputed.")
    # What comes later is for the next run.
    use(acme, call, 100)
    released = release_account(account_id=account(run, acme).pk)
    assert (released.outcome, released.held_for, released.reason) == ("invoiced", "", "")
    assert totals(invoice(run, acme)) == before == "5.00 + 1.00 = 6.00 USD"
    assert len(pending(acme)) == 1


def test_an_unusual_one_that_is_released_keeps_its_draft(company: Company) -> None:
    draft = company.account("unusual").invoice
    assert draft is not None
    content = list(draft.lines.values())
    release_account(account_id=company.account("unusual").pk)
    kept = company.account("unusual").invoice
    assert kept == draft
    assert list(draft.lines.values()) == content


def test_what_is_released_after_the_approval_is_posted_by_a_second_one() -> None:
    acme, bell, _ = two()
    run = bill()
    hold_account(account_id=account(run, acme).pk, reason="Disputed.")
    post(run)
    release_account(account_id=account(run, acme).pk)
    first, second = UserFactory(), UserFactory()
    assert first != second
    again = approve_run(run_id=run.pk, at=LATER, user_id=second.pk)
    assert (again.approved_at, again.approved_by) == (AT, None)
    assert [invoice(run, customer).number for customer in (bell, acme)] == ["INV-000001", "INV-000002"]
    assert invoice(run, acme).posted_at == LATER


def test_without_a_reason_nobody_is_held(company: Company) -> None:
    with pytest.raises(RunRefused, match=r"^Say why the account is held: whoever decides on it later reads it.$"):
        hold_account(account_id=company.account("invoiced").pk, reason=" \n")
    assert company.outcome("invoiced")[0] == "invoiced"


def test_held_twice_for_the_same_reason_it_is_held() -> None:
    acme, _, _ = two()
    run = bill()
    hold_account(account_id=account(run, acme).pk, reason="Disputed.")
    before = contents()
    hold_account(account_id=account(run, acme).pk, reason="Disputed. ")
    assert changed(before, contents()) == {}


def test_who_is_held_by_a_person_is_not_produced_by_todays_prices(company: Company) -> None:
    with pytest.raises(RunConflict, match=r"is held in run .*: Disputed. Release it first.$"):
        produce_with_todays_prices(account_id=company.account("person").pk)


def test_an_account_is_not_taken_back_while_its_customer_waits_in_another_run() -> None:
    acme, bell, call = two()
    january = bill(name="January")
    hold_account(account_id=account(january, bell).pk, reason="Disputed.")
    use(acme, call, 7, on="2026-02-10")
    february = commence_run(run_id=new_run(name="February", **FEBRUARY).pk, at=AT, without_preflight=True)
    before = contents()
    for act in (ACTIONS["hold"], ACTIONS["split off"]):
        with pytest.raises(RunConflict) as caught:
            act(account(january, acme).pk)
        assert str(caught.value) == (
            f"The draft of run {january.pk} (January) cannot be taken back while the customer waits in run "
            f"{february.pk} (February). Wait until that is completed."
        )
    with pytest.raises(RunConflict) as caught:
        release_account(account_id=account(january, bell).pk)
    assert str(caught.value) == (
        f"Customer B cannot be produced in run {january.pk} (January) while it waits in run {february.pk} (February). "
        "Wait until that is completed."
    )
    assert changed(before, contents()) == {}


def test_failed_accounts_are_tried_again_and_the_others_stay_as_they_are() -> None:
    acme, bell, call = two()
    too_large = use(acme, call, "1e17")
    run = bill()
    assert outcome(run, acme)[0] == "failed"
    before = Invoice.objects.values().get(customer=bell)
    cancel(too_large)
    assert retry_failed(run_id=run.pk) == 1
    assert (outcome(run, acme), retry_failed(run_id=run.pk)) == (("waiting", ""), 0)
    with pytest.raises(RunConflict) as caught:
        approve_run(run_id=run.pk, at=AT)
    assert str(caught.value) == (
        f"Run {run.pk} is completed, but 1 of its accounts waits to be produced again. Approve it when that is done, "
        "or select the accounts to post now."
    )
    # Who was ready may go meanwhile.
    part = approve_run(run_id=run.pk, at=AT, account_ids=[account(run, bell).pk])
    assert part.approved_at is None
    assert (run.completed_at or LATER) == produce(run).completed_at
    assert totals(invoice(run, acme)) == "5.00 + 1.00 = 6.00 USD"
    assert Invoice.objects.values("id", "net_amount").get(customer=bell) == {
        name: before[name] for name in ("id", "net_amount")
    }
    assert approve_run(run_id=run.pk, at=LATER).approved_at == LATER


def test_what_fails_again_is_failed_again_and_its_prices_are_not_kept() -> None:
    acme, _, call = two()
    use(acme, call, "1e17")
    run = bill()
    retry_failed(run_id=run.pk)
    assert produce_next_chunk(run_id=run.pk, at=AT) is True
    assert outcome(run, acme)[0] == "failed"
    assert contents()["price_window"] == []


def test_what_is_tried_again_sees_what_the_run_saw() -> None:
    acme, _, call = two()
    too_large = use(acme, call, "1e17")
    run = bill()
    cancel(too_large)
    use(acme, call, 100)
    retry_failed(run_id=run.pk)
    produce(run)
    assert totals(invoice(run, acme)) == "5.00 + 1.00 = 6.00 USD"


def test_a_split_off_account_has_a_commenced_run_of_its_own_with_all_that_decides_what_it_comes_to() -> None:
    acme, bell, call = two()
    clerk = UserFactory()
    message = InvoiceMessageFactory()
    fields = {
        "invoice_message_id": message.id,
        "transaction_cutoff_date": date(2026, 1, 31),
        "bill_unpriced": True,
        "unusual_percent": Decimal(20),
        "unusual_amount": None,
    }
    run = new_run(name="January", **fields)
    commence_run(run_id=run.pk, at=AT, user_id=clerk.pk, without_preflight=True)
    run.refresh_from_db()
    split = split_off_account(account_id=account(run, acme).pk, at=LATER)
    split.refresh_from_db()
    same = (
        *("subrun", "invoice_message", "invoice_date", "cutoff_date", "transaction_cutoff_date", "due_date"),
        *("bill_unpriced", "unusual_percent", "unusual_amount", "snapshot", "commenced_in", "commenced_by"),
    )
    assert [getattr(split, name) for name in same] == [getattr(run, name) for name in same]
    assert (split.name, split.status, split.commenced_at) == ("January: A", "commenced", LATER)
    assert (split.split_from, list(run.split_off_runs.all())) == (run, [split])
    assert [moved.customer for moved in split.accounts.all()] == [acme]
    assert [stayed.customer for stayed in run.accounts.all()] == [bell]
    assert [(chunk.account_count, chunk.record_count) for chunk in (run.chunks.get(), split.chunks.get())] == [
        (1, 1)
    ] * 2
    # What comes later is in neither.
    use(acme, call, 100)
    produce(run)
    produce(split)
    assert (run.status, split.status) == ("completed", "completed")
    assert totals(invoice(split, acme)) == totals(invoice(run, bell)) == "5.00 + 1.00 = 6.00 USD"


def test_split_off_a_produced_account_comes_to_what_it_came_to_before() -> None:
    acme, bell, call = two()
    TransactionFactory(customer=acme, unit_price=Decimal(3), transaction_date=date(2026, 1, 10))
    run = bill(name="January")
    before, stays = lines(invoice(run, acme)), Invoice.objects.values().get(customer=bell)
    terms = RunAccount.objects.values("timezone", "tax_rate", "rate_card_ids", "period_start").get(customer=acme)
    # Its terms go with it, whatever the customer's are by now.
    Customer.objects.filter(pk=acme.pk).update(timezone="Asia/Tokyo")
    use(acme, call, 100)
    split = produce(split_off_account(account_id=account(run, acme).pk, at=LATER))
    assert lines(invoice(split, acme)) == before == ["5 x 1 = 5 -> 5.00", "1 x 3 = 3 -> 3.00"]
    assert RunAccount.objects.values(*terms).get(customer=acme) == terms
    assert Invoice.objects.values().get(customer=bell) == stays
    assert len(pending(acme)) == 1
    # Both are posted for themselves.
    assert [post(one).status for one in (split, run)] == ["completed", "completed"]
    assert UsageDataRecord.objects.filter(charge__isnull=False).count() == 2


def test_the_only_account_of_a_run_is_not_split_off() -> None:
    acme, call = customer_at("1", account_number="A")
    use(acme, call, 5)
    run = bill()
    with pytest.raises(RunConflict, match=f"^Customer A in completed run {run.pk} is the only account: the run is its"):
        split_off_account(account_id=account(run, acme).pk, at=LATER)


def test_a_long_name_of_a_run_is_cut_for_the_name_of_the_customer() -> None:
    acme, _, _ = two()
    run = bill(name="x" * 200)
    assert split_off_account(account_id=account(run, acme).pk, at=LATER).name == "x" * 197 + ": A"
