import pghistory
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog.models import Currency
from catalog.models.fields import CurrentTransactionId, TransactionIdField
from catalog.models.triggers import touch_updated_at
from customers.models import Customer
from invoicing.models.charges import UsageCharge
from invoicing.models.credit_note_triggers import charge_taken_back_once
from invoicing.models.documents import InvoiceLine
from invoicing.models.triggers import part_of_document
from invoicing.models.use_triggers import terms_stay_once_used, uses_of_credits

# Not null in so many words: a check that comes to null holds.
WORTH = Q(percent__isnull=False, percent__gt=0, percent__lte=100, amount__isnull=True, currency__isnull=True) | Q(
    percent__isnull=True, amount__isnull=False, amount__gt=0, currency__isnull=False
)


@pghistory.track()
class Coupon(models.Model):
    """What customers that redeem a code get off their net: a percent of it, or an amount until it is used up.

    It counts on documents whose period ends from `start_date` on and before `end_date`.
    """

    code = models.CharField(max_length=50, unique=True)
    description = models.CharField(max_length=300)
    percent = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True, help_text="First day on which it no longer counts.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "coupon"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=WORTH, name="coupon_is_percent_or_amount"),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gt=F("start_date")), name="coupon_ends_after_start"
            ),
            models.CheckConstraint(condition=~Q(code=""), name="coupon_code_not_empty"),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.code


@pghistory.track()
class AccountCredit(models.Model):
    """What one customer gets off its net: granted to it, or from a coupon that it redeemed, whose terms are copied.

    Credits are used up in the order of `position`, then as they came. `created_in` is the database's transaction that
    made it: a run that was commenced before does not see it.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="account_credits")
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, null=True, blank=True, related_name="redemptions")
    code = models.CharField(max_length=50)
    description = models.CharField(max_length=300)
    percent = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True, help_text="First day on which it no longer counts.")
    position = models.PositiveSmallIntegerField(default=1)
    created_in = TransactionIdField(db_default=CurrentTransactionId(), editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "account_credit"
        ordering = ["customer", "position", "id"]
        constraints = [
            models.CheckConstraint(condition=WORTH, name="account_credit_is_percent_or_amount"),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gt=F("start_date")),
                name="account_credit_ends_after_start",
            ),
            models.CheckConstraint(condition=~Q(code=""), name="account_credit_code_not_empty"),
            models.UniqueConstraint(fields=["customer", "coupon"], name="account_credit_coupon_redeemed_once"),
        ]
        triggers = [touch_updated_at(), terms_stay_once_used()]

    def __str__(self) -> str:
        return f"{self.code} {self.description}"


class CreditUse(models.Model):
    """How much of a credit a line of a document used: `amount` is positive, in the document's currency.

    0 where the line takes nothing off: a percent of less than nothing at one tax rate adds to the document. What is
    left of an amount is it less its uses, but for what posted credit notes gave back (`tollbook_credit_left` in the
    database).
    """

    credit = models.ForeignKey(AccountCredit, on_delete=models.PROTECT, related_name="uses")
    line = models.OneToOneField(
        InvoiceLine, on_delete=models.DO_NOTHING, related_name="credit_use", db_constraint=False
    )
    amount = models.DecimalField(max_digits=20, decimal_places=4)

    class Meta:
        db_table = "credit_use"
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="credit_use_not_negative")]
        triggers = uses_of_credits()

    def __str__(self) -> str:
        return f"{self.amount} of {self.credit_id}"


class CreditedCharge(models.Model):
    """That a charge of a posted invoice was taken back by a line of a credit note. Once: it is the key."""

    charge = models.OneToOneField(
        UsageCharge, on_delete=models.DO_NOTHING, primary_key=True, related_name="credited_by", db_constraint=False
    )
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="credited_charges")

    class Meta:
        db_table = "credited_charge"
        ordering = ["charge"]
        triggers = [
            *part_of_document(
                "SELECT l.invoice_id FROM invoice_line l WHERE l.id IN (SELECT line_id FROM changed_rows)"
            ),
            charge_taken_back_once(),
        ]

    def __str__(self) -> str:
        return f"charge {self.charge_id}"
