import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models import Rate
from catalog.models.fields import CurrentTransactionId, TransactionIdField
from catalog.models.triggers import never_emptied
from customers.models import Customer
from invoicing.models.charges import Transaction, UsageCharge
from invoicing.models.credit_note_triggers import credited_price_stays


class PriceCorrection(models.Model):
    """What a usage charge on a posted invoice comes to after its price was corrected. The charge itself stays.

    Corrections of one charge are numbered by `turn`: the last one holds, and no two people make the same one. Before it
    the charge came to `amount_before`, with it to `amount`, by `rate` (that of the charge once its usage was taken
    back) for `billed_quantity`, which is signed. Where the rate counts the month's usage, `counted_month` and
    `counted_id` say where it counts, in place of the charge.

    `credit` and `new_charge` are the transactions that it is part of, together with the others of its invoice, product
    and tax rate; without a new charge the credit is the difference. A charge that only counts by another rate now, and
    comes to the same, has neither. `created_in` is the transaction that wrote it: a billing run that was commenced
    before does not see it. Appended, never updated.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="price_corrections", db_index=False)
    charge = models.ForeignKey(UsageCharge, on_delete=models.PROTECT, related_name="price_corrections", db_index=False)
    turn = models.PositiveSmallIntegerField()
    rate = models.ForeignKey(
        Rate, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    billed_quantity = models.DecimalField(max_digits=38, decimal_places=18)
    counted_month = models.DateField(null=True)
    counted_id = models.BigIntegerField(null=True)
    amount_before = models.DecimalField(max_digits=38, decimal_places=18)
    amount = models.DecimalField(max_digits=38, decimal_places=18)
    credit = models.ForeignKey(Transaction, on_delete=models.PROTECT, null=True, related_name="credited_corrections")
    new_charge = models.ForeignKey(Transaction, on_delete=models.PROTECT, null=True, related_name="charged_corrections")
    created_in = TransactionIdField(db_default=CurrentTransactionId(), editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    class Meta:
        db_table = "price_correction"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["charge", "turn"], name="price_correction_once_per_turn"),
            models.CheckConstraint(condition=Q(turn__gte=1), name="price_correction_turns_from_one"),
            models.CheckConstraint(
                condition=Q(counted_month__isnull=True, counted_id__isnull=True)
                | Q(counted_month__isnull=False, counted_id__isnull=False),
                name="price_correction_counted_in_full",
            ),
            models.CheckConstraint(
                condition=Q(credit__isnull=False) | Q(new_charge__isnull=True, amount=models.F("amount_before")),
                name="price_correction_has_its_credit",
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer", "rate", "counted_month", "counted_id"],
                condition=Q(counted_month__isnull=False),
                name="price_correction_counted",
            )
        ]
        triggers = [
            pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete),
            never_emptied(),
            credited_price_stays(),
        ]

    def __str__(self) -> str:
        return f"charge {self.charge_id}: {self.amount_before} to {self.amount}"
