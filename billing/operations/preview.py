"""What a run would produce: the run itself, in a transaction that is not kept. There is no second way to price."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from billing.models import BillingRun, RunAccount
from billing.operations.errors import RunRefused
from billing.operations.production import produce_account_again, produce_next_chunk
from billing.operations.runs import commence_run
from billing.queries.why_not import why_not
from invoicing.models import Invoice


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
class PreviewLine:
    """A line of the document that a customer would get; amounts in its currency, as on `InvoiceLine`."""

    line_number: int
    kind: str
    product_code: str
    product_name: str
    region: str
    usage_type: str
    unit: str
    description: str
    late_period: date | None
    quantity: Decimal
    unit_price: Decimal | None
    unit_size: Decimal
    exact_amount: Decimal
    amount: Decimal
    charge_count: int


@dataclass(frozen=True, slots=True)
class PreviewTax:
    """What a tax rate would come to on the document: its percent of the net amount."""

    name: str
    percent: Decimal
    net_amount: Decimal
    tax_amount: Decimal


@dataclass(frozen=True, slots=True)
class CustomerPreview:
    """What one customer would get, with the lines and taxes of its document; none where there would be none."""

    account: PreviewAccount
    minor_units: int
    period_start: date
    lines: tuple[PreviewLine, ...]
    taxes: tuple[PreviewTax, ...]


@dataclass(frozen=True, slots=True)
class RunPreview:
    """All accounts of a run as they would come out, by account number."""

    accounts: tuple[PreviewAccount, ...]


def preview_run(*, run_id: int, at: datetime) -> RunPreview:
    """Produce a pending run, read the result and roll everything back. Raises as `commence_run` does."""
    with transaction.atomic():
        try:
            run = commence_run(
                run_id=run_id,
                at=at,
                chunk_records=settings.BILLING_PREVIEW_CHUNK_RECORDS,
                without_preflight=True,
            )
            while produce_next_chunk(run_id=run.pk, at=at):
                pass
            accounts = RunAccount.objects.filter(run=run).select_related("customer", "invoice")
            return RunPreview(tuple(_seen(account) for account in accounts.order_by("customer__account_number")))
        finally:
            transaction.set_rollback(True)


def preview_customer(*, run_id: int, customer_id: int, at: datetime) -> CustomerPreview:
    """Produce one customer of a pending run, read its document and roll everything back.

    Raises as `commence_run` does; RunRefused, with why, where the customer would not be on the run;
    `Customer.DoesNotExist`.
    """
    preview = _produced(run_id, customer_id, at)
    if preview is None:
        answer = why_not(run=BillingRun.objects.get(pk=run_id), customer_id=customer_id)
        raise RunRefused(f"Customer {answer.account_number} would not be on the run. {answer.sentence}")
    return preview


def _produced(run_id: int, customer_id: int, at: datetime) -> CustomerPreview | None:
    """The customer's preview, with everything rolled back; None where the run does not take the customer."""
    with transaction.atomic():
        try:
            run = commence_run(run_id=run_id, at=at, without_preflight=True)
            account = RunAccount.objects.filter(run=run, customer_id=customer_id).first()
            if account is None:
                return None
            # Prices are laid out for those whose accounts there are.
            RunAccount.objects.filter(run=run).exclude(pk=account.pk).delete()
            produce_account_again(run=run, account_id=account.pk)
            produced = RunAccount.objects.select_related("customer", "invoice").get(pk=account.pk)
            return CustomerPreview(
                account=_seen(produced),
                minor_units=produced.minor_units,
                period_start=produced.period_start,
                lines=_lines(produced.invoice),
                taxes=_taxes(produced.invoice),
            )
        finally:
            transaction.set_rollback(True)


def _lines(invoice: Invoice | None) -> tuple[PreviewLine, ...]:
    if invoice is None:
        return ()
    names = [field.name for field in fields(PreviewLine)]
    return tuple(PreviewLine(*row) for row in invoice.lines.order_by("line_number").values_list(*names))


def _taxes(invoice: Invoice | None) -> tuple[PreviewTax, ...]:
    if invoice is None:
        return ()
    names = [field.name for field in fields(PreviewTax)]
    return tuple(PreviewTax(*row) for row in invoice.taxes.order_by("name", "percent").values_list(*names))


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
