import pghistory
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models.triggers import touch_updated_at
from customers.models import Customer


@pghistory.track()
class BillingCycle(models.Model):
    """How often customers are billed, and by which of the runs of a date."""

    name = models.CharField(max_length=100, unique=True)
    months = models.PositiveSmallIntegerField(default=1, help_text="Months that an invoice covers.")
    subrun = models.CharField(
        max_length=50, blank=True, default="", help_text="The runs with this subrun take its customers."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "billing_cycle"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(months__gte=1, months__lte=12), name="billing_cycle_months_range")
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class InvoiceMessage(models.Model):
    """A text on invoices, by name: a run's, or else the customer's own."""

    name = models.CharField(max_length=100, unique=True)
    text = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "invoice_message"
        ordering = ["name"]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class CustomerBilling(models.Model):
    """How one customer is billed: its cycle and its own invoice message. Without one: monthly, by runs of no subrun."""

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="billing")
    billing_cycle = models.ForeignKey(
        BillingCycle, on_delete=models.PROTECT, null=True, blank=True, related_name="customers"
    )
    invoice_message = models.ForeignKey(
        InvoiceMessage, on_delete=models.PROTECT, null=True, blank=True, related_name="customers"
    )

    class Meta:
        db_table = "customer_billing"
        ordering = ["customer"]
        verbose_name = "customer's billing"
        verbose_name_plural = "customers' billing"

    def __str__(self) -> str:
        return f"billing of {self.customer_id}"
