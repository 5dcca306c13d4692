from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from catalog.models import Currency, Product
from customers.models import Customer, CustomerGroup
from invoicing.choices import LineKind
from invoicing.models import Invoice


class CountedInvoice(models.Model):
    """That a posted document is in the figures of dashboards, and for which groups: those that its customer was in.

    Posted documents never change: each is counted once. Where the customer joins or leaves a group afterwards, the
    document is counted for the group, or taken out of it, the next time (`reports.operations.figures`).
    """

    invoice = models.OneToOneField(
        Invoice, on_delete=models.PROTECT, primary_key=True, related_name="counted", db_constraint=False
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    group_ids = ArrayField(models.BigIntegerField(), default=list)
    counted_at = models.DateTimeField()

    class Meta:
        db_table = "counted_invoice"
        ordering = ["-invoice"]

    def __str__(self) -> str:
        return f"invoice {self.invoice_id}"


class RevenueDay(models.Model):
    """What the lines of all posted documents of an invoice date come to, by product and destination.

    `group` is a group of customers; empty: all of them. `amount` is in the currency, credit notes counted off, so all
    rows of a day together are the net of its documents. `destination` is the name in the rate, else the line's region;
    empty where the line has neither. `record_count` is the number of usage records that the lines are for.
    """

    group = models.ForeignKey(CustomerGroup, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="+", db_index=False)
    invoice_date = models.DateField()
    kind = models.CharField(max_length=10, choices=LineKind)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    destination = models.CharField(max_length=200, blank=True, default="")
    line_count = models.BigIntegerField()
    record_count = models.BigIntegerField()
    amount = models.DecimalField(max_digits=24, decimal_places=4)

    class Meta:
        db_table = "revenue_day"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["group", "currency", "invoice_date", "kind", "product", "destination"],
                nulls_distinct=False,
                name="revenue_day_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=LineKind.values), name="revenue_day_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_date}: {self.amount} {self.currency_id}"


class UsageDay(models.Model):
    """The usage of a day that posted documents charged for, by product.

    A day is a record's billing effective date, on its customer's clock. `group` is a group of customers; empty: all of
    them. `amount` is what the records were charged, exactly, before credits, minimums and tax; what credit notes or
    reversals took back is counted off, with its records.
    """

    group = models.ForeignKey(CustomerGroup, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+", db_index=False)
    charge_count = models.BigIntegerField()
    record_count = models.BigIntegerField()
    amount = models.DecimalField(max_digits=38, decimal_places=18)

    class Meta:
        db_table = "usage_day"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["group", "currency", "day", "product"], nulls_distinct=False, name="usage_day_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.amount} {self.currency_id}"


class PendingAge(models.Model):
    """How many records of a customer waited for an invoice, by age, when that was last counted (`counted_at`).

    Of an age of `from_days` days and more, up to the next (`reports.queries.dashboards.AGES`), by billing effective
    date; `oldest` is the first of these dates. Written anew each time: all rows have the same `counted_at`.
    """

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    from_days = models.IntegerField()
    record_count = models.BigIntegerField()
    oldest = models.DateField()
    counted_at = models.DateTimeField()

    class Meta:
        db_table = "pending_age"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["customer", "from_days"], name="pending_age_once")]

    def __str__(self) -> str:
        return f"{self.record_count} records from {self.oldest} on"
