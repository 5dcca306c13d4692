from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog.models import Currency, Product, Rate, TaxRate
from catalog.models.triggers import references_exist
from customers.models import AccountsReceivable, Customer
from invoicing.choices import InvoiceKind, InvoiceState, LineKind
from invoicing.models.credit_note_triggers import (
    credits_a_posted_invoice,
    line_taken_back_once,
    takes_back_its_charges,
    tax_taken_back_once,
)
from invoicing.models.entities import LegalEntity
from invoicing.models.triggers import document, goes_on_from_the_last_number, part_of_document


class NumberSeries(models.Model):
    """Numbers of posted documents of one legal entity and kind: no gaps and no repeats, for posting locks the row."""

    legal_entity = models.ForeignKey(
        LegalEntity,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="number_series",
        help_text="Whose documents. Empty: of those that no legal entity issues.",
    )
    kind = models.CharField(max_length=12, choices=InvoiceKind)
    prefix = models.CharField(
        max_length=30,
        blank=True,
        default="",
        help_text="Before the number; {year} and {month} are those of the invoice date.",
    )
    digits = models.PositiveSmallIntegerField(default=6, help_text="Padded with zeros to so many digits.")
    next_number = models.BigIntegerField(default=1)

    class Meta:
        db_table = "number_series"
        ordering = ["legal_entity", "kind"]
        verbose_name_plural = "number series"
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "kind"], nulls_distinct=False, name="number_series_one_per_entity_and_kind"
            ),
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
    Name, address and VAT number are copied from the customer, what is said of the seller from its legal entity, again
    when it is posted. `tax_point` is the day whose tax rates it has; documents from before that was noted have none. A
    credit note for a posted invoice names it (`credited_invoice`) and says why (`reason`). One that a person made of
    chosen transactions is manual: no billing run takes its period for billed.

    `content_sha256` is the SHA-256 of what a posted document says and of what that was made from, written as its
    `content_version` has it (`invoicing.operations.content`); `content_parts` are the digests of its parts.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    accounts_receivable = models.ForeignKey(
        AccountsReceivable, on_delete=models.PROTECT, null=True, related_name="invoices", db_index=False
    )
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, null=True, related_name="invoices")
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
    seller_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    seller_address = models.TextField(blank=True, default="", db_default="")
    seller_vat_number = models.CharField(max_length=40, blank=True, default="", db_default="")
    seller_registration = models.TextField(blank=True, default="", db_default="")
    payment_details = models.TextField(blank=True, default="", db_default="")
    language = models.CharField(max_length=10, blank=True, default="", db_default="")
    tax_point = models.DateField(null=True)
    credited_invoice = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="credit_notes")
    reason = models.TextField(blank=True, default="", db_default="")
    is_manual = models.BooleanField(default=False, db_default=False)
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
                condition=Q(kind=InvoiceKind.INVOICE, total_amount__gte=0)
                | (Q(kind=InvoiceKind.CREDIT_NOTE) & (Q(total_amount__lt=0) | Q(net_amount__lt=0))),
                name="invoice_kind_follows_its_sign",
            ),
            models.CheckConstraint(
                condition=Q(credited_invoice__isnull=True) | (Q(kind=InvoiceKind.CREDIT_NOTE) & ~Q(reason="")),
                name="invoice_credited_by_a_note_that_says_why",
            ),
            models.UniqueConstraint(fields=["series", "sequence_number"], name="invoice_number_once_in_series"),
        ]
        indexes = [
            models.Index(fields=["customer", "period_end"], name="invoice_customer_period"),
            # What an account has, by id, and its statement by date.
            models.Index(fields=["accounts_receivable", "id"], name="invoice_account"),
            models.Index(
                fields=["accounts_receivable", "invoice_date", "id"],
                condition=Q(state="POSTED"),
                include=["currency", "total_amount"],
                name="invoice_account_statement",
            ),
            # The v3 list: posted ones, newest period first, all customers' or one's.
            models.Index(fields=["-period_start", "-id"], condition=Q(state="POSTED"), name="invoice_posted_list"),
            models.Index(
                fields=["customer", "-period_start", "-id"], condition=Q(state="POSTED"), name="invoice_customer_list"
            ),
        ]
        triggers = [*document(), *credits_a_posted_invoice()]

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
    coupon_code = models.CharField(max_length=50, blank=True, default="", db_default="")
    credited_line = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="credits",
        db_constraint=False,
        db_index=False,
        help_text="The line of a posted invoice that this line of a credit note takes back, whole or in part.",
    )

    class Meta:
        db_table = "invoice_line"
        ordering = ["invoice", "line_number"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "line_number"], name="invoice_line_number_once"),
            models.CheckConstraint(condition=Q(kind__in=LineKind.values), name="invoice_line_kind_known"),
        ]
        indexes = [
            models.Index(
                fields=["credited_line"], condition=Q(credited_line__isnull=False), name="invoice_line_credited"
            )
        ]
        triggers = [
            references_exist(
                on="insert", invoice_id="invoice", product_id="product", rate_id="rate", tax_rate_id="tax_rate"
            ),
            *part_of_document("SELECT invoice_id FROM changed_rows"),
            line_taken_back_once(),
            takes_back_its_charges(),
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
    note = models.TextField(blank=True, default="", db_default="")

    class Meta:
        db_table = "invoice_tax"
        ordering = ["invoice", "name"]
        verbose_name_plural = "invoice taxes"
        constraints = [models.UniqueConstraint(fields=["invoice", "tax_rate"], name="invoice_tax_once_per_rate")]
        triggers = [*part_of_document("SELECT invoice_id FROM changed_rows"), tax_taken_back_once()]

    def __str__(self) -> str:
        return f"{self.name} {self.percent} %"
