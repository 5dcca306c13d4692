"""The month so far of one customer: what its bill of this month would say if it were made now. Nothing of it is kept.

By the steps of a run, in a transaction that is rolled back. They only read what others write to: nobody waits for the
month to date, and it waits for nobody.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from billing.adapters.month_to_date_cache import MonthKey, store
from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingRun, RunAccount
from billing.operations.lines import make_lines
from billing.operations.production import prepare_session, step_parameters, step_sql, take_and_rate
from billing.operations.rating import own_prices
from billing.operations.recurring import generate_recurring
from billing.operations.runs import SQL as RUN_SQL
from billing.operations.runs import commence_parameters, current_snapshot
from customers.models import Customer
from invoicing.choices import InvoiceState
from invoicing.models import Invoice, InvoiceLine

SQL = Path(__file__).parent / "sql" / "month_to_date"
TRIES = 3
CHUNK_RECORDS = 2**31 - 1
REASON = "The month so far."
DUE_TABLE = "due_transaction"


@dataclass(frozen=True, slots=True)
class MonthLine:
    """A line of the month so far, as an invoice has it (`InvoiceLine`); `amount` is in minor units of the currency."""

    description: str
    product_name: str
    product_group: str
    product_line: str
    region: str
    usage_type: str
    quantity: Decimal
    unit_price: Decimal | None
    unit_size: Decimal
    amount: Decimal
    coupon_code: str


@dataclass(frozen=True, slots=True)
class MonthToDate:
    """What a customer's month has come to, in `currency`: from `period_start` to `last_day`, that included.

    The lines add up to `net_amount`; `total_amount` is net and tax.
    """

    account_number: str
    currency: str
    minor_units: int
    period_start: date
    last_day: date
    net_amount: Decimal
    tax_amount: Decimal
    total_amount: Decimal
    lines: tuple[MonthLine, ...]


# Answers of another version of the code are not read.
SHAPE = ",".join(field.name for kind in (MonthToDate, MonthLine) for field in fields(kind))


class _BilledMeanwhile(Exception):
    """A draft came, went or was posted while the month was rated: it may have been counted twice, or not at all."""


def local_day(customer: Customer, at: datetime) -> date:
    """The date at a moment where the customer is."""
    return at.astimezone(ZoneInfo(customer.timezone)).date()


def month_key(customer: Customer, at: datetime) -> MonthKey:
    """What the customer's month to date is kept under in the cache."""
    return MonthKey(customer_id=customer.pk, day=local_day(customer, at), shape=SHAPE)


def make_month_to_date(*, customer: Customer, at: datetime) -> MonthToDate:
    """Price the month to date and keep it in the cache for some minutes."""
    answer = month_to_date(customer=customer, at=at)
    store(month_key(customer, at), answer)
    return answer


def month_to_date(*, customer: Customer, at: datetime) -> MonthToDate:
    """The month so far: what waits to be billed, priced now, and what is on drafts of this month already.

    On the bill are usage and transactions up to today, where the customer is. What was left from before is on it once
    the bill of the time before is made. What is on posted invoices is not: that is billed, and each use is on one bill.
    Neither minimum nor low-usage fee are on it, which are for whole months; usage without a price is left out.
    """
    for attempt in range(TRIES):
        with transaction.atomic():
            try:
                return _rated_now(customer, at, is_last=attempt == TRIES - 1)
            except _BilledMeanwhile:
                continue
            finally:
                transaction.set_rollback(True)
    raise AssertionError("The last try gives an answer.")


def _rated_now(customer: Customer, at: datetime, *, is_last: bool) -> MonthToDate:
    today = local_day(customer, at)
    month = today.replace(day=1)
    drafts = _drafts(customer, month)
    with connection.cursor() as cursor:
        prepare_session()
        cursor.execute(_sql("period"), {"customer_id": customer.pk, "month": month, "today": today})
        since, period_start = cursor.fetchone()
        account = _account(cursor, customer, at, today)
        minor_units = account.minor_units
        net, tax, lines = _lines(cursor, account, since)
    if not is_last and [draft.pk for draft in _drafts(customer, month)] != [draft.pk for draft in drafts]:
        raise _BilledMeanwhile
    net += sum((draft.net_amount for draft in drafts), Decimal(0))
    tax += sum((draft.tax_amount for draft in drafts), Decimal(0))
    return MonthToDate(
        account_number=customer.account_number,
        currency=customer.currency_id,
        minor_units=minor_units,
        period_start=period_start,
        last_day=today,
        net_amount=net,
        tax_amount=tax,
        total_amount=net + tax,
        lines=(*_draft_lines(drafts), *lines),
    )


def _account(cursor: CursorWrapper, customer: Customer, at: datetime, today: date) -> RunAccount:
    """An account of the customer with the terms of now, in a run that is nobody's and will not have been.

    It does not wait in it: so it is in no other run's way.
    """
    billing = getattr(customer, "billing", None)
    cycle = billing.billing_cycle if billing else None
    snapshot = current_snapshot(cursor)
    run = BillingRun(
        pk=own_prices(cursor, snapshot=snapshot).pk,
        name=REASON,
        status=RunStatus.COMMENCED,
        commenced_at=at,
        subrun=cycle.subrun if cycle else "",
        invoice_date=today,
        due_date=today,
        cutoff_date=today + timedelta(days=1),
        bill_unpriced=True,
        snapshot=snapshot,
    )
    run.save(force_insert=True)
    parameters = commence_parameters(run, CHUNK_RECORDS) | {
        "customer_id": customer.pk,
        "outcome": AccountOutcome.NOTHING_TO_BILL,
        "reason": REASON,
    }
    cursor.execute((RUN_SQL / "commence.sql").read_text(), parameters)
    return RunAccount.objects.select_related("run").get(run=run)


def _lines(
    cursor: CursorWrapper, account: RunAccount, since: date | None
) -> tuple[Decimal, Decimal, tuple[MonthLine, ...]]:
    """Net, tax and lines of what waits to be billed."""
    parameters = step_parameters(run=account.run, account_ids=[account.pk], since=since)
    take_and_rate(cursor, run=account.run, parameters=parameters)
    cursor.execute(_sql("due_table"))
    generate_recurring(cursor, run=account.run, customer_id=account.customer_id, table=DUE_TABLE)
    # The run's snapshot has what was there before; what is due now is to be in it too.
    parameters["snapshot"] = current_snapshot(cursor)
    cursor.execute(_sql("transactions"), parameters | {"customer_id": account.customer_id})
    make_lines(cursor, parameters, is_kept=False)
    cursor.execute(_sql("produced"))
    lines = tuple(MonthLine(*row) for row in cursor.fetchall())
    cursor.execute(step_sql("outcomes"), parameters)
    cursor.execute("SELECT net_amount, tax_amount FROM produced_account")
    net, tax = cursor.fetchone()
    return net, tax, lines


def _drafts(customer: Customer, month: date) -> list[Invoice]:
    """Drafts that bill days of the month, in the customer's currency. A credit for a posted invoice is that one's."""
    drafts = Invoice.objects.filter(
        customer=customer,
        state=InvoiceState.DRAFT,
        period_end__gt=month,
        currency=customer.currency_id,
        credited_invoice__isnull=True,
    )
    return list(drafts.order_by("id"))


def _draft_lines(drafts: list[Invoice]) -> tuple[MonthLine, ...]:
    names = [field.name for field in fields(MonthLine)]
    rows = InvoiceLine.objects.filter(invoice__in=drafts).order_by("invoice_id", "line_number").values_list(*names)
    return tuple(MonthLine(*row) for row in rows)


def _sql(step: str) -> str:
    return (SQL / f"{step}.sql").read_text()
