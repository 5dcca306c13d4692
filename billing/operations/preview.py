"""What a run would produce: the run itself, in a transaction that is not kept. There is no second way to price."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from billing.models import RunAccount
from billing.operations.production import produce_next_chunk
from billing.operations.runs import commence_run


@dataclass(frozen=True, slots=True)
class PreviewAccount:
    """What one customer would get, in `currency`; `exact_amount` is the sum of the charges of its records."""

    customer_id: int
    account_number: str
    customer_name: str
    outcome: str
    reason: str
    currency: str
    record_count: int
    exact_amount: Decimal
    net_amount: Decimal
    tax_amount: Decimal
    total_amount: Decimal


@dataclass(frozen=True, slots=True)
class RunPreview:
    """All accounts of a run as they would come out, by account number."""

    accounts: tuple[PreviewAccount, ...]


def preview_run(*, run_id: int, at: datetime) -> RunPreview:
    """Produce a pending run, read the result and roll everything back. Raises as `commence_run` does."""
    with transaction.atomic():
        try:
            run = commence_run(run_id=run_id, at=at, chunk_records=settings.BILLING_PREVIEW_CHUNK_RECORDS)
            while produce_next_chunk(run_id=run.pk, at=at):
                pass
            accounts = RunAccount.objects.filter(run=run).select_related("customer", "invoice")
            return RunPreview(tuple(_seen(account) for account in accounts.order_by("customer__account_number")))
        finally:
            transaction.set_rollback(True)


def _seen(account: RunAccount) -> PreviewAccount:
    invoice = account.invoice
    return PreviewAccount(
        customer_id=account.customer_id,
        account_number=account.customer.account_number,
        customer_name=account.customer.name,
        outcome=account.outcome,
        reason=account.reason,
        currency=account.currency_id,
        record_count=account.record_count,
        exact_amount=account.exact_amount,
        net_amount=invoice.net_amount if invoice else Decimal(0),
        tax_amount=invoice.tax_amount if invoice else Decimal(0),
        total_amount=invoice.total_amount if invoice else Decimal(0),
    )
