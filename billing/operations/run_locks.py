"""The locks of a run, in the one order in which all take them: run, chunks, accounts. A record's lock comes before.

A worker holds its chunk and takes accounts; it never takes the run while it does. So whoever holds a run and waits for
a chunk waits for at most what a worker is at.
"""

from billing.choices import AccountOutcome
from billing.models import BillingRun, RunAccount, RunChunk
from billing.operations.errors import RunConflict


def locked_run(run_id: int) -> BillingRun:
    """The run as it is now; it stays so until the transaction ends."""
    return BillingRun.objects.select_for_update().get(pk=run_id)


def lock_chunks(run: BillingRun, *, chunk_ids: list[int] | None = None) -> None:
    """Take these chunks of a locked run, or all; wait for the workers that are at some of them.

    First all that are free, so that no worker takes another one in the meantime.
    """
    chunks = RunChunk.objects.filter(run=run).order_by("id")
    if chunk_ids is not None:
        chunks = chunks.filter(pk__in=chunk_ids)
    list(chunks.select_for_update(skip_locked=True).values_list("id", flat=True))
    list(chunks.select_for_update().values_list("id", flat=True))


def locked_account(account_id: int) -> RunAccount:
    """The account with its run and its chunk locked, its customer and its invoice at hand.

    Where a worker is at its chunk, that is waited for. Raises RunConflict where the account went elsewhere meanwhile.
    """
    run_id = RunAccount.objects.filter(pk=account_id).values_list("run_id", flat=True).first()
    run = None if run_id is None else BillingRun.objects.select_for_update().filter(pk=run_id).first()
    chunk_id = RunAccount.objects.filter(pk=account_id, run=run).values_list("chunk_id", flat=True).first()
    if run is None or chunk_id is None:
        raise RunConflict("The account is not in its run any more: that was undone, or the account split off.")
    lock_chunks(run, chunk_ids=[chunk_id])
    account = RunAccount.objects.select_related("customer", "invoice", "chunk").get(pk=account_id)
    account.run = run
    return account


def waits_elsewhere(accounts: list[RunAccount]) -> tuple[RunAccount, RunAccount] | None:
    """Of these accounts the first whose customer waits in another run, and that other account."""
    by_customer = {account.customer_id: account for account in accounts}
    waiting = RunAccount.objects.filter(customer__in=by_customer, outcome=AccountOutcome.WAITING)
    others = waiting.exclude(pk__in=[account.pk for account in accounts]).select_related("run", "customer")
    other = others.order_by("run", "id").first()
    return None if other is None else (by_customer[other.customer_id], other)
