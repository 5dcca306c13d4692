import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models import Currency, Product, Rate, TaxRate
from catalog.models.fields import CurrentTransactionId, TransactionIdField
from catalog.models.triggers import never_emptied, touch_updated_at
from customers.models import Customer
from invoicing.choices import TransactionKind
from invoicing.models.credit_note_triggers import charge_not_credited
from invoicing.models.documents import InvoiceLine
from invoicing.models.recurring import RecurringCharge
from invoicing.models.triggers import (
    REFUSED,
    charged_period_stays,
    correction_stays,
    fits_its_line,
    part_of_document,
    reversal_stays,
    takes_back_its_charge,
)
from invoicing.querysets import ChargeQuerySet
from usage.models import UsageDataRecord


class UsageCharge(models.Model):
    """The priced result of one record, on one invoice line: the rate version, the quantity billed, the exact amount.

    Appended, never updated. A record has at most one: it is charged once on invoices that stand. Records that bring
    their own amount have no rate. `quantity` is the record's, negative where it is credited; `billed_quantity` is what
    minimum and increments made of it, null where that is the same.

    Where the price depends on the month's usage: it is counted for `counted_month` (its first day, in the customer's
    time zone), for the service or subscription `counted_id` (0: the customer); before this record `quantity_before` was
    counted, by the end of the run that charged it `quantity_total`; `included_quantity` was free. `correction` is what
    earlier charges of that month differed by from what their quantity costs now; the first charge of a run takes it up.

    `posted_in` is what the record's row of pending usage had: as long as the invoice is
    a draft, the record may have to go back there.
    """

    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, related_name="usage_charges", db_constraint=False, db_index=False
    )
    record = models.OneToOneField(
        UsageDataRecord, on_delete=models.DO_NOTHING, related_name="charge", db_constraint=False
    )
    line = models.ForeignKey(InvoiceLine, on_delete=models.DO_NOTHING, related_name="charges", db_constraint=False)
    rate = models.ForeignKey(
        Rate, on_delete=models.DO_NOTHING, null=True, related_name="charges", db_constraint=False, db_index=False
    )
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    amount = models.DecimalField(max_digits=38, decimal_places=18)
    billed_quantity = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    counted_month = models.DateField(null=True)
    counted_id = models.BigIntegerField(null=True)
    quantity_before = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    quantity_total = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    included_quantity = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    correction = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    posted_in = TransactionIdField(db_default=CurrentTransactionId(), editable=False)

    objects = ChargeQuerySet.as_manager()

    class Meta:
        db_table = "usage_charge"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    counted_month__isnull=True,
                    counted_id__isnull=True,
                    quantity_before__isnull=True,
                    quantity_total__isnull=True,
                    included_quantity__isnull=True,
                    correction__isnull=True,
                )
                | Q(
                    counted_month__isnull=False,
                    counted_id__isnull=False,
                    quantity_before__isnull=False,
                    quantity_total__isnull=False,
                    included_quantity__isnull=False,
                    correction__isnull=False,
                ),
                name="usage_charge_counted_in_full",
            )
        ]
        indexes = [
            models.Index(
                fields=["customer", "rate", "counted_month", "counted_id"],
                condition=Q(counted_month__isnull=False),
                name="usage_charge_counted",
            )
        ]
        triggers = [
            fits_its_line(),
            *part_of_document(
                "SELECT l.invoice_id FROM invoice_line l WHERE l.id IN (SELECT line_id FROM changed_rows)"
            ),
        ]

    def __str__(self) -> str:
        return f"record {self.record_id}: {self.amount}"


class Transaction(models.Model):
    """A charge that is not usage: one-off, recurring or manual. `amount` is what it costs, negative for a credit.

    It waits until a run takes it; then it has the line of the invoice that it is on, and stays as it is; only a draft
    may give it back. `created_in` is the database's transaction that last wrote it while it waited: a run that was
    commenced before does not see it. Its currency is the customer's, by a composite foreign key in the database.
    A reversal takes back exactly what `reversed_charge`, a usage charge on a posted invoice, came to. A correction is
    the credit or the new charge of usage charges whose price was wrong (`PriceCorrection`). What a run made of a
    recurring charge is for `period_start` and the days before `period_end`, each period once.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="transactions")
    kind = models.CharField(max_length=10, choices=TransactionKind, default=TransactionKind.MANUAL)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    description = models.CharField(max_length=300)
    quantity = models.DecimalField(max_digits=38, decimal_places=18, default=1)
    unit_price = models.DecimalField(max_digits=38, decimal_places=18)
    amount = models.GeneratedField(
        expression=models.F("quantity") * models.F("unit_price"),
        output_field=models.DecimalField(max_digits=38, decimal_places=18),
        db_persist=True,
    )
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="+")
    tax_rate = models.ForeignKey(
        TaxRate, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: the customer's."
    )
    transaction_date = models.DateField()
    bill_date = models.DateField(null=True, blank=True, help_text="Not billed before it; empty: the transaction date.")
    invoice_line = models.OneToOneField(
        InvoiceLine, on_delete=models.PROTECT, null=True, editable=False, related_name="transaction"
    )
    reversed_charge = models.OneToOneField(
        UsageCharge, on_delete=models.PROTECT, null=True, editable=False, related_name="reversal"
    )
    recurring_charge = models.ForeignKey(
        RecurringCharge,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="transactions",
        db_index=False,
    )
    period_start = models.DateField(null=True, editable=False)
    period_end = models.DateField(null=True, editable=False)
    created_in = TransactionIdField(db_default=CurrentTransactionId(), editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "transaction"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=TransactionKind.values), name="transaction_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=TransactionKind.REVERSAL, reversed_charge__isnull=False)
                | (~Q(kind=TransactionKind.REVERSAL) & Q(reversed_charge__isnull=True)),
                name="transaction_reversal_has_its_charge",
            ),
            models.CheckConstraint(
                condition=Q(recurring_charge__isnull=True, period_start__isnull=True, period_end__isnull=True)
                | Q(
                    kind=TransactionKind.RECURRING,
                    recurring_charge__isnull=False,
                    period_start__isnull=False,
                    period_end__isnull=False,
                    period_end__gt=models.F("period_start"),
                ),
                name="transaction_period_of_its_charge",
            ),
            models.UniqueConstraint(
                fields=["recurring_charge", "period_start"],
                condition=Q(recurring_charge__isnull=False),
                include=["period_end"],
                name="transaction_period_once",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "id"], condition=Q(invoice_line__isnull=True), name="transaction_waiting")
        ]
        triggers = [
            # Being put on a draft, and given back by it, changes nothing in it.
            touch_updated_at(pgtrigger.Condition("OLD.invoice_line_id IS NOT DISTINCT FROM NEW.invoice_line_id")),
            never_emptied(),
            pgtrigger.Trigger(
                name="written_anew",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__invoice_line__isnull=True, new__invoice_line__isnull=True),
                func="NEW.created_in = pg_current_xact_id(); RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="put_on_a_line_that_fits",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("invoice_line_id"),
                condition=pgtrigger.Q(new__invoice_line__isnull=False),
                declare=[("refused", "text")],
                func=f"""
                PERFORM FROM invoice i JOIN invoice_line l ON l.invoice_id = i.id
                WHERE l.id = NEW.invoice_line_id FOR SHARE OF i;
                SELECT i.number INTO refused FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id
                WHERE l.id = NEW.invoice_line_id AND i.state = 'POSTED';
                IF refused IS NOT NULL THEN {REFUSED} END IF;
                IF NOT EXISTS (
                  SELECT FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id
                  WHERE l.id = NEW.invoice_line_id AND i.customer_id = NEW.customer_id AND l.kind = NEW.kind
                    AND l.exact_amount = round(NEW.quantity * NEW.unit_price, 18)
                ) THEN
                  RAISE EXCEPTION 'The transaction does not fit the line: other customer, kind or amount, or no line.'
                    USING ERRCODE = 'foreign_key_violation';
                END IF;
                RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="posted_is_final",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__invoice_line__isnull=False),
                declare=[("refused", "text")],
                func=f"""
                -- Whatever its state is: one that is being posted at this moment is waited for.
                PERFORM FROM invoice i JOIN invoice_line l ON l.invoice_id = i.id
                WHERE l.id = OLD.invoice_line_id FOR SHARE OF i;
                SELECT i.number INTO refused FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id
                WHERE l.id = OLD.invoice_line_id AND i.state = 'POSTED';
                IF refused IS NOT NULL THEN {REFUSED} END IF;
                -- A draft gives it back as it was. The amount is only computed after this trigger.
                IF TG_OP = 'UPDATE' THEN
                  IF NEW.invoice_line_id IS NULL
                    AND to_jsonb(NEW) - ARRAY['invoice_line_id', 'amount', 'updated_at']
                      = to_jsonb(OLD) - ARRAY['invoice_line_id', 'amount', 'updated_at'] THEN
                    RETURN NEW;
                  END IF;
                END IF;
                RAISE EXCEPTION 'The transaction is on a draft invoice: it does not change while it is there.'
                  USING ERRCODE = 'restrict_violation';
                """,
            ),
            takes_back_its_charge(),
            charge_not_credited(),
            reversal_stays(),
            correction_stays(),
            charged_period_stays(),
        ]

    def __str__(self) -> str:
        return self.description
