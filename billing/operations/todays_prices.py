"""A draft made anew with the prices of now: for one account, whose run has frozen those of the day it was commenced."""

from django.db import connection, transaction

from billing.choices import AccountOutcome, HoldCause
from billing.models import BillingRun, RunAccount
from billing.operations.errors import RunConflict
from billing.operations.production import produce_account_again
from billing.operations.runs import current_snapshot
from billing.operations.take_back import take_back_draft
from billing.queries.price_lists import rate_card_ids_of
from invoicing.choices import InvoiceState


@transaction.atomic
def produce_with_todays_prices(*, account_id: int) -> RunAccount:
    """Produce a run's account again by the prices and price lists that its customer has now.

    Usage and everything else stay those of the run; other accounts are left alone. From now on it is explained, and
    made again, by these prices. An account that was held gets another chance. Raises RunConflict while it is being
    produced, while a person holds it, and once the run is approved or its invoice posted.
    """
    run_id = RunAccount.objects.values_list("run_id", flat=True).get(pk=account_id)
    # An approval of the run locks this row first, too.
    run = BillingRun.objects.select_for_update().get(pk=run_id)
    account = RunAccount.objects.select_related("customer", "invoice").get(pk=account_id)
    customer = account.customer
    if run.approved_at is not None:
        raise RunConflict(
            f"Run {run.pk} is approved and its invoices are posted: they do not change. Correct {customer} by price "
            "differences."
        )
    if account.invoice is not None and account.invoice.state == InvoiceState.POSTED:
        raise RunConflict(
            f"Invoice {account.invoice.number} of {customer} in run {run.pk} is posted: it does not change. Correct "
            f"{customer} by price differences."
        )
    if account.outcome == AccountOutcome.WAITING:
        raise RunConflict(f"{customer} is still to be produced in run {run.pk}. Try again when that is done.")
    if account.held_for == HoldCause.PERSON:
        raise RunConflict(f"{customer} is held in run {run.pk}: {account.reason} Release it first.")
    if account.currency_id != customer.currency_id:
        raise RunConflict(
            f"{customer} is billed in {customer.currency_id} now, and in {account.currency_id} in run {run.pk}: it "
            "has no price lists in that currency any more."
        )
    account.run = run
    take_back_draft(account)
    with connection.cursor() as cursor:
        snapshot = current_snapshot(cursor)
    RunAccount.objects.filter(pk=account.pk).update(price_snapshot=snapshot, rate_card_ids=rate_card_ids_of(customer))
    produce_account_again(run=run, account_id=account.pk)
    account.refresh_from_db()
    return account
