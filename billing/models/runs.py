from datetime import date

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from billing.choices import AccountOutcome, HoldCause, RunStatus
from billing.models.cycles import InvoiceMessage
from billing.models.schedules import RunSchedule
from catalog.models import Currency, TaxRate
from catalog.models.fields import TransactionIdField
from catalog.models.triggers import never_emptied, touch_updated_at
from customers.choices import MinimumRule
from customers.models import AccountsReceivable, Customer
from invoicing.models import Invoice
from invoicing.models.triggers import REFUSED

EARLIEST, LATEST = date(1900, 1, 1), date(9000, 1, 1)


class BillingRun(models.Model):
    """Produces the invoices of a date: pending, commenced, completed; or cancelled while pending.

    Usage before `cutoff_date` is in it. `snapshot` is PostgreSQL's snapshot at the moment it was commenced: usage and
    prices that were committed later are not in it. Dates and message lock then; the database refuses a change.
    `commenced_in` is the database's transaction that commenced it: what it wrote for the run has that number. While it
    is paused no chunk is produced. Undone, it is pending again, as long as none of its invoices is posted.

    An invoice that lies further than `unusual_percent` and `unusual_amount` (in its currency) outside the band of the
    customer's own earlier ones is held; without a threshold none is. `proof_root` is the SHA-256 over the hashes of its
    posted invoices. A run that a schedule made is the only one for the period that ends on `scheduled_for`.
    """

    name = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.PENDING)
    subrun = models.CharField(max_length=50, blank=True, default="")
    invoice_message = models.ForeignKey(
        InvoiceMessage, on_delete=models.PROTECT, null=True, blank=True, related_name="billing_runs"
    )
    invoice_date = models.DateField()
    cutoff_date = models.DateField(help_text="Usage before this day is billed.")
    transaction_cutoff_date = models.DateField(
        null=True,
        blank=True,
        help_text="If given: transactions up to and on this day by their transaction date, whatever their bill date.",
    )
    due_date = models.DateField(null=True, blank=True, help_text="Empty: by each customer's payment terms.")
    bill_unpriced = models.BooleanField(
        "bill the rest of accounts with unpriced usage",
        default=False,
        help_text="Otherwise an account with a record that no rate prices is held. The record waits either way.",
    )
    unusual_percent = models.DecimalField(
        "unusual from, percent",
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        default=50,
        help_text="Invoices so much above or below the customer's own earlier ones are held. Empty: none.",
    )
    unusual_amount = models.DecimalField(
        "and from, amount",
        max_digits=20,
        decimal_places=4,
        null=True,
        blank=True,
        default=100,
        help_text="But only if they differ by so much, in the currency of the invoice. Empty: none.",
    )
    confirmed_warnings = ArrayField(models.CharField(max_length=50), default=list, blank=True, editable=False)
    split_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="split_off_runs"
    )
    schedule = models.ForeignKey(RunSchedule, on_delete=models.PROTECT, null=True, editable=False, related_name="runs")
    scheduled_for = models.DateField(null=True, editable=False)
    snapshot = models.TextField(blank=True, default="", editable=False)
    commenced_in = TransactionIdField(null=True, editable=False)
    paused_at = models.DateTimeField(null=True, editable=False)
    proof_root = models.CharField(max_length=64, blank=True, default="", editable=False)
    commenced_at = models.DateTimeField(null=True, editable=False)
    commenced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    completed_at = models.DateTimeField(null=True, editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "billing_run"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=RunStatus.values), name="billing_run_status_known"),
            models.CheckConstraint(
                condition=Q(cutoff_date__gte=EARLIEST, cutoff_date__lt=LATEST, invoice_date__gte=EARLIEST)
                & Q(due_date__lt=LATEST),
                name="billing_run_dates_in_range",
            ),
            models.CheckConstraint(
                condition=Q(due_date__gte=F("invoice_date")), name="billing_run_due_on_or_after_invoice_date"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[RunStatus.PENDING, RunStatus.CANCELLED], commenced_at__isnull=True, snapshot="")
                | (
                    Q(status__in=[RunStatus.COMMENCED, RunStatus.COMPLETED], commenced_at__isnull=False)
                    & ~Q(snapshot="")
                ),
                name="billing_run_commenced_has_its_snapshot",
            ),
            models.CheckConstraint(
                condition=Q(status=RunStatus.COMPLETED, completed_at__isnull=False)
                | (~Q(status=RunStatus.COMPLETED) & Q(completed_at__isnull=True, approved_at__isnull=True)),
                name="billing_run_completed_has_its_time",
            ),
            models.UniqueConstraint(fields=["schedule", "scheduled_for"], name="billing_run_once_per_period"),
            models.CheckConstraint(
                condition=Q(schedule__isnull=True, scheduled_for__isnull=True)
                | Q(schedule__isnull=False, scheduled_for__isnull=False),
                name="billing_run_scheduled_for_its_schedule",
            ),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True) | Q(status=RunStatus.COMMENCED),
                name="billing_run_paused_is_commenced",
            ),
            models.CheckConstraint(
                condition=(Q(unusual_percent__isnull=True) | Q(unusual_percent__gte=0))
                & (Q(unusual_amount__isnull=True) | Q(unusual_amount__gte=0)),
                name="billing_run_thresholds_not_negative",
            ),
        ]
        triggers = [
            touch_updated_at(),
            pgtrigger.FSM(
                name="status_order",
                field="status",
                transitions=[
                    ("pending", "commenced"),
                    ("commenced", "completed"),
                    ("pending", "cancelled"),
                    ("commenced", "pending"),
                    ("completed", "pending"),
                ],
            ),
            pgtrigger.Protect(
                name="keep_dates",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__status="pending")
                & (
                    pgtrigger.Q(old__invoice_date__df=pgtrigger.F("new__invoice_date"))
                    | pgtrigger.Q(old__cutoff_date__df=pgtrigger.F("new__cutoff_date"))
                    | pgtrigger.Q(old__transaction_cutoff_date__df=pgtrigger.F("new__transaction_cutoff_date"))
                    | pgtrigger.Q(old__due_date__df=pgtrigger.F("new__due_date"))
                    | pgtrigger.Q(old__invoice_message__df=pgtrigger.F("new__invoice_message"))
                ),
            ),
            pgtrigger.Protect(
                name="keep_approval",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__approved_at__isnull=False)
                & pgtrigger.Q(old__approved_at__df=pgtrigger.F("new__approved_at")),
            ),
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return self.name


class RunChunk(models.Model):
    """Some of a run's accounts: what one worker produces in one transaction.

    The row is the queue. A worker holds its lock while it works, so a killed worker gives it back by dying. `worker`
    (host and process) and `duration_ms` say who produced it in what time; who is at it now, only connections say.
    """

    run = models.ForeignKey(BillingRun, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    account_count = models.PositiveIntegerField(default=0)
    record_count = models.BigIntegerField(default=0)
    produced_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    worker = models.CharField(max_length=100, blank=True, default="", db_default="")

    class Meta:
        db_table = "run_chunk"
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="run_chunk_number_once")]
        indexes = [models.Index(fields=["run"], condition=Q(produced_at__isnull=True), name="run_chunk_waiting")]

    def __str__(self) -> str:
        return f"chunk {self.number}"


class RunAccount(models.Model):
    """One customer's outcome in a run, and the terms that it is billed by as they were when the run was commenced.

    Where somebody had it produced again by the prices of that moment, `price_snapshot` is PostgreSQL's snapshot of it.

    A customer waits in one run at a time. Invoiced accounts have their invoice, held and failed ones their reason; held
    ones a cause, too (`held_for`), and those that are held because they are unusual keep their draft.
    """

    run = models.ForeignKey(BillingRun, on_delete=models.CASCADE, related_name="accounts", db_index=False)
    chunk = models.ForeignKey(RunChunk, on_delete=models.CASCADE, related_name="accounts")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="run_accounts")
    accounts_receivable = models.ForeignKey(AccountsReceivable, on_delete=models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=15, choices=AccountOutcome, default=AccountOutcome.WAITING)
    reason = models.TextField(blank=True, default="")
    held_for = models.CharField(max_length=10, choices=HoldCause, blank=True, default="", db_default="")
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, null=True, related_name="run_account")
    record_count = models.BigIntegerField(default=0, help_text="Records priced: on the invoice, or waiting.")
    exact_amount = models.DecimalField(
        max_digits=38, decimal_places=18, default=0, help_text="What those records come to, exactly."
    )
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="+")
    minor_units = models.PositiveSmallIntegerField()
    timezone = models.CharField(max_length=64)
    tax_rate = models.ForeignKey(TaxRate, on_delete=models.PROTECT, null=True, related_name="+")
    minimum_amount = models.DecimalField(max_digits=20, decimal_places=4)
    minimum_rule = models.CharField(
        max_length=4, choices=MinimumRule, default=MinimumRule.SKIP, db_default=MinimumRule.SKIP
    )
    low_usage_fee = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    wants_zero_invoice = models.BooleanField(default=False, db_default=False)
    rate_card_ids = ArrayField(models.BigIntegerField(), default=list)
    price_snapshot = models.TextField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Of the prices, where it was produced again by later ones.",
    )
    period_start = models.DateField()
    late_before = models.DateField(null=True, help_text="Usage before it missed an earlier invoice of the customer.")
    message = models.TextField(blank=True, default="")

    class Meta:
        db_table = "run_account"
        ordering = ["run", "customer"]
        constraints = [
            models.UniqueConstraint(fields=["run", "customer"], name="run_account_once_per_customer"),
            models.UniqueConstraint(
                fields=["customer"], condition=Q(outcome=AccountOutcome.WAITING), name="run_account_waits_in_one_run"
            ),
            models.CheckConstraint(condition=Q(outcome__in=AccountOutcome.values), name="run_account_outcome_known"),
            models.CheckConstraint(
                condition=(
                    (Q(outcome=AccountOutcome.INVOICED) | Q(held_for=HoldCause.UNUSUAL)) & Q(invoice__isnull=False)
                )
                | (~Q(outcome=AccountOutcome.INVOICED) & ~Q(held_for=HoldCause.UNUSUAL) & Q(invoice__isnull=True)),
                name="run_account_invoiced_has_its_invoice",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=[AccountOutcome.WAITING, AccountOutcome.INVOICED]) | ~Q(reason=""),
                name="run_account_outcome_has_its_reason",
            ),
            models.CheckConstraint(
                condition=Q(outcome=AccountOutcome.HELD, held_for__in=HoldCause.values)
                | (~Q(outcome=AccountOutcome.HELD) & Q(held_for="")),
                name="run_account_held_has_its_cause",
            ),
        ]
        indexes = [
            models.Index(fields=["run", "id"], name="run_account_by_run"),
            models.Index(fields=["run", "outcome", "id"], name="run_account_by_outcome"),
            models.Index(
                fields=["outcome", "id"],
                condition=Q(outcome__in=[AccountOutcome.HELD, AccountOutcome.FAILED]),
                name="run_account_to_decide",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="posted_is_final",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__invoice__isnull=False),
                declare=[("refused", "text")],
                func=f"""
                SELECT i.number INTO refused FROM invoice i WHERE i.id = OLD.invoice_id AND i.state = 'POSTED';
                IF refused IS NOT NULL THEN {REFUSED} END IF;
                IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                RETURN NEW;
                """,
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.outcome}"
