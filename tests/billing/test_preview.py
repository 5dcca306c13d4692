"""A preview is the run with the pen lifted: the same result, and every table as it was."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from billing.models import BillingRun
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.preview import PreviewAccount, preview_run
from billing.operations.runs import cancel_run, commence_run
from customers.models import Customer
from tests.factories import CustomerFactory, ProductFactory, TransactionFactory
from tests.runs import AT, customer_at, new_run, produce, rate_of, use

pytestmark = pytest.mark.django_db


def contents() -> dict[str, tuple[int, str]]:
    """The number of rows of every table and a digest of what is in them."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table}" t')
            found[table] = cursor.fetchone()
    return found


def one_of_each() -> dict[str, Customer]:
    """A customer for every outcome."""
    billed, call = customer_at("1", account_number="A-BILLED")
    card = rate_of(call).rate_card
    terms: dict[str, dict[str, Any]] = {
        "B-EMPTY": {},
        "C-SMALL": {"minimum_invoice_amount": Decimal(100)},
        "D-UNPRICED": {},
        "E-UNTAXED": {"tax_rate": None},
        "F-FAILED": {},
        "G-CREDIT": {},
    }
    others = {name: CustomerFactory(account_number=name, rate_cards=[card], **given) for name, given in terms.items()}
    for name in ("C-SMALL", "D-UNPRICED", "E-UNTAXED"):
        use(others[name], call, 5)
    use(billed, call, 5)
    TransactionFactory(customer=billed, unit_price=Decimal(3))
    use(others["D-UNPRICED"], ProductFactory(), 5)
    use(others["F-FAILED"], call, "1e16")
    use(others["G-CREDIT"], call, 5, billing_directive="TO_BE_CREDITED")
    return {"A-BILLED": billed} | others


def as_previewed(run: BillingRun) -> list[PreviewAccount]:
    """What became of the run's accounts, in the shape of a preview."""
    accounts = run.accounts.select_related("customer", "invoice").order_by("customer__account_number")
    zero = (Decimal(0), Decimal(0), Decimal(0))
    return [
        PreviewAccount(
            account.customer_id,
            account.customer.account_number,
            account.customer.name,
            account.outcome,
            account.reason,
            account.currency_id,
            account.record_count,
            account.exact_amount,
            *((made.net_amount, made.tax_amount, made.total_amount) if (made := account.invoice) else zero),
        )
        for account in accounts
    ]


def test_it_shows_every_outcome_with_amounts_and_reasons() -> None:
    one_of_each()
    preview = preview_run(run_id=new_run().pk, at=AT)
    assert [(account.account_number, account.outcome, account.total_amount) for account in preview.accounts] == [
        ("A-BILLED", "invoiced", Decimal("9.60")),  # (5 x 1 + 3) x 1.2
        ("B-EMPTY", "nothingToBill", Decimal(0)),
        ("C-SMALL", "nothingToBill", Decimal(0)),
        ("D-UNPRICED", "held", Decimal(0)),
        ("E-UNTAXED", "held", Decimal(0)),
        ("F-FAILED", "failed", Decimal(0)),
        ("G-CREDIT", "invoiced", Decimal("-6.00")),
    ]
    assert [bool(account.reason) for account in preview.accounts] == [False, True, True, True, True, True, False]
    # What waits is shown with what it comes to.
    assert [(account.record_count, account.exact_amount) for account in preview.accounts[2:5]] == [(1, Decimal(5))] * 3


def test_the_run_then_produces_what_the_preview_showed(settings: Any) -> None:
    one_of_each()
    run = new_run()
    previews = [preview_run(run_id=run.pk, at=AT)]
    # Whatever the chunks.
    settings.BILLING_CHUNK_RECORDS = 2
    previews.append(preview_run(run_id=run.pk, at=AT))
    produce(commence_run(run_id=run.pk, at=AT, without_preflight=True))
    assert [list(preview.accounts) for preview in previews] == [as_previewed(run)] * 2


def test_it_leaves_every_table_as_it_was() -> None:
    one_of_each()
    run = new_run()
    before = contents()
    preview_run(run_id=run.pk, at=AT)
    assert contents() == before
    # The comparison sees a change.
    produce(commence_run(run_id=run.pk, at=AT, without_preflight=True))
    changed = {table for table, content in contents().items() if content != before[table]}
    assert changed == {
        *("billing_run", "run_chunk", "run_account", "pending_usage", "transaction"),
        *("invoice", "invoice_line", "invoice_tax", "usage_charge", "customer_billed_until"),
    }


def test_a_refused_preview_leaves_every_table_as_it_was() -> None:
    run = new_run()
    before = contents()
    with pytest.raises(RunRefused, match="has no customers"):
        preview_run(run_id=run.pk, at=AT)
    assert contents() == before


def test_only_a_pending_run_is_previewed() -> None:
    CustomerFactory()
    runs = {"cancelled": new_run(), "completed": new_run(), "commenced": new_run()}
    cancel_run(run_id=runs["cancelled"].pk)
    produce(commence_run(run_id=runs["completed"].pk, at=AT, without_preflight=True))
    commence_run(run_id=runs["commenced"].pk, at=AT, without_preflight=True)
    for status, run in runs.items():
        before = contents()
        with pytest.raises(RunConflict, match=f"Run {run.pk} is {status}: only a pending run can be commenced."):
            preview_run(run_id=run.pk, at=AT)
        assert contents() == before
