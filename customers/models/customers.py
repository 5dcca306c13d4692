import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models import Currency, RateCard, TaxRate
from catalog.models.fields import validate_timezone
from catalog.models.triggers import never_emptied, touch_updated_at
from customers.choices import CustomerStatus, LifeCycleState, MinimumRule


class CustomerGroup(models.Model):
    """Customers that share price lists, reports or who looks after them."""

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "customer_group"
        ordering = ["name"]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Customer(models.Model):
    """Who is billed. Dates of billing are dates in `timezone`; documents are in `currency`."""

    account_number = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=CustomerStatus, default=CustomerStatus.ACTIVE)
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="customers")
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    language = models.CharField(max_length=10, default="en")
    groups = models.ManyToManyField(
        CustomerGroup, blank=True, related_name="customers", db_table="customer_group_member"
    )
    tax_rate = models.ForeignKey(
        TaxRate,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        help_text="Without one a billing run holds the customer's account.",
    )
    vat_number = models.CharField("VAT number", max_length=40, blank=True, default="")
    emails = ArrayField(models.EmailField(), blank=True, default=list)
    address = models.TextField(blank=True, default="")
    payment_terms_days = models.PositiveSmallIntegerField(default=30)
    minimum_invoice_amount = models.DecimalField(
        max_digits=20,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="What becomes of an invoice below it is said next. Empty: one minor unit of the currency.",
    )
    minimum_rule = models.CharField(
        "below the minimum", max_length=4, choices=MinimumRule, default=MinimumRule.SKIP, db_default=MinimumRule.SKIP
    )
    low_usage_fee = models.DecimalField(
        max_digits=20,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="Added to an invoice below the minimum where the rule is the fee; in the customer's currency.",
    )
    wants_zero_invoices = models.BooleanField(
        default=False,
        db_default=False,
        help_text="An invoice of 0 is made for a month in which there is nothing to bill.",
    )
    masks_numbers = models.BooleanField(
        "called numbers masked",
        default=False,
        db_default=False,
        help_text="Usage reports show *** in place of the last three digits of the numbers that were called.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "customer"
        ordering = ["account_number"]
        constraints = [
            models.CheckConstraint(condition=~Q(account_number=""), name="customer_account_number_not_empty"),
            # What the composite foreign key of a transaction refers to.
            models.UniqueConstraint(fields=["id", "currency"], name="customer_with_its_currency"),
            models.CheckConstraint(condition=Q(status__in=CustomerStatus.values), name="customer_status_known"),
            models.CheckConstraint(
                condition=Q(minimum_invoice_amount__isnull=True) | Q(minimum_invoice_amount__gte=0),
                name="customer_minimum_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(minimum_rule__in=MinimumRule.values), name="customer_minimum_rule_known"
            ),
            # To be filled up, or to add a fee, it has to be said to what and how much.
            models.CheckConstraint(
                condition=~Q(minimum_rule=MinimumRule.PAD) | Q(minimum_invoice_amount__isnull=False),
                name="customer_padded_to_a_minimum",
            ),
            models.CheckConstraint(
                condition=~Q(minimum_rule=MinimumRule.FEE)
                | Q(minimum_invoice_amount__isnull=False, low_usage_fee__isnull=False, low_usage_fee__gt=0),
                name="customer_fee_is_positive",
            ),
        ]
        indexes = [models.Index(fields=["name"], name="customer_name")]
        triggers = [touch_updated_at(), never_emptied()]

    def __str__(self) -> str:
        return f"{self.account_number} {self.name}"


class Site(models.Model):
    """A place of a customer that usage reports are broken down by."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="sites")
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "site"
        ordering = ["customer", "name"]
        constraints = [models.UniqueConstraint(fields=["customer", "name"], name="site_name_once_per_customer")]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


class Campaign(models.Model):
    """A purpose of a customer that usage reports are broken down by."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "campaign"
        ordering = ["customer", "name"]
        constraints = [models.UniqueConstraint(fields=["customer", "name"], name="campaign_name_once_per_customer")]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


class AccountsReceivable(models.Model):
    """The customer's account that its invoices are posted to. A customer has one."""

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="accounts_receivable")
    number = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=200)
    life_cycle_state = models.CharField(max_length=10, choices=LifeCycleState, default=LifeCycleState.ACTIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "accounts_receivable"
        ordering = ["number"]
        verbose_name_plural = "accounts receivable"
        constraints = [
            models.CheckConstraint(
                condition=Q(life_cycle_state__in=LifeCycleState.values), name="accounts_receivable_state_known"
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.number


class BilledUntil(models.Model):
    """Up to and without which day a customer has been billed: the latest end of a period of its documents.

    Kept by triggers on documents. Usage from before that day which comes in now is late.
    """

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, primary_key=True, related_name="billed_until")
    day = models.DateField()

    class Meta:
        db_table = "customer_billed_until"
        ordering = ["customer"]

    def __str__(self) -> str:
        return f"billed until {self.day}"


@pghistory.track()
class CustomerRateCard(models.Model):
    """That a customer is priced by a card; cards are tried in the order of `position`."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="customer_rate_cards")
    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="customer_rate_cards")
    position = models.PositiveSmallIntegerField(default=1)

    class Meta:
        db_table = "customer_rate_card"
        ordering = ["customer", "position"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "position"], name="customer_rate_card_position_once"),
            models.UniqueConstraint(fields=["customer", "rate_card"], name="customer_rate_card_once"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.rate_card_id}"


@pghistory.track()
class GroupRateCard(models.Model):
    """That a group's customers are priced by a card, after their own cards."""

    group = models.ForeignKey(CustomerGroup, on_delete=models.PROTECT, related_name="group_rate_cards")
    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="group_rate_cards")
    position = models.PositiveSmallIntegerField(default=1)

    class Meta:
        db_table = "customer_group_rate_card"
        ordering = ["group", "position"]
        constraints = [
            models.UniqueConstraint(fields=["group", "position"], name="group_rate_card_position_once"),
            models.UniqueConstraint(fields=["group", "rate_card"], name="group_rate_card_once"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.rate_card_id}"
