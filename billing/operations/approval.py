"""Which invoices of a run are posted, and by whom they may be."""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import Q

from billing.choices import AccountOutcome
from billing.models import BillingRun, RunAccount
from billing.operations.errors import RunConflict, RunRefused
from invoicing.choices import InvoiceState


def require_another_person(run: BillingRun, user_id: int | None) -> None:
    """Raise RunRefused where the settings want another person than who commenced the run to approve it."""
    if not settings.BILLING_APPROVAL_BY_ANOTHER:
        return
    if user_id is None:
        raise RunRefused(f"Run {run.pk} is approved by a person, another one than commenced it: log in, or use a key.")
    if user_id == run.commenced_by_id:
        raise RunRefused(
            f"Run {run.pk} was commenced by {run.commenced_by}: another person has to approve it. Ask somebody "
            "else who may change billing runs."
        )


def invoices_to_post(run: BillingRun, account_ids: Sequence[int] | None) -> list[int]:
    """The ids of the drafts of a completed run that are posted now: all of its invoiced accounts, or of these.

    Raises RunConflict if they were posted before, or accounts wait still and all were asked for; RunRefused for
    accounts that have no invoice to post.
    """
    return _all_drafts(run) if account_ids is None else _selected_drafts(run, account_ids)


def is_left_to_post(run: BillingRun) -> bool:
    """Whether an account of a run waits, or is invoiced and not posted."""
    left = Q(outcome=AccountOutcome.WAITING) | Q(outcome=AccountOutcome.INVOICED, invoice__state=InvoiceState.DRAFT)
    return RunAccount.objects.filter(left, run=run).exists()


def _all_drafts(run: BillingRun) -> list[int]:
    waiting = RunAccount.objects.filter(run=run, outcome=AccountOutcome.WAITING).count()
    if waiting:
        raise RunConflict(
            f"Run {run.pk} is completed, but {waiting} of its accounts {'waits' if waiting == 1 else 'wait'} to be "
            "produced again. Approve it when that is done, or select the accounts to post now."
        )
    drafts = RunAccount.objects.filter(run=run, outcome=AccountOutcome.INVOICED, invoice__state=InvoiceState.DRAFT)
    invoice_ids = [int(invoice_id) for invoice_id in drafts.values_list("invoice_id", flat=True)]
    if run.approved_at is not None and not invoice_ids:
        raise RunConflict(f"Run {run.pk} was approved before, on {run.approved_at:%Y-%m-%d at %H:%M} UTC.")
    return invoice_ids


def _selected_drafts(run: BillingRun, account_ids: Sequence[int]) -> list[int]:
    if not account_ids:
        raise RunRefused("No account was selected: select those whose invoices are to be posted, or approve the run.")
    selected = RunAccount.objects.filter(run=run, pk__in=account_ids).select_related("customer", "invoice")
    accounts = {account.pk: account for account in selected}
    for account_id in account_ids:
        account = accounts.get(account_id)
        if account is None:
            raise RunRefused(f"Account {account_id} is not one of run {run.pk}: nothing was posted.")
        if account.outcome != AccountOutcome.INVOICED:
            raise RunRefused(
                f"Customer {account.customer.account_number} has no invoice to post in run {run.pk}: "
                f"{AccountOutcome(account.outcome).label.lower()}. Leave it out; nothing was posted."
            )
    drafts = [account.invoice for account in accounts.values() if account.invoice is not None]
    invoice_ids = [invoice.pk for invoice in drafts if invoice.state == InvoiceState.DRAFT]
    if not invoice_ids:
        raise RunConflict(f"Run {run.pk} is completed, and the invoices that were selected were posted before.")
    return invoice_ids
