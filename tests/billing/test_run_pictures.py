"""Billing runs over time, as dashboards show them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from billing.choices import AccountOutcome
from billing.queries.dashboards import RunOverTime, runs_over_time
from reports.queries.dashboards import Scope
from tests.factories import (
    BillingRunFactory,
    CustomerFactory,
    CustomerGroupFactory,
    InvoiceFactory,
    RunAccountFactory,
    RunChunkFactory,
)

pytestmark = pytest.mark.django_db

SCOPE = Scope(date(2026, 1, 1), date(2027, 1, 1), "USD")


def test_a_run_is_told_by_what_became_of_its_accounts() -> None:
    run = BillingRunFactory(
        completed=True,
        name="January",
        commenced_at=datetime(2026, 2, 1, 9, 0, tzinfo=UTC),
        completed_at=datetime(2026, 2, 1, 9, 12, 30, tzinfo=UTC),
    )
    chunk = RunChunkFactory(run=run)
    for net in ("10.00", "2.50"):
        draft = InvoiceFactory(net_amount=Decimal(net))
        RunAccountFactory(chunk=chunk, customer=draft.customer, outcome=AccountOutcome.INVOICED, invoice=draft)
    euros = InvoiceFactory(customer=CustomerFactory(currency__code="EUR"), net_amount=Decimal("99.00"))
    RunAccountFactory(chunk=chunk, customer=euros.customer, outcome=AccountOutcome.INVOICED, invoice=euros)
    unusual = InvoiceFactory(net_amount=Decimal("500.00"))
    RunAccountFactory(
        chunk=chunk,
        customer=unusual.customer,
        outcome=AccountOutcome.HELD,
        held_for="unusual",
        reason="Unusual.",
        invoice=unusual,
    )
    RunAccountFactory(chunk=chunk, outcome=AccountOutcome.HELD, held_for="tax", reason="No tax rate.")
    RunAccountFactory(chunk=chunk, outcome=AccountOutcome.FAILED, reason="No currency.")
    # 10.00 + 2.50 in dollars: neither the euros nor the draft that is held.
    assert runs_over_time(SCOPE) == [
        RunOverTime(
            run_id=run.pk,
            name="January",
            status="completed",
            invoice_date=date(2026, 2, 1),
            commenced_at=datetime(2026, 2, 1, 9, 0, tzinfo=UTC),
            completed_at=datetime(2026, 2, 1, 9, 12, 30, tzinfo=UTC),
            invoiced=3,
            held=2,
            failed=1,
            amount=Decimal("12.50"),
        )
    ]
    assert runs_over_time(SCOPE)[0].duration == timedelta(minutes=12, seconds=30)


def test_only_accounts_of_a_group_count_for_it() -> None:
    group = CustomerGroupFactory()
    chunk = RunChunkFactory(run=BillingRunFactory(completed=True))
    for groups in ([group], []):
        RunAccountFactory(
            chunk=chunk, customer=CustomerFactory(groups=groups), outcome=AccountOutcome.FAILED, reason="No currency."
        )
    (run,) = runs_over_time(Scope(SCOPE.first, SCOPE.until, "USD", group.pk))
    assert (run.failed, run.invoiced, run.amount) == (1, 0, Decimal(0))


def test_runs_are_in_the_order_of_their_invoice_dates_and_the_latest_are_shown() -> None:
    for name, day in (("May", date(2026, 6, 1)), ("March", date(2026, 4, 1)), ("April", date(2026, 5, 1))):
        BillingRunFactory(completed=True, name=name, invoice_date=day, due_date=day)
    BillingRunFactory(completed=True, name="Before", invoice_date=date(2025, 12, 31))
    BillingRunFactory(completed=True, name="After", invoice_date=date(2027, 1, 1), due_date=date(2027, 1, 1))
    BillingRunFactory(name="Pending", invoice_date=date(2026, 6, 1), due_date=date(2026, 6, 1))
    assert [run.name for run in runs_over_time(SCOPE)] == ["March", "April", "May"]
    assert [run.name for run in runs_over_time(SCOPE, limit=2)] == ["April", "May"]


def test_a_run_that_is_produced_has_no_duration_yet() -> None:
    BillingRunFactory(commenced=True)
    assert runs_over_time(SCOPE)[0].duration is None
