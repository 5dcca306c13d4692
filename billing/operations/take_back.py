"""Takes usage back: out of the inbox, off a draft, or by an opposite charge where its invoice is posted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import IntegrityError, connection, transaction

from billing.choices import AccountOutcome
from billing.models import BillingRun, RunAccount
from billing.operations.errors import RunConflict
from billing.operations.price_corrections import take_back_corrections
from billing.operations.production import produce_account_again
from customers.models import Customer
from invoicing.choices import InvoiceState, TransactionKind
from invoicing.models import CreditedCharge, Transaction, UsageCharge
from usage.models import UsageDataRecord
from usage.operations.errors import RecordConflict
from usage.operations.records import leave_inbox

SQL = Path(__file__).parent / "sql"
# How often a record may be found to have just moved on before it is left to the next try of a person.
TRIES = 5
DESCRIPTION_LENGTH = 300


@dataclass(frozen=True, slots=True)
class TakenOut:
    """Where a locked record was, which is neither pending nor on a draft any more.

    `account` is that of the draft it was taken off, which is to be produced again (`restore`), and `posted_in` its
    place in that run. `charge` is its charge on a posted invoice, which is still there.
    """

    account: RunAccount | None = None
    posted_in: str | None = None
    charge: UsageCharge | None = None


def take_out(record: UsageDataRecord) -> TakenOut:
    """Take a locked record out of the inbox, off its draft, or find its charge on a posted invoice.

    Locks are taken in the order record, run, account; a run locks no record. Waits for a chunk that is billing the
    record, and for an approval of its run. Raises RecordConflict where its customer waits in another run.
    """
    account: RunAccount | None = None
    for _ in range(TRIES):
        posted_in = leave_inbox(record)
        if posted_in is not None:
            return TakenOut(account=account, posted_in=posted_in if account else None)
        charge = UsageCharge.objects.filter(record=record).select_related("line__invoice").first()
        if charge is None:
            # It is not to be billed.
            return TakenOut(account=account)
        if charge.line.invoice.state == InvoiceState.POSTED:
            return TakenOut(charge=charge)
        account = _locked_account(charge.line.invoice_id)
        # None: while the run was waited for, the draft was posted, or made anew because of another record.
        if account is not None:
            try:
                take_back_draft(account)
            except RunConflict as error:
                raise RecordConflict(f"Record {record.number} is on a draft. {error}") from error
    raise RecordConflict(f"Record {record.number} is being billed at this moment. Try again.")


def restore(taken: TakenOut) -> None:
    """Produce the account anew whose draft was taken back, by the rules of its run. What it comes to may be nothing."""
    if taken.account is None:
        return
    try:
        produce_account_again(run=taken.account.run, account_id=taken.account.pk)
    except RunConflict as error:
        raise RecordConflict(str(error)) from error


def reverse(record: UsageDataRecord, charge: UsageCharge, *, at: datetime) -> Transaction | None:
    """Let the opposite of a charge on a posted invoice wait for the customer's next invoice, with its product and tax.

    What its price was corrected by since is taken back with it. None where a credit note has taken it back already.

    Raises RecordConflict where the customer is billed in another currency by now, or a draft is to credit the charge.
    """
    line, invoice = charge.line, charge.line.invoice
    # Its currency stays as it is until this transaction ends, and nobody credits the charge meanwhile.
    customer = Customer.objects.select_for_update(no_key=True).get(pk=charge.customer_id)
    credited = CreditedCharge.objects.filter(charge=charge).select_related("line__invoice").first()
    if credited is not None:
        if credited.line.invoice.state == InvoiceState.DRAFT:
            raise RecordConflict(
                f"Record {record.number} is on a draft of a credit note for invoice {invoice.number}: post or discard "
                "that first."
            )
        return None
    if customer.currency_id != invoice.currency_id:
        raise RecordConflict(
            f"Record {record.number} is on invoice {invoice.number} in {invoice.currency_id}, and {customer} is billed "
            f"in {customer.currency_id} now: the charge cannot be taken back. Correct it with a credit note."
        )
    zone = ZoneInfo(customer.timezone)
    used_on = record.from_date.astimezone(zone).date()
    description = f"Usage {record.number} of {used_on} taken back (invoice {invoice.number})"
    reversal = Transaction.objects.create(
        customer=customer,
        kind=TransactionKind.REVERSAL,
        product_id=line.product_id,
        description=description[:DESCRIPTION_LENGTH],
        quantity=Decimal(-1),
        unit_price=charge.amount,
        currency_id=invoice.currency_id,
        tax_rate_id=line.tax_rate_id,
        transaction_date=at.astimezone(zone).date(),
        reversed_charge=charge,
    )
    take_back_corrections(reversal)
    return reversal


def _locked_account(invoice_id: int) -> RunAccount | None:
    """The run account of a draft, with its run locked; None if it is no draft any more."""
    found = RunAccount.objects.filter(invoice_id=invoice_id).first()
    if found is None:
        return None
    # An approval of the run locks this row first, too.
    run = BillingRun.objects.select_for_update().get(pk=found.run_id)
    account = RunAccount.objects.filter(pk=found.pk, invoice_id=invoice_id, invoice__state=InvoiceState.DRAFT).first()
    if account is not None:
        account.run = run
    return account


def take_back_draft(account: RunAccount) -> None:
    """Let the account of a locked run wait again; what was on its draft, if it has one, is as it was before.

    Raises RunConflict where its customer waits in another run.
    """
    invoice_id = account.invoice_id
    try:
        with transaction.atomic():
            # First, so that a run that is producing the same customer is waited for before anything is given back.
            RunAccount.objects.filter(pk=account.pk).update(
                outcome=AccountOutcome.WAITING, reason="", held_for="", invoice=None, record_count=0, exact_amount=0
            )
    except IntegrityError as error:
        raise _waits_elsewhere(account) from error
    if invoice_id is not None:
        give_back([invoice_id])


def give_back(invoice_ids: Sequence[int]) -> None:
    """Let drafts that no account has any more give back all that is on them, as it was before, and go."""
    with connection.cursor() as cursor:
        cursor.execute((SQL / "take_back.sql").read_text(), {"invoice_ids": list(invoice_ids)})


def _waits_elsewhere(account: RunAccount) -> RunConflict:
    waiting = RunAccount.objects.filter(customer_id=account.customer_id, outcome=AccountOutcome.WAITING)
    other = waiting.exclude(pk=account.pk).select_related("run").first()
    run = "another run" if other is None else f"run {other.run_id} ({other.run.name})"
    return RunConflict(
        f"The draft of run {account.run_id} ({account.run.name}) cannot be taken back while the customer waits in "
        f"{run}. Wait until that is completed."
    )
