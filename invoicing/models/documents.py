from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog.models import Currency, Product, Rate, TaxRate
from catalog.models.triggers import references_exist
from customers.models import AccountsReceivable, Customer
from invoicing.choices import DeliveryChannel, InvoiceKind, InvoiceState, LineKind
from invoicing.models.triggers import document, goes_on_from_the_last_number, part_of_document


class NumberSeries(models.Model):
    """Numbers of posted documents of one kind: no gaps and no repeats, because posting takes them under a row lock."""

    kind = models.CharField(max_length=12, choices=InvoiceKind, unique=True)
    prefix = models.CharField(max_length=20, blank=True, default="")
    digits = models.PositiveSmallIntegerField(default=6, help_text="Padded with zeros to so many digits.")
    next_number = models.BigIntegerField(default=1)

    class Meta:
        db_table = "number_series"
        ordering = ["kind"]
        verbose_name_plural = "number series"
        constraints = [
            models.CheckConstraint(condition=Q(next_number__gte=1), name="number_series_next_positive"),
            models.CheckConstraint(condition=Q(digits__gte=1, digits__lte=18), name="number_series_digits_range"),
            models.CheckConstraint(condition=Q(kind__in=InvoiceKind.values), name="number_series_kind_known"),
        ]
        triggers = [goes_on_from_the_last_number()]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.prefix}"


class Invoice(models.Model):
    """One document of one customer: an invoice, or a credit note where it comes to less than nothing.

    Draft until posted; once posted it never changes, the database refuses. The period is half-open:
    `period_start` <= day < `period_end`. Amounts are in `currency`, rounded to its minor units; total = net + tax.
    Name, address and VAT number are copied from the customer.

    `content_sha256` is the SHA-256 of what a posted document says and of what that was made from, written as its
    `content_version` has it (`invoicing.operations.content`); `content_parts` are the digests of its parts.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    accounts_receivable = models.ForeignKey(
        AccountsReceivable, on_delete=models.PROTECT, null=True, related_name="invoices"
    )
    kind = models.CharField(max_length=12, choices=InvoiceKind, default=InvoiceKind.INVOICE)
    state = models.CharField(max_length=10, choices=InvoiceState, default=InvoiceState.DRAFT)
    series = models.ForeignKey(NumberSeries, on_delete=models.PROTECT, null=True, related_name="invoices")
    sequence_number = models.BigIntegerField(null=True)
    number = models.CharField(max_length=50, null=True, unique=True)
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="invoices")
    period_start = models.DateField()
    period_end = models.DateField(help_text="First day that no longer belongs to the period.")
    invoice_date = models.DateField()
    due_date = models.DateField()
    customer_name = models.CharField(max_length=200)
    customer_address = models.TextField(blank=True, default="")
    customer_vat_number = models.CharField(max_length=40, blank=True, default="")
    message = models.TextField(blank=True, default="")
    net_amount = models.DecimalField(max_digits=20, decimal_places=4)
    tax_amount = models.DecimalField(max_digits=20, decimal_places=4)
    total_amount = models.DecimalField(max_digits=20, decimal_places=4)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    posted_at = models.DateTimeField(null=True, editable=False)
    content_sha256 = models.CharField(max_length=64, blank=True, default="", editable=False)
    content_version = models.PositiveSmallIntegerField(default=1, db_default=1, editable=False)
    content_parts = models.TextField(blank=True, default="", db_default="", editable=False)

    class Meta:
        db_table = "invoice"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="invoice_period_not_empty"),
            models.CheckConstraint(
                condition=Q(total_amount=F("net_amount") + F("tax_amount")), name="invoice_total_is_net_plus_tax"
            ),
            models.CheckConstraint(
                condition=Q(
                    state=InvoiceState.DRAFT,
                    number__isnull=True,
                    series__isnull=True,
                    sequence_number__isnull=True,
                    posted_at__isnull=True,
                )
                | Q(
                    state=InvoiceState.POSTED,
                    number__isnull=False,
                    series__isnull=False,
                    sequence_number__isnull=False,
                    posted_at__isnull=False,
                ),
                name="invoice_has_a_number_once_posted",
            ),
            models.CheckConstraint(
                condition=Q(kind=InvoiceKind.INVOICE, net_amount__gte=0)
                | Q(kind=InvoiceKind.CREDIT_NOTE, net_amount__lt=0),
                name="invoice_kind_follows_its_sign",
            ),
            models.UniqueConstraint(fields=["series", "sequence_number"], name="invoice_number_once_in_series"),
        ]
        indexes = [
            models.Index(fields=["customer", "period_end"], name="invoice_customer_period"),
            # The v3 list: posted ones, newest period first, all customers' or one's.
            models.Index(fields=["-period_start", "-id"], condition=Q(state="POSTED"), name="invoice_posted_list"),
            models.Index(
                fields=["customer", "-period_start", "-id"], condition=Q(state="POSTED"), name="invoice_customer_list"
            ),
        ]
        triggers = document()

    def __str__(self) -> str:
        return self.number or f"draft {self.id}"


class InvoiceLine(models.Model):
    """One line of a document. Texts are copied, so that a product's new name never reaches an old invoice.

    `exact_amount` is the exact sum of the line's charges; `amount` is in minor units, by largest remainder within its
    tax rate. A usage line has one price: `unit_price` per `unit_size` of `unit`.
    """

    invoice = models.ForeignKey(
        Invoice, on_delete=models.CASCADE, related_name="lines", db_constraint=False, db_index=False
    )
    line_number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=LineKind)
    product = models.ForeignKey(
        Product, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    product_code = models.CharField(max_length=200, blank=True, default="")
    product_name = models.CharField(max_length=200, blank=True, default="")
    product_group = models.CharField(max_length=100, blank=True, default="")
    product_line = models.CharField(max_length=100, blank=True, default="")
    region = models.CharField(max_length=100, blank=True, default="")
    usage_type = models.CharField(max_length=100, blank=True, default="")
    unit = models.CharField(max_length=50, blank=True, default="")
    description = models.TextField(blank=True, default="")
    late_period = models.DateField(
        null=True, help_text="First day of the earlier month that late usage belongs to; empty where it is not late."
    )
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    rate = models.ForeignKey(Rate, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    unit_price = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    unit_size = models.DecimalField(max_digits=38, decimal_places=18, default=1)
    exact_amount = models.DecimalField(max_digits=38, decimal_places=18)
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    tax_rate = models.ForeignKey(
        TaxRate, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    charge_count = models.BigIntegerField(default=0)

    class Meta:
        db_table = "invoice_line"
        ordering = ["invoice", "line_number"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "line_number"], name="invoice_line_number_once"),
            models.CheckConstraint(condition=Q(kind__in=LineKind.values), name="invoice_line_kind_known"),
        ]
        triggers = [
            references_exist(
                on="insert", invoice_id="invoice", product_id="product", rate_id="rate", tax_rate_id="tax_rate"
            ),
            *part_of_document("SELECT invoice_id FROM changed_rows"),
        ]

    def __str__(self) -> str:
        return f"line {self.line_number}"


class InvoiceTax(models.Model):
    """What a document has at one tax rate: net is the exact sum of its lines rounded once, tax is net x percent."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="taxes", db_index=False)
    tax_rate = models.ForeignKey(TaxRate, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=100)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    net_amount = models.DecimalField(max_digits=20, decimal_places=4)
    tax_amount = models.DecimalField(max_digits=20, decimal_places=4)

    class Meta:
        db_table = "invoice_tax"
        ordering = ["invoice", "name"]
        verbose_name_plural = "invoice taxes"
        constraints = [models.UniqueConstraint(fields=["invoice", "tax_rate"], name="invoice_tax_once_per_rate")]
        triggers = part_of_document("SELECT invoice_id FROM changed_rows")

    def __str__(self) -> str:
        return f"{self.name} {self.percent} %"


class InvoiceDelivery(models.Model):
    """That a posted invoice was sent: how, to whom and when. One row for each time."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=10, choices=DeliveryChannel)
    recipient = models.CharField(max_length=300)
    sent_at = models.DateTimeField()
    note = models.TextField(blank=True, default="")

    class Meta:
        db_table = "invoice_delivery"
        ordering = ["-sent_at"]
        verbose_name_plural = "invoice deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=DeliveryChannel.values), name="invoice_delivery_channel_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} to {self.recipient}"
